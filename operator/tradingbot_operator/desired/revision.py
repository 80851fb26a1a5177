"""What of a spec needs a new process, as digests: one that the pod carries, one that the engine is told and reports back.

They are taken over the spec's own fields, not over a rendering, and without fields that have their default. So neither an operator
of another version, nor another default image of it, nor a new field with a default makes a pod outdated.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import NODEFAULT, Struct

from tradingbot_operator.resource import TradingBot

_SECTIONS: Final = ("strategy", "market", "broker", "engine", "prediction")
"""Sections that are read when a process starts. The others are followed live."""
_NOT_IN_IT: Final = {
    # The shard's own symbols are in its revision.
    "market": ("symbols",),
    # Memory and CPU are changed in place, the memory mode is followed live.
    "engine": ("resources", "memoryMode"),
}


def pod_revision(bot: TradingBot) -> str:
    """Return 16 hex digits over what all pods of a bot read only when they start."""
    return _digest(_fields(bot))


def shard_revision(bot: TradingBot, symbols: Sequence[str]) -> str:
    """Return 16 hex digits over what one shard reads only when it starts: that of its pod, and its symbols."""
    return _digest(_fields(bot) | {"symbols": sorted(symbols)})


def is_read_at_start(path: Sequence[str]) -> bool:
    """Return whether a field of the spec, by its names on the wire, is one that a running engine does not follow."""
    section, *rest = path
    if section in _SECTIONS:
        # The symbols are not in the pod's digest, but in that of the shard.
        return not rest or rest[0] not in _NOT_IN_IT.get(section, ()) or (section, rest[0]) == ("market", "symbols")
    return section in {"database", "redis"} and (not rest or rest[0] == "urlSecretRef")


def _fields(bot: TradingBot) -> dict[str, Any]:
    spec = bot.spec
    fields: dict[str, Any] = {}
    for name in _SECTIONS:
        section = _beyond_defaults(getattr(spec, name))
        for left_out in _NOT_IN_IT.get(name, ()):
            section.pop(left_out, None)
        if section:
            fields[name] = section
    secrets = {"database": spec.database.url_secret_ref, "redis": spec.redis.url_secret_ref if spec.redis else None}
    return fields | {name: _beyond_defaults(secret) for name, secret in secrets.items() if secret is not None}


def _beyond_defaults(section: Struct) -> dict[str, Any]:
    """Return the fields that differ from their defaults, by their names on the wire."""
    found: dict[str, Any] = {}
    for name, wire_name, default in _described(type(section)):
        value = getattr(section, name)
        if value != default:
            # Within a section that is there, too, what has its default says nothing.
            found[wire_name] = _beyond_defaults(value) if isinstance(value, Struct) else msgspec.to_builtins(value)
    return found


@functools.cache
def _described(model: type[Struct]) -> tuple[tuple[str, str, Any], ...]:
    """Return the fields of a section with their names on the wire and their defaults; None where there is none."""
    return tuple((field.name, field.encode_name, _default(field)) for field in msgspec.structs.fields(model))


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not NODEFAULT:
        return field.default
    return field.default_factory() if field.default_factory is not NODEFAULT else None


def _digest(fields: dict[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(fields, order="deterministic")).hexdigest()[:16]
