"""An operator's page of metrics without an operator: its real instruments, told what one with a small fleet would count."""

from __future__ import annotations

import random
import time
from typing import Final

from prometheus_client import start_http_server

from server_process import HOST, free_port
from tradingbot_operator.bot_figures import BotFigures, ConditionFigure, DecisionFigure
from tradingbot_operator.bot_metrics import BotSeries
from tradingbot_operator.bot_status import Budget, Phase
from tradingbot_operator.cache import BotKey
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.operations import LifecycleState, Remediation
from tradingbot_operator.reasons import Reason
from tradingbot_operator.timestamp import format_time

BOTS: Final = ("trend", "cross", "headlines", "unlucky", "waiting", "stuck")
_FULL: Final = Remediation()
_KINDS: Final = ("TradingBot", "Pod", "StatefulSet", "ConfigMap")


class PlayedOperator:
    """One operator; only the one that leads tells of bots."""

    def __init__(self, namespace: str, *, leads: bool) -> None:
        self.port = free_port()
        self._namespace = namespace
        self._leads = leads
        self._metrics = OperatorMetrics()
        self._series = BotSeries(lambda: leads)
        self._metrics.registry.register(self._series)
        self._metrics.leader.set(leads)
        self._chance = random.Random(int(leads))  # noqa: S311 - figures to look at
        self._restarts = 0
        self._decided_at: float | None = None
        self._server, self._thread = start_http_server(self.port, HOST, self._metrics.registry)
        self.tell(sick=None, restarts=0)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def tell(self, *, sick: str | None, restarts: int) -> None:
        """Count a second of work, with this bot sick, after so many restarts."""
        metrics, chance = self._metrics, self._chance
        metrics.loop_lag.set(chance.uniform(0.001, 0.02))
        for kind in _KINDS:
            metrics.watch_events.labels(kind).inc(chance.randint(0, 4))
            metrics.watch_event_time.labels(kind).set(time.time() - chance.uniform(0, 5))
        if not self._leads:
            return
        metrics.resync_time.set(time.time() // 30 * 30)
        for _ in range(chance.randint(2, 8)):
            metrics.reconciles.labels("done" if chance.random() > 0.02 else "conflict").inc()
            metrics.reconcile_seconds.observe(chance.lognormvariate(-3.5, 0.6))
            metrics.queue_seconds.observe(chance.lognormvariate(-5.0, 0.8))
            verb = chance.choice(("get", "patch", "apply", "list"))
            metrics.api_calls.labels(verb, "409" if verb == "patch" and chance.random() < 0.05 else "200").inc()
            metrics.api_seconds.labels(verb).observe(chance.lognormvariate(-4.2, 0.5))
            metrics.polls.labels("direct", "answered").inc()
            metrics.actions.labels("Apply", Reason.CHANGED.value).inc(chance.random() < 0.1)
        metrics.queue_depth.set(chance.choice((0, 0, 0, 1, 2)))
        metrics.status_writes.inc(chance.random() < 0.3)
        metrics.polls.labels("direct", "unreachable").inc(0 if sick is None else 1)
        if restarts > self._restarts:
            self._restart(restarts)
        self._tell_bots(sick)

    def _restart(self, restarts: int) -> None:
        self._restarts, self._decided_at = restarts, time.time()
        self._metrics.count_decision("Restart", Reason.ENGINE_GONE)
        self._metrics.count_restart(Reason.ENGINE_GONE)
        self._metrics.count_result("Restart", Reason.HELPED if restarts % 3 else Reason.DID_NOT_HELP)
        self._metrics.count_held(Reason.BUDGET_SPENT)

    def _tell_bots(self, sick: str | None) -> None:
        phases = dict.fromkeys(BOTS, Phase.RUNNING) | {"waiting": Phase.PENDING, "stuck": Phase.QUARANTINED}
        if sick is not None:
            phases[sick] = Phase.UNHEALTHY
        for name, phase in phases.items():
            self._series.note(BotKey(self._namespace, name), self._figures(name, phase))
        self._metrics.show_phases({phase.value: list(phases.values()).count(phase) for phase in Phase})
        self._metrics.show_fleet(judged=len(BOTS) - 1, sick=1 + (sick is not None))

    def _figures(self, name: str, phase: Phase) -> BotFigures:
        running, decided = phase is Phase.RUNNING, self._decided_at if name == "unlucky" else None
        status, reason = {
            Phase.RUNNING: ("True", Reason.HEALTHY),
            Phase.UNHEALTHY: ("False", Reason.ENGINE_GONE),
            Phase.PENDING: ("Unknown", Reason.NOT_STARTED),
        }.get(phase, ("False", Reason.QUARANTINED))
        return BotFigures(
            phase=phase.value,
            lifecycle=LifecycleState.RUNNING.value,
            conditions=(ConditionFigure("Healthy", status, reason.value),),
            health_score={Phase.RUNNING: 100.0, Phase.UNHEALTHY: 45.0}.get(phase),
            shards_desired=1,
            shards_ready=int(running),
            shards_quarantined=int(phase is Phase.QUARANTINED),
            restarts=self._restarts if name == "unlucky" else 0,
            budget=Budget(
                level=max(_FULL.max_actions - 3.0 * self._restarts, 0.0) if decided else float(_FULL.max_actions),
                as_of=format_time(decided or time.time()),
                max_actions=_FULL.max_actions,
                per_seconds=_FULL.per_seconds,
            ),
            held=(Reason.BUDGET_SPENT.value,) if phase is Phase.UNHEALTHY else (),
            decisions=(DecisionFigure("Restart", Reason.ENGINE_GONE.value, decided),) if decided else (),
        )
