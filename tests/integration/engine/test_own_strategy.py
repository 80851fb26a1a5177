"""A strategy whose code is not in the image: it comes late, it is wrong, it is mended, and it trades."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import yaml
from msgspec import structs

from tradingbot_contract.document import EngineDocument
from tradingbot_contract.report import EngineState, EngineStatus
from tradingbot_contract.spec import Strategy, StrategyKey, StrategySource
from tradingbot_observer.sources.engine_pages import read_status
from tradingbot_observer.sources.http import EngineAddress

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
    assert finished["tradingSince"] >= refused["heartbeatAt"] >= refused["startedAt"], "while it waited no bar was due"
    assert engine.terminate() == 0

    (folder / KEY).write_text(read_code() + "\n# mended\n")
    again = engines.start(document, environment=environment).until_state("Finished")
    assert "strategy: it has changed and begins anew" in again["message"]
    (folder / KEY).write_text("def broken(:\n")
    broken = engines.start(document, "--exit-when-refused", data=tmp_path / "other", environment=environment)
    assert broken.wait() == 78
    assert f"strategy.source: {KEY} can't be imported (SyntaxError" in broken.log


def with_code(document: EngineDocument, folder: Path, code: str) -> EngineDocument:
    """Return a document whose strategy is the class `Own` of this code, in a folder of its own."""
    folder.mkdir()
    (folder / "own.py").write_text(f"from tradingbot_engine.strategy.interface import Strategy\n\n{code}")
    source = StrategySource(config_map=StrategyKey(name="own", key="own.py"))
    return structs.replace(document, strategy=Strategy(name="own:Own", source=source))


def observed(engine: Any) -> EngineStatus:
    """Return the engine's status as its observer takes it."""
    status, _ = asyncio.run(read_status(EngineAddress("127.0.0.1", engine.port()), timeout_seconds=10.0))
    return status


SHOUTS = """class Own(Strategy):
    def on_bar(self, bar):
        raise ValueError(f"{bar} " * 1000)
"""
BREAKS = """class Own(Strategy):
    def __init__(self, parameters):
        super().__init__(parameters)
        raise LookupError("no such table")
"""


def test_an_error_with_a_long_text_hides_the_engine_from_nobody(engines: Any, tmp_path: Path) -> None:
    folder = tmp_path / "strategy"
    engine = engines.start(with_code(engines.document, folder, SHOUTS), environment={"TRADINGBOT_STRATEGY": str(folder)})
    finished = engine.until_state("Finished")
    assert finished["message"].startswith("strategy halted: Own.on_bar failed 10 times in a row: ValueError: Bar(")
    assert observed(engine).state is EngineState.FINISHED
    assert engine.terminate() == 0


def test_a_strategy_that_cannot_be_made_is_refused_with_its_error(engines: Any, tmp_path: Path) -> None:
    folder = tmp_path / "strategy"
    code = BREAKS + "\n    def on_bar(self, bar):\n        pass\n"
    engine = engines.start(with_code(engines.document, folder, code), environment={"TRADINGBOT_STRATEGY": str(folder)})
    refused = engine.until_state("Refused")
    assert refused["message"] == "strategy.name: own:Own can't be made: LookupError: no such table"
    assert engine.terminate() == 0
