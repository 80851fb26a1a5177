"""Models of FinBERT's size with made weights: BERT base, 12 layers of 768, 30,522 words, three labels. Made once, kept in the cache.

What a model costs in memory and time does not depend on what it has learnt. The graph is what exporters write: attention and the rest in
ONNX's own operators. The eight-bit one is made from it by ONNX Runtime's dynamic quantisation, as those on hubs are.
"""

from __future__ import annotations

import json
import os
import random
import string
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic  # type: ignore[import-untyped]  # it has no types
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

LAYERS: Final = 12
HIDDEN: Final = 768
HEADS: Final = 12
INNER: Final = 3072
WORDS: Final = 30_522
POSITIONS: Final = 512
LABELS: Final = ("positive", "negative", "neutral")
_SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def cache_folder() -> Path:
    """Return where what is made once is kept."""
    return Path(os.environ.get("TRADINGBOT_CACHE") or Path.home() / ".cache" / "tradingbot") / "bench-models"


def make_models(layers: int = LAYERS) -> dict[str, Path]:
    """Return the folders of a model with weights of 32 bits and of one with weights of 8, made if they aren't there."""
    folder = cache_folder() / f"bert-{layers}x{HIDDEN}"
    ready = folder / "ready"
    folders = {"fp32": folder / "fp32", "int8": folder / "int8"}
    if not ready.exists():
        for path in folders.values():
            path.mkdir(parents=True, exist_ok=True)
            _write_tokenizer(path / "tokenizer.json")
            (path / "config.json").write_text(json.dumps(_config(layers)))
        onnx.save(_Graph().model(layers), str(folders["fp32"] / "model.onnx"))
        quantize_dynamic(folders["fp32"] / "model.onnx", folders["int8"] / "model_int8.onnx", weight_type=QuantType.QInt8)
        ready.touch()
    return folders


def make_headlines(count: int, seed: int = 4) -> list[str]:
    """Return texts of 8 to 40 words of the vocabulary, each its own."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    words = [word for word in _vocabulary() if word not in _SPECIAL]
    return [" ".join(dice.choices(words, k=dice.randint(8, 40))) for _ in range(count)]


def _vocabulary() -> list[str]:
    dice = random.Random(1)  # noqa: S311 - repeatable, not secret
    words = dict.fromkeys([*_SPECIAL, *string.ascii_lowercase])
    while len(words) < WORDS:
        words["".join(dice.choices(string.ascii_lowercase, k=dice.randint(3, 9)))] = None
    return list(words)


def _write_tokenizer(path: Path) -> None:
    ids = {word: index for index, word in enumerate(_vocabulary())}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))  # noqa: S106 - the token for words that it doesn't know
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    tokenizer.save(str(path))


def _config(layers: int) -> dict[str, object]:
    return {
        "model_type": "bert",
        "architectures": ["BertForSequenceClassification"],
        "vocab_size": WORDS,
        "hidden_size": HIDDEN,
        "num_hidden_layers": layers,
        "num_attention_heads": HEADS,
        "intermediate_size": INNER,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
        "pad_token_id": 0,
        "id2label": {str(index): label for index, label in enumerate(LABELS)},
        "label2id": {label: index for index, label in enumerate(LABELS)},
    }


class _Graph:
    """Builds BERT operator by operator."""

    def __init__(self) -> None:
        self._dice = np.random.default_rng(2)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._names = 0

    def model(self, layers: int) -> onnx.ModelProto:
        """Return the whole model."""
        x = self._embed()
        mask = self._mask()
        for _ in range(layers):
            x = self._norm(self._op("Add", x, self._attention(x, mask)))
            inner = self._linear(x, HIDDEN, INNER)
            # Gelu, by the error function: x / 2 * (1 + erf(x / sqrt 2))
            bent = self._op("Add", self._op("Erf", self._op("Div", inner, self._float(2.0**0.5))), self._float(1.0))
            gelu = self._op("Mul", self._op("Mul", inner, bent), self._float(0.5))
            x = self._norm(self._op("Add", x, self._linear(gelu, INNER, HIDDEN)))
        first = self._op("Gather", x, self._ints(0, scalar=True), axis=1)
        pooled = self._op("Tanh", self._linear(first, HIDDEN, HIDDEN))
        self._nodes.append(helper.make_node("Identity", [self._linear(pooled, HIDDEN, len(LABELS))], ["logits"]))
        shape = ["batch", "tokens"]
        graph = helper.make_graph(
            self._nodes,
            "bert",
            [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("input_ids", "attention_mask", "token_type_ids")],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(LABELS)])],
            self._constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)

    def _embed(self) -> str:
        words = self._op("Gather", self._weights(WORDS, HIDDEN), "input_ids")
        kinds = self._op("Gather", self._weights(2, HIDDEN), "token_type_ids")
        length = self._op("Slice", self._op("Shape", "input_ids"), self._ints(1), self._ints(2))
        positions = self._op("Slice", self._weights(POSITIONS, HIDDEN), self._ints(0), length, self._ints(0))
        return self._norm(self._op("Add", self._op("Add", words, kinds), positions))

    def _mask(self) -> str:
        """Return 0 for words and a very negative number for padding, to be added to attention."""
        wide = self._op("Unsqueeze", "attention_mask", self._ints(1, 2))
        padding = self._op("Sub", self._float(1.0), self._op("Cast", wide, to=TensorProto.FLOAT))
        return self._op("Mul", padding, self._float(-1e9))

    def _attention(self, x: str, mask: str) -> str:
        size = HIDDEN // HEADS
        query, key, value = (
            self._op("Reshape", self._linear(x, HIDDEN, HIDDEN), self._ints(0, 0, HEADS, size)) for _ in ("query", "key", "value")
        )
        query = self._op("Transpose", query, perm=[0, 2, 1, 3])
        key = self._op("Transpose", key, perm=[0, 2, 3, 1])
        value = self._op("Transpose", value, perm=[0, 2, 1, 3])
        scores = self._op("Div", self._op("MatMul", query, key), self._float(size**0.5))
        shares = self._op("Softmax", self._op("Add", scores, mask), axis=-1)
        heads = self._op("Transpose", self._op("MatMul", shares, value), perm=[0, 2, 1, 3])
        return self._linear(self._op("Reshape", heads, self._ints(0, 0, HIDDEN)), HIDDEN, HIDDEN)

    def _linear(self, x: str, inputs: int, outputs: int) -> str:
        return self._op("Add", self._op("MatMul", x, self._weights(inputs, outputs)), self._constant(np.zeros(outputs, dtype=np.float32)))

    def _norm(self, x: str) -> str:
        scale, shift = np.ones(HIDDEN, dtype=np.float32), np.zeros(HIDDEN, dtype=np.float32)
        return self._op("LayerNormalization", x, self._constant(scale), self._constant(shift), axis=-1, epsilon=1e-12)

    def _weights(self, *shape: int) -> str:
        return self._constant(self._dice.standard_normal(shape, dtype=np.float32) * np.float32(0.02))

    def _float(self, value: float) -> str:
        return self._constant(np.array(value, dtype=np.float32))

    def _ints(self, *values: int, scalar: bool = False) -> str:
        return self._constant(np.array(values[0] if scalar else values, dtype=np.int64))

    def _constant(self, array: np.ndarray[Any, Any]) -> str:
        name = self._name()
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def _op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = self._name()
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def _name(self) -> str:
        self._names += 1
        return f"t{self._names}"
