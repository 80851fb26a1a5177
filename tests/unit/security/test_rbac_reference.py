from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rbac_reference
from rbac_reference import PAGE, main, render_chart, render_page
from subjects import find_helm

ROOT = Path(__file__).resolve().parents[3]
TOOL = ROOT / "tests" / "cluster" / "cluster.py"


@pytest.fixture(scope="module")
def programs() -> Path:
    subprocess.run([sys.executable, str(TOOL), "tools"], check=True)
    exports = subprocess.run([sys.executable, str(TOOL), "env"], check=True, stdout=subprocess.PIPE, text=True).stdout
    found = subprocess.run(["bash", "-c", f"{exports}\ncommand -v helm"], check=True, capture_output=True, text=True).stdout.strip()
    return Path(found).parent


@pytest.fixture(scope="module")
def manifests(programs: Path) -> list[dict[str, Any]]:
    return render_chart(find_helm(programs))


def test_the_page_tells_of_every_right_of_the_chart(manifests: list[dict[str, Any]]) -> None:
    assert PAGE.read_text() == render_page(manifests), "run: make generate"


def test_a_page_that_is_out_of_date_is_named_and_left_alone(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "rbac.md"
    page.write_text("of yesterday")
    monkeypatch.setattr(rbac_reference, "ROOT", tmp_path)
    monkeypatch.setattr(rbac_reference, "PAGE", page)
    assert main(["--programs", str(programs), "--check"]) == 1
    assert "out of date: rbac.md" in capsys.readouterr().out
    assert page.read_text() == "of yesterday"
    assert main(["--programs", str(programs)]) == 0
    assert page.read_text() == PAGE.read_text()


@pytest.mark.parametrize("more", [{"resources": ["secrets"], "verbs": ["get"]}, {"resources": ["pods"], "verbs": ["create"]}])
def test_a_right_without_a_reason_is_an_error(manifests: list[dict[str, Any]], more: dict[str, Any]) -> None:
    changed = copy.deepcopy(manifests)
    next(manifest for manifest in changed if manifest["kind"] == "ClusterRole")["rules"].append({"apiGroups": [""]} | more)
    with pytest.raises(KeyError, match=more["resources"][0]):
        render_page(changed)
