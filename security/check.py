"""Looks for weak places with checkov, Trivy and bandit: ``make security``.

Exit code 0: nothing is left to do. 1: the list says what.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from checkers import run_bandit, run_checkov, run_trivy
from findings import Report, Verdict, judge, read_exceptions
from subjects import ROOT, find_helm, write_subjects

EXCEPTIONS: Final = Path(__file__).with_name("exceptions.yaml")
SUBJECTS: Final = ROOT / "build" / "security"


def main() -> int:
    """Run all checkers side by side and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", type=Path, required=True, help="Python environment with checkov and bandit")
    parser.add_argument("--programs", type=Path, required=True, help="folder with configscan, which is Trivy's checks, and perhaps helm")
    given = parser.parse_args()
    write_subjects(SUBJECTS, find_helm(given.programs))
    with ThreadPoolExecutor() as pool:
        running = (
            pool.submit(run_checkov, given.environment, SUBJECTS),
            pool.submit(run_trivy, str(given.programs / "configscan"), SUBJECTS),
            pool.submit(run_bandit, given.environment),
        )
        reports = [each.result() for each in running]
    verdict = judge(reports, read_exceptions(EXCEPTIONS))
    show(reports, verdict)
    return 0 if verdict.is_clean else 1


def show(reports: list[Report], verdict: Verdict) -> None:
    """Print one line for each checker, and what is left to do."""
    for report in reports:
        unit = "lines looked at" if report.checker == "bandit" else "passed"
        left = sum(finding.checker == report.checker for finding in verdict.open)
        excused = sum(finding.checker == report.checker for finding, _ in verdict.excused)
        print(f"{report.checker:8} {report.passed:6} {unit:15} {excused:3} with a reason {left:3} open")
    for finding in verdict.open:
        print(f"open: {finding.checker} {finding.check} {finding.where}: {finding.text}")
    for excuse in verdict.idle:
        print(f"no longer needed in {EXCEPTIONS.name}: {excuse.checker} {excuse.check} {excuse.where}")
    for checker in verdict.blind:
        print(f"{checker} has looked at nothing")


if __name__ == "__main__":
    sys.exit(main())
