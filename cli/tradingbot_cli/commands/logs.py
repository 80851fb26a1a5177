"""``tradingbot logs``: what the engines of a bot, or their observers, have written, side by side."""

from __future__ import annotations

from functools import partial

import click

from tradingbot_cli.bot_view import read_view
from tradingbot_cli.cluster import connect
from tradingbot_cli.connection import Target
from tradingbot_cli.errors import RefusedError
from tradingbot_cli.log_lines import Log, print_logs
from tradingbot_cli.options import EXIT_CODES, Bot, cluster_options
from tradingbot_cli.shard_names import choose_pods
from tradingbot_contract.endpoints import ENGINE_CONTAINER, OBSERVER_CONTAINER
from tradingbot_operator.pod_facts import read_pod_facts


@click.command("logs", epilog=EXIT_CODES)
@Bot
@cluster_options()
@click.option("--shard", help="Only this engine: its number, or the name of its pod.")
@click.option(
    "-c",
    "--container",
    type=click.Choice([ENGINE_CONTAINER, OBSERVER_CONTAINER]),
    default=ENGINE_CONTAINER,
    show_default=True,
    help="Whose log.",
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option("-p", "--previous", is_flag=True, help="Of the container before the last restart in the same pod.")
@click.option("--tail", type=click.IntRange(0), help="Only so many of the last lines, of each engine.")
def command(name: str, *, target: Target, shard: str | None, container: str, follow: bool, previous: bool, tail: int | None) -> None:
    """Print the logs of a bot's engines, or of its observers.

    Where there is more than one engine, each line begins with the name of its pod.

    \b
    For example:
      tradingbot logs trend -f
      tradingbot logs trend --previous --tail 50
    """  # noqa: D301 - a backspace is how click is told to leave lines as they are
    cluster = connect(target)
    bot = read_view(cluster.read_bot(name))
    pods = choose_pods(name, [read_pod_facts(body) for body in cluster.list_pods(name)], shard)
    if not pods:
        raise RefusedError(
            f"{name} has no pod and so no log: it is {bot.phase} ({bot.status.message or 'no operator has looked at it yet'})"
        )
    query = {"container": container, "follow": str(follow).lower(), "previous": str(previous).lower()}
    if tail is not None:
        query["tailLines"] = str(tail)
    print_logs([Log(pod.name, partial(cluster.read_log, pod.name, **query)) for pod in pods], together=follow)
