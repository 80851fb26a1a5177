"""Memory, CPU and the container's limit, in the layouts that the kernel has had."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tradingbot_engine.telemetry.process import read_cpu_seconds, read_memory_bytes, read_memory_limit_bytes


@pytest.mark.parametrize(
    ("files", "fallback", "limit"),
    [
        ({"memory.max": "536870912\n"}, None, 536870912),
        ({"memory.max": "max\n"}, None, None),
        ({"memory.max": "max\n"}, "1000", 1000),
        ({"memory/memory.limit_in_bytes": "268435456\n"}, None, 268435456),
        ({"memory/memory.limit_in_bytes": "9223372036854771712\n"}, None, None),
        ({"memory.max": "100\n"}, "999", 100),  # the cgroup follows a resize, the environment doesn't
        ({}, None, None),
        ({}, "536870912", 536870912),
        ({}, "512Mi", None),
    ],
)
def test_the_limit(tmp_path: Path, files: dict[str, str], fallback: str | None, limit: int | None) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert read_memory_limit_bytes(tmp_path, fallback) == limit


def test_memory_and_cpu_are_what_others_see() -> None:
    process = psutil.Process()
    assert read_memory_bytes() == pytest.approx(process.memory_info().rss, rel=0.1)
    user, system = read_cpu_seconds()
    seen = process.cpu_times()
    assert user == pytest.approx(seen.user, abs=0.2)
    assert system == pytest.approx(seen.system, abs=0.2)
