"""Takes a changed document while the engine trades: whole, or not at all.

A document is checked whole before anything changes: it must parse, ask for no new process, and fit the container's memory; then each
target gets ready for it, and says if it can't. Only then they change, in order, and if one fails even so, those before it are taken back.
So the engine always runs one document, and its generation is that of the document that it runs.

What a document lets the engine do (:mod:`tradingbot_engine.orders.mandate`) is the exception: it is obeyed at once, although the rest may
be refused or need a new process. Who is to stop buying must not go on because of the size of a cache.

The file is the truth: a document of an earlier generation than the running one is taken like any other. (A roll-back raises the
generation anyway; only a file that somebody put back by hand has an earlier one, and it is what they want to run.)
"""

from __future__ import annotations

import enum
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

from tradingbot_contract.document import EngineDocument, SpecError, parse_document, restart_hash
from tradingbot_contract.metrics import CONFIG_APPLY_DURATION
from tradingbot_engine.memory.admission import require_memory
from tradingbot_engine.telemetry.record import Record, ignore_measurement
from tradingbot_engine.unavailable import UnavailableError

Settings = TypeVar("Settings")
Commit = Callable[[], Awaitable[None]]
_logger = logging.getLogger(__name__)


class Result(enum.Enum):
    """What became of a document. The values are those of `result` in `tradingbot.config.changes`."""

    APPLIED = "applied"
    REFUSED = "refused"
    RESTART = "restart"
    """It asks for something that only a new process reads; whoever wrote it sees to that."""


class Target(Protocol):
    """A part of the engine that follows the document."""

    async def prepare(self, document: EngineDocument) -> Commit | None:
        """Check and get ready; return what makes the change, None if this part of the document is as before.

        Nothing changes yet, and what is made ready needs no undoing: it may be dropped.

        Raises:
            SpecError: the document can't be run; the message names the field.
            UnavailableError: not now; it is tried again.
        """
        ...


class Part(Generic[Settings]):
    """A target that is one resource and one part of the document.

    `reconfigure` is all or nothing, a plain function or a coroutine's, and may raise what :meth:`Target.prepare` may.
    """

    def __init__(
        self,
        running: EngineDocument,
        of: Callable[[EngineDocument], Settings],
        reconfigure: Callable[[Settings], Awaitable[object] | object],
    ) -> None:
        self._settings = of(running)
        self._of = of
        self._reconfigure = reconfigure

    async def prepare(self, document: EngineDocument) -> Commit | None:
        """Return what gives the resource its new settings, None if they are as before."""
        settings = self._of(document)
        if settings == self._settings:
            return None

        async def commit() -> None:
            changing = self._reconfigure(settings)
            if isinstance(changing, Awaitable):
                await changing
            self._settings = settings

        return commit


class Tuner:
    """See the module. One document at a time: `take` is called anew only when it has returned."""

    def __init__(
        self,
        running: EngineDocument,
        targets: Sequence[Target],
        *,
        read_limit_bytes: Callable[[], int | None],
        record: Record = ignore_measurement,
        obey: Callable[[EngineDocument], None] = lambda _document: None,
        on_applied: Callable[[EngineDocument], None] = lambda _document: None,
    ) -> None:
        """`obey` hears of each document that can be read, `on_applied` of each once all of it is at work."""
        self.document = running
        """The one that runs."""
        self.refusal = ""
        """Why the document that is there now can't be taken; empty when it can, or needs a new process."""
        self.refused_generation: int | None = None
        """Generation of that document, if it can be read."""
        self.changes: Counter[Result] = Counter(dict.fromkeys(Result, 0))
        """Documents that came, by what became of them."""
        self._refused = b""
        self._targets = tuple(targets)
        self._read_limit_bytes = read_limit_bytes
        self._record = record
        self._obey = obey
        self._on_applied = on_applied

    async def take(self, text: bytes, seen_at: float) -> bool:
        """Run the document of this text, or say why not; return False if it is to be tried again.

        `seen_at`, seconds of :func:`time.perf_counter`, is when somebody saw that the file had changed.
        """
        generation = None
        try:
            document = parse_document(text)
            generation = document.generation
            self._obey(document)
            if restart_hash(document) != restart_hash(self.document):
                self._leave_to_restart(document)
                return True
            require_memory(document, self._read_limit_bytes(), self.document)
            await self._apply(document)
        except UnavailableError as error:
            self._refuse(text, f"{error} (tried again)", generation)
            return False
        except SpecError as error:
            self._refuse(text, str(error), generation)
            return True
        except Exception as error:
            # The boundary between a part that can't change, for a reason that nobody thought of, and trading, which must go on.
            _logger.exception("document could not be applied")
            self._refuse(text, f"a bug of the engine ({type(error).__name__}); its log says more", generation)
            return True
        self._applied(document, seen_at)
        return True

    def note_unreadable(self, reason: str) -> None:
        """There is a document, and it can't be read."""
        self._refuse(b"", reason, None)

    async def _apply(self, document: EngineDocument) -> None:
        commits = [commit for target in self._targets if (commit := await target.prepare(document)) is not None]
        try:
            for commit in commits:
                await commit()
        except Exception:
            await self._take_back()
            raise

    async def _take_back(self) -> None:
        """Bring every target back to the running document; most are there."""
        for target in reversed(self._targets):
            commit = await target.prepare(self.document)
            if commit is not None:
                await commit()

    def _applied(self, document: EngineDocument, seen_at: float) -> None:
        self._accept()
        if document == self.document:  # a change that was taken back before it was taken
            return
        parts = _changed_parts(self.document, document)
        seconds = time.perf_counter() - seen_at
        self.document = document
        self.changes[Result.APPLIED] += 1
        self._record(CONFIG_APPLY_DURATION, seconds)
        self._on_applied(document)
        fields = {"generation": document.generation, "changed": ",".join(parts) or "nothing", "seconds": seconds}
        _logger.info("document applied", extra={"fields": fields})

    def _leave_to_restart(self, document: EngineDocument) -> None:
        self._accept()
        self.changes[Result.RESTART] += 1
        fields = {"generation": document.generation, "changed": ",".join(_changed_parts(self.document, document))}
        _logger.warning("document needs a new process", extra={"fields": fields})

    def _accept(self) -> None:
        self.refusal, self.refused_generation = "", None

    def _refuse(self, text: bytes, reason: str, generation: int | None) -> None:
        """Say so once; a document that is tried again says the same again."""
        reason = " ".join(reason.split())
        if self.refusal == reason and self._refused == text:
            return
        self.refusal, self.refused_generation, self._refused = reason, generation, text
        self.changes[Result.REFUSED] += 1
        _logger.error(
            "document refused, the last good one goes on", extra={"fields": {"reason": reason, "generation": self.document.generation}}
        )


def _changed_parts(before: EngineDocument, after: EngineDocument) -> list[str]:
    return [name for name in EngineDocument.__struct_fields__ if name != "generation" and getattr(before, name) != getattr(after, name)]
