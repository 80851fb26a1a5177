"""`tradingbot backtest`, `new` and `report --data` as people call them: processes, files, exit codes, and what they print."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from chromium import Chromium
from tradingbot_cli.commands import tradingbot as commands
from tradingbot_contract.document import parse_document, render_document

ROOT = Path(__file__).resolve().parents[3]
FIRST = ROOT / "manifests" / "samples" / "first-bot.yaml"
OWN = ROOT / "manifests" / "samples" / "own-strategy.yaml"
PATHS = os.pathsep.join(str(ROOT / part) for part in ("engine", "operator", "cli"))
VARIABLES = {name: value for name, value in os.environ.items() if not name.startswith("TRADINGBOT_")} | {"PYTHONPATH": PATHS}
COMMAND = [sys.executable, "-m", "tradingbot_cli"]


def tradingbot(folder: Path, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], cwd=folder, env=VARIABLES, capture_output=True, text=True, check=False, input=text)


def done(folder: Path, *words: str, text: str | None = None) -> str:
    ended = tradingbot(folder, *words, text=text)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def read_rows(journal: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(journal)) as connection:
        return {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in ("orders", "fills", "equity")}  # noqa: S608 - names from here


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as running:
        yield running


def test_a_backtest_does_what_the_engine_does_and_its_report_opens(tmp_path: Path, browser: Chromium) -> None:
    printed = done(tmp_path, "backtest", str(FIRST), "--data", "played", "--report", "report.html")
    assert printed.startswith("first-bot: ema-cross on AAPL, GOOG, IBM, MSFT, 1d bars\n2000-03-01 to 2013-03-01, 11,958 bars, played in ")
    figures = {line[:22].strip(): line[22:].strip() for line in printed.splitlines()}
    assert figures["return"].split() == ["+69.12", "%", "+528.99", "%"]
    assert figures["round trips"] == "172"
    assert figures["orders"] == "347, 347 fills"
    assert "drawdown 0 %" in printed

    # The same document in an engine's process leaves the same rows.
    other = tmp_path / "engine"
    other.mkdir()
    (other / "config.yaml").write_text(render_document(parse_document((tmp_path / "played" / "config.yaml").read_bytes())))
    where = ["--config", str(other / "config.yaml"), "--data", str(other), "--host", "127.0.0.1", "--port", "0", "--exit-when-finished"]
    subprocess.run([sys.executable, "-m", "tradingbot_engine", *where], env=VARIABLES, check=True, capture_output=True)
    assert read_rows(tmp_path / "played" / "journal.sqlite") == read_rows(other / "journal.sqlite")

    assert tradingbot(tmp_path, "backtest", str(FIRST), "--data", "played").stderr == (
        "Error: data folder played has a journal already, and a backtest begins from nothing: name another\n"
    )
    assert done(tmp_path, "report", "--data", "played").startswith("first-bot-report.html: first-bot, ")
    for file, words in (("report.html", "buy and hold"), ("first-bot-report.html", "From the data folder played")):
        for dark in (False, True):
            page = browser.page(width=1200, height=900, dark=dark)
            page.open(tmp_path / file)
            text = page.text()
            assert page.errors == []
            assert len(page.requests) == 1
            page.close()
        for part in ("169,122.64", "+69.12 %", "172 round trips", "Profit of a round trip", "By symbol", words):
            assert part in text, (file, part)


def test_a_part_of_the_prices_with_other_cash_as_json() -> None:
    words = ["--from", "2005-01-01", "--to", "2010-12-31", "--cash", "50000", "-o", "json"]
    (found,) = json.loads(CliRunner().invoke(commands, ["backtest", str(OWN), *words]).stdout)
    statistics = found["statistics"]
    assert found["strategy"] == "three_in_a_row:ThreeInARow"
    assert (statistics["firstAt"], statistics["lastAt"]) == (1_104_710_400, 1_293_753_600)
    assert statistics["initialEquity"] == found["equity"][0]["equity"] == 50_000
    assert statistics["returnsPerYear"] == pytest.approx(252, abs=1)
    assert statistics["totalReturn"] == pytest.approx(statistics["finalEquity"] / 50_000 - 1)
    assert found["hold"]["totalReturn"] > 1
    assert len(found["equity"]) <= 502


def test_several_bots_are_compared_and_one_can_be_chosen() -> None:
    first = yaml.safe_load(FIRST.read_text())
    slow = {**first, "metadata": {"name": "slow"}}
    slow["spec"] = {**first["spec"], "strategy": {"name": "ema-cross", "parameters": {"fastPeriod": 50, "slowPeriod": 200}}}
    text = yaml.safe_dump_all([first, slow])
    head, one, other = CliRunner().invoke(commands, ["backtest", "-"], input=text).stdout.splitlines()
    assert head.split()[:4] == ["BOT", "STRATEGY", "RETURN", "HOLD"]
    assert (one.split()[0], other.split()[0]) == ("first-bot", "slow")
    assert CliRunner().invoke(commands, ["backtest", "-", "--name", "slow"], input=text).stdout.startswith("slow: ema-cross")


def test_what_can_t_be_played_is_refused_in_one_line(tmp_path: Path) -> None:
    report = tmp_path / "nowhere" / "report.html"
    prices = "the prices are from 2000-03-01 to 2013-03-01"
    for words, said in (
        (["--from", "soon"], "--from soon: no date: write it as 2010-12-31, or 2010-12-31T15:30"),
        (["--from", "2020-01-01"], f"--from and --to leave no prices of AAPL, GOOG, IBM, MSFT: {prices}"),
        (["--name", "other"], f"{FIRST}: no bot 'other' in it, but first-bot"),
        (["--report", ""], "'.' is no name of a file: give one"),
        (["--report", str(report)], f"{report}: can't be written (No such file or directory): name another file"),
    ):
        ended = CliRunner().invoke(commands, ["backtest", str(FIRST), *words])
        assert (ended.exit_code, ended.stderr) == (2, f"Error: {said}\n")
        assert ended.stdout == "", "it is said before anything is played"


def test_a_strategy_that_fails_is_shown_with_its_place_and_a_code(tmp_path: Path) -> None:
    text = OWN.read_text().replace("row = self.rows.get(bar.symbol, 0)", "row = self.rows[bar.symbol]")
    ended = tradingbot(tmp_path, "backtest", "-", text=text)
    assert ended.returncode == 1
    assert "KeyError" in ended.stderr
    assert ended.stderr.count("Traceback") == 1  # the strategy's own, once
    assert ended.stderr.splitlines()[-1].startswith(
        "Error: own-strategy: the strategy was halted: ThreeInARow.on_bar failed 10 times in a row"
    )
    assert "the bot has not traded" in ended.stdout


def test_ctrl_c_ends_a_backtest_without_a_traceback_and_leaves_nothing(tmp_path: Path) -> None:
    text = OWN.read_text().replace("before = self.closes", "__import__('time').sleep(0.01); before = self.closes")
    process = subprocess.Popen(
        [*COMMAND, "backtest", "-"],
        cwd=tmp_path,
        env=VARIABLES | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.close()
    process.stdin = None
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("tradingbot-backtest-*/journal.sqlite")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert "Traceback" not in stderr
    assert process.returncode == 130
    assert list(tmp_path.glob("tradingbot-backtest-*")) == []


def test_a_new_strategy_passes_its_test_trades_and_is_never_overwritten(tmp_path: Path) -> None:
    printed = done(tmp_path, "new", "mean-reversion")
    files = ["mean_reversion.py", "test_mean_reversion.py", "mean-reversion.yaml", "README.md"]
    assert printed.splitlines()[:4] == [f"mean-reversion/{file}" for file in files]
    folder = tmp_path / "mean-reversion"
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    tested = subprocess.run(tests, cwd=folder, env=VARIABLES, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout
    assert "4 passed" in tested.stdout
    (found,) = json.loads(done(tmp_path, "backtest", "mean-reversion/mean-reversion.yaml", "-o", "json"))
    assert found["statistics"]["trades"] > 100
    assert done(tmp_path, "validate", "mean-reversion/mean-reversion.yaml")
    check = ["ruff", "format", "--check", "--config", ROOT / "pyproject.toml", folder]
    formatted = subprocess.run(check, capture_output=True, check=False, env=tools())
    assert formatted.returncode == 0, formatted.stdout
    ours = folder / "mean_reversion.py"
    ours.write_text("# mine\n")
    again = tradingbot(tmp_path, "new", "mean-reversion")
    assert (again.returncode, again.stderr.startswith("Error: mean-reversion/mean_reversion.py is there already")) == (2, True)
    assert ours.read_text() == "# mine\n"


def test_a_report_needs_a_bot_or_a_folder_that_has_run(tmp_path: Path) -> None:
    neither = CliRunner().invoke(commands, ["report"])
    assert (neither.exit_code, neither.stderr) == (2, "Error: give the name of a bot, or --data FOLDER of a run on this machine\n")
    ended = CliRunner().invoke(commands, ["report", "--data", str(tmp_path)])
    assert ended.exit_code == 2
    assert ended.stderr.startswith(f"Error: {tmp_path}: no data folder of `tradingbot run` (config.yaml: No such file or directory)")


def tools() -> dict[str, str]:
    return {**VARIABLES, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
