"""Engines that trade on news: judged by real models, from files, hubs and addresses, killed and started again."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import json
import random
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnx
import pytest
from msgspec import structs
from onnx import helper, numpy_helper

import tiny_model
from model_hub_server import ModelHubServer
from tradingbot_contract.document import render_document
from tradingbot_contract.resources import MemoryMode, Model, Prediction
from tradingbot_contract.spec import News, NewsFile, NewsHttp, NewsType, Strategy

SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT")
FIRST_PRICE = dt.datetime(2000, 3, 1, tzinfo=dt.UTC)
FIRST_DAY = dt.datetime(2004, 9, 1, tzinfo=dt.UTC)
ITEMS = 600
KILLS = 4


@pytest.fixture
def finbert(tmp_path: Path) -> Path:
    return tiny_model.write_model(tmp_path / "finbert", files={"model.onnx": 0.0, "model_int8.onnx": 0.0})


@pytest.fixture
def social(tmp_path: Path) -> Path:
    return tiny_model.write_model(tmp_path / "social", labels=("negative", "neutral", "positive"))


def write_news(path: Path, first_day: dt.datetime = FIRST_DAY) -> list[dict[str, str]]:
    """Write news of some years of the data that ships with the engine; return the rows."""
    dice = random.Random(7)  # noqa: S311 - repeatable, not secret
    moment = first_day
    rows = []
    for number in range(ITEMS):
        moment += dt.timedelta(hours=dice.uniform(1, 60))
        words = " ".join(dice.choices(list(tiny_model.WORDS), k=5)).replace("##", "")
        source = dice.choice(["news", "social"])
        text = f"{words} {number}"
        rows.append({"id": str(number), "timestamp": moment.isoformat(), "symbols": dice.choice(SYMBOLS), "source": source, "text": text})
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


def build_document(
    engines: Any, news: News, prediction: Prediction, mode: MemoryMode = MemoryMode.FULL, *, speed: float = 0.0, loop: bool = False
) -> Any:
    document = engines.with_replay(speed=speed, loop=loop)
    strategy = Strategy(name="sentiment", parameters={"entryThreshold": 0.2, "halfLifeHours": 48})
    market = structs.replace(document.market, news=news)
    return structs.replace(document, strategy=strategy, market=market, prediction=prediction, memory_mode=mode)


def from_file(path: Path) -> News:
    return News(type=NewsType.FILE, file=NewsFile(data=str(path)))


def figure(engine: Any, name: str) -> float:
    """Return a metric's value, summed over its labels' values that match."""
    page = engine.get("/metrics")[1]
    return sum(float(value) for value in re.findall(rf"^{name} (\S+)$", page, re.MULTILINE))


def test_news_is_judged_by_the_models_and_traded_on(engines: Any, tmp_path: Path, finbert: Path, social: Path) -> None:
    write_news(tmp_path / "news.csv")
    prediction = Prediction(finbert=Model(source=str(finbert)), social=Model(source=str(social)))
    engine = engines.start(build_document(engines, from_file(tmp_path / "news.csv"), prediction))
    status = engine.until_state("Finished")
    assert (status["memoryMode"], status["memoryModeReason"]) == ("Full", "")
    assert status["fills"] > 20
    judged = {name: figure(engine, rf'tradingbot_predictions_total{{[^}}]*model="{name}"[^}}]*}}') for name in ("finbert", "social")}
    delivered = figure(engine, r"tradingbot_news_items_total\{.*\}")
    assert sum(judged.values()) == delivered == ITEMS
    assert min(judged.values()) > 0.3 * ITEMS
    shown = engine.until(lambda: json.loads(engine.get("/views/news")[1]), "the news that it was told")
    assert {"finbert", "social"} >= {row["model"] for row in shown}
    assert engine.terminate() == 0


def test_what_was_told_last_is_taken_down_before_the_end(engines: Any, tmp_path: Path) -> None:
    write_news(tmp_path / "news.csv")
    engine = engines.start(build_document(engines, from_file(tmp_path / "news.csv"), Prediction()))
    engine.until_state("Finished")
    assert engine.terminate() == 0
    with contextlib.closing(sqlite3.connect(engines.data / "history.sqlite")) as history:
        assert history.execute("SELECT count(*), count(DISTINCT news_id) FROM predictions").fetchone() == (ITEMS, ITEMS)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_moment_it_ends_as_if_nothing_had_happened(
    engines: Any, tmp_path: Path, finbert: Path, social: Path, seed: int
) -> None:
    write_news(tmp_path / "news.csv", FIRST_PRICE)  # so that there is news to judge at every moment at which it is killed
    prediction = Prediction(finbert=Model(source=str(finbert)), social=Model(source=str(social)))

    def document(speed: float = 0.0) -> Any:
        return build_document(engines, from_file(tmp_path / "news.csv"), prediction, speed=speed)

    whole = tmp_path / "whole"
    assert engines.start(document(), "--exit-when-finished", data=whole).wait() == 0
    moments = random.Random(seed)  # noqa: S311 - repeatable, not secret
    broken = tmp_path / "broken"
    for _ in range(KILLS):
        engine = engines.start(document(speed=100.0), data=broken)
        engine.until_state("Running")
        engine.until(lambda engine=engine: "commits_total 0" not in engine.get("/metrics")[1], "first commit")
        time.sleep(moments.uniform(0.0, 0.4))  # the moment is what varies, not what is waited for
        engine.kill()
    assert engines.start(document(), "--exit-when-finished", data=broken).wait() == 0
    expected = engines.read_tables(whole)
    assert len(expected["fills"]) > 20
    assert engines.read_tables(broken) == expected


def test_a_model_that_is_broken_is_told_once_and_trading_goes_on(engines: Any, tmp_path: Path, finbert: Path) -> None:
    write_news(tmp_path / "news.csv")
    (finbert / "model_int8.onnx").write_bytes(b"half of a download")
    prediction = Prediction(finbert=Model(source=str(finbert)))
    engine = engines.start(build_document(engines, from_file(tmp_path / "news.csv"), prediction, MemoryMode.FINBERT_ONLY))
    status = engine.until_state("Finished")
    assert status["memoryMode"] == "Minimal"
    assert "model_int8.onnx can't be used" in status["memoryModeReason"]
    assert engine.log.count("news is judged with less than the spec asks for") == 1
    assert figure(engine, r'tradingbot_predictions_total\{.*model="lexicon".*\}') == ITEMS
    assert figure(engine, r'tradingbot_prediction_model_failures_total\{.*model="finbert".*\}') == 1


def test_the_mode_follows_the_document_both_ways_without_a_restart(engines: Any, tmp_path: Path, finbert: Path, social: Path) -> None:
    write_news(tmp_path / "news.csv")
    prediction = Prediction(finbert=Model(source=str(finbert)), social=Model(source=str(social)))
    document = build_document(engines, from_file(tmp_path / "news.csv"), prediction, speed=100.0, loop=True)
    engine = engines.start(document)
    engine.until(lambda: engine.status()["memoryMode"] == "Full", "both models")
    started_at = engine.status()["startedAt"]
    modes = (MemoryMode.FINBERT_ONLY, MemoryMode.MINIMAL, MemoryMode.AUTO, MemoryMode.MINIMAL, MemoryMode.FULL)
    for generation, mode in enumerate(modes, start=2):
        new = engine.config.with_suffix(".new")
        new.write_text(render_document(structs.replace(document, generation=generation, memory_mode=mode)))
        new.replace(engine.config)
        engine.until(lambda generation=generation: engine.status()["generation"] == generation, f"generation {generation}")
        expected = "Full" if mode is MemoryMode.AUTO else mode.value
        engine.until(lambda expected=expected: engine.status()["memoryMode"] == expected, f"mode {expected}")
    status = engine.status()
    assert (status["startedAt"], status["state"], status["memoryModeReason"]) == (started_at, "Running", "")
    assert engine.terminate() == 0
    assert "Traceback" not in engine.log


def test_the_environment_decides_the_mode(engines: Any, tmp_path: Path, finbert: Path) -> None:
    write_news(tmp_path / "news.csv")
    document = build_document(engines, from_file(tmp_path / "news.csv"), Prediction(finbert=Model(source=str(finbert))))
    engine = engines.start(document, environment={"TRADINGBOT_MEMORY_MODE": "Minimal"})
    status = engine.until_state("Finished")
    assert (status["memoryMode"], status["memoryModeReason"]) == ("Minimal", "")
    refused = engines.start(document, "--exit-when-refused", data=tmp_path / "other", environment={"TRADINGBOT_MEMORY_MODE": "Tiny"})
    assert refused.wait() == 78
    assert "TRADINGBOT_MEMORY_MODE is 'Tiny': use Auto, Full, FinBERTOnly, Minimal" in refused.log


def test_a_model_comes_from_a_hub_once(engines: Any, tmp_path: Path, finbert: Path) -> None:
    write_news(tmp_path / "news.csv")
    with ModelHubServer({"owner/name": finbert}) as hub:
        document = build_document(engines, from_file(tmp_path / "news.csv"), Prediction(finbert=Model(source="owner/name")))
        environment = {"HF_ENDPOINT": hub.address, "HF_HOME": ""}
        for _ in range(2):
            engine = engines.start(document, environment=environment)
            engine.until(lambda engine=engine: engine.status()["memoryMode"] == "FinBERTOnly", "the model")
            assert engine.terminate() == 0
        fetched = [path for path in hub.requests if path.endswith(".onnx")]
        assert [hub.requests[path] for path in fetched] == [1]
    assert (engines.data / "models").is_dir()


class Endpoint(BaseHTTPRequestHandler):
    """Lists what `items` has, with an ETag."""

    items: ClassVar[list[dict[str, str]]] = []
    statuses: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        body = json.dumps(self.items).encode()
        tag = f'"{len(self.items)}"'
        status = 304 if self.headers.get("If-None-Match") == tag else 200
        self.statuses.append(status)
        self.send_response(status)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(0 if status == 304 else len(body)))
        self.end_headers()
        if status == 200:
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Endpoint.items.clear()
    Endpoint.statuses.clear()
    yield f"http://127.0.0.1:{server.server_address[1]}/news"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_address_is_asked_again_and_again_and_a_restart_tells_nothing_twice(engines: Any, tmp_path: Path, endpoint: str) -> None:
    rows = write_news(tmp_path / "news.csv")[:40]
    Endpoint.items.extend(rows[:30])
    news = News(type=NewsType.HTTP, http=NewsHttp(url=endpoint, poll_seconds=1.0))
    document = build_document(engines, news, Prediction(), speed=1500.0, loop=True)

    def told() -> int:
        history = engines.data / "history.sqlite"
        if not history.exists():
            return 0
        connection = sqlite3.connect(history)
        try:
            return int(connection.execute("SELECT count(*) FROM predictions").fetchone()[0])
        finally:
            connection.close()

    engine = engines.start(document)
    engine.until(lambda: 304 in Endpoint.statuses, "an answer that nothing has changed")
    engine.until(lambda: figure(engine, r"tradingbot_news_items_total\{.*\}") == 30, "all news")
    engine.until(lambda: told() == 30, "all of it taken down")
    assert engine.terminate() == 0
    Endpoint.items.extend(rows[30:])
    engine = engines.start(document)
    engine.until(lambda: figure(engine, r"tradingbot_news_items_total\{.*\}") == 10, "the news that is new")
    assert engine.terminate() == 0
    assert Endpoint.statuses.count(200) == 2


MEASURE = """
import asyncio, json, re, sys
from pathlib import Path
from tradingbot_contract.document import render_document
from tradingbot_contract.resources import MemoryMode, Model, Prediction
from tradingbot_engine.prediction.hub import ModelHub
from tradingbot_engine.prediction.sentiment import Passage
from tradingbot_engine.prediction.service import PredictionService

class NoCache:
    async def get(self, key): return None
    async def put(self, key, value): pass

def rss():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

async def main():
    models = {name: Model(source=source) for name, source in zip(("finbert", "social"), sys.argv[1:])}
    service = PredictionService(Prediction(**models), MemoryMode.FULL, hub=ModelHub(Path("."), {}), cache=NoCache())
    service.start()
    await service.score([Passage("gain")])
    figures = [rss()]
    while await service.lower_mode() is not None:
        figures.append(rss())
    await service.close()
    print(json.dumps(figures))

asyncio.run(main())
"""
BALLAST_MIB = 96


def test_a_lowered_mode_gives_the_memory_back(tmp_path: Path) -> None:
    folders = [tiny_model.write_model(tmp_path / name) for name in ("finbert", "social")]
    for folder in folders:
        add_ballast(folder / "model.onnx")
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, folders)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "engine"), "PATH": ""},
    )
    full, finbert_only, minimal = json.loads(ran.stdout)
    assert full - finbert_only > 0.9 * BALLAST_MIB
    assert finbert_only - minimal > 0.9 * BALLAST_MIB


def add_ballast(path: Path) -> None:
    """Make the weights heavy: a table from which one row of zeros is added to the answer."""
    model = onnx.load(str(path))
    graph = model.graph
    rows = np.zeros((BALLAST_MIB * 2**20 // (3 * 4), 3), dtype=np.float32)
    graph.initializer.extend([numpy_helper.from_array(rows, "ballast"), numpy_helper.from_array(np.array(0, dtype=np.int64), "zero")])
    said = graph.node[-1]
    said.output[0] = "bare"
    graph.node.extend(
        [
            # The row depends on the input, so that nothing can work it out beforehand.
            helper.make_node("ReduceMin", ["token_type_ids"], ["row"], keepdims=0),
            helper.make_node("Gather", ["ballast", "row"], ["heavy"]),
            helper.make_node("Add", ["bare", "heavy"], ["logits"]),
        ]
    )
    onnx.save(model, str(path))
