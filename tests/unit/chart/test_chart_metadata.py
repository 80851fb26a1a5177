"""What the chart says of itself to Artifact Hub is true."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tradingbot_operator.schema import build_crd

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def about(chart: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((chart / "Chart.yaml").read_text())
    return found


def told(about: dict[str, Any], name: str) -> Any:
    return yaml.safe_load(about["annotations"][f"artifacthub.io/{name}"])


def test_the_chart_has_the_version_of_the_distribution(about: dict[str, Any]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (about["version"], about["appVersion"]) == (version, version)


def test_the_images_are_those_that_the_chart_runs(about: dict[str, Any], chart: Path) -> None:
    values = yaml.safe_load((chart / "values.yaml").read_text())
    runs = {f"{values[key]['repository']}:{about['appVersion']}" for key in ("image", "engineImage")}
    assert {image["image"] for image in told(about, "images")} == runs


def test_the_kind_is_that_of_the_crd(about: dict[str, Any]) -> None:
    (kind,) = told(about, "crds")
    crd = build_crd()
    assert (kind["name"], kind["kind"]) == (crd["metadata"]["name"], crd["spec"]["names"]["kind"])
    assert [kind["version"]] == [version["name"] for version in crd["spec"]["versions"]]


def test_the_example_is_the_first_bot(about: dict[str, Any]) -> None:
    assert told(about, "crdsExamples") == [yaml.safe_load((ROOT / "manifests/samples/first-bot.yaml").read_text())]


def test_what_is_linked_in_the_documentation_is_there(about: dict[str, Any]) -> None:
    base = f"{about['home']}/docs/"
    links = [about["icon"], *(link["url"] for link in told(about, "links"))]
    assert all(link.startswith(base) for link in links)
    # Runbooks are checked where they are made.
    missing = [link for link in links if not link.endswith("/runbooks") and not (ROOT / "docs" / link.removeprefix(base)).is_file()]
    assert not missing
