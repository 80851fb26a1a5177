"""The chart as it might have been a version ago: this checkout's, without one field of the CRD.

An upgrade from it is one with a changed CRD, and the tests need no history of the repository.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rig.release import CHART

VERSION: Final = "0.0.9"


def write_previous_chart(folder: Path, *, without: str) -> Path:
    """Write it into a folder and return the chart's.

    Args:
        folder: where to.
        without: path of the field that its CRD does not have yet, from ``spec`` on.

    Raises:
        AssertionError: the CRD has no such field.
    """
    chart = folder / CHART.name
    shutil.copytree(CHART, chart, ignore=shutil.ignore_patterns("ci", "__snapshot__"))
    about = chart / "Chart.yaml"
    about.write_text(re.sub(r"^version: .*$", f"version: {VERSION}", about.read_text(), flags=re.MULTILINE))
    crd = chart / "templates" / "crd.yaml"
    lines = crd.read_text().splitlines(keepends=True)
    kept = list(_without(lines, without.split(".")))
    assert len(kept) < len(lines), f"the CRD has no {without}"
    crd.write_text("".join(kept))
    return chart


def _without(lines: list[str], path: list[str]) -> Iterator[str]:
    """Yield the lines but those of one field of the schema, and of what is below it."""
    parents: list[int] = []
    skipping: int | None = None
    in_schema = False
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if skipping is not None and indent > skipping:
            continue
        skipping = None
        in_schema = in_schema or line.strip() == "openAPIV3Schema:"
        while parents and indent <= parents[-1]:
            parents.pop()
        # A field's own fields stand below its "properties:", so two levels further in.
        if in_schema and line.strip() == f"{path[len(parents)]}:" and (not parents or indent == parents[-1] + 4):
            if len(parents) == len(path) - 1:
                skipping = indent
                continue
            parents.append(indent)
        yield line
