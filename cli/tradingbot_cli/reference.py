"""Writes the reference page of the command line from its commands, or compares it (--check): ``python -m tradingbot_cli.reference``."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from tradingbot_cli.commands import SECTIONS, VERBS, tradingbot
from tradingbot_operator.generated_files import write_or_compare

ROOT: Final = Path(__file__).resolve().parents[2]
_NOTICE: Final = "Generated from the commands by `python -m tradingbot_cli.reference`; changes here are overwritten."
_INTRODUCTION: Final = (
    "`tradingbot` and `kubectl tradingbot` are one program. It finds a cluster as kubectl does: `--kubeconfig`, `KUBECONFIG`, "
    "`~/.kube/config`, and in a pod its service account. A bot is named as `NAME` or `tb/NAME`. Results go to standard output, what is "
    "waited for and errors to standard error; colours are for terminals only, and not where `NO_COLOR` is set."
)
_WIDTH: Final = 100
"""Of a line of usage: whoever writes the page may have a terminal of any width."""
_EXIT_CODES: Final = (
    ("0", "done"),
    ("1", "what was asked for could not be done, or is not so (no way to the cluster, no rights, not in time)"),
    ("2", "refused: the command line, the manifest, the change; or there is no such bot"),
    ("130", "stopped by Ctrl-C"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with ``--check`` only compare it; return the exit code."""
    return write_or_compare(ROOT, build_files, program="python -m tradingbot_cli.reference", description=__doc__, arguments=arguments)


def build_files() -> dict[str, str]:
    """Return the page, by its path in the checkout."""
    return {"docs/reference/cli.md": render_reference()}


def render_reference() -> str:
    """Return the page."""
    context = click.Context(tradingbot, info_name="tradingbot", terminal_width=_WIDTH)
    codes = "\n".join(["| exit code | |", "|---|---|", *(f"| {code} | {meaning} |" for code, meaning in _EXIT_CODES)])
    parts = ["# Command line", f"<!-- {_NOTICE} -->", _INTRODUCTION, codes]
    for section in SECTIONS:
        parts.append(f"## {section}")
        for name, verb in VERBS.items():
            command = tradingbot.get_command(context, name)
            if verb.section == section and command is not None:
                parts += _describe(command, click.Context(command, info_name=name, parent=context))
    return "\n\n".join(parts) + "\n"


def _describe(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"### {context.command_path}"
    yield f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```"
    yield from _paragraphs(command.help or "")
    rows = [_row(each, context) for each in command.params if isinstance(each, click.Option) and not each.hidden]
    if rows:
        yield "\n".join(["| option | |", "|---|---|", *rows])


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        head, is_verbatim, lines = paragraph.partition("\b\n")
        if is_verbatim and not head:
            title, _, examples = lines.partition("\n")
            yield title
            yield f"```sh\n{textwrap.dedent(examples)}\n```"
        else:
            yield " ".join(paragraph.split())


def _row(option: click.Option, context: click.Context) -> str:
    names, text = option.get_help_record(context) or ("", "")
    return "| `{}` | {} |".format(*(each.replace("|", r"\|") for each in (names, text)))


if __name__ == "__main__":
    sys.exit(main())
