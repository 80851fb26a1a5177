"""What traders look at, of a bot: its orders, its equity, its report; and a support bundle without secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rig.bots import Bot, manifest
from rig.kube import Kube
from rig.release import ROOT
from rig.waiting import eventually

StartBots = Callable[..., list[Bot]]
PLANTED = "Zq9-never-to-be-seen"


def tradingbot(kube: Kube, folder: Path, *words: str) -> str:
    """Return what the command prints; it must succeed."""
    command = [sys.executable, "-m", "tradingbot_cli", *words]
    path = os.pathsep.join(str(ROOT / part) for part in ("engine", "operator", "cli"))
    ended = subprocess.run(
        command, cwd=folder, env=kube.environment | {"PYTHONPATH": path}, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, f"{words}: {ended.stdout}{ended.stderr}"
    print(f"$ tradingbot {' '.join(words)}\n{ended.stdout}{ended.stderr}")
    return ended.stdout + ended.stderr


def test_the_books_of_a_bot(kube: Kube, namespace: str, start: StartBots, tmp_path: Path) -> None:
    kube.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "venue"}, "stringData": {"password": PLANTED}}, namespace=namespace
    )
    annotated = manifest("books", speed=200.0)
    annotated["metadata"]["annotations"] = {"example.com/api-token": PLANTED}
    (bot,) = start(annotated)
    eventually("it has traded", lambda: has_traded(bot), explain=bot.explain)

    def call(*words: str) -> str:
        return tradingbot(kube, tmp_path, *words, "-n", namespace)

    orders: list[dict[str, Any]] = json.loads(call("orders", "books", "--limit", "50", "-o", "json"))
    assert {order["symbol"] for order in orders} == {"AAPL", "MSFT"}
    assert "CLIENT ORDER ID" in call("orders", "tb/books", "-o", "wide")
    chosen: list[dict[str, Any]] = json.loads(call("orders", "books", "--symbol", "AAPL", "--status", "filled", "-o", "json"))
    assert chosen
    assert {(order["symbol"], order["status"]) for order in chosen} == {("AAPL", "filled")}

    plot = call("equity", "books")
    assert plot.startswith("books: ")
    assert "█" in plot

    said = call("report", "books", "--output", "books.html")
    assert said.startswith(f"books.html: {namespace}/books")
    page = (tmp_path / "books.html").read_text()
    for part in ("Health score", "Round trips", "Remediation", "Changes and events", "What it was told"):
        assert part in page

    said = call("support-bundle", "books", "-o", "bundle.zip")
    assert "could not be read" not in said
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
        everything = "".join(archive.read(name).decode() for name in archive.namelist())
    pod = f"bots/{namespace}/books/pods/{bot.pods()[0]['metadata']['name']}"
    wanted = {"CONTENTS.md", "crd.yaml", "versions.yaml", f"bots/{namespace}/books/bot.yaml", f"{pod}/engine.log", f"{pod}/observer.log"}
    assert wanted | {f"{pod}/report.json", f"{pod}/engine-metrics.txt", f"{pod}/observer-metrics.txt"} <= names
    assert any(name.startswith("operator/") and name.endswith(".log") for name in names)
    assert PLANTED not in everything
    assert "REDACTED" in everything


def has_traded(bot: Bot) -> bool:
    engine = bot.engine()
    return engine is not None and engine.fills > 20
