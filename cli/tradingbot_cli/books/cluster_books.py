"""Reads the books of a bot in a cluster: of each of its engines, through its pod.

A bot without a pod has no books that can be read: its journal is on its volume, or in a database that only engines know. That is said,
with what to do. Of several engines, those that don't answer are named, and the others are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlencode

import msgspec

from tradingbot_cli.cluster import Cluster
from tradingbot_cli.errors import FailedError
from tradingbot_cli.port_forward import PageError
from tradingbot_contract.endpoints import ENGINE_PORT

T = TypeVar("T")
_RUNNING: Final = "Running"


class Heard(NamedTuple):
    """What one of the pods said."""

    pod: str
    value: Any


class Answers(NamedTuple):
    """What all of them said, and why some did not."""

    heard: list[Heard]
    troubles: list[str]


def ask_engines(cluster: Cluster, bot: Mapping[str, Any], ask: Callable[[str], Any]) -> Answers:
    """Return what `ask` gets of each running pod, by its name.

    Raises:
        FailedError: there is none, or none of them answers.
    """
    name = bot["metadata"]["name"]
    pods = [pod["metadata"]["name"] for pod in cluster.list_pods(name) if (pod.get("status") or {}).get("phase") == _RUNNING]
    if not pods:
        phase = (bot.get("status") or {}).get("phase") or "not begun"
        raise FailedError(
            f"bot {name} has no running pod ({phase}), and only an engine can read its journal: see `tradingbot explain {name}`"
        )
    answers = Answers([], [])
    for pod in pods:
        try:
            answers.heard.append(Heard(pod, ask(pod)))
        except PageError as error:
            answers.troubles.append(str(error))
    if not answers.heard:
        raise FailedError("; ".join(answers.troubles))
    return answers


def read_engine_page(cluster: Cluster, pod: str, path: str, query: Mapping[str, str | int | None], kind: type[T]) -> T:
    """Return a page of an engine.

    Raises:
        PageError: it can't be had.
    """
    asked = urlencode({name: value for name, value in query.items() if value is not None})
    return msgspec.json.decode(cluster.read_page(pod, ENGINE_PORT, f"{path}?{asked}" if asked else path), type=kind)
