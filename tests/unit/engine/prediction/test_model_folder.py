"""A model's folder: which weights are taken, and what its labels mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tiny_model
from tradingbot_engine.prediction.model_folder import (
    WEIGHTS_FILES,
    Labels,
    ModelError,
    choose_weights,
    parse_labels,
    read_model_folder,
)


@pytest.mark.parametrize("first", range(len(WEIGHTS_FILES)))
def test_the_first_of_the_documented_order_is_taken(first: int) -> None:
    assert choose_weights(frozenset(WEIGHTS_FILES[first:]) | {"onnx/model_fp16.onnx"}, None) == WEIGHTS_FILES[first]


def test_eight_bit_weights_come_before_others_wherever_they_are() -> None:
    eight_bit = [name for name in WEIGHTS_FILES if "int8" in name or "quantized" in name]
    assert list(WEIGHTS_FILES[: len(eight_bit)]) == eight_bit


def test_a_file_that_the_spec_names_is_taken_or_missed() -> None:
    assert choose_weights(frozenset({"model.onnx", "onnx/model_fp16.onnx"}), "onnx/model_fp16.onnx") == "onnx/model_fp16.onnx"
    with pytest.raises(ModelError, match=r"no file other\.onnx"):
        choose_weights(frozenset({"model.onnx"}), "other.onnx")
    with pytest.raises(ModelError, match=r"none of model_int8.onnx, .* export the model to ONNX"):
        choose_weights(frozenset({"pytorch_model.bin"}), None)


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (("positive", "negative", "neutral"), Labels(0, 1, 2, 3)),  # FinBERT
        (("negative", "neutral", "positive"), Labels(2, 0, 1, 3)),  # the usual model of social text
        (("Neutral", "Positive", "Negative"), Labels(1, 2, 0, 3)),
        (("Bearish", "Bullish"), Labels(1, 0, None, 2)),
    ],
)
def test_labels_go_by_name(names: tuple[str, ...], labels: Labels) -> None:
    assert parse_labels({str(index): name for index, name in enumerate(names)}) == labels


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"0": "LABEL_0", "1": "LABEL_1"}, "'LABEL_0' is none of positive"),
        ({"0": "positive", "1": "bullish", "2": "negative"}, "two of them mean positive"),
        ({"0": "positive", "1": "neutral"}, "none of them means negative"),
        ({"0": "positive", "2": "negative"}, "numbers from 0 on"),
        ({"a": "positive"}, "must be numbers"),
        ({}, "id2label has none"),
    ],
)
def test_labels_that_nobody_understands_are_refused(names: dict[str, str], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        parse_labels(names)


def test_what_is_missing_in_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no folder .*/gone: mount"):
        read_model_folder(tmp_path / "gone", None)
    folder = tiny_model.write_model(tmp_path / "model")
    (folder / "tokenizer.json").rename(folder / "other.json")
    with pytest.raises(ModelError, match=r"has no tokenizer.json"):
        read_model_folder(folder, None)
    (folder / "other.json").rename(folder / "tokenizer.json")
    for content in (b"{", b'{"id2label": {"0": "\xff"}}', b'{"deep": ' + b"[" * 100_000):
        (folder / "config.json").write_bytes(content)
        with pytest.raises(ModelError, match=r"config.json can't be read"):
            read_model_folder(folder, None)


def test_sizes_and_limits_of_a_folder(tmp_path: Path) -> None:
    folder = tiny_model.write_model(tmp_path / "model")
    (folder / "model.onnx_data").write_bytes(b"x" * 1000)  # tensors that ONNX keeps beside the graph
    files = read_model_folder(folder, None)
    assert files.weights_bytes == (folder / "model.onnx").stat().st_size + 1000
    assert files.max_tokens == 64
    before = files.fingerprint()
    (folder / "model.onnx_data").write_bytes(b"y" * 1000)
    assert files.fingerprint() != before


def test_a_roberta_takes_fewer_tokens_than_it_has_positions(tmp_path: Path) -> None:
    folder = tiny_model.write_model(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}
    (folder / "config.json").write_text(json.dumps(config))
    files = read_model_folder(folder, None)
    assert (files.max_tokens, files.padding_id) == (512, 1)
