"""The memory limit of the engine's container.

A container sees its own cgroup and never its neighbour's, so the engine reads the limit and reports it; that figure follows a
resize. What the pod was told when it started stands in until the engine has reported, and where it can't.
"""

from __future__ import annotations

from collections.abc import Mapping

from tradingbot_contract.endpoints import ENV_MEMORY_LIMIT


class MemoryLimit:
    """The limit in bytes as far as it is known; it stays known while the engine is silent."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take what the pod was told.

        Raises:
            ValueError: the variable is set and is no number of bytes.
        """
        told = environment.get(ENV_MEMORY_LIMIT, "")
        if told and not told.isdecimal():
            raise ValueError(f"{ENV_MEMORY_LIMIT} is {told!r}, not a whole number of bytes")
        self._bytes = int(told) if told else None

    @property
    def limit_bytes(self) -> int | None:
        """The limit; None: there is none, or nobody knows it."""
        return self._bytes

    def report(self, limit_bytes: int | None) -> None:
        """Take the engine's own figure, if it has one."""
        if limit_bytes is not None:
            self._bytes = limit_bytes
