"""Judges texts with the models that are there: the social model social text, FinBERT news, and what judges news what has no other.

A model that fails in use is given up, once and for all: the same texts would fail it again, and the next lower judge always has an answer.
All but reading what is loaded happens on one thread, since a model is not for two at once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from tradingbot_contract.metrics import PREDICTION_DURATION
from tradingbot_engine.prediction.classifier import Classifier
from tradingbot_engine.prediction.lexicon import Lexicon
from tradingbot_engine.prediction.mode import LEXICON, Role
from tradingbot_engine.prediction.sentiment import Passage, Sentiment, Source
from tradingbot_engine.telemetry.record import Record

_PREFERENCE: Final = {Source.NEWS: (Role.FINBERT,), Source.SOCIAL: (Role.SOCIAL, Role.FINBERT)}
_ATTRIBUTES: Final = {name: {"model": name} for name in (Role.FINBERT.value, Role.SOCIAL.value, LEXICON)}


class TextJudge(Protocol):
    """Judges texts; may raise whatever its libraries do."""

    def judge(self, texts: Sequence[str]) -> list[Sentiment]: ...


class Judged(NamedTuple):
    """A judgement, and the key under which it may be kept; None: it isn't worth it."""

    sentiment: Sentiment
    key: str | None


class Judge:
    """See the module. `on_failure` is told of a model that was given up, on the judging thread."""

    def __init__(self, record: Record, on_failure: Callable[[Role, Exception], None]) -> None:
        self.texts: Counter[str] = Counter()
        """Texts judged, by what judged them."""
        self._record = record
        self._on_failure = on_failure
        self._models: dict[Role, Classifier] = {}
        self._lexicon: Lexicon | None = None

    @property
    def loaded(self) -> frozenset[Role]:
        return frozenset(self._models)

    def role_for(self, source: Source) -> Role | None:
        """Return which model judges texts of this source now; None: the lexicon does."""
        return next((role for role in _PREFERENCE[source] if role in self._models), None)

    def key(self, passage: Passage) -> str | None:
        """Return under which key a judgement by the present model would be kept; None where it isn't worth it."""
        role = self.role_for(passage.source)
        model = None if role is None else self._models.get(role)
        return None if model is None else f"{model.fingerprint}:{passage.text}"

    # --- On the judging thread -------------------------------------------------------------------------------------------------

    def add(self, role: Role, model: Classifier) -> None:
        """Use this model from now on."""
        self._models[role] = model

    def drop(self, role: Role) -> None:
        """Give up a model, and its memory."""
        model = self._models.pop(role, None)
        if model is not None:
            model.close()

    def judge(self, passages: Sequence[Passage]) -> list[Judged]:
        """Return the judgement of each passage."""
        results: dict[Passage, Judged] = {}
        for role in (Role.SOCIAL, Role.FINBERT, None):
            mine = [passage for passage in passages if passage not in results and self.role_for(passage.source) is role]
            if not mine:
                continue
            keys = [self.key(passage) for passage in mine]
            sentiments = self._ask(role, [passage.text for passage in mine])
            if sentiments is not None:
                results.update(zip(mine, map(Judged, sentiments, keys), strict=True))
        return [results[passage] for passage in passages]

    def close(self) -> None:
        """Give up all models."""
        for role in tuple(self._models):
            self.drop(role)

    def _ask(self, role: Role | None, texts: list[str]) -> list[Sentiment] | None:
        """Return what the model says of the texts; None if it has failed and is given up."""
        judge: TextJudge = self._open_lexicon() if role is None else self._models[role]
        name = LEXICON if role is None else role.value
        started_at = time.perf_counter()
        try:
            sentiments = judge.judge(texts)
        except Exception as error:
            if role is None:
                raise  # a bug: it has no libraries to blame
            # Any other way out would stop news, and a library's errors have no type in common.
            for lost in Role if role is Role.FINBERT else (role,):  # the rung below Full without FinBERT is the lexicon
                self.drop(lost)
            self._on_failure(role, error)
            return None
        self._record(PREDICTION_DURATION, time.perf_counter() - started_at, _ATTRIBUTES[name])
        self.texts[name] += len(texts)
        return sentiments

    def _open_lexicon(self) -> Lexicon:
        if self._lexicon is None:
            self._lexicon = Lexicon()
        return self._lexicon
