"""Files of news: CSV and JSON lines, and what is said of a wrong one."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tradingbot_contract.document import SpecError
from tradingbot_engine.news.dataset import DATASETS, find_news_file
from tradingbot_engine.news.file import check_news_file, read_news

CSV = (
    'id,timestamp,symbols,source,text\n1,2020-01-02,A,news,"Gains, and\nmore"\n'
    "2,2020-01-03,B;C,social,Losses\n2,2020-01-03,B,social,again\n"
)
JSON = (
    '{"id": 1, "timestamp": "2020-01-02", "symbols": ["A"], "text": "Gains, and\\nmore"}\n\n'
    '{"id": 2, "timestamp": "2020-01-03", "symbols": ["B", "C"], "source": "social", "text": "Losses"}\n'
)


@pytest.mark.parametrize(
    ("name", "text"), [("n.csv", CSV), ("n.csv.gz", CSV), ("n.txt", "\ufeff" + CSV), ("n.jsonl", JSON), ("n.ndjson.gz", JSON)]
)
def test_every_format_says_the_same(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    items = list(read_news(path))
    assert [(item.id, item.symbols, item.source.value, item.text) for item in items] == [
        ("1", ("A",), "news", "Gains, and\nmore"),
        ("2", ("B", "C"), "social", "Losses"),
    ]
    assert check_news_file(path, frozenset("A")) == (1, 1)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("n.csv", "timestamp,headline\n", "line 1: no column text"),
        ("n.csv", "", "line 1: no column timestamp, text"),
        ("n.csv", "timestamp,text\n2020-01-02,a\nnever,b\n", "line 3: timestamp 'never'"),
        ("n.csv", "timestamp,text\n2020-01-02,a\n2020-01-01,b\n", "line 3: it is earlier than the one before it: sort"),
        ("n.csv", "timestamp,text\n2020-01-02\n", "line 2: text None is no text"),
        ("n.jsonl", '{"timestamp": "2020-01-02", "text": "a"}\n[1]\n', "line 2: no JSON object"),
        ("n.csv.gz", "this is not compressed", "can't be read"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(SpecError, match=f"market.news.file.data: .*{message}"):
        check_news_file(path, frozenset("A"))


def test_news_that_ships_with_the_engine_is_found_by_name() -> None:
    for name in DATASETS:
        summary = check_news_file(find_news_file(name), frozenset({"AAPL", "GOOG", "IBM", "MSFT"}))
        assert summary.items > 100
        assert summary.others == 0
    assert find_news_file("/news.csv") == Path("/news.csv")
    with pytest.raises(SpecError, match=r"market.news.file.data: there is no news 'other': use made-up-headlines, or the absolute path"):
        find_news_file("other")


def test_a_file_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"there is no file .*gone.csv in the engine's container: mount it"):
        check_news_file(tmp_path / "gone.csv", frozenset())
