from __future__ import annotations

import pytest

from tradingbot_cli.output import Tone
from tradingbot_cli.words import PHASE_TONES, STEPS, age, ago, clock, describe_condition, describe_decision, describe_result, duration
from tradingbot_operator.bot_status import Condition, ConditionStatus, Decision, Phase
from tradingbot_operator.remediation import Step


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (200, "3m20s"),
        (660, "11m"),
        (659, "10m"),
        (3600, "1h"),
        (3720, "1h2m"),
        (86_400, "1d"),
        (187_200, "2d4h"),
        (10 * 86_400 + 3600, "10d"),
    ],
)
def test_a_duration_has_two_units_at_most_and_one_when_the_second_says_little(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_an_age_that_is_not_known_is_a_question_mark() -> None:
    assert age("", 0.0) == "?"
    assert ago("", 0.0) == "at an unknown time"
    assert ago("1970-01-01T00:00:10Z", 40.0) == "30s ago"
    assert clock(3661.0) == "01:01:01 UTC"


@pytest.mark.parametrize(
    ("result", "step", "text", "tone"),
    [
        ("Helped", "", "helped", Tone.GOOD),
        ("DidNotHelp", "", "did not help", Tone.BAD),
        ("", "", "not known yet", Tone.QUIET),
        ("", "RestartPod", "nothing was done", Tone.QUIET),
    ],
)
def test_what_became_of_a_decision(result: str, step: str, text: str, tone: Tone) -> None:
    told = describe_result(Decision(time="", action="DryRun" if step else "RestartPod", reason="", result=result, step=step))
    assert (told.text, told.tone) == (text, tone)


def test_a_rehearsal_is_told_by_what_it_would_have_been() -> None:
    assert describe_decision(Decision(time="", action="DryRun", step="GrowMemory", reason="")) == "GrowMemory (dry run)"
    assert describe_decision(Decision(time="", action="GrowMemory", reason="")) == "GrowMemory"


@pytest.mark.parametrize(
    ("kind", "status", "tone"),
    [
        ("Ready", ConditionStatus.TRUE, Tone.GOOD),
        ("Ready", ConditionStatus.FALSE, Tone.BAD),
        ("Healthy", ConditionStatus.UNKNOWN, Tone.DOUBTFUL),
        ("Progressing", ConditionStatus.FALSE, Tone.PLAIN),
        ("Progressing", ConditionStatus.TRUE, Tone.DOUBTFUL),
    ],
)
def test_a_condition_has_the_tone_of_what_it_means(kind: str, status: ConditionStatus, tone: Tone) -> None:
    assert describe_condition(Condition(type=kind, status=status, reason="")).tone is tone


def test_every_phase_has_a_tone_and_every_step_words() -> None:
    assert set(PHASE_TONES) == set(Phase)
    assert set(STEPS) == {step.value for step in Step}
