"""Specs made from the schema of the resource: valid ones by chance, and every way to break one of its bounds, one at a time.

Nothing here knows a field by its name: a field that enters the schema is generated, and each of its bounds is broken, from then on.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tradingbot_contract.quantity import PATTERN as QUANTITY

Object = dict[str, Any]
Path = tuple[str, ...]

SIZES: Final = ("64Mi", "100Mi", "128M", "256Mi", "0.5Gi", "512Mi", "1Gi", "1.5Gi", "2G", "4Gi")
FREE_FORM: Final[tuple[Object, ...]] = ({}, {"fastPeriod": 5, "slowPeriod": 20}, {"names": ["a", 1, None, {"deep": True}]})
"""For objects whose contents the schema leaves open."""
_STRANGE: Final = ("!", " ", "-", ".", "é", "\n", "a b", "/", "A\n", "0x")
_CHARACTERS: Final = st.characters(exclude_categories=["Cs"])
"""Whatever JSON can hold."""
_LONG_CHOICE: Final = 4
"""Most entries of a list or map that are drawn; the bounds themselves are another test's business."""


class Node(NamedTuple):
    """A place in the schema."""

    path: Path
    """`*` is any key of a map, `[]` any element of a list."""
    schema: Object
    required: bool

    @property
    def name(self) -> str:
        return dotted(self.path)


class Mutant(NamedTuple):
    """A spec that was valid before one thing in it was changed."""

    what: str
    """The bound, for people: `spec.risk.maxOpenOrders below its minimum`."""
    field: str
    """The last name of the path, which a refusal must name."""
    spec: Object
    breaks: bool
    """Whether the change breaks a bound; otherwise the value is the last one within it."""


def walk(schema: Object, path: Path = ("spec",), *, required: bool = True) -> Iterator[Node]:
    """Return all places of a schema, from the root down."""
    yield Node(path, schema, required)
    for name, entry in schema.get("properties", {}).items():
        yield from walk(entry, (*path, name), required=name in schema.get("required", ()))
    if isinstance(schema.get("items"), dict):
        yield from walk(schema["items"], (*path, "[]"))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from walk(schema["additionalProperties"], (*path, "*"))


def dotted(path: Path) -> str:
    """Return a path as messages write it."""
    return ".".join(path).replace(".[]", "[]")


# Valid specs


def specs(schema: Object) -> SearchStrategy[Any]:  # noqa: PLR0911 - one for each type
    """Return a strategy of values that keep every bound of a schema; what its CEL rules say of several fields is left to chance."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "boolean":
            return st.booleans()
        case "integer":
            return _integers(schema)
        case "number":
            return _numbers(schema)
        case "string":
            return _strings(schema)
        case "array":
            unique = schema.get("x-kubernetes-list-type") == "set"
            longest = min(schema["maxItems"], schema.get("minItems", 0) + _LONG_CHOICE)
            return st.lists(specs(schema["items"]), min_size=schema.get("minItems", 0), max_size=longest, unique=unique)
        case "object":
            return _objects(schema)
    raise AssertionError(schema["type"])


def _objects(schema: Object) -> SearchStrategy[Any]:
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return st.sampled_from(FREE_FORM)
    if "additionalProperties" in schema:
        fewest = schema.get("minProperties", 0)
        keys = st.one_of(st.sampled_from(("USD", "zone")), st.text(_CHARACTERS, max_size=20))
        return st.dictionaries(keys, specs(schema["additionalProperties"]), min_size=fewest, max_size=fewest + _LONG_CHOICE)
    required = schema.get("required", ())
    properties = {name: specs(entry) for name, entry in schema["properties"].items()}
    # Most optional fields stay away, or hardly a spec would keep the rules that several fields are in.
    named = st.sets(st.sampled_from(sorted(properties)), max_size=4)
    return named.flatmap(lambda names: st.fixed_dictionaries({name: properties[name] for name in sorted({*names, *required})}))


def _integers(schema: Object) -> SearchStrategy[Any]:
    lowest, highest = schema["minimum"], schema["maximum"]
    return st.one_of(st.integers(lowest, min(highest, lowest + 8)), st.integers(lowest, highest))


def _numbers(schema: Object) -> SearchStrategy[Any]:
    drawn = st.floats(
        schema["minimum"],
        schema["maximum"],
        exclude_min=schema.get("exclusiveMinimum", False),
        exclude_max=schema.get("exclusiveMaximum", False),
        allow_nan=False,
        allow_subnormal=False,
    )
    return drawn.map(lambda number: int(number) if number.is_integer() else number)


def _strings(schema: Object) -> SearchStrategy[Any]:
    shortest, longest = schema.get("minLength", 0), schema["maxLength"]
    pattern = schema.get("pattern")
    if pattern is None:
        return st.text(_CHARACTERS, min_size=shortest, max_size=min(longest, shortest + 12))
    drawn = st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True, alphabet=st.characters(codec="ascii"))
    kept = drawn.filter(lambda text: shortest <= len(text) <= longest)
    return st.one_of(st.sampled_from(SIZES), kept) if pattern == QUANTITY else kept


# Broken ones


def mutants(schema: Object, whole: Object) -> Iterator[Mutant]:
    """Return every way to break one bound of a spec that names every field, and the last value within each bound."""
    for node in walk(schema):
        for where in _places(whole, node.path[1:]):
            yield from _of_node(node, whole, where)


def _places(whole: Object, path: Path) -> list[tuple[Any, ...]]:
    """Return the first place in a spec that a path means, as keys and indices; none where the spec doesn't have it."""
    found: list[Any] = []
    value: Any = whole
    for name in path:
        if name == "[]" and isinstance(value, list) and value:
            key: Any = 0
        elif name == "*" and isinstance(value, dict) and value:
            key = next(iter(value))
        elif isinstance(value, dict) and name in value:
            key = name
        else:
            return []
        found.append(key)
        value = value[key]
    return [tuple(found)]


def _of_node(node: Node, whole: Object, where: tuple[Any, ...]) -> Iterator[Mutant]:
    value = _get(whole, where)
    for what, other, breaks in _values(node.schema, value):
        yield Mutant(f"{node.name}: {what}", _field(node.path), _put(whole, where, other), breaks)
    for name in node.schema.get("required", ()):
        yield Mutant(f"{node.name}.{name}: missing", name, _put(whole, (*where, name), _GONE), breaks=True)
    if "properties" in node.schema:
        yield Mutant(f"{node.name}: an unknown field", "nonsense", _put(whole, (*where, "nonsense"), 1), breaks=True)


def _values(schema: Object, value: Any) -> Iterator[tuple[str, Any, bool]]:
    """Return what else could stand at a place: what it is for people, the value, whether it breaks a bound."""
    yield "of another type", 7 if schema["type"] in {"string", "boolean"} else "seven", True
    if "enum" in schema:
        yield "not one of its values", "Nonsense", True
        for one in schema["enum"]:
            yield f"its value {one}", one, False
        return
    match schema["type"]:
        case "integer" | "number":
            yield from _figures(schema)
        case "string":
            yield from _texts(schema, value)
        case "boolean":
            yield "the other value", not value, False
        case "array" | "object":
            yield from _sizes(schema, value)


def _figures(schema: Object) -> Iterator[tuple[str, Any, bool]]:
    step = 1 if schema["type"] == "integer" else 0.001
    for bound, sign in (("minimum", -1), ("maximum", 1)):
        if bound not in schema:
            continue
        last, excluded = schema[bound], schema.get(f"exclusive{bound.capitalize()}", False)
        beyond = last + sign * max(step, abs(last) * 1e-9 if step < 1 else 0)
        yield f"beyond its {bound}", beyond, True
        yield f"at its {bound}", last, excluded
    if schema["type"] == "integer":
        yield "with a fraction", schema["minimum"] + 0.5, True


def _texts(schema: Object, value: str) -> Iterator[tuple[str, Any, bool]]:
    shortest, longest, pattern = schema.get("minLength", 0), schema["maxLength"], schema.get("pattern")
    if shortest:
        yield "shorter than allowed", value[: shortest - 1], True
    yield "longer than allowed", (value * (longest // len(value) + 1) if value else "a" * longest)[:longest] + value[-1:] * 1 + "a", True
    if pattern is None:
        return
    for strange in (*_STRANGE, f"{value}\n", f" {value}", f"{value} ", f"{value}é"):
        # Go's patterns know no end of the text before a last line feed; Python's `$` does.
        matches = re.search(re.sub(r"\$$", r"\\Z", pattern), strange, re.ASCII) is not None
        if not matches and shortest <= len(strange) <= longest:
            yield f"{strange!r}, which its pattern excludes", strange, True


def _sizes(schema: Object, value: Any) -> Iterator[tuple[str, Any, bool]]:
    if schema["type"] == "array":
        fewest, most = schema.get("minItems", 0), schema["maxItems"]
        sample = value[0] if value else None
        if fewest:
            yield "with too few elements", value[: fewest - 1], True
        if sample is not None and not isinstance(sample, dict):
            yield "with too many elements", [_another(sample, number) for number in range(most + 1)], True
            if schema.get("x-kubernetes-list-type") == "set":
                yield "with an element twice", [sample, sample], True
        elif sample is not None:
            yield "with too many elements", [sample] * (most + 1), True
    elif "additionalProperties" in schema:
        fewest, most = schema.get("minProperties", 0), schema["maxProperties"]
        sample = next(iter(value.values())) if value else "a"
        if fewest:
            yield "with too few entries", {}, True
        yield "with too many entries", {f"K{number}": sample for number in range(most + 1)}, True


def _another(sample: Any, number: int) -> Any:
    return f"{sample}{number}" if isinstance(sample, str) else sample


_GONE: Final = object()


def _get(whole: Object, where: tuple[Any, ...]) -> Any:
    value: Any = whole
    for key in where:
        value = value[key]
    return value


def _put(whole: Object, where: tuple[Any, ...], value: Any) -> Object:
    if not where:
        changed: Object = value
        return changed  # the spec itself is of another type
    made = copy.deepcopy(whole)
    inside = _get(made, where[:-1])
    if value is _GONE:
        del inside[where[-1]]
    else:
        inside[where[-1]] = value
    return made


def _field(path: Path) -> str:
    return next(name for name in reversed(path) if name not in {"[]", "*"})


# What the API server fills in


def applied_defaults(schema: Object, given: Any, stored: Any, path: Path = ("spec",)) -> Iterator[tuple[str, Any, Any]]:
    """Return each default that was due because nothing was given: its path, what it is, and what is stored."""
    if schema["type"] == "object":
        for name, entry in schema.get("properties", {}).items():
            here = (*path, name)
            has = isinstance(given, dict) and name in given
            there = isinstance(stored, dict) and name in stored
            if "default" in entry and not has:
                yield dotted(here), entry["default"], stored.get(name) if isinstance(stored, dict) else None
            if there:
                # Inside a default, nothing was given either, but what the default itself says.
                inner = given[name] if has else entry.get("default")
                yield from applied_defaults(entry, inner, stored[name], here)
    elif schema["type"] == "array" and isinstance(stored, list) and isinstance(given, list):
        for one, other in zip(given, stored, strict=False):
            yield from applied_defaults(schema["items"], one, other, (*path, "[]"))


def all_defaults(schema: Object) -> set[str]:
    """Return the paths of all defaults."""
    return {node.name for node in walk(schema) if "default" in node.schema}
