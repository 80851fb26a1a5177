"""The verbs of ``tradingbot``: one module each, imported when it is asked for.

The help of the whole is printed from the table here, so it imports none of them (a test holds the table against the commands).
"""

from __future__ import annotations

import importlib
from typing import Final, NamedTuple

import click
from click.shell_completion import CompletionItem

IN_A_CLUSTER: Final = "In a cluster"
ON_THIS_MACHINE: Final = "On this machine"
ABOUT: Final = "About the command itself"
SECTIONS: Final = (IN_A_CLUSTER, ON_THIS_MACHINE, ABOUT)


class Verb(NamedTuple):
    """A command: where it stands in the help, and its one line there, which is the first of its own help."""

    section: str
    help: str


VERBS: Final = {
    "list": Verb(IN_A_CLUSTER, "List bots: how each is, and why."),
    "status": Verb(IN_A_CLUSTER, "Show a bot: conditions, engines, findings, remediation."),
    "explain": Verb(IN_A_CLUSTER, "Say why a bot is in its state, and what comes next."),
    "logs": Verb(IN_A_CLUSTER, "Print the logs of a bot's engines, or of its observers."),
    "orders": Verb(IN_A_CLUSTER, "Show a bot's newest orders, with price, fee and profit."),
    "equity": Verb(IN_A_CLUSTER, "Plot a bot's equity, with its drawdown beneath."),
    "report": Verb(IN_A_CLUSTER, "Write a bot's report as one HTML file."),
    "support-bundle": Verb(IN_A_CLUSTER, "Pack what is needed to help with a bot, without secrets."),
    "pause": Verb(IN_A_CLUSTER, "Let a bot open nothing; it may still sell."),
    "resume": Verb(IN_A_CLUSTER, "Let a paused or stopped bot trade again."),
    "stop": Verb(IN_A_CLUSTER, "End a bot's engines; journal and positions stay."),
    "restart": Verb(IN_A_CLUSTER, "Restart a bot's engines, one at a time."),
    "tune": Verb(IN_A_CLUSTER, "Change fields of the spec: pools, caches, memory, limits."),
    "new": Verb(ON_THIS_MACHINE, "Write a strategy with its test and a manifest."),
    "backtest": Verb(ON_THIS_MACHINE, "Play a bot over its prices at full speed, with statistics."),
    "run": Verb(ON_THIS_MACHINE, "Run a bot here: the same resource, engine and observer."),
    "validate": Verb(ON_THIS_MACHINE, "Check a file: fields, bounds, and rules between fields."),
    "completion": Verb(ABOUT, "Print the completion script of a shell."),
}
"""By name. The module of a verb has its name, with _ for -, and its command is called `command`."""


class LazyGroup(click.Group):
    """A group whose commands are imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return [*VERBS]  # the module of the verb `list` has taken that name here

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"{__name__}.{cmd_name.replace('-', '_')}")
        found: click.Command = module.command
        return found

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of a line.

        Raises:
            UsageError: there is none of this name; the message has the nearest.
        """
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from tradingbot_cli.bot_names import nearest  # noqa: PLC0415 - only a mistake needs it

            guess = nearest(args[0], [*VERBS])
            ctx.fail(f"there is no command {args[0]!r}{f': did you mean {guess}?' if guess else ''}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the verbs that a word may become, with their line of help, and options."""
        verbs = [CompletionItem(name, help=verb.help) for name, verb in VERBS.items() if name.startswith(incomplete)]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        for section in SECTIONS:
            rows = [(name, verb.help) for name, verb in VERBS.items() if verb.section == section]
            if rows:
                with formatter.section(section):
                    formatter.write_dl(rows)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="tradingbot", message="%(prog)s %(version)s")
def tradingbot() -> None:
    """Trading bots: those of a cluster, and on this machine, without one, from the same manifests."""
