"""The real loading code and the real libraries, on models that weigh kilobytes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import tiny_model
from tradingbot_engine.prediction.batches import plan_batches
from tradingbot_engine.prediction.classifier import Classifier, Settings
from tradingbot_engine.prediction.model_folder import ModelError, read_model_folder

SETTINGS = Settings(batch_size=4, max_tokens=32, threads=1)


def load(folder: Path, settings: Settings = SETTINGS, file: str | None = None) -> Classifier:
    return Classifier("finbert", read_model_folder(folder, file), settings)


def test_a_text_is_cut_into_the_right_tokens(tmp_path: Path) -> None:
    classifier = load(tiny_model.write_model(tmp_path / "model"))
    [found] = classifier.judge(["The GAINS soar; unheard-of"])
    shares = tiny_model.expected_shares(["the", "gain", "##s", "soar", "[UNK]"])
    assert (found.positive, found.negative, found.neutral) == pytest.approx([shares[label] for label in tiny_model.LABELS], rel=1e-5)
    assert found.score == pytest.approx(shares["positive"] - shares["negative"], rel=1e-5)
    assert found.model == "finbert"


@pytest.mark.parametrize(
    "labels", [("positive", "negative", "neutral"), ("negative", "neutral", "positive"), ("Neutral", "Positive", "Negative")]
)
def test_columns_are_taken_by_name_whatever_their_order(tmp_path: Path, labels: tuple[str, ...]) -> None:
    classifier = load(tiny_model.write_model(tmp_path / "model", labels=labels))
    good, bad = classifier.judge(["profit soar", "loss fall"])
    assert good.score > 0.9
    assert bad.score < -0.9


def test_a_batch_says_what_each_text_says_alone(tmp_path: Path) -> None:
    classifier = load(tiny_model.write_model(tmp_path / "model"))
    dice = random.Random(4)  # noqa: S311 - repeatable, not secret
    texts = [" ".join(dice.choices(["gain", "gains", "loss", "fall", "the", "report", "other"], k=dice.randint(1, 12))) for _ in range(23)]
    together = classifier.judge(texts)
    alone = [classifier.judge([text])[0] for text in texts]
    assert [found.score for found in together] == pytest.approx([found.score for found in alone], rel=1e-6)
    assert len({round(found.score, 6) for found in alone}) > 5


@pytest.mark.parametrize("inputs", [("input_ids", "attention_mask"), ("attention_mask", "input_ids", "token_type_ids")])
def test_a_model_is_given_the_inputs_that_it_takes(tmp_path: Path, inputs: tuple[str, ...]) -> None:
    classifier = load(tiny_model.write_model(tmp_path / "model", inputs=inputs))
    assert classifier.judge(["gain", "the the the report"])[0].score > 0.5


def test_what_is_longer_than_the_limit_is_cut(tmp_path: Path) -> None:
    folder = tiny_model.write_model(tmp_path / "model")
    text = " ".join(["gain"] * 3 + ["loss"] * 200)
    assert load(folder, SETTINGS._replace(max_tokens=5)).judge([text])[0].score > 0.9  # [CLS] gain gain gain [SEP]
    longest = load(folder, SETTINGS._replace(max_tokens=512))  # the model itself can't read more than 64
    assert longest.judge([" ".join(["gain"] * 62 + ["loss"] * 200)])[0].score > 0.9


def test_no_text_is_no_trouble(tmp_path: Path) -> None:
    classifier = load(tiny_model.write_model(tmp_path / "model"))
    assert classifier.judge([]) == []
    assert classifier.judge([""])[0].score == pytest.approx(0.0)


def test_the_eight_bit_weights_are_used_and_others_when_they_are_named(tmp_path: Path) -> None:
    folder = tiny_model.write_model(tmp_path / "model", files={"model.onnx": 0.0, "onnx/model_quantized.onnx": 3.0})
    assert load(folder).judge(["the"])[0].score > 0.9
    assert load(folder, file="model.onnx").judge(["the"])[0].score == pytest.approx(0.0)
    assert load(folder).fingerprint != load(folder, file="model.onnx").fingerprint


class TestRefused:
    """What can't be used is found while it is loaded, before anyone trades on it."""

    def test_weights_that_are_no_onnx(self, tmp_path: Path) -> None:
        folder = tiny_model.write_model(tmp_path / "model")
        (folder / "model.onnx").write_bytes(b"version https://git-lfs.example/spec/v1\noid sha256:0\n")
        with pytest.raises(ModelError, match=r"model.onnx can't be used: .*"):
            load(folder)

    def test_weights_that_were_cut_off(self, tmp_path: Path) -> None:
        folder = tiny_model.write_model(tmp_path / "model")
        weights = folder / "model.onnx"
        weights.write_bytes(weights.read_bytes()[:-200])
        with pytest.raises(ModelError, match=r"model.onnx can't be used"):
            load(folder)

    def test_a_tokenizer_that_is_none(self, tmp_path: Path) -> None:
        folder = tiny_model.write_model(tmp_path / "model")
        (folder / "tokenizer.json").write_text("{}")
        with pytest.raises(ModelError, match="can't be used"):
            load(folder)

    def test_answers_of_another_shape_than_the_labels(self, tmp_path: Path) -> None:
        folder = tiny_model.write_model(tmp_path / "model")
        tiny_model.write_weights(folder / "model.onnx", columns=2)
        with pytest.raises(ModelError, match=r"answers \(2, 2\) to 2 texts, but config.json has 3 labels"):
            load(folder)

    def test_a_model_that_takes_something_else(self, tmp_path: Path) -> None:
        folder = tiny_model.write_model(tmp_path / "model")
        tiny_model.write_weights(folder / "model.onnx", inputs=("input_ids", "pixel_values"))
        with pytest.raises(ModelError, match=r"takes input_ids, pixel_values; a model of sentiment takes"):
            load(folder)


@pytest.mark.parametrize(
    ("lengths", "size", "batches"),
    [
        ([], 4, []),
        ([3], 4, [[0]]),
        ([3, 9, 1, 9, 5], 2, [[1, 3], [4, 0], [2]]),
        ([1, 1, 1], 1, [[0], [1], [2]]),
        ([512, 512, 512, 512, 512, 1024], 256, [[5], [0, 1], [2, 3], [4]]),  # 1,024 tokens with padding
        ([5000, 1], 256, [[0], [1]]),
    ],
)
def test_texts_of_like_length_go_together(lengths: list[int], size: int, batches: list[list[int]]) -> None:
    assert plan_batches(lengths, size) == batches
