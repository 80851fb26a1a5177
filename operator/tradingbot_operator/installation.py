"""Is an installation whole? Judged from what the operator's pages and the API server answer, for ``helm test``.

A CRD that another operator's release has brought, or that nobody upgraded, is served as if nothing were wrong, and drops the fields that it
does not know: so the fields are compared, not only the name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from tradingbot_operator.liveness import Check
from tradingbot_operator.resource import API_VERSION, GROUP, KIND, PLURAL
from tradingbot_operator.schema import build_schema

Schema = Mapping[str, Any]

RESOURCES_PATH: Final = f"/apis/{GROUP}/{API_VERSION}"
"""What of the group the API server serves."""
OPENAPI_PATH: Final = f"/openapi/v3/apis/{GROUP}/{API_VERSION}"
"""With which fields it does."""

_OK: Final = 200
_NOT_FOUND: Final = 404
_NAMED: Final = 5


class Seen(Struct, frozen=True):
    """What came of asking for one page."""

    status: int
    """Of HTTP; 0: there was no answer, and the text says why."""
    text: str
    document: Any = None
    """The text as JSON, where that was asked for."""


class Installation(Struct, frozen=True, kw_only=True):
    """Everything that is looked at."""

    alive: Seen
    ready: Seen
    resources: Seen
    openapi: Seen

    @property
    def is_starting(self) -> bool:
        """Whether an operator may only not be up yet, so that more is to be seen later."""
        return self.alive.status != _OK or self.ready.status != _OK


def operator_alive(found: Installation) -> Check:
    return _page("operator", found.alive, "it answers, and each of its own checks passes")


def operator_ready(found: Installation) -> Check:
    return _page("ready", found.ready, found.ready.text.removeprefix("ok: ").strip())


def crd_served(found: Installation) -> Check:
    if found.resources.status == _NOT_FOUND:
        return Check("crd", passed=False, detail=f"the cluster has no {KIND}; the chart installs its CRD with crds.create=true")
    if found.resources.status != _OK:
        return Check("crd", passed=False, detail=_told(found.resources))
    served = {resource["name"] for resource in found.resources.document["resources"]}
    wanted = (PLURAL, f"{PLURAL}/status", f"{PLURAL}/scale")
    missing = [name for name in wanted if name not in served]
    return Check("crd", not missing, f"{RESOURCES_PATH} has no {', '.join(missing)}" if missing else f"{RESOURCES_PATH} is served")


def crd_current(found: Installation) -> Check:
    if found.openapi.status != _OK:
        return Check("fields", passed=False, detail=_told(found.openapi))
    served = _schema_of_bots(found.openapi.document)
    if served is None:
        return Check("fields", passed=False, detail=f"{OPENAPI_PATH} describes no {KIND}")
    missing = find_missing_fields(served, build_schema())
    if missing:
        some = ", ".join(missing[:_NAMED]) + (f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else "")
        return Check("fields", passed=False, detail=f"the CRD is older than this operator and lacks {some}; upgrade the CRD")
    return Check("fields", passed=True, detail="the CRD has every field that this operator knows")


CHECKS: Final[tuple[Callable[[Installation], Check], ...]] = (operator_alive, operator_ready, crd_served, crd_current)


def judge(found: Installation) -> tuple[Check, ...]:
    """Return every check, in the order in which a person would look."""
    return tuple(check(found) for check in CHECKS)


def find_missing_fields(served: Schema, known: Schema) -> list[str]:
    """Return the fields of spec and status that the operator knows and the API server doesn't, the outermost of each branch."""
    pairs = ((section, served["properties"].get(section, {}), known["properties"][section]) for section in ("spec", "status"))
    return [path for section, theirs, ours in pairs for path in _missing(section, theirs, ours)]


def _missing(path: str, served: Schema, known: Schema) -> Iterator[str]:
    theirs = served.get("properties", {})
    for name, child in known.get("properties", {}).items():
        if name in theirs:
            yield from _missing(f"{path}.{name}", theirs[name], child)
        else:
            yield f"{path}.{name}"
    for inside in ("items", "additionalProperties"):
        if isinstance(known.get(inside), Mapping):
            yield from _missing(f"{path}[]", served.get(inside) or {}, known[inside])


def _schema_of_bots(openapi: Schema) -> Schema | None:
    kind = {"group": GROUP, "kind": KIND, "version": API_VERSION}
    schemas: Mapping[str, Schema] = openapi["components"]["schemas"]
    return next((schema for schema in schemas.values() if kind in schema.get("x-kubernetes-group-version-kind", [])), None)


def _page(name: str, seen: Seen, detail: str) -> Check:
    passed = seen.status == _OK
    return Check(name, passed, detail if passed else _told(seen))


def _told(seen: Seen) -> str:
    text = " ".join(seen.text.split())
    return f"the answer is {seen.status}: {text}" if seen.status else f"there is no answer: {text}"
