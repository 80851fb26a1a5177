from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tradingbot_contract.document import VERSION, BotIdentity, DatabaseAccess, EngineDocument, render_document
from tradingbot_contract.resources import Cache, Pool
from tradingbot_contract.spec import Broker, Health, Market, Observability, Risk, Strategy
from tradingbot_observer.sources.document import WatchedDocument


def document(generation: int = 1, interval_seconds: float = 15.0) -> EngineDocument:
    return EngineDocument(
        api_version=VERSION,
        bot=BotIdentity(namespace="trading", name="first", uid="u"),
        generation=generation,
        strategy=Strategy(name="ema-cross"),
        market=Market(symbols=["AAPL"]),
        broker=Broker(),
        risk=Risk(),
        database=DatabaseAccess(pool=Pool()),
        cache=Cache(),
        health=Health(silent_after_seconds=5),
        observability=Observability(interval_seconds=interval_seconds),
    )


def swap(path: Path, text: str) -> None:
    """Write as the kubelet does: nobody sees half a document."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def test_a_good_document_counts_and_a_changed_one_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(render_document(document()))
    watched = WatchedDocument(path)
    assert watched.look()
    assert (watched.generation, watched.health.silent_after_seconds, watched.error) == (1, 5, "")
    assert not watched.look()
    swap(path, render_document(document(generation=2, interval_seconds=3)))
    assert watched.look()
    assert (watched.generation, watched.observability.interval_seconds) == (2, 3)


def test_a_mounted_document_changes_by_swapping_links(tmp_path: Path) -> None:
    # As the kubelet does it: config.yaml -> ..data/config.yaml, ..data -> a folder per version.
    for version in (1, 2):
        (tmp_path / f"..{version}").mkdir()
        (tmp_path / f"..{version}" / "config.yaml").write_text(render_document(document(generation=version)))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "config.yaml").symlink_to("..data/config.yaml")
    watched = WatchedDocument(tmp_path / "config.yaml")
    watched.look()
    (tmp_path / "..next").symlink_to("..2")
    (tmp_path / "..next").replace(tmp_path / "..data")
    assert watched.look()
    assert watched.generation == 2


@pytest.mark.parametrize("bad", ["", "{", "apiVersion: other/v1\n", "health: {silentAfterSeconds: 1}\n"])
def test_a_bad_document_is_refused_whole_and_the_last_good_one_goes_on(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(render_document(document()))
    watched = WatchedDocument(path)
    watched.look()
    swap(path, bad)
    assert watched.look()
    assert not watched.look(), "the same news once"
    assert "generation 1 goes on" in watched.error
    assert (watched.generation, watched.health.silent_after_seconds) == (1, 5)
    swap(path, render_document(document()))
    assert watched.look()
    assert watched.error == ""


def test_one_bad_section_refuses_the_good_ones_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(render_document(document()))
    watched = WatchedDocument(path)
    watched.look()
    raw = msgspec.yaml.decode(render_document(document(generation=9, interval_seconds=3)))
    raw["risk"] = {"maxDrawdownPercent": 200}
    swap(path, msgspec.yaml.encode(raw).decode())
    watched.look()
    assert "maxDrawdownPercent" in watched.error
    assert watched.observability.interval_seconds == 15


def test_before_there_is_a_document_the_defaults_count(tmp_path: Path) -> None:
    watched = WatchedDocument(tmp_path / "config.yaml")
    assert watched.look()
    assert "No such file" in watched.error
    assert "the defaults count" in watched.error
    assert watched.health == Health()
    assert watched.observability == Observability()
    assert watched.generation is None
    (tmp_path / "config.yaml").write_text(render_document(document()))
    assert watched.look()
    assert (watched.generation, watched.error) == (1, "")


def test_a_document_that_comes_back_unchanged_counts_again(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(render_document(document()))
    watched = WatchedDocument(path)
    watched.look()
    path.rename(tmp_path / "away")
    assert watched.look()
    (tmp_path / "away").rename(path)
    assert watched.look()
    assert watched.error == ""


def test_a_file_that_is_written_in_place_is_read_when_it_has_settled(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(render_document(document()))
    watched = WatchedDocument(path)
    watched.look()
    whole = render_document(document(generation=2))
    path.write_text(whole[: len(whole) // 2])
    assert not watched.look(), "it may be half a document, and is"
    path.write_text(whole)
    assert not watched.look()
    assert watched.look()
    assert (watched.generation, watched.error) == (2, "")
