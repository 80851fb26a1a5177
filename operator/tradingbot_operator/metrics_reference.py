"""Renders the tables of metrics for people: a bot's by the name that Prometheus gives it and by OpenTelemetry's, the operator's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tradingbot_contract.metrics import ENGINE, OBSERVER, Instrument, Kind, prometheus_label, prometheus_name
from tradingbot_operator.metrics import Described

_NOTICE: Final = "Generated from the typed models by `python -m tradingbot_operator.generate`; changes here are overwritten."
_HEAD: Final = "| Prometheus | OpenTelemetry | kind | unit | labels | |"
_INTRODUCTION: Final = (
    "Engine and observer serve these on `/metrics`, ports 8080 and 8081 of a bot's pod. The first column is what Prometheus stores: dots "
    "become underscores, the unit is appended, a counter ends with `_total`. A collector that gets the engine's metrics by OTLP "
    "(`observability.otlpEndpoint`) sees the second column. A figure that isn't known is absent, never 0. Labels are bounded sets: symbols "
    "of the spec, enums, names of pools and caches; `target_info` tells whose engine it is: `service_instance_id` is the pod's UID. "
    "`OTEL_SDK_DISABLED=true` in the engine's environment turns its metrics off."
)

_OPERATOR_HEAD: Final = "| metric | kind | labels | |"
_OPERATOR_INTRODUCTION: Final = (
    "The operator serves these on `/metrics`, port 8080 of its pods, beside `process_*` of its own process. Both operators serve them: the "
    "one that waits counts its watches and calls, and nothing of bots. Labels are bounded sets; only the second table names bots. "
    "A `reason` is a word of the closed set that also stands in conditions, Events and logs."
)

_BOTS_INTRODUCTION: Final = (
    "Only the operator that leads serves these: what its last pass over each bot found, also for one that has no pod. They have "
    "`bot_namespace` and `bot` where series of a bot's own pod have `namespace` and `bot`: here, `namespace` is the operator's. "
    "After a change of the lead a bot is back when it has been looked at, within seconds. A bot with one engine has some 15 of them."
)


def render_metrics_reference() -> str:
    """Return the page."""
    parts = ["# Metrics", f"<!-- {_NOTICE} -->", _INTRODUCTION]
    parts += ["## Engine\n\n" + _table(ENGINE), "## Observer\n\n" + _table(OBSERVER)]
    return "\n\n".join(parts) + "\n"


def render_operator_metrics_reference(described: Sequence[Described], of_bots: Sequence[Described]) -> str:
    """Return the page of the operator's own metrics."""
    parts = ["# Metrics of the operator", f"<!-- {_NOTICE} -->", _OPERATOR_INTRODUCTION, _operator_table(described)]
    parts += ["## Of single bots", _BOTS_INTRODUCTION, _operator_table(of_bots)]
    return "\n\n".join(parts) + "\n"


def _operator_table(described: Sequence[Described]) -> str:
    rows = [f"| `{each.name}` | {each.kind} | {', '.join(f'`{label}`' for label in each.labels)} | {each.text} |" for each in described]
    return "\n".join([_OPERATOR_HEAD, "|---" * (_OPERATOR_HEAD.count("|") - 1) + "|", *rows])


def _table(instruments: Sequence[Instrument]) -> str:
    return "\n".join([_HEAD, "|---" * (_HEAD.count("|") - 1) + "|", *(_row(instrument) for instrument in instruments)])


def _row(instrument: Instrument) -> str:
    labels = ", ".join(f"`{prometheus_label(attribute)}`" for attribute in instrument.attributes)
    text = instrument.description
    if instrument.kind is Kind.HISTOGRAM:
        bounds = instrument.buckets
        text += f" {len(bounds)} buckets from {bounds[0]:g} to {bounds[-1]:g}."
    cells = (f"`{prometheus_name(instrument)}`", f"`{instrument.name}`", instrument.kind.value, f"`{instrument.unit}`", labels, text)
    return "| " + " | ".join(cells) + " |"
