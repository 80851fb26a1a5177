"""``tradingbot restart``: a new process for a bot's engines, as the roll-out does it."""

from __future__ import annotations

import datetime as dt
from typing import Final

import click

from tradingbot_cli.bot_view import BotView, read_view
from tradingbot_cli.cluster import Cluster, connect
from tradingbot_cli.connection import Target
from tradingbot_cli.errors import RefusedError
from tradingbot_cli.expectations import until_restarted
from tradingbot_cli.options import DRY_RUN, EXIT_CODES, TIMEOUT, Bot, Change, cluster_options
from tradingbot_cli.shard_names import choose_pods
from tradingbot_cli.waiting import wait_until
from tradingbot_operator.names import RESTART_REQUEST
from tradingbot_operator.pod_facts import read_pod_facts
from tradingbot_operator.world import PodFacts

_NO_POD: Final = "has no pod to restart"


@click.command("restart", cls=Change, epilog=EXIT_CODES)
@Bot
@cluster_options()
@click.option("--shard", help="Only this engine: its number, or the name of its pod.")
@DRY_RUN
@click.option("--wait", is_flag=True, help="Follow the roll-out until every new engine is ready.")
@TIMEOUT
def command(name: str, *, target: Target, shard: str | None, dry_run: str, wait: bool, timeout: float) -> None:
    """Restart a bot's engines, one at a time.

    It gives the annotation tradingbot.dev/restart a new value; the operator then replaces one pod after the other, and while positions are
    open as spec.lifecycle.updatePolicy says. It costs none of the budget of remediation, and ends a quarantine. With --shard the annotation
    of one pod is changed instead, and only that one is replaced.
    """
    cluster = connect(target)
    bot = read_view(cluster.read_bot(name))
    pods = choose_pods(name, _pods(cluster, name), shard)
    if not pods:
        raise RefusedError(f"{name} {_NO_POD}: it is {bot.phase} ({bot.status.message or 'no operator has looked at it yet'})")
    stamp = {"metadata": {"annotations": {RESTART_REQUEST: f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%S.%fZ}"}}}
    is_rehearsal = dry_run == "server"
    if shard is None:
        cluster.patch_bot(name, stamp, dry_run=is_rehearsal)
    else:
        cluster.patch_pod(pods[0].name, stamp, dry_run=is_rehearsal)
    names = ", ".join(pod.name for pod in pods)
    if is_rehearsal:
        click.echo(f"{names} would be restarted (server dry run: nothing is changed)")
        return
    if wait:
        before = {pod.name: pod.uid for pod in pods}

        def look() -> str:
            return until_restarted(_read(cluster, name), _pods(cluster, name), before)

        wait_until(f"{name} is to be restarted", look, timeout_seconds=timeout)
        click.echo(f"{names} restarted")
        return
    click.echo(f"restart of {names} requested")
    click.echo(
        f"one pod after the other is replaced: --wait follows it, tradingbot explain {name} -n {bot.namespace} says why it waits", err=True
    )


def _read(cluster: Cluster, name: str) -> BotView:
    return read_view(cluster.read_bot(name))


def _pods(cluster: Cluster, name: str) -> list[PodFacts]:
    return [pod for pod in (read_pod_facts(body) for body in cluster.list_pods(name)) if not pod.terminating]
