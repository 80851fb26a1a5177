"""``tradingbot backtest``: what a bot would have come to."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import click
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from tradingbot_cli.backtest.outcome import Outcome, Source, Wishes, run_backtest
from tradingbot_cli.backtest.play import Progress
from tradingbot_cli.backtest.price_file import parse_span
from tradingbot_cli.backtest.screen import build_comparison, build_lines
from tradingbot_cli.data_folder import DataFolder
from tradingbot_cli.errors import FailedError, RefusedError
from tradingbot_cli.figures import money
from tradingbot_cli.manifest import MANIFEST, choose_bot, parse_bots, read_manifest
from tradingbot_cli.options import output_option
from tradingbot_cli.output import Format, show_structure
from tradingbot_cli.report.file import write_report
from tradingbot_cli.report.from_backtest import backtest_facts
from tradingbot_cli.whole_file import check_writable
from tradingbot_contract.log import LineFormatter
from tradingbot_operator.resource import TradingBot

_EXIT_CODES: Final = """\b
Exit codes:
  0    done
  1    the strategy failed and was halted, or something that it needs is missing
  2    the command line, the manifest or what it asks for is refused
  130  stopped by Ctrl-C
"""
_PLAIN_COLUMNS: Final = 100


@click.command("backtest", epilog=_EXIT_CODES)
@MANIFEST
@click.option("--name", help="The bot to take when the file holds several (default: all, compared).")
@click.option("--from", "first", metavar="DATE", help="First day, or time, of the prices to play.")
@click.option("--to", "last", metavar="DATE", help="Last day, or time.")
@click.option("--cash", type=click.FloatRange(min=0, min_open=True, max=1e15), help="Money at the start, in the symbols' currency.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Keep the journal in this folder.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a report as one HTML file.")
@output_option(Format.TABLE, Format.JSON, Format.YAML)
def command(
    manifest: IO[str],
    *,
    name: str | None,
    first: str | None,
    last: str | None,
    cash: float | None,
    data: Path | None,
    report: Path | None,
    output: Format,
) -> None:
    """Play a bot over its prices at full speed, with statistics.

    MANIFEST is a YAML file that holds a TradingBot, or - for standard input. It is the engine's own code that trades, over the replay of
    the manifest, from its first price to its last and from nothing: without a cluster, and as fast as it can.
    """
    source = Source(read_manifest(manifest), manifest.name)
    bots = parse_bots(source.text, source.name)
    chosen = bots if name is None and len(bots) > 1 else [choose_bot(bots, name, source.name)]
    if len(chosen) > 1 and report is not None:
        raise RefusedError(f"{source.name}: {len(chosen)} bots in it, and a report is of one: choose it with --name")
    span = parse_span(first, last)
    if report is not None:
        check_writable(report)
    found = []
    with _log_to_standard_error():
        for bot in chosen:
            with _folder(data, bot, several=len(chosen) > 1) as folder, _progress(bot.metadata.name) as progress:
                found.append(run_backtest(bot, source, folder, Wishes(span, cash), progress))
    _show(found, output)
    if report is not None:
        write_report(report, backtest_facts(chosen[0], found[0], source=source.name, made_at=time.time()))
        click.echo(f"report: {report}", err=True)
    halted = [f"{each.backtest.bot}: the strategy was halted: {each.backtest.halted_by}" for each in found if each.backtest.halted_by]
    if halted:
        raise FailedError("; ".join(halted))


def _show(found: list[Outcome], output: Format) -> None:
    if output is not Format.TABLE:
        show_structure(output, [each.backtest for each in found])
        return
    lines = build_comparison([each.backtest for each in found])
    if len(found) == 1:
        columns = Console().width if sys.stdout.isatty() else _PLAIN_COLUMNS
        lines = build_lines(found[0].backtest, found[0].curves, columns)
    click.echo("\n".join(lines))


@contextlib.contextmanager
def _folder(data: Path | None, bot: TradingBot, *, several: bool) -> Iterator[DataFolder]:
    """Give a folder for the journal: the one that was asked for, new, or one that is gone afterwards."""
    if data is None:
        temporary = Path(tempfile.mkdtemp(prefix="tradingbot-backtest-"))
        try:
            yield DataFolder(temporary)
        finally:
            shutil.rmtree(temporary)
        return
    folder = DataFolder(data / bot.metadata.name if several else data)
    if folder.journal.exists():
        raise RefusedError(f"data folder {folder.path} has a journal already, and a backtest begins from nothing: name another")
    yield folder


@contextlib.contextmanager
def _progress(name: str) -> Iterator[Progress]:
    """Show how far it is, on standard error and only where a person looks."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[equity]}"),
        TimeRemainingColumn(),
    )
    with ProgressBar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None, equity="")

        def tell(done: int, steps: int, equity: float) -> None:
            bar.update(task, completed=done, total=steps, equity=money(equity))

        yield tell


@contextlib.contextmanager
def _log_to_standard_error() -> Iterator[None]:
    """Let a person see where a strategy fails, with its traceback; the engine's own news stay unsaid."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    logger = logging.getLogger("tradingbot_engine")
    logger.addHandler(handler)
    before = logger.level, logger.propagate
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
