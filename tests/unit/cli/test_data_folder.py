from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tradingbot_cli.data_folder import DataFolder, check_unused, move_aside
from tradingbot_cli.errors import RefusedError
from tradingbot_engine.database.lock import JournalLock

NOW = dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC)


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "a" / "b")
    assert folder.path.is_dir()
    assert folder.journal.parent == folder.config.parent == folder.log("engine").parent == folder.path


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(RefusedError, match="can't be made"):
        DataFolder(tmp_path / "a" / "b")


def test_an_earlier_run_is_kept_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "first"
    assert move_aside(path, NOW) is None
    path.mkdir()
    (path / "journal.sqlite").write_text("orders")
    aside = move_aside(path, NOW)
    assert aside == tmp_path / "first.2026-03-04T050607"
    assert (aside / "journal.sqlite").read_text() == "orders"
    assert not path.exists()


def test_a_folder_that_an_engine_uses_is_refused(tmp_path: Path) -> None:
    check_unused(tmp_path / "none")
    check_unused(tmp_path)
    lock = JournalLock(tmp_path)
    with pytest.raises(RefusedError, match="another engine"):
        check_unused(tmp_path)
    lock.release()
    check_unused(tmp_path)
