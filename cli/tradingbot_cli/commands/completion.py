"""``tradingbot completion``: what a shell needs to complete commands, options and names of bots."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

from tradingbot_cli.commands import tradingbot

_NAME: Final = "tradingbot"
_VARIABLE: Final = "_TRADINGBOT_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    For example, in ~/.bashrc: source <(tradingbot completion bash). `kubectl tradingbot` is completed by kubectl's own completion, which
    asks the program kubectl_complete-tradingbot that is installed beside this one.
    """
    kind = get_completion_class(shell)
    assert kind is not None, "click completes these shells"
    click.echo(kind(tradingbot, {}, _NAME, _VARIABLE).source())
