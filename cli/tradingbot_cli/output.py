"""How results are printed: a table as kubectl prints one, or the structure behind it as JSON or YAML.

Colour is only for a terminal, and only where NO_COLOR is not set. A table has no lines but its own: what a person sees, a program can
cut into columns.
"""

from __future__ import annotations

import enum
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import click
import msgspec
import yaml
from msgspec import Struct

_GAP: Final = "   "
_INDENT: Final = 2
_LEAST_WIDTH: Final = 60


class Format(enum.Enum):
    """How to print a result."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"

    @property
    def is_for_people(self) -> bool:
        """Whether it is text, and not a structure. What has no more to show is the same as a wide table."""
        return self in {Format.TABLE, Format.WIDE}


class Tone(enum.Enum):
    """What a text is about, for people who see colours."""

    PLAIN = ""
    GOOD = "green"
    DOUBTFUL = "yellow"
    BAD = "red"
    QUIET = "bright_black"
    STRONG = "bold"


class Cell(Struct, frozen=True):
    """A text with its tone."""

    text: str
    tone: Tone = Tone.PLAIN


class Column(Struct, frozen=True):
    """The head of a column."""

    title: str
    wide: bool = False
    """Whether it is shown with -o wide only."""


class Table(Struct, frozen=True):
    """Rows of cells, one for each column."""

    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]


def show(output: Format, value: Any, table: Callable[[], Table]) -> None:
    """Print a result: the structure as JSON or YAML, or else the table that is made of it."""
    if output.is_for_people:
        for line in render_table(table(), wide=output is Format.WIDE):
            click.echo(line)
    else:
        show_structure(output, value)


def show_structure(output: Format, value: Any) -> None:
    """Print a structure as JSON or YAML."""
    plain = msgspec.to_builtins(value)
    if output is Format.YAML:
        click.echo(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=140), nl=False)
    else:
        click.echo(msgspec.json.format(msgspec.json.encode(plain), indent=_INDENT).decode())


def render_table(table: Table, *, wide: bool = False, head: bool = True, widths: Sequence[int] = ()) -> list[str]:
    """Return the lines of a table.

    Args:
        table: The table.
        wide: Whether to show all columns.
        head: Whether the titles come first.
        widths: Least width of each column that is shown, for rows that are printed later under the same head.
    """
    shown = _shown(table, wide=wide)
    titles = [Cell(table.columns[number].title, Tone.STRONG) for number in shown]
    lines = [titles, *([row[number] for number in shown] for row in table.rows)]
    needed = column_widths(table, wide=wide)
    final = [max(width, least) for width, least in zip(needed, [*widths, *[0] * (len(needed) - len(widths))], strict=True)]
    return [_line(line, final) for line in (lines if head else lines[1:])]


def column_widths(table: Table, *, wide: bool = False) -> list[int]:
    """Return how wide each column that is shown has to be."""
    return [max(len(table.columns[n].title), *(len(row[n].text) for row in table.rows), 0) for n in _shown(table, wide=wide)]


def wrap(text: str, *, indent: str) -> str:
    """Return a sentence, indented; on a terminal broken between words, where it would be broken anywhere otherwise."""
    if not sys.stdout.isatty():
        return indent + text
    width = max(_LEAST_WIDTH, shutil.get_terminal_size().columns)
    return textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False, break_on_hyphens=False
    )


def paint(text: str, tone: Tone) -> str:
    """Return a text in the colour of its tone, where colours are seen."""
    if tone is Tone.PLAIN or not has_colour():
        return text
    return click.style(text, bold=True) if tone is Tone.STRONG else click.style(text, fg=tone.value)


def has_colour() -> bool:
    """Return whether standard output shows colours and whoever reads it wants them."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _shown(table: Table, *, wide: bool) -> list[int]:
    return [number for number, column in enumerate(table.columns) if wide or not column.wide]


def _line(cells: Iterable[Cell], widths: Sequence[int]) -> str:
    *most, last = zip(cells, widths, strict=True)
    # The last one is not filled up: no line ends with blanks.
    padded = [paint(cell.text, cell.tone) + " " * (width - len(cell.text)) for cell, width in most]
    return _GAP.join([*padded, paint(last[0].text, last[0].tone)]).rstrip()
