"""Since when a pool is exhausted, for pools that only know what is so now."""

from __future__ import annotations

import pytest

from tradingbot_engine.pool_stats import PoolStats
from tradingbot_engine.pool_watch import PoolWatch


def stats(*, used: int = 0, pending: int = 0, exhausted_since: float | None = None) -> PoolStats:
    return PoolStats(
        name="redis",
        used=used,
        idle=0,
        max_connections=2,
        peak_used=used,
        pending=pending,
        timeouts=3,
        errors=0,
        created=2,
        exhausted_since=exhausted_since,
    )


@pytest.mark.parametrize(("used", "pending"), [(0, 0), (2, 0), (1, 1)], ids=["idle", "full, nobody waits", "somebody waits for a free one"])
def test_what_is_not_exhausted(used: int, pending: int) -> None:
    watch = PoolWatch(lambda: [stats(used=used, pending=pending)])
    watch.look(100.0)
    (use,) = watch.uses()
    assert (use.name, use.used, use.max_connections, use.pending, use.timeouts) == ("redis", used, 2, pending, 3)
    assert use.exhausted_since is None


def test_the_first_look_that_found_it_counts_until_it_is_over() -> None:
    now = stats(used=2, pending=1)
    watch = PoolWatch(lambda: [now])
    watch.look(100.0)
    watch.look(101.0)
    assert watch.uses()[0].exhausted_since == 100.0
    now = stats(used=1)
    watch.look(102.0)
    assert watch.uses()[0].exhausted_since is None
    now = stats(used=2, pending=1)
    watch.look(103.0)
    assert watch.uses()[0].exhausted_since == 103.0


def test_a_pool_that_knows_by_itself_is_believed() -> None:
    watch = PoolWatch(lambda: [stats(used=2, pending=1, exhausted_since=90.5)])
    watch.look(100.0)
    assert watch.uses()[0].exhausted_since == 90.5
