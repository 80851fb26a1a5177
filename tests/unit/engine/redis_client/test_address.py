from __future__ import annotations

import pytest

from tradingbot_contract.document import SpecError
from tradingbot_contract.resources import RedisPool
from tradingbot_engine.redis_client.address import Address
from tradingbot_engine.redis_client.client import RedisClient

SECRET = "s3cr3t"  # noqa: S105 - what must not be seen


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("redis://localhost", "localhost:6379/0"),
        (f"redis://:{SECRET}@cache.example:7000/3", "cache.example:7000/3"),
        (f"rediss://bot:{SECRET}@cache.example/0", "cache.example:6379/0"),
        (f"redis://bot:{SECRET}%2F%23@cache.example/0?client_name=x", "cache.example:6379/0"),
        (f"unix://bot:{SECRET}@/run/redis.sock?db=2", "/run/redis.sock"),
    ],
)
def test_people_see_where_and_not_the_password(url: str, text: str) -> None:
    address = Address(url)
    assert str(address) == text


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        f"http://:{SECRET}@host:6379/0",
        f"redis://:{SECRET}@/0",
        f"redis://:{SECRET}@host:port/0",
        f"redis://:{SECRET}/x@host:6379/0",
        f"redis://:{SECRET}@host:6379/orders",
        f"redis://:{SECRET}@host:6379/0?socket_timeout=soon",
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(SpecError, match="TRADINGBOT_REDIS_URL") as refusal:
        Address(url)
    assert SECRET not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_an_option_that_nobody_knows_is_refused() -> None:
    with pytest.raises(SpecError, match="option"):
        RedisClient("redis://localhost/0?colour=red", RedisPool())


def test_options_of_the_address_do_not_override_the_spec() -> None:
    client = RedisClient("redis://localhost/0?max_connections=3", RedisPool(max_connections=7))
    assert client.stats().max_connections == 7
