from __future__ import annotations

import inspect
import re

from prometheus_client.parser import text_string_to_metric_families

from tradingbot_operator.bot_metrics import BOT_METRICS
from tradingbot_operator.bot_status import Phase
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.metrics_reference import render_operator_metrics_reference
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import holds
from tradingbot_operator.remediation.ladder import LADDERS, Step


def value(metrics: OperatorMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"tradingbot_operator_{name}", labels)


def test_what_is_served_is_described_with_its_kind_and_labels() -> None:
    metrics = OperatorMetrics()
    served = {
        f"{family.name}_total" if family.type == "counter" else family.name: family.type
        for family in text_string_to_metric_families(metrics.render().decode())
        if not family.name.startswith("process_")
    }
    assert served == {each.name: each.kind for each in metrics.described}
    page = render_operator_metrics_reference(metrics.described, BOT_METRICS)
    for each in metrics.described:
        assert f"| `{each.name}` | {each.kind} |" in page


def test_decisions_are_counted_by_action_reason_and_result() -> None:
    metrics = OperatorMetrics()
    metrics.count_decision("RestartPod", Reason.ENGINE_SILENT)
    metrics.count_decision("RestartPod", "EngineSilent")
    metrics.count_result("RestartPod", "Helped")
    metrics.count_held(Reason.FLEET_SICK)
    metrics.count_restart(Reason.SPEC_CHANGED)
    assert value(metrics, "decisions_total", action="RestartPod", reason="EngineSilent") == 2.0
    assert value(metrics, "decision_results_total", action="RestartPod", result="Helped") == 1.0
    assert value(metrics, "held_decisions_total", reason="FleetSick") == 1.0
    assert value(metrics, "restarts_total", reason="SpecChanged") == 1.0


def test_every_phase_has_a_count_also_one_that_no_bot_is_in() -> None:
    metrics = OperatorMetrics()
    metrics.show_phases({"Running": 3})
    assert value(metrics, "bots", phase="Running") == 3.0
    assert all(value(metrics, "bots", phase=phase.value) == 0.0 for phase in Phase if phase is not Phase.RUNNING)


def test_what_remediation_counts_is_there_before_it_happens_so_that_the_first_time_is_seen() -> None:
    metrics = OperatorMetrics()
    for step in Step:
        for cause in LADDERS:
            assert value(metrics, "decisions_total", action=step.value, reason=cause.value) == 0.0
        assert value(metrics, "decision_results_total", action=step.value, result="DidNotHelp") == 0.0
    held = {Reason[name] for name in re.findall(r"Reason\.([A-Z_]+)\)", inspect.getsource(holds))}
    assert held
    for reason in held:
        assert value(metrics, "held_decisions_total", reason=reason.value) == 0.0, reason
