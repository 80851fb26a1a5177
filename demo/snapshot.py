"""One look at a bot from every side: its resource, its pod, its engine and its observer. A figure that is not known is None."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rig.bots import Bot
from rig.kube import Object
from tradingbot_contract.endpoints import ENGINE_CONTAINER
from tradingbot_contract.report import EngineStatus, ObserverReport


@dataclass(frozen=True)
class Snapshot:
    """What was seen in one look, at ``at`` seconds since the epoch."""

    at: float
    phase: str
    conditions: dict[str, Object]
    score: float | None
    engine: EngineStatus | None
    """The engine's own answer; None: it does not answer."""
    report: ObserverReport | None
    pod: str
    pod_uid: str
    node: str
    restarts: int
    """Of the engine's container in this pod."""
    events: tuple[Object, ...]
    """The bot's Events, newest last."""

    @property
    def last_known(self) -> EngineStatus | None:
        """The engine's answer, or the last one that the observer has."""
        if self.engine is not None:
            return self.engine
        return self.report.engine if self.report else None

    def says(self, kind: str) -> str:
        """Return a condition's status, with the reason when it is not the good one."""
        condition = self.conditions.get(kind)
        if condition is None:
            return "?"
        status = str(condition["status"])
        return status if status == "True" else f"{status} ({condition['reason']})"


def look(bot: Bot) -> Snapshot:
    """Return what can be seen of a bot now; parts that don't answer are left out."""
    status: Object = bot.read().get("status") or {}
    pod = bot.pod() or {"metadata": {}, "spec": {}, "status": {}}
    containers = pod["status"].get("containerStatuses", [])
    report = bot.report()
    return Snapshot(
        at=time.time(),
        phase=status.get("phase", "?"),
        conditions={condition["type"]: condition for condition in status.get("conditions", [])},
        score=report.score if report else None,
        engine=bot.engine(),
        report=report,
        pod=pod["metadata"].get("name", "?"),
        pod_uid=pod["metadata"].get("uid", ""),
        node=pod["spec"].get("nodeName", "?"),
        restarts=sum(status["restartCount"] for status in containers if status["name"] == ENGINE_CONTAINER),
        events=tuple(sorted(bot.events(), key=lambda event: (event_time(event), int(event["metadata"]["resourceVersion"])))),
    )


def event_time(event: Object) -> str:
    """Return when an Event last happened, whichever of the two Event APIs wrote it."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])
