"""JSON schemas for kubeconform, one file for each kind: of the pinned Kubernetes from its Go module's OpenAPI documents, and of a CRD.

They are strict: a field that the API server would drop, or refuse, is an error. Every file stands alone, so that nothing is looked for
anywhere else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

Schema = dict[str, Any]

LOCATION: Final = "{{ .ResourceKind }}{{ .KindSuffix }}.json"
"""Name of a file, in kubeconform's words; :func:`file_name` in ours."""

_REFERENCE: Final = "#/components/schemas/"
_KINDS: Final = "x-kubernetes-group-version-kind"


def file_name(kind: str, api_version: str) -> str:
    """Return the name of a kind's file."""
    group, _, version = api_version.rpartition("/")
    return "-".join(part.lower() for part in (kind, group.partition(".")[0], version) if part) + ".json"


def write_kubernetes_schemas(documents: Iterable[Path], folder: Path) -> None:
    """Write every kind that the OpenAPI documents describe."""
    for document in documents:
        schemas: dict[str, Schema] = json.loads(document.read_text()).get("components", {}).get("schemas", {})
        for name, schema in schemas.items():
            # A kind of many groups is an argument of calls (DeleteOptions), nothing that stands in a manifest.
            if len(schema.get(_KINDS, [])) == 1:
                (kind,) = schema[_KINDS]
                version = "/".join(part for part in (kind["group"], kind["version"]) if part)
                definitions = {needed: _strict(schemas[needed]) for needed in _closure(name, schemas)}
                whole = {"$ref": f"#/definitions/{name}", "definitions": definitions}
                (folder / file_name(kind["kind"], version)).write_text(json.dumps(whole))


def write_crd_schemas(crd: Schema, folder: Path) -> None:
    """Write every version of the kind that a CRD defines."""
    spec = crd["spec"]
    for version in spec["versions"]:
        schema = _strict(version["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}
        (folder / file_name(spec["names"]["kind"], f"{spec['group']}/{version['name']}")).write_text(json.dumps(schema))


def _strict(schema: Schema) -> Schema:
    """Return the schema with references within one file, and no other properties than those that it names."""
    changed: Schema = {}
    for key, value in schema.items():
        if key == "$ref":
            changed[key] = value.replace(_REFERENCE, "#/definitions/")
        elif key == "properties":
            changed[key] = {name: _strict(child) for name, child in value.items()}
        elif key in {"allOf", "anyOf", "oneOf"}:
            changed[key] = [_strict(child) for child in value]
        elif key in {"items", "additionalProperties", "not"} and isinstance(value, dict):
            changed[key] = _strict(value)
        elif not key.startswith("x-"):
            changed[key] = value
    if schema.get("properties") and not schema.get("x-kubernetes-preserve-unknown-fields"):
        changed.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        changed["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return changed


def _closure(name: str, schemas: dict[str, Schema]) -> list[str]:
    """Return the schema and everything that it refers to."""
    found: list[str] = []
    waiting = [name]
    while waiting:
        taken = waiting.pop()
        if taken not in found:
            found.append(taken)
            waiting += _references(schemas[taken])
    return found


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix(_REFERENCE)
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)
