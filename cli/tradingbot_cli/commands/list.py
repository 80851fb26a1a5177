"""``tradingbot list``: the bots of a namespace or of all, and why each is as it is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import click
import msgspec

from tradingbot_cli.bot_list import BotRow, build_list, build_row
from tradingbot_cli.bot_view import read_view
from tradingbot_cli.cluster import Cluster, connect
from tradingbot_cli.connection import Object, Target
from tradingbot_cli.options import EXIT_CODES, cluster_options, output_option
from tradingbot_cli.output import Format, Table, column_widths, render_table, show, show_structure
from tradingbot_operator.kinds import BOT

_PAUSE_SECONDS: Final = 1.0
"""Before a watch that the API server has ended begins anew."""


@click.command("list", epilog=EXIT_CODES)
@cluster_options(all_namespaces=True)
@output_option()
@click.option("-w", "--watch", is_flag=True, help="Go on, with a line for each bot that changes.")
def command(*, target: Target, output: Format, watch: bool) -> None:
    """List bots: how each is, and why.

    WORST is the worst thing that is found now, LAST ACTION what the operator last did about a sick engine and whether it helped, BUDGET
    how many such steps it may still take of how many. -o wide adds equity, strategy, node, and the sentence of the phase.
    """
    cluster = connect(target)
    bodies = cluster.list_bots(all_namespaces=target.all_namespaces)
    bots, now = [read_view(body) for body in bodies], time.time()
    rows = [build_row(bot, now) for bot in bots]
    is_table = output.is_for_people
    table = build_list(bots, now, with_namespace=target.all_namespaces)
    if bots or not is_table:
        show(output, rows, lambda: table)
    else:
        where = "any namespace" if target.all_namespaces else f"namespace {cluster.namespace} (-A shows all)"
        click.echo(f"no bots in {where}", err=True)
    if watch:
        _watch(cluster, target, output, dict(zip((body["metadata"]["uid"] for body in bodies), rows, strict=True)), table)


def _watch(cluster: Cluster, target: Target, output: Format, seen: dict[str, BotRow], table: Table) -> None:
    """Print a line for each bot that changes, until Ctrl-C; `seen` is what was printed, in `table`."""
    wide = output is Format.WIDE
    widths = column_widths(table, wide=wide)
    for change, body in _changes(cluster, target):
        bot, now, uid = read_view(body), time.time(), body["metadata"]["uid"]
        row, is_gone = build_row(bot, now), change == "DELETED"
        if not is_gone and seen.get(uid) == row:
            continue  # nothing that is shown
        seen[uid] = row
        if output.is_for_people:
            line = build_list([bot], now, with_namespace=target.all_namespaces)
            click.echo("\n".join(render_table(line, wide=wide, head=False, widths=widths)) + (" (deleted)" if is_gone else ""))
        elif output is Format.JSON:
            click.echo(msgspec.json.encode({"type": change, "bot": row}))
        else:
            click.echo("---")
            show_structure(output, {"type": change, "bot": row})


def _changes(cluster: Cluster, target: Target) -> Iterator[tuple[str, Object]]:
    namespace = None if target.all_namespaces else cluster.namespace
    while True:
        yield from cluster.watch(BOT, namespace)
        time.sleep(_PAUSE_SECONDS)
