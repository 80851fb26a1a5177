from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tradingbot_engine.cache.redis_level import build_name
from tradingbot_engine.cache.second_level import SharedKey

PARTS = st.lists(st.sampled_from(["a", "0", ":", "%", "=", "/", "é", "\ud800", "bot", "all"]), max_size=4).map("".join)
KEYS = st.builds(SharedKey, cache=PARTS, scope=PARTS, key=PARTS, version=PARTS)


def test_a_bots_own_value_has_a_name_that_people_can_read() -> None:
    key = SharedKey(cache="views", scope="5d5ba1d0", key="performance", version="1700000000")
    assert build_name(key, 2) == "tradingbot:1:views:bot:5d5ba1d0:2:performance"


def test_a_value_for_all_bots_is_kept_for_each_version_of_the_data() -> None:
    key = SharedKey(cache="predictions", scope="", key="Shares rise", version="finbert-1")
    assert build_name(key, 2) == "tradingbot:1:predictions:all:finbert-1:Shares%20rise"


def test_a_long_key_is_hashed() -> None:
    name = build_name(SharedKey(cache="predictions", scope="", key="x" * 10_000, version="1"), 0)
    assert name.startswith("tradingbot:1:predictions:all:1:sha256=")
    assert len(name) < 150


@given(KEYS, KEYS, st.integers(0, 2), st.integers(0, 2))
def test_what_may_not_be_mixed_up_has_different_names(one: SharedKey, other: SharedKey, shard: int, other_shard: int) -> None:
    def identity(key: SharedKey, of_shard: int) -> tuple[object, ...]:
        return (key.cache, key.scope, of_shard, key.key) if key.scope else (key.cache, "", key.version, key.key)

    assert (build_name(one, shard) == build_name(other, other_shard)) == (identity(one, shard) == identity(other, other_shard))
