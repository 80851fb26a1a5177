"""Judges by words: VADER's rules and list, with those of a market. No model, five megabytes, some ten thousand texts a second."""

from __future__ import annotations

from collections.abc import Sequence

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # type: ignore[import-untyped]  # it has no types

from tradingbot_engine.prediction.finance_words import NEUTRAL, VALENCES
from tradingbot_engine.prediction.mode import LEXICON
from tradingbot_engine.prediction.sentiment import Sentiment


class Lexicon:
    """See the module."""

    def __init__(self) -> None:
        self._analyser = SentimentIntensityAnalyzer()
        self._analyser.lexicon_full_filepath = self._analyser.emoji_full_filepath = ""  # the texts of its files, parsed by now
        words = self._analyser.lexicon
        words.update(VALENCES)
        for word in NEUTRAL:
            words.pop(word, None)

    def judge(self, texts: Sequence[str]) -> list[Sentiment]:
        """Return the sentiment of each text. Its score is VADER's compound."""
        return [self._judge(text) for text in texts]

    def _judge(self, text: str) -> Sentiment:
        found = self._analyser.polarity_scores(text)
        positive, negative = found["pos"], found["neg"]
        return Sentiment(positive, negative, max(0.0, 1.0 - positive - negative), score=found["compound"], model=LEXICON)
