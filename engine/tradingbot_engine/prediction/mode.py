"""Which models are used: the spec's mode, the environment's, and what memory leaves room for. Pure.

There are two roles. `finbert` judges news. `social` judges social text, in mode Full; without it, `finbert` does. What has no model the
lexicon judges. The modes are a ladder: each rung down gives up one model.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from tradingbot_contract.document import SpecError
from tradingbot_contract.endpoints import ENV_MEMORY_MODE
from tradingbot_contract.resources import MemoryMode

LEXICON: Final = "lexicon"


class Role(enum.Enum):
    """What a model is for."""

    FINBERT = "finbert"
    SOCIAL = "social"


_ROLES: Final = {
    MemoryMode.AUTO: (Role.FINBERT, Role.SOCIAL),
    MemoryMode.FULL: (Role.FINBERT, Role.SOCIAL),
    MemoryMode.FINBERT_ONLY: (Role.FINBERT,),
    MemoryMode.MINIMAL: (),
}
_STRENGTH: Final = (MemoryMode.MINIMAL, MemoryMode.FINBERT_ONLY, MemoryMode.AUTO, MemoryMode.FULL)
"""Auto is Full where there is room for it."""
_WEIGHTS_FACTOR: Final = 1.1
_WORKING_BYTES: Final = 112 * 2**20
"""Tokenizer, and what one batch takes while it is judged."""
_LIBRARIES_BYTES: Final = 56 * 2**20


def parse_memory_mode(spec: MemoryMode, environment: Mapping[str, str]) -> MemoryMode:
    """Return the mode that is asked for; the environment wins over the spec.

    Raises:
        SpecError: the environment names no mode.
    """
    text = environment.get(ENV_MEMORY_MODE)
    if not text:
        return spec
    try:
        return MemoryMode(text)
    except ValueError:
        raise SpecError(f"{ENV_MEMORY_MODE} is {text!r}: use {', '.join(mode.value for mode in MemoryMode)}") from None


def roles_in(mode: MemoryMode) -> tuple[Role, ...]:
    """Return the roles that have a model in this mode, in the order in which they are filled."""
    return _ROLES[mode]


def asks_for_more(mode: MemoryMode, before: MemoryMode) -> bool:
    """Return whether a mode may use more models than the one before."""
    return _STRENGTH.index(mode) > _STRENGTH.index(before)


def mode_of(loaded: frozenset[Role]) -> MemoryMode:
    """Return the mode that these models make."""
    if Role.SOCIAL in loaded:
        return MemoryMode.FULL
    return MemoryMode.FINBERT_ONLY if Role.FINBERT in loaded else MemoryMode.MINIMAL


def estimate_model_bytes(weights_bytes: int, *, first: bool) -> int:
    """Return what a model with weights of this size takes at work; the first one brings the libraries along.

    Measured by bench/memory_modes.py on models of FinBERT's size, and rounded up.
    """
    return int(weights_bytes * _WEIGHTS_FACTOR) + _WORKING_BYTES + (_LIBRARIES_BYTES if first else 0)
