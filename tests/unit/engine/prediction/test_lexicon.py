"""The lexicon: what a market means by its words."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tradingbot_engine.prediction.finance_words import NEUTRAL, VALENCES
from tradingbot_engine.prediction.lexicon import Lexicon

LEXICON = Lexicon()


@pytest.mark.parametrize(
    "text",
    [
        "Company beats estimates and raises guidance",
        "Analysts upgrade the stock after profits surge",
        "Shares soar on a record quarter",
        "Board approves buyback, outlook upbeat",
    ],
)
def test_good_news(text: str) -> None:
    assert LEXICON.judge([text])[0].score > 0.3


@pytest.mark.parametrize(
    "text",
    [
        "Company misses estimates and warns of a shortfall",
        "Analysts downgrade the stock after profits plunge",
        "Shares tumble as regulators open a probe",
        "Retailer files for bankruptcy",
    ],
)
def test_bad_news(text: str) -> None:
    assert LEXICON.judge([text])[0].score < -0.3


@pytest.mark.parametrize("text", ["", "Shares in the trust", "Gross interest on crude", "The annual meeting is in May"])
def test_no_news(text: str) -> None:
    assert LEXICON.judge([text])[0].score == pytest.approx(0.0)


def test_not_turns_it_round() -> None:
    assert LEXICON.judge(["orders did not surge"])[0].score < 0.0


def test_the_shares_add_up_to_one() -> None:
    [found] = LEXICON.judge(["profits surge but debts plunge the board into despair"])
    assert found.positive + found.negative + found.neutral == pytest.approx(1.0)
    assert found.model == "lexicon"


def test_the_words_are_on_vaders_scale() -> None:
    assert all(-4.0 <= valence <= 4.0 and valence for valence in VALENCES.values())
    assert not NEUTRAL & set(VALENCES)
    assert all(word == word.lower() for word in (*VALENCES, *NEUTRAL))


def test_it_loads_no_library_of_models() -> None:
    heavy = "numpy onnxruntime tokenizers huggingface_hub transformers torch"
    script = f"""
import sys
from tradingbot_engine.prediction import lexicon, service
from tradingbot_engine.strategy import sentiment
lexicon.Lexicon().judge(["gains"])
found = [name for name in "{heavy}".split() if name in sys.modules]
sys.exit(", ".join(found) or 0)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
