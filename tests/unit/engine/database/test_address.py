"""Where the tables are: what is accepted, what is refused and how, and that no two shards share a schema."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_contract.document import BotIdentity, SpecError
from tradingbot_engine.database.address import DatabaseAddress, Dialect, name_schema, parse_database_address

BOT = BotIdentity(namespace="trading", name="first", uid="5d5ba1d0", shard=2)
PASSWORD = "p%40ss%2Fw%3Aord"  # noqa: S105 - of no server
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=80)
KUBERNETES_NAMES = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,30}[a-z0-9])?", fullmatch=True)


def parse(url: str | None) -> DatabaseAddress:
    return parse_database_address(url, Path("/data"), "journal.sqlite", BOT)


def test_without_an_address_it_is_a_file_of_the_bot_s_own_volume() -> None:
    address = parse(None)
    assert (address.dialect, address.file, address.schema) == (Dialect.SQLITE, Path("/data/journal.sqlite"), None)
    assert address.url.render_as_string() == "sqlite:////data/journal.sqlite"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgres_has_more_names_than_one(scheme: str) -> None:
    address = parse(f"{scheme}://user:{PASSWORD}@db.example:6432/bots?sslmode=require")
    assert (address.dialect, address.file, address.schema) == (Dialect.POSTGRESQL, None, "tb_trading_first_2")
    assert address.url.drivername == "postgresql+psycopg"
    assert (address.url.password, address.url.port, address.url.query["sslmode"]) == ("p@ss/w:ord", 6432, "require")
    assert address.application == "tradingbot trading/first-2"


@pytest.mark.parametrize(
    ("url", "redacted"),
    [
        (f"postgresql://user:{PASSWORD}@db.example/bots", "postgresql://db.example:5432/bots"),
        (f"postgresql:///bots?host=db.example&user=u&password={PASSWORD}", "postgresql://db.example:5432/bots"),
        (f"postgresql://user:{PASSWORD}@/bots?host=/run/postgresql", "postgresql:///run/postgresql:5432/bots"),
    ],
)
def test_people_do_not_see_the_password(url: str, redacted: str) -> None:
    address = parse(url)
    assert address.redacted == redacted
    assert not any(spelling in repr(address) for spelling in ("p@ss", "%40ss"))


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("", "can't be read"),
        ("db.example/bots", "can't be read"),
        (f"postgresql://user:{PASSWORD}@db.example:secret/bots", "can't be read"),
        (f"mysql://user:{PASSWORD}@db.example/bots", "'mysql'"),
        (f"postgresql+asyncpg://user:{PASSWORD}@db.example/bots", "asyncpg"),
        ("sqlite:///journal.sqlite", "'sqlite'"),
        (f"postgresql://user:{PASSWORD}@/bots", "no host"),
        (f"postgresql://user:{PASSWORD}@db.example", "no database"),
        (f"postgresql://user:{PASSWORD}@db.example/bots?colour=red", "'colour'"),
    ],
)
def test_anything_else_is_refused_by_the_name_of_its_variable_without_its_password(url: str, names: str) -> None:
    with pytest.raises(SpecError, match=names) as caught:
        parse(url)
    text = f"{caught.value!s}{caught.value!r}{caught.value.__cause__!r}"
    assert "TRADINGBOT_DATABASE_URL" in text
    assert "%40ss" not in text
    assert "p@ss" not in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a-b", "c", 0), ("a", "b-c", 0)),
        (("a", "b.c", 0), ("a", "b-c", 0)),
        (("a", "b", 1), ("a", "b", 11)),
        (("a_b", "c", 0), ("a", "b_c", 0)),
        (("n" * 60, "x" * 60, 0), ("n" * 60, "x" * 60, 1)),
    ],
)
def test_what_looks_alike_is_kept_apart(one: tuple[str, str, int], other: tuple[str, str, int]) -> None:
    first, second = (name_schema(BotIdentity(namespace=space, name=name, uid="", shard=shard)) for space, name, shard in (one, other))
    assert first != second


@given(st.lists(st.tuples(NAMES | KUBERNETES_NAMES, NAMES | KUBERNETES_NAMES, st.integers(0, 9999)), min_size=2, max_size=5, unique=True))
def test_no_two_shards_share_a_schema(shards: list[tuple[str, str, int]]) -> None:
    schemas = [name_schema(BotIdentity(namespace=space, name=name, uid="", shard=shard)) for space, name, shard in shards]
    assert len(set(schemas)) == len(shards)
    assert all(len(schema.encode()) <= 63 for schema in schemas)
