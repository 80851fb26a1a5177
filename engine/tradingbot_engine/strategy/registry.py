"""From the spec's strategy section to a strategy, with an error that names the field for whatever can be wrong with it.

A name of the table below is built in; ``module:Class`` is imported, from what the engine's image contains.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Final

import msgspec

from tradingbot_contract.document import SpecError
from tradingbot_contract.spec import Strategy as StrategySection
from tradingbot_engine.strategy.donchian_breakout import DonchianBreakout
from tradingbot_engine.strategy.ema_cross import EmaCross
from tradingbot_engine.strategy.interface import Parameters, Strategy
from tradingbot_engine.strategy.rsi_reversion import RsiReversion
from tradingbot_engine.strategy.sentiment import SentimentStrategy

BUILT_IN: Final[dict[str, type[Strategy]]] = {
    "donchian-breakout": DonchianBreakout,
    "ema-cross": EmaCross,
    "rsi-reversion": RsiReversion,
    "sentiment": SentimentStrategy,
}


class Recipe(msgspec.Struct, frozen=True):
    """A strategy that can be made anew (at each lap of the feed), and what tells it from others."""

    build: Callable[[], Strategy]
    fingerprint: str
    """Name and parameters, with defaults filled in."""


def parse_strategy(section: StrategySection) -> Recipe:
    """Return how to make the strategy of the spec.

    Raises:
        SpecError: there is no such strategy, or it doesn't take these parameters.
    """
    strategy_class = _find_class(section.name)
    parameters = _parse_parameters(strategy_class, section)

    def build() -> Strategy:
        return strategy_class(parameters)

    return Recipe(build=build, fingerprint=f"{section.name} {msgspec.json.encode(parameters, order='deterministic').decode()}")


def _find_class(name: str) -> type[Strategy]:
    module_name, colon, class_name = name.partition(":")
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
            f"strategy.name: module {module_name!r} can't be imported ({type(error).__name__}: {error}): "
            "put it into the engine's image, on PYTHONPATH"
        ) from error
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
