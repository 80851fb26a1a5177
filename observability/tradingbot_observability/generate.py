"""Writes dashboards and rules for the operator to ship, or tells what is out of date: ``python -m tradingbot_observability.generate``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tradingbot_observability.coverage import find_coverage, render_coverage
from tradingbot_observability.dashboards import render_dashboards
from tradingbot_observability.rules.render import render_rules
from tradingbot_observability.rules.runbook_index import render_runbook_index
from tradingbot_operator.generated_files import write_or_compare

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
    return write_or_compare(
        ROOT, build_files, program="python -m tradingbot_observability.generate", description=__doc__, arguments=arguments
    )


if __name__ == "__main__":
    sys.exit(main())
