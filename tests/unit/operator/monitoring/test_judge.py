"""Which of an installation's objects are made, mended and removed."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from tradingbot_operator.kinds import ObjectKey, key_of
from tradingbot_operator.monitoring.bundle import Bundle
from tradingbot_operator.monitoring.judge import Apply, Remove, Sight, State, Verdict, judge
from tradingbot_operator.monitoring.objects import Installation, Manifest, build_objects
from tradingbot_operator.monitoring.settings import DashboardSettings, Mode, MonitoringSettings, PodMonitorSettings, PrometheusRuleSettings
from tradingbot_operator.names import DESIRED_HASH

PODS = {"app.kubernetes.io/instance": "prod"}
INSTALLATION = Installation(name="prod", namespace="ops", owner={"uid": "u-1"}, operator_pods=PODS)
BUNDLE = Bundle(rules="groups: [{name: a, rules: []}]", dashboards={"fleet": "{}"})
BOTH = frozenset({"podmonitors", "prometheusrules", "probes"})
MONITORS = frozenset({"podmonitors"})
RULES = frozenset({"prometheusrules"})
NONE: frozenset[str] = frozenset()

BOTS, OPERATORS = ObjectKey("PodMonitor", "prod-bots"), ObjectKey("PodMonitor", "prod-operators")
RULE, BOARD = ObjectKey("PrometheusRule", "prod"), ObjectKey("ConfigMap", "prod-dashboard-fleet")
ALL = (BOTS, OPERATORS, RULE, BOARD)

Live = Mapping[ObjectKey, Mapping[str, Any]]


def modes(mode: Mode) -> MonitoringSettings:
    return MonitoringSettings(
        pod_monitor=PodMonitorSettings(mode=mode),
        prometheus_rule=PrometheusRuleSettings(mode=mode),
        dashboards=DashboardSettings(mode=mode),
    )


def desired(settings: MonitoringSettings) -> tuple[Manifest, ...]:
    return build_objects(settings, BUNDLE, INSTALLATION)


def stored(settings: MonitoringSettings | None = None) -> dict[ObjectKey, Manifest]:
    """Return everything as the API server would have it."""
    found = {key_of(manifest): copy.deepcopy(manifest) for manifest in desired(settings or MonitoringSettings())}
    for key, manifest in found.items():
        manifest["metadata"] |= {"uid": f"uid-{key.name}", "resourceVersion": "1", "generation": 3}
    return found


def look(mode: Mode = Mode.AUTO, kinds: frozenset[str] = BOTH, live: Live | None = None, *, going: bool = False) -> Verdict:
    settings = modes(mode)
    return judge(settings, desired(settings), Sight(kinds=kinds, live=live or {}, going=going))


def applied(verdict: Verdict) -> list[ObjectKey]:
    return [key_of(action.manifest) for action in verdict.actions if isinstance(action, Apply)]


def removed(verdict: Verdict) -> list[ObjectKey]:
    return [action.key for action in verdict.actions if isinstance(action, Remove)]


@pytest.mark.parametrize(
    ("mode", "kinds", "made", "unsupported"),
    [
        (Mode.AUTO, BOTH, ALL, ()),
        (Mode.AUTO, MONITORS, (BOTS, OPERATORS), ()),
        (Mode.AUTO, RULES, (RULE, BOARD), ()),
        (Mode.AUTO, NONE, (), ()),
        (Mode.ON, BOTH, ALL, ()),
        (Mode.ON, NONE, (BOARD,), (BOTS, OPERATORS, RULE)),
        (Mode.ON, RULES, (RULE, BOARD), (BOTS, OPERATORS)),
        (Mode.OFF, BOTH, (), ()),
    ],
)
def test_what_is_made_depends_on_the_mode_and_on_the_kinds_of_the_cluster(
    mode: Mode, kinds: frozenset[str], made: tuple[ObjectKey, ...], unsupported: tuple[ObjectKey, ...]
) -> None:
    verdict = look(mode, kinds)
    assert (applied(verdict), removed(verdict)) == (list(made), [])
    assert verdict.states == dict.fromkeys(made, State.PRESENT) | dict.fromkeys(unsupported, State.UNSUPPORTED)


def test_over_what_it_has_made_it_does_nothing() -> None:
    verdict = look(live=stored())
    assert verdict.actions == ()
    assert set(verdict.states.values()) == {State.PRESENT}


def test_other_settings_and_other_versions_are_applied() -> None:
    settings = MonitoringSettings(pod_monitor=PodMonitorSettings(interval="1m"))
    assert applied(judge(settings, desired(settings), Sight(kinds=BOTH, live=stored()))) == [BOTS, OPERATORS]


def test_what_somebody_changed_is_put_back_and_what_others_add_beside_it_stays() -> None:
    live = stored()
    live[BOTS]["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"] = "mine"
    live[RULE]["metadata"]["labels"]["team"] = "desk-1"
    live[RULE]["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] = "x"
    live[OPERATORS]["metadata"]["ownerReferences"] = []
    live[BOARD]["data"] = {}
    verdict = look(live=live)
    assert applied(verdict) == [BOTS, OPERATORS, BOARD]
    (bots, *_) = verdict.actions
    assert isinstance(bots, Apply)
    assert bots.why == "somebody changed spec.selector.matchLabels.app.kubernetes.io/component"


def test_switched_off_ours_are_removed_and_nobody_else_s() -> None:
    live = stored()
    del live[BOTS]["metadata"]["annotations"][DESIRED_HASH]
    live[OPERATORS]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    verdict = look(Mode.OFF, live=live)
    assert verdict.actions == (Remove(RULE, "uid-prod"), Remove(BOARD, "uid-prod-dashboard-fleet"))
    assert verdict.states == {}


def test_where_the_kinds_go_the_dashboards_go_too() -> None:
    assert removed(look(kinds=NONE, live={BOARD: stored()[BOARD]})) == [BOARD]


def test_an_object_of_somebody_else_is_left_alone_and_said() -> None:
    live = stored()
    live[RULE] = {"metadata": {"name": "prod", "uid": "x", "labels": {"team": "desk-1"}}}
    verdict = look(live=live)
    assert verdict.actions == ()
    assert verdict.states[RULE] is State.FOREIGN


def test_one_that_goes_is_made_anew_when_it_is_gone() -> None:
    live = stored()
    live[RULE]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert look(live=live).actions == ()
    del live[RULE]
    assert applied(look(live=live)) == [RULE]


def test_while_the_release_is_removed_nothing_is_made_again() -> None:
    assert look(going=True) == Verdict((), {})


def test_an_operator_that_has_lost_its_deployment_scrapes_no_operators() -> None:
    settings = MonitoringSettings()
    alone = build_objects(settings, BUNDLE, Installation(name="prod", namespace="ops"))
    verdict = judge(settings, alone, Sight(kinds=BOTH, live=stored()))
    assert removed(verdict) == [OPERATORS]
