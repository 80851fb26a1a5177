"""Writes the files of a new strategy, all of them or none, and never over one that is there."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from tradingbot_cli.errors import RefusedError
from tradingbot_cli.scaffold.strategy_name import StrategyName

_TEMPLATES: Final = {
    "strategy.py.txt": "{module}.py",
    "test_strategy.py.txt": "test_{module}.py",
    "bot.yaml.txt": "{bot}.yaml",
    "README.md.txt": "README.md",
}


def build_files(name: StrategyName) -> dict[str, str]:
    """Return the text of each file by its name."""
    words = {"bot": name.bot, "module": name.module, "strategy_class": name.strategy_class}
    folder = files(__package__).joinpath("templates")
    return {
        target.format(**words): Template(folder.joinpath(source).read_text(encoding="utf-8")).substitute(words)
        for source, target in _TEMPLATES.items()
    }


def write_files(texts: dict[str, str], folder: Path) -> None:
    """Write the files into a folder, which is made.

    Raises:
        RefusedError: one of them is there, or the folder can't be written to.
    """
    there = [file for file in texts if (folder / file).exists()]
    if there:
        raise RefusedError(f"{folder / there[0]} is there already, and nothing is overwritten: choose another name, or --directory")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            (folder / file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RefusedError(f"{folder}: can't be written to ({error.strerror}): choose another --directory") from error
