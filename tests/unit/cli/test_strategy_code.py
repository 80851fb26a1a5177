from __future__ import annotations

from pathlib import Path

from tradingbot_cli.strategy_code import add_strategy_code
from tradingbot_contract.spec import Strategy, StrategyKey, StrategySource

OWN = Strategy(name="mine:Mine", source=StrategySource(config_map=StrategyKey(name="strategies", key="mine.py")))
IN_THE_FILE = """
kind: ConfigMap
metadata: {name: strategies}
data: {mine.py: "x = 1"}
---
kind: TradingBot
"""


def find(tmp_path: Path, strategy: Strategy, text: str, environment: dict[str, str]) -> str | None:
    found = add_strategy_code(environment, strategy, text, tmp_path / "bot.yaml", tmp_path / "code")
    return found.get("TRADINGBOT_STRATEGY")


def test_the_environment_comes_first_then_the_manifest_then_what_is_beside_it(tmp_path: Path) -> None:
    assert find(tmp_path, OWN, "kind: TradingBot", {}) is None
    (tmp_path / "mine.py").write_text("x = 2")
    assert find(tmp_path, OWN, "kind: TradingBot", {}) == str(tmp_path)
    assert find(tmp_path, OWN, IN_THE_FILE, {}) == str(tmp_path / "code")
    assert (tmp_path / "code" / "mine.py").read_text() == "x = 1"
    assert find(tmp_path, OWN, IN_THE_FILE, {"TRADINGBOT_STRATEGY": "/elsewhere"}) == "/elsewhere"


def test_a_built_in_strategy_needs_none(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("x = 2")
    assert find(tmp_path, Strategy(name="ema-cross"), IN_THE_FILE, {}) is None
