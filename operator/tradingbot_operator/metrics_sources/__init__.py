"""Where the operator learns how engines are: from their observers, asked directly, or from a Prometheus that scrapes them.

Both give the same views of the same facts, so the same decisions follow; what a source does not know is Unknown.
"""

from __future__ import annotations

from typing import Protocol

from tradingbot_operator.world import ReportView


class ReportSource(Protocol):
    """What the operator needs of a source. Pods are named by their uid, so that one of the same name is never taken for another."""

    @property
    def turned_at(self) -> float | None:
        """When its loop last turned, by the monotonic clock; None while it does not run."""

    def view(self, pod_uid: str) -> ReportView:
        """Return what is known of a pod now."""

    def expect(self, pod_uid: str, generation: int) -> None:
        """Look out for a pod's engine to say that it runs a generation: its document has just been changed."""

    def attend(self, pod_uid: str) -> None:
        """Look at a pod closely for a while, because something waits for what it says: then its bot is woken for every change."""

    async def run(self) -> None:
        """Gather, until cancelled; wake a bot when what is known of it has changed."""
