"""Which series an expression of PromQL reads: enough of its grammar to tell a metric from everything else that is a word.

A word is a metric unless it is a keyword, the name of a function (a parenthesis follows), a label (within braces, or in the list after
`by`, `on` and their like), a unit of a number, or in a string. Grafana's variables (`$__rate_interval`, `${bot}`) are no words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_TOKEN: Final = re.compile(
    r"""
      (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
    | (?P<comment>\#[^\n]*)
    | (?P<variable>\$\{[^}]*\}|\$[A-Za-z_]\w*|\[\[\w+\]\])
    | (?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[a-z]*(?:\d+[a-z]+)*)
    | (?P<word>[A-Za-z_][A-Za-z0-9_:]*)
    | (?P<sign>[^\s])
    """,
    re.VERBOSE,
)
_TAKES_LABELS: Final = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_AFTER_AGGREGATION: Final = frozenset({"by", "without"})
"""`sum by (pod) (…)`: what stands before is an operator."""
_KEYWORDS: Final = frozenset({"and", "or", "unless", "atan2", "bool", "offset", "inf", "nan", "start", "end", *_TAKES_LABELS})


def metric_names(expression: str) -> frozenset[str]:
    """Return the names of all series that an expression reads, also those that are named by `__name__`."""
    return frozenset(_metrics(expression))


def _metrics(expression: str) -> Iterator[str]:
    tokens = [(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(expression)]
    braces = 0
    labels = False
    for place, (kind, text) in enumerate(tokens):
        following = tokens[place + 1][1] if place + 1 < len(tokens) else ""
        if text in {"{", "}"}:
            braces += 1 if text == "{" else -1
        elif labels:
            labels = text != ")"
        elif kind != "word":
            continue
        elif braces:
            if text == "__name__" and following in {"=", "=~"}:
                yield from _named(tokens[place + 1 :])
        elif text.lower() in _TAKES_LABELS:
            labels = following == "("
        elif text.lower() not in _KEYWORDS and following != "(" and following.lower() not in _AFTER_AGGREGATION:
            yield text


def _named(tokens: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the names in a matcher of `__name__`: one, or alternatives; a real pattern names nothing that could be checked."""
    value = next((text[1:-1] for kind, text in tokens if kind == "string"), "")
    for name in value.split("|"):
        if not re.fullmatch(r"[A-Za-z_:][A-Za-z0-9_:]*", name):
            raise ValueError(f"__name__ matches {value!r}: name the metrics, so that they can be checked")
        yield name
