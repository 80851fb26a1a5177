"""``tradingbot resume``: `lifecycle.state` Running."""

from __future__ import annotations

import click

from tradingbot_cli.connection import Target
from tradingbot_cli.lifecycle import set_state
from tradingbot_cli.options import DRY_RUN, EXIT_CODES, TIMEOUT, Bot, Change, cluster_options, output_option
from tradingbot_cli.output import Format
from tradingbot_operator.operations import LifecycleState


@click.command("resume", cls=Change, epilog=EXIT_CODES)
@Bot
@cluster_options()
@DRY_RUN
@click.option("--wait", is_flag=True, help="Wait until the engines are so.")
@TIMEOUT
@output_option()
def command(name: str, *, target: Target, dry_run: str, wait: bool, timeout: float, output: Format) -> None:
    """Let a paused or stopped bot trade again.

    A paused one goes on at once. A stopped one gets its pods again, with the journal and the positions that it left.
    """
    set_state(name, LifecycleState.RUNNING, target=target, dry_run=dry_run, wait=wait, timeout=timeout, output=output)
