"""Prints the logs of several pods: one after the other, or side by side as their lines come."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import click
from msgspec import Struct

from tradingbot_cli.errors import FailedError
from tradingbot_cli.output import Tone, paint

_TONES: Final = (Tone.GOOD, Tone.DOUBTFUL, Tone.QUIET, Tone.STRONG)
_LOOK_SECONDS: Final = 0.5


class Log(Struct, frozen=True):
    """Where the lines of one pod come from."""

    pod: str
    read: Callable[[], Iterator[bytes]]


class _End(Struct, frozen=True):
    """The end of one log, with why it ended if that is worth telling."""

    error: FailedError | None = None


def print_logs(logs: Sequence[Log], *, together: bool) -> None:
    """Print logs; where there is more than one, each line begins with its pod's name.

    Raises:
        FailedError: none of them could be read; the message is that of the first. One that can't beside others is told of in its place.
    """
    width = max(len(log.pod) for log in logs)
    prefixes = {
        log.pod: paint(f"{log.pod:<{width}} | ", _TONES[number % len(_TONES)]) if len(logs) > 1 else "" for number, log in enumerate(logs)
    }
    errors: list[FailedError] = []
    for log, item in _side_by_side(logs) if together else _in_turn(logs):
        if isinstance(item, _End):
            if item.error is not None:
                errors.append(item.error)
                if len(logs) > 1:
                    click.echo(f"{log.pod}: {item.error.message}", err=True)
        else:
            click.echo(prefixes[log.pod] + item.decode(errors="replace"))
    if len(errors) == len(logs):
        raise errors[0]


def _in_turn(logs: Sequence[Log]) -> Iterator[tuple[Log, bytes | _End]]:
    for log in logs:
        try:
            for line in log.read():
                yield log, line
        except FailedError as error:
            yield log, _End(error)


def _side_by_side(logs: Sequence[Log]) -> Iterator[tuple[Log, bytes | _End]]:
    """Yield lines as they come; threads read them and end with the program."""
    lines: queue.Queue[tuple[Log, bytes | _End]] = queue.Queue(maxsize=1000)

    def read(log: Log) -> None:
        end = _End()
        try:
            for line in log.read():
                lines.put((log, line))
        except FailedError as error:
            end = _End(error)
        lines.put((log, end))

    for log in logs:
        threading.Thread(target=read, args=(log,), daemon=True).start()
    left = len(logs)
    while left:
        try:
            log, item = lines.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            continue  # a signal is only noticed between two waits
        left -= isinstance(item, _End)
        yield log, item
