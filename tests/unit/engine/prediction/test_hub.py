"""Fetching from a hub, with Hugging Face's own client against a hub on this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tiny_model
from tradingbot_contract.resources import Model
from tradingbot_engine.prediction.hub import ModelHub
from tradingbot_engine.prediction.model_folder import ModelError, read_model_folder
from tradingbot_engine.unavailable import UnavailableError

Locate = Callable[..., Path]


@pytest.fixture
def locate(tmp_path: Path, hub: Any) -> Locate:
    def run(source: str = "owner/name", file: str | None = None, **environment: str) -> Path:
        found = ModelHub(tmp_path / "data", {**os.environ, "HF_ENDPOINT": hub.address, **environment})
        return asyncio.run(asyncio.wait_for(found.locate(Model(source=source, file=file)), 30))

    return run


@pytest.fixture
def published(tmp_path: Path, hub: Any) -> Path:
    folder = tiny_model.write_model(tmp_path / "published", files={"onnx/model.onnx": 0.0, "onnx/model_int8.onnx": 1.0})
    (folder / "onnx" / "model_int8.onnx_data").write_bytes(b"tensors")
    (folder / "pytorch_model.bin").write_bytes(b"x" * 100_000)
    hub.models["owner/name"] = folder
    return folder


def test_a_path_is_not_looked_up(locate: Locate, hub: Any) -> None:
    assert locate("/models/finbert") == Path("/models/finbert")
    assert not hub.requests


def test_what_is_needed_is_fetched_and_nothing_else(locate: Locate, published: Path, hub: Any, tmp_path: Path) -> None:
    folder = locate()
    assert tmp_path / "data" in folder.parents
    files = read_model_folder(folder, None)
    assert files.weights.read_bytes() == (published / "onnx" / "model_int8.onnx").read_bytes()
    fetched = {path.rpartition("/")[2] for path in hub.requests if "/resolve/" in path}
    assert fetched == {"config.json", "tokenizer.json", "model_int8.onnx", "model_int8.onnx_data"}


def test_what_was_fetched_is_used_without_asking(locate: Locate, published: Path, hub: Any) -> None:  # noqa: ARG001 - it is what the hub serves
    folder = locate()
    hub.requests.clear()
    assert locate() == folder
    assert not hub.requests


def test_another_file_of_the_same_model_is_fetched_beside_it(locate: Locate, published: Path) -> None:  # noqa: ARG001 - the same
    locate()
    folder = locate(file="onnx/model.onnx")
    assert {path.name for path in (folder / "onnx").iterdir()} == {"model.onnx", "model_int8.onnx", "model_int8.onnx_data"}


def test_a_cache_that_others_share_is_used(locate: Locate, published: Path, hub: Any, tmp_path: Path) -> None:  # noqa: ARG001 - the same
    folder = locate(HF_HOME=str(tmp_path / "shared"))
    assert tmp_path / "shared" / "hub" in folder.parents
    hub.requests.clear()
    assert locate(HF_HUB_CACHE=str(tmp_path / "shared" / "hub")) == folder
    assert not hub.requests


def test_a_model_that_there_is_not(locate: Locate) -> None:
    with pytest.raises(ModelError, match="the hub has no model owner/other, or does not show it without HF_TOKEN"):
        locate("owner/other")


def test_a_model_without_weights_for_us(locate: Locate, published: Path) -> None:
    for path in (published / "onnx").iterdir():
        path.unlink()
    with pytest.raises(ModelError, match=r"owner/name: it has none of model_int8.onnx, .*: export the model to ONNX"):
        locate()
    with pytest.raises(ModelError, match=r"owner/name: it has no file onnx/model_fp16.onnx"):
        locate(file="onnx/model_fp16.onnx")


def test_a_hub_that_is_away_or_broken_is_for_later(locate: Locate, hub: Any) -> None:
    hub.failing = True
    with pytest.raises(UnavailableError, match=r"owner/name can't be fetched: .*503"):
        locate()
    with pytest.raises(UnavailableError, match="owner/name can't be fetched: "):
        locate(HF_ENDPOINT="http://127.0.0.1:9")  # the discard port: nobody listens
