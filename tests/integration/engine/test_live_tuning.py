"""A document that changes under a real engine: mounted as the kubelet mounts it, written as people write, right and wrong."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tradingbot_contract.document import EngineDocument, render_document
from tradingbot_contract.resources import Cache, Pool, Retention
from tradingbot_contract.spec import Risk, Strategy

CHANGES = 20


def tuned(document: EngineDocument, generation: int, **database: Any) -> EngineDocument:
    return structs.replace(document, generation=generation, database=structs.replace(document.database, **database))


def swap(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def publish(engine: Any, document: EngineDocument) -> None:
    swap(engine.config, render_document(document))


def metric(engine: Any, name: str, labels: str = "") -> float | None:
    found = re.search(rf"^{name}{{?[^\n]*{labels}[^\n]*}}? ([0-9.e+]+)$", engine.get("/metrics")[1], re.MULTILINE)
    return float(found[1]) if found else None


@pytest.fixture
def slow(engines: Any) -> EngineDocument:
    return engines.with_replay(speed=100.0, loop=True)


def test_each_live_part_is_applied_while_it_trades(engines: Any, slow: EngineDocument) -> None:
    engine = engines.start(slow)
    engine.until_state("Running")
    bars = engine.status()["bars"]
    changed = tuned(slow, 2, pool=Pool(size=3, max_overflow=1), retention=Retention(orders=2000))
    changed = structs.replace(changed, cache=Cache(max_entries=77, memory_limit="7Mi"), risk=Risk(max_order_notional=1.0))
    publish(engine, changed)
    engine.until(lambda: engine.status()["generation"] == 2, "the new generation")
    assert metric(engine, "db_client_connection_max", 'pool_name="journal"') == 4
    assert metric(engine, "tradingbot_cache_entries_limit", 'cache="views"') == 77
    assert metric(engine, "tradingbot_config_generation") == 2
    assert metric(engine, "tradingbot_config_changes_total", 'result="applied"') == 1
    assert metric(engine, "tradingbot_config_refused") == 0
    assert metric(engine, "tradingbot_config_apply_duration_seconds_count") == 1
    # From here on no purchase is allowed, and none happens.
    engine.until(lambda: engine.status()["rejectedOrders"] > 0, "an order beyond the new limit")
    assert engine.status()["bars"] > bars
    assert engine.terminate() == 0
    assert "changed=risk,database,cache" in engine.log
    assert "Traceback" not in engine.log


def test_no_step_is_lost_or_taken_twice_however_often_it_changes(engines: Any, tmp_path: Path) -> None:
    twin = tmp_path / "twin"
    assert engines.start(engines.document, "--exit-when-finished", data=twin).wait() == 0
    paced = engines.with_replay(speed=50.0)  # its prices last for a minute: it is never too late for the last change
    engine = engines.start(paced)
    engine.until_state("Running")
    for generation in range(2, 2 + CHANGES):
        publish(
            engine,
            structs.replace(
                tuned(paced, generation, pool=Pool(size=1 + generation % 5, max_overflow=generation % 3)),
                cache=Cache(max_entries=10 + generation),
            ),
        )
        engine.until(lambda generation=generation: engine.status()["generation"] == generation, f"generation {generation}")
    assert metric(engine, "tradingbot_config_changes_total", 'result="applied"') == CHANGES
    assert engine.status()["state"] == "Running"
    assert metric(engine, "tradingbot_database_leaks_total") == 0
    assert engine.terminate() == 0
    assert engines.start(engines.document, "--exit-when-finished").wait() == 0
    assert engines.read_tables(engines.data) == engines.read_tables(twin)


def test_a_mounted_config_map(engines: Any, slow: EngineDocument) -> None:
    # As the kubelet lays it out: the file is a link through ..data, which is swapped.
    engine_folder = engines.folder / "mounted"

    def lay_out(name: str, document: EngineDocument) -> None:
        (engine_folder / name).mkdir(parents=True)
        (engine_folder / name / "config.yaml").write_text(render_document(document))
        link = engine_folder / "..data_tmp"
        link.symlink_to(name)
        link.replace(engine_folder / "..data")

    lay_out("..2026_01", slow)
    (engine_folder / "config.yaml").symlink_to("..data/config.yaml")
    engine = engines.start(slow, "--config", str(engine_folder / "config.yaml"))
    engine.until_state("Running")
    lay_out("..2026_02", tuned(slow, 2, pool=Pool(size=2)))
    engine.until(lambda: engine.status()["generation"] == 2, "the new generation")
    assert engine.terminate() == 0


def test_what_is_wrong_is_refused_whole_and_said_everywhere(engines: Any, slow: EngineDocument) -> None:
    engine = engines.start(slow)
    engine.until_state("Running")
    wrong = render_document(tuned(slow, 2, pool=Pool(size=9), retention=Retention(orders=5000))).replace("size: 9", "size: 0")
    swap(engine.config, wrong)
    engine.until(lambda: "$.database.pool.size" in engine.status()["documentRefusal"], "the refusal")
    assert engine.status()["generation"] == 1
    assert metric(engine, "tradingbot_config_refused") == 1
    assert metric(engine, "tradingbot_config_changes_total", 'result="refused"') == 1
    assert metric(engine, "db_client_connection_max", 'pool_name="journal"') == 7
    os.utime(engine.config)
    swap(engine.config, wrong)
    bars = engine.status()["bars"]
    engine.until(lambda: engine.status()["bars"] > bars, "bars")
    publish(engine, tuned(slow, 3, pool=Pool(size=9)))
    engine.until(lambda: engine.status()["generation"] == 3, "the mended document")
    assert engine.status()["documentRefusal"] == ""
    assert metric(engine, "tradingbot_config_refused") == 0
    assert engine.terminate() == 0
    assert engine.log.count("document refused") == 1


def test_what_only_a_new_process_reads_waits_for_one(engines: Any, slow: EngineDocument) -> None:
    engine = engines.start(slow)
    engine.until_state("Running")
    publish(engine, structs.replace(tuned(slow, 2, pool=Pool(size=9)), strategy=Strategy("ema-cross", {"fastPeriod": 5})))
    engine.until(lambda: metric(engine, "tradingbot_config_changes_total", 'result="restart"'), "the document")
    assert engine.status()["generation"] == 1
    assert engine.status()["documentRefusal"] == ""
    assert metric(engine, "db_client_connection_max", 'pool_name="journal"') == 7
    assert engine.terminate() == 0
    assert "document needs a new process generation=2 changed=strategy,database" in engine.log


def test_a_file_that_vanishes_and_garbage_change_nothing(engines: Any, slow: EngineDocument) -> None:
    engine = engines.start(slow)
    engine.until_state("Running")
    engine.config.unlink()
    engine.until(lambda: "document is gone" in engine.log, "the warning")
    engine.config.write_bytes(os.urandom(500))
    engine.until(lambda: engine.status()["documentRefusal"], "the refusal")
    engine.config.write_text("")
    engine.until(lambda: engine.log.count("document refused") == 2, "the refusal of nothing")
    bars = engine.status()["bars"]
    engine.until(lambda: engine.status()["bars"] > bars, "bars")
    engine.config.write_text(render_document(slow))
    engine.until(lambda: not engine.status()["documentRefusal"], "peace")
    assert metric(engine, "tradingbot_config_changes_total", 'result="applied"') == 0
    assert engine.terminate() == 0


def test_a_slow_writer_is_waited_for(engines: Any, slow: EngineDocument) -> None:
    engine = engines.start(slow)
    engine.until_state("Running")
    text = render_document(tuned(slow, 2, pool=Pool(size=9)))
    with engine.config.open("w") as file:
        for start in range(0, len(text), 100):
            file.write(text[start : start + 100])
            file.flush()
            time.sleep(0.01)
    engine.until(lambda: engine.status()["generation"] == 2, "the whole document")
    assert metric(engine, "tradingbot_config_changes_total", 'result="applied"') == 1
    assert engine.terminate() == 0


def test_of_many_changes_in_a_row_the_last_counts(engines: Any, slow: EngineDocument) -> None:
    engine = engines.start(slow)
    engine.until_state("Running")
    for generation in range(2, 102):
        publish(engine, tuned(slow, generation, pool=Pool(size=1 + generation % 7)))
    engine.until(lambda: engine.status()["generation"] == 101, "the last one")
    assert metric(engine, "db_client_connection_max", 'pool_name="journal"') == 1 + 101 % 7 + 2
    assert 1 <= (metric(engine, "tradingbot_config_changes_total", 'result="applied"') or 0) < 100
    publish(engine, tuned(slow, 50, pool=Pool(size=5)))
    engine.until(lambda: engine.status()["generation"] == 50, "what is in the file, though it is an earlier one")
    assert engine.terminate() == 0
