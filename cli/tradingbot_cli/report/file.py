"""Writes a report where it was asked for, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from tradingbot_cli.errors import RefusedError
from tradingbot_cli.report.facts import ReportFacts
from tradingbot_cli.report.page import render_report


def write_report(path: Path, facts: ReportFacts) -> None:
    """Write the file; one that is there is replaced.

    Raises:
        RefusedError: it can't be written there.
    """
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(render_report(facts), encoding="utf-8", errors="replace")
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise RefusedError(f"{path}: can't be written ({error.strerror}): name another file") from error
