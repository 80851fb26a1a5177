"""The phase: where the bot is, in one word for people, and a sentence with it. The first check that applies decides.

What is wrong comes before how far it has got. Programs read the conditions instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from tradingbot_contract.report import EngineState
from tradingbot_operator.bot_status import Phase
from tradingbot_operator.conditions import FALSE, TRUE, UNKNOWN, Evidence, Saying
from tradingbot_operator.operations import LifecycleState
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import Outcome

_NO_WAITING_MENDS: Final = frozenset({Reason.IMAGE_PULL_FAILED, Reason.CONTAINER_REFUSED, Reason.UNSCHEDULABLE})


class Scene(Struct, frozen=True, kw_only=True):
    """What the phase is told from."""

    sayings: Mapping[str, Saying]
    evidence: Evidence
    held: Outcome | None
    """A sick engine that is left as it is, and why; None: there is none."""
    symbols: int


Told = tuple[Phase, str]


def bot_is_going(scene: Scene) -> Told | None:
    deletion = scene.evidence.deletion
    return (Phase.DELETING, deletion.message or "the bot is being deleted") if deletion is not None else None


def spec_is_refused(scene: Scene) -> Told | None:
    accepted = scene.sayings["Accepted"]
    return (Phase.REFUSED, accepted.message) if accepted.status is FALSE else None


def bot_is_stopped(scene: Scene) -> Told | None:
    if scene.evidence.state is not LifecycleState.STOPPED or scene.evidence.problem is not None:
        return None
    ending = ", ".join(shard.name for shard in scene.evidence.leaving)
    return Phase.STOPPED, f"pod {ending} ends" if ending else "spec.lifecycle.state is Stopped: there is no pod"


def engine_is_quarantined(scene: Scene) -> Told | None:
    fenced = [(name, quarantine) for name, quarantine in scene.evidence.quarantines.items() if quarantine is not None]
    if not fenced:
        return None
    name, quarantine = fenced[0]
    return Phase.QUARANTINED, f"{name} is fenced: {quarantine.message or quarantine.reason}"


def children_fail(scene: Scene) -> Told | None:
    problem = scene.evidence.problem
    if problem is None:
        return None
    # An engine that trades does so whatever is wrong with, say, the size of its volume.
    return (Phase.RUNNING if scene.sayings["Ready"].status is TRUE else Phase.FAILED), problem.message


def engine_is_held(scene: Scene) -> Told | None:
    if scene.held is None or scene.held.hold is None:
        return None
    message = f"{scene.held.hold.message}; {scene.held.cause.message}"
    if scene.held.hold.reason is Reason.BUDGET_SPENT:
        return Phase.FAILED, message
    return (Phase.UNHEALTHY if scene.sayings["Healthy"].status is FALSE else Phase.RUNNING), message


def engine_is_sick(scene: Scene) -> Told | None:
    healthy = scene.sayings["Healthy"]
    return (Phase.UNHEALTHY, healthy.message) if healthy.status is FALSE else None


def pod_fails(scene: Scene) -> Told | None:
    ready = scene.sayings["Ready"]
    return (Phase.FAILED, ready.message) if ready.reason in _NO_WAITING_MENDS else None


def rollout_fails(scene: Scene) -> Told | None:
    progressing = scene.sayings["Progressing"]
    return (Phase.FAILED, progressing.message) if progressing.reason is Reason.ROLLOUT_STALLED else None


def engine_is_up(scene: Scene) -> Told | None:
    engines = [shard.engine for shard in scene.evidence.shards]
    healthy = scene.sayings["Healthy"]
    if scene.sayings["Ready"].status is not TRUE:
        return None
    if all(engine is not None and engine.state is EngineState.FINISHED for engine in engines):
        return Phase.FINISHED, "the feed has ended; the engine is up and idle"
    if scene.evidence.state is LifecycleState.PAUSED:
        return Phase.PAUSED, "spec.lifecycle.state is Paused: nothing is opened"
    if healthy.status is UNKNOWN and healthy.reason is not Reason.NOT_STARTED:
        return Phase.RUNNING, f"ready; health is not known: {healthy.message}"
    return Phase.RUNNING, f"trades {scene.symbols} symbol{'s' if scene.symbols > 1 else ''}"


def engines_wait_for_their_turn(scene: Scene) -> Told | None:
    """The engines that a roll-out leaves alone for now trade on."""
    trade = all(shard.pod is not None and shard.pod.ready and not shard.pod.terminating for shard in scene.evidence.shards)
    standstill = scene.evidence.rollout.standstill
    return (Phase.RUNNING, standstill.message) if standstill is not None and trade else None


def engine_is_coming(scene: Scene) -> Told | None:
    pods = [shard.pod for shard in scene.evidence.shards if shard.pod is not None and not shard.pod.terminating]
    runs = any(pod.engine.running_since is not None or pod.engine.exit is not None for pod in pods)
    return (Phase.STARTING, scene.sayings["Ready"].message) if runs else None


CHECKS: Final[tuple[Callable[[Scene], Told | None], ...]] = (
    bot_is_going,
    spec_is_refused,
    bot_is_stopped,
    engine_is_quarantined,
    engine_is_held,
    engine_is_sick,
    children_fail,
    pod_fails,
    rollout_fails,
    engine_is_up,
    engines_wait_for_their_turn,
    engine_is_coming,
)


def tell_phase(scene: Scene) -> Told:
    """Return the phase and what there is to say about it."""
    found = next((told for check in CHECKS if (told := check(scene))), None)
    return found or (Phase.PENDING, scene.sayings["Ready"].message)
