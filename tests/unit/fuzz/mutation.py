"""What comes from outside and is not quite as it should be: valid examples with bytes or branches changed, odd values of all kinds."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

_PIECES = [
    b"", b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\r\n", b"\n\n", b"\t", b"'", b'"', b"[", b"]", b"{", b"}", b",", b":", b": ", b"- ", b"#",
    b"[" * 2000, b"{a: " * 500, b'{"a":' * 500, b"&a ", b"*a", b"<<: ", b"!!bool x", b"!!int ''", b"!!binary xx", b"!!python/none",
    b"---\n", b"%YAML 9.9\n", b"null", b"true", b"NaN", b"+Inf", b"-Inf", b"1e999",
    b"-0", b"9" * 30, b"9" * 400, b"9" * 5000, b"1:" * 300 + b"1.5",
    b"2020-99-99", b"0001-01-01T00:00:00+14:00", "²".encode(), "٣".encode(), "\u2028".encode(), b'"\\ud800"', b"\\u0000", b"\x1f\x8b",
]  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, 0.1, 1e308, -1e308, 1e-320, -0.0]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["", " ", "0", "1e999", "nan", "2026-01-01T00:00:00Z", "512Mi", "On", "<b>", "a" * 300, "\0", "²", "9" * 5000]),
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6
)
"""Anything that JSON can say."""

Value = TypeVar("Value")


def refusal(act: Callable[[], Value], refused: type[Exception]) -> tuple[Value | None, str]:
    """Return what this gives, or else the words with which it is refused; any other error surfaces."""
    try:
        return act(), ""
    except refused as error:
        said = str(error)
    assert said, "a refusal says why"
    return None, said


@st.composite
def mutated_bytes(draw: st.DrawFn, examples: Sequence[bytes]) -> bytes:
    """Return an example with some of its bytes taken away, doubled, changed, or others put between them."""
    data = draw(st.sampled_from(list(examples)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        match draw(st.integers(0, 4)):
            case 0:
                data = data[:start] + data[end:]
            case 1:
                data = data[:end] + data[start:]
            case 2:
                data = data[:start] + draw(st.sampled_from(_PIECES)) + data[start:]
            case 3:
                data = data[:start] + draw(st.sampled_from(_PIECES)) + data[end:]
            case _:
                data = data[:start] + draw(st.binary(max_size=8)) + data[end:]
    return data


@st.composite
def mutated_tree(draw: st.DrawFn, example: Any) -> Any:
    """Return a tree of JSON with some of its branches replaced, taken away, or others added."""
    tree = copy.deepcopy(example)
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(_places(tree) or [([tree], 0)]))
        match draw(st.integers(0, 4)):
            case 0 if isinstance(holder, dict):
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[draw(st.text(max_size=8))] = draw(TREES)
            case 2 if isinstance(holder, list):
                holder.append(draw(TREES))
            case 3:
                holder[key] = draw(TREES)
            case _:
                holder[key] = draw(SCALARS)
    return tree


def encoded(tree: Any) -> bytes:
    """Return the JSON of a tree, odd characters as they are."""
    return json.dumps(tree, ensure_ascii=False).encode(errors="surrogatepass")


def _places(tree: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    items = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)) if isinstance(tree, list) else []
    for key, value in items:
        found.append((tree, key))
        found += _places(value)
    return found
