"""``tradingbot equity``: how a bot's money has gone, drawn."""

from __future__ import annotations

import sys
from typing import Final

import click
from rich.console import Console

from tradingbot_cli.books.cluster_books import ask_engines, read_engine_page
from tradingbot_cli.books.curve_plot import draw_curve
from tradingbot_cli.books.shard_books import count_laps, merge_equity
from tradingbot_cli.books.since import parse_since
from tradingbot_cli.books.statistics_table import share
from tradingbot_cli.cluster import connect
from tradingbot_cli.connection import Target
from tradingbot_cli.errors import FailedError
from tradingbot_cli.figures import market_date, money
from tradingbot_cli.options import EXIT_CODES, Bot, cluster_options, output_option
from tradingbot_cli.output import Format, show_structure
from tradingbot_contract.books import FEWEST_POINTS, MOST_POINTS, EquityPage
from tradingbot_contract.endpoints import EQUITY_PATH, STATUS_PATH
from tradingbot_contract.report import EngineStatus
from tradingbot_engine.statistics.curve import CurvePoint, drawdown_at_each

_PLAIN_COLUMNS: Final = 100


@click.command("equity", epilog=EXIT_CODES)
@Bot
@click.option("--since", metavar="TIME", help="From a date of the market on, or an age before its newest bar: 90d, 12h.")
@click.option("--points", type=click.IntRange(FEWEST_POINTS, MOST_POINTS), default=1000, show_default=True, help="How many at most.")
@cluster_options()
@output_option(Format.TABLE, Format.JSON, Format.YAML)
def command(name: str, *, since: str | None, points: int, target: Target, output: Format) -> None:
    """Plot a bot's equity, with its drawdown beneath.

    The points are read from the journal of each of its engines; where there are more than --points, highs and lows are kept. Times are the
    market's. A bot of several engines is shown as one.
    """
    cluster = connect(target)
    bot = cluster.read_bot(name)

    def ask(pod: str) -> EquityPage:
        status = read_engine_page(cluster, pod, STATUS_PATH, {}, EngineStatus)
        query = {"points": points, "since": parse_since(since, status.last_bar_time)}
        return read_engine_page(cluster, pod, EQUITY_PATH, query, EquityPage)

    answers = ask_engines(cluster, bot, ask)
    pages: list[EquityPage] = [heard.value for heard in answers.heard]
    curve = merge_equity(pages)
    if output is not Format.TABLE:
        show_structure(output, pages)
    elif not curve:
        raise FailedError(f"{name} has noted no equity {'since then' if since else 'yet'}: the first point comes after 25 bars")
    else:
        columns = Console().width if sys.stdout.isatty() else _PLAIN_COLUMNS
        click.echo("\n".join(describe_curve(name, curve, pages[0].currency, columns, laps=count_laps(pages))))
    for note in dict.fromkeys([*(page.note for page in pages if page.note), *answers.troubles]):
        click.echo(f"note: {note}", err=True)


def describe_curve(name: str, curve: list[CurvePoint], currency: str, columns: int, *, laps: int) -> list[str]:
    """Return the plot with a line of figures above it."""
    first, last = curve[0], curve[-1]
    depths = drawdown_at_each(curve)
    change = last.equity / first.equity - 1.0 if first.equity > 0 else None
    head = (
        f"{name}: {money(last.equity, currency)} at {market_date(last.time)}, {share(change, sign=True)} since {market_date(first.time)}; "
        f"drawdown now {share(depths[-1])}, at most {share(max(depths))}"
    )
    lines = [head, "", *draw_curve(curve, columns)]
    if laps > 1:
        lines.append(f"The prices have begun anew {laps - 1} times: one lap is shown after the other, so dates go on beyond the data.")
    return lines
