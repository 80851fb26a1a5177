"""What a rule is. An alert has one name, one runbook, and one severity that says who has to do something, and when."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from msgspec import Struct


class Severity(enum.Enum):
    """Who has to act."""

    CRITICAL = "critical"
    """Somebody, now, also at night: money is at stake, or nobody else is going to mend it."""
    WARNING = "warning"
    """Somebody, in the course of the day."""
    INFO = "info"
    """Nobody; it is worth knowing when one looks for something else."""


class RecordingRule(Struct, frozen=True):
    """A series that Prometheus computes and keeps."""

    record: str
    """``level:metric:operations``; the level names the labels that are left."""
    expr: str
    labels: Mapping[str, str] = {}


class Alert(Struct, frozen=True, kw_only=True):
    """A condition that somebody is told of."""

    name: str
    expr: str
    for_minutes: int
    """How long it must hold without a break."""
    severity: Severity
    summary: str
    """One line: which bot, and what."""
    description: str
    """What it means, and what to look at first."""
    labels: Mapping[str, str] = {}
    """Beside those of the expression and the severity."""


class Group(Struct, frozen=True):
    """Rules that are evaluated together, one after the other, so that a rule sees what those before it have recorded."""

    name: str
    interval_seconds: int
    rules: tuple[RecordingRule | Alert, ...]
