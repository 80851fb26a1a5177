"""Services of the tests: real models of kilobytes, a cache that is a dict."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from model_hub_server import ModelHubServer
from tradingbot_contract.resources import MemoryMode, Model, Prediction
from tradingbot_engine.prediction.hub import ModelHub
from tradingbot_engine.prediction.sentiment import Sentiment
from tradingbot_engine.prediction.service import PredictionService


class DictCache:
    """Keeps everything."""

    def __init__(self) -> None:
        self.kept: dict[str, Sentiment] = {}

    async def get(self, key: str) -> Sentiment | None:
        return self.kept.get(key)

    async def put(self, key: str, value: Sentiment) -> None:
        self.kept[key] = value


@pytest.fixture
def cache() -> DictCache:
    return DictCache()


@pytest.fixture
def service(tmp_path: Path, cache: DictCache) -> Callable[..., PredictionService]:
    """Build a service; models are folders or ids of a hub."""

    def build(
        finbert: Path | str | None = None,
        social: Path | str | None = None,
        *,
        mode: MemoryMode = MemoryMode.FULL,
        environment: dict[str, str] | None = None,
        batch_size: int = 4,
        **arguments: Any,
    ) -> PredictionService:
        models = {name: Model(source=str(source)) for name, source in (("finbert", finbert), ("social", social)) if source is not None}
        settings = Prediction(batch_size=batch_size, max_tokens=32, **models)
        hub = ModelHub(tmp_path / "data", {**os.environ, **(environment or {})})
        return PredictionService(settings, mode, hub=hub, cache=arguments.pop("cache", cache), **arguments)

    return build


@pytest.fixture
def hub() -> Iterator[ModelHubServer]:
    with ModelHubServer({}) as server:
        yield server
