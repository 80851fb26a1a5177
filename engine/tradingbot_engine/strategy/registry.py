"""From the spec's strategy section to a strategy, with an error that names the field for whatever can be wrong with it.

A name of the table below is built in; ``module:Class`` is imported, from what the engine's image contains, or from the one file that
`strategy.source` names: under a name of its own, so that no module of that name is in its way, and it in no other's.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Final

import msgspec

from tradingbot_contract.document import SpecError
from tradingbot_contract.endpoints import ENV_STRATEGY, STRATEGY_DIRECTORY
from tradingbot_contract.spec import Strategy as StrategySection
from tradingbot_contract.spec import StrategyKey
from tradingbot_engine.strategy.donchian_breakout import DonchianBreakout
from tradingbot_engine.strategy.ema_cross import EmaCross
from tradingbot_engine.strategy.failure import describe_failure
from tradingbot_engine.strategy.interface import Parameters, Strategy
from tradingbot_engine.strategy.rsi_reversion import RsiReversion
from tradingbot_engine.strategy.sentiment import SentimentStrategy
from tradingbot_engine.unavailable import UnavailableError

BUILT_IN: Final[dict[str, type[Strategy]]] = {
    "donchian-breakout": DonchianBreakout,
    "ema-cross": EmaCross,
    "rsi-reversion": RsiReversion,
    "sentiment": SentimentStrategy,
}


_OWN_MODULES: Final = "tradingbot_own_strategy"


class Recipe(msgspec.Struct, frozen=True):
    """A strategy that can be made anew (at each lap of the feed), and what tells it from others."""

    build: Callable[[], Strategy]
    """Raises SpecError when the strategy's own constructor fails."""
    fingerprint: str
    """Name and parameters, with defaults filled in, and the code where it isn't the image's."""


def own_code_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of the strategy's own code."""
    return Path(environment.get(ENV_STRATEGY) or STRATEGY_DIRECTORY)


def parse_strategy(section: StrategySection, folder: Path = Path(STRATEGY_DIRECTORY)) -> Recipe:
    """Return how to make the strategy of the spec; `folder` is that of its own code.

    Raises:
        SpecError: there is no such strategy, or it doesn't take these parameters.
        UnavailableError: its code is not there, or not yet.
    """
    digest = ""
    if section.own_module is None:
        strategy_class = _find_class(section.name)
    else:
        code = _read_code(section.own_module, folder)
        digest = f" {hashlib.sha256(code).hexdigest()}"
        module = _run_code(section.own_module, code, folder)
        strategy_class = _class_of(module, section.name)
    parameters = _parse_parameters(strategy_class, section)

    def build() -> Strategy:
        try:
            return strategy_class(parameters)
        except Exception as error:  # a user's constructor may raise anything
            raise SpecError(f"strategy.name: {section.name} can't be made: {describe_failure(error)}") from error

    return Recipe(build=build, fingerprint=f"{section.name} {msgspec.json.encode(parameters, order='deterministic').decode()}{digest}")


def _find_class(name: str) -> type[Strategy]:
    module_name, colon, _ = name.partition(":")
    if not colon:
        built_in = BUILT_IN.get(name)
        if built_in is None:
            raise SpecError(
                f"strategy.name: there is no built-in strategy {name!r}: use {', '.join(sorted(BUILT_IN))}, or module:Class for your own"
            )
        return built_in
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a user's module may raise anything while it is imported
        raise SpecError(
            f"strategy.name: module {module_name!r} can't be imported ({describe_failure(error)}): "
            "put it into the engine's image, on PYTHONPATH"
        ) from error
    return _class_of(module, name)


def _read_code(key: StrategyKey, folder: Path) -> bytes:
    path = folder / key.key
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnavailableError(
            f"strategy.source.configMap: {path} can't be read ({error.strerror}): create the ConfigMap {key.name} with the key {key.key} "
            f"(outside a cluster: put the file into the folder that {ENV_STRATEGY} names)"
        ) from error


def _run_code(key: StrategyKey, code: bytes, folder: Path) -> ModuleType:
    """Return the module that this code makes."""
    name = f"{_OWN_MODULES}.{key.module}"
    module = ModuleType(name)
    module.__file__ = str(folder / key.key)
    sys.modules[name] = module  # its annotations are looked up there
    try:
        exec(compile(code, module.__file__, "exec"), module.__dict__)  # noqa: S102 - the user's own strategy, in the user's own engine
    except Exception as error:  # a user's module may raise anything while it is imported
        raise SpecError(
            f"strategy.source: {key.key} can't be imported ({describe_failure(error)}): mend it in ConfigMap {key.name}, then give "
            "the bot's annotation tradingbot.dev/restart another value"
        ) from error
    return module


def _class_of(module: ModuleType, name: str) -> type[Strategy]:
    module_name, _, class_name = name.partition(":")
    found = getattr(module, class_name, None)
    if found is None:
        raise SpecError(f"strategy.name: module {module_name!r} has no class {class_name!r}")
    if not (isinstance(found, type) and issubclass(found, Strategy)):
        raise SpecError(f"strategy.name: {name} is no strategy: derive the class from tradingbot_engine.strategy.interface.Strategy")
    if found.on_bar is Strategy.on_bar:
        raise SpecError(f"strategy.name: {name} has no on_bar, so it could never trade: add the method")
    return found


def _parse_parameters(strategy_class: type[Strategy], section: StrategySection) -> Parameters:
    kind = strategy_class.parameters_type
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    unknown = sorted(set(section.parameters) - known)
    if unknown:
        takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
        raise SpecError(f"strategy.parameters.{unknown[0]}: {section.name} has no such parameter: {takes}")
    try:
        return msgspec.convert(section.parameters, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise SpecError(f"strategy.parameters{path.rstrip('`')}: {message}") from error
