from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from tradingbot_cli.manifest import parse_bots
from tradingbot_cli.pace import set_pace
from tradingbot_contract.document import EngineDocument, restart_hash
from tradingbot_operator.desired.document import build_document

SAMPLE = Path(__file__).resolve().parents[3] / "manifests" / "samples" / "first-bot.yaml"


def document(speed: float) -> EngineDocument:
    made = build_document(parse_bots(SAMPLE.read_text(), "sample")[0])
    replay = structs.replace(made.market.feed.replay, speed=speed)
    return structs.replace(made, market=structs.replace(made.market, feed=structs.replace(made.market.feed, replay=replay)))


@pytest.mark.parametrize(
    ("own", "asked", "played"),
    [
        (20.0, None, 100.0),  # too slow to watch: all 2500 steps in 25 s
        (400.0, None, 400.0),  # fast enough
        (0.0, None, 0.0),  # as fast as it can stays so
        (20.0, 5.0, 5.0),
        (20.0, 0.0, 0.0),
    ],
)
def test_speed(own: float, asked: float | None, played: float) -> None:
    replay = set_pace(document(own), steps=2500, speed=asked, loop=False).market.feed.replay
    assert replay.speed == played
    assert not replay.loop


def test_a_loop_is_asked_for() -> None:
    assert set_pace(document(20), steps=2500, speed=None, loop=True).market.feed.replay.loop


def test_a_short_run_has_several_samples() -> None:
    made = document(20)
    assert set_pace(made, steps=1, speed=None, loop=False).observability.interval_seconds == 2
    quick = structs.replace(made, observability=structs.replace(made.observability, interval_seconds=1.0))
    assert set_pace(quick, steps=1, speed=None, loop=False).observability.interval_seconds == 1


def test_nothing_else_is_changed() -> None:
    made = document(20)
    paced = set_pace(made, steps=2500, speed=20, loop=made.market.feed.replay.loop)
    assert restart_hash(paced) == restart_hash(made)
