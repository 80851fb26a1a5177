"""``tradingbot report``: a bot as one HTML file."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from tradingbot_cli.connection import Target
from tradingbot_cli.errors import RefusedError
from tradingbot_cli.options import BotName, cluster_options
from tradingbot_cli.report.facts import ReportFacts
from tradingbot_cli.report.file import write_report
from tradingbot_cli.whole_file import check_writable

_EXIT_CODES: Final = """\b
Exit codes:
  0    done
  1    no engine answers, or a journal can't be read now
  2    the command line is refused, or there is no such bot or folder
  130  stopped by Ctrl-C
"""


@click.command("report", epilog=_EXIT_CODES)
@click.argument("name", type=BotName(), metavar="[NAME]", required=False)
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Report on a data folder of `tradingbot run` instead.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write (default: NAME-report.html).")
@cluster_options()
def command(name: str | None, *, data: Path | None, output: Path | None, target: Target) -> None:
    """Write a bot's report as one HTML file.

    It shows return, risk, equity with drawdown, round trips, orders, health, what the operator did, changes and the spec; in light and in
    dark, on screen and on paper, without scripts. It is of a bot in a cluster, or of a data folder on this machine.
    """
    if (name is None) == (data is None):
        raise RefusedError("give the name of a bot, or --data FOLDER of a run on this machine")
    if output is not None:
        check_writable(output)
    facts = _of_folder(data) if data is not None else _of_cluster(name or "", target)
    path = output or Path(f"{facts.bot.rpartition('/')[2]}-report.html")
    write_report(path, facts)
    click.echo(f"{path}: {facts.bot}, {path.stat().st_size / 1000:,.0f} kB; open it in a browser")


def _of_folder(folder: Path) -> ReportFacts:
    from tradingbot_cli.books.folder_books import read_folder  # noqa: PLC0415 - a cluster's bot needs no database here
    from tradingbot_cli.report.from_folder import folder_facts  # noqa: PLC0415 - as above

    return folder_facts(read_folder(folder, os.environ), folder, made_at=time.time())


def _of_cluster(name: str, target: Target) -> ReportFacts:
    from tradingbot_cli.cluster import connect  # noqa: PLC0415 - a folder needs no cluster's client
    from tradingbot_cli.report.from_cluster import gather_report  # noqa: PLC0415 - as above

    console = Console(stderr=True)
    with console.status("reads the bot") as status:
        return gather_report(connect(target), name, made_at=time.time(), note=lambda what: status.update(f"reads {what}"))
