from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import yaml

from check import EXCEPTIONS
from checkers import run_trivy
from findings import Excuse, Finding, Report, judge, read_exceptions

ROOT = Path(__file__).resolve().parents[3]
TOOL = ROOT / "tests" / "cluster" / "cluster.py"

PRIVILEGED = Finding("trivy", "KSV-0017", "kubernetes/bots/a.yaml:12", "Container 'a' should set 'privileged' to false")
REASON = "it is a test and nothing else"


def report(*findings: Finding, passed: int = 1) -> Report:
    return Report("trivy", passed, findings)


def excuse(check: str = "KSV-0017", where: str = "kubernetes/bots/*", checker: str = "trivy") -> Excuse:
    return Excuse(checker, check, where, REASON)


def test_a_finding_without_an_exception_is_open() -> None:
    verdict = judge([report(PRIVILEGED)], [])
    assert (verdict.open, verdict.is_clean) == ((PRIVILEGED,), False)


def test_a_finding_with_an_exception_is_not_open_and_the_reason_is_known() -> None:
    verdict = judge([report(PRIVILEGED)], [excuse()])
    assert (verdict.open, verdict.excused, verdict.is_clean) == ((), ((PRIVILEGED, excuse()),), True)


@pytest.mark.parametrize(
    "other", [excuse(check="KSV-0018"), excuse(where="kubernetes/chart-*"), excuse(checker="checkov")], ids=["check", "place", "checker"]
)
def test_an_exception_is_for_its_own_check_and_place_only(other: Excuse) -> None:
    verdict = judge([report(PRIVILEGED)], [other])
    assert (verdict.open, verdict.idle) == ((PRIVILEGED,), (other,))


def test_an_exception_that_nothing_needs_any_more_is_told() -> None:
    verdict = judge([report()], [excuse()])
    assert (verdict.idle, verdict.is_clean) == ((excuse(),), False)


def test_a_checker_that_has_looked_at_nothing_is_told() -> None:
    verdict = judge([report(passed=0)], [])
    assert (verdict.blind, verdict.is_clean) == (("trivy",), False)


def test_every_exception_of_ours_has_a_reason_in_words() -> None:
    assert read_exceptions(EXCEPTIONS)


def test_an_exception_without_a_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "exceptions.yaml"
    path.write_text(yaml.safe_dump([{"checker": "trivy", "check": "KSV-0017", "where": "*", "why": "false positive"}]))
    with pytest.raises(msgspec.ValidationError, match="a reason in words"):
        read_exceptions(path)


def test_the_checks_that_we_have_built_find_a_privileged_pod_and_a_root_image(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(TOOL), "tools"], check=True)
    exports = subprocess.run([sys.executable, str(TOOL), "env"], check=True, stdout=subprocess.PIPE, text=True).stdout
    found = subprocess.run(["bash", "-c", f"{exports}\ncommand -v configscan"], check=True, capture_output=True, text=True).stdout.strip()
    for kind in ("kubernetes", "dockerfile"):
        (tmp_path / kind).mkdir()
    container = {"name": "careless", "image": "busybox:latest", "securityContext": {"privileged": True}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "careless"}, "spec": {"containers": [container]}}
    (tmp_path / "kubernetes" / "pod.yaml").write_text(json.dumps(pod))
    (tmp_path / "dockerfile" / "Dockerfile").write_text("FROM debian:12\nRUN true\n")
    checks = {finding.check for finding in run_trivy(found, tmp_path).findings}
    assert {"KSV-0017", "DS-0002"} <= checks  # privileged; no user
