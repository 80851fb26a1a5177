"""What the commands for a cluster have in common on the command line: which cluster, which bot, how to print it.

A command that takes :func:`cluster_options` gets a :class:`~tradingbot_cli.connection.Target` as `target`; nothing of a cluster is
imported before it is asked for.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, ClassVar, Final, TypeVar

import click
from click.shell_completion import CompletionItem

from tradingbot_cli.errors import RefusedError
from tradingbot_cli.output import Format

Command = TypeVar("Command", bound=Callable[..., Any])

EXIT_CODES: Final = """\b
Exit codes:
  0    done
  1    it could not be done, or is not so
  2    the command line or the change is refused, or there is no such bot
  130  stopped by Ctrl-C
"""
COMPLETION_SECONDS: Final = 2.0
"""How long a shell may wait for names of bots."""


class BotName(click.ParamType[str]):
    """A bot, as NAME or tb/NAME."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002 - the signature is click's
        from tradingbot_cli.bot_names import parse_bot_name  # noqa: PLC0415 - a command line that needs none is quicker

        return parse_bot_name(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - as above
        prefix = incomplete[: incomplete.rfind("/") + 1]
        names = _bot_names(ctx.params)
        return [CompletionItem(prefix + name) for name in names if name.startswith(incomplete.removeprefix(prefix))]


Bot = click.argument("name", type=BotName(), metavar="NAME")
"""The bot that a command is about."""


def cluster_options(*, all_namespaces: bool = False) -> Callable[[Command], Command]:
    """Return a decorator that adds --namespace, --context and --kubeconfig, and gives the command one `target` in their place.

    Args:
        all_namespaces: Whether the command also takes -A.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def run(*args: Any, namespace: str | None, context: str | None, kubeconfig: str | None, **kwargs: Any) -> Any:
            from tradingbot_cli.connection import Target  # noqa: PLC0415 - the client takes a while to import

            everywhere = bool(kwargs.pop("all_namespaces", False))
            target = Target(kubeconfig=kubeconfig, context=context, namespace=namespace, all_namespaces=everywhere)
            return command(*args, target=target, **kwargs)

        options = [
            click.option("-n", "--namespace", help="Namespace of the bot (default: the context's)."),
            click.option("--context", help="Context of the kubeconfig (default: its current one)."),
            click.option("--kubeconfig", type=click.Path(), help="File with the cluster's address (default: as kubectl finds it)."),
        ]
        if all_namespaces:
            options.insert(1, click.option("-A", "--all-namespaces", is_flag=True, help="Bots of all namespaces."))
        decorated: Any = run
        for option in reversed(options):
            decorated = option(decorated)
        return decorated  # type: ignore[no-any-return]  # decorators of click return what they get

    return decorate


def output_option(*formats: Format) -> Callable[[Command], Command]:
    """Return a decorator that adds -o/--output, of some formats; none named: all."""
    names = [each.value for each in (formats or tuple(Format))]

    def parse(_: click.Context, __: click.Parameter, value: str) -> Format:
        return Format(value)

    return click.option(
        "-o", "--output", type=click.Choice(names), default=names[0], callback=parse, help="How to print it.", show_default=True
    )


class Duration(click.ParamType[float]):
    """A time as kubectl takes it: 30, 30s, 5m, 1h; in seconds."""

    name = "duration"
    _UNITS: ClassVar[dict[str, float]] = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", str(value))
        if found is None:
            self.fail(f"{value!r} is no duration: give 30s, 5m or 1h", param, ctx)
        return float(found[1]) * self._UNITS[found[2]]


class Change(click.Command):
    """A command that changes something: --dry-run alone means --dry-run=server, and does not swallow the word after it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, ["--dry-run=server" if word == "--dry-run" else word for word in args])


DRY_RUN = click.option(
    "--dry-run",
    type=click.Choice(["none", "server"]),
    default="none",
    help="server, or no value: the API server checks the change by its rules and stores nothing.",
)
"""Beside every change, as with kubectl."""
TIMEOUT = click.option("--timeout", type=Duration(), default="120s", show_default=True, help="How long to wait at most.")


def _bot_names(given: dict[str, Any]) -> list[str]:
    """Return the names of bots for a shell; none where the cluster does not answer quickly, because nobody reads an error there."""
    from tradingbot_cli.cluster import Cluster  # noqa: PLC0415 - the client takes a while to import
    from tradingbot_cli.connection import Connection, Target  # noqa: PLC0415 - as above
    from tradingbot_cli.errors import FailedError  # noqa: PLC0415 - as above

    target = Target(kubeconfig=given.get("kubeconfig"), context=given.get("context"), namespace=given.get("namespace"))
    try:
        bots = Cluster(Connection(target, patience_seconds=COMPLETION_SECONDS)).list_bots()
    except (FailedError, RefusedError):
        return []
    return [bot["metadata"]["name"] for bot in bots]
