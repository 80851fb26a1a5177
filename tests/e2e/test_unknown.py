"""What nobody knows is no reason to act: when an observer is cut off, gone, stopped or out of its mind, its engine is left alone.

The scenarios run side by side, each with a bot of its own. The kubelet reaches every engine all the time, as it does when a node is cut
off: what is under test is what the operator makes of not knowing.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from rig.bots import Bot, manifest
from rig.nodes import network_cut, observer_cut, observer_replaced
from rig.side_by_side import Running, begin, bot_name
from rig.waiting import eventually

StartBots = Callable[..., list[Bot]]

# Run in the engine's container, which shares the observer's network: answers everything with nonsense, for a while.
_TALK_NONSENSE: Final = """
import http.server, time
class Nonsense(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{{"score": "excellent"')
server = http.server.HTTPServer(("", {port}), Nonsense)
server.timeout = 1.0
until = time.monotonic() + {seconds}
while time.monotonic() < until:
    server.handle_request()
"""
_OTHER_PORT: Final = 18081
_NONSENSE_SECONDS: Final = 40.0


@contextlib.contextmanager
def cut_off(bot: Bot) -> Iterator[None]:
    """Let nothing but its own node reach the pod."""
    pod = bot.pod()
    assert pod is not None
    with network_cut(bot.kube, pod):
        yield


@contextlib.contextmanager
def without_way_to_the_observer(bot: Bot) -> Iterator[None]:
    """Let nobody from outside reach the observer."""
    pod = bot.pod()
    assert pod is not None
    with observer_cut(bot.kube, pod):
        yield


@contextlib.contextmanager
def stopped(bot: Bot) -> Iterator[None]:
    """Let every question to the observer time out."""
    bot.signal(signal.SIGSTOP, container="observer")
    yield
    bot.signal(signal.SIGCONT, container="observer")


@contextlib.contextmanager
def out_of_its_mind(bot: Bot) -> Iterator[None]:
    """Let something else answer in the observer's place."""
    pod = bot.pod()
    assert pod is not None
    with ThreadPoolExecutor(1) as pool, observer_replaced(bot.kube, pod, _OTHER_PORT):
        talking = pool.submit(bot.python, _TALK_NONSENSE.format(port=_OTHER_PORT, seconds=_NONSENSE_SECONDS))
        # The operator has a connection to the right one still.
        with stopped(bot):
            yield
            talking.result()


def hold_still(bot: Bot, harm: Callable[[Bot], contextlib.AbstractContextManager[None]], *reasons: str) -> None:
    """Do harm to what is known of a bot, and hold that nothing is done to the bot."""
    bot.wait_condition("Healthy", "True")
    before, pod = bot.wait_trading(), bot.pod_uid()
    with harm(bot):
        assert bot.wait_condition("Healthy", "Unknown")["reason"] in reasons
        bars = bot.wait_trading().bars
        bot.wait_trading(beyond_bars=bars + 200)
    bot.wait_condition("Healthy", "True")
    bot.wait_phase("Running")
    assert bot.wait_trading().started_at == before.started_at
    assert bot.pod_uid() == pod
    assert bot.container()["restartCount"] == 0
    assert not bot.history()


def a_pod_is_cut_off(bot: Bot) -> None:
    hold_still(bot, cut_off, "ObserverUnreachable")


def an_observer_is_cut_off(bot: Bot) -> None:
    hold_still(bot, without_way_to_the_observer, "ObserverUnreachable")


def an_observer_hangs(bot: Bot) -> None:
    hold_still(bot, stopped, "ObserverUnreachable")


def an_observer_talks_nonsense(bot: Bot) -> None:
    hold_still(bot, out_of_its_mind, "ReportInvalid", "ObserverUnreachable")


def an_observer_is_killed_again_and_again(bot: Bot) -> None:
    bot.wait_condition("Healthy", "True")
    before, pod = bot.wait_trading(), bot.pod_uid()
    for _ in range(3):  # the first time the kubelet starts it at once, then later and later
        killed = bot.signal(signal.SIGKILL, container="observer")

        def reports_again(since: float = killed) -> bool:
            report = bot.report()
            return report is not None and report.observer_started_at > since

        eventually("there is another observer", reports_again, explain=bot.explain)
    bot.wait_condition("Healthy", "True")
    assert bot.wait_trading(beyond_bars=before.bars).started_at == before.started_at
    assert bot.pod_uid() == pod
    assert bot.container()["restartCount"] == 0
    assert not bot.history()


SCENARIOS: Final = (
    a_pod_is_cut_off,
    an_observer_is_cut_off,
    an_observer_hangs,
    an_observer_talks_nonsense,
    an_observer_is_killed_again_and_again,
)


@pytest.fixture(scope="module")
def running(start: StartBots) -> Iterator[Running]:
    """Return all scenarios, begun at once."""
    bots = start(*(manifest(bot_name(scenario)) for scenario in SCENARIOS))
    with begin(SCENARIOS, bots) as running:
        yield running


@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in SCENARIOS])
def test_nothing_is_done_while(running: Running, scenario: str) -> None:
    running[scenario].result()
