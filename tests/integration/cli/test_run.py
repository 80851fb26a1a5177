"""`tradingbot run` as people start it: a real engine and a real observer beneath it, with and without a terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "manifests" / "samples" / "first-bot.yaml"
WITHIN_SECONDS = 60.0
COMMAND = [sys.executable, "-m", "tradingbot_cli"]
ENVIRONMENT = os.environ | {
    "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("engine", "operator", "cli")),
    "PYTHONUNBUFFERED": "1",
}


@dataclass
class Machine:
    """A folder to run in, and what runs in it."""

    folder: Path
    commands: list[subprocess.Popen[str]]
    children_seen: list[psutil.Process]

    def run(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments], cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True, check=False, input=text
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        with self.output.open("w") as output:
            process = subprocess.Popen([*COMMAND, *arguments], cwd=self.folder, env=ENVIRONMENT, stdout=output, stderr=output, text=True)
        self.commands.append(process)
        return process

    @property
    def output(self) -> Path:
        return self.folder / "output"

    def wait_output(self, pattern: str) -> str:
        return self.eventually(lambda: text if re.search(pattern, text := self.output.read_text()) else None, f"output has {pattern!r}")

    def eventually(self, look: Callable[[], str | None], what: str) -> str:
        deadline = time.monotonic() + WITHIN_SECONDS
        while time.monotonic() < deadline:
            found = look()
            if found is not None:
                return found
            time.sleep(0.05)
        raise AssertionError(f"not within {WITHIN_SECONDS:.0f} s: {what}\n{self.output.read_text()}")

    def children(self, process: subprocess.Popen[str]) -> dict[str, psutil.Process]:
        """Return engine and observer by module name."""
        found = {child.cmdline()[2]: child for child in psutil.Process(process.pid).children()}
        self.children_seen += found.values()
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path, [], [])
    yield machine
    for process in machine.commands:
        process.kill()
        process.wait()
    for child in machine.children_seen:
        if child.is_running():
            child.kill()


def gone(processes: list[psutil.Process]) -> bool:
    return all(not process.is_running() or process.status() == psutil.STATUS_ZOMBIE for process in processes)


def test_a_run_ends_with_the_prices_and_says_what_it_came_to(machine: Machine) -> None:
    done = machine.run("run", str(SAMPLE), "--speed", "0")
    assert done.returncode == 0, done.stderr
    assert "replays wiki-daily once as fast as it can (on a cluster: 20 steps/s, looped)" in done.stdout
    figures = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if re.match(r"(return|fees|bars|trades|journal) ", line))
    assert re.fullmatch(r"[+-]\d+\.\d\d %", figures["return"])
    assert re.fullmatch(r"\d+, \d+ % won", figures["trades"])
    assert figures["bars"].startswith("11,958 up to 2013-03-01; 11,958 in this run, ")
    assert "maximum drawdown" in done.stdout
    assert (machine.folder / figures["journal"]).is_file()

    again = machine.run("run", str(SAMPLE), "--speed", "0")
    assert again.returncode == 0
    assert "these prices had already ended, after 11,958 bars; --fresh begins anew" in again.stdout
    assert f"return            {figures['return']}" in again.stdout

    fresh = machine.run("run", str(SAMPLE), "--speed", "0", "--fresh", "--no-observer")
    assert fresh.returncode == 0
    assert "11,958 in this run" in fresh.stdout
    assert "observer" not in fresh.stdout
    assert f"return            {figures['return']}" in fresh.stdout, "the same prices, strategy and broker: the same result"
    assert len(list((machine.folder / "tradingbot-data").iterdir())) == 2


def test_ctrl_c_stops_both_programs_and_the_next_run_goes_on(machine: Machine) -> None:
    process = machine.start("run", str(SAMPLE), "--speed", "40", "--data", "bot")
    machine.wait_output(r"Running .* [1-9][0-9.]* fills")
    children = machine.children(process)
    assert set(children) == {"tradingbot_engine", "tradingbot_observer"}
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=WITHIN_SECONDS) == 128 + signal.SIGINT
    assert gone(list(children.values()))
    text = machine.output.read_text()
    assert "return  " in text
    assert "stopped; run it again to go on" in text
    assert "Traceback" not in text
    assert "journal_complete=True" in (machine.folder / "bot" / "engine.log").read_text(), "it stopped in order"
    stopped_after = int(re.search(r"^bars +([\d,]+) up to", text, re.MULTILINE)[1].replace(",", ""))  # type: ignore[index]  # it is there

    machine.start("run", str(SAMPLE), "--speed", "0", "--data", "bot")
    text = machine.wait_output(r"journal  ")
    resumed_after = int(re.search(r"resumed after ([\d,]+) bars, at 2\d{3}-", text)[1].replace(",", ""))  # type: ignore[index]  # it is there
    assert resumed_after >= stopped_after
    assert "11,958 up to 2013-03-01" in text


def test_sigterm_stops_as_well(machine: Machine) -> None:
    process = machine.start("run", str(SAMPLE), "--loop")
    machine.wait_output("Running")
    children = list(machine.children(process).values())
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=WITHIN_SECONDS) == 128 + signal.SIGTERM
    assert gone(children)


def test_programs_do_not_outlive_a_command_that_was_killed(machine: Machine) -> None:
    process = machine.start("run", str(SAMPLE), "--loop")
    machine.wait_output("Running")
    children = list(machine.children(process).values())
    process.kill()
    process.wait()
    machine.eventually(lambda: "gone" if gone(children) else None, "engine and observer are gone")


def test_an_engine_that_hangs_is_shown_and_does_not_hold_the_command_up(machine: Machine) -> None:
    process = machine.start("run", str(SAMPLE), "--loop")
    machine.wait_output("Running .* score 100")  # the observer knows it, too
    children = machine.children(process)
    children["tradingbot_engine"].suspend()
    machine.wait_output("Silent .* score .*EngineSilent")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=WITHIN_SECONDS) == 128 + signal.SIGINT
    assert gone(list(children.values()))


def test_an_engine_that_ends_by_itself_is_an_error_with_the_end_of_its_log(machine: Machine) -> None:
    process = machine.start("run", str(SAMPLE), "--loop")
    machine.wait_output("Running")
    children = machine.children(process)
    children["tradingbot_engine"].kill()
    assert process.wait(timeout=WITHIN_SECONDS) == 1
    text = machine.output.read_text()
    assert "the engine ended with code -9; the end of tradingbot-data/first-bot/engine.log:" in text
    assert "first start" in text
    assert "Traceback" not in text
    assert gone(list(children.values()))


def test_what_the_engine_refuses_is_said_in_its_words(machine: Machine) -> None:
    done = machine.run("run", "-", text=SAMPLE.read_text().replace("ema-cross", "tea-leaves"))
    assert done.returncode == 2
    assert "Error: the engine can't run it: strategy.name: there is no built-in strategy 'tea-leaves'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("speed: fast", "speed: 20", "spec.market.feed.replay.speed: Expected `float`"),
        ("symbols: [NONE,", "symbols: [AAPL,", "spec.market.symbols: wiki-daily.csv.gz has no NONE"),
        ("kind: Bot", "kind: TradingBot", "no TradingBot in it, but Bot"),
    ],
)
def test_what_is_wrong_in_the_manifest_is_said_before_anything_starts(machine: Machine, wrong: str, right: str, said: str) -> None:
    done = machine.run("run", "-", text=SAMPLE.read_text().replace(right, wrong))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (machine.folder / "tradingbot-data").exists()


def test_one_bot_has_one_run(machine: Machine) -> None:
    process = machine.start("run", str(SAMPLE), "--loop")
    machine.wait_output("Running")
    for arguments in ((), ("--fresh",)):
        second = machine.run("run", str(SAMPLE), *arguments)
        assert second.returncode == 2
        assert "another engine" in second.stderr
    assert process.poll() is None


def test_a_port_that_is_taken_is_refused(machine: Machine) -> None:
    machine.start("run", str(SAMPLE), "--loop")
    text = machine.wait_output("Running")
    port = re.search(r"engine http://127\.0\.0\.1:(\d+)/status", text)[1]  # type: ignore[index]  # it is there
    second = machine.run("run", str(SAMPLE), "--data", "other", "--port", port)
    assert second.returncode == 2
    assert f"port {port}: can't be listened on" in second.stderr


def test_on_a_terminal_there_is_a_panel_with_the_equity(machine: Machine) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(machine.folder)
        command = [*COMMAND, "run", str(SAMPLE), "--speed", "2000"]
        os.execve(command[0], command, ENVIRONMENT | {"TERM": "xterm-256color", "COLUMNS": "100"})  # noqa: S606 - a program, no shell
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # how Linux says that the other side of a terminal is closed
            break
        shown += part
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert "╭─ first-bot: ema-cross on AAPL, GOOG, IBM, MSFT ─" in text
    assert "█" in text
    assert re.search(r"return +[+-]\d+\.\d\d %", text)


def test_validate_says_what_is_valid_and_what_is_not(machine: Machine) -> None:
    good = machine.run("validate", str(SAMPLE))
    assert (good.returncode, good.stdout) == (0, f"{SAMPLE}: first-bot is valid\n")
    bad = machine.run("validate", "-", text=SAMPLE.read_text().replace("loop: true", "loops: true"))
    assert bad.returncode == 2
    assert "spec.market.feed.replay: Object contains unknown field `loops`" in bad.stderr


def test_the_operators_framework_is_not_needed() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, tradingbot_cli.commands; print([m for m in ('kopf', 'aiohttp', 'sqlalchemy') if m in sys.modules])",
        ],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_the_version_is_that_of_the_distribution(machine: Machine) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert machine.run("--version").stdout.endswith(f" {version}\n")
