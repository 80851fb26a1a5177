"""The tutorial's commands, in their order, as they are written; ``TRADINGBOT_RECORD=1`` writes what they print into the page.

It installs the operator with the chart's own values, as a reader does, so the suite's installation is put back at the end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.kube import Kube
from rig.release import ROOT, cluster_environment, install
from rig.walkthrough import Outcome, Shell, follow, parse_page, record_page

PAGE = ROOT / "docs" / "tutorials" / "first-bot.md"
NAMESPACE = "tutorial"


@pytest.fixture
def shell(kube: Kube, images: dict[str, str], tmp_path: Path) -> Iterator[Shell]:
    """Return a shell in the checkout, with a kubeconfig of its own: the tutorial changes the context's namespace."""
    kube.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait")
    environment = {name: value for name, value in cluster_environment().items() if not name.startswith(("PYTEST", "VIRTUAL_ENV"))}
    try:
        with Shell(ROOT, environment | {"COLUMNS": "132", "HOME": os.environ["HOME"], "TMPDIR": str(tmp_path)}) as shell:
            yield shell
    finally:
        kube.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")
        kube.kubectl("config", "set-context", "--current", "--namespace", "default")
        install(kube, images)


def test_every_command_of_the_tutorial_does_what_the_page_says(shell: Shell) -> None:
    text = PAGE.read_text()
    outcomes: list[Outcome] = []
    for command in parse_page(text):
        print(f"$ {command.text}", flush=True)
        outcomes.append(follow(shell, command))
        print(f"{outcomes[-1].output}\n({outcomes[-1].seconds:.1f} s)", flush=True)
    if os.environ.get("TRADINGBOT_RECORD"):
        PAGE.write_text(record_page(text, tuple(outcomes)))
