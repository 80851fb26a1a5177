"""One name in the three ways that a strategy needs it: of the bot and its folder, of the module, of the class."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from typing import Final

from msgspec import Struct

from tradingbot_cli.errors import RefusedError

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST: Final = 40
_OURS: Final = frozenset({"tradingbot", "pytest", "hypothesis", "msgspec", "yaml"})


class StrategyName(Struct, frozen=True):
    """`mean-reversion`, `mean_reversion`, `MeanReversion`."""

    bot: str

    @property
    def module(self) -> str:
        return self.bot.replace("-", "_")

    @property
    def strategy_class(self) -> str:
        return "".join(part.capitalize() for part in self.bot.split("-"))


def parse_strategy_name(text: str) -> StrategyName:
    """Return the name.

    Raises:
        RefusedError: a bot, a module or a class can't be called so, or the module would hide one of Python's or one that is installed.
    """
    if not _NAME.fullmatch(text) or len(text) > _LONGEST:
        raise RefusedError(
            f"{text!r} can't be a strategy's name: lower-case letters, digits and dashes, at most {_LONGEST}, as in mean-reversion"
        )
    name = StrategyName(text)
    if keyword.iskeyword(name.module) or name.module in sys.stdlib_module_names or name.module in _OURS:
        raise RefusedError(f"{text!r} would hide Python's own {name.module}: choose another name, for example my-{text}")
    if _is_installed(name.module):
        raise RefusedError(f"{text!r} would hide the module {name.module} that is installed: choose another name, for example my-{text}")
    return name


def _is_installed(module: str) -> bool:
    """Return whether something of this name can be imported already; a folder is not meant."""
    found = importlib.util.find_spec(module)
    return found is not None and found.origin is not None
