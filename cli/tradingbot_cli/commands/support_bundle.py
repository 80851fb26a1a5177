"""``tradingbot support-bundle``: everything somebody needs who is to help, without a secret."""

from __future__ import annotations

import datetime as dt
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console

from tradingbot_cli.bundle.archive import Archive
from tradingbot_cli.bundle.gather import gather_bot, gather_common
from tradingbot_cli.cluster import connect
from tradingbot_cli.connection import Target
from tradingbot_cli.errors import RefusedError
from tradingbot_cli.figures import count
from tradingbot_cli.options import EXIT_CODES, BotName, cluster_options
from tradingbot_cli.whole_file import check_writable

_MISSING_SHOWN = 5


@click.command("support-bundle", epilog=EXIT_CODES)
@click.argument("name", type=BotName(), metavar="[NAME]", required=False)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write (default: tradingbot-support-TIME.zip)."
)
@cluster_options(all_namespaces=True)
def command(name: str | None, *, output: Path | None, target: Target) -> None:
    """Pack what is needed to help with a bot, without secrets.

    It holds resources, status, Events, children, pods, logs (also those before a restart), reports, metrics, versions and the CRD; of one
    bot, of all of the namespace, or with -A of all. No Secret is read, and what looks like a credential is replaced.
    """
    if name is not None and target.all_namespaces:
        raise RefusedError("give the name of one bot, or -A for all bots, not both")
    now = dt.datetime.now(dt.UTC)
    path = output or Path(f"tradingbot-support-{now:%Y%m%dT%H%M%S}.zip")
    check_writable(path)
    cluster = connect(target)
    bots = [cluster.read_bot(name)] if name is not None else cluster.list_bots(all_namespaces=target.all_namespaces)
    archive = Archive()
    with Console(stderr=True).status("reads") as status:

        def note(what: str) -> None:
            status.update(f"reads {what}")

        gather_common(cluster, archive, version("tradingbot"), note)
        for bot in bots:
            gather_bot(cluster, archive, bot, note)
    whose = name or ("all namespaces" if target.all_namespaces else f"namespace {cluster.namespace}")
    introduction = f"Of {whose} in {cluster.connection.name}, {now:%Y-%m-%d %H:%M:%S} UTC, {count(len(bots), 'bot')}."
    archive.write(path, introduction)
    click.echo(
        f"{path}: {count(len(bots), 'bot')}, {count(len(archive.entries), 'file')}, {path.stat().st_size / 1000:,.0f} kB, "
        f"{count(archive.redactions, 'redaction')}; CONTENTS.md in it says what is what"
    )
    for missing in archive.missing[:_MISSING_SHOWN]:
        click.echo(f"could not be read: {missing}", err=True)
    if len(archive.missing) > _MISSING_SHOWN:
        click.echo(f"and {len(archive.missing) - _MISSING_SHOWN} more, listed in CONTENTS.md", err=True)
