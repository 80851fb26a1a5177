"""``tradingbot run``: a bot on this machine, without a cluster."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import IO, Final

import click
from rich.console import Console

from tradingbot_cli.children import choose_port
from tradingbot_cli.data_folder import ROOT, DataFolder, check_unused, move_aside
from tradingbot_cli.errors import RefusedError
from tradingbot_cli.manifest import MANIFEST, choose_bot, parse_bots, plan_run, read_manifest
from tradingbot_cli.pace import set_pace
from tradingbot_cli.pages import Pages
from tradingbot_cli.run import Run, run_bot
from tradingbot_cli.strategy_code import add_strategy_code
from tradingbot_cli.surroundings import describe_surroundings, set_surroundings
from tradingbot_contract.document import EngineDocument, SpecError
from tradingbot_engine.feed.dataset import load_prices

_EXIT_CODES: Final = """\b
Exit codes:
  0    done
  1    the engine ended by itself
  2    the command line, the manifest or what it asks for is refused
  130  stopped by Ctrl-C (143: by SIGTERM); run it again to go on
"""

Name = click.option("--name", help="The bot to take when the file holds several.")
Port = click.IntRange(1, 65_535)


@click.command("run", epilog=_EXIT_CODES)
@MANIFEST
@Name
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help=f"Folder of journal and logs (default: {ROOT}/<name>).")
@click.option("--fresh", is_flag=True, help="Begin anew; the folder that is there is kept under another name.")
@click.option("--speed", type=click.FloatRange(0, 1_000_000), help="Steps of the prices per second; 0 is as fast as it can.")
@click.option("--loop", is_flag=True, help="Start again when the prices end, until Ctrl-C.")
@click.option("--port", type=Port, help="Port of the engine's pages (default: one that is free).")
@click.option("--observer-port", type=Port, help="Port of the observer's pages (default: one that is free).")
@click.option("--no-observer", is_flag=True, help="Run the engine alone.")
@click.option("--plain", is_flag=True, help="One line a second, as without a terminal.")
def command(
    manifest: IO[str],
    *,
    name: str | None,
    data: Path | None,
    fresh: bool,
    speed: float | None,
    loop: bool,
    port: int | None,
    observer_port: int | None,
    no_observer: bool,
    plain: bool,
) -> None:
    """Run a bot here: the same resource, engine and observer.

    No cluster is needed.

    MANIFEST is a YAML file that holds a TradingBot, or - for standard input. The bot goes on where an earlier run stopped. A replay
    is played once, quickly enough to be over within half a minute; --speed and --loop change that.
    """
    source = manifest.name
    text = read_manifest(manifest)
    bot = choose_bot(parse_bots(text, source), name, source)
    written = plan_run(bot, source)
    document = set_pace(set_surroundings(written, os.environ), steps=_count_steps(written, source), speed=speed, loop=loop)
    path = data or ROOT / bot.metadata.name
    console = Console(highlight=False)
    check_unused(path)
    aside = move_aside(path, dt.datetime.now().astimezone()) if fresh else None
    if aside is not None:
        console.print(f"the earlier run is in {aside}", soft_wrap=True, markup=False)
    folder = DataFolder(path)
    folder.write(document)
    os.environ.update(add_strategy_code(os.environ, document.strategy, text, Path(source), path / "strategy"))  # for the engine
    pages = Pages(choose_port(port), None if no_observer else choose_port(observer_port))
    console.print(_describe(document, written, pages), soft_wrap=True, markup=False)
    follow_up = f"stopped; run it again to go on, or with --fresh to begin anew (logs: {folder.path}/*.log)"
    code = run_bot(Run(document=document, folder=folder, pages=pages, console=console, plain=plain, follow_up=follow_up))
    click.get_current_context().exit(code)


def _count_steps(document: EngineDocument, source: str) -> int:
    try:
        return load_prices(document.market).steps
    except SpecError as error:
        raise RefusedError(f"{source}: spec.{error}") from error


def _describe(document: EngineDocument, written: EngineDocument, pages: Pages) -> str:
    replay, own = document.market.feed.replay, written.market.feed.replay
    pace = f"at {replay.speed:g} steps/s" if replay.speed else "as fast as it can"
    changed = []
    if replay.speed != own.speed:
        changed.append(f"{own.speed:g} steps/s" if own.speed else "full speed")
    if replay.loop != own.loop:
        changed.append("looped" if own.loop else "once")
    on_a_cluster = f" (on a cluster: {', '.join(changed)})" if changed else ""
    lines = describe_surroundings(document, written)
    lines.append(f"replays {replay.data} {'again and again' if replay.loop else 'once'} {pace}{on_a_cluster}")
    lines.append(f"engine http://127.0.0.1:{pages.engine_port}/status")
    if pages.observer_port is not None:
        lines[-1] += f", health and history in a browser http://127.0.0.1:{pages.observer_port}/"
    return "\n".join(lines)
