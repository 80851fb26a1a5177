from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tradingbot_observer.sources.process import EngineProcess

# It says when it runs: its command line is that of the program before it from then on.
READY = "import sys, time; print('ready', flush=True); time.sleep(600)"


@contextmanager
def running(*command: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a program whose command line is an engine's."""
    (tmp_path / "tradingbot_engine.py").write_text(READY)
    return tmp_path


def engine(folder: Path) -> tuple[str, ...]:
    # The folder's name is the text that tells this engine from any other on the machine.
    return (sys.executable, "-m", "tradingbot_engine", "--config", str(folder))


def test_reads_what_another_user_may_know(folder: Path) -> None:
    with running(*engine(folder), folder=folder) as process:
        reading = EngineProcess(command_text=str(folder)).read()
        assert reading is not None
        assert reading.pid == process.pid
        assert abs(reading.started_at - time.time()) < 60
        assert reading.memory_bytes > 1_000_000
        assert reading.cpu_seconds >= 0
        assert reading.threads == 1


def test_a_process_that_ended_is_gone_also_before_its_parent_took_note(folder: Path) -> None:
    source = EngineProcess(command_text=str(folder))
    with running(*engine(folder), folder=folder) as process:
        assert source.read() is not None
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and still a zombie
        assert source.read() is None


def test_a_new_engine_is_found_in_place_of_the_one_before(folder: Path) -> None:
    source = EngineProcess(command_text=str(folder))
    with running(*engine(folder), folder=folder):
        first = source.read()
    assert source.read() is None
    with running(*engine(folder), folder=folder):
        second = source.read()
    assert first is not None
    assert second is not None
    assert not second.is_same_process(first)


def test_the_older_of_two_engines_is_the_one(folder: Path) -> None:
    with running(*engine(folder), folder=folder) as first, running(*engine(folder), folder=folder):
        reading = EngineProcess(command_text=str(folder)).read()
        assert reading is not None
        assert reading.pid == first.pid


@pytest.mark.parametrize("arguments", [("-c", READY, "a script that mentions tradingbot_engine"), ("-c", READY, "tradingbot_engine_2")])
def test_a_program_that_only_mentions_the_engine_is_none(folder: Path, arguments: tuple[str, ...]) -> None:
    with running(sys.executable, *arguments, str(folder), folder=folder):
        assert EngineProcess(command_text=str(folder)).read() is None


def test_a_given_process_and_no_other(folder: Path) -> None:
    with running(sys.executable, "-c", READY, folder=folder) as process:
        source = EngineProcess(pid=process.pid)
        reading = source.read()
        assert reading is not None
        assert reading.pid == process.pid
    with running(*engine(folder), folder=folder):
        assert source.read() is None


def test_no_such_process() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert EngineProcess(pid=process.pid).read() is None
