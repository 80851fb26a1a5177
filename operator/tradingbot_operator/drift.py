"""What of a child is not as the operator wants it: the live object is compared with the operator's own rendering.

The rendering names the fields that are ours; whatever else the API server has filled in, or others have added, is none of our
business. Two exceptions. Lists must have exactly our elements: one that somebody added to a container's environment or to a
Service's ports changes what we made, and server-side apply would not take it away. And quantities are compared by what they stand for,
because the API server writes ``1024Mi`` as ``1Gi``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from msgspec import Struct

_LIST_KEYS: Final = ("name", "containerPort", "mountPath")
"""Fields that tell the elements of a list apart, wherever they stand in it."""
_MERGE_KEYS: Final = ("port", "containerPort", "protocol")
"""Fields by which server-side apply tells elements apart: one that was changed there would be put back *beside* the changed element."""
_QUANTITIES: Final = frozenset({"requests", "limits", "storage", "memory", "cpu", "sizeLimit", "divisor"})
_SUFFIXES: Final = {"m": Decimal("0.001")} | {
    suffix: Decimal(base) ** power
    for base, suffixes in ((1000, ("k", "M", "G", "T", "P", "E")), (1024, ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")))
    for power, suffix in enumerate(suffixes, start=1)
}

Path = tuple[str | int, ...]


class Difference(Struct, frozen=True):
    """One place where the live object is not as wanted."""

    path: Path
    found: str
    """What is there, shortened."""
    wanted_list: tuple[Any, ...] | None = None
    """For a list with wrong elements: what it should be. Server-side apply can't take an element away that somebody else added."""

    def __str__(self) -> str:
        return ".".join(str(part) for part in self.path)


def differences(desired: Mapping[str, Any], live: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return all places where the live object differs from the rendering."""
    return tuple(_metadata(desired["metadata"], live["metadata"])) + tuple(
        difference
        for field, wanted in desired.items()
        if field not in {"apiVersion", "kind", "metadata"}
        for difference in _compare(wanted, live.get(field), (field,))
    )


def controller_uid(manifest: Mapping[str, Any]) -> str | None:
    """Return the uid of the object that controls this one."""
    for owner in manifest["metadata"].get("ownerReferences", ()):
        if owner.get("controller"):
            uid: str = owner["uid"]
            return uid
    return None


def _metadata(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[Difference]:
    for field in ("labels", "annotations"):
        yield from _compare(wanted.get(field, {}), live.get(field) or {}, ("metadata", field))
    for owner in wanted.get("ownerReferences", ()):
        # Others may own it, too; only ours has to be among them.
        if not any(all(found.get(key) == value for key, value in owner.items()) for found in live.get("ownerReferences", ())):
            yield Difference(("metadata", "ownerReferences"), "not ours")


def _compare(wanted: Any, found: Any, path: Path) -> Iterator[Difference]:
    if found is None:
        if wanted not in ({}, [], "", None):
            yield Difference(path, "nothing")
    elif isinstance(wanted, Mapping):
        if not isinstance(found, Mapping):
            yield Difference(path, _short(found))
            return
        for key, value in wanted.items():
            yield from _compare(value, found.get(key), (*path, key))
    elif isinstance(wanted, list):
        yield from _compare_lists(wanted, found, path)
    elif wanted != found and not (path[-1] in _QUANTITIES and same_quantity(wanted, found)):
        yield Difference(path, _short(found))


def _compare_lists(wanted: list[Any], found: Any, path: Path) -> Iterator[Difference]:
    if not isinstance(found, list):
        yield Difference(path, _short(found))
        return
    key = next((name for name in _LIST_KEYS if wanted and all(isinstance(item, Mapping) and name in item for item in wanted)), None)
    if key is None:
        pairs = list(zip(wanted, enumerate(found), strict=False))
        complete = len(wanted) == len(found)
    else:
        places = {item.get(key): (index, item) for index, item in enumerate(found) if isinstance(item, Mapping)}
        pairs = [(item, places[item[key]]) for item in wanted if item[key] in places]
        complete = len(pairs) == len(wanted) == len(found) and all(_same_merge_keys(item, live) for item, (_, live) in pairs)
    if not complete:
        yield Difference(path, f"{len(found)} elements", wanted_list=tuple(wanted))
        return
    for item, (index, live) in pairs:
        yield from _compare(item, live, (*path, index))


def _same_merge_keys(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return all(wanted[key] == found.get(key) for key in _MERGE_KEYS if key in wanted)


def same_quantity(one: Any, other: Any) -> bool:
    """Return whether two quantities stand for the same, however they are written."""
    try:
        return _quantity(str(one)) == _quantity(str(other))
    except InvalidOperation:
        return False


def _quantity(text: str) -> Decimal:
    digits = text.rstrip("KMGTPEkmi")
    suffix = text[len(digits) :]
    if suffix and suffix not in _SUFFIXES:
        raise InvalidOperation(text)
    return Decimal(digits) * _SUFFIXES.get(suffix, Decimal(1))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
