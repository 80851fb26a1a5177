"""Renders the CRD's schema for people: the reference page, and the chart's copy of the CRD."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

Schema = dict[str, Any]

_NOTICE: Final = "Generated from the typed models by `python -m tradingbot_operator.generate`; changes here are overwritten."
_TYPES: Final = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}


class _Dumper(yaml.SafeDumper):
    """Writes lists indented below their key, as people write manifests."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - the signature is PyYAML's
        super().increase_indent(flow, False)


def render_crd(crd: Schema) -> str:
    """Return the CRD as YAML."""
    return f"# {_NOTICE}\n{_yaml(crd)}"


def render_chart_template(crd: Schema) -> str:
    """Return the CRD as a template of the chart: made, and kept at an uninstall, if its values say so."""
    text = _yaml(crd)
    assert "{{" not in text, "a description that looks like a template would break the chart"
    metadata = f"metadata:\n  name: {crd['metadata']['name']}\n"
    assert metadata in text
    labels = '  labels:\n    {{- include "tradingbot-operator.labels" . | nindent 4 }}\n'
    kept = f"{metadata}{labels}  {{{{- if .Values.crds.keep }}}}\n  annotations:\n    helm.sh/resource-policy: keep\n  {{{{- end }}}}\n"
    return "{{- /* " + _NOTICE + " */ -}}\n{{- if .Values.crds.create }}\n" + text.replace(metadata, kept, 1) + "{{- end }}\n"


def render_reference(crd: Schema) -> str:
    """Return the reference page: every field with type, default, bounds and description."""
    (version,) = crd["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    parts = [
        "# TradingBot",
        f"<!-- {_NOTICE} -->",
        (
            f"`apiVersion: {crd['spec']['group']}/{version['name']}`, `kind: {crd['spec']['names']['kind']}`, short name "
            f"`{crd['spec']['names']['shortNames'][0]}`. {schema['description']}"
        ),
        "Fields that are not listed are refused: `kubectl apply` names the field that it does not know. **Bold** fields are required.",
        schema["x-kubernetes-validations"][0]["message"].replace("metadata.name", "`metadata.name`", 1) + ".",
        "## spec\n\n" + _table(schema["properties"]["spec"], "spec"),
        "### Rules that span fields\n\n"
        + "\n".join(f"- `{path}`: {message}" for path, message in _rules(schema["properties"]["spec"], "spec")),
        "## status\n\nWritten by the operator alone.\n\n" + _table(schema["properties"]["status"], "status", with_default=False),
    ]
    return "\n\n".join(parts) + "\n"


def _yaml(document: Schema) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=140, allow_unicode=True)


def _table(schema: Schema, path: str, *, with_default: bool = True) -> str:
    head = "| field | type | default | bounds | |" if with_default else "| field | type | |"
    lines = [head, "|---" * (head.count("|") - 1) + "|"]
    for name, entry, required in _fields(schema, path):
        cells = [f"**`{name}`**" if required and with_default else f"`{name}`", _type(entry)]
        cells += [_default(entry), _bounds(entry)] if with_default else []
        lines.append("| " + " | ".join([*cells, entry["description"].replace("|", "\\|")]) + " |")
    return "\n".join(lines)


def _fields(schema: Schema, path: str) -> Iterator[tuple[str, Schema, bool]]:
    for name, entry in schema.get("properties", {}).items():
        here = f"{path}.{name}"
        yield here, entry, name in schema.get("required", ())
        yield from _fields(entry, here)
        yield from _fields(entry.get("items", {}), f"{here}[]")


def _rules(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    for rule in schema.get("x-kubernetes-validations", ()):
        yield path, rule["message"]
    for name, entry in schema.get("properties", {}).items():
        yield from _rules(entry, f"{path}.{name}")


def _type(entry: Schema) -> str:
    if "enum" in entry:
        return " \\| ".join(f"`{value}`" for value in entry["enum"])
    if entry["type"] == "array":
        return f"list of {_type(entry['items'])}"
    if entry["type"] == "object":
        return f"map to {_type(entry['additionalProperties'])}" if "additionalProperties" in entry else "object"
    return _TYPES[entry["type"]]


def _default(entry: Schema) -> str:
    default = entry.get("default")
    if default is None:
        return ""
    parts = entry.get("properties")
    if parts and all("default" in parts[name] for name in default):
        return ""  # its fields tell theirs
    return f"`{yaml.safe_dump(default, default_flow_style=True, width=1000).removesuffix(chr(10)).removesuffix('...').strip()}`"


def _bounds(entry: Schema) -> str:
    bounds = []
    if "minimum" in entry:
        bounds.append(f"{'>' if entry.get('exclusiveMinimum') else '≥'} {entry['minimum']}")
    if "maximum" in entry:
        bounds.append(f"{'<' if entry.get('exclusiveMaximum') else '≤'} {entry['maximum']}")
    for name, low, high in (
        ("characters", "minLength", "maxLength"),
        ("items", "minItems", "maxItems"),
        ("keys", "minProperties", "maxProperties"),
    ):
        if high in entry:
            bounds.append(f"{entry.get(low, 0)} to {entry[high]} {name}")
    if "pattern" in entry:
        bounds.append("`" + entry["pattern"].replace("|", "\\|") + "`")
    return ", ".join(bounds)
