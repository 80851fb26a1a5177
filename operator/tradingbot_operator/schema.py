"""Makes the OpenAPI schema of the CRD from the typed models: structural, with defaults, bounds, CEL rules and descriptions.

A CRD takes neither references nor ``additionalProperties: false`` beside properties, and every CEL rule has a cost that is estimated
from bounds: so everything is inlined, and every string, list and map has to have a bound. A model without one raises here, while the CRD
is generated, not on a user's cluster. Defaults stand at every level, so that a default deep inside applies when nothing is given.
"""

from __future__ import annotations

import enum
from typing import Any, Final

import msgspec
from msgspec import inspect

from tradingbot_operator.bot_status import TradingBotStatus
from tradingbot_operator.resource import API_VERSION, GROUP, KIND, NAME_RULE, PLURAL, TradingBotSpec

Schema = dict[str, Any]

_COLUMNS: Final = (
    ("Phase", "string", ".status.phase", "Where the bot is.", 0),
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', "Whether the engines are ready.", 0),
    ("Health", "number", ".status.health.score", "Health, 0 to 100.", 0),
    ("Symbols", "string", ".status.symbols", "What it trades.", 0),
    ("Memory", "string", ".status.memory", "Memory and limit of the engine that is nearest to it.", 0),
    ("Restarts", "integer", ".status.restarts", "Restarts of the engines, roll-outs not counted.", 0),
    ("Age", "date", ".metadata.creationTimestamp", "How old the resource is.", 0),
    ("Equity", "number", ".status.trading.equity", "Cash and positions, in quote currency.", 1),
    ("Strategy", "string", ".spec.strategy.name", "What decides when to trade.", 1),
    ("Node", "string", ".status.shards[0].node", "Where the first pod runs.", 1),
    ("Message", "string", ".status.message", "What there is to say.", 1),
)


def build_crd() -> Schema:
    """Return the CustomResourceDefinition of TradingBot."""
    version = {
        "name": API_VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": build_schema()},
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.scaling.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "additionalPrinterColumns": [
            {"name": name, "type": kind, "jsonPath": path, "description": description} | ({"priority": priority} if priority else {})
            for name, kind, path, description, priority in _COLUMNS
        ],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": "tradingbot",
                "shortNames": ["tb"],
                "categories": ["trading"],
            },
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def build_schema() -> Schema:
    """Return the schema of the whole resource."""
    return {
        "type": "object",
        "description": (
            "A trading bot: an engine that trades and an observer that watches it, in a pod of their own, made and healed by the operator."
        ),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"{GROUP}/{API_VERSION}."},
            "kind": {"type": "string", "description": f"{KIND}."},
            "metadata": {"type": "object"},  # the API server has its own schema of it, and takes no other
            "spec": {**schema_of(TradingBotSpec), "description": "What the bot shall be."},
            "status": {**schema_of(TradingBotStatus, with_defaults=False), "description": "What the operator has seen of the bot."},
        },
        "x-kubernetes-validations": [{"rule": NAME_RULE.expression, "message": NAME_RULE.message}],
    }


def schema_of(model: type, *, with_defaults: bool = True) -> Schema:
    """Return the schema of a struct.

    Args:
        model: a msgspec struct.
        with_defaults: whether the API server shall fill in what is not given; never so for a status.
    """
    return _Writer(with_defaults=with_defaults).write(inspect.type_info(model), model.__name__)


class _Writer:
    def __init__(self, *, with_defaults: bool) -> None:
        self._with_defaults = with_defaults

    def write(self, kind: inspect.Type, path: str) -> Schema:
        match kind:
            case inspect.Metadata(type=inner, extra_json_schema=extra):
                return self.write(inner, path) | (extra or {})
            case inspect.UnionType(types=types):
                # "Not set" is a field that isn't there, so the CRD needs no null.
                (inner,) = [option for option in types if not isinstance(option, inspect.NoneType)]
                return self.write(inner, path)
            case inspect.StructType():
                return self._struct(kind, path)
            case inspect.DictType():
                return self._map(kind, path)
            case inspect.ListType():
                assert kind.max_length is not None, f"{path} needs max_length"
                bounds = _given(minItems=kind.min_length, maxItems=kind.max_length)
                return {"type": "array", **bounds, "items": self.write(kind.item_type, f"{path}[]")}
            case _:
                return _scalar(kind, path)

    def _struct(self, kind: inspect.StructType, path: str) -> Schema:
        properties: Schema = {}
        for entry in kind.fields:
            schema = self.write(entry.type, f"{path}.{entry.encode_name}")
            assert "description" in schema, f"{path}.{entry.encode_name} needs a description"
            if self._with_defaults and not entry.required:
                schema |= _default(entry)
            properties[entry.encode_name] = {"description": schema.pop("description")} | schema
        required = [entry.encode_name for entry in kind.fields if entry.required]
        rules = [{"rule": rule.expression, "message": rule.message} for rule in getattr(kind.cls, "__rules__", ())]
        return {"type": "object", **_given(required=required or None), "properties": properties} | (
            {"x-kubernetes-validations": rules} if rules else {}
        )

    def _map(self, kind: inspect.DictType, path: str) -> Schema:
        if isinstance(kind.value_type, inspect.AnyType):
            return {"type": "object"}  # what it may hold is said by extra_json_schema
        assert kind.max_length is not None, f"{path} needs max_length"
        bounds = _given(minProperties=kind.min_length, maxProperties=kind.max_length)
        return {"type": "object", **bounds, "additionalProperties": self.write(kind.value_type, f"{path}.*")}


def _scalar(kind: inspect.Type, path: str) -> Schema:
    match kind:
        case inspect.EnumType(cls=cls):
            return {"type": "string", "enum": [member.value for member in cls]}
        case inspect.StrType():
            assert kind.max_length is not None, f"{path} needs max_length"
            pattern = kind.pattern and _in_go(kind.pattern)
            return {"type": "string", **_given(minLength=kind.min_length, maxLength=kind.max_length, pattern=pattern)}
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.IntType():
            return {"type": "integer", **_number_bounds(kind)}
        case inspect.FloatType():
            return {"type": "number", **_number_bounds(kind)}
    raise TypeError(f"{path}: a CRD has nothing for {kind}")


def _in_go(pattern: str) -> str:
    r"""Return a pattern as the API server reads it.

    Python's ``$`` also matches before a last line feed; Go has no ``\Z``, and its ``$`` is that.
    """
    assert not pattern.endswith("$"), rf"{pattern} lets a line feed at the end through: end it with \Z"
    return pattern.replace(r"\Z", "$")


def _default(entry: inspect.Field) -> Schema:
    value = entry.default if entry.default is not msgspec.NODEFAULT else entry.default_factory()
    if value is None:
        return {}
    if isinstance(value, msgspec.Struct) and not getattr(value, "__rules__", ()) and _has_default_parts(type(value)):
        # The parts have their own defaults, which must be those of the whole.
        assert value == type(value)(), f"{entry.name} has a default that differs from that of its parts"
        return {"default": {}}
    # The API server evaluates the rules of an object on its default as it stands here, before it fills in the parts'.
    return {"default": _plain(value)}


def _has_default_parts(model: type[msgspec.Struct]) -> bool:
    return not any(part.required for part in msgspec.structs.fields(model))


def _plain(value: Any) -> Any:
    """Return a default as JSON, whole numbers without a fraction, as the API server gives them back."""
    built = value.value if isinstance(value, enum.Enum) else msgspec.to_builtins(value)
    if isinstance(built, dict):
        return {key: _plain(item) for key, item in built.items() if item is not None}
    return int(built) if isinstance(built, float) and built.is_integer() else built


def _number_bounds(kind: inspect.IntType | inspect.FloatType) -> Schema:
    bounds: Schema = {}
    # Before OpenAPI 3.1, whose form CRDs don't take, "exclusive" is a flag beside the bound.
    if kind.gt is not None:
        bounds |= {"minimum": _plain(kind.gt), "exclusiveMinimum": True}
    if kind.lt is not None:
        bounds |= {"maximum": _plain(kind.lt), "exclusiveMaximum": True}
    return bounds | _given(minimum=None if kind.ge is None else _plain(kind.ge), maximum=None if kind.le is None else _plain(kind.le))


def _given(**values: Any) -> Schema:
    return {key: value for key, value in values.items() if value is not None}
