"""Writes a report where it was asked for, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from tradingbot_cli.report.facts import ReportFacts
from tradingbot_cli.report.page import render_report
from tradingbot_cli.whole_file import write_whole


def write_report(path: Path, facts: ReportFacts) -> None:
    """Write the file; one that is there is replaced.

    Raises:
        RefusedError: it can't be written there.
    """
    write_whole(path, render_report(facts).encode(errors="replace"))
