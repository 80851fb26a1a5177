"""A bot of a cluster as the commands show it: what its resource and its status say, read once.

A spec that a newer operator wrote may have fields that this release does not know, so the spec is read field by field; its status is typed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from tradingbot_operator.bot_status import Decision, FoundFinding, TradingBotStatus, parse_status
from tradingbot_operator.operations import Remediation
from tradingbot_operator.remediation.budget import current_level, seconds_until_step

_SEVERITIES: Final = ("critical", "warning", "info")


class BotView(Struct, frozen=True, kw_only=True):
    """One bot."""

    namespace: str
    name: str
    generation: int
    created: str
    """RFC 3339."""
    deleting: bool
    state: str
    """`lifecycle.state`."""
    strategy: str
    symbols: tuple[str, ...]
    replicas: int
    """Engines that there should be."""
    status: TradingBotStatus

    @property
    def phase(self) -> str:
        """Where it is; Unseen where no operator has looked at it yet."""
        return self.status.phase.value if self.status.phase else "Unseen"

    @property
    def is_current(self) -> bool:
        """Whether the status is about the resource as it is now."""
        return self.status.observed_generation == self.generation

    @property
    def ready(self) -> tuple[int, int]:
        """How many engines are ready, and how many there should be."""
        wanted = 0 if self.state == "Stopped" else self.replicas
        return sum(shard.ready for shard in self.status.shards), wanted

    @property
    def worst_finding(self) -> FoundFinding | None:
        """What is worst of what is found now."""
        known = [finding for finding in self.status.health.findings if finding.severity in _SEVERITIES]
        return min(known, key=lambda finding: _SEVERITIES.index(finding.severity), default=None)

    @property
    def worst(self) -> str:
        """What is wrong, in one word; empty when nothing is known to be."""
        finding = self.worst_finding
        if finding is not None:
            return finding.reason
        healthy = self.status.condition("Healthy")
        ready = self.status.condition("Ready")
        if healthy is not None and healthy.status.value == "False":
            return healthy.reason
        return ready.reason if ready is not None and ready.status.value == "False" and self.phase in {"Failed", "Refused"} else ""

    @property
    def last_decision(self) -> Decision | None:
        """What the operator last decided about a sick engine."""
        history = self.status.remediation.history
        return history[-1] if history else None

    def budget(self, now: float) -> tuple[int, int] | None:
        """Return how many steps of remediation are left now, and how many there may be; None before anybody has said."""
        rules = self._rules()
        if rules is None:
            return None
        return math.floor(current_level(self.status.remediation.budget, rules, now)), rules.max_actions

    def next_step_seconds(self, now: float) -> float:
        """Return how long it takes until the budget has a step again; 0 when it has one."""
        rules = self._rules()
        return seconds_until_step(self.status.remediation.budget, rules, now) if rules else 0.0

    def _rules(self) -> Remediation | None:
        budget = self.status.remediation.budget
        if budget is None or not budget.max_actions or not budget.per_seconds:
            return None
        return Remediation(max_actions=budget.max_actions, per_seconds=budget.per_seconds)


def read_view(body: Mapping[str, Any]) -> BotView:
    """Return the view of a bot as the API server gives it; a status that can't be read counts as none."""
    metadata, spec = body["metadata"], body.get("spec") or {}
    try:
        status = parse_status(body.get("status"))
    except ValueError:
        status = TradingBotStatus(message="its status is of another release and can't be read")
    return BotView(
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        generation=metadata.get("generation", 0),
        created=metadata.get("creationTimestamp", ""),
        deleting="deletionTimestamp" in metadata,
        state=(spec.get("lifecycle") or {}).get("state", "Running"),
        strategy=(spec.get("strategy") or {}).get("name", ""),
        symbols=tuple((spec.get("market") or {}).get("symbols") or ()),
        replicas=(spec.get("scaling") or {}).get("replicas", 1),
        status=status,
    )
