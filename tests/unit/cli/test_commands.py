"""The commands as click has them: what the help of the whole says of each, and what shells are told."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from tradingbot_cli.__main__ import program_name
from tradingbot_cli.advice import ADVICE, build_advice
from tradingbot_cli.commands import SECTIONS, VERBS, tradingbot
from tradingbot_cli.kubectl_completion import build_candidates
from tradingbot_cli.options import Duration
from tradingbot_cli.reference import render_reference

SHORT = 60
"""Characters of a line of help that fit beside a name on a terminal of 80."""


def command(name: str) -> click.Command:
    found = tradingbot.get_command(click.Context(tradingbot), name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", list(VERBS))
def test_the_help_of_the_whole_says_of_each_command_what_its_own_begins_with(name: str) -> None:
    assert command(name).name == name
    assert (command(name).help or "").split("\n")[0] == VERBS[name].help
    assert len(VERBS[name].help) <= SHORT
    assert VERBS[name].section in SECTIONS


def test_the_help_of_the_whole_imports_no_command() -> None:
    script = (
        "import sys; from tradingbot_cli.__main__ import run; run(['tradingbot', '--help']);"
        "print([name for name in ('rich', 'kubernetes', 'yaml', 'tradingbot_operator', 'tradingbot_engine') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] in {"[]", "['yaml']"}


@pytest.mark.parametrize("text", ["30", "30s"])
def test_a_duration_is_given_as_to_kubectl(text: str) -> None:
    assert Duration().convert(text, None, None) == 30.0
    assert Duration().convert("1.5m", None, None) == 90.0
    with pytest.raises(click.BadParameter, match="give 30s, 5m or 1h"):
        Duration().convert("soon", None, None)


def test_a_command_that_does_not_exist_is_answered_with_the_nearest() -> None:
    done = CliRunner().invoke(tradingbot, ["statsu"])
    assert done.exit_code == 2
    assert "there is no command 'statsu': did you mean status?" in done.output


def test_kubectl_gets_candidates_and_is_told_when_files_may_follow() -> None:
    assert build_candidates(["st"]) == [f"status\t{VERBS['status'].help}", f"stop\t{VERBS['stop'].help}", ":4"]
    assert build_candidates(["tune", "trend", "database.pool.s"]) == ["database.pool.size=", ":4"]
    assert build_candidates(["list", "-o", "j"]) == ["json", ":4"]
    assert build_candidates(["validate", ""]) == [":0"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell: str) -> None:
    done = CliRunner().invoke(tradingbot, ["completion", shell])
    assert done.exit_code == 0
    assert "_TRADINGBOT_COMPLETE" in done.output


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/bin/tradingbot", "tradingbot"),
        ("/x/kubectl-tradingbot", "kubectl tradingbot"),
        ("/x/tradingbot_cli/__main__.py", "tradingbot"),
    ],
)
def test_help_names_the_program_as_it_was_called(path: str, name: str) -> None:
    assert program_name(path) == name


def test_the_page_has_every_command_and_option() -> None:
    page = render_reference()
    for name in VERBS:
        assert f"### tradingbot {name}\n" in page
        for parameter in command(name).params:
            assert all(option in page for option in parameter.opts if option.startswith("-"))


def test_advice_names_commands_and_fields_that_exist() -> None:
    from tradingbot_cli.spec_fields import field_names  # noqa: PLC0415 - beside what it is for

    for reason in ADVICE:
        (text,) = build_advice("trend", "prod", [reason.value])
        for words in text.replace("`", "").split("tradingbot ")[1:]:
            verb = words.split()[0]
            assert verb in VERBS or verb.startswith("tradingbot.dev"), text
        assert "{" not in text
        for word in text.replace(";", " ").split():
            name, equals, _ = word.strip("():").partition("=")
            assert not equals or name in field_names(), text
