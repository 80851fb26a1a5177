"""Tables and tiles of a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tradingbot_observer.page.markup import Markup, element, join


class Cell(NamedTuple):
    """What stands in a field of a table."""

    text: str
    css: str | None = None
    title: str | None = None


def render_table(head: Sequence[str], rows: Iterable[Sequence[Cell]], *, numbers: Sequence[int] = (), css: str | None = None) -> Markup:
    """Return a table; the columns in `numbers` stand to the right."""
    top = element("tr", *(element("th", title, class_="number" if place in numbers else None) for place, title in enumerate(head)))
    body = [element("tr", *(_field(cell, is_number=place in numbers) for place, cell in enumerate(row))) for row in rows]
    table = element("table", element("thead", top) if any(head) else "", element("tbody", *body), class_=css)
    return element("div", table, class_="wide")


def render_figures(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """Return names with their figures."""
    return render_table(head, [[Cell(text) for text in row] for row in rows], css="figures")


def render_tile(label: str, figure: str, note: str = "", css: str | None = None) -> Markup:
    """Return a figure that is read first."""
    return element("div", element("span", label), element("b", figure, class_=css), element("span", note) if note else "", class_="tile")


def render_section(title: str, *content: str, note: str = "", css: str | None = None) -> Markup:
    """Return a part of the report under its title."""
    return element("section", element("h2", title, element("small", note) if note else ""), join(*content), class_=css)


def _field(cell: Cell, *, is_number: bool) -> Markup:
    css = " ".join(filter(None, ("number" if is_number else None, cell.css)))
    return element("td", cell.text, class_=css or None, title=cell.title)
