"""Elements of SVG as text, in the colours of Grafana's dark theme."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

BACKGROUND: Final = "#111217"
CARD: Final = "#181b1f"
BORDER: Final = "#25282e"
TEXT: Final = "#ccccdc"
FAINT: Final = "#8e8e99"
GRID: Final = "#26292f"
FONT: Final = "Inter, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"
_NAMED: Final[Mapping[str, str]] = {
    "green": "#73bf69",
    "yellow": "#f2cc0c",
    "orange": "#ff9830",
    "red": "#f2495c",
    "blue": "#5794f2",
    "purple": "#b877d9",
    "text": FAINT,
}
_PALETTE: Final = (
    "#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0", "#37872d", "#fade2a",
    "#447ebc", "#c15c17", "#890f02", "#0a437c", "#6d1f62", "#584477",
)  # fmt: skip


def color(name: str) -> str:
    """Return a colour by the name that a dashboard gives it."""
    return _NAMED.get(name, name)


def palette(number: int) -> str:
    """Return the colour of a series by its number."""
    return _PALETTE[number % len(_PALETTE)]


def tag(name: str, content: str = "", **attributes: object) -> str:
    """Return an element; an underscore in the name of an attribute is a hyphen."""
    listed = "".join(f' {key.replace("_", "-")}="{escape(_number(value))}"' for key, value in attributes.items())
    return f"<{name}{listed}>{content}</{name}>" if content else f"<{name}{listed}/>"


def text(x: float, y: float, words: str, *, size: float = 12.0, fill: str = TEXT, anchor: str = "start", weight: int = 400) -> str:
    """Return a line of text; `y` is its base line."""
    return tag("text", escape(words), x=x, y=y, fill=fill, font_size=size, text_anchor=anchor, font_weight=weight)


def rectangle(x: float, y: float, width: float, height: float, fill: str, *, opacity: float = 1.0, radius: float = 0.0) -> str:
    return tag("rect", x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), fill=fill, fill_opacity=opacity, rx=radius)


def rule(x1: float, y1: float, x2: float, y2: float, stroke: str, *, width: float = 1.0, dash: str = "none", opacity: float = 1.0) -> str:
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width, stroke_dasharray=dash, stroke_opacity=opacity)


def text_width(words: str, size: float, *, bold: bool = False) -> float:
    """Return about how wide a text is in DejaVu Sans, the widest of the fonts that it may be shown in."""
    widths = (0.36 if letter in "iljtf.,:;|'! " else 0.92 if letter in "mwMW@%" else 0.62 for letter in words)
    return sum(widths) * size * (1.12 if bold else 1.0)


def shortened(words: str, size: float, width: float) -> str:
    """Return so much of a text as fits."""
    if text_width(words, size) <= width:
        return words
    while words and text_width(words + "…", size) > width:
        words = words[:-1]
    return words + "…"


def _number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
