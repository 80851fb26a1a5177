"""A strategy whose code is not in the image: it comes late, it is wrong, it is mended, and it trades."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from msgspec import structs

from tradingbot_contract.spec import Strategy, StrategyKey, StrategySource

SAMPLE = Path(__file__).resolve().parents[3] / "manifests" / "samples" / "own-strategy.yaml"
KEY = "three_in_a_row.py"


def read_code() -> str:
    (config_map,) = (each for each in yaml.safe_load_all(SAMPLE.read_text()) if each["kind"] == "ConfigMap")
    code: str = config_map["data"][KEY]
    return code


def test_an_engine_waits_for_the_code_of_its_strategy_and_trades_with_it(engines: Any, tmp_path: Path) -> None:
    folder = tmp_path / "strategy"
    folder.mkdir()
    source = StrategySource(config_map=StrategyKey(name="own-strategies", key=KEY))
    document = structs.replace(engines.document, strategy=Strategy(name="three_in_a_row:ThreeInARow", source=source))
    environment = {"TRADINGBOT_STRATEGY": str(folder)}
    engine = engines.start(document, environment=environment)
    refused = engine.until_state("Refused")
    assert f"create the ConfigMap own-strategies with the key {KEY}" in refused["message"]
    (folder / KEY).write_text(read_code())
    finished = engine.until_state("Finished")
    assert finished["strategy"] == "three_in_a_row:ThreeInARow"
    assert finished["fills"] > 20
    assert engine.terminate() == 0

    (folder / KEY).write_text(read_code() + "\n# mended\n")
    again = engines.start(document, environment=environment).until_state("Finished")
    assert "strategy: it has changed and begins anew" in again["message"]
    (folder / KEY).write_text("def broken(:\n")
    broken = engines.start(document, "--exit-when-refused", data=tmp_path / "other", environment=environment)
    assert broken.wait() == 78
    assert f"strategy.source: {KEY} can't be imported (SyntaxError" in broken.log
