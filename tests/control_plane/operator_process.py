"""The operator as a real program beside the control plane, and what it has logged."""

from __future__ import annotations

import os
import re
import signal
import sys
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import urllib3

from server_binaries import Binaries
from server_process import HOST, ServerProcess

_BAD: Final = re.compile(r"Traceback|\b(ERROR|CRITICAL)\b|^\w*(Error|Exception): ")
PROGRAM: Final = ("-m", "tradingbot_operator")
_PAGE_SECONDS: Final = 30.0
"""For a page of an operator that is there; nobody waits so long for one that is not."""


@dataclass(frozen=True)
class _Python(Binaries):
    """This Python, with the checkout's packages and what the program is told."""

    variables: tuple[tuple[str, str], ...] = ()

    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **dict(self.variables)}


class OperatorProcess(ServerProcess):
    """One operator. It is started like a pod of the chart would be, and may be killed at any time."""

    name = "operator"
    stop_signal = signal.SIGTERM

    def __init__(self, kubeconfig: Path, *, namespaces: tuple[str, ...] = (), settings: dict[str, str] | None = None) -> None:
        """`settings` are variables of the operator's environment, without their prefix."""
        self._settings = {
            "ENGINE_IMAGE": "tradingbot/engine:1",
            "NAMESPACES": ",".join(namespaces),
            "POLL_INTERVAL_SECONDS": "1",
            "LEADER_ELECTION": "off",
        } | (settings or {})
        self._kubeconfig = kubeconfig
        self._unwatched = False
        super().__init__(Binaries(Path(sys.executable).parent))
        self.binaries = _Python(self.binaries.folder, None, self._variables())

    def command(self) -> list[str]:
        # The port may have been chosen anew.
        self.binaries = _Python(self.binaries.folder, None, self._variables())
        return [sys.executable, *PROGRAM]

    def answers(self) -> bool:
        return self._unwatched or self.page("/readyz") is not None

    def start_unwatched(self) -> None:
        """Start it without waiting until it is ready: it may end itself before."""
        self._unwatched = True
        self.start()

    @property
    def exit_code(self) -> int | None:
        """How it has ended; None while it runs."""
        return None if self._process is None else self._process.poll()

    def page(self, path: str) -> str | None:
        """Return one of its pages; None: it has none, or does not answer, or says no."""
        try:
            response = urllib3.request("GET", f"http://{HOST}:{self.port}{path}", retries=False, timeout=_PAGE_SECONDS)
        except urllib3.exceptions.HTTPError:
            return None
        return response.data.decode() if response.status == HTTPStatus.OK else None

    def bad_lines(self) -> list[str]:
        """Return what it has logged that tells of an error."""
        return [line for line in self.log().splitlines() if _BAD.search(line)]

    def _variables(self) -> tuple[tuple[str, str], ...]:
        given = {**self._settings, "PORT": str(self.port)}
        return (("KUBECONFIG", str(self._kubeconfig)), *((f"TRADINGBOT_OPERATOR_{name}", value) for name, value in given.items() if value))


class InterruptedOperator(OperatorProcess):
    """One that ends itself, with no chance to clean up, around its k-th call that changes something."""

    def __init__(self, kubeconfig: Path, namespace: str, *, at_call: int, when: str) -> None:
        """`when` is `before` or `after` the call; at call 0 it never does, and counts its calls only."""
        super().__init__(kubeconfig, namespaces=(namespace,))
        self.calls_path = self.folder / "calls.log"
        self._kill = (str(at_call), when, str(self.calls_path))

    def command(self) -> list[str]:
        super().command()
        return [sys.executable, "-m", "interrupted_operator", *self._kill]

    @property
    def calls(self) -> list[str]:
        """What it has changed, in order, as verb and path."""
        return self.calls_path.read_text().splitlines() if self.calls_path.exists() else []
