"""Memory and CPU time of this process."""

from __future__ import annotations

import psutil
import pytest

from tradingbot_engine.telemetry.process import read_cpu_seconds, read_memory_bytes


def test_memory_and_cpu_are_what_others_see() -> None:
    process = psutil.Process()
    assert read_memory_bytes() == pytest.approx(process.memory_info().rss, rel=0.1)
    user, system = read_cpu_seconds()
    seen = process.cpu_times()
    assert user == pytest.approx(seen.user, abs=0.2)
    assert system == pytest.approx(seen.system, abs=0.2)
