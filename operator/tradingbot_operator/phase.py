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
from tradingbot_operator.reasons import Reason

_NO_WAITING_MENDS: Final = frozenset({Reason.IMAGE_PULL_FAILED, Reason.CONTAINER_REFUSED, Reason.UNSCHEDULABLE})


class Scene(Struct, frozen=True, kw_only=True):
    """What the phase is told from."""

    sayings: Mapping[str, Saying]
    evidence: Evidence
    given_up: str
    """Why a sick engine is left as it is; empty when it isn't."""
    symbols: int


Told = tuple[Phase, str]


def spec_is_refused(scene: Scene) -> Told | None:
    accepted = scene.sayings["Accepted"]
    return (Phase.REFUSED, accepted.message) if accepted.status is FALSE else None


def children_fail(scene: Scene) -> Told | None:
    problem = scene.evidence.problem
    if problem is None:
        return None
    # An engine that trades does so whatever is wrong with, say, the size of its volume.
    return (Phase.RUNNING if scene.sayings["Ready"].status is TRUE else Phase.FAILED), problem.message


def engine_is_given_up(scene: Scene) -> Told | None:
    return (Phase.FAILED, scene.given_up) if scene.given_up else None


def engine_is_sick(scene: Scene) -> Told | None:
    healthy = scene.sayings["Healthy"]
    return (Phase.UNHEALTHY, healthy.message) if healthy.status is FALSE else None


def pod_fails(scene: Scene) -> Told | None:
    ready = scene.sayings["Ready"]
    return (Phase.FAILED, ready.message) if ready.reason in _NO_WAITING_MENDS else None


def engine_is_up(scene: Scene) -> Told | None:
    engine, healthy = scene.evidence.engine, scene.sayings["Healthy"]
    if scene.sayings["Ready"].status is not TRUE:
        return None
    if engine is not None and engine.state is EngineState.FINISHED:
        return Phase.FINISHED, "the feed has ended; the engine is up and idle"
    if healthy.status is UNKNOWN and healthy.reason is not Reason.NOT_STARTED:
        return Phase.RUNNING, f"ready; health is not known: {healthy.message}"
    return Phase.RUNNING, f"trades {scene.symbols} symbol{'s' if scene.symbols > 1 else ''}"


def engine_is_coming(scene: Scene) -> Told | None:
    pod = scene.evidence.pod
    runs = pod is not None and not pod.terminating and (pod.engine.running_since is not None or pod.engine.exit is not None)
    return (Phase.STARTING, scene.sayings["Ready"].message) if runs else None


CHECKS: Final[tuple[Callable[[Scene], Told | None], ...]] = (
    spec_is_refused,
    engine_is_given_up,
    engine_is_sick,
    children_fail,
    pod_fails,
    engine_is_up,
    engine_is_coming,
)


def tell_phase(scene: Scene) -> Told:
    """Return the phase and what there is to say about it."""
    found = next((told for check in CHECKS if (told := check(scene))), None)
    return found or (Phase.PENDING, scene.sayings["Ready"].message)
