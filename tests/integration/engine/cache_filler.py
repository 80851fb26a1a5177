"""A program that fills the engine's caches at a steady rate, with the engine's guard or without it, and tells how it does."""

from __future__ import annotations

import asyncio
import json
import os
import sys

from tradingbot_contract.resources import Cache
from tradingbot_engine.cache.caches import CacheManager
from tradingbot_engine.cache.name import CacheName
from tradingbot_engine.memory.guard import INTERVAL_SECONDS, MemoryGuard
from tradingbot_engine.memory.limit import ContainerMemory
from tradingbot_engine.scheduler import Job, Scheduler

VALUE_BYTES = 4096
PUTS = 20
PAUSE_SECONDS = 0.01
TELL_EVERY = 10


async def main(*, guarded: bool) -> None:
    settings = Cache(max_entries=1_000_000, memory_limit="200Mi")
    caches = CacheManager(settings)
    guard = MemoryGuard(ContainerMemory(os.environ).read, settings.pressure, caches=caches)
    scheduler = Scheduler([Job("cache-cleanup", 0.2, caches.clean)])
    if guarded:
        scheduler.add(Job("memory", INTERVAL_SECONDS, guard.check, urgent=True))
    scheduler.start()
    cache = caches.cache(CacheName.VIEWS)
    number = 0
    while True:
        for _ in range(PUTS):
            cache.put(str(number), os.urandom(VALUE_BYTES))
            number += 1
        if number % (PUTS * TELL_EVERY) == 0:
            told = {"puts": number, "held": cache.size_bytes, "scale": guard.scale, **guard.sheds, "limit": guard.reading.limit_bytes}
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()
        await asyncio.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    asyncio.run(main(guarded=sys.argv[1:] == ["guarded"]))
