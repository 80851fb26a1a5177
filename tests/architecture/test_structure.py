"""The rules of ARCHITECTURE.md that an import linter can't see, held against the files themselves."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "tradingbot_contract": ROOT / "engine",
    "tradingbot_engine": ROOT / "engine",
    "tradingbot_observer": ROOT / "engine",
    "tradingbot_operator": ROOT / "operator",
    "tradingbot_cli": ROOT / "cli",
    "tradingbot_observability": ROOT / "observability",
}
CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter"}
CATCH_ALL_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def pure_modules() -> Iterator[Path]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    for contract in settings:
        if not contract["name"].startswith("Pure modules"):
            continue
        for name in contract["source_modules"]:
            path = PACKAGES[name.split(".")[0]] / Path(*name.split("."))
            yield from sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


@pytest.mark.parametrize("path", list(pure_modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pure_module_waits_for_nothing_and_reads_no_clock(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), f"line {node.lineno}: a pure module does not wait"
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in CLOCKS, f"line {node.lineno}: {called}() reads a clock; take the time as an argument"


def test_no_package_marker_where_it_would_shadow_the_standard_library() -> None:
    markers = [path for path in tracked() if path.name == "__init__.py"]
    wrong = [path for path in markers if path.parent == ROOT / "operator" or ROOT / "tests" in path.parents]
    assert not wrong


def test_modules_are_named_by_what_they_hold() -> None:
    wrong = [path for path in tracked() if path.suffix == ".py" and path.stem in CATCH_ALL_NAMES]
    assert not wrong


def test_no_file_names_a_package_registry() -> None:
    # Written in two parts, so that this file does not name them either.
    hosts = [
        first + second
        for first, second in [
            ("pypi.", "org"),
            ("pythonhosted", ".org"),
            ("proxy.golang", ".org"),
            ("sum.golang", ".org"),
            ("registry.npmjs", ".org"),
            ("deb.debian", ".org"),
            ("repo.maven", ".apache.org"),
            ("crates", ".io"),
        ]
    ]
    named = re.compile("|".join(re.escape(host) for host in hosts))
    for path in tracked():
        if path.suffix in {".gz", ".png"}:
            continue
        found = named.search(path.read_text())
        assert found is None, f"{path.relative_to(ROOT)} names {found[0]}" if found else ""


def test_every_package_has_a_docstring_that_says_what_it_is() -> None:
    for name, folder in PACKAGES.items():
        for path in sorted((folder / name).rglob("*.py")):
            assert ast.get_docstring(ast.parse(path.read_text())), f"{path.relative_to(ROOT)} does not say what it is for"


def test_every_image_carries_the_version_of_the_distribution() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    chart = (ROOT / "charts/tradingbot-operator/Chart.yaml").read_text()
    assert re.search(rf'^appVersion: "?{re.escape(version)}"?$', chart, re.MULTILINE)
