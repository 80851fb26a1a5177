"""The samples are what people begin with: they must be valid, and the full one must not miss a field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tradingbot_cli.manifest import parse_bots
from tradingbot_engine.feed.dataset import load_prices
from tradingbot_engine.strategy.registry import parse_strategy

SAMPLES = Path(__file__).resolve().parents[3] / "manifests" / "samples"
CRD = SAMPLES.parent / "crd.yaml"


def leaves(schema: dict[str, Any], path: str = "spec") -> set[str]:
    """Return the paths of all fields that hold no fields of ours."""
    if "properties" not in schema:
        return {path}
    return {leaf for name, part in schema["properties"].items() for leaf in leaves(part, f"{path}.{name}")}


def has(value: Any, path: list[str]) -> bool:
    return not path or (isinstance(value, dict) and path[0] in value and has(value[path[0]], path[1:]))


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_a_sample_can_be_run(path: Path, tmp_path: Path) -> None:
    (bot,) = parse_bots(path.read_text(), path.name)
    assert bot.metadata.name == path.stem
    load_prices(bot.spec.market)
    for document in yaml.safe_load_all(path.read_text()):
        for key, code in document.get("data", {}).items() if document["kind"] == "ConfigMap" else ():
            (tmp_path / key).write_text(code)
    parse_strategy(bot.spec.strategy, tmp_path)


def test_the_full_sample_names_every_field_of_the_crd() -> None:
    schema = yaml.safe_load(CRD.read_text())["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    sample = yaml.safe_load((SAMPLES / "every-field.yaml").read_text())
    assert {path for path in leaves(schema) if not has(sample, path.split("."))} == set()


def test_what_the_full_sample_calls_default_is_the_default() -> None:
    text = (SAMPLES / "every-field.yaml").read_text()
    schema = yaml.safe_load(CRD.read_text())["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    sample = yaml.safe_load(text)["spec"]
    marked = {line.split(":")[0].strip() for line in text.splitlines() if "# default" in line and "# default:" not in line}

    def compare(part: dict[str, Any], value: Any, path: str) -> None:
        for name, field in part.get("properties", {}).items():
            if "properties" in field:
                compare(field, value[name], f"{path}.{name}")
            elif "default" in field and name in marked:
                assert value[name] == field["default"], f"{path}.{name}"

    compare(schema, sample, "spec")
