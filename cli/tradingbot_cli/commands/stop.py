"""``tradingbot stop``: `lifecycle.state` Stopped."""

from __future__ import annotations

import click

from tradingbot_cli.connection import Target
from tradingbot_cli.lifecycle import set_state
from tradingbot_cli.options import DRY_RUN, EXIT_CODES, TIMEOUT, Bot, Change, cluster_options, output_option
from tradingbot_cli.output import Format
from tradingbot_operator.operations import LifecycleState


@click.command("stop", cls=Change, epilog=EXIT_CODES)
@Bot
@cluster_options()
@DRY_RUN
@click.option("--wait", is_flag=True, help="Wait until the engines are so.")
@TIMEOUT
@output_option()
def command(name: str, *, target: Target, dry_run: str, wait: bool, timeout: float, output: Format) -> None:
    """End a bot's engines; journal and positions stay.

    There is no pod then; journal and volume stay, and so do open positions, which nobody watches: see whether there are any first
    (tradingbot status).
    """
    set_state(name, LifecycleState.STOPPED, target=target, dry_run=dry_run, wait=wait, timeout=timeout, output=output)
