"""A bot that is killed at any moment ends with the journal of one that wasn't: no fill twice, none missing, the same figures."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

KILLS = 6


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_moment_the_journal_ends_as_if_nothing_had_happened(engines: Any, tmp_path: Path, seed: int) -> None:
    whole = tmp_path / "whole"
    assert engines.start(engines.document, "--exit-when-finished", data=whole).wait() == 0

    moments = random.Random(seed)  # noqa: S311 - repeatable, not secret
    broken = tmp_path / "broken"
    paced = engines.with_replay(speed=100.0)  # its prices last longer than all the starts
    bars_seen = []
    for _ in range(KILLS):
        engine = engines.start(paced, data=broken)
        engine.until_state("Running")
        engine.until(lambda engine=engine: "commits_total 0" not in engine.get("/metrics")[1], "first commit")
        time.sleep(moments.uniform(0.0, 0.25))  # the moment is what varies, not what is waited for
        bars_seen.append(engine.status()["bars"])
        engine.kill()
    assert engines.start(engines.document, "--exit-when-finished", data=broken).wait() == 0

    assert bars_seen == sorted(bars_seen)
    assert bars_seen[0] < bars_seen[-1]
    expected = engines.read_tables(whole)
    assert len(expected["fills"]) > 100
    assert engines.read_tables(broken) == expected


def test_a_clean_stop_goes_on_where_it_stopped(engines: Any, tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert engines.start(engines.document, "--exit-when-finished", data=whole).wait() == 0
    engine = engines.start(engines.with_replay(speed=2000.0), data=stopped)
    engine.until(lambda: engine.status()["bars"] > 500, "bars")
    assert engine.terminate() == 0
    bars = engines.read_tables(stopped)["checkpoint"][0][2]
    engine = engines.start(engines.document, "--exit-when-finished", data=stopped)
    assert engine.wait() == 0
    assert f"bars_this_run={11958 - bars}" in engine.log
    assert engines.read_tables(stopped) == engines.read_tables(whole)


def test_a_loop_that_is_killed_between_laps_goes_on(engines: Any, tmp_path: Path) -> None:
    data = tmp_path / "data"
    looping = engines.with_replay(loop=True)
    for _ in range(3):
        engine = engines.start(looping, data=data)
        engine.until(lambda engine=engine: "commits_total 2" in engine.get("/metrics")[1], "two commits")
        engine.kill()
    tables = engines.read_tables(data)
    orders, fills = tables["orders"], tables["fills"]
    assert [order[0] for order in orders] == list(range(orders[0][0], orders[0][0] + len(orders)))
    assert len({fill[1] for fill in fills}) == len(fills)
    # Each lap ends without a position: what a lap buys, it sells.
    bought: dict[int, float] = {}
    for _, _, _, side, quantity, *_, fill_lap, _, _ in fills:
        bought[fill_lap] = bought.get(fill_lap, 0.0) + (quantity if side == "buy" else -quantity)
    finished_laps = [value for fill_lap, value in bought.items() if fill_lap < tables["checkpoint"][0][0]]
    assert finished_laps
    assert all(abs(value) < 1e-6 for value in finished_laps)
