from __future__ import annotations

import json

import pytest
import yaml

from tradingbot_cli.output import Cell, Column, Format, Table, Tone, column_widths, paint, render_table, show

TABLE = Table(
    (Column("NAME"), Column("NODE", wide=True), Column("AGE")),
    [[Cell("trend", Tone.GOOD), Cell("node-a"), Cell("2d4h")], [Cell("a-long-name"), Cell(""), Cell("-")]],
)


def test_a_table_looks_like_kubectls() -> None:
    assert render_table(TABLE) == ["NAME          AGE", "trend         2d4h", "a-long-name   -"]
    assert render_table(TABLE, wide=True)[1] == "trend         node-a   2d4h"


def test_no_line_ends_with_blanks_and_an_empty_cell_keeps_its_column() -> None:
    lines = render_table(TABLE, wide=True)
    assert lines[2] == "a-long-name            -"
    assert not [line for line in lines if line != line.rstrip()]


def test_a_row_that_is_printed_later_stands_under_the_same_head() -> None:
    widths = column_widths(TABLE)
    later = Table(TABLE.columns, [[Cell("b"), Cell(""), Cell("1s")]])
    assert render_table(later, head=False, widths=widths) == ["b             1s"]


def test_without_rows_there_is_the_head() -> None:
    assert render_table(Table(TABLE.columns, [])) == ["NAME   AGE"]


@pytest.mark.parametrize("output", list(Format))
def test_one_structure_is_behind_every_format(output: Format, capsys: pytest.CaptureFixture[str]) -> None:
    value = [{"name": "trend", "equity": 1.5}]
    show(output, value, lambda: TABLE)
    printed = capsys.readouterr().out
    if output in {Format.TABLE, Format.WIDE}:
        assert printed.startswith("NAME ")
    else:
        assert (json.loads(printed) if output is Format.JSON else yaml.safe_load(printed)) == value


def test_colour_is_for_terminals_whose_user_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paint("x", Tone.BAD) == "x"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert paint("x", Tone.BAD) == "\x1b[31mx\x1b[0m"
    assert paint("x", Tone.PLAIN) == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint("x", Tone.BAD) == "x"
