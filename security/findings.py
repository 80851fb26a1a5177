"""What the checkers say, held against the exceptions that somebody has given a reason for.

A finding without an exception fails, and so does an exception without a finding: what was mended must not go on being excused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
from msgspec import Struct


class Finding(Struct, frozen=True, order=True):
    """Something that a checker does not like."""

    checker: str
    check: str
    """As the checker names it."""
    where: str
    """File, or what is made of it, and the object in it."""
    text: str


class Excuse(Struct, frozen=True, forbid_unknown_fields=True):
    """A finding that stays, and why."""

    checker: str
    check: str
    where: str
    """Pattern as for file names."""
    why: str

    def excuses(self, finding: Finding) -> bool:
        """Return whether it is about this finding."""
        return (self.checker, self.check) == (finding.checker, finding.check) and fnmatchcase(finding.where, self.where)


class Report(Struct, frozen=True):
    """What one checker has to say."""

    checker: str
    passed: int
    """Checks that found nothing; of a checker that only counts what it reads, lines of code."""
    findings: tuple[Finding, ...]


class Verdict(Struct, frozen=True):
    """What is left to do."""

    open: tuple[Finding, ...]
    excused: tuple[tuple[Finding, Excuse], ...]
    idle: tuple[Excuse, ...]
    """Exceptions that nothing needs."""
    blind: tuple[str, ...]
    """Checkers that have looked at nothing."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left to do."""
        return not (self.open or self.idle or self.blind)


def read_exceptions(path: Path) -> tuple[Excuse, ...]:
    """Return the exceptions of a file.

    Raises:
        msgspec.ValidationError: it is not a list of them.
    """
    found = msgspec.yaml.decode(path.read_bytes(), type=tuple[Excuse, ...])
    unreasoned = [each for each in found if len(each.why.split()) < 4]
    if unreasoned:
        raise msgspec.ValidationError(f"an exception needs a reason in words: {unreasoned}")
    return found


def judge(reports: Iterable[Report], exceptions: Iterable[Excuse]) -> Verdict:
    """Return what is left to do."""
    reports, exceptions = tuple(reports), tuple(exceptions)
    unexcused: list[Finding] = []
    excused: list[tuple[Finding, Excuse]] = []
    needed: Counter[Excuse] = Counter()
    for finding in sorted(finding for report in reports for finding in report.findings):
        reason = next((each for each in exceptions if each.excuses(finding)), None)
        if reason is None:
            unexcused.append(finding)
        else:
            excused.append((finding, reason))
            needed[reason] += 1
    return Verdict(
        open=tuple(unexcused),
        excused=tuple(excused),
        idle=tuple(each for each in exceptions if not needed[each]),
        blind=tuple(report.checker for report in reports if not report.passed),
    )
