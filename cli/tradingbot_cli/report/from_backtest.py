"""A report of a backtest."""

from __future__ import annotations

import msgspec
import yaml

from tradingbot_cli.backtest.outcome import Outcome
from tradingbot_cli.report.facts import ReportFacts
from tradingbot_engine.statistics.round_trips import match_round_trips
from tradingbot_operator.resource import TradingBot


def backtest_facts(bot: TradingBot, outcome: Outcome, *, source: str, made_at: float) -> ReportFacts:
    """Return what the report shows; `source` is the manifest's file."""
    found, curves = outcome.backtest, outcome.curves
    notes = [f"the strategy was halted: {found.halted_by}"] if found.halted_by else []
    return ReportFacts(
        bot=found.bot,
        subtitle=f"{found.strategy} on {', '.join(found.symbols)}, {found.timeframe} bars",
        source=f"A backtest of {source}: {found.bars:,} bars, {found.orders:,} orders, {found.fills:,} fills",
        made_at=made_at,
        phase="Backtest",
        currency=found.currency,
        equity=found.statistics.final_equity,
        curve=tuple(curves.bot),
        hold=tuple(curves.hold),
        statistics=found.statistics,
        hold_statistics=found.hold,
        ledger=match_round_trips(curves.trades),
        spec=render_spec(bot),
        notes=(*found.notes, *notes),
    )


def render_spec(bot: TradingBot) -> str:
    """Return what a bot's resource says, without what nobody wrote."""
    return yaml.safe_dump(msgspec.to_builtins(bot.spec), sort_keys=False, allow_unicode=True, width=120)
