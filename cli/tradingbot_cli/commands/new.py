"""``tradingbot new``: a strategy of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from tradingbot_cli.scaffold.files import build_files, write_files
from tradingbot_cli.scaffold.strategy_name import parse_strategy_name

_EXIT_CODES: Final = """\b
Exit codes:
  0    done
  2    the name can't be one, or a file is there already
"""


@click.command("new", epilog=_EXIT_CODES)
@click.argument("name")
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), help="Folder to write into (default: one of the NAME).")
def command(name: str, *, directory: Path | None) -> None:
    """Write a strategy with its test and a manifest.

    NAME is like mean-reversion. Four files come of it: the strategy, typed and ready to trade; a test that plays it with the engine's own
    classes; a manifest that uses it; and a README with the commands. Nothing that is there is overwritten.
    """
    found = parse_strategy_name(name)
    folder = directory or Path(found.bot)
    texts = build_files(found)
    write_files(texts, folder)
    for file in texts:
        click.echo(folder / file)
    manifest = folder / f"{found.bot}.yaml"
    click.echo(f"\nnext: python -m pytest {folder}, then tradingbot backtest {manifest}")
