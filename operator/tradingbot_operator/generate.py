"""Writes what is made from the typed models into the checkout, or tells what is out of date: ``python -m tradingbot_operator.generate``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tradingbot_operator.bot_metrics import BOT_METRICS
from tradingbot_operator.generated_files import write_or_compare
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
    return write_or_compare(ROOT, build_files, program="python -m tradingbot_operator.generate", description=__doc__, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
