"""Fields of a bot's spec as people set them on a command line: ``database.pool.size=10``, typed by the model of the spec.

A field that doesn't exist is answered with the nearest that does, a value that doesn't fit with what is allowed.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import yaml
from msgspec import Struct, inspect

from tradingbot_cli.bot_names import nearest
from tradingbot_cli.errors import RefusedError
from tradingbot_contract.quantity import PATTERN as QUANTITY
from tradingbot_operator.resource import TradingBotSpec

_ROOT: Final = "spec."
_COMPOSED: Final = (inspect.ListType, inspect.DictType, inspect.StructType)


class Assignment(Struct, frozen=True):
    """A field and what it shall be."""

    path: tuple[str, ...]
    value: Any
    """As JSON has it; None: its default."""


def parse_assignment(text: str) -> Assignment:
    """Return what ``key=value`` asks for; ``key=`` alone asks for the default.

    Raises:
        RefusedError: there is no such field, or the value does not fit it.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise RefusedError(f"{text!r}: give FIELD=VALUE, for example database.pool.size=10")
    path = tuple(key.removeprefix(_ROOT).split("."))
    kind = _type_at(path)
    if kind is None:
        raise RefusedError(_describe_unknown(".".join(path)))
    if not value:
        return Assignment(path, None)
    return Assignment(path, _parse_value(".".join(path), value, kind))


def build_patch(assignments: Iterable[Assignment]) -> dict[str, Any]:
    """Return the merge patch of a spec; None takes a field away, which brings its default back."""
    patch: dict[str, Any] = {}
    for assignment in assignments:
        at = patch
        for name in assignment.path[:-1]:
            at = at.setdefault(name, {})
        at[assignment.path[-1]] = assignment.value
    return patch


def merge(before: Any, patch: Any) -> Any:
    """Return a value with a merge patch applied (RFC 7386)."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(before) if isinstance(before, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


@functools.cache
def field_names() -> tuple[str, ...]:
    """Return every field that can be set, dotted, in the order of the model."""
    return tuple(_walk(TradingBotSpec, ""))


def _walk(model: type[Struct], prefix: str) -> Iterator[str]:
    for each in msgspec.structs.fields(model):
        name = f"{prefix}{each.encode_name}"
        section = _section(each.type)
        if section is None:
            yield name
        else:
            yield from _walk(section, f"{name}.")


def _type_at(path: Sequence[str]) -> Any | None:
    """Return the type of a field; None where there is no such field. Below a map each name is one."""
    model: Any = TradingBotSpec
    for place, name in enumerate(path):
        if not name:
            return None
        section = _section(model)
        if section is not None:
            found = next((each.type for each in msgspec.structs.fields(section) if each.encode_name == name), None)
            if found is None:
                return None
            model = found
            continue
        is_map = any(isinstance(part, inspect.DictType) for part in _parts(inspect.type_info(model)))
        return Any if is_map and place else None
    return model


def _section(kind: Any) -> type[Struct] | None:
    return next((part.cls for part in _parts(inspect.type_info(kind)) if isinstance(part, inspect.StructType)), None)


def _parts(at: inspect.Type) -> tuple[inspect.Type, ...]:
    if isinstance(at, inspect.Metadata):
        return _parts(at.type)
    return tuple(part for each in at.types for part in _parts(each)) if isinstance(at, inspect.UnionType) else (at,)


def _parse_value(name: str, text: str, kind: Any) -> Any:
    parts = _parts(inspect.type_info(kind))
    is_composed = kind is Any or any(isinstance(part, _COMPOSED) for part in parts)
    value = _load(text, parts) if is_composed else text
    section = _section(kind)
    if section is not None and not isinstance(value, dict):
        inside = ", ".join(f"{name}.{each.encode_name}" for each in msgspec.structs.fields(section))
        raise RefusedError(f"{name} is a section: give one of {inside}")
    try:
        typed = msgspec.convert(value, kind, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        wanted = next((sentence for part in parts if (sentence := _describe_kind(part))), str(error))
        raise RefusedError(f"{name}: {text!r} does not fit: {wanted}") from error
    if is_composed:
        return value
    return typed.value if isinstance(typed, enum.Enum) else typed


def _describe_kind(part: inspect.Type) -> str:
    """Return what to give for a type; empty where only the model can say it."""
    match part:
        case inspect.EnumType():
            return f"give one of {', '.join(str(each.value) for each in part.cls)}"
        case inspect.BoolType():
            return "give true or false"
        case inspect.IntType() | inspect.FloatType():
            low = f" from {part.ge:g}" if part.ge is not None else f" more than {part.gt:g}" if part.gt is not None else ""
            high = f" to {part.le:g}" if part.le is not None else f" less than {part.lt:g}" if part.lt is not None else ""
            return f"give a {'whole ' if isinstance(part, inspect.IntType) else ''}number{low}{high}"
        case inspect.StrType() if part.pattern == QUANTITY:
            return "give a quantity, for example 512Mi or 1Gi"
        case _:
            return ""


def _load(text: str, parts: Sequence[inspect.Type]) -> Any:
    """Return a value of several parts: YAML on one line, or for a list its items between commas."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    wants_list = any(isinstance(part, inspect.ListType) for part in parts)
    return [item.strip() for item in text.split(",")] if wants_list and not isinstance(value, list) else value


def _describe_unknown(name: str) -> str:
    names = field_names()
    inside = [each for each in names if each.endswith(f".{name}")]
    below = [each for each in names if each.startswith(f"{name}.")]
    if inside:
        return f"there is no field {name}: did you mean {' or '.join(inside[:3])}?"
    guess = nearest(name, names) or _nearest_last(name, names)
    if guess:
        return f"there is no field {name}: did you mean {guess}?"
    hint = f"it has {', '.join(below[:6])}" if below else "kubectl explain tb.spec lists them"
    return f"there is no field {name}: {hint}"


def _nearest_last(name: str, names: Sequence[str]) -> str | None:
    """Return the field whose own name, without its section's, comes nearest."""
    by_last = {each.rpartition(".")[2]: each for each in names}
    guess = nearest(name.rpartition(".")[2], list(by_last))
    return by_last[guess] if guess else None
