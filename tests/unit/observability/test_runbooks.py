from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from promtool import promtool

from tradingbot_cli.commands import VERBS
from tradingbot_observability.coverage import ROOT
from tradingbot_observability.promql import metric_names
from tradingbot_observability.rules.render import ALERTS, RECORDING_RULES
from tradingbot_observability.rules.runbook_index import HEADINGS, head, render_runbook_index
from tradingbot_observability.rules.series import foreign_names, series_names
from tradingbot_operator.reasons import Reason

FOLDER = ROOT / "docs/runbooks"
RUNBOOKS = sorted(path for path in FOLDER.glob("*.md") if path.stem != "README")
NAMES = sorted({alert.name for alert in ALERTS})


def blocks(page: str, language: str) -> Iterator[str]:
    for match in re.finditer(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        yield match[1]


@pytest.fixture(params=RUNBOOKS, ids=lambda path: path.stem)
def page(request: pytest.FixtureRequest) -> str:
    path: Path = request.param
    return path.read_text()


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert [path.stem for path in RUNBOOKS] == NAMES


def test_the_index_is_that_of_the_rules() -> None:
    assert (FOLDER / "README.md").read_text() == render_runbook_index(), "run: make generate"


@pytest.mark.parametrize("name", NAMES)
def test_it_begins_with_what_the_rule_says_of_its_alert(name: str) -> None:
    assert (FOLDER / f"{name}.md").read_text().startswith(head(name))


def test_it_says_meaning_impact_diagnosis_and_mitigation(page: str) -> None:
    assert tuple(re.findall(r"^## .*$", page, re.MULTILINE)) == HEADINGS
    for part in re.split(r"^## .*$", page, flags=re.MULTILINE)[1:]:
        assert len(part.strip()) > 20, "a heading with nothing beneath it"


def test_its_diagnosis_has_commands_and_queries(page: str) -> None:
    diagnosis = page.split("## Diagnosis")[1].split("## Mitigation", maxsplit=1)[0]
    assert "kubectl" in "".join(blocks(diagnosis, "sh"))
    assert list(blocks(diagnosis, "promql"))


def test_its_queries_name_what_there_is(page: str) -> None:
    known = {*series_names(), *foreign_names(), *(rule.record for rule in RECORDING_RULES)}
    for block in blocks(page, "promql"):
        for line in block.strip().splitlines():
            names = metric_names(line)
            assert names, f"{line!r} is no query"
            assert names <= known, f"nobody exports {names - known}"


def test_all_queries_are_ones_that_prometheus_takes(tmp_path: Path) -> None:
    queries = [line for path in RUNBOOKS for block in blocks(path.read_text(), "promql") for line in block.strip().splitlines()]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "queries.yaml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    promtool("check", "rules", tmp_path / "queries.yaml")


def test_its_commands_exist(page: str) -> None:
    verbs = re.findall(r"(?:kubectl |`)tradingbot ([a-z-]+)", page)
    assert {verb for verb in verbs if verb not in VERBS} == set()


def test_its_reasons_are_words_of_the_closed_set(page: str) -> None:
    reasons = {reason.value for reason in Reason}
    table = re.findall(r"^\| (.*?) \|", page, re.MULTILINE)
    words = {word for cell in table for word in re.findall(r"`([A-Z]\w+)`", cell)}
    assert words <= reasons


def test_its_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page):
        assert (FOLDER / target).is_file(), f"there is no {target}"
