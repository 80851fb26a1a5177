"""Files of prices and of news, and what an address of news answers: read, or refused with a line, and nothing else."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mutation import TREES, mutated_bytes, mutated_tree, refusal

from tradingbot_contract.document import SpecError
from tradingbot_engine.feed.reader import read_prices
from tradingbot_engine.news.file import read_news
from tradingbot_engine.news.http_feed import HttpNews
from tradingbot_engine.news.item import NewsError, parse_news
from tradingbot_engine.prediction.model_folder import ModelError, parse_labels

PRICES = (
    b"timestamp,symbol,open,high,low,close,volume\n2020-01-02,A,1,2,0.5,1.5,100\n2020-01-02,B,1,2,0.5,1.5,100\n"
    b"2020-01-03T00:00:00Z,A,1,2,0.5,1.5,0\n1578182400000,A,1,2,0.5,1.5,7\n"
)
NEWS_CSV = b'id,timestamp,symbols,source,text\n1,2020-01-02,A,news,"Gains, and\nmore"\n2,1578096000000,B;C,social,Losses\n'
NEWS_JSON = b'{"id": 1, "timestamp": "2020-01-02", "symbols": ["A"], "text": "Gains"}\n{"timestamp": 1578096000000, "text": "Losses"}\n'
ITEM = {"id": 1, "timestamp": "2020-01-02", "symbols": ["A"], "source": "news", "text": "Gains"}


def with_file(name: str, data: bytes, read: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        refusal(lambda: read(path), SpecError)


@given(mutated_bytes([PRICES]), st.booleans())
def test_prices_are_read_or_refused_with_a_reason(data: bytes, packed: bool) -> None:
    def read(path: Path) -> None:
        prices = read_prices(path, ["A", "B"])
        assert all(prices.time_ms(step) <= prices.time_ms(step + 1) for step in range(prices.steps - 1))

    with_file("p.csv.gz" if packed else "p.csv", gzip.compress(data) if packed else data, read)


@given(mutated_bytes([gzip.compress(PRICES)]))
def test_a_packed_file_that_is_damaged_is_refused_with_a_reason(data: bytes) -> None:
    with_file("p.csv.gz", data, lambda path: read_prices(path, ["A"]))
    with_file("n.csv.gz", data, lambda path: list(read_news(path)))


@given(mutated_bytes([NEWS_CSV]))
def test_news_is_read_or_refused_with_a_reason(data: bytes) -> None:
    with_file("n.csv", data, lambda path: list(read_news(path)))


@given(mutated_bytes([NEWS_JSON]))
@example(b'{"a":' * 100_000)
def test_lines_of_news_are_read_or_refused_with_a_reason(data: bytes) -> None:
    with_file("n.jsonl", data, lambda path: list(read_news(path)))


@given(mutated_tree(ITEM) | TREES)
@example({"timestamp": "2020-01-02", "text": "Gains", "source": ["news"]})
@example({"timestamp": 10**5000, "text": "Gains"})
@example({"timestamp": 10**18, "text": "Gains", "id": 10**5000})
def test_an_item_is_news_or_is_none(raw: object) -> None:
    item, _ = refusal(lambda: parse_news(raw), NewsError)
    if item is not None:
        assert item.text
        assert -(2**63) <= item.time_ms < 2**63
        hash(item)


@given(st.lists(mutated_tree(ITEM) | TREES, max_size=4))
def test_what_an_address_lists_is_taken_as_far_as_it_is_news(listed: list[object]) -> None:
    source = HttpNews("http://news", frozenset({"A"}), scorer=None, client=None)  # type: ignore[arg-type] - neither is asked here
    assert len(source._parse(listed)) + source.malformed <= len(listed)


@given(
    st.dictionaries(
        st.text(max_size=5) | st.integers().map(str), st.text(max_size=9) | st.sampled_from(["positive", "negative"]), max_size=4
    )
)
def test_labels_of_a_model_are_read_or_refused(names: dict[str, str]) -> None:
    refusal(lambda: parse_labels(names), ModelError)


def test_the_examples_themselves_are_good() -> None:
    assert parse_news(ITEM).id == "1"
    with pytest.raises(NewsError):
        parse_news([])
