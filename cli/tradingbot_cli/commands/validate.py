"""``tradingbot validate``: what the API server would say of a file, without one."""

from __future__ import annotations

from typing import IO, Final

import click

from tradingbot_cli.manifest import MANIFEST, parse_bots, read_manifest

_EXIT_CODES: Final = """\b
Exit codes:
  0    every TradingBot of the file is valid
  2    one is not, or the file has none
"""


@click.command("validate", epilog=_EXIT_CODES)
@MANIFEST
def command(manifest: IO[str]) -> None:
    """Check a file: fields, bounds, and rules between fields.

    MANIFEST is a YAML file, or - for standard input; no cluster is needed. What only the engine knows, such as its strategies and
    prices, is not checked.
    """
    for bot in parse_bots(read_manifest(manifest), manifest.name):
        click.echo(f"{manifest.name}: {bot.metadata.name} is valid")
