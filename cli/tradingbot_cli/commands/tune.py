"""``tradingbot tune``: changes fields of a bot's spec, says beforehand what comes of it, and afterwards whether every engine runs it."""

from __future__ import annotations

import time

import click
from click.shell_completion import CompletionItem
from msgspec import Struct

from tradingbot_cli.bot_view import BotView, read_view
from tradingbot_cli.cluster import Cluster, connect
from tradingbot_cli.connection import Target
from tradingbot_cli.expectations import until_tuned
from tradingbot_cli.options import DRY_RUN, EXIT_CODES, TIMEOUT, Bot, Change, cluster_options, output_option
from tradingbot_cli.output import Format, render_table, show_structure
from tradingbot_cli.spec_fields import build_patch, field_names, parse_assignment
from tradingbot_cli.tune_plan import FieldChange, Needs, TunePlan, build_changes, describe_memory, describe_restart, plan_tuning
from tradingbot_cli.waiting import wait_until


class Tuned(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the command did, for programs."""

    namespace: str
    name: str
    generation: int
    dry_run: bool
    applied: bool
    """Whether every engine runs it."""
    restarts: bool
    changes: tuple[FieldChange, ...]
    memory: Needs


def _complete_field(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(f"{name}=") for name in field_names() if name.startswith(incomplete)]


@click.command("tune", cls=Change, epilog=EXIT_CODES)
@Bot
@click.argument("fields", nargs=-1, required=True, metavar="FIELD=VALUE...", shell_complete=_complete_field)
@cluster_options()
@DRY_RUN
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until every engine runs it.")
@TIMEOUT
@output_option()
def command(name: str, fields: tuple[str, ...], *, target: Target, dry_run: str, wait: bool, timeout: float, output: Format) -> None:
    """Change fields of the spec: pools, caches, memory, limits.

    \b
    For example:
      tradingbot tune trend database.pool.size=10 cache.memoryLimit=200Mi --dry-run
      tradingbot tune trend market.symbols=AAPL,MSFT strategy.parameters.fastPeriod=7

    FIELD is one of the spec (kubectl explain tb.spec), VALUE is checked against it; FIELD= brings the default back. The command shows what
    changes, what of it is followed live and what needs new pods, and the memory that the engine then needs; with --dry-run the API server
    says whether its rules allow it, and that is all.
    """  # noqa: D301 - a backspace is how click is told to leave lines as they are
    patch = build_patch(parse_assignment(field) for field in fields)
    cluster = connect(target)
    body = cluster.read_bot(name)
    plan = plan_tuning(body, patch)
    is_rehearsal = dry_run == "server"
    after = read_view(cluster.patch_bot(name, {"spec": patch}, dry_run=is_rehearsal))
    is_table = output.is_for_people
    if is_table:
        _print_plan(name, plan)
    applied = False
    if plan.changes and wait and not is_rehearsal:
        applied = _wait(cluster, after, timeout, is_table=is_table)
    if not is_table:
        tuned = Tuned(
            namespace=after.namespace,
            name=name,
            generation=after.generation,
            dry_run=is_rehearsal,
            applied=applied,
            restarts=plan.restarts,
            changes=plan.changes,
            memory=plan.memory,
        )
        show_structure(output, tuned)
    elif is_rehearsal:
        click.echo("the API server's rules allow it (server dry run: nothing is changed)")


def _print_plan(name: str, plan: TunePlan) -> None:
    if not plan.changes:
        click.echo(f"{name} is so already: nothing changes")
        return
    restart = describe_restart(plan)
    for line in (*render_table(build_changes(plan)), "", describe_memory(plan.memory), *([restart] if restart else [])):
        click.echo(line)


def _wait(cluster: Cluster, asked: BotView, timeout: float, *, is_table: bool) -> bool:
    started = time.monotonic()
    wait_until(
        f"generation {asked.generation} is to run", lambda: until_tuned(read_view(cluster.read_bot(asked.name))), timeout_seconds=timeout
    )
    if is_table:
        click.echo(f"every engine runs generation {asked.generation}, after {time.monotonic() - started:.1f} s")
    return True
