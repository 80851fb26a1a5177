"""Renders the chart with the real Helm, which the cluster's tool builds or finds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "charts" / "tradingbot-operator"
TOOL = ROOT / "tests" / "cluster" / "cluster.py"

Manifest = dict[str, Any]
Helm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def helm() -> Helm:
    """Return a function that runs helm with arguments and never raises for its exit code."""
    subprocess.run([sys.executable, str(TOOL), "tools"], check=True)
    exports = subprocess.run([sys.executable, str(TOOL), "env"], check=True, stdout=subprocess.PIPE, text=True).stdout
    found = subprocess.run(["bash", "-c", f"{exports}\ncommand -v helm"], check=True, capture_output=True, text=True).stdout.strip()

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([found, *arguments], capture_output=True, text=True, check=False, env=dict(os.environ))

    return run


@pytest.fixture(scope="session")
def chart() -> Path:
    return CHART


@pytest.fixture(scope="session")
def render(helm: Helm) -> Callable[..., list[Manifest]]:
    """Return a function that renders the chart with ``--set`` arguments into manifests."""

    def run(*settings: str) -> list[Manifest]:
        arguments = [word for setting in settings for word in ("--set", setting)]
        done = helm("template", "operator", str(CHART), "--namespace", "tradingbot-system", *arguments)
        assert done.returncode == 0, done.stderr
        return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]

    return run
