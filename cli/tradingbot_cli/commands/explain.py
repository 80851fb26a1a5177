"""``tradingbot explain``: why a bot is in its state, and what the operator would do next."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

from tradingbot_cli.cluster import connect
from tradingbot_cli.connection import Target
from tradingbot_cli.explanation import Explanation, explain, explain_refused
from tradingbot_cli.options import EXIT_CODES, Bot, cluster_options, output_option
from tradingbot_cli.output import Format, Tone, paint, show_structure, wrap
from tradingbot_cli.situation import read_situation
from tradingbot_cli.words import PHASE_TONES, ago
from tradingbot_operator.bot_status import Phase


@click.command("explain", epilog=EXIT_CODES)
@Bot
@cluster_options()
@output_option()
def command(name: str, *, target: Target, output: Format) -> None:
    """Say why a bot is in its state, and what comes next.

    It gathers what the operator looks at (the resource, its children and pods, what the observers report at this moment, how the other
    bots are) and lets the operator's own judgement decide: which step would be next, which brake holds it back, and until when. What can't
    be had is listed; as for the operator, it counts as Unknown and causes nothing. An operator that judges by Prometheus may know less at
    this moment, which is said. Nothing is changed.
    """
    cluster = connect(target)
    situation = read_situation(cluster, name)
    world = situation.world
    found = explain_refused(situation, cluster.namespace, name) if world is None else explain(situation, world)
    if output.is_for_people:
        _print(found)
    else:
        show_structure(output, found)


def _print(found: Explanation) -> None:
    tone = next((PHASE_TONES[phase] for phase in Phase if phase.value == found.phase), Tone.QUIET)
    now = time.time()
    click.echo(f"{paint(found.name, Tone.STRONG)} in {found.namespace}: {paint(found.phase, tone)}")
    _print_part("Why", found.why)
    _print_part("What happened", [f"{ago(moment.time, now)}: {moment.text}" for moment in found.happened])
    _print_part("What the operator would do next", found.next)
    _print_part("What you can do", found.advice)
    _print_part("What is not known", found.unknown)


def _print_part(title: str, lines: Sequence[str]) -> None:
    if lines:
        click.echo(f"\n{paint(title, Tone.STRONG)}")
        for line in lines:
            click.echo(wrap(line, indent="  "))
