"""Bots as people name them: ``trend``, ``tb/trend``; and what to say when there is none of that name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Final

from tradingbot_cli.errors import RefusedError
from tradingbot_operator.resource import GROUP, KIND, PLURAL

_PREFIXES: Final = frozenset({"tb", KIND.lower(), PLURAL, f"{PLURAL}.{GROUP}", f"{KIND.lower()}.{GROUP}"})
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_MOST_LISTED: Final = 8


def parse_bot_name(text: str) -> str:
    """Return the name in ``NAME``, ``tb/NAME`` or ``tradingbots.tradingbot.dev/NAME``.

    Raises:
        RefusedError: no bot can be called so.
    """
    kind, slash, name = text.rpartition("/")
    if slash and kind.lower() not in _PREFIXES:
        raise RefusedError(f"{text!r} is of another kind: give the name of a bot, NAME or tb/NAME")
    if not _NAME.fullmatch(name):
        raise RefusedError(f"{name!r} can't be a bot's name: lower-case letters, digits and dashes")
    return name


def nearest(word: str, words: Sequence[str]) -> str | None:
    """Return what may have been meant."""
    found = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return found[0] if found else None


def describe_missing(name: str, namespace: str, here: Sequence[str] | None, elsewhere: Sequence[str]) -> str:
    """Return what to say about a bot that is not there.

    Args:
        name: What was asked for.
        namespace: Where it was looked for.
        here: Bots that are there; None: nobody may say.
        elsewhere: Namespaces that have one of this name.
    """
    missing = f"there is no bot {name} in namespace {namespace}"
    if elsewhere:
        return f"{missing}; there is one in {', '.join(elsewhere)}: give -n {elsewhere[0]}"
    if here is None:
        return missing
    guess = nearest(name, here)
    if guess:
        return f"{missing}: did you mean {guess}?"
    if here:
        more = f" and {len(here) - _MOST_LISTED} more" if len(here) > _MOST_LISTED else ""
        return f"{missing}; there is {', '.join(sorted(here)[:_MOST_LISTED])}{more}"
    return f"{missing}, and no other: tradingbot list -A shows those of all namespaces"
