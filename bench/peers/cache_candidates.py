# Written as people write for these libraries, which are not in the environment that is checked.
# ruff: noqa: ARG001, ANN001, ANN201, ANN202, PLC0415
# mypy: ignore-errors
"""One cache on all traces; prints what it measured as JSON.

    python cache_candidates.py NAME REQUESTS

Each runs in a process of its own. `engine` is this project's, in its own environment; the others run in the peers'. For the mixed
operations each is bounded as far as it can be: 2000 entries or their bytes, and a time to live.
"""

import asyncio
import functools
import json
import resource
import sys
import time
from datetime import timedelta

import cache_traces

CAPACITY = 2_000
VALUE_BYTES = 275
"""Of a value in the mean, so that a bound in bytes holds about `CAPACITY` of them."""
KEY_BYTES = 58
TTL_SECONDS = 1800.0
PLENTY_BYTES = 10**9
RESIZE_FROM, RESIZE_TO, RESIZES = 10_000, 3_000, 20


def weigh(key, value):
    return len(value) + KEY_BYTES


def engine_store(capacity, most_bytes=PLENTY_BYTES):
    from tradingbot_engine.cache.cache import Cache
    from tradingbot_engine.cache.name import CacheName

    return Cache(CacheName.PREDICTIONS, max_entries=capacity, max_bytes=most_bytes, ttl_seconds=TTL_SECONDS)


def engine(capacity, bounded):
    from tradingbot_engine.cache.weight import ENTRY_BYTES

    most_bytes = CAPACITY * (VALUE_BYTES + KEY_BYTES + 33 + ENTRY_BYTES) if bounded else PLENTY_BYTES
    cache = engine_store(capacity, most_bytes)
    return cache.get, cache.put


def cachetools_ttl(capacity, bounded):
    import cachetools

    if bounded:
        cache = cachetools.TTLCache(CAPACITY * (VALUE_BYTES + KEY_BYTES), TTL_SECONDS, getsizeof=lambda value: len(value) + KEY_BYTES)
    else:
        cache = cachetools.TTLCache(capacity, TTL_SECONDS)
    return cache.get, cache.__setitem__


def cachetools_lfu(capacity, bounded):
    import cachetools

    if bounded:
        cache = cachetools.LFUCache(CAPACITY * (VALUE_BYTES + KEY_BYTES), getsizeof=lambda value: len(value) + KEY_BYTES)
    else:
        cache = cachetools.LFUCache(capacity)
    return cache.get, cache.__setitem__


def cachebox_of(kind, with_ttl):
    def build(capacity, bounded):
        import cachebox

        most, how = (CAPACITY * (VALUE_BYTES + KEY_BYTES), weigh) if bounded else (capacity, None)
        cache = getattr(cachebox, kind)(most, getsizeof=how)
        if with_ttl:
            return cache.get, lambda key, value: cache.insert(key, value, TTL_SECONDS)
        return cache.get, cache.__setitem__

    return build


def theine(capacity, bounded):
    from theine import Cache

    cache = Cache(capacity)
    ttl = timedelta(seconds=TTL_SECONDS)

    def get(key):
        value, found = cache.get(key)
        return value if found else None

    if bounded:
        return get, lambda key, value: cache.set(key, value, ttl)
    return get, cache.set


CANDIDATES = {
    "engine": engine,
    "theine W-TinyLFU": theine,
    "cachebox VTTL": cachebox_of("VTTLCache", with_ttl=True),
    "cachebox LFU": cachebox_of("LFUCache", with_ttl=False),
    "cachebox LRU": cachebox_of("LRUCache", with_ttl=False),
    "cachetools TTL": cachetools_ttl,
    "cachetools LFU": cachetools_lfu,
}


def ask(get, put, trace):
    """Return the part of the requests that was found, in percent, and the nanoseconds of an operation (a get or a put)."""
    hits = 0
    began = time.perf_counter_ns()
    for key in trace:
        if get(key) is None:
            put(key, b"value")
        else:
            hits += 1
    nanoseconds = time.perf_counter_ns() - began
    return 100 * hits / len(trace), nanoseconds / (2 * len(trace) - hits)


def ask_lru_cache(trace):
    @functools.lru_cache(maxsize=CAPACITY)
    def load(key):
        return b"value"

    began = time.perf_counter_ns()
    for key in trace:
        load(key)
    nanoseconds = time.perf_counter_ns() - began
    hits = load.cache_info().hits
    return 100 * hits / len(trace), nanoseconds / (2 * len(trace) - hits)


def mix(get, put, operations):
    """Return the nanoseconds of an operation, the loop's own included."""
    began = time.perf_counter_ns()
    for key, value in operations:
        if value is None:
            get(key)
        else:
            put(key, value)
    return (time.perf_counter_ns() - began) / len(operations)


async def resize_live():
    """Lower a full cache's limit while a task uses it; return the milliseconds between two of the task's turns.

    By the clock and by the processor's time of this thread, which other programs on the machine don't lengthen.
    """
    from tradingbot_contract.resources import Cache as Settings
    from tradingbot_engine.cache.caches import CacheManager
    from tradingbot_engine.cache.name import CacheName

    keys = cache_traces.build_zipf(20 * RESIZE_FROM)
    turns, calm, busy_turns, wholes = [], [], [], []
    for _ in range(RESIZES):
        manager = CacheManager(Settings(max_entries=RESIZE_FROM, memory_limit="1Gi"))
        cache = manager.cache(CacheName.PREDICTIONS)
        for key in keys:
            if cache.get(key) is None:
                cache.put(key, b"value")
        task = asyncio.create_task(_use(cache, keys, calm, []))
        await asyncio.sleep(0.01)
        task.cancel()
        task = asyncio.create_task(_use(cache, keys, turns, busy_turns))
        await asyncio.sleep(0)
        began = time.perf_counter_ns()
        manager.reconfigure(Settings(max_entries=RESIZE_TO, memory_limit="1Gi"))
        await manager.settle()
        wholes.append((time.perf_counter_ns() - began) / 1e6)
        await asyncio.sleep(0)
        task.cancel()
        assert len(cache) <= RESIZE_TO
    return {
        "stall_ms": spread(turns),
        "stall_cpu_ms": spread(busy_turns),
        "turn_without_resize_ms": spread(calm),
        "until_settled_ms": spread(wholes),
    }


async def _use(cache, keys, turns, busy_turns):
    before, busy_before = time.perf_counter_ns(), time.thread_time_ns()
    for at in range(0, len(keys), 10):
        for key in keys[at : at + 10]:
            if cache.get(key) is None:
                cache.put(key, b"value")
        await asyncio.sleep(0)
        now, busy = time.perf_counter_ns(), time.thread_time_ns()
        turns.append((now - before) / 1e6)
        busy_turns.append((busy - busy_before) / 1e6)
        before, busy_before = now, busy


def resize_by_copy(name):
    """For a cache whose limit is fixed: make a smaller one and fill it with what fits. Return the milliseconds."""
    import cachebox
    import cachetools

    build = {
        "cachebox LRU": cachebox.LRUCache,
        "cachebox LFU": cachebox.LFUCache,
        "cachetools TTL": lambda most: cachetools.TTLCache(most, TTL_SECONDS),
        "cachetools LFU": cachetools.LFUCache,
    }.get(name)
    if build is None:
        return None
    stalls = []
    for _ in range(RESIZES):
        cache = build(RESIZE_FROM)
        for number in range(RESIZE_FROM):
            cache[f"key {number}"] = b"value"
        began = time.perf_counter_ns()
        smaller = build(RESIZE_TO)
        for key, value in list(cache.items())[-RESIZE_TO:]:
            smaller[key] = value
        stalls.append((time.perf_counter_ns() - began) / 1e6)
    return {"stall_ms": spread(stalls)}


def spread(values):
    ordered = sorted(values)
    return {
        "p50": round(ordered[len(ordered) // 2], 3),
        "p99": round(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], 3),
        "max": round(ordered[-1], 3),
        "n": len(ordered),
    }


def main():
    name, requests = sys.argv[1], int(sys.argv[2])
    traces = {
        "zipf": cache_traces.build_zipf(requests),
        "zipf with scans": cache_traces.build_polluted(requests),
        "zipf of changing keys": cache_traces.build_shifting(requests),
        "names in source code": cache_traces.read_names(requests),
    }
    figures = {"name": name, "hit_percent": {}, "get_or_put_ns": {}, "requests": {kind: len(trace) for kind, trace in traces.items()}}
    for kind, trace in traces.items():
        found, nanoseconds = (
            ask_lru_cache(trace) if name == "functools.lru_cache" else ask(*CANDIDATES[name](CAPACITY, bounded=False), trace)
        )
        figures["hit_percent"][kind] = round(found, 2)
        figures["get_or_put_ns"][kind] = round(nanoseconds)
    if name in CANDIDATES:
        operations = cache_traces.build_operations(requests)
        figures["mixed_ns"] = round(mix(*CANDIDATES[name](CAPACITY, bounded=True), operations))
        figures["resize"] = asyncio.run(resize_live()) if name == "engine" else resize_by_copy(name)
    figures["max_rss_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
