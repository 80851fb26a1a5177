from __future__ import annotations

from tradingbot_operator.monitoring.keeper import next_pause_seconds


def test_looks_that_go_wrong_follow_ever_more_slowly_until_one_goes_well() -> None:
    pauses = [60.0]
    for well in (True, False, False, False, False, False, True):
        pauses.append(next_pause_seconds(pauses[-1], well=well))
    assert pauses == [60.0, 60.0, 120.0, 240.0, 480.0, 960.0, 960.0, 60.0]
