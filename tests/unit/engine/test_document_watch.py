"""Files as kubelets, editors and scripts change them: each text is handed on once, whole, and the last one counts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tradingbot_engine.document_watch import DocumentWatch

DEADLINE_SECONDS = 60.0


class Reader:
    """What the watch hands on."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.unreadable: list[str] = []
        self.done = True

    async def take(self, text: bytes, seen_at: float) -> bool:
        assert seen_at > 0
        self.texts.append(text)
        return self.done


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text("one")
    return path


@pytest.fixture
def reader() -> Reader:
    return Reader()


def watch_of(path: Path, reader: Reader, known: bytes = b"one", retry_seconds: float = 0.0) -> DocumentWatch:
    return DocumentWatch(
        path, known, take=reader.take, note_unreadable=reader.unreadable.append, look_seconds=0.001, retry_seconds=retry_seconds
    )


def look(watch: DocumentWatch, times: int = 1) -> None:
    for _ in range(times):
        asyncio.run(watch.look())


def swap(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def test_what_is_known_is_not_news(path: Path, reader: Reader) -> None:
    look(watch_of(path, reader), 3)
    assert reader.texts == []


def test_what_changed_between_the_start_and_the_first_look_is(path: Path, reader: Reader) -> None:
    look(watch_of(path, reader, known=b"zero"), 3)
    assert reader.texts == [b"one"]


def test_another_file_in_its_place_is_read_at_once(path: Path, reader: Reader) -> None:
    watch = watch_of(path, reader)
    look(watch)
    swap(path, "two")
    look(watch)
    assert reader.texts == [b"two"]
    look(watch, 3)
    assert reader.texts == [b"two"]


def test_a_file_that_is_written_in_place_is_read_when_it_no_longer_changes(path: Path, reader: Reader) -> None:
    watch = watch_of(path, reader)
    look(watch)
    with path.open("w") as file:
        for part in ("t", "w", "o"):
            file.write(part)
            file.flush()
            look(watch)
    assert reader.texts == []
    look(watch)
    assert reader.texts == [b"two"]


def test_a_mounted_config_map_swaps_its_folder(tmp_path: Path, reader: Reader) -> None:
    def publish(version: str) -> None:
        folder = tmp_path / version
        folder.mkdir()
        (folder / "config.yaml").write_text(version)
        link = tmp_path / "..data_tmp"
        link.symlink_to(version)
        link.replace(tmp_path / "..data")

    publish("..one")
    path = tmp_path / "config.yaml"
    path.symlink_to("..data/config.yaml")
    watch = watch_of(path, reader, known=b"..one")
    look(watch)
    for version in ("..two", "..three"):
        publish(version)
        look(watch)
    assert reader.texts == [b"..two", b"..three"]


def test_the_same_text_in_another_file_is_not_news(path: Path, reader: Reader) -> None:
    watch = watch_of(path, reader)
    look(watch)
    swap(path, "one")
    look(watch, 2)
    os.utime(path)
    look(watch, 3)
    assert reader.texts == []


def test_a_text_that_came_back_is_news(path: Path, reader: Reader) -> None:
    watch = watch_of(path, reader)
    for text in ("two", "one", "two"):
        look(watch)
        swap(path, text)
        look(watch)
    assert reader.texts == [b"two", b"one", b"two"]


def test_no_file_is_no_news_and_told_of_once(path: Path, reader: Reader, caplog: pytest.LogCaptureFixture) -> None:
    watch = watch_of(path, reader)
    look(watch)
    path.unlink()
    look(watch, 3)
    assert [record.getMessage() for record in caplog.records] == ["document is gone, the last good one goes on"]
    path.write_text("two")
    look(watch, 2)
    assert reader.texts == [b"two"]
    path.unlink()
    look(watch)
    assert len(caplog.records) == 2
    assert reader.unreadable == []


def test_a_file_that_can_not_be_read_is_told_of_and_what_comes_after_is_news(path: Path, reader: Reader) -> None:
    watch = watch_of(path, reader)
    look(watch)
    path.unlink()
    path.mkdir()
    look(watch, 2)
    assert set(reader.unreadable) == {f"{path}: can't be read (Is a directory)"}
    path.rmdir()
    path.write_text("one")
    look(watch, 2)
    assert reader.texts == [b"one"]


def test_what_could_not_be_done_is_tried_again_until_it_is(path: Path, reader: Reader) -> None:
    watch = watch_of(path, reader)
    look(watch)
    swap(path, "two")
    reader.done = False
    look(watch, 3)
    assert reader.texts == [b"two"] * 3
    reader.done = True
    look(watch, 3)
    assert reader.texts == [b"two"] * 4


def test_it_is_not_tried_again_at_every_look(path: Path, reader: Reader) -> None:
    watch = watch_of(path, reader, retry_seconds=3600.0)
    look(watch)
    swap(path, "two")
    reader.done = False
    look(watch, 5)
    assert reader.texts == [b"two"]
    swap(path, "three")
    look(watch)
    assert reader.texts == [b"two", b"three"]


def test_of_many_changes_while_one_is_taken_the_last_counts(path: Path) -> None:
    taken: list[bytes] = []

    async def scene() -> None:
        may_go_on = asyncio.Event()

        async def take(text: bytes, _seen_at: float) -> bool:
            taken.append(text)
            await may_go_on.wait()
            return True

        watch = DocumentWatch(path, b"one", take=take, note_unreadable=pytest.fail, look_seconds=0.001)
        task = asyncio.create_task(watch.run())
        swap(path, "two")
        await until(lambda: taken == [b"two"])
        for number in range(10):
            swap(path, f"more {number}")
        may_go_on.set()
        await until(lambda: len(taken) > 1)
        for _ in range(10):
            await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(scene())
    assert taken == [b"two", b"more 9"]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not holds():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.001)


def test_a_file_that_was_out_of_reach_is_read_again_although_it_has_not_changed(tmp_path: Path, reader: Reader) -> None:
    mount, away = tmp_path / "mount", tmp_path / "away"
    mount.mkdir()
    path = mount / "config.yaml"
    path.write_text("one")
    watch = watch_of(path, reader)
    look(watch, 2)
    mount.rename(away)
    mount.write_text("no folder")  # as where a volume hangs: there is a path, and nobody can follow it
    look(watch, 2)
    assert reader.unreadable
    mount.unlink()
    away.rename(mount)
    look(watch, 2)
    assert reader.texts == [b"one"], "who was told that it can't be read hears that it can"
