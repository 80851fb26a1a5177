"""`tradingbot` where its standard streams are odd: closed, full, without our signs, not read to the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FIRST = ROOT / "manifests" / "samples" / "first-bot.yaml"
VALIDATE = ["validate", str(FIRST)]
BACKTEST = ["backtest", str(FIRST), "--from", "2012-06-01"]


def tradingbot(words: list[str], redirection: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run a command by a shell, which does to its streams what a person's shell would."""
    script = f'"$@" {redirection}'
    command = ["bash", "-c", script, "bash", sys.executable, "-m", "tradingbot_cli", *words]
    return subprocess.run(command, capture_output=True, check=False, env=os.environ | (environment or {}))


@pytest.mark.parametrize("words", [VALIDATE, BACKTEST, ["--help"]])
def test_a_full_disk_is_said_and_no_traceback(words: list[str]) -> None:
    ended = tradingbot(words, "> /dev/full")
    assert ended.stderr.decode() == "Error: the output: can't be written: No space left on device\n"
    assert ended.returncode == 1


@pytest.mark.parametrize(
    ("words", "redirection"), [(VALIDATE, ">&-"), (BACKTEST, ">&-"), (VALIDATE, ">&- 2>&-"), (BACKTEST, "<&- >&- 2>&-")]
)
def test_output_that_is_closed_takes_nothing(words: list[str], redirection: str) -> None:
    ended = tradingbot(words, redirection)
    assert ended.stderr == b""
    assert ended.returncode == 0


def test_input_that_is_closed_is_an_empty_file() -> None:
    ended = tradingbot(["validate", "-"], "<&-")
    assert ended.returncode == 2
    assert "no TradingBot in it" in ended.stderr.decode()


def test_a_sign_that_the_terminal_lacks_becomes_a_question_mark() -> None:
    ended = tradingbot(BACKTEST, "", {"PYTHONIOENCODING": "latin-1"})
    assert ended.stderr == b""
    assert ended.returncode == 0
    assert b"????" in ended.stdout
    assert b"equity at the end" in ended.stdout


def test_a_file_whose_name_is_no_text_is_a_file(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"b\xff.yaml")
    odd.write_text(FIRST.read_text())
    report = tmp_path / "report.html"
    ended = tradingbot(["backtest", str(odd), "--report", str(report)], "", {"PYTHONIOENCODING": "utf-8"})
    assert ended.returncode == 0, ended.stderr.decode()
    assert "b?.yaml" in report.read_text()
    assert tradingbot(["validate", str(odd)], "", {"PYTHONIOENCODING": "utf-8"}).stdout.endswith(b"b?.yaml: first-bot is valid\n")


@pytest.fixture
def nobody_reads() -> Callable[[list[str]], subprocess.CompletedProcess[bytes]]:
    def run(words: list[str]) -> subprocess.CompletedProcess[bytes]:
        reading, writing = os.pipe()
        os.close(reading)
        try:
            command = [sys.executable, "-m", "tradingbot_cli", *words]
            return subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
        finally:
            os.close(writing)

    return run


@pytest.mark.parametrize("words", [VALIDATE, BACKTEST, ["--help"]])
@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_pipe_that_nobody_reads_ends_the_command_quietly(
    nobody_reads: Callable[[list[str]], subprocess.CompletedProcess[bytes]],
    words: list[str],
    buffered: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", buffered)
    ended = nobody_reads(words)
    assert ended.stderr == b""
    assert ended.returncode == 128 + signal.SIGPIPE
