from __future__ import annotations

from pathlib import Path

import pytest

from tradingbot_cli.manifest import parse_bots
from tradingbot_cli.surroundings import describe_journal, describe_surroundings, set_surroundings
from tradingbot_contract.document import EngineDocument
from tradingbot_operator.desired.document import build_document

SAMPLES = Path(__file__).resolve().parents[3] / "manifests" / "samples"
DATABASE = {"TRADINGBOT_DATABASE_URL": "postgresql://here"}
REDIS = {"TRADINGBOT_REDIS_URL": "redis://here"}


def document(sample: str) -> EngineDocument:
    return build_document(parse_bots((SAMPLES / sample).read_text(), sample)[0])


def test_a_bot_that_needs_nothing_is_run_as_it_is_written() -> None:
    written = document("first-bot.yaml")
    assert set_surroundings(written, DATABASE | REDIS) == written
    assert describe_surroundings(written, written) == []
    assert describe_journal(written, Path("data/journal.sqlite")) == "data/journal.sqlite"


@pytest.mark.parametrize(
    ("environment", "external", "redis", "said"),
    [
        ({}, False, False, ["TRADINGBOT_DATABASE_URL", "TRADINGBOT_REDIS_URL"]),
        ({"TRADINGBOT_DATABASE_URL": ""}, False, False, ["TRADINGBOT_DATABASE_URL", "TRADINGBOT_REDIS_URL"]),
        (DATABASE, True, False, ["TRADINGBOT_REDIS_URL"]),
        (REDIS, False, True, ["TRADINGBOT_DATABASE_URL"]),
        (DATABASE | REDIS, True, True, []),
    ],
)
def test_what_the_environment_does_not_name_is_done_without(
    environment: dict[str, str], external: bool, redis: bool, said: list[str]
) -> None:
    written = document("postgres-redis.yaml")
    changed = set_surroundings(written, environment)
    assert (changed.database.external, changed.redis is not None) == (external, redis)
    assert changed.database.pool == written.database.pool
    lines = describe_surroundings(changed, written)
    assert len(lines) == len(said)
    assert all(name in line for name, line in zip(said, lines, strict=True))
    if external:
        assert "Postgres" in describe_journal(changed, Path("data/journal.sqlite"))
