"""What is in the folder of a model, as Hugging Face lays it out: which weights to take, and what the model's answers mean.

Labels go by their names in config.json, never by their place: two models of sentiment that were trained apart number them differently,
and a bot that takes one for the other buys what it should sell.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct, field

CONFIG_FILE: Final = "config.json"
TOKENIZER_FILE: Final = "tokenizer.json"
WEIGHTS_FILES: Final = (
    "model_int8.onnx",
    "model_quantized.onnx",
    "onnx/model_int8.onnx",
    "onnx/model_quantized.onnx",
    "model.onnx",
    "onnx/model.onnx",
)
"""In the order of preference: eight-bit weights first, a quarter of the memory and two to three times the speed."""
_MEANINGS: Final = {
    "positive": "positive",
    "bullish": "positive",
    "negative": "negative",
    "bearish": "negative",
    "neutral": "neutral",
}
_POSITIONS_AFTER_PADDING: Final = frozenset({"camembert", "roberta", "xlm-roberta"})
"""Kinds whose first position has the number after the padding's, so that they take fewer tokens than they have positions."""


class ModelError(RuntimeError):
    """The model can't be used as it is, and will not be by waiting; the message says what is wrong with it."""


class Labels(NamedTuple):
    """Columns of the model's answer. A model without `neutral` knows only good and bad."""

    positive: int
    negative: int
    neutral: int | None
    columns: int


class ModelFiles(NamedTuple):
    """A model on disk."""

    weights: Path
    tokenizer: Path
    labels: Labels
    max_tokens: int | None
    """Most that it can read; None if its config does not say."""
    padding_id: int

    @property
    def weights_bytes(self) -> int:
        """Size of the weights, with those that ONNX keeps in files beside it."""
        return sum(path.stat().st_size for path in _weights_parts(self.weights))

    def fingerprint(self) -> str:
        """Return 16 hex digits that tell this model from others; reads all of it."""
        digest = hashlib.sha256()
        for path in (*_weights_parts(self.weights), self.tokenizer, self.weights.parent / CONFIG_FILE):
            if path.exists():
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()[:16]


class _Config(Struct, frozen=True):
    id2label: dict[str, str] = field(default_factory=dict)
    model_type: str = ""
    max_position_embeddings: int | None = None
    pad_token_id: int | None = None


def choose_weights(names: frozenset[str], wanted: str | None) -> str:
    """Return which of a folder's files has the weights.

    Raises:
        ModelError: none has.
    """
    if wanted is not None:
        if wanted not in names:
            raise ModelError(f"it has no file {wanted}")
        return wanted
    for name in WEIGHTS_FILES:
        if name in names:
            return name
    raise ModelError(f"it has none of {', '.join(WEIGHTS_FILES)}: export the model to ONNX, or name the file")


def read_model_folder(folder: Path, wanted: str | None) -> ModelFiles:
    """Return what there is in `folder`; `wanted` is the file of weights that the spec names.

    Raises:
        ModelError: a file is missing, or config.json does not say which label means what.
    """
    if not folder.is_dir():
        raise ModelError(f"there is no folder {folder}: mount the model there")
    tokenizer = folder / TOKENIZER_FILE
    config_path = folder / CONFIG_FILE
    for path in (tokenizer, config_path):
        if not path.is_file():
            raise ModelError(f"{folder} has no {path.name}")
    names = frozenset(str(path.relative_to(folder)) for pattern in ("*.onnx", "*/*.onnx") for path in folder.glob(pattern))
    try:
        weights = folder / choose_weights(names, wanted)
    except ModelError as error:
        raise ModelError(f"{folder}: {error}") from None
    try:
        config = msgspec.json.decode(config_path.read_bytes(), type=_Config)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"{config_path} can't be read: {error}") from error
    padding_id = config.pad_token_id or 0
    max_tokens = config.max_position_embeddings
    if max_tokens is not None and config.model_type in _POSITIONS_AFTER_PADDING:
        max_tokens -= padding_id + 1
    return ModelFiles(weights, tokenizer, parse_labels(config.id2label), max_tokens, padding_id)


def parse_labels(names_by_id: dict[str, str]) -> Labels:
    """Return the columns of a model's answer from the `id2label` of its config.

    Raises:
        ModelError: a name is unknown, two mean the same, one is missing, or the numbers have gaps.
    """
    shown = ", ".join(names_by_id.values()) or "none"
    known = f"config.json: id2label has {shown}"
    try:
        ordered = sorted((int(number), name) for number, name in names_by_id.items())
    except ValueError:
        raise ModelError(f"{known}: its keys must be numbers") from None
    if [number for number, _ in ordered] != list(range(len(ordered))):
        raise ModelError(f"{known}: its keys must be the numbers from 0 on")
    columns: dict[str, int] = {}
    for number, name in ordered:
        meaning = _MEANINGS.get(name.strip().lower())
        if meaning is None:
            raise ModelError(f"{known}: {name!r} is none of {', '.join(_MEANINGS)}, so nobody knows what it means")
        if meaning in columns:
            raise ModelError(f"{known}: two of them mean {meaning}")
        columns[meaning] = number
    missing = [meaning for meaning in ("positive", "negative") if meaning not in columns]
    if missing:
        raise ModelError(f"{known}: none of them means {' or '.join(missing)}")
    return Labels(columns["positive"], columns["negative"], columns.get("neutral"), len(ordered))


def _weights_parts(weights: Path) -> list[Path]:
    """Return the file and those beside it that hold its tensors (model.onnx_data, model.onnx.data), by name."""
    return sorted(path for path in weights.parent.glob(f"{weights.name}*") if path.is_file())
