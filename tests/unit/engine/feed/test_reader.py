"""Reading CSV files: what is right is read, and what is wrong is said with its line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tradingbot_contract.document import SpecError
from tradingbot_engine.feed.reader import parse_time_ms, read_prices

HEADER = "timestamp,symbol,open,high,low,close,volume\n"


def write(folder: Path, text: str, name: str = "prices.csv") -> Path:
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("2000-03-01", 951868800000),
        ("2000-03-01T00:00:00", 951868800000),
        ("2000-03-01 01:00:00+01:00", 951868800000),
        ("2000-03-01T00:00:00.250Z", 951868800250),
        ("951868800000", 951868800000),
    ],
)
def test_timestamps(text: str, time_ms: int) -> None:
    assert parse_time_ms(text) == time_ms


@pytest.mark.parametrize("text", ["951868800", "yesterday", "", "2000-13-01", "-5"])
def test_what_is_no_timestamp(text: str) -> None:
    with pytest.raises(ValueError, match="timestamp"):
        parse_time_ms(text)


@pytest.mark.parametrize("name", ["prices.csv", "prices.csv.gz"])
def test_rows_become_steps(tmp_path: Path, name: str) -> None:
    rows = "2020-01-01,A,1,3,0.5,2,10\n2020-01-01,B,4,4,4,4,0\n2020-01-01,C,9,9,9,9,9\n\n2020-01-02,B,5,6,5,6,1\n"
    prices = read_prices(write(tmp_path, HEADER + rows, name), ["B", "A"])
    assert (prices.steps, len(prices)) == (2, 3)
    first, second = prices.bars(0, 2)
    assert [(bar.symbol, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in first] == [
        ("A", 1.0, 3.0, 0.5, 2.0, 10.0),
        ("B", 4.0, 4.0, 4.0, 4.0, 0.0),
    ]
    assert [bar.symbol for bar in second] == ["B"]


def test_one_symbol_after_the_other_is_merged_by_time(tmp_path: Path) -> None:
    rows = "".join(f"2020-01-0{day},{symbol},{day},{day},{day},{day},1\n" for symbol in "AB" for day in (1, 2, 3))
    prices = read_prices(write(tmp_path, HEADER + rows), ["A", "B"])
    assert [[(bar.symbol, bar.close) for bar in step] for step in prices.bars(0, 3)] == [
        [("A", day), ("B", day)] for day in (1.0, 2.0, 3.0)
    ]


def test_columns_may_be_in_any_order_and_more(tmp_path: Path) -> None:
    text = "\ufeffVolume,Note,Close,Low,High,Open,Symbol,Timestamp\n7,x,2,1,3,1.5,A,2020-01-01\n"
    [[bar]] = read_prices(write(tmp_path, text), ["A"]).bars(0, 1)
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (1.5, 3.0, 1.0, 2.0, 7.0)


def test_the_digest_tells_data_apart(tmp_path: Path) -> None:
    one = read_prices(write(tmp_path, HEADER + "2020-01-01,A,1,1,1,1,1\n"), ["A"])
    same = read_prices(write(tmp_path, HEADER + "2020-01-01,A,1,1,1,1,1\n", "copy.csv"), ["A"])
    other = read_prices(write(tmp_path, HEADER + "2020-01-01,A,1,1,1,1,2\n"), ["A"])
    assert one.digest == same.digest != other.digest


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("2020-01-01,A,1,1,1,1,1\n2020-01-01,A,1,1,1,1,1\n", "line 3: A 2020-01-01 is not after the row of A before it: sort"),
        ("2020-01-02,A,1,1,1,1,1\n2020-01-01,A,1,1,1,1,1\n", "line 3: A 2020-01-01 is not after"),
        ("2020-01-01,A,1,1,2,1,1\n", "line 2: A 2020-01-01: high 1.0 is below low 2.0"),
        ("2020-01-01,A,1,1,1,nan,1\n", "line 2: A 2020-01-01: close is nan, no price above 0"),
        ("2020-01-01,A,0,1,1,1,1\n", "line 2: A 2020-01-01: open is 0.0, no price"),
        ("2020-01-01,A,1,inf,1,1,1\n", "line 2: A 2020-01-01: high is inf, no price"),
        ("2020-01-01,A,1,1,-1,1,1\n", "line 2: A 2020-01-01: low is -1.0, no price"),
        ("2020-01-01,A,1,1,1,1,-1\n", "line 2: A 2020-01-01: volume is -1.0"),
        ("2020-01-01,A,1,1,1,1,nan\n", "line 2: A 2020-01-01: volume is nan"),
        ("2020-01-01,A,1,1,1,x,1\n", "line 2: A 2020-01-01: could not convert string to float: 'x'"),
        ("2020-01-01,A,1,1,1\n", "line 2: 5 values where the header has 7"),
        ("soon,A,1,1,1,1,1\n", "line 2: timestamp 'soon' is neither"),
        ("1600000000,A,1,1,1,1,1\n", "line 2: timestamp 1600000000 is no time in milliseconds"),
    ],
)
def test_a_wrong_row_is_said_with_its_line(tmp_path: Path, rows: str, said: str) -> None:
    path = write(tmp_path, HEADER + rows)
    with pytest.raises(SpecError) as error:
        read_prices(path, ["A"])
    assert str(error.value).startswith("market.feed.replay.data: ")
    assert said in str(error.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="line 1: no column low, volume"):
        read_prices(write(tmp_path, "timestamp,symbol,open,high,close\n"), ["A"])


def test_an_empty_file_has_no_columns(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="line 1: no column timestamp"):
        read_prices(write(tmp_path, ""), ["A"])


def test_a_missing_symbol_is_answered_with_those_that_are_there(tmp_path: Path) -> None:
    rows = "2020-01-01,A,1,1,1,1,1\n2020-01-01,B,1,1,1,1,1\n"
    with pytest.raises(SpecError, match=r"market\.symbols: prices\.csv has no X, Y: it has A, B"):
        read_prices(write(tmp_path, HEADER + rows), ["A", "X", "Y"])


def test_a_long_list_of_symbols_is_cut(tmp_path: Path) -> None:
    rows = "".join(f"2020-01-01,S{number:02},1,1,1,1,1\n" for number in range(30))
    with pytest.raises(SpecError, match=r"S19 and 10 more$"):
        read_prices(write(tmp_path, HEADER + rows), ["X"])


def test_a_file_that_is_not_there_or_no_archive(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"market\.feed\.replay\.data: there is no file"):
        read_prices(tmp_path / "none.csv", ["A"])
    path = tmp_path / "broken.csv.gz"
    path.write_bytes(gzip.compress(b"x" * 1000)[:20])
    with pytest.raises(SpecError, match=r"market\.feed\.replay\.data: .* can't be read"):
        read_prices(path, ["A"])
    path.write_bytes(b"plain")
    with pytest.raises(SpecError, match="can't be read"):
        read_prices(path, ["A"])
    path = tmp_path / "latin.csv"
    path.write_bytes(HEADER.encode() + b"2020-01-01,\xff,1,1,1,1,1\n")
    with pytest.raises(SpecError, match="can't be read"):
        read_prices(path, ["A"])
