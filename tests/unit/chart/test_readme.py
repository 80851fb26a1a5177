from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "charts" / "readme.py"


READ = ("Chart.yaml", "values.yaml", "values.schema.json", "README.md")


def copy_chart(to: Path) -> Path:
    """Copy the generator and what it reads, so that a test can break it."""
    for name in (PROGRAM.name, *(f"tradingbot-operator/{file}" for file in READ)):
        target = to / "charts" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((PROGRAM.parent / name).read_text())
    return to / "charts"


def run(charts: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(charts / "readme.py"), *arguments], capture_output=True, text=True, check=False)


def test_a_changed_value_makes_the_readme_out_of_date_until_it_is_written_anew(tmp_path: Path) -> None:
    charts = copy_chart(tmp_path)
    values = charts / "tradingbot-operator" / "values.yaml"
    values.write_text(values.read_text().replace("replicas: 2", "replicas: 3"))
    stale = run(charts, "--check")
    assert (stale.returncode, "out of date" in stale.stdout) == (1, True)
    assert run(charts).returncode == 0
    assert run(charts, "--check").returncode == 0


def test_a_value_that_nobody_explained_is_named(tmp_path: Path) -> None:
    charts = copy_chart(tmp_path)
    values = charts / "tradingbot-operator" / "values.yaml"
    values.write_text(values.read_text().replace("  # -- Tag of the image.", "  # Tag of the image."))
    done = run(charts)
    assert (done.returncode, "image.tag" in done.stderr) == (1, True)


def test_a_value_that_the_schema_does_not_know_is_named(tmp_path: Path) -> None:
    charts = copy_chart(tmp_path)
    values = charts / "tradingbot-operator" / "values.yaml"
    values.write_text(values.read_text() + "\n# -- More.\nmore: 1\n")
    done = run(charts)
    assert (done.returncode, "more" in done.stderr) == (1, True)
