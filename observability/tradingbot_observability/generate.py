"""Writes dashboards and rules for the operator to ship, or tells what is out of date: ``python -m tradingbot_observability.generate``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tradingbot_observability.coverage import find_coverage, render_coverage
from tradingbot_observability.dashboards import render_dashboards
from tradingbot_observability.rules.render import render_rules
from tradingbot_observability.rules.runbook_index import render_runbook_index

ROOT: Final = Path(__file__).resolve().parents[2]
FILES: Final = "operator/tradingbot_operator/monitoring/files"


def build_files() -> dict[str, str]:
    """Return the text of every generated file, by its path in the checkout."""
    dashboards, rules = render_dashboards(), render_rules()
    return {f"{FILES}/dashboards/{name}.json": text for name, text in dashboards.items()} | {
        f"{FILES}/rules.yaml": rules,
        "docs/runbooks/README.md": render_runbook_index(),
        "docs/reference/coverage.md": render_coverage(find_coverage(rules, dashboards)),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with ``--check`` only compare them; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tradingbot_observability.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    check = parser.parse_args(arguments).check
    stale = []
    for name, text in build_files().items():
        path = ROOT / name
        if path.is_file() and path.read_text() == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for name in stale:
        sys.stdout.write(f"{'out of date' if check else 'written'}: {name}\n")
    if check and stale:
        sys.stdout.write("run: make generate\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
