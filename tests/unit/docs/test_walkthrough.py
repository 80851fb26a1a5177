"""How a page of the documentation is followed, on pages and a shell without any cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.walkthrough import Command, Shell, follow, parse_page, record_page

PAGE = """# A page

<!-- shows within 5 s: two -->
```console
$ word=one
$ echo $word \\
    two
one three
```

<!-- exit code: 3 -->
<!-- output: shortened -->
```console
$ (echo cut; exit 3)
...
```
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with Shell(tmp_path, os.environ) as shell:
        yield shell


def test_commands_are_taken_with_their_lines_and_what_has_to_come_of_them() -> None:
    assert parse_page(PAGE) == (
        Command("word=one", 5, ""),
        Command("echo $word \\\n    two", 6, "one three", shows=("two",), within_seconds=5.0),
        Command("(echo cut; exit 3)", 14, "...", exit_code=3, is_shortened=True),
    )


def test_a_page_is_recorded_with_what_its_commands_print(shell: Shell) -> None:
    outcomes = tuple(follow(shell, command) for command in parse_page(PAGE))
    assert record_page(PAGE, outcomes) == PAGE.replace("one three", "one two")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (Command("exit_with() { return $1; }; exit_with 4", 1, ""), "ended with 4"),
        (Command("echo one", 1, "", shows=("two",)), r"does not show \['two'\]"),
        (Command("cat", 1, "", shows=("something",)), "does not show"),
    ],
)
def test_what_comes_out_otherwise_is_told(shell: Shell, command: Command, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        follow(shell, command)


def test_a_command_that_hangs_is_ended(shell: Shell) -> None:
    with pytest.raises(AssertionError, match="not over"):
        follow(shell, Command("sleep 60", 1, ""), within_seconds=0.3)


@pytest.mark.parametrize(
    "page", ["```console\necho\n```\n", "<!-- shows something -->\n", "<!-- shows: x -->\ntext\n```console\n$ true\n```\n"]
)
def test_a_page_that_can_not_be_followed_is_told(page: str) -> None:
    with pytest.raises(ValueError, match="line"):
        parse_page(page)
