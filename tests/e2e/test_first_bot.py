"""The first thing that anybody does: apply the sample, see it trade, ask what it does."""

from __future__ import annotations

import yaml

from rig.bots import Bot
from rig.kube import Kube
from rig.release import ROOT
from rig.waiting import eventually
from tradingbot_contract.report import EngineState

SAMPLE = ROOT / "manifests" / "samples" / "first-bot.yaml"


def test_the_sample_trades_and_every_view_of_it_says_so(kube: Kube, namespace: str) -> None:
    kube.kubectl("-n", namespace, "apply", "-f", str(SAMPLE))
    bot = Bot(kube, namespace, yaml.safe_load(SAMPLE.read_text())["metadata"]["name"])

    # It gets up and trades.
    first = bot.wait_trading()
    for kind in ("Accepted", "Ready", "Healthy"):
        bot.wait_condition(kind, "True")
    later = bot.wait_trading(beyond_bars=first.bars)
    assert later.bars > first.bars
    eventually("it has traded", lambda: (status := bot.engine()) is not None and status.fills > 0, explain=bot.explain)

    # The status shows it.
    def shown() -> bool:
        status = bot.status()
        assert status["phase"] == "Running"
        assert status["observedGeneration"] == bot.read()["metadata"]["generation"]
        assert 0 <= status["health"]["score"] <= 100
        assert float(status["trading"]["equity"]) > 0
        return True

    eventually("the status shows phase, score and equity", shown, explain=bot.explain)

    # The observer shows it.
    report = bot.report()
    assert report is not None
    assert report.engine is not None
    assert report.engine.state is EngineState.RUNNING
    assert report.score is not None
    assert report.sample is not None
    assert report.sample.memory_bytes is not None, "the observer sees the engine's memory from another user's process"
    assert report.sample.memory_limit_bytes is not None

    # So do the columns that people see.
    def columns() -> bool:
        header, row = kube.kubectl("-n", namespace, "get", "tb", bot.name, "-o", "wide").splitlines()
        cells = dict(zip(header.split(), row.split(), strict=False))
        assert cells["PHASE"] == "Running"
        assert cells["READY"] == "True"
        assert all(name in header for name in ("HEALTH", "SYMBOLS", "MEMORY", "RESTARTS", "AGE", "EQUITY", "STRATEGY", "NODE")), header
        return "<none>" not in row

    eventually("every column is filled", columns, explain=bot.explain)

    # And the Events, also through `kubectl describe`.
    bot.wait_event("EngineReady")
    assert "EngineReady" in kube.kubectl("-n", namespace, "describe", "tradingbot", bot.name)


def test_the_pod_asks_for_no_more_than_it_needs(kube: Kube, namespace: str) -> None:
    bot = Bot(kube, namespace, yaml.safe_load(SAMPLE.read_text())["metadata"]["name"])
    pod = bot.pod()
    assert pod is not None
    assert pod["spec"]["automountServiceAccountToken"] is False
    engine = next(container for container in pod["spec"]["containers"] if container["name"] == "engine")
    assert engine["resources"]["limits"]["memory"] == "512Mi"
    assert engine["resources"]["requests"]["memory"] == "256Mi"
    users = {
        container["name"]: container["securityContext"]["runAsUser"]
        for container in pod["spec"]["containers"] + pod["spec"]["initContainers"]
    }
    assert users["engine"] != users["observer"]
    # The observer may look at the engine, and see neither its environment nor its files.
    report = bot.report()
    assert report is not None
    script = f"""
import pathlib
for name in ("environ", "root/etc/hostname", "mem"):
    try:
        open(pathlib.Path("/proc/{report.engine_pid}") / name, "rb").read(1)
    except PermissionError:
        print("refused")
"""
    assert bot.python(script, container="observer").split() == ["refused"] * 3
