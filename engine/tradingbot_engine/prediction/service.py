"""Judges news beside trading: in batches, on one thread, each text once. The event loop never waits for a model, and trading for no model.

What can't be loaded lowers the mode, with one warning; the next lower judge has an answer to everything. A hub that can't be reached is
asked again, with growing pauses; a model that is missing or broken stays out until the process starts anew. A mode that was lowered
because memory was short is raised again only when the limit grows, or the spec asks for more: loading a model takes the most memory of
all, so a bot that went up whenever there was room would soon be down again.

The mode that the spec asks for may change at any time, both ways: what it no longer has a place for is given up at once, what it newly
asks for is loaded in the background.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

from tradingbot_contract.resources import MemoryMode, Model, Prediction
from tradingbot_engine.memory.heap import trim_heap
from tradingbot_engine.prediction.classifier import Classifier, Settings
from tradingbot_engine.prediction.hub import ModelHub
from tradingbot_engine.prediction.judge import Judge
from tradingbot_engine.prediction.mode import Role, asks_for_more, estimate_model_bytes, mode_of, roles_in
from tradingbot_engine.prediction.model_folder import ModelError, read_model_folder
from tradingbot_engine.prediction.sentiment import Passage, Sentiment
from tradingbot_engine.telemetry.record import Record, ignore_measurement
from tradingbot_engine.unavailable import UnavailableError

PATIENCE_SECONDS: Final = 60.0
"""How long the first judgement waits for the models; after that the lexicon judges until they are there."""
_FIRST_RETRY_SECONDS: Final = 30.0
_LONGEST_RETRY_SECONDS: Final = 3600.0
_BATCHES_AT_ONCE: Final = 4
"""Texts are sorted by length among so many batches; lowering the mode waits for as many."""
_logger = logging.getLogger(__name__)
Result = TypeVar("Result")


class ResultCache(Protocol):
    """Keeps judgements for a while; how long, and how many, is its own business."""

    async def get(self, key: str) -> Sentiment | None: ...

    async def put(self, key: str, value: Sentiment) -> None: ...


class PredictionService:
    """See the module. Used on the event loop."""

    def __init__(
        self,
        settings: Prediction,
        wanted: MemoryMode,
        *,
        hub: ModelHub,
        cache: ResultCache,
        budget_bytes: int | None = None,
        record: Record = ignore_measurement,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`budget_bytes` is what models may take in mode Auto; None: all there is. Another mode was asked for in full knowledge."""
        self.failures: Counter[Role] = Counter()
        """Times that a model could not be loaded, or used."""
        self._models: dict[Role, Model] = {
            role: model for role, model in ((Role.FINBERT, settings.finbert), (Role.SOCIAL, settings.social)) if model is not None
        }
        self._settings = Settings(settings.batch_size, settings.max_tokens, settings.threads)
        self._wanted = wanted
        self._ceiling = wanted
        self._hub = hub
        self._cache = cache
        self._budget_bytes = budget_bytes
        self._patience_seconds = patience_seconds
        self._reasons: dict[Role | None, str] = {}
        """Why a model is not used; None stands for memory."""
        self._broken: set[Role] = set()
        self._used_bytes: dict[Role, int] = {}
        self._settled = asyncio.Event()
        self._reconsidered = asyncio.Event()
        self._impatient = False
        self._pending: dict[Passage, asyncio.Future[Sentiment]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="prediction")
        self._judge = Judge(record, self._failed_in_use)
        self._loading: asyncio.Task[None] | None = None
        self._dispatching: asyncio.Task[None] | None = None

    # --- What is known of it ---------------------------------------------------------------------------------------------------

    @property
    def mode(self) -> MemoryMode:
        """The mode that it works in now."""
        return mode_of(self._judge.loaded)

    @property
    def mode_reason(self) -> str:
        """Why that is less than what the spec asks for; empty when it isn't."""
        roles = roles_in(self._wanted)
        return "; ".join(reason for role, reason in self._reasons.items() if role is None or role in roles)

    @property
    def texts(self) -> Counter[str]:
        """Texts judged, by what judged them: `finbert`, `social`, `lexicon`."""
        return self._judge.texts

    @property
    def notes(self) -> list[str]:
        """What people should know of a mode that asks for models that the spec does not name."""
        if self._wanted is MemoryMode.AUTO:
            return []
        missing = [f"prediction.{role.value}" for role in roles_in(self._wanted) if role not in self._models]
        if not missing:
            return []
        return [f"engine.memoryMode: {self._wanted.value} uses {' and '.join(missing)}, not set: what is left judges in its place"]

    # --- Life ------------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Load the models in the background."""
        self._tell_notes()
        self._loading = asyncio.create_task(self._load())

    async def close(self) -> None:
        """Give everything back. Who still waits for a judgement is told that it was canceled."""
        for task in (self._loading, self._dispatching):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        for future in self._pending.values():
            future.cancel()
        self._pending.clear()
        await self._run(self._judge.close)
        self._thread.shutdown(wait=False)

    async def score(self, passages: Sequence[Passage]) -> list[Sentiment]:
        """Return the sentiment of each; equal ones are judged once, however many ask at the same time."""
        await self._wait_for_models()
        known: dict[Passage, Sentiment] = {}
        waiting: dict[Passage, asyncio.Future[Sentiment]] = {}
        for passage in dict.fromkeys(passages):
            key = self._judge.key(passage)
            found = None if key is None else await self._cache.get(key)
            if found is None:
                waiting[passage] = self._enqueue(passage)
            else:
                known[passage] = found
        if waiting:
            await asyncio.wait(waiting.values())  # unlike gather, it leaves them alone when this call is canceled
        return [known[passage] if passage in known else waiting[passage].result() for passage in passages]

    async def lower_mode(self, reason: str = "memory is short") -> MemoryMode | None:
        """Go one rung down and give the model's memory back; return the new mode, None if it is the lowest already."""
        before = self.mode
        rungs = (MemoryMode.FULL, MemoryMode.FINBERT_ONLY, MemoryMode.MINIMAL)
        below = next(
            (mode for mode in rungs[rungs.index(before) + 1 :] if not self._judge.loaded <= set(roles_in(mode))), MemoryMode.MINIMAL
        )
        self._ceiling = below
        if before is MemoryMode.MINIMAL:
            return None
        self._lowered(None, reason)
        await self._run(self._drop_superfluous)
        return self.mode

    async def set_mode(self, wanted: MemoryMode, budget_bytes: int | None) -> None:
        """Go by this mode, and in mode Auto by this budget, from now on; what there is no place for any more is gone on return.

        A mode that was lowered because memory was short stays so, unless this one asks for more than the one before.
        """
        before, self._wanted = self._wanted, wanted
        if asks_for_more(wanted, before) or set(roles_in(wanted)) <= set(roles_in(self._ceiling)):
            self._ceiling = wanted
            self._reasons.pop(None, None)
        self.reconsider(budget_bytes)
        if wanted is not before:
            _logger.info("memory mode changed", extra={"fields": {"before": before.value, "wanted": wanted.value}})
            self._tell_notes()
        if self._superfluous():
            await self._run(self._drop_superfluous)
            await self._run(trim_heap)
        self._load_again()

    def reconsider(self, budget_bytes: int | None) -> None:
        """Take what models may use now. More than before: load what fits, also after memory was short."""
        before, self._budget_bytes = self._budget_bytes, budget_bytes
        if before is None or (budget_bytes is not None and budget_bytes <= before):
            return
        self._ceiling = self._wanted
        self._reasons.pop(None, None)
        self._load_again()

    # --- Models ----------------------------------------------------------------------------------------------------------------

    async def _load(self) -> None:
        pause_seconds = _FIRST_RETRY_SECONDS
        while True:
            self._reconsidered.clear()
            complete = await self._load_missing()
            self._settled.set()
            if self._reconsidered.is_set():
                continue
            if complete:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._reconsidered.wait(), pause_seconds)
            pause_seconds = min(2 * pause_seconds, _LONGEST_RETRY_SECONDS)

    def _load_again(self) -> None:
        """Load what may be loaded now, if loading has begun at all: at once, or after what is being loaded."""
        self._reconsidered.set()
        if self._loading is not None and self._loading.done():
            self._loading = asyncio.create_task(self._load())

    async def _load_missing(self) -> bool:
        """Load what the mode has room for and isn't there; return False if some of it may come later."""
        for role in roles_in(self._ceiling):
            model = self._models.get(role)
            if model is None or role in self._judge.loaded:
                continue
            if role in self._broken:
                return True
            try:
                if not await self._load_model(role, model):
                    return True
            except ModelError as error:
                self._failed(role, error)
                return True
            except UnavailableError as error:
                self._lowered(role, f"{role.value}: {error}", failed=True)
                return False
            if self._reasons.pop(role, None) is not None:
                _logger.info("model is there now", extra={"fields": {"model": role.value, "mode": self.mode.value}})
        return True

    async def _load_model(self, role: Role, model: Model) -> bool:
        """Load one model; return False if there is no room for it, or no longer."""
        files = await self._run(read_model_folder, await self._hub.locate(model), model.file)
        needed_bytes = estimate_model_bytes(files.weights_bytes, first=not self._judge.loaded)
        used_bytes = sum(self._used_bytes[loaded] for loaded in self._judge.loaded)
        if self._wanted is MemoryMode.AUTO and self._budget_bytes is not None and used_bytes + needed_bytes > self._budget_bytes:
            fields = {"model": role.value, "needed_bytes": used_bytes + needed_bytes, "budget_bytes": self._budget_bytes}
            _logger.info("no room for a model in mode Auto", extra={"fields": fields})
            return False
        classifier = await self._run(Classifier, role.value, files, self._settings)
        if role not in roles_in(self._ceiling):  # lowered meanwhile
            await self._run(classifier.close)
            return False
        self._used_bytes[role] = needed_bytes
        await self._run(self._judge.add, role, classifier)
        _logger.info("model loaded", extra={"fields": {"model": role.value, "weights": files.weights.name, "mode": self.mode.value}})
        return True

    def _failed(self, role: Role, error: Exception) -> None:
        self._broken.add(role)
        self._lowered(role, f"{role.value}: {error}", failed=True)

    def _failed_in_use(self, role: Role, error: Exception) -> None:
        """Called on the judging thread."""
        self._failed(role, ModelError(f"it failed in use ({type(error).__name__}: {' '.join(str(error).split())})"))

    def _lowered(self, role: Role | None, reason: str, *, failed: bool = False) -> None:
        """Note why a model is not used; warn of it once."""
        if failed and role is not None:
            self.failures[role] += 1
        if role not in self._reasons:
            fields = {"wanted": self._wanted.value, "reason": reason}
            _logger.warning("news is judged with less than the spec asks for", extra={"fields": fields})
        self._reasons[role] = reason

    def _superfluous(self) -> frozenset[Role]:
        """Return the loaded models that the mode has no place for, or in mode Auto no room."""
        kept: list[Role] = []
        used_bytes = 0
        for role in roles_in(self._ceiling):
            if role not in self._judge.loaded:
                continue
            used_bytes += self._used_bytes[role]
            if self._wanted is MemoryMode.AUTO and self._budget_bytes is not None and used_bytes > self._budget_bytes:
                break
            kept.append(role)
        return self._judge.loaded - frozenset(kept)

    def _drop_superfluous(self) -> None:
        for role in self._superfluous():
            self._judge.drop(role)

    def _tell_notes(self) -> None:
        for note in self.notes:
            _logger.warning("note", extra={"fields": {"text": note}})

    # --- Judging ---------------------------------------------------------------------------------------------------------------

    async def _wait_for_models(self) -> None:
        if self._settled.is_set() or self._impatient or self._loading is None:
            return
        try:
            await asyncio.wait_for(self._settled.wait(), self._patience_seconds)
        except TimeoutError:
            self._impatient = True
            _logger.warning(
                "models aren't there yet: the lexicon judges until they are", extra={"fields": {"after": self._patience_seconds}}
            )

    def _enqueue(self, passage: Passage) -> asyncio.Future[Sentiment]:
        future = self._pending.get(passage)
        if future is None:
            future = self._pending[passage] = asyncio.get_running_loop().create_future()
        if self._dispatching is None or self._dispatching.done():
            self._dispatching = asyncio.create_task(self._dispatch())
        return future

    async def _dispatch(self) -> None:
        while self._pending:
            passages = list(itertools.islice(self._pending, self._settings.batch_size * _BATCHES_AT_ONCE))
            try:
                judged = await self._run(self._judge.judge, passages)
            except Exception as error:  # noqa: BLE001 - it surfaces where the judgement was asked for
                for passage in passages:
                    self._pending.pop(passage).set_exception(error)
                continue
            for passage, (sentiment, key) in zip(passages, judged, strict=True):
                if key is not None:
                    await self._cache.put(key, sentiment)
                self._pending.pop(passage).set_result(sentiment)
            if not self._pending and self._judge.loaded:
                await self._run(trim_heap)  # what the texts took; the next ones may be an hour away

    async def _run(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Run something on the judging thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
