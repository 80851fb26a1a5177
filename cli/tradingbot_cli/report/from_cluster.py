"""A report of a bot in a cluster: its engines' journals, its observers' findings, and what the operator has written down.

What doesn't answer is left out, and the report says so; only without any engine there is no report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
import yaml
from msgspec import structs

from tradingbot_cli.books.cluster_books import ask_engines, read_engine_page
from tradingbot_cli.books.shard_books import ShardBooks
from tradingbot_cli.bot_view import BotView, read_view
from tradingbot_cli.cluster import Cluster, event_time
from tradingbot_cli.pages import Performance
from tradingbot_cli.port_forward import PageError
from tradingbot_cli.report.facts import Event, Health, ReportFacts
from tradingbot_cli.report.from_books import build_figures
from tradingbot_contract.books import MOST_POINTS, MOST_ROWS, EquityPage, FillsPage, OrdersPage
from tradingbot_contract.endpoints import (
    EQUITY_PATH,
    FILLS_PATH,
    OBSERVER_PORT,
    ORDERS_PATH,
    PERFORMANCE_PATH,
    REPORT_PATH,
    SAMPLES_PATH,
    STATUS_PATH,
)
from tradingbot_contract.report import EngineStatus, ObserverReport
from tradingbot_observer.page.samples import Points
from tradingbot_operator.bot_status import Phase
from tradingbot_operator.timestamp import parse_time

MOST_FILLS: Final = 20_000
_PLOTTED: Final = 2000
_ORDERS: Final = 100
_HOURS: Final = 6
_POINTS: Final = 400
_GOOD: Final = frozenset({Phase.RUNNING, Phase.FINISHED})
T = TypeVar("T")

Note = Callable[[str], None]
"""Is told what is read now, for people who wait."""


class _Engine(msgspec.Struct, frozen=True):
    """What one pod said."""

    books: ShardBooks
    status: EngineStatus


def gather_report(cluster: Cluster, name: str, *, made_at: float, note: Note) -> ReportFacts:
    """Return what the report shows.

    Raises:
        RefusedError: there is no such bot.
        FailedError: no engine of it answers.
    """
    body = cluster.read_bot(name)
    view = read_view(body)
    answers = ask_engines(cluster, body, lambda pod: _read_engine(cluster, pod, note))
    engines: list[_Engine] = [heard.value for heard in answers.heard]
    figures = build_figures([engine.books for engine in engines])
    note("health and events")
    reports = [report for heard in answers.heard if (report := _read_report(cluster, heard.pod)) is not None]
    events = cluster.list_events(body)
    statuses = [engine.status for engine in engines]
    return ReportFacts(
        bot=f"{view.namespace}/{view.name}",
        subtitle=f"{view.strategy} on {', '.join(view.symbols)}, {_timeframe(body)} bars, {_engines(view)}",
        source=f"From the cluster {cluster.connection.name}, namespace {view.namespace}: {sum(status.bars for status in statuses):,} bars",
        made_at=made_at,
        phase=view.phase,
        phase_good=view.status.phase in _GOOD,
        message=view.status.message,
        currency=figures.currency,
        equity=sum(status.equity for status in statuses if status.equity is not None),
        curve=figures.curve,
        laps=figures.laps,
        statistics=figures.statistics,
        ledger=figures.ledger,
        orders=figures.orders,
        orders_total=sum(status.orders for status in statuses),
        rejected_orders=sum(status.rejected_orders for status in statuses),
        health=_health(reports, _read_history(cluster, answers.heard[0].pod)),
        remediations=_remediations(view),
        tuning=_changes(view, events),
        spec=yaml.safe_dump(body.get("spec"), sort_keys=False, allow_unicode=True, width=120),
        notes=(*figures.notes, *answers.troubles),
    )


def _read_engine(cluster: Cluster, pod: str, note: Note) -> _Engine:
    note(f"journal of {pod}")

    def read(path: str, kind: type[T], **query: str | int) -> T:
        return read_engine_page(cluster, pod, path, query, kind)

    status = read(STATUS_PATH, EngineStatus)
    orders = read(ORDERS_PATH, OrdersPage, limit=_ORDERS)
    fills = read(FILLS_PATH, FillsPage, limit=MOST_ROWS)
    while fills.next is not None and len(fills.fills) < MOST_FILLS:
        note(f"journal of {pod}: {len(fills.fills):,} fills")
        older = read(FILLS_PATH, FillsPage, limit=MOST_ROWS, before=fills.next)
        fills = structs.replace(older, fills=fills.fills + older.fills)
    try:
        depth = read(PERFORMANCE_PATH, Performance).max_drawdown_percent / 100.0
    except PageError:
        depth = None
    return _Engine(
        ShardBooks(
            pod=pod,
            orders=orders,
            fills=fills,
            equity=read(EQUITY_PATH, EquityPage, points=_PLOTTED),
            even=read(EQUITY_PATH, EquityPage, points=MOST_POINTS, thin="even"),
            max_drawdown=depth,
        ),
        status,
    )


def _read_report(cluster: Cluster, pod: str) -> ObserverReport | None:
    return _try(cluster, pod, REPORT_PATH, ObserverReport)


def _read_history(cluster: Cluster, pod: str) -> Points | None:
    return _try(cluster, pod, f"{SAMPLES_PATH}?hours={_HOURS}&points={_POINTS}", Points)


def _try(cluster: Cluster, pod: str, path: str, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(cluster.read_page(pod, OBSERVER_PORT, path), type=kind)
    except PageError:
        return None  # an observer that does not answer takes nothing from the journal


def _health(reports: Sequence[ObserverReport], history: Points | None) -> Health | None:
    if not reports:
        return None
    scores = [report.score for report in reports if report.score is not None]
    findings = tuple(finding for report in reports for finding in report.findings)
    return Health(score=min(scores, default=None), findings=findings, history=history)


def _remediations(view: BotView) -> tuple[Event, ...]:
    return tuple(
        Event(
            at=_seconds(decision.time),
            what=f"{decision.action}{f' ({decision.step})' if decision.step else ''} of {decision.pod or decision.shard}",
            reason=decision.reason,
            text=decision.inputs,
            result=decision.result,
        )
        for decision in reversed(view.status.remediation.history)
    )


def _changes(view: BotView, events: Sequence[Mapping[str, Any]]) -> tuple[Event, ...]:
    """Return how the last change arrived, and the bot's Events, the newest first."""
    tuning = view.status.tuning
    condition = view.status.condition("TuningApplied")
    found = [
        Event(
            at=_seconds(event_time(event)),
            what=f"{event.get('type', '')}{f' x{count}' if (count := event.get('count') or 1) > 1 else ''}",
            reason=str(event.get("reason", "")),
            text=str(event.get("message", "")),
        )
        for event in reversed(events)
    ]
    if tuning.rung:
        at = _seconds(condition.last_transition_time) if condition else None
        reason = condition.reason if condition else ""
        text = tuning.message or f"generation {tuning.generation} is applied"
        found.insert(0, Event(at=at, what=f"last change: {tuning.rung}", reason=reason, text=text))
    return tuple(found)


def _timeframe(body: Mapping[str, Any]) -> str:
    return str((body.get("spec", {}).get("market") or {}).get("timeframe", "1d"))


def _engines(view: BotView) -> str:
    return "1 engine" if view.replicas == 1 else f"{view.replicas} engines"


def _seconds(time: str) -> float | None:
    return parse_time(time) if time else None
