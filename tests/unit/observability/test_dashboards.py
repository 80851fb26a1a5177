"""What every panel of every dashboard has, so that a person who was woken by it gets what it says and where to go next."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest

from tradingbot_contract.document import Activity
from tradingbot_contract.report import EngineState
from tradingbot_contract.spec import Health
from tradingbot_observability.dashboards import PAGES, render_dashboards
from tradingbot_observability.dashboards.series import OPEN_FILES, OPERATOR, PROCESS_CPU, PROCESS_START, RESIDENT_MEMORY, series_name
from tradingbot_observability.dashboards.states import ACTIVITY_COLORS, PHASE_COLORS, STATE_COLORS, mapped
from tradingbot_observability.generate import FILES, ROOT
from tradingbot_operator.bot_status import Phase

Json = dict[str, Any]

DASHBOARDS: dict[str, Json] = {name: json.loads(text) for name, text in render_dashboards().items()}
LABEL = re.compile(r"\{\{ *(\w+) *\}\}")


def panels(dashboard: Json) -> list[Json]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


EVERY_PANEL = [pytest.param(panel, id=f"{name}: {panel['title']}") for name, dashboard in DASHBOARDS.items() for panel in panels(dashboard)]


def test_there_are_three_and_their_identities_stay() -> None:
    assert {name: each["uid"] for name, each in DASHBOARDS.items()} == {
        "fleet": "tradingbot-fleet",
        "bot": "tradingbot-bot",
        "operator": "tradingbot-operator",
    }


def test_what_is_shipped_is_what_the_code_says() -> None:
    shipped = {path.stem: path.read_text() for path in (ROOT / FILES / "dashboards").glob("*.json")}
    assert shipped == render_dashboards()
    assert all(text.endswith("}\n") for text in shipped.values())


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_has_what_all_have(name: str) -> None:
    dashboard = DASHBOARDS[name]
    assert dashboard["editable"] is False
    assert dashboard["graphTooltip"] == 1, "one crosshair for all panels"
    assert dashboard["tags"] == ["tradingbot"]
    assert dashboard["description"]
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert list(variables) == (["datasource", "namespace", "bot"] if name == "bot" else ["datasource", "namespace"])
    assert variables["datasource"]["type"] == "datasource"
    assert all(each["datasource"]["uid"] == "${datasource}" for each in variables.values() if each["type"] == "query")
    assert [link["url"] for link in dashboard["links"]] == [
        "/d/tradingbot-fleet",
        "/d/tradingbot-bot",
        "/d/tradingbot-operator",
        "https://tradingbot.dev/docs/runbooks",
    ]


@pytest.mark.parametrize("panel", EVERY_PANEL)
def test_a_panel_says_what_it_is(panel: Json) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert len(panel["description"]) > 25
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["targets"]


@pytest.mark.parametrize("panel", EVERY_PANEL)
def test_a_query_is_about_one_of_our_jobs(panel: Json) -> None:
    for target in panel["targets"]:
        selectors = re.findall(r"\b(\w+)\{([^}]*)\}", target["expr"])
        assert selectors or "objective" in target["expr"], target["expr"]
        for name, matchers in selectors:
            assert name == "ALERTS" or 'job="tradingbot"' in matchers or 'job="tradingbot-operator"' in matchers, target["expr"]


@pytest.mark.parametrize("panel", EVERY_PANEL)
def test_a_legend_names_only_labels_that_the_query_leaves(panel: Json) -> None:
    for target in panel["targets"]:
        for label in LABEL.findall(target.get("legendFormat", "")):
            kept = {name.strip() for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for name in group.split(",")}
            assert label in kept, f"{label} of {target['expr']}"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_no_two_panels_overlap_and_none_stands_out(name: str) -> None:
    places = [panel["gridPos"] for panel in DASHBOARDS[name]["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in itertools.combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)
    numbers = [panel["id"] for panel in DASHBOARDS[name]["panels"]]
    assert len(set(numbers)) == len(numbers)


def test_a_bot_of_the_fleet_leads_to_its_dashboard_and_an_alert_to_its_runbook() -> None:
    links = {
        (panel["title"], override["matcher"]["options"]): each["value"][0]["url"]
        for panel in panels(DASHBOARDS["fleet"])
        for override in panel["fieldConfig"]["overrides"]
        for each in override["properties"]
        if each["id"] == "links"
    }
    chosen = "var-namespace=${__data.fields.Namespace}&var-bot=${__data.fields.Bot}"
    bot = f"/d/tradingbot-bot?{chosen}&${{datasource:queryparam}}&${{__url_time_range}}"
    assert links == {
        ("Alerts", "Alert"): "https://tradingbot.dev/docs/runbooks/${__value.raw}.md",
        ("Alerts", "Bot"): bot,
        ("Bots, the worst first", "Bot"): bot,
    }


def test_lines_stand_where_findings_begin() -> None:
    health = Health()
    steps = {
        panel["title"]: [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        for panel in panels(DASHBOARDS["bot"])
        if panel["type"] == "timeseries" and "thresholds" in panel["fieldConfig"]["defaults"]
    }
    assert steps["Score"] == [None, health.score.critical, health.score.warning, health.score.unhealthy]
    assert steps["CPU"] == [None, health.cpu_percent.elevated / 100, health.cpu_percent.high / 100]
    assert steps["Feed age"] == [None, health.stale_after_seconds]
    assert steps["Caches: hit ratio"] == [None, health.cache_hit_percent.low / 100, health.cache_hit_percent.good / 100]
    (memory,) = (panel for panel in panels(DASHBOARDS["bot"]) if panel["title"] == "Memory and its limit")
    assert memory["targets"][2]["expr"].startswith(f"{health.memory_warning_percent / 100:g} * ")


def test_restarts_and_decisions_are_marked_at_their_own_time() -> None:
    marks = DASHBOARDS["bot"]["annotations"]["list"]
    assert [mark["name"] for mark in marks] == ["Engine started", "Decisions"]
    assert all(mark["useValueForTime"] and mark["expr"].endswith("* 1000") for mark in marks)


def test_every_word_of_a_closed_set_has_a_colour_and_keeps_its_number() -> None:
    for kind, colors in ((Phase, PHASE_COLORS), (EngineState, STATE_COLORS), (Activity, ACTIVITY_COLORS)):
        assert set(colors) == set(kind)
    assert [text for text, _ in mapped(STATE_COLORS).values()] == [state.value for state in EngineState]


def test_names_that_no_table_has_are_those_of_the_operators_process() -> None:
    page = OPERATOR.render().decode()
    for name in (RESIDENT_MEMORY, PROCESS_CPU, PROCESS_START, OPEN_FILES):
        assert re.search(rf"^{name} ", page, re.MULTILINE), name
    assert series_name(OPERATOR.reconciles) == "tradingbot_operator_reconciles_total"
    assert series_name(OPERATOR.reconcile_seconds) == "tradingbot_operator_reconcile_duration_seconds"


def test_the_same_code_gives_the_same_text() -> None:
    assert render_dashboards() == render_dashboards()
    assert [page.name for page in PAGES] == ["fleet", "bot", "operator"]
