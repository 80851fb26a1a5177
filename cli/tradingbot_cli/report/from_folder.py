"""A report of what `tradingbot run` has left in a data folder."""

from __future__ import annotations

from pathlib import Path

from tradingbot_cli.books.folder_books import FolderBooks
from tradingbot_cli.report.facts import ReportFacts
from tradingbot_cli.report.from_books import build_figures
from tradingbot_contract.document import render_document


def folder_facts(found: FolderBooks, folder: Path, *, made_at: float) -> ReportFacts:
    """Return what the report shows."""
    document, checkpoint = found.document, found.checkpoint
    figures = build_figures([found.books])
    market = document.market
    held = sum(held.quantity * checkpoint.last_prices.get(held.symbol, 0.0) for held in checkpoint.positions)
    return ReportFacts(
        bot=document.bot.name,
        subtitle=f"{document.strategy.name} on {', '.join(market.symbols)}, {market.timeframe} bars",
        source=f"From the data folder {folder}: {checkpoint.totals.bars:,} bars",
        made_at=made_at,
        currency=figures.currency,
        equity=checkpoint.cash + held,
        curve=figures.curve,
        laps=figures.laps,
        statistics=figures.statistics,
        ledger=figures.ledger,
        orders=figures.orders,
        orders_total=checkpoint.totals.orders,
        rejected_orders=checkpoint.totals.rejected_orders,
        spec=render_document(document),
        notes=figures.notes,
    )
