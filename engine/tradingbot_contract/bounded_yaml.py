"""YAML from outside, read within bounds: what is too large, too deep or clever is refused before anything is built of it.

A few lines of YAML can stand for billions of values (an alias of aliases), name constructors of their own (a tag), or nest until a
stack ends. None of that is needed to write down a document. So the text is looked through first, event by event, which takes little
time and no memory whatever it says; only then are values made.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec
import yaml

MOST_BYTES: Final = 2**20
"""As much as a ConfigMap can hold."""
MOST_VALUES: Final = 20_000
"""Names count as values. To make more takes seconds, in which an engine would not trade."""
MOST_DEPTH: Final = 64
MOST_SCALAR_CHARACTERS: Final = 2**16

UNREADABLE: Final = (
    msgspec.DecodeError,
    yaml.YAMLError,
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)
"""What reading YAML may raise: what is no YAML or not what was expected, a date or number that there is none of, nesting without an end.
PyYAML's constructors of values take it that what a tag or a form promises is so."""

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Kind = TypeVar("_Kind")


def decode_yaml(text: str | bytes, kind: type[_Kind] | Any = Any) -> _Kind:
    """Return the value of this type that the text holds.

    Raises:
        ValueError: it holds none, or is beyond the bounds.
    """
    try:
        _check(text)
        value: _Kind = msgspec.yaml.decode(text, type=kind)
    except UNREADABLE as error:
        raise ValueError(str(error)) from error
    return value


def check_depth(text: str) -> None:
    """Look whether a person's file, which may use all of YAML and be long, can be read without the parser's stack coming to its end.

    Raises:
        ValueError: it can't.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            raise ValueError(f"it is nested deeper than {MOST_DEPTH} levels")


def _check(text: str | bytes) -> None:
    if len(text) > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES} bytes")
    depth = values = 0
    for event in yaml.parse(text, Loader=_LOADER):
        values += 1
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            continue
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        wrong = _find_wrong(event, depth, values)
        if wrong:
            raise ValueError(wrong)


def _find_wrong(event: Any, depth: int, values: int) -> str:
    if values > MOST_VALUES:
        return f"it has more than {MOST_VALUES} values"
    if depth > MOST_DEPTH:
        return f"it is nested deeper than {MOST_DEPTH} levels"
    if isinstance(event, yaml.AliasEvent):
        return f"*{event.anchor}: aliases are not taken here, write out what is meant"
    if getattr(event, "tag", None) is not None:
        return f"{event.tag}: tags are not taken here, write the value without one"
    if isinstance(event, yaml.ScalarEvent) and len(event.value) > MOST_SCALAR_CHARACTERS:
        return f"a value has more than {MOST_SCALAR_CHARACTERS} characters"
    return ""
