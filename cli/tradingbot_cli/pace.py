"""How a replay is played when somebody watches: once, and not slower than all of it in half a minute.

On a cluster a bot trades on and on, so a sample's own pace is slow and may loop. On a terminal a run should end with a result. A
manifest that is faster keeps its pace, and both can be said on the command line.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from tradingbot_contract.document import EngineDocument
from tradingbot_contract.spec import Replay

WHOLE_REPLAY_SECONDS: Final = 25.0
MOST_SECONDS_BETWEEN_SAMPLES: Final = 2.0


def set_pace(document: EngineDocument, *, steps: int, speed: float | None, loop: bool) -> EngineDocument:
    """Return the document to run: `speed` in steps per second as asked for (0: as fast as it can; None: as the module says)."""
    replay = document.market.feed.replay
    paced = structs.replace(replay, speed=_fast_enough(replay, steps) if speed is None else speed, loop=loop)
    market = structs.replace(document.market, feed=structs.replace(document.market.feed, replay=paced))
    # So that a short run has more than one sample.
    interval_seconds = min(document.observability.interval_seconds, MOST_SECONDS_BETWEEN_SAMPLES)
    return structs.replace(
        document, market=market, observability=structs.replace(document.observability, interval_seconds=interval_seconds)
    )


def _fast_enough(replay: Replay, steps: int) -> float:
    if replay.speed == 0:
        return 0.0
    return max(replay.speed, round(steps / WHOLE_REPLAY_SECONDS, 1))
