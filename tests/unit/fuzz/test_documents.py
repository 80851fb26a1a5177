"""The engine's document and manifests: whatever the text, there is a document or a reason, soon, and nothing else."""

from __future__ import annotations

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from mutation import TREES, mutated_bytes, mutated_tree, refusal

from tradingbot_cli.errors import RefusedError
from tradingbot_cli.manifest import parse_bots
from tradingbot_contract.bounded_yaml import MOST_BYTES, MOST_DEPTH, MOST_SCALAR_CHARACTERS, MOST_VALUES, decode_yaml
from tradingbot_contract.document import (
    VERSION,
    BotIdentity,
    DatabaseAccess,
    EngineDocument,
    SpecError,
    parse_document,
    render_document,
    restart_hash,
)
from tradingbot_contract.resources import Cache
from tradingbot_contract.spec import Broker, Feed, Health, Market, Observability, Replay, Risk, Strategy
from tradingbot_engine.startup import read_head
from tradingbot_operator.resource import parse_bot

DOCUMENT = EngineDocument(
    api_version=VERSION,
    bot=BotIdentity(namespace="trading", name="first", uid="u"),
    generation=1,
    strategy=Strategy(name="ema-cross", parameters={"fast": 5}),
    market=Market(symbols=["AAPL", "MSFT"], feed=Feed(replay=Replay(speed=20.0))),
    broker=Broker(),
    risk=Risk(),
    database=DatabaseAccess(),
    cache=Cache(),
    health=Health(),
    observability=Observability(),
)
TEXT = render_document(DOCUMENT).encode()
MANIFEST = {
    "apiVersion": VERSION,
    "kind": "TradingBot",
    "metadata": {"name": "first", "namespace": "trading"},
    "spec": {
        "strategy": {"name": "ema-cross"},
        "market": {"symbols": ["AAPL"], "feed": {"type": "replay", "replay": {"data": "sample"}}},
        "engine": {"resources": {"limits": {"memory": "512Mi"}}},
    },
}


@given(mutated_bytes([TEXT]) | st.binary(max_size=200))
def test_a_document_is_read_or_refused_with_a_reason(text: bytes) -> None:
    read_head(text)
    document, _ = refusal(lambda: parse_document(text), SpecError)
    if document is not None:
        restart_hash(document)
        assert parse_document(render_document(document)) == document


@given(mutated_tree(msgspec.to_builtins(DOCUMENT)))
def test_a_document_with_odd_values_is_read_or_refused_with_a_reason(tree: object) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True).encode(errors="surrogatepass")
    read_head(text)
    refusal(lambda: parse_document(text), SpecError)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, f"deeper than {MOST_DEPTH}"),
        ("- " * 100_000, f"deeper than {MOST_DEPTH}"),
        ("{a: " * 100_000, f"deeper than {MOST_DEPTH}"),
        ("a: &a [1]\nb: [*a, *a]", "aliases are not taken"),
        ("a: &a {k: 1}\nb:\n  <<: [*a, *a]\n", "aliases are not taken"),
        ("&a [*a]", "aliases are not taken"),
        ("a: !!bool x", "tags are not taken"),
        ("a: !!python/object/apply:os.system [x]", "tags are not taken"),
        ("a: " + "1:" * 300 + "1.5", "int too large"),
        ("a: 2020-99-99", "month must be in"),
        ("a: " + "x" * (MOST_SCALAR_CHARACTERS + 1), f"more than {MOST_SCALAR_CHARACTERS} characters"),
        ("a: 1\n" * MOST_VALUES, f"more than {MOST_VALUES} values"),
        ("#" * (MOST_BYTES + 1), f"more than {MOST_BYTES} bytes"),
    ],
)
def test_what_would_fill_memory_or_end_the_process_is_refused_before_it_is_built(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        parse_document(text)


@given(TREES)
def test_bounded_reading_gives_what_was_written(tree: object) -> None:
    text = yaml.safe_dump(tree)
    assert decode_yaml(text) == yaml.safe_load(text)


@given(mutated_tree(MANIFEST) | TREES.filter(lambda tree: isinstance(tree, dict)))
def test_a_resource_is_read_or_refused_with_a_reason(body: dict[str, object]) -> None:
    refusal(lambda: parse_bot(body), SpecError)


@given(mutated_bytes([yaml.safe_dump(MANIFEST).encode()]))
def test_a_manifest_of_a_person_is_read_or_refused_with_a_line(text: bytes) -> None:
    bots, said = refusal(lambda: parse_bots(text.decode(errors="replace"), "bot.yaml"), RefusedError)
    assert bots or said.startswith("bot.yaml")


@pytest.mark.parametrize("text", ["[" * 100_000, "a: !!bool x", "a: !!int ''", "a: 2020-99-99", "a: " + "1:" * 300 + "1.5", "? [a]\n: 1"])
def test_a_manifest_that_the_parser_itself_stumbles_over_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(RefusedError, match=r"^bot\.yaml"):
        parse_bots(text, "bot.yaml")
