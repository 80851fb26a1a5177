"""``tradingbot orders``: what a bot has ordered, and what became of it."""

from __future__ import annotations

from typing import Final

import click

from tradingbot_cli.books.cluster_books import ask_engines, read_engine_page
from tradingbot_cli.books.orders_table import build_orders_table
from tradingbot_cli.books.shard_books import merge_orders
from tradingbot_cli.cluster import connect
from tradingbot_cli.connection import Target
from tradingbot_cli.options import EXIT_CODES, Bot, cluster_options, output_option
from tradingbot_cli.output import Format, show
from tradingbot_contract.books import MOST_ROWS, OrdersPage
from tradingbot_contract.endpoints import ORDERS_PATH
from tradingbot_engine.orders.order import OrderStatus

_STATUSES: Final = [status.value for status in OrderStatus]


@click.command("orders", epilog=EXIT_CODES)
@Bot
@click.option("--symbol", help="Only orders of this symbol.")
@click.option("--status", type=click.Choice(_STATUSES), help="Only orders in this state.")
@click.option("--limit", type=click.IntRange(1, MOST_ROWS), default=20, show_default=True, help="How many, of the newest.")
@cluster_options()
@output_option()
def command(name: str, *, symbol: str | None, status: str | None, limit: int, target: Target, output: Format) -> None:
    """Show a bot's newest orders, with price, fee and profit.

    They are read from the journal of each of its engines. A price in brackets is the one that the decision was made on: the order has no
    execution. Times are the market's.
    """
    cluster = connect(target)
    bot = cluster.read_bot(name)
    query = {"limit": limit, "symbol": symbol, "status": status}
    answers = ask_engines(cluster, bot, lambda pod: read_engine_page(cluster, pod, ORDERS_PATH, query, OrdersPage))
    pages: list[OrdersPage] = [heard.value for heard in answers.heard]
    orders = merge_orders(pages)[:limit]
    show(output, orders, lambda: build_orders_table(orders))
    if not orders:
        click.echo(f"{name} has no {status or ''}{' ' if status else ''}order{f' of {symbol}' if symbol else ''} in its journal", err=True)
    for note in dict.fromkeys([*(page.note for page in pages if page.note), *answers.troubles]):
        click.echo(f"note: {note}", err=True)
