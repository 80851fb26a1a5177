"""A model at work: ONNX Runtime and its tokenizer, on one thread. The libraries are loaded with the first model.

Memory goes back when it is closed: there is no arena that keeps it, and the allocator is told to return what is free.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tradingbot_engine.memory.heap import trim_heap
from tradingbot_engine.prediction.batches import plan_batches
from tradingbot_engine.prediction.model_folder import ModelError, ModelFiles
from tradingbot_engine.prediction.sentiment import Sentiment

if TYPE_CHECKING:
    import numpy as np
    import tokenizers

_ERRORS_ONLY: Final = 3
_INPUTS: Final = frozenset({"input_ids", "attention_mask", "token_type_ids"})
_OUTPUT: Final = "logits"
_PROBE: Final = ("shares rose", "shares fell after a much longer statement")


class Settings(NamedTuple):
    """How a model works."""

    batch_size: int
    max_tokens: int
    threads: int


class Classifier:
    """See the module. Not for two threads at once."""

    def __init__(self, name: str, files: ModelFiles, settings: Settings) -> None:
        """Load the model and try it.

        Raises:
            ModelError: it can't be loaded, or its answers aren't what its config says.
        """
        self.name = name
        self._labels = files.labels
        self._settings = settings
        self._padding_id = files.padding_id
        try:
            self._tokenizer = _open_tokenizer(files, settings)
            self._session = _open_session(files, settings)
            self._inputs = _parse_inputs(self._session, files)
            outputs = [output.name for output in self._session.get_outputs()]
            self._output = _OUTPUT if _OUTPUT in outputs else outputs[0]
            self.fingerprint = f"{files.fingerprint()}-{settings.max_tokens}"
            self.judge(_PROBE)
            trim_heap()  # what loading took beyond the weights
        except ModelError:
            raise
        except ImportError as error:
            raise ModelError(f"the engine's image has no {error.name}: use the image for sentiment (extra `sentiment`)") from error
        except Exception as error:  # native libraries raise types of their own, bare Exception among them
            raise ModelError(f"{files.weights} can't be used: {' '.join(str(error).split())}") from error

    def judge(self, texts: Sequence[str]) -> list[Sentiment]:
        """Return the sentiment of each text.

        Raises:
            ModelError: the answers aren't what the model's config says. The libraries raise types of their own.
        """
        encodings = self._tokenizer.encode_batch(list(texts))
        ids = [encoding.ids for encoding in encodings]
        results: list[Sentiment | None] = [None] * len(ids)
        for batch in plan_batches([len(one) for one in ids], self._settings.batch_size):
            for index, sentiment in zip(batch, self._run([ids[index] for index in batch]), strict=True):
                results[index] = sentiment
        return [result for result in results if result is not None]

    def close(self) -> None:
        """Give the memory back; it can't judge any more."""
        del self._session, self._tokenizer
        trim_heap()

    def _run(self, batch: Sequence[Sequence[int]]) -> list[Sentiment]:
        import numpy as np  # noqa: PLC0415 - loaded with the first model only

        width = max(map(len, batch))
        ids = np.full((len(batch), width), self._padding_id, dtype=np.int64)
        mask = np.zeros((len(batch), width), dtype=np.int64)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        arrays = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        logits = np.asarray(self._session.run([self._output], {name: arrays[name] for name in self._inputs})[0], dtype=np.float64)
        if logits.shape != (len(batch), self._labels.columns):
            raise ModelError(f"it answers {logits.shape} to {len(batch)} texts, but config.json has {self._labels.columns} labels")
        return [self._interpret(row) for row in _softmax(logits)]

    def _interpret(self, shares: np.ndarray[Any, Any]) -> Sentiment:
        labels = self._labels
        positive, negative = float(shares[labels.positive]), float(shares[labels.negative])
        neutral = 0.0 if labels.neutral is None else float(shares[labels.neutral])
        if not positive + negative + neutral > 0.0:
            raise ModelError("its answer is no number")
        return Sentiment(positive, negative, neutral, score=positive - negative, model=self.name)


def _open_tokenizer(files: ModelFiles, settings: Settings) -> tokenizers.Tokenizer:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its own threads would ignore the spec's
    from tokenizers import Tokenizer  # noqa: PLC0415 - loaded with the first model only

    tokenizer = Tokenizer.from_file(str(files.tokenizer))
    tokenizer.no_padding()
    tokenizer.enable_truncation(min(settings.max_tokens, files.max_tokens or settings.max_tokens))
    return tokenizer


def _open_session(files: ModelFiles, settings: Settings) -> Any:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the import: from 1.29 on it writes a file and calls home otherwise
    import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415 - it has no types; loaded with the first model only

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # an arena keeps the most that any batch has needed
    options.enable_mem_pattern = False  # a pattern is kept for each length of text that was ever seen
    options.log_severity_level = _ERRORS_ONLY
    # Weights in the order that the processor likes best are a second copy of them while they are loaded: a quarter more memory for a
    # tenth more speed.
    options.add_session_config_entry("session.disable_prepacking", "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting must not take the CPU from trading
    return onnxruntime.InferenceSession(str(files.weights), options, providers=["CPUExecutionProvider"])


def _parse_inputs(session: Any, files: ModelFiles) -> tuple[str, ...]:
    names = tuple(each.name for each in session.get_inputs())
    unknown = set(names) - _INPUTS
    if unknown or "input_ids" not in names:
        raise ModelError(f"{files.weights} takes {', '.join(names)}; a model of sentiment takes {', '.join(sorted(_INPUTS))}")
    return names


def _softmax(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import numpy as np  # noqa: PLC0415 - loaded with the first model only

    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: np.ndarray[Any, Any] = powers / powers.sum(axis=-1, keepdims=True)
    return shares
