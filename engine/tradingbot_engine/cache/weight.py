"""How much memory an entry takes, so that a cache can be bounded in bytes.

Text and bytes are weighed exactly. Anything else is walked through and its parts are added up, each object once; what the interpreter
shares between values anyway (classes, members of enums, functions, modules) weighs nothing. `sys.getsizeof` alone would see the shell of a
list and not what is in it. A cache of many equal-sized values is faster with a weigher of its own.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Final

from msgspec import Struct

ENTRY_BYTES: Final = 264
"""What a cache itself needs for an entry: 218 to 264 bytes as tracemalloc counts them, by how full its table is."""

Weigher = Callable[[Any, Any], int]
"""Returns the bytes of a key and its value, without `ENTRY_BYTES`."""

_SHARED: Final = (type, enum.Enum, FunctionType, BuiltinFunctionType, ModuleType)
_ATOMS: Final = frozenset({str, bytes, bytearray, int, float, bool, type(None)})
_getsizeof: Final = sys.getsizeof


def weigh(key: object, value: object) -> int:
    """Return the bytes of a key and its value. Takes time in proportion to the objects in it."""
    return (_getsizeof(key) if type(key) in _ATOMS else weigh_value(key)) + (
        _getsizeof(value) if type(value) in _ATOMS else weigh_value(value)
    )


def weigh_value(value: object) -> int:
    """Return the bytes of a value and of all that hangs on it."""
    seen: set[int] = set()
    waiting = [value]
    total = 0
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, _SHARED):
            continue
        seen.add(id(item))
        total += _getsizeof(item)
        if type(item) not in _ATOMS:
            waiting.extend(_parts(item))
    return total


def _parts(item: object) -> Iterable[object]:
    match item:
        case dict():
            return chain(item.keys(), item.values())
        case list() | tuple() | set() | frozenset():
            return item
        case Struct():
            return (getattr(item, name) for name in item.__struct_fields__)
        case _:
            return _attributes(item)


def _attributes(item: object) -> Iterator[object]:
    yield from vars(item).values() if hasattr(item, "__dict__") else ()
    for kind in type(item).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(item, name):
                yield getattr(item, name)
