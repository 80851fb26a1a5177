"""A control plane with played nodes, an operator and some bots, for all that the command line does about bots in a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot_rig import Rig
from operator_process import OperatorProcess
from simulated_streams import SimulatedStreams

NAMESPACE = "prod"
PROGRAM = Path(sys.executable).parent / "tradingbot"


@dataclass
class CommandLine:
    """``tradingbot`` as a person calls it: a process, by the environment's entry point."""

    kubeconfig: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, namespace: str | None = NAMESPACE) -> subprocess.CompletedProcess[str]:
        where = ["-n", namespace] if namespace else []
        return subprocess.run([PROGRAM, *words, *where], env=self.variables, capture_output=True, text=True, check=False, timeout=120)

    def done(self, *words: str, namespace: str | None = NAMESPACE) -> str:
        """Return what a command prints that must do what it is asked for."""
        ended = self(*words, namespace=namespace)
        assert ended.returncode == 0, f"{words}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def json(self, *words: str, namespace: str | None = NAMESPACE) -> Any:
        return json.loads(self.done(*words, "-o", "json", namespace=namespace))

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [PROGRAM, *words, "-n", NAMESPACE]
        return subprocess.Popen(command, env=self.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @property
    def variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KUBE", "TRADINGBOT_"))}
        path = os.pathsep.join([str(PROGRAM.parent), kept["PATH"]])
        return kept | {"KUBECONFIG": str(self.kubeconfig), "PATH": path} | self.environment


@dataclass
class Stage:
    """What the commands meet."""

    rig: Rig
    streams: SimulatedStreams
    operator: OperatorProcess


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Rig() as rig, SimulatedStreams(rig.api, rig.plane.api_server.certificate) as streams:
        rig.make_namespace(NAMESPACE)
        rig.make_namespace("staging")
        operator = rig.operator(NAMESPACE, "staging")
        try:
            operator.start()
            rig.create(NAMESPACE, "trend")
            rig.create(NAMESPACE, "carry", scaling={"replicas": 2}, database={"urlSecretRef": {"name": "pg"}})
            rig.create("staging", "reversion")
            rig.kubelet.conduct(NAMESPACE, "sick", dies_at_start="Error", backoff_seconds=1.0)
            rig.create(NAMESPACE, "sick", health={"remediation": {"maxActions": 1, "perSeconds": 86_400, "backoffSeconds": 1}})
            for bot in (rig.bot(NAMESPACE, "trend"), rig.bot(NAMESPACE, "carry"), rig.bot("staging", "reversion")):
                bot.wait_settled()
            yield Stage(rig, streams, operator)
            assert not operator.bad_lines()
        finally:
            operator.close()


@pytest.fixture
def cli(stage: Stage) -> CommandLine:
    return CommandLine(stage.rig.plane.api_server.kubeconfig("admin"))
