"""What to do about the container's memory, sample by sample: pure, time is an argument.

Caches give back first, because what they lose can be had again; then the judging of news goes on with less. Nothing swings to and fro:

- Between the two lines of the spec nothing changes.
- Caches never grow again to near where memory was last short. Only a raised limit, other settings, a lowered mode or an hour of calm
  lift that bar; each time that memory is short again it falls by a tenth or more. So in an hour there are only so many changes, whatever
  the load does.
- The mode falls only when the caches have nothing left to give and memory was short in most of the last samples, and not again before the
  last fall has had time to show.
"""

from __future__ import annotations

import math
from typing import Final

from msgspec import Struct, structs

from tradingbot_contract.resources import Pressure
from tradingbot_engine.memory.limit import MemoryReading

FLOOR: Final = 0.1
"""Smallest share of their size in the spec that the caches are left with: a cache of nothing costs more than it saves."""
MARGIN: Final = 0.9
"""The bar is at this share of the scale at which memory was short."""
SHORT_SAMPLES: Final = 3
SAMPLES: Final = 5
"""The mode falls when so many of the last so many samples were short, with the caches at their floor."""
MODE_PAUSE_SECONDS: Final = 30.0
"""A model that is let go is gone by then."""
GROW_PAUSE_SECONDS: Final = 10.0
CLEAN_PAUSE_SECONDS: Final = 10.0
CALM_SECONDS: Final = 3600.0


class MemoryState(Struct, frozen=True, kw_only=True):
    """What is remembered between samples. Times are seconds of a monotonic clock."""

    scale: float = 1.0
    """Size of the caches as a share of what the spec says."""
    highest_scale: float = math.inf
    """The bar: the caches grow no further."""
    limit_bytes: int | None = None
    short: tuple[bool, ...] = ()
    """Whether memory was short, of the last samples with the caches at their floor."""
    short_at: float = -math.inf
    """When memory was last short."""
    scaled_at: float = -math.inf
    cleaned_at: float = -math.inf
    lowered_at: float = -math.inf


class Decision(Struct, frozen=True, kw_only=True):
    """What to do now; where nothing is said, nothing."""

    scale: float | None = None
    """Give the caches this share of their size in the spec."""
    shed: bool = False
    """The new scale is a smaller one."""
    clean: bool = False
    """Remove from the caches what is too old."""
    lower_mode: bool = False
    """Judge news with less memory."""
    again: bool = False
    """Look again at once, not at the next sample: the limit is near."""


_NOTHING: Final = Decision()


def judge(state: MemoryState, settings: Pressure, reading: MemoryReading, now: float) -> tuple[MemoryState, Decision]:
    """Return what to remember and what to do. What isn't known changes nothing."""
    used_bytes, limit_bytes = reading.used_bytes, reading.limit_bytes
    if used_bytes is None or limit_bytes is None:
        return state, _NOTHING
    state = _notice_change(state, limit_bytes, now)
    percent = 100.0 * used_bytes / limit_bytes
    if percent > settings.shrink_above_percent:
        return _give_back(state, settings, percent, now)
    if state.short:
        state = structs.replace(state, short=(*state.short, False)[-SAMPLES:])
    if percent < settings.grow_below_percent:
        return _grow(state, settings, now)
    return state, _NOTHING


def forget_shortage(state: MemoryState) -> MemoryState:
    """Return the state for other settings: where memory was short under the old ones says nothing about the new."""
    return structs.replace(state, highest_scale=math.inf, short=())


def _notice_change(state: MemoryState, limit_bytes: int, now: float) -> MemoryState:
    if state.limit_bytes is not None and limit_bytes > state.limit_bytes:
        state = forget_shortage(state)
    elif now - state.short_at > CALM_SECONDS:
        state = structs.replace(state, highest_scale=math.inf)
    return structs.replace(state, limit_bytes=limit_bytes)


def _give_back(state: MemoryState, settings: Pressure, percent: float, now: float) -> tuple[MemoryState, Decision]:
    clean = now - state.cleaned_at >= CLEAN_PAUSE_SECONDS
    state = structs.replace(state, short_at=now, cleaned_at=now if clean else state.cleaned_at)
    if state.scale > FLOOR:
        scale = max(FLOOR, state.scale * settings.shrink_factor)
        near = percent > (settings.shrink_above_percent + 100.0) / 2.0
        after = structs.replace(state, scale=scale, scaled_at=now, highest_scale=min(state.highest_scale, MARGIN * state.scale))
        return after, Decision(scale=scale, shed=True, clean=clean, again=near and scale > FLOOR)
    short = (*state.short, True)[-SAMPLES:]
    if sum(short) >= SHORT_SAMPLES and now - state.lowered_at >= MODE_PAUSE_SECONDS:
        after = structs.replace(state, short=(), lowered_at=now, highest_scale=math.inf)
        return after, Decision(clean=clean, lower_mode=True)
    return structs.replace(state, short=short), Decision(clean=clean)


def _grow(state: MemoryState, settings: Pressure, now: float) -> tuple[MemoryState, Decision]:
    scale = min(1.0, state.scale * settings.grow_factor)
    if state.scale >= 1.0 or scale > state.highest_scale or now - state.scaled_at < GROW_PAUSE_SECONDS:
        return state, _NOTHING
    return structs.replace(state, scale=scale, scaled_at=now), Decision(scale=scale)
