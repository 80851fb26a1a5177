"""``tradingbot pause``: `lifecycle.state` Paused."""

from __future__ import annotations

import click

from tradingbot_cli.connection import Target
from tradingbot_cli.lifecycle import set_state
from tradingbot_cli.options import DRY_RUN, EXIT_CODES, TIMEOUT, Bot, Change, cluster_options, output_option
from tradingbot_cli.output import Format
from tradingbot_operator.operations import LifecycleState


@click.command("pause", cls=Change, epilog=EXIT_CODES)
@Bot
@cluster_options()
@DRY_RUN
@click.option("--wait", is_flag=True, help="Wait until the engines are so.")
@TIMEOUT
@output_option()
def command(name: str, *, target: Target, dry_run: str, wait: bool, timeout: float, output: Format) -> None:
    """Let a bot open nothing; it may still sell.

    Purchases are not sent, waiting ones are cancelled; the strategy goes on and may sell. Engines stay up; nothing is restarted.
    """
    set_state(name, LifecycleState.PAUSED, target=target, dry_run=dry_run, wait=wait, timeout=timeout, output=output)
