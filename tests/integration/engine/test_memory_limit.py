"""The memory limit of a real cgroup, lowered and raised under a process that wants more: it gives back before the kernel takes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from memory_cgroup import MemoryCgroup
from tradingbot_contract.document import EngineDocument, render_document
from tradingbot_contract.resources import Cache

ROOT = Path(__file__).parents[3]
FILLER = Path(__file__).with_name("cache_filler.py")
MIB = 2**20
DEADLINE_SECONDS = 60.0


@pytest.fixture
def cgroup() -> Iterator[MemoryCgroup]:
    cgroup = MemoryCgroup(1024 * MIB)
    yield cgroup
    cgroup.remove()


class Filler:
    """A process in the cgroup that fills its caches."""

    def __init__(self, cgroup: MemoryCgroup, log: Path, *flags: str) -> None:
        self._log = log
        environment = {"PYTHONPATH": str(ROOT / "engine"), "PATH": os.environ["PATH"]}
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [*cgroup.launcher, sys.executable, str(FILLER), *flags], stdout=out, stderr=subprocess.STDOUT, env=environment
            )

    def told(self) -> dict[str, Any]:
        """What it said last."""
        lines = [line for line in self._log.read_text().splitlines() if line.endswith("}")]
        told: dict[str, Any] = json.loads(lines[-1]) if lines else {"puts": 0, "scale": 1.0, "caches": 0, "limit": None, "held": 0}
        return told

    def until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not holds():
            assert self.process.poll() is None, f"it ended with {self.process.returncode} before {what}:\n{self._log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"no {what}: {self.told()}"
            time.sleep(0.02)


@pytest.fixture
def fill(cgroup: MemoryCgroup, tmp_path: Path) -> Iterator[Callable[..., Filler]]:
    started: list[Filler] = []

    def start(*flags: str) -> Filler:
        started.append(Filler(cgroup, tmp_path / "filler.log", *flags))
        return started[-1]

    yield start
    for filler in started:
        filler.process.kill()
        filler.process.wait()


def lower(cgroup: MemoryCgroup, filler: Filler) -> int:
    """Lower the limit to a little above what the process has taken; return it."""
    filler.until(lambda: filler.told()["held"] > 100 * MIB, "caches of 100 MiB")
    limit_bytes = int(cgroup.used_bytes / 0.92)
    cgroup.limit(limit_bytes)
    return limit_bytes


def test_without_the_guard_the_kernel_kills(cgroup: MemoryCgroup, fill: Callable[..., Filler]) -> None:
    filler = fill()
    lower(cgroup, filler)
    assert filler.process.wait(DEADLINE_SECONDS) == -9
    assert cgroup.kills == 1


def test_caches_give_back_before_the_kernel_kills_and_grow_when_they_may(cgroup: MemoryCgroup, fill: Callable[..., Filler]) -> None:
    filler = fill("guarded")
    filler.until(lambda: filler.told()["limit"] == 1024 * MIB, "the limit of the cgroup")
    limit_bytes = lower(cgroup, filler)
    filler.until(lambda: filler.told()["caches"] > 0, "less in the caches")
    puts = filler.told()["puts"]
    # As much again as would have filled the container twice over.
    filler.until(lambda: filler.told()["puts"] - puts > 2 * (limit_bytes - 100 * MIB) // 4096, "a life after it")
    assert cgroup.kills == 0
    assert filler.told()["scale"] < 1.0
    assert filler.told()["limit"] == pytest.approx(limit_bytes, abs=8192)  # the kernel rounds to pages

    cgroup.limit(1024 * MIB)
    scale = filler.told()["scale"]
    filler.until(lambda: filler.told()["scale"] > scale, "larger caches under a raised limit")
    assert cgroup.kills == 0


def test_an_engine_follows_its_limit_and_trades_on(cgroup: MemoryCgroup, engines: Any) -> None:
    engine = engines.start(engines.with_replay(speed=200.0, loop=True), launcher=cgroup.launcher)
    engine.until_state("Running")

    def metric(pattern: str) -> float | None:
        found = re.search(rf"^{pattern} ([0-9.e+]+)$", engine.get("/metrics")[1], re.MULTILINE)
        return float(found[1]) if found else None

    assert metric("tradingbot_memory_limit_bytes") == 1024 * MIB
    limit_bytes = int(cgroup.used_bytes / 0.90) // 4096 * 4096
    cgroup.limit(limit_bytes)
    engine.until(lambda: metric("tradingbot_memory_limit_bytes") == limit_bytes, "the lowered limit")
    engine.until(lambda: metric(r'tradingbot_memory_sheds_total\{step="caches"\}'), "less in the caches")
    bars = engine.status()["bars"]
    engine.until(lambda: engine.status()["bars"] > bars, "bars under the lowered limit")

    # A document that needs more than the container has is refused, one for the better isn't.
    document = engines.with_replay(speed=200.0, loop=True)
    engine.config.write_text(render_document(_with_caches(document, 2, "512Mi")))
    engine.until(lambda: "cache.memoryLimit" in engine.status()["documentRefusal"], "the refusal")
    engine.config.write_text(render_document(_with_caches(document, 3, "16Mi")))
    engine.until(lambda: engine.status()["generation"] == 3, "the smaller caches")
    assert engine.status()["documentRefusal"] == ""
    assert cgroup.kills == 0
    assert engine.terminate() == 0
    assert engine.log.count("memory is short") == 1


def test_an_engine_that_can_not_fit_says_so_at_its_start(cgroup: MemoryCgroup, engines: Any) -> None:
    cgroup.limit(160 * MIB)
    engine = engines.start(engines.document, "--exit-when-refused", launcher=cgroup.launcher)
    assert engine.wait() == 78
    assert "cache.memoryLimit" in engine.log.splitlines()[-1]


def _with_caches(document: EngineDocument, generation: int, memory_limit: str) -> EngineDocument:
    return structs.replace(document, generation=generation, cache=Cache(memory_limit=memory_limit))
