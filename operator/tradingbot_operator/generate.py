"""Writes what is made from the typed models into the checkout, or tells what is out of date: ``python -m tradingbot_operator.generate``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tradingbot_operator.bot_metrics import BOT_METRICS
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.metrics_reference import render_metrics_reference, render_operator_metrics_reference
from tradingbot_operator.reasons_reference import render_reasons_reference
from tradingbot_operator.reference import render_chart_template, render_crd, render_reference
from tradingbot_operator.schema import build_crd

ROOT: Final = Path(__file__).resolve().parents[2]


def build_files() -> dict[str, str]:
    """Return the text of every generated file, by its path in the checkout."""
    crd = build_crd()
    return {
        "manifests/crd.yaml": render_crd(crd),
        "charts/tradingbot-operator/templates/crd.yaml": render_chart_template(crd),
        "docs/reference/tradingbot.md": render_reference(crd),
        "docs/reference/reasons.md": render_reasons_reference(),
        "docs/reference/metrics.md": render_metrics_reference(),
        "docs/reference/operator-metrics.md": render_operator_metrics_reference(OperatorMetrics().described, BOT_METRICS),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with ``--check`` only compare them; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tradingbot_operator.generate", description=__doc__)
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
