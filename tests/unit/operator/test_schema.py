"""What a CRD's schema has to be, checked at every node of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from tradingbot_contract.document import VERSION
from tradingbot_operator.bot_status import TradingBotStatus, parse_status, render_status
from tradingbot_operator.resource import TradingBotSpec, parse_bot
from tradingbot_operator.schema import build_crd, build_schema, schema_of

ROOT = Path(__file__).resolve().parents[3]
Schema = dict[str, Any]


def nodes(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, entry in schema.get("properties", {}).items():
        yield from nodes(entry, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from nodes(schema[key], f"{path}[]")


NODES = [(path, node) for path, node in nodes(build_schema()) if path not in {".metadata", ".apiVersion", ".kind"}]


@pytest.mark.parametrize(("path", "node"), NODES, ids=[path or "(root)" for path, _ in NODES])
def test_a_node_is_structural_bounded_and_described(path: str, node: Schema) -> None:
    assert node["type"] in {"object", "array", "string", "number", "integer", "boolean"}
    assert not {"$ref", "$defs", "anyOf", "const", "title"} & node.keys()
    if node["type"] == "string" and "enum" not in node:
        assert "maxLength" in node, "without it the cost of a CEL rule can't be estimated"
    if node["type"] == "array":
        assert "maxItems" in node
    if "additionalProperties" in node:
        assert "maxProperties" in node
        assert "properties" not in node
    if not path.endswith("[]"):
        assert node["description"]
    assert isinstance(node.get("exclusiveMinimum", True), bool)


OPTIONAL = {
    ".spec.market.news",
    ".spec.market.news.file",
    ".spec.market.news.http",
    ".spec.database.urlSecretRef",
    ".spec.redis",
    ".spec.prediction.finbert",
    ".spec.prediction.social",
    ".spec.strategy.source",
    ".spec.engine.affinity",
    ".spec.engine.affinity.nodeAffinity",
    ".spec.engine.affinity.podAffinity",
    ".spec.engine.affinity.podAntiAffinity",
}
"""Sections that a bot does without unless they are given."""


@pytest.mark.parametrize(("path", "node"), [(path, node) for path, node in NODES if path.startswith(".spec")])
def test_defaults_reach_every_level_of_the_spec(path: str, node: Schema) -> None:
    for name, entry in node.get("properties", {}).items():
        if f"{path}.{name}" in OPTIONAL:
            assert "default" not in entry
            assert "Not set" in entry["description"] or f"{path}.{name}".startswith((".spec.market.news.", ".spec.engine.affinity."))
        elif entry["type"] == "object" and name not in node.get("required", ()):
            assert "default" in entry, f"without a default of its own, the defaults inside {path}.{name} would not apply"


def test_a_status_is_not_filled_in_by_the_api_server() -> None:
    assert all("default" not in node for path, node in NODES if path.startswith(".status"))


def fill(schema: Schema, value: Any) -> Any:
    """Fill in defaults as the API server does."""
    if schema["type"] == "object" and isinstance(value, dict):
        for name, entry in schema.get("properties", {}).items():
            if name not in value and "default" in entry:
                value[name] = yaml.safe_load(yaml.safe_dump(entry["default"]))
            if name in value:
                value[name] = fill(entry, value[name])
    return value


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{health: {score: {critical: 20}}, database: {pool: {size: 9}}}",
        "{redis: {urlSecretRef: {name: shared}}, prediction: {finbert: {source: /models/one}}}",
        "{market: {symbols: [AAPL], news: {type: http, http: {url: 'http://news.example'}}}, database: {urlSecretRef: {name: shared}}}",
    ],
)
def test_the_defaults_of_the_schema_are_those_of_the_model(text: str) -> None:
    spec = {"strategy": {"name": "ema-cross"}, "market": {"symbols": ["AAPL"]}} | yaml.safe_load(text)
    expected = msgspec.convert(spec, TradingBotSpec)
    filled = fill(schema_of(TradingBotSpec), spec)
    assert msgspec.convert(filled, TradingBotSpec) == expected
    assert filled["engine"]["resources"]["limits"]["memory"] == "512Mi"


def test_rules_of_the_models_are_in_the_schema() -> None:
    rules = {
        path: [rule["rule"] for rule in node["x-kubernetes-validations"]] for path, node in NODES if "x-kubernetes-validations" in node
    }
    assert rules[".spec.broker"][0] == "self.type == oldSelf.type"
    assert rules[".spec.health.score"]
    assert len(rules[".spec.engine.resources"]) == 2
    assert any("oldSelf" in rule for rule in rules[".spec.database.storage"])
    assert any("oldSelf" in rule for rule in rules[".spec.database"])
    assert len(rules[".spec.market.news"]) == 2
    assert any("self.cache.memoryLimit" in rule and "self.engine.resources.limits.memory" in rule for rule in rules[".spec"])
    assert any("self.scaling.replicas" in rule for rule in rules[".spec"])
    assert "self.metadata.name" in rules[""][0]


def test_an_open_bound_is_written_as_the_api_server_reads_it() -> None:
    node = dict(NODES)[".spec.risk.maxOrderNotional"]
    assert (node["minimum"], node["exclusiveMinimum"]) == (0, True)


def test_columns_point_at_fields_that_exist() -> None:
    (version,) = build_crd()["spec"]["versions"]
    known = {path for path, _ in NODES}
    for column in version["additionalPrinterColumns"]:
        path = column["jsonPath"].partition("[")[0]
        assert path in known or path.startswith(".metadata"), column


def test_a_status_survives_its_way_to_the_api_server_and_back() -> None:
    status = TradingBotStatus(observed_generation=3, message="hello")
    assert parse_status(render_status(status)) == status
    assert "trading" not in render_status(status), "what is not known is left out"


@pytest.mark.parametrize("path", sorted((ROOT / "manifests" / "samples").glob("*.yaml")), ids=lambda path: path.name)
def test_every_sample_is_a_bot(path: Path) -> None:
    for document in yaml.safe_load_all(path.read_text()):
        if document["apiVersion"] == VERSION:
            parse_bot(document)


def test_the_scale_subresource_is_that_of_the_shards() -> None:
    (version,) = build_crd()["spec"]["versions"]
    assert version["subresources"]["scale"] == {
        "specReplicasPath": ".spec.scaling.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
