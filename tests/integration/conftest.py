"""The order in which files begin: those that take longest first, so that none of them is left over for one worker at the end."""

from __future__ import annotations

from typing import Final

import pytest

LONGEST: Final = (
    "test_crash_consistency.py",
    "test_activity.py",
    "test_generated_specs.py",
    "test_prediction.py",
    "test_fleet.py",
    "test_rbac.py",
    "test_leader.py",
    "test_metrics_outage.py",
    "test_database_faults.py",
    "test_cluster_verbs.py",
    "test_prometheus_source.py",
    "test_live_tuning.py",
    "test_backtest.py",
)
"""Those that keep the processor busy and those that wait by turns."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))
