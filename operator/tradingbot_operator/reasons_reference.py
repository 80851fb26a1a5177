"""Renders the closed set of reasons for people.

What a word means is written beneath it in :mod:`tradingbot_operator.reasons`, as prose that Python does not keep: it is read from the
source, and a word without it is an error.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tradingbot_operator import reasons
from tradingbot_operator.notices import ASKED_FOR, ON_THE_WAY
from tradingbot_operator.reasons import Reason

_NOTICE: Final = "Generated from the typed models by `python -m tradingbot_operator.generate`; changes here are overwritten."
_INTRODUCTION: Final = (
    "Why something is as it is, or was done: one closed set of words. The same word stands in `.status.conditions[].reason`, in "
    "`.status.remediation.history[]`, as the reason of Events, in the operator's log, and as the label `reason` of its metrics. A word "
    "never changes its meaning."
)
_EVENTS: Final = (
    "An Event tells of a condition that turns, of each death of an engine, of each step of remediation and what became of it, of each pod "
    "that is replaced, and of what was put back. It is a Warning, unless what it tells of is good, was asked for, or mends something. Each "
    "reason has one Event for each bot, counted up. Steps on the way, marked ○, have none."
)
_HEAD: Final = "| reason | | |\n|---|---|---|"


class _Word(Struct, frozen=True):
    reason: Reason
    group: str
    meaning: str


def render_reasons_reference() -> str:
    """Return the page."""
    parts = ["# Reasons and Events", f"<!-- {_NOTICE} -->", _INTRODUCTION, _EVENTS]
    words = tuple(_read_words(inspect.getsource(reasons)))
    for group in dict.fromkeys(word.group for word in words):
        rows = [f"| `{word.reason.value}` | {_mark(word.reason)} | {word.meaning} |" for word in words if word.group == group]
        parts.append("\n".join([f"## {group}\n", _HEAD, *rows]))
    return "\n\n".join(parts) + "\n"


def _mark(reason: Reason) -> str:
    if reason in ON_THE_WAY:
        return "○"
    return "asked for" if reason in ASKED_FOR else ""


def _read_words(source: str) -> Iterator[_Word]:
    """Yield the words of the enumeration, each with the comment that its group begins with and the text behind it.

    Raises:
        ValueError: a word has no text.
    """
    lines = source.splitlines()
    (enumeration,) = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    group, seen = "", enumeration.lineno
    for node, after in zip(enumeration.body, [*enumeration.body[1:], None], strict=True):
        if not isinstance(node, ast.Assign):
            continue
        for line in lines[seen : node.lineno - 1]:
            if line.strip().startswith("# "):
                group = line.strip().removeprefix("# ").partition("; ")[0]
        seen = node.lineno
        reason = Reason(ast.literal_eval(node.value))
        match after:
            case ast.Expr(value=ast.Constant(value=str(meaning))):
                yield _Word(reason, group, inspect.cleandoc(meaning))
            case _:
                raise ValueError(f"{reason} has no text that says what it means: write one beneath it")
