"""The program as its container starts it, without a cluster: it says what is missing, and it ends when it is told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def start(environment: dict[str, str], **streams: int) -> subprocess.Popen[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("TRADINGBOT", "KUBE"))}
    path = os.pathsep.join([str(ROOT / "engine"), str(ROOT / "operator")])
    return subprocess.Popen(
        [sys.executable, "-m", "tradingbot_operator"],
        env=clean | {"PYTHONPATH": path, "HOME": "/nonexistent"} | environment,
        stderr=subprocess.PIPE,
        text=True,
        **streams,
    )


def test_a_missing_setting_is_named() -> None:
    process = start({})
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 64
    assert errors.strip() == "TRADINGBOT_OPERATOR_ENGINE_IMAGE is not set: give the image of the bots' pods"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_waits_for_the_api_server_and_ends_when_told_to(tmp_path: Path, number: signal.Signals) -> None:
    # Nothing listens at port 9 of this machine.
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}
    kubeconfig = {"current-context": "c", "contexts": [context], "clusters": [cluster], "users": [{"name": "u", "user": {"token": "t"}}]}
    (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig))
    environment = {
        "KUBECONFIG": str(tmp_path / "kubeconfig"),
        "TRADINGBOT_OPERATOR_ENGINE_IMAGE": "engine:1",
        "TRADINGBOT_OPERATOR_PORT": "0",
    }
    process = start(environment)
    assert process.stderr is not None
    deadline = time.monotonic() + 60
    line = ""
    while "waiting:" not in line and time.monotonic() < deadline:
        line = process.stderr.readline()
    assert "127.0.0.1" in line
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
