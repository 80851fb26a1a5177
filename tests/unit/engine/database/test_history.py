"""Judgements of news survive a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.history import History
from tradingbot_engine.database.rows import PredictionRow
from tradingbot_engine.unavailable import UnavailableError

OpenDatabase = Callable[..., Database]


def judgement(number: int, judged_at_ms: int) -> PredictionRow:
    return PredictionRow(
        f"digest-{number}", str(number), ("A", "B/C")[: number % 3], "news", "finbert", 0.7, 0.1, 0.2, 0.6, 5, judged_at_ms
    )


@pytest.fixture
def history(open_database: OpenDatabase) -> History:
    history = History(open_database(durable=False))
    history.open()
    return history


def test_what_was_judged_a_moment_ago_is_there_after_a_restart(history: History, open_database: OpenDatabase) -> None:
    rows = [judgement(number, 1000 * number) for number in range(1300)]
    history.record(rows)
    again = History(open_database(durable=False))
    again.open()
    assert again.recent(10.0, 1_300_000, most=5000) == rows[-9:]
    assert again.recent(1e9, 1_300_000, most=5000) == rows


def test_recorded_twice_it_is_there_once_judged_twice_it_is_there_twice(history: History) -> None:
    history.record([judgement(1, 10)])
    history.record([judgement(1, 10), judgement(1, 20)])
    assert history.recent(1.0, 30, most=5000) == [judgement(1, 10), judgement(1, 20)]


def test_a_look_back_is_bounded_and_has_the_newest(history: History) -> None:
    rows = [judgement(number, 1000 + number // 4) for number in range(20)]
    history.record(rows)
    assert history.recent(1e9, 5000, most=6) == rows[-6:]


def test_nothing_to_record_is_nothing(history: History) -> None:
    history.record([])
    assert history.recent(1.0, 30, most=5000) == []


def test_a_damaged_file_is_told_with_what_to_do(open_database: OpenDatabase, tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"no database at all, but long enough to be read as one" * 100)
    with pytest.raises(UnavailableError, match=r"history: can't be opened: .*: remove it, what it holds is made anew"):
        History(open_database()).open()
