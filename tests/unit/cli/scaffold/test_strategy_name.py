from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_cli.errors import RefusedError
from tradingbot_cli.manifest import parse_bots
from tradingbot_cli.scaffold.files import build_files
from tradingbot_cli.scaffold.strategy_name import parse_strategy_name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mean", "lower-case letters"),
        ("a--b", "lower-case letters"),
        ("-a", "lower-case letters"),
        ("1st", "lower-case letters"),
        ("a" * 41, "at most 40"),
        ("", "lower-case letters"),
        ("../up", "lower-case letters"),
        ("class", "would hide Python's own class"),
        ("statistics", "would hide Python's own statistics"),
        ("pytest", "would hide"),
        ("tradingbot-engine", "would hide the module tradingbot_engine that is installed"),
        ("sqlalchemy", "would hide the module sqlalchemy that is installed"),
    ],
)
def test_a_name_that_would_not_work_is_refused(text: str, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        parse_strategy_name(text)


@given(st.from_regex(r"[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,6}){0,3}", fullmatch=True))
def test_whatever_name_is_taken_gives_files_that_can_be_read(text: str) -> None:
    try:
        name = parse_strategy_name(text)
    except RefusedError:
        return
    texts = build_files(name)
    assert sorted(texts) == sorted([f"{name.module}.py", f"test_{name.module}.py", f"{text}.yaml", "README.md"])
    for file, content in texts.items():
        assert "$" not in content
        if file.endswith(".py"):
            ast.parse(content)
    (bot,) = parse_bots(texts[f"{text}.yaml"], "it")
    assert bot.spec.strategy.name == f"{name.module}:{name.strategy_class}"
    assert len(texts["README.md"].splitlines()) == 5
