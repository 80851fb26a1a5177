"""One engine per journal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tradingbot_contract.document import SpecError
from tradingbot_engine.database.lock import LOCK_FILE, JournalLock
from tradingbot_engine.unavailable import UnavailableError


def test_a_second_one_is_refused_with_the_holder_s_name(tmp_path: Path) -> None:
    lock = JournalLock(tmp_path)
    with pytest.raises(UnavailableError, match=f"process {os.getpid()}"):
        JournalLock(tmp_path)
    lock.release()
    JournalLock(tmp_path).release()


def test_a_file_that_stayed_behind_locks_nothing(tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).write_text("4711\n")
    lock = JournalLock(tmp_path)
    assert (tmp_path / LOCK_FILE).read_text() == f"{os.getpid()}\n"
    lock.release()


def test_a_missing_folder_and_one_that_is_no_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="there is none"):
        JournalLock(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecError, match="can't be written to"):
        JournalLock(tmp_path / "file")
