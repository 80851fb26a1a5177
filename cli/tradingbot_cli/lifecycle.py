"""Pauses, resumes and stops a bot: one field of its spec, and what comes of it."""

from __future__ import annotations

from typing import Final

import click
from msgspec import Struct

from tradingbot_cli.bot_view import read_view
from tradingbot_cli.cluster import connect
from tradingbot_cli.connection import Target
from tradingbot_cli.expectations import until_state
from tradingbot_cli.output import Format, show_structure
from tradingbot_cli.waiting import wait_until
from tradingbot_operator.operations import LifecycleState

DONE: Final = {LifecycleState.RUNNING: "resumed", LifecycleState.PAUSED: "paused", LifecycleState.STOPPED: "stopped"}
"""What has been done, in one word."""


class Changed(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a command has done to a bot, for programs."""

    namespace: str
    name: str
    state: str
    generation: int
    changed: bool
    dry_run: bool


def set_state(name: str, state: LifecycleState, *, target: Target, dry_run: str, wait: bool, timeout: float, output: Format) -> None:
    """Set `lifecycle.state` of a bot, and say so.

    Raises:
        RefusedError: there is no such bot, or the API server refuses the change.
        FailedError: it was to be waited for and did not come about.
    """
    cluster = connect(target)
    before = read_view(cluster.read_bot(name))
    is_rehearsal = dry_run == "server"
    body = cluster.patch_bot(name, {"spec": {"lifecycle": {"state": state.value}}}, dry_run=is_rehearsal)
    changed = before.state != state.value
    if wait and not is_rehearsal:
        wait_until(f"{name} is to be {state.value}", lambda: until_state(read_view(cluster.read_bot(name)), state), timeout_seconds=timeout)
    after = read_view(body)
    if not output.is_for_people:
        generation = after.generation if not is_rehearsal else before.generation
        result = Changed(
            namespace=after.namespace, name=name, state=state.value, generation=generation, changed=changed, dry_run=is_rehearsal
        )
        show_structure(output, result)
        return
    rehearsal = " (server dry run: nothing is changed)" if is_rehearsal else ""
    unchanged = "" if changed else f" already, by lifecycle.state {state.value}"
    click.echo(f"{name} {DONE[state]}{unchanged}{rehearsal}")
    if changed and not wait and not is_rehearsal:
        click.echo(f"the engines follow: --wait says when, tradingbot status {name} -n {after.namespace} how far it is", err=True)
