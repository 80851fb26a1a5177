"""A database that several bots share hangs, and then is gone: no engine is touched, and all go on by themselves when it is back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from rig.bots import Bot, manifest
from rig.kube import Kube, Object
from rig.nodes import stopped
from rig.server_image import load_server_image
from rig.servers import POSTGRES, Servers
from rig.waiting import eventually

StartBots = Callable[..., list[Bot]]

BOTS = 4


@pytest.fixture(scope="module")
def servers(kube: Kube, namespace: str) -> Servers:
    """Return a Postgres in the module's namespace."""
    made = Servers(kube, namespace, load_server_image())
    made.start()
    return made


@pytest.fixture(scope="module")
def bots(servers: Servers, start: StartBots) -> list[Bot]:  # noqa: ARG001 - they must run before it starts
    """Return bots that share the Postgres."""
    database = {"urlSecretRef": {"name": POSTGRES}, "retry": {"attempts": 2, "delaySeconds": 0.5}, "healthIntervalSeconds": 1}
    started = start(*(manifest(f"sharing-{number}", database=database) for number in range(BOTS)))
    for bot in started:
        bot.wait_trading()
        bot.wait_condition("Ready", "True")
        bot.wait_condition("Healthy", "True")
    return started


@contextlib.contextmanager
def gone(servers: Servers) -> Iterator[None]:
    servers.stop(POSTGRES)
    yield
    servers.bring_back(POSTGRES)


@contextlib.contextmanager
def hanging(servers: Servers) -> Iterator[None]:
    """Stop all of the server's processes: it keeps its connections and answers nothing."""
    pod: Object | None = servers.kube.get("pods", f"{POSTGRES}-0", servers.namespace)
    assert pod is not None
    with stopped(servers.kube, pod, "postgres"):
        yield


@pytest.mark.parametrize("harm", [hanging, gone], ids=lambda harm: harm.__name__)
def test_engines_wait_for_their_database_and_are_left_alone(
    bots: list[Bot], servers: Servers, harm: Callable[[Servers], contextlib.AbstractContextManager[None]]
) -> None:
    before = [(bot.pod_uid(), bot.container()["containerID"], bot.wait_trading()) for bot in bots]
    with harm(servers):
        for bot in bots:
            bot.wait_condition("Healthy", "False", reason="DatabaseDown")
            bot.wait_phase("Unhealthy")
        # Prices are taken without it, all the while.
        for bot in bots:
            bars = bot.wait_trading().bars
            bot.wait_trading(beyond_bars=bars + 100)
    for bot, (uid, container, status) in zip(bots, before, strict=True):
        bot.wait_condition("Healthy", "True")
        bot.wait_phase("Running")

        def fills(bot: Bot = bot, since: int = status.fills) -> bool:
            now = bot.engine()
            return now is not None and now.fills > since

        eventually(f"{bot.name} trades again", fills, explain=bot.explain)
        assert bot.pod_uid() == uid
        assert bot.container()["containerID"] == container
        assert bot.wait_trading().started_at == status.started_at
        assert not bot.history()
        assert not any(event["reason"] == "FleetSick" for event in bot.events()), "a database is no cause, however many it is missing to"
