"""HTML that can't hold what somebody else wrote: text becomes markup only by being escaped.

A symbol, an account or a message of an exchange may hold anything. So text and :class:`Markup` are different types: a plain string
that is put into an element is escaped there, and only what this module has made is not.
"""

from __future__ import annotations

from html import escape as _escape
from typing import Final

_VOID: Final = {"circle", "path"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, *content: str, **attributes: str | float | None) -> Markup:
    """Return an element with its content, escaped where it is text.

    An attribute `data_x` is ``data-x``, `class_` is ``class``; one that is None is left out.
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escape(str(value))}"' for key, value in attributes.items() if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{said}/>")
    return Markup(f"<{name}{said}>{join(*content)}</{name}>")


def join(*content: str) -> Markup:
    """Return all of it one after another, escaped where it is text."""
    return Markup("".join(part if isinstance(part, Markup) else _escape(part) for part in content))
