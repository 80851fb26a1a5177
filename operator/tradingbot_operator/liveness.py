"""Is this operator still able to work, or must the kubelet start it anew? Judged from facts about the process, for ``/healthz``.

Only what a new start would mend is a failure. An API server that does not answer is not: a new process would not get an answer, either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from tradingbot_operator.watch_health import WatchKey, WatchState, find_dead

LONGEST_PASS_SECONDS: Final = 120.0
"""A pass makes a handful of calls, each with a time limit."""
LONGEST_TURN_SECONDS: Final = 60.0
"""The loop that asks for reports turns several times a second."""
LONGEST_LAG_SECONDS: Final = 10.0


class Vitals(Struct, frozen=True, kw_only=True):
    """What is known of the process."""

    watches: Mapping[WatchKey, WatchState]
    longest_pass: tuple[str, float] | None
    """A bot and the seconds that the pass over it has been going on; None: there is no pass."""
    reports_turned_at: float | None
    """When the loop that asks for reports last turned; None: it does not run, because this operator waits."""
    listed_at: float | None
    """When everything was last listed; None: not yet."""
    loop_lag_seconds: float
    is_leading: bool
    now: float
    """Of the monotonic clock, like the times above."""


class Check(Struct, frozen=True):
    """One line of the page."""

    name: str
    passed: bool
    detail: str = ""


def watches_live(vitals: Vitals) -> Check:
    dead = find_dead(vitals.watches)
    missed = "; ".join(f"{key} missed {vitals.watches[key].missed}" for key in dead)
    return Check("watches", not dead, f"dead: {missed}" if dead else "")


def passes_end(vitals: Vitals) -> Check:
    if vitals.longest_pass is None:
        return Check("passes", passed=True)
    bot, seconds = vitals.longest_pass
    stuck = seconds > LONGEST_PASS_SECONDS
    return Check("passes", not stuck, f"the pass over {bot} has been going on for {seconds:.0f} s" if stuck else "")


def reports_come(vitals: Vitals) -> Check:
    if vitals.reports_turned_at is None:
        return Check("reports", passed=True, detail="nobody is asked: this operator waits")
    age_seconds = vitals.now - vitals.reports_turned_at
    stuck = age_seconds > LONGEST_TURN_SECONDS
    return Check("reports", not stuck, f"the loop that asks for reports last turned {age_seconds:.0f} s ago" if stuck else "")


def loop_turns(vitals: Vitals) -> Check:
    late = vitals.loop_lag_seconds > LONGEST_LAG_SECONDS
    return Check("event-loop", not late, f"it was {vitals.loop_lag_seconds:.1f} s late" if late else "")


def lists_come(vitals: Vitals) -> Check:
    """Never a failure: see above."""
    if vitals.listed_at is None:
        return Check("list", passed=True, detail="nothing is listed yet")
    return Check("list", passed=True, detail=f"everything was last listed {vitals.now - vitals.listed_at:.0f} s ago")


def leads(vitals: Vitals) -> Check:
    return Check("leader", passed=True, detail="this operator leads" if vitals.is_leading else "this operator waits")


CHECKS: Final[tuple[Callable[[Vitals], Check], ...]] = (watches_live, passes_end, reports_come, loop_turns, lists_come, leads)


def judge(vitals: Vitals) -> tuple[Check, ...]:
    """Return every check, in the order of the page."""
    return tuple(check(vitals) for check in CHECKS)


def render_checks(checks: tuple[Check, ...], page: str = "healthz") -> str:
    """Return the page, as the API server's own verbose one looks."""
    lines = [f"[{'+' if check.passed else '-'}]{check.name} {_words(check)}" for check in checks]
    return "\n".join([*lines, f"{page} check {'passed' if all(check.passed for check in checks) else 'failed'}"]) + "\n"


def _words(check: Check) -> str:
    verdict = "ok" if check.passed else "failed"
    return f"{verdict}: {check.detail}" if check.detail else verdict
