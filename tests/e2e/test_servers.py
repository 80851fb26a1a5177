"""A bot on Postgres and Redis: it trades, and what happens to the servers costs it time, never a fill and never its process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from rig.bots import Bot, manifest
from rig.kube import Kube
from rig.server_image import load_server_image
from rig.servers import POSTGRES, REDIS, Servers
from rig.waiting import eventually
from tradingbot_contract.report import Dependency, FindingReason

StartBots = Callable[..., list[Bot]]

# Run in the engine's container, with the address that the kubelet has given it from the Secret.
_COUNT_FILLS = """
import json, os, psycopg
from psycopg import sql
with psycopg.connect(os.environ["TRADINGBOT_DATABASE_URL"], connect_timeout=5) as connection:
    found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tb%'").fetchall()
    counts = {schema: connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, "fills"))).fetchone()[0]
              for schema, in found}
print(json.dumps(counts))
"""
_CONNECT = """
import socket
try:
    socket.create_connection(({host!r}, {port}), timeout=3).close()
    print("open")
except OSError as error:
    print("closed", error)
"""


@pytest.fixture(scope="module")
def servers(kube: Kube, namespace: str) -> Servers:
    """Return a Postgres and a Redis that run in the module's namespace."""
    made = Servers(kube, namespace, load_server_image())
    made.start()
    return made


@pytest.fixture(scope="module")
def bot(servers: Servers, start: StartBots) -> Bot:  # noqa: ARG001 - they must run before it starts
    """Return a bot on both of them, which trades without ever standing still for long."""
    database = {"urlSecretRef": {"name": POSTGRES}, "retry": {"attempts": 2, "delaySeconds": 0.5}, "healthIntervalSeconds": 1}
    redis = {
        "urlSecretRef": {"name": REDIS},
        "pool": {"connectTimeoutSeconds": 1, "socketTimeoutSeconds": 2, "healthCheckIntervalSeconds": 1},
    }
    (started,) = start(manifest("shared", database=database, redis=redis))
    started.wait_trading()
    for kind in ("Accepted", "Ready", "Healthy"):
        started.wait_condition(kind, "True")
    return started


@pytest.fixture(autouse=True)
def one_process(bot: Bot) -> Iterator[None]:
    """Hold that no test of this module costs the engine its process."""
    before, pod = bot.wait_trading(), bot.pod()
    assert pod is not None
    container = bot.container()["containerID"]
    yield
    after, now = bot.wait_trading(), bot.pod()
    assert now is not None
    assert now["metadata"]["uid"] == pod["metadata"]["uid"]
    assert bot.container()["containerID"] == container
    assert bot.container()["restartCount"] == 0
    assert after.started_at == before.started_at
    assert not bot.status()["remediation"]["history"]


def dependency(bot: Bot, name: str) -> Dependency | None:
    status = bot.engine()
    return next((each for each in status.dependencies if each.name == name), None) if status else None


def is_up(bot: Bot, name: str, *, up: bool = True) -> bool:
    found = dependency(bot, name)
    return found is not None and found.up is up


def findings(bot: Bot) -> set[FindingReason]:
    report = bot.report()
    assert report is not None, "the observer does not answer"
    return {finding.reason for finding in report.findings}


def fills_in_postgres(bot: Bot) -> dict[str, int]:
    """Return the number of fills by schema."""
    found: dict[str, int] = json.loads(bot.python(_COUNT_FILLS))
    return found


def test_it_trades_with_its_journal_in_postgres(bot: Bot) -> None:
    eventually("both are up", lambda: is_up(bot, "database") and is_up(bot, "redis"), explain=bot.explain)
    eventually("it has traded", lambda: (status := bot.engine()) is not None and status.fills > 0, explain=bot.explain)
    eventually("its fills are in Postgres", lambda: any(fills_in_postgres(bot).values()))
    (schema,) = fills_in_postgres(bot)
    assert bot.name in schema
    script = 'import pathlib; print([path.name for path in pathlib.Path("/var/lib/tradingbot").glob("journal*")])'
    assert "journal.sqlite" not in bot.python(script), "there is one journal"


def test_it_reaches_its_servers_and_nothing_else_of_the_cluster(bot: Bot) -> None:
    for host, port, answer in ((POSTGRES, 5432, "open"), (REDIS, 6379, "open"), ("kubernetes.default", 443, "closed")):
        said = bot.python(_CONNECT.format(host=host, port=port))
        assert said.split()[0] == answer, f"{host}:{port}: {said}"


def test_the_password_is_in_the_engine_alone(bot: Bot) -> None:
    show = 'import os; print(os.environ.get("TRADINGBOT_DATABASE_URL"))'
    assert "trading:" in bot.python(show)
    assert bot.python(show, container="observer").strip() == "None"


def test_without_redis_it_trades_on(bot: Bot, servers: Servers) -> None:
    servers.stop(REDIS)
    eventually("the observer tells of it", lambda: FindingReason.REDIS_DOWN in findings(bot), explain=bot.explain)
    bars = bot.wait_trading().bars
    bot.wait_trading(beyond_bars=bars + 40)
    assert bot.condition("Healthy")["status"] == "True", "it is slower, not sick"
    servers.bring_back(REDIS)
    eventually("it is over", lambda: FindingReason.REDIS_DOWN not in findings(bot), explain=bot.explain)
    assert is_up(bot, "redis")


def test_without_postgres_it_waits_and_then_catches_up(bot: Bot, servers: Servers) -> None:
    before = bot.wait_trading()
    servers.stop(POSTGRES)
    condition = bot.wait_condition("Healthy", "False", reason="DatabaseDown")
    assert "database" in condition["message"]
    bot.wait_phase("Unhealthy")
    assert is_up(bot, "database", up=False)
    # Prices are taken, and nothing is filled that no journal holds.
    stopped = bot.engine()
    assert stopped is not None
    eventually(
        "prices are taken without it",
        lambda: (status := bot.engine()) is not None and status.bars > stopped.bars,
        explain=bot.explain,
    )

    servers.bring_back(POSTGRES)
    bot.wait_condition("Healthy", "True")
    bot.wait_phase("Running")
    after = bot.wait_trading(beyond_bars=stopped.bars + 40)
    assert after.fills >= before.fills
    eventually("the journal is not behind", lambda: FindingReason.JOURNAL_BEHIND not in findings(bot), explain=bot.explain)

    def journal_has_it() -> bool:
        status = bot.engine()
        assert status is not None
        (count,) = fills_in_postgres(bot).values()
        return count >= status.fills  # the count is of a moment later

    eventually("every fill is in Postgres", journal_has_it, explain=bot.explain)
