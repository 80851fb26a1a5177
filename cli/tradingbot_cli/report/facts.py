"""All that a report shows, whoever gathered it: a cluster, a data folder or a backtest. What isn't known is None, and is left out."""

from __future__ import annotations

from msgspec import Struct

from tradingbot_contract.books import OrderRow
from tradingbot_contract.report import Finding
from tradingbot_engine.statistics.curve import CurvePoint
from tradingbot_engine.statistics.round_trips import Ledger
from tradingbot_engine.statistics.summary import Statistics
from tradingbot_observer.page.samples import Points


class Health(Struct, frozen=True, kw_only=True):
    """What the observers say."""

    score: float | None
    findings: tuple[Finding, ...]
    history: Points | None
    """Of the first engine; None: it has none, or did not answer."""


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened to the bot: a step of remediation, a change that arrived, a restart."""

    at: float | None
    what: str
    reason: str
    text: str
    result: str = ""


class ReportFacts(Struct, frozen=True, kw_only=True):
    """See the module. Times are seconds since the epoch."""

    bot: str
    subtitle: str
    """Strategy, symbols and timeframe."""
    source: str
    """Where all of it is from."""
    made_at: float
    phase: str = ""
    phase_good: bool = True
    message: str = ""
    currency: str
    equity: float | None
    """Now; the curve's last point may be older."""
    curve: tuple[CurvePoint, ...]
    laps: int = 1
    hold: tuple[CurvePoint, ...] = ()
    statistics: Statistics
    hold_statistics: Statistics | None = None
    ledger: Ledger
    orders: tuple[OrderRow, ...] = ()
    """The newest first; not all of them."""
    orders_total: int = 0
    rejected_orders: int = 0
    health: Health | None = None
    remediations: tuple[Event, ...] | None = None
    """None: nobody could have remedied anything."""
    tuning: tuple[Event, ...] | None = None
    spec: str
    """As YAML."""
    notes: tuple[str, ...] = ()
