"""Runs the checkers and reads what they say. None of them needs a network, and none may look one up.

checkov and Trivy know manifests and Dockerfiles, bandit knows Python. What vulnerabilities are known of a dependency only a service on the
network can tell, so that is not asked here.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from findings import Finding, Report
from subjects import CODE, ROOT

BANDIT: Final = "bandit"
CHECKOV: Final = "checkov"
TRIVY: Final = "trivy"
KINDS: Final = ("kubernetes", "dockerfile")


def run_bandit(environment: Path) -> Report:
    """Look through our own programs."""
    said = _json(str(environment / "bin" / "bandit"), "--quiet", "--recursive", "--format", "json", *CODE, cwd=ROOT)
    findings = (
        Finding(BANDIT, each["test_id"], f"{each['filename'].removeprefix('./')}:{each['line_number']}", each["issue_text"])
        for each in said["results"]
    )
    assert not said["errors"], said["errors"]
    return Report(BANDIT, said["metrics"]["_totals"]["loc"], tuple(findings))


def run_checkov(environment: Path, subjects: Path) -> Report:
    """Look through what was rendered."""
    command = (str(environment / "bin" / "checkov"), "--directory", ".", "--framework", *KINDS, "--output", "json", "--compact")
    said = _json(*command, "--skip-download", cwd=subjects)
    reports: list[dict[str, Any]] = said if isinstance(said, list) else [said]
    assert {report["check_type"] for report in reports} == set(KINDS), "checkov has not looked at everything"
    assert not any(report["summary"]["parsing_errors"] for report in reports), "checkov can't read everything"
    passed = sum(report["summary"]["passed"] for report in reports)
    return Report(CHECKOV, passed, tuple(finding for report in reports for finding in _of_checkov(report)))


def _of_checkov(report: dict[str, Any]) -> Iterator[Finding]:
    for each in report["results"]["failed_checks"]:
        path = each["file_path"].lstrip("/")
        where = path if report["check_type"] == "dockerfile" else f"{path} {each['resource']}"
        yield Finding(CHECKOV, each["check_id"], where, each["check_name"])


def run_trivy(program: str, subjects: Path) -> Report:
    """Look through what was rendered."""
    passed, findings = 0, []
    for kind in KINDS:
        lines = _run(program, kind, str(subjects / kind), cwd=ROOT).splitlines()
        results = [json.loads(line) for line in lines]
        assert any(result["passed"] for result in results), f"Trivy has looked at nothing of {kind}"
        passed += sum(result["passed"] for result in results)
        findings += [
            Finding(TRIVY, result["id"], f"{kind}/{result['file']}:{result['line']}", result["message"])
            for result in results
            if not result["passed"]
        ]
    return Report(TRIVY, passed, tuple(findings))


def _json(*command: str, cwd: Path) -> Any:
    return json.loads(_run(*command, cwd=cwd))


def _run(*command: str, cwd: Path) -> str:
    # Their exit codes tell of findings, too; one that failed prints nothing that can be read.
    environment = os.environ | {"PYTHONWARNINGS": "ignore", "LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        raise RuntimeError(f"{' '.join(command[:3])} ended with {done.returncode} and said nothing: {done.stderr[-2000:]}")
    return done.stdout
