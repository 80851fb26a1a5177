from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tradingbot_cli.errors import RefusedError
from tradingbot_cli.whole_file import check_writable, write_whole


def test_a_file_is_replaced_whole_and_nothing_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    for content in (b"first", b"second"):
        check_writable(path)
        write_whole(path, content)
        assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_asking_makes_no_file(tmp_path: Path) -> None:
    check_writable(tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["nowhere/report.html", "file/report.html", "x" * 255, "x" * 300])
def test_where_no_file_can_be_is_refused_before_and_then(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / name
    with pytest.raises(RefusedError, match="can't be written"):
        check_writable(path)
    with pytest.raises(RefusedError, match="can't be written"):
        write_whole(path, b"")


@pytest.mark.parametrize("path", [Path(), Path("/")])
def test_a_folder_is_no_name(path: Path) -> None:
    with pytest.raises(RefusedError, match="is no name of a file"):
        check_writable(path)


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    check_writable(pipe)
    write_whole(pipe, b"all of it")
    reader.join()
    assert read == [b"all of it"]
    assert pipe.is_fifo()
