"""Makes a check of one sample a check of a window of them: N of the last M, with hysteresis.

A finding begins when `failing` of the last `samples` samples are beyond their limit. It ends when none of the last
`samples` - `failing` + 1 is beyond it. What is left of the window then has fewer than `failing` that are beyond, and each of those
leaves the window as a new one comes in: to begin again, it needs `failing` new ones. So from one beginning to the next there are more
than `samples` samples, whatever is measured. A sample that does not know the figure is not beyond its limit.

All samples are judged by the limits that count now, so a limit that is changed live counts at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tradingbot_contract.report import Finding, Severity
from tradingbot_contract.spec import Window
from tradingbot_observer.symptoms import SampleCheck, Situation, Symptom

_SEVERITIES: Final = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
"""Worst first."""


def find_in_window(check: SampleCheck, now: Situation, before: Sequence[Finding]) -> Symptom | None:
    """Return the symptom that the window has, of its worst severity; `before` are the findings until now.

    A symptom counts for its own severity and for each that is less bad: samples that are critical and such that are worth a warning are
    together a warning.
    """
    window = now.health.window
    symptoms = [check(sample, now.health) for sample in now.samples[-window.samples :]]
    for severity in _SEVERITIES:
        beyond = [symptom if symptom is not None and _is_as_bad(symptom, severity) else None for symptom in symptoms]
        found = [symptom for symptom in beyond if symptom is not None]
        if not found:
            continue
        newest = found[-1]
        was_there = any(finding.reason is newest.reason and _is_as_bad(finding, severity) for finding in before)
        if holds([symptom is not None for symptom in beyond], window, was_there=was_there):
            message = f"{newest.message}, in {len(found)} of the last {len(beyond)} samples"
            return Symptom(newest.reason, severity, message)
    return None


def holds(beyond: Sequence[bool], window: Window, *, was_there: bool) -> bool:
    """Return whether there is a finding, by which of the newest samples (oldest first) are beyond the limit."""
    if was_there:
        return any(beyond[-(window.samples - window.failing + 1) :])
    return sum(beyond[-window.samples :]) >= window.failing


def _is_as_bad(found: Symptom | Finding, severity: Severity) -> bool:
    return _SEVERITIES.index(found.severity) <= _SEVERITIES.index(severity)
