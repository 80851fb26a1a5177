"""From the spec to a strategy, or to an error that names the field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tradingbot_contract.document import SpecError
from tradingbot_contract.spec import Strategy
from tradingbot_engine.strategy.ema_cross import EmaCross
from tradingbot_engine.strategy.registry import parse_strategy

MODULE = """
from typing import Annotated, ClassVar
from msgspec import Meta
from tradingbot_engine.strategy.interface import Parameters, Strategy

class MineParameters(Parameters, frozen=True):
    look_back: Annotated[int, Meta(ge=1)] = 5
    levels: list[float] = []

class Mine(Strategy):
    parameters_type: ClassVar[type[Parameters]] = MineParameters
    def on_bar(self, bar): ...

class Idle(Strategy):
    pass

class Plain:
    pass

thing = 5
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_own_strategies.py").write_text(MODULE)
    (tmp_path / "my_broken_strategies.py").write_text("raise RuntimeError('out of order')")
    monkeypatch.syspath_prepend(tmp_path)
    return "my_own_strategies"


def test_a_built_in_with_defaults() -> None:
    strategy = parse_strategy(Strategy("ema-cross")).build()
    assert isinstance(strategy, EmaCross)
    assert (strategy.parameters.fast_period, strategy.parameters.slow_period, strategy.parameters.order_notional) == (10, 30, 10_000.0)


def test_one_s_own(module: str) -> None:
    strategy = parse_strategy(Strategy(f"{module}:Mine", {"lookBack": 7})).build()
    assert type(strategy).__name__ == "Mine"
    assert strategy.parameters.look_back == 7


def test_the_fingerprint_is_of_what_runs_not_of_what_is_written() -> None:
    default = parse_strategy(Strategy("ema-cross")).fingerprint
    assert parse_strategy(Strategy("ema-cross", {"slowPeriod": 30})).fingerprint == default
    assert parse_strategy(Strategy("ema-cross", {"slowPeriod": 31})).fingerprint != default


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("golden-goose", {}, "strategy.name: there is no built-in strategy 'golden-goose': use donchian-breakout, ema-cross, "),
        ("nowhere:Mine", {}, "strategy.name: module 'nowhere' can't be imported"),
        ("my_broken_strategies:Mine", {}, "strategy.name: module 'my_broken_strategies' can't be imported (RuntimeError: out of order)"),
        ("my_own_strategies:Nobody", {}, "strategy.name: module 'my_own_strategies' has no class 'Nobody'"),
        ("my_own_strategies:Plain", {}, "strategy.name: my_own_strategies:Plain is no strategy"),
        ("my_own_strategies:thing", {}, "strategy.name: my_own_strategies:thing is no strategy"),
        ("my_own_strategies:Idle", {}, "strategy.name: my_own_strategies:Idle has no on_bar"),
        (
            "ema-cross",
            {"fats": 1},
            "strategy.parameters.fats: ema-cross has no such parameter: it takes fastPeriod, orderNotional, slowPeriod",
        ),
        ("ema-cross", {"fastPeriod": "ten"}, "strategy.parameters.fastPeriod: Expected `int`, got `str`"),
        ("ema-cross", {"fastPeriod": 0}, "strategy.parameters.fastPeriod: Expected `int` >= 1"),
        ("ema-cross", {"fastPeriod": 50}, "strategy.parameters: fastPeriod (50) must be below slowPeriod (30)"),
        ("my_own_strategies:Mine", {"levels": [1.0, "x"]}, "strategy.parameters.levels[1]: Expected `float`, got `str`"),
    ],
)
def test_what_is_wrong_is_named(module: str, name: str, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_strategy(Strategy(name, parameters))
    assert str(error.value).startswith(said), module
