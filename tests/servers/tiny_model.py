"""A model of sentiment that weighs kilobytes, in a folder as Hugging Face lays it out: every word has a say, and padding would shout.

What it answers can be worked out by hand: the sum over a text's tokens of a row for each, so that a test sees which tokens it was given,
with which mask, and which column was taken for which label.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
WORDS = {"gain": 1.0, "##s": 0.25, "soar": 2.0, "loss": -1.0, "fall": -2.0, "profit": 1.5, "the": 0.0, "report": 0.0}
"""What each word adds to `positive`, and takes from `negative`."""
VOCABULARY = (*SPECIAL, *WORDS)
LABELS = ("positive", "negative", "neutral")
ALL_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def expected_shares(tokens: Sequence[str], *, boost: float = 0.0) -> dict[str, float]:
    """Return what the model answers to a text of these tokens."""
    total = sum(WORDS[token] for token in tokens if token in WORDS) + boost
    powers = {"positive": math.exp(total), "negative": math.exp(-total), "neutral": 1.0}
    return {label: power / sum(powers.values()) for label, power in powers.items()}


def write_tokenizer(path: Path) -> None:
    """Write a WordPiece tokenizer of the vocabulary above."""
    ids = {word: index for index, word in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))  # noqa: S106 - the token for words that it doesn't know
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    tokenizer.save(str(path))


def write_weights(
    path: Path, labels: Sequence[str] = LABELS, *, boost: float = 0.0, inputs: Sequence[str] = ALL_INPUTS, columns: int | None = None
) -> None:
    """Write the graph; `boost` tells one file from another, `columns` breaks it."""
    rows = np.zeros((len(VOCABULARY), len(labels)), dtype=np.float32)
    for word, value in WORDS.items():
        for column, label in enumerate(labels):
            rows[VOCABULARY.index(word), column] = {"positive": value, "negative": -value}.get(label.lower(), 0.0)
    for column, label in enumerate(labels):
        rows[VOCABULARY.index("[CLS]"), column] = {"positive": boost, "negative": -boost}.get(label.lower(), 0.0)
    rows[0] = 100.0 * np.arange(1, len(labels) + 1)  # what padding would say
    if columns is not None:
        rows = rows[:, :columns]
    constants = [numpy_helper.from_array(rows, "rows"), numpy_helper.from_array(np.array([1], dtype=np.int64), "axis")]
    constants.append(numpy_helper.from_array(np.array([2], dtype=np.int64), "last"))
    nodes = [helper.make_node("Gather", ["rows", "input_ids"], ["said"])]
    if "attention_mask" in inputs:
        nodes += [
            helper.make_node("Cast", ["attention_mask"], ["weights"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["weights", "last"], ["wide"]),
            helper.make_node("Mul", ["said", "wide"], ["heard"]),
        ]
    else:
        nodes.append(helper.make_node("Identity", ["said"], ["heard"]))
    nodes.append(helper.make_node("ReduceSum", ["heard", "axis"], ["logits"], keepdims=0))
    shape = ["batch", "tokens"]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", rows.shape[1]])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def write_model(
    folder: Path, *, labels: Sequence[str] = LABELS, files: Mapping[str, float] | None = None, inputs: Sequence[str] = ALL_INPUTS
) -> Path:
    """Write a folder with a model; `files` are its weights with their boost."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tokenizer(folder / "tokenizer.json")
    config = {
        "model_type": "bert",
        "max_position_embeddings": 64,
        "pad_token_id": 0,
        "id2label": {str(index): label for index, label in enumerate(labels)},
    }
    (folder / "config.json").write_text(json.dumps(config))
    for name, boost in (files or {"model.onnx": 0.0}).items():
        write_weights(folder / name, labels, boost=boost, inputs=inputs)
    return folder
