"""The operator is ended around each single call that changes something, and started again: everything comes out as if it had not been.

One scenario is played once undisturbed, which tells the states that it goes through and the number of calls. Then it is played again for
every call: in one series the operator ends right after it, in the other right before. Events are counted like every other call. The Lease
is not in it: its calls depend on the clock, and here each operator has a namespace of its own.

That is hundreds of runs: ``make crash-consistency`` plays them all, the suite only those of every twelfth call (``CRASH_EVERY``).
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self

import pytest

from api_client import Object
from bot_rig import BotView, Rig, eventually
from interrupted_operator import EXIT_CODE
from operator_process import InterruptedOperator, OperatorProcess
from settled_state import differences, read_state

SIDE_BY_SIDE: Final = 6
SHOWN_CHARACTERS: Final = 20_000
STABLE_SECONDS: Final = 2.5
"""How long the undisturbed run must not change before its state counts as settled: longer than whatever is looked at now and then."""
EVERY: Final = int(os.environ.get("CRASH_EVERY", "12"))
POSITION: Final = "MSFT"
SPEC: Final[Object] = {
    "market": {"symbols": ["AAPL", "GOOG", "IBM", "MSFT", "NVDA"]},
    "database": {"urlSecretRef": {"name": "postgres"}},
    "lifecycle": {"onDelete": "Flatten"},
    "health": {"remediation": {"backoffSeconds": 1}},
}

Step = Callable[["Play"], None]


class Play:
    """One run of the scenario in a namespace of its own."""

    def __init__(self, rig: Rig, namespace: str, *, at_call: int = 0, when: str = "after") -> None:
        self.rig = rig
        self.bot = BotView(rig, namespace, "bot")
        self.interrupted = InterruptedOperator(rig.plane.api_server.kubeconfig("operator"), namespace, at_call=at_call, when=when)
        self.successor: OperatorProcess | None = None
        self.audit = rig.audit()

    def __enter__(self) -> Self:
        # The engine's pauses are longer than the run: it is the operator who has to bring it back.
        self.rig.kubelet.conduct(self.bot.namespace, self.bot.name, backoff_seconds=300.0)
        self.interrupted.start_unwatched()
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.interrupted, self.successor):
            if process is not None:
                process.close()

    def tend(self) -> None:
        """Start the next operator when the first one has ended itself."""
        if self.successor is None and not self.interrupted.is_running:
            assert self.interrupted.exit_code == EXIT_CODE, self.interrupted.log()[-3000:]
            self.successor = self.rig.operator(self.bot.namespace)
            self.successor.start_unwatched()
        assert self.successor is None or self.successor.is_running, self.successor.log()[-3000:]

    def wait_for(self, state: Object) -> None:
        """Wait until everything is as in the undisturbed run."""

        def look() -> bool:
            self.tend()
            other = differences(_without_counts(state), _without_counts(read_state(self.bot)))
            assert not other, "\n".join(other[:20])
            return True

        eventually("the state is that of the undisturbed run", look, every_seconds=0.3, explain=self.explain)

    def settle(self) -> Object:
        """Wait until nothing changes any more and return what there is."""
        last, since = read_state(self.bot), time.monotonic()
        deadline = since + 60.0
        while time.monotonic() - since < STABLE_SECONDS:
            assert time.monotonic() < deadline, self.explain()
            time.sleep(0.1)
            self.tend()
            now = read_state(self.bot)
            if now != last:
                last, since = now, time.monotonic()
        return last

    def explain(self) -> str:
        return "\n".join([*self.interrupted.calls[-5:], self.tell_deletions(), self.explain_logs(), self.bot.explain()])

    def explain_logs(self) -> str:
        return "\n".join(process.log() for process in (self.interrupted, self.successor) if process is not None)

    def pods_made(self) -> int:
        kubelet = self.rig.kubelet
        return kubelet.do(lambda: sum(times for (namespace, _), times in kubelet.made.items() if namespace == self.bot.namespace))

    def explain_pods(self, undisturbed: Counter[str]) -> str:
        """Return what is wrong with the number of pods that were replaced; empty when nothing is.

        Symbols that come back from two shards come together or one after the other, as chance will have it: the shard that gets them may be
        replaced once more. Each pod that the operator has deleted has been made anew once, so none was deleted twice.
        """
        first, deleted = f"{self.bot.name}-0", self.deleted_pods()
        more, fewer = deleted - undisturbed, undisturbed - deleted
        made = self.rig.kubelet.do(lambda: self.rig.kubelet.made[self.bot.namespace, first])
        is_right = not fewer and more in (Counter(), Counter({first: 1})) and made == 1 + deleted[first]
        return "" if is_right else f"{first} was made {made} times\n{self.tell_deletions()}"

    def deleted_pods(self) -> Counter[str]:
        """Return how often the operator has deleted which pod."""
        writes = self.audit.writes(namespace=self.bot.namespace)
        return Counter(write.name for write in writes if (write.verb, write.resource) == ("delete", "pods") and write.status < 300)

    def tell_deletions(self) -> str:
        """Return what the operator has deleted and decided, for people."""
        lines = [
            f"{write.at} {write.name} {write.status}" for write in self.audit.writes(namespace=self.bot.namespace) if write.verb == "delete"
        ]
        told = [line for line in (self.explain_logs()).splitlines() if "recreate" in line or "replaces" in line]
        return "\n".join(["the operator has deleted", *lines, *told])

    def bad_lines(self) -> list[str]:
        return [line for process in (self.interrupted, self.successor) if process is not None for line in process.bad_lines()]


def create(play: Play) -> None:
    play.rig.create(play.bot.namespace, play.bot.name, **SPEC)


def change_live(play: Play) -> None:
    play.bot.change(risk={"maxOrderNotional": 5000})


def change_with_a_new_process(play: Play) -> None:
    play.bot.change(strategy={"parameters": {"fastPeriod": 7}})


def crash_again_and_again(play: Play) -> None:
    """Let the engine die twice: after the second time the kubelet waits, and the operator makes a new pod."""
    kubelet, name = play.rig.kubelet, f"{play.bot.name}-0"
    pod = kubelet.pods_of(play.bot.namespace, play.bot.name)[name]
    kubelet.do(pod.kill)
    eventually("the kubelet has started it again", lambda: kubelet.do(lambda: pod.restarts == 1 and pod.engine is not None))
    kubelet.do(pod.kill)


def scale_up(play: Play) -> None:
    play.bot.change(scaling={"replicas": 3})


def scale_down(play: Play) -> None:
    play.bot.change(scaling={"replicas": 1})


def delete_with_a_position(play: Play) -> None:
    play.rig.kubelet.do(lambda: play.rig.kubelet.ledger.buy(play.bot.namespace, play.bot.name, f"{play.bot.name}-0", POSITION))
    play.bot.delete()


STEPS: Final[tuple[Step, ...]] = (
    create, change_live, change_with_a_new_process, crash_again_and_again, scale_up, scale_down, delete_with_a_position,
)  # fmt: skip


def _without_counts(state: Object) -> Object:
    """Return a state without how often pods were made, which :meth:`Play.explain_pods` looks at."""
    return {name: value for name, value in state.items() if name != "made"}


class Undisturbed:
    """What the scenario goes through when nobody interrupts it."""

    def __init__(self, rig: Rig, namespace: str) -> None:
        self.states: list[Object] = []
        self.calls_by_step: list[int] = []
        with Play(rig, namespace) as play:
            for step in STEPS:
                made = play.pods_made()
                step(play)
                if step is crash_again_and_again:
                    eventually("the operator has made a new pod", lambda before=made: play.pods_made() > before)
                if step is delete_with_a_position:
                    play.bot.wait_gone()
                else:
                    play.bot.wait_settled()
                self.states.append(play.settle())
                self.calls_by_step.append(len(play.interrupted.calls))
            self.calls = play.interrupted.calls
            self.deleted_pods = play.deleted_pods()
            assert not play.bad_lines()


@pytest.fixture(scope="module")
def undisturbed(rig: Rig) -> Undisturbed:
    found = Undisturbed(rig, rig.make_namespace("undisturbed"))
    for step, state, calls in zip(STEPS, found.states, found.calls_by_step, strict=True):
        print(f"{step.__name__}: {calls} calls so far; pods made: {state['made']}, trading: {state['trading']}")
    return found


def test_the_undisturbed_run_does_what_the_scenario_asks_for(undisturbed: Undisturbed) -> None:
    by_name = dict(zip([step.__name__ for step in STEPS], undisturbed.states, strict=True))
    assert by_name["create"]["made"] == by_name["change_live"]["made"] == {"bot-0": 1}
    assert by_name["change_with_a_new_process"]["made"] == {"bot-0": 2}
    assert by_name["crash_again_and_again"]["made"] == {"bot-0": 3}
    assert by_name["crash_again_and_again"]["bot"]["remediation"] == ["RestartPod CrashLooping"]
    assert len(set(by_name["scale_up"]["trading"].values())) == 3
    assert set(by_name["scale_down"]["trading"].values()) == {"bot-0"}
    assert by_name["delete_with_a_position"]["generation"] is None
    assert not by_name["delete_with_a_position"]["children"]
    assert by_name["delete_with_a_position"]["journals"]["bot-0"] == {"positions": [], "bought": {POSITION: 1}, "sold": {POSITION: 1}}


@pytest.mark.parametrize("when", ["after", "before"])
def test_an_operator_that_ends_around_any_call_leaves_nothing_undone_and_nothing_done_twice(
    rig: Rig, undisturbed: Undisturbed, when: str
) -> None:
    first = 1 if when == "after" else 1 + EVERY // 2
    numbers = range(first, len(undisturbed.calls) + 1, EVERY)
    done, lock, began = Counter[str](), threading.Lock(), time.monotonic()

    def play(number: int) -> str:
        problem = _play(rig, undisturbed, number, when)
        with lock:
            done["all"] += 1
            if problem:
                print(f"{when} call {number} ({undisturbed.calls[number - 1]}): {problem[:SHOWN_CHARACTERS]}", flush=True)
            if done["all"] % 10 == 0:
                print(f"{when}: {done['all']} of {len(numbers)} after {time.monotonic() - began:.0f} s", flush=True)
        return problem

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        problems = {number: problem for number, problem in zip(numbers, pool.map(play, numbers), strict=True) if problem}
    assert not problems, f"{len(problems)} of {len(numbers)}: {sorted(problems)}"
    assert not rig.kubelet.failures


def _play(rig: Rig, undisturbed: Undisturbed, number: int, when: str) -> str:
    """Play the scenario with an interruption; return what went wrong, or an empty text."""
    namespace = rig.make_namespace(f"crash-{when}-{number}")
    with Play(rig, namespace, at_call=number, when=when) as play:
        try:
            for step, state in zip(STEPS, undisturbed.states, strict=True):
                if step is delete_with_a_position:
                    assert not (wrong := play.explain_pods(undisturbed.deleted_pods)), wrong
                step(play)
                play.wait_for(state)
            # The number of calls depends a little on how an operator's own writes come back to it; where fewer were needed, none was hit.
            assert play.successor is not None or len(play.interrupted.calls) < number, "it was not interrupted"
            assert not play.deleted_pods() - undisturbed.deleted_pods - Counter({f"{play.bot.name}-0": 1}), play.tell_deletions()
            assert not play.bad_lines(), play.bad_lines()
            assert not rig.kubelet.ledger.violations_of(namespace), rig.kubelet.ledger.violations_of(namespace)
        except AssertionError as error:
            return str(error) or repr(error)
        finally:
            rig.api.delete("namespaces", namespace, None)
    return ""
