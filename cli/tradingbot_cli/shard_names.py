"""Engines of a bot as people name them: by number, or by the name of the pod."""

from __future__ import annotations

from collections.abc import Sequence

from tradingbot_cli.errors import RefusedError
from tradingbot_operator.world import PodFacts


def choose_pods(bot: str, pods: Sequence[PodFacts], shard: str | None) -> list[PodFacts]:
    """Return the pods that are meant, all where no shard is named, in the order of their numbers.

    Raises:
        RefusedError: the bot has no such engine; the message says which there are.
    """
    ordered = sorted(pods, key=lambda pod: _number(pod.name))
    if shard is None:
        return ordered
    wanted = f"{bot}-{shard}" if shard.isdecimal() else shard
    found = [pod for pod in ordered if pod.name == wanted]
    if not found:
        there = ", ".join(pod.name for pod in ordered) or "none"
        raise RefusedError(f"{bot} has no engine {shard} with a pod now; there is {there}")
    return found


def _number(pod: str) -> int:
    ordinal = pod.rpartition("-")[2]
    return int(ordinal) if ordinal.isdecimal() else 0
