"""Waits until something is so in a cluster, and says meanwhile what it waits for: one line that changes on a terminal, lines otherwise.

What is waited with goes to standard error, so that standard output has results only.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click

from tradingbot_cli.errors import FailedError
from tradingbot_cli.words import duration

LOOK_SECONDS: Final = 0.3


def wait_until(what: str, look: Callable[[], str], *, timeout_seconds: float) -> None:
    """Wait until `look` returns nothing; what it returns else is what is still waited for.

    Raises:
        FailedError: it is not so in time; the message says what was missing last.
    """
    deadline = time.monotonic() + timeout_seconds
    with _progress() as say:
        while missing := look():
            if time.monotonic() >= deadline:
                raise FailedError(f"{what}: not after {duration(timeout_seconds)}: {missing}")
            say(missing)
            time.sleep(LOOK_SECONDS)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    if sys.stderr.isatty():
        from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
        from rich.markup import escape  # noqa: PLC0415 - as above

        with Console(stderr=True).status("") as status:
            yield lambda text: status.update(escape(text))
        return
    last: list[str] = []

    def say(text: str) -> None:
        if last != [text]:
            last[:] = [text]
            click.echo(f"waits: {text}", err=True)

    yield say
