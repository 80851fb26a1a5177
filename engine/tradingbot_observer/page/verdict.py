"""How the bot is, in one word: what a person should know who looks for one second.

The worst finding decides. Without a finding that is worth a warning the score does; when nothing is measured, nothing is known, and
that is said instead of something good.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from tradingbot_contract.report import ObserverReport, Severity
from tradingbot_contract.spec import Health
from tradingbot_observer.page.meanings import MEANINGS


class Tone(enum.Enum):
    """How a thing is shown; never by its colour alone."""

    GOOD = "good"
    NOTE = "note"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"

    @property
    def mark(self) -> str:
        """The sign that stands beside the word."""
        return {"good": "✓", "note": "●", "warning": "▲", "critical": "✖", "unknown": "?"}[self.value]


TONES = {Severity.CRITICAL: Tone.CRITICAL, Severity.WARNING: Tone.WARNING, Severity.INFO: Tone.NOTE}


class Verdict(NamedTuple):
    """The word, how it is shown, and a sentence that says why; the sentence changes only when the reason does."""

    tone: Tone
    word: str
    sentence: str


def judge(report: ObserverReport, health: Health) -> Verdict:
    """Return how the bot is."""
    for severity, tone, word in ((Severity.CRITICAL, Tone.CRITICAL, "Critical"), (Severity.WARNING, Tone.WARNING, "Warning")):
        found = [finding.reason for finding in report.findings if finding.severity is severity]
        if found:
            more = f" There is more: {', '.join(reason.value for reason in found[1:])}." if found[1:] else ""
            return Verdict(tone, word, f"{found[0].value}. {MEANINGS[found[0]]}{more}")
    if report.engine is None or report.score is None:
        what = "has not answered yet" if report.engine is None else "has not been measured yet"
        return Verdict(Tone.UNKNOWN, "Unknown", f"The engine {what}.")
    if report.score < health.score.unhealthy:
        return Verdict(Tone.WARNING, "Unhealthy", f"The score is below {health.score.unhealthy:g}; nothing else is found yet.")
    noted = ", ".join(finding.reason.value for finding in report.findings)
    return Verdict(Tone.GOOD, "Healthy", f"Worth knowing: {noted}." if noted else "Nothing is wrong.")
