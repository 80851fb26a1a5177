"""From the spec to a strategy, or to an error that names the field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tradingbot_contract.document import SpecError
from tradingbot_contract.endpoints import ENV_STRATEGY, STRATEGY_DIRECTORY
from tradingbot_contract.spec import Strategy, StrategyKey, StrategySource
from tradingbot_engine.strategy.ema_cross import EmaCross
from tradingbot_engine.strategy.registry import own_code_folder, parse_strategy
from tradingbot_engine.unavailable import UnavailableError

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


def own(key: str, name: str, **parameters: Any) -> Strategy:
    return Strategy(name, parameters, StrategySource(config_map=StrategyKey(name="my-strategies", key=key)))


def test_one_s_own_from_a_config_map(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("from __future__ import annotations\n" + MODULE)
    recipe = parse_strategy(own("json.py", "json:Mine", lookBack=7), tmp_path)
    strategy = recipe.build()
    assert strategy.parameters.look_back == 7
    import json  # noqa: PLC0415 - what else has that name stays what it is

    assert not hasattr(json, "Mine")


def test_other_code_is_another_strategy_and_the_same_code_is_not(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(MODULE)
    first = parse_strategy(own("mine.py", "mine:Mine"), tmp_path).fingerprint
    assert parse_strategy(own("mine.py", "mine:Mine", lookBack=5), tmp_path).fingerprint == first
    path.write_text(MODULE + "\n# another line\n")
    assert parse_strategy(own("mine.py", "mine:Mine"), tmp_path).fingerprint != first


def test_code_that_is_not_there_may_come(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"create the ConfigMap my-strategies with the key mine\.py"):
        parse_strategy(own("mine.py", "mine:Mine"), tmp_path)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def broken(:", r"strategy\.source: mine\.py can't be imported \(SyntaxError: .*: mend it in ConfigMap my-strategies, then"),
        ("import nowhere_at_all", r"strategy\.source: mine\.py can't be imported \(ModuleNotFoundError: "),
        ("x = 1", r"strategy\.name: module 'mine' has no class 'Mine'"),
    ],
)
def test_what_is_wrong_with_one_s_own_code_is_said(tmp_path: Path, code: str, said: str) -> None:
    (tmp_path / "mine.py").write_text(code)
    with pytest.raises(SpecError, match=said):
        parse_strategy(own("mine.py", "mine:Mine"), tmp_path)


def test_the_name_and_the_key_must_agree_and_a_built_in_needs_no_code(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"for mean_reversion\.py it is mean_reversion:Class"):
        own("mine.py", "yours:Mine")
    assert isinstance(parse_strategy(own("mine.py", "ema-cross"), tmp_path).build(), EmaCross)


def test_the_folder_of_code_is_the_environment_s_or_the_pod_s(tmp_path: Path) -> None:
    assert own_code_folder({}) == Path(STRATEGY_DIRECTORY)
    assert own_code_folder({ENV_STRATEGY: str(tmp_path)}) == tmp_path


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
