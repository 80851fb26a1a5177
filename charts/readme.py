"""Writes the chart's README from what the chart says of itself: ``python charts/readme.py``, with ``--check`` only compares.

The words are the comments of ``values.yaml`` that begin with ``# --``, the bounds are the schema's, the rest is ``Chart.yaml``. A value
without words, or that only one of the two files knows, is an error: it would be missing here.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tradingbot_operator.generated_files import write_or_compare

CHART: Final = Path(__file__).resolve().parent / "tradingbot-operator"

_KEY: Final = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z][A-Za-z0-9]*):")
_NOTICE: Final = "<!-- Generated from Chart.yaml, values.yaml and values.schema.json by `make generate`; changes here are overwritten. -->"
_PLAIN: Final = {"string": "text", "boolean": "true or false", "object": "map", "array": "list"}

Node = dict[str, Any]


class UndocumentedError(Exception):
    """The chart's files don't tell the same; the message names the value and the file to mend."""


@dataclass(frozen=True)
class Value:
    """One row of the table."""

    path: str
    words: str
    default: Any
    allowed: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the README, or with ``--check`` only compare it; return the exit code."""
    try:
        return write_or_compare(CHART.parents[1], build_files, program="python charts/readme.py", description=__doc__, arguments=arguments)
    except UndocumentedError as error:
        print(error, file=sys.stderr)
        return 1


def build_files() -> dict[str, str]:
    """Return the README, by its path in the checkout."""
    return {f"charts/{CHART.name}/README.md": render_readme(CHART)}


def render_readme(folder: Path) -> str:
    """Return the README of the chart in ``folder``.

    Raises:
        UndocumentedError: a value has no words, or stands in only one of values and schema.
    """
    chart = yaml.safe_load((folder / "Chart.yaml").read_text())
    values = list(read_values((folder / "values.yaml").read_text(), json.loads((folder / "values.schema.json").read_text())))
    rows = "\n".join(f"| `{value.path}` | {_cell(value.words)} | {value.allowed} | {_default(value.default)} |" for value in values)
    return _TEXT.format(
        name=chart["name"],
        notice=_NOTICE,
        description=chart["description"],
        version=chart["version"],
        app_version=chart["appVersion"],
        kubernetes=chart["kubeVersion"].removeprefix(">=").removesuffix(".0-0"),
        rows=rows,
    )


def read_values(text: str, schema: Node) -> Iterator[Value]:
    """Yield every value that has words, in the order of the file.

    Raises:
        UndocumentedError: see :func:`render_readme`.
    """
    defaults = yaml.safe_load(text)
    told = dict(read_words(text))
    for path in _undescribed(schema, schema, told):
        raise UndocumentedError(f"values.yaml: write what {path} does, in a comment above it that begins with `# --`")
    for path, words in told.items():
        default, node = defaults, schema
        for key in path.split("."):
            node = _resolve(node, schema).get("properties", {}).get(key)
            if node is None:
                raise UndocumentedError(f"values.schema.json: say what {path} may be")
            default = default[key]
        yield Value(path, words, default, describe_allowed(_resolve(node, schema), schema))


def read_words(text: str) -> Iterator[tuple[str, str]]:
    """Yield the path of each value with a ``# --`` comment, and the comment."""
    above: list[str] = []
    parents: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("#"):
            above.append(stripped.removeprefix("#").strip())
            continue
        key = _KEY.match(line)
        if key is not None:
            parents = [*parents[: len(key["indent"]) // 2], key["key"]]
            if above and above[0].startswith("--"):
                yield ".".join(parents), " ".join([above[0].removeprefix("--").strip(), *above[1:]])
        above = []


def describe_allowed(node: Node, schema: Node) -> str:
    """Return what a value may be, in words."""
    match node:
        case {"description": words}:
            allowed = str(words)
        case {"enum": choices}:
            allowed = ", ".join(f"`{choice}`" for choice in choices)
        case {"oneOf": choices}:
            allowed = " or ".join(describe_allowed(_resolve(choice, schema), schema) for choice in choices)
        case {"type": "integer" | "number", "minimum": lowest, "maximum": highest}:
            allowed = f"{lowest} to {highest}"
        case {"type": "array", "items": items}:
            allowed = f"list of {_PLAIN.get(_resolve(items, schema)['type'], 'number')}s"
        case {"type": "object", "additionalProperties": dict()}:
            allowed = "map of texts"
        case {"type": kind}:
            allowed = _PLAIN[kind]
    return allowed


def _undescribed(node: Node, schema: Node, told: dict[str, str], path: str = "") -> Iterator[str]:
    """Yield the values of the schema that no comment tells of."""
    for key, child in node.get("properties", {}).items():
        name = f"{path}.{key}" if path else key
        if name in told or name == "global":
            continue
        inside = _resolve(child, schema)
        if "properties" in inside:
            yield from _undescribed(inside, schema, told, name)
        else:
            yield name


def _resolve(node: Node, schema: Node) -> Node:
    reference = node.get("$ref")
    return schema["$defs"][reference.rpartition("/")[2]] if reference else node


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(value: Any) -> str:
    return f"`{json.dumps(value)}`" if value != "" else ""


_TEXT: Final = """\
# {name}

{notice}

{description}. Chart {version}, operator {app_version}, Kubernetes {kubernetes} or newer.

```sh
helm install tradingbot-operator charts/tradingbot-operator --namespace tradingbot-system --create-namespace --wait
helm test tradingbot-operator --namespace tradingbot-system --logs
```

It brings the CRD (kept when the release goes), two operators of which one acts, and what they need: a ServiceAccount, roles without
wildcards and without Secrets, a NetworkPolicy, a PodDisruptionBudget and a Service with the metrics. Engines trade on while the operator
is upgraded or gone.

- [Install and uninstall](../../docs/how-to/install.md), [upgrade](../../docs/how-to/upgrade.md)
- Without Helm: [`manifests/install.yaml`](../../manifests/install.yaml), or `manifests/` as a base of kustomize
- What can be written into a bot: [reference](../../docs/reference/tradingbot.md), [samples](../../manifests/samples)

## Values

A value that is not in this table is refused, and so is one that may not be: `helm install` names it.

| value | what it does | may be | default |
|---|---|---|---|
{rows}
"""


if __name__ == "__main__":
    sys.exit(main())
