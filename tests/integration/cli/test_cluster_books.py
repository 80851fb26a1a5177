"""Orders, equity, report and support bundle of a bot in a cluster: a real API server, and a real engine behind the played node's ports."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec import structs

from bot_rig import eventually
from chromium import Chromium
from tradingbot_cli.manifest import parse_bots, plan_run
from tradingbot_contract.document import render_document
from tradingbot_contract.endpoints import ENGINE_PORT, STATUS_PATH

# What the fixtures of this folder give.
Stage = Any
CommandLine = Any
NAMESPACE = "prod"
ROOT = Path(__file__).resolve().parents[3]
PLANTED = "Zq9-never-to-be-seen"


@pytest.fixture(scope="module", autouse=True)
def _engine(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Put a real engine, which has played its prices to their end, where the pod of bot trend is."""
    body = stage.rig.bot(NAMESPACE, "trend").read()
    document = plan_run(parse_bots(yaml.safe_dump(body), "trend")[0], "trend")
    replay = structs.replace(document.market.feed.replay, speed=0.0, loop=False)
    document = structs.replace(document, market=structs.replace(document.market, feed=structs.replace(document.market.feed, replay=replay)))
    folder = tmp_path_factory.mktemp("trend-0")
    (folder / "config.yaml").write_text(render_document(document))
    address = stage.rig.api.get("pods", "trend-0", NAMESPACE)["status"]["podIP"]
    where = ["--config", str(folder / "config.yaml"), "--data", str(folder), "--host", address, "--port", str(ENGINE_PORT)]
    with (folder / "engine.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tradingbot_engine", *where],
            stderr=log,
            env=os.environ | {"PYTHONPATH": str(ROOT / "engine")},
        )
    try:
        eventually("the engine has finished", lambda: says_finished(address))
        yield
    finally:
        process.kill()
        process.wait()


def says_finished(address: str) -> bool:
    connection = http.client.HTTPConnection(address, ENGINE_PORT, timeout=5)
    try:
        connection.request("GET", STATUS_PATH)
        return bool(json.load(connection.getresponse())["state"] == "Finished")
    except OSError:
        return False
    finally:
        connection.close()


def test_orders_are_those_of_the_journal(cli: CommandLine) -> None:
    orders = cli.json("orders", "trend", "--limit", "1000")
    assert [order["sequence"] for order in orders] == sorted((order["sequence"] for order in orders), reverse=True)
    chosen = cli.json("orders", "trend", "--symbol", "MSFT", "--limit", "3")
    assert chosen == [order for order in orders if order["symbol"] == "MSFT"][:3]
    head, first, *_ = cli.done("orders", "tb/trend", "--limit", "5").splitlines()
    assert head.split() == ["TIME", "SYMBOL", "SIDE", "AMOUNT", "PRICE", "VALUE", "FEE", "PROFIT", "STATUS", "REASON"]
    assert first.split()[1] == orders[0]["symbol"]
    none = cli("orders", "trend", "--symbol", "NOPE")
    assert (none.returncode, none.stderr) == (0, "trend has no order of NOPE in its journal\n")


def test_equity_is_plotted_with_its_drawdown(cli: CommandLine) -> None:
    lines = cli.done("equity", "trend").splitlines()
    assert lines[0].startswith("trend: ")
    assert "drawdown now" in lines[0]
    assert any("drawdown 0 %" in line for line in lines)
    (page,) = cli.json("equity", "trend", "--points", "20")
    assert len(page["points"]) <= 20 < page["held"]
    (late,) = cli.json("equity", "trend", "--since", "1y")
    assert late["points"][0]["time"] > page["points"][-1]["time"] - 367 * 86_400
    refused = cli("equity", "trend", "--since", "soon")
    assert (refused.returncode, refused.stderr) == (
        2,
        "Error: --since soon: write a date (2024-05-01), a time (2024-05-01T15:30), or an age (90d, 12h)\n",
    )


def test_what_no_engine_answers_says_so_and_what_to_do(cli: CommandLine) -> None:
    silent = cli("orders", "carry")
    assert silent.returncode == 1
    assert "pod carry-0: " in silent.stderr or "pod carry-0, port 8080" in silent.stderr
    missing = cli("equity", "trendy")
    assert (missing.returncode, "did you mean trend?" in missing.stderr) == (2, True)


def test_a_report_is_one_file_that_opens_without_a_network(cli: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "trend.html"
    assert cli.done("report", "trend", "--output", str(file)).startswith(f"{file}: {NAMESPACE}/trend, ")
    with Chromium() as browser:
        page = browser.page(width=1280, height=900)
        page.open(file)
        text = page.text()
        assert page.errors == []
        assert page.requests == [file.as_uri()]
    for part in (
        f"{NAMESPACE}/trend",
        "Running",
        "Equity",
        "Risk and return",
        "Round trips",
        "Health",
        "Remediation",
        "Changes and events",
    ):
        assert part in text
    assert file.read_text().count("<svg") >= 3


def test_a_bundle_holds_what_helps_and_no_secret(cli: CommandLine, stage: Stage, tmp_path: Path) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "venue"}, "stringData": {"password": PLANTED}}
    stage.rig.api.create("secrets", NAMESPACE, secret)
    bot = stage.rig.bot(NAMESPACE, "trend")
    stage.rig.api.patch("tradingbots", "trend", NAMESPACE, {"metadata": {"annotations": {"example.com/api-token": PLANTED}}})
    stage.streams.logs["trend-0", "engine", False] = ["INFO serving port=8080", f"ERROR can't reach postgresql://bot:{PLANTED}@db/x"]
    stage.streams.logs["trend-0", "engine", True] = [f"INFO connects password={PLANTED}", "ERROR died"]
    file = tmp_path / "bundle.zip"
    said = cli("support-bundle", "trend", "-o", str(file))
    assert said.returncode == 0, said.stderr
    assert "1 bot, " in said.stdout
    with zipfile.ZipFile(file) as archive:
        texts = {name.partition("/")[2]: archive.read(name).decode() for name in archive.namelist()}
    folder = f"bots/{NAMESPACE}/trend"
    assert "CONTENTS.md" in texts
    assert PLANTED not in "".join(texts.values())
    assert "kind: Secret" not in "".join(texts.values())
    assert "died" in texts[f"{folder}/pods/trend-0/engine-previous.log"]
    assert "postgresql://REDACTED@db/x" in texts[f"{folder}/pods/trend-0/engine.log"]
    assert yaml.safe_load(texts[f"{folder}/bot.yaml"])["status"]["phase"] == bot.status()["phase"]
    assert json.loads(texts[f"{folder}/pods/trend-0/report.json"])["bot"] == "trend"
    assert yaml.safe_load(texts["crd.yaml"])["kind"] == "CustomResourceDefinition"
    assert any(name.startswith(f"{folder}/children/StatefulSet") for name in texts)
    listed = texts["CONTENTS.md"]
    assert all(f"| {name} |" in listed for name in texts if name != "CONTENTS.md")
    everything = cli("support-bundle", "-A", "-o", str(file), namespace=None)
    assert "4 bots, " in everything.stdout
    both = cli("support-bundle", "trend", "-A", namespace=None)
    assert (both.returncode, both.stderr) == (2, "Error: give the name of one bot, or -A for all bots, not both\n")
