"""The program ``kubectl_complete-tradingbot``: kubectl asks it what could follow on a command line that begins with ``kubectl tradingbot``.

It gets the words after that, the last of them unfinished (it may be empty), and prints one candidate a line, with a description after a
tab, and at last what the shell is to do with them: 4 is to add no names of files.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from click.shell_completion import ShellComplete

from tradingbot_cli.commands import tradingbot

_NO_FILES: Final = ":4"
_FILES: Final = ":0"


def main() -> None:
    """Print the candidates."""
    for line in build_candidates(sys.argv[1:]):
        sys.stdout.write(f"{line}\n")


def build_candidates(words: Sequence[str]) -> list[str]:
    """Return what is to be printed for a command line."""
    *before, unfinished = words or ("",)
    found = ShellComplete(tradingbot, {}, "kubectl tradingbot", "").get_completions(list(before), unfinished)
    lines = [f"{item.value}\t{item.help}" if item.help else item.value for item in found if item.type == "plain"]
    return [*lines, _FILES if any(item.type in {"file", "dir"} for item in found) else _NO_FILES]
