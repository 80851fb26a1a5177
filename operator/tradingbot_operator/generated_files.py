"""Files of the checkout that are made from something else: written anew, or held against what they should be."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def write_or_compare(
    root: Path,
    build_files: Callable[[], Mapping[str, str]],
    *,
    program: str,
    description: str | None,
    arguments: Sequence[str] | None = None,
) -> int:
    """Write the files that differ, or with ``--check`` only name them; return the exit code.

    Args:
        root: the checkout.
        build_files: gives the text of every file, by its path in the checkout.
        program: how a person calls this.
        description: what it does.
        arguments: of the command line; None: this process's.
    """
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    check = parser.parse_args(arguments).check
    stale = []
    for name, text in build_files().items():
        path = root / name
        if path.is_file() and path.read_text() == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for name in stale:
        sys.stdout.write(f"{'out of date' if check else 'written'}: {name}\n")
    if check and stale:
        sys.stdout.write("run: make generate\n")
    return 1 if check and stale else 0
