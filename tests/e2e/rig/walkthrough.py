"""Takes the commands out of a page of the documentation and runs them in their order, as somebody who follows the page would.

A command stands in a block of the kind ``console`` behind ``$ ``, with what it prints beneath. A comment before the block says more about
the block's last command::

    <!-- shows: Running; True -->               these must stand in what it prints
    <!-- shows within 60 s: Running -->         it is repeated until they do
    <!-- exit code: 2 -->                       it ends so, and not with 0
    <!-- output: shortened -->                  what stands beneath is an excerpt by hand, which a recording leaves alone

All commands of a page share one shell, with its folder and its variables.
"""

from __future__ import annotations

import re
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self

FENCE: Final = "```"
OPENING: Final = FENCE + "console"
PROMPT: Final = "$ "
_COMMENT: Final = re.compile(r"<!-- (?P<key>shows|shows within (?P<seconds>\d+) s|exit code|output): (?P<value>.+) -->")


@dataclass(frozen=True)
class Command:
    """A command of a page, and what has to come of it."""

    text: str
    line: int
    """Of the page, from 1."""
    output: str
    """What the page says that it prints."""
    shows: tuple[str, ...] = ()
    within_seconds: float = 0.0
    exit_code: int = 0
    is_shortened: bool = False


@dataclass(frozen=True)
class Outcome:
    command: Command
    output: str
    seconds: float


def parse_page(text: str) -> tuple[Command, ...]:
    """Return the commands of a page.

    Raises:
        ValueError: a comment that is none of the known ones, or a block that begins with something else than a command.
    """
    commands: list[Command] = []
    wanted: dict[str, re.Match[str]] = {}
    block: list[tuple[int, str]] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if block is not None:
            if line == FENCE:
                commands += _parse_block(block, wanted)
                block, wanted = None, {}
            else:
                block.append((number, line))
        elif line == OPENING:
            block = []
        elif line.startswith("<!-- "):
            comment = _COMMENT.fullmatch(line)
            if comment is None:
                raise ValueError(f"line {number}: no comment of a walk-through: {line}")
            wanted[comment["key"].split()[0]] = comment
        elif line and wanted:
            raise ValueError(f"line {number}: a comment belongs right above its block")
    return tuple(commands)


def _parse_block(block: list[tuple[int, str]], wanted: Mapping[str, re.Match[str]]) -> list[Command]:
    found: list[tuple[int, list[str], list[str]]] = []
    for number, line in block:
        if line.startswith(PROMPT):
            found.append((number, [line.removeprefix(PROMPT)], []))
        elif not found:
            raise ValueError(f"line {number}: a block begins with a command, behind {PROMPT!r}")
        elif found[-1][1][-1].endswith("\\") and not found[-1][2]:
            found[-1][1].append(line)
        else:
            found[-1][2].append(line)
    commands = [Command("\n".join(text), number, "\n".join(output)) for number, text, output in found]
    if commands and wanted:
        shows, code = wanted.get("shows"), wanted.get("exit")
        last = commands[-1]
        commands[-1] = Command(
            last.text,
            last.line,
            last.output,
            shows=tuple(words.strip() for words in shows["value"].split(";")) if shows else (),
            within_seconds=float(shows["seconds"] or 0) if shows else 0.0,
            exit_code=int(code["value"]) if code else 0,
            is_shortened="output" in wanted,
        )
    return commands


def record_page(text: str, outcomes: tuple[Outcome, ...]) -> str:
    """Return the page with what its commands have really printed."""
    lines = text.splitlines()
    for outcome in reversed(outcomes):
        if outcome.command.is_shortened:
            continue
        first = outcome.command.line - 1 + len(outcome.command.text.splitlines())
        count = len(outcome.command.output.splitlines())
        lines[first : first + count] = outcome.output.splitlines()
    return "\n".join(lines) + "\n"


class Shell:
    """A shell that stays, so that what one command sets is there for the next."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=dict(environment),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:  # its pipes are closed, and it is waited for
            self._process.kill()

    def run(self, command: str, *, within_seconds: float) -> tuple[int, str]:
        """Run a command; return its exit code and what it printed.

        Raises:
            AssertionError: it takes longer than that; the shell has ended.
        """
        mark = f"end-{uuid.uuid4().hex}"
        timer = threading.Timer(within_seconds, self._process.kill)
        timer.start()
        try:
            stdin, stdout = _pipes(self._process)
            stdin.write(f"{{ {command}\n}} < /dev/null\nprintf '\\n{mark} %s\\n' $?\n")
            stdin.flush()
            printed: list[str] = []
            for line in stdout:
                if line.startswith(mark):
                    return int(line.split()[1]), "".join(printed).removesuffix("\n").rstrip("\n")
                printed.append(line)
        finally:
            timer.cancel()
        raise AssertionError(f"not over after {within_seconds:.0f} s: {command}\n{''.join(printed)}")


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def follow(shell: Shell, command: Command, *, within_seconds: float = 600.0) -> Outcome:
    """Run a command as the page has it, again and again if the page says so.

    Raises:
        AssertionError: it ends or prints something else than the page says.
    """
    started = time.monotonic()
    while True:
        code, output = shell.run(command.text, within_seconds=within_seconds)
        missing = [words for words in command.shows if words not in output]
        seconds = time.monotonic() - started
        if code == command.exit_code and not missing:
            return Outcome(command, output, seconds)
        if seconds > command.within_seconds:
            fault = f"does not show {missing}" if code == command.exit_code else f"ended with {code}"
            raise AssertionError(f"line {command.line}: {command.text}\n{fault} after {seconds:.0f} s; it printed:\n{output}")
        time.sleep(0.5)
