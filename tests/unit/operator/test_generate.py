from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tradingbot_operator import generate
from tradingbot_operator.generate import build_files, main
from tradingbot_operator.schema import build_crd


@pytest.mark.parametrize("name", build_files())
def test_the_checked_in_file_is_what_the_models_give(name: str) -> None:
    assert (generate.ROOT / name).read_text() == build_files()[name], "run: make generate"


def test_the_yaml_is_the_crd() -> None:
    assert yaml.safe_load(build_files()["manifests/crd.yaml"]) == build_crd()


def test_check_tells_of_stale_files_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    assert main(["--check"]) == 1
    assert "out of date: manifests/crd.yaml" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "manifests/crd.yaml").write_text("changed")
    assert main(["--check"]) == 1


def test_the_reference_has_every_field() -> None:
    page = build_files()["docs/reference/tradingbot.md"]
    for field in ("spec.market.symbols", "spec.health.remediation.mode", "status.shards[].lastExit.exitCode"):
        assert f"`{field}`" in page
