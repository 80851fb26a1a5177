"""Scenarios that run at once, each with a bot of its own, because most of a scenario is waiting.

A module names them in one tuple, begins them all in a fixture, and has one test for each that takes its result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

Scenario = Callable[..., None]
Running = dict[str, Future[None]]

NAME_LENGTH = 36


def bot_name(scenario: Scenario) -> str:
    """Return the name of a scenario's bot."""
    return scenario.__name__.replace("_", "-")[:NAME_LENGTH].rstrip("-")


@contextmanager
def begin(scenarios: Sequence[Scenario], *arguments: Sequence[Any]) -> Iterator[Running]:
    """Begin all scenarios, each with its own of the arguments; return what comes of them, by name."""
    with ThreadPoolExecutor(len(scenarios)) as pool:
        yield {scenario.__name__: pool.submit(scenario, *own) for scenario, *own in zip(scenarios, *arguments, strict=True)}
