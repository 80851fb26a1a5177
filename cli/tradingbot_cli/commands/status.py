"""``tradingbot status``: everything that is known of one bot."""

from __future__ import annotations

import time

import click

from tradingbot_cli.bot_report import Section, build_head, build_sections, build_structure
from tradingbot_cli.bot_view import read_view
from tradingbot_cli.cluster import connect
from tradingbot_cli.connection import Target
from tradingbot_cli.options import EXIT_CODES, Bot, cluster_options, output_option
from tradingbot_cli.output import Format, Tone, paint, render_table, show_structure, wrap
from tradingbot_cli.words import PHASE_TONES


@click.command("status", epilog=EXIT_CODES)
@Bot
@cluster_options()
@output_option()
def command(name: str, *, target: Target, output: Format) -> None:
    """Show a bot: conditions, engines, findings, remediation.

    It prints what the operator has written into the bot's status: conditions with their reasons, engines with their pods, what the
    observers find, how the last change arrived, the last ten steps of remediation with what was known, the budget, and how engines ended.
    """
    bot, now = read_view(connect(target).read_bot(name)), time.time()
    if not output.is_for_people:
        show_structure(output, build_structure(bot, now))
        return
    phase = bot.status.phase
    click.echo(f"{paint(bot.name, Tone.STRONG)} in {bot.namespace}: {paint(bot.phase, PHASE_TONES[phase] if phase else Tone.QUIET)}")
    for line in build_head(bot, now):
        click.echo(wrap(line, indent="  "))
    for section in build_sections(bot, now):
        _print(section)


def _print(section: Section) -> None:
    click.echo(f"\n{paint(section.title, Tone.STRONG)}{f': {section.note}' if section.note else ''}")
    if section.table is None:
        return
    head, *rows = render_table(section.table)
    click.echo(f"  {head}")
    for number, row in enumerate(rows):
        click.echo(f"  {row}")
        if section.details:
            click.echo(paint(wrap(section.details[number], indent="    "), Tone.QUIET))
