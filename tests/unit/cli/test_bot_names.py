from __future__ import annotations

import pytest

from tradingbot_cli.bot_names import describe_missing, nearest, parse_bot_name
from tradingbot_cli.errors import RefusedError


@pytest.mark.parametrize(
    "text", ["trend", "tb/trend", "TB/trend", "tradingbot/trend", "tradingbots/trend", "tradingbots.tradingbot.dev/trend"]
)
def test_a_bot_is_named_as_kubectl_names_it(text: str) -> None:
    assert parse_bot_name(text) == "trend"


@pytest.mark.parametrize(
    ("text", "said"),
    [("pod/trend", "of another kind"), ("Trend", "lower-case"), ("", "lower-case"), ("tb/", "lower-case"), ("a b", "lower-case")],
)
def test_what_can_be_no_bot_is_refused(text: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        parse_bot_name(text)


@pytest.mark.parametrize(
    ("here", "elsewhere", "said"),
    [
        ([], ["prod", "test"], "there is one in prod, test: give -n prod"),
        (["trend", "carry"], [], "did you mean trend?"),
        (["carry", "basis"], [], "there is basis, carry"),
        ([f"bot-{number:02}" for number in range(11)], [], "bot-07 and 3 more"),
        ([], [], "list -A"),
    ],
)
def test_a_bot_that_is_not_there_is_answered_with_what_is(here: list[str], elsewhere: list[str], said: str) -> None:
    assert said in describe_missing("trendd", "default", here, elsewhere)


def test_a_word_that_is_near_to_nothing_has_no_guess() -> None:
    assert nearest("zzz", ["trend", "carry"]) is None
