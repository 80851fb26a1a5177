"""What is asked of the caches: made requests by known laws, and real ones.

The real ones are the names in the source of Python's standard library, in the order in which a compiler's table of names is asked for
them: few names are everywhere, many come in bursts. Everything is the same in each run of one Python.
"""

from __future__ import annotations

import itertools
import random
import re
import sysconfig
from pathlib import Path
from typing import Final

KEYS: Final = 100_000
EXPONENT: Final = 0.9
_NAME: Final = re.compile(r"[A-Za-z_]\w*")


def build_zipf(requests: int, *, seed: int = 1) -> list[str]:
    """Requests by Zipf's law over `KEYS` keys."""
    chance = random.Random(seed)  # noqa: S311 - the same each time is what is wanted
    weights = list(itertools.accumulate(1 / rank**EXPONENT for rank in range(1, KEYS + 1)))
    keys = list(range(KEYS))
    chance.shuffle(keys)
    return [f"key {key}" for key in chance.choices(keys, cum_weights=weights, k=requests)]


def build_polluted(requests: int, *, every: int = 20_000, length: int = 5_000) -> list[str]:
    """The same, and after every so many of them a scan: so many keys that come once."""
    asked = build_zipf(requests)
    polluted: list[str] = []
    for start in range(0, requests, every):
        polluted.extend(asked[start : start + every])
        polluted.extend(f"scan {start} {number}" for number in range(length))
    return polluted


def build_shifting(requests: int, *, every: int = 60_000) -> list[str]:
    """The same law, but other keys are the popular ones after every so many requests."""
    return [key for seed, start in enumerate(range(0, requests, every)) for key in build_zipf(min(every, requests - start), seed=seed)]


def read_names(requests: int) -> list[str]:
    """The first so many names of the standard library's modules; there are half a million."""
    folder = Path(sysconfig.get_path("stdlib"))
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.glob("*.py")))
    return list(itertools.islice(itertools.chain.from_iterable(map(_NAME.findall, texts)), requests))


def build_operations(requests: int, *, put_part: float = 0.2) -> list[tuple[str, bytes | None]]:
    """Keys by Zipf's law; with a value of 50 to 500 bytes: put it, with None: get it."""
    chance = random.Random(2)  # noqa: S311 - the same each time is what is wanted
    values = [bytes(size) for size in range(50, 501)]
    return [(key, chance.choice(values) if chance.random() < put_part else None) for key in build_zipf(requests)]
