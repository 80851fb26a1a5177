"""Which of the installation's objects to make, mend or remove: judged from the settings, the cluster's kinds, and what is there.

It looks at levels, so it does not matter what was there before: a kind that appears is used at the next look, and over what it has done it
does nothing more. It touches nothing that somebody else has made, and nothing while the release is being removed.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from tradingbot_operator.drift import differences
from tradingbot_operator.kinds import CONFIG_MAP, POD_MONITOR, PROMETHEUS_RULE, ObjectKey, key_of
from tradingbot_operator.monitoring.settings import Mode, MonitoringSettings
from tradingbot_operator.names import DESIRED_HASH

Manifest = dict[str, Any]

KINDS: Final = (POD_MONITOR, PROMETHEUS_RULE, CONFIG_MAP)


class State(enum.Enum):
    """How it stands with an object that is wanted."""

    PRESENT = "present"
    """It is there as it should be."""
    FAILED = "failed"
    """The API server did not take it."""
    FOREIGN = "foreign"
    """Somebody else has an object of this name."""
    UNSUPPORTED = "unsupported"
    """The cluster does not know its kind."""


class Sight(Struct, frozen=True, kw_only=True):
    """What one look has found."""

    kinds: frozenset[str]
    """Plurals of the Prometheus operator's kinds that the cluster knows."""
    live: Mapping[ObjectKey, Mapping[str, Any]]
    """Of the objects that may be ours, those that are there."""
    going: bool = False
    """Whether the installation is being removed."""


class Apply(Struct, frozen=True):
    """Make an object, or bring it to what it should be."""

    manifest: Manifest
    why: str


class Remove(Struct, frozen=True):
    """Delete an object that is no longer wanted."""

    key: ObjectKey
    uid: str


class Verdict(Struct, frozen=True):
    """What is to be done, and how each wanted object stands if that succeeds."""

    actions: tuple[Apply | Remove, ...]
    states: dict[ObjectKey, State]


def judge(settings: MonitoringSettings, desired: tuple[Manifest, ...], sight: Sight) -> Verdict:
    """Return what is to be done."""
    if sight.going:
        return Verdict((), {})
    actions: list[Apply | Remove] = []
    states: dict[ObjectKey, State] = {}
    wanted = {key_of(manifest): manifest for manifest in desired if _is_wanted(settings, manifest["kind"], sight.kinds)}
    for key, manifest in wanted.items():
        live = sight.live.get(key)
        if not _is_known(key.kind, sight.kinds):
            states[key] = State.UNSUPPORTED
        elif live is not None and not _is_ours(live):
            states[key] = State.FOREIGN
        else:
            states[key] = State.PRESENT
            why = _why_applied(manifest, live)
            if why:
                actions.append(Apply(manifest, why))
    for key, live in sight.live.items():
        if key not in wanted and _is_ours(live) and "deletionTimestamp" not in live["metadata"]:
            actions.append(Remove(key, live["metadata"]["uid"]))
    return Verdict(tuple(actions), states)


def _is_wanted(settings: MonitoringSettings, kind: str, kinds: frozenset[str]) -> bool:
    mode = {
        POD_MONITOR.name: settings.pod_monitor.mode,
        PROMETHEUS_RULE.name: settings.prometheus_rule.mode,
        CONFIG_MAP.name: settings.dashboards.mode,
    }[kind]
    # A dashboard stands on the recording rules, so where there can be none it is not made unasked.
    needed = POD_MONITOR.plural if kind == POD_MONITOR.name else PROMETHEUS_RULE.plural
    return mode is Mode.ON or (mode is Mode.AUTO and needed in kinds)


def _is_known(kind: str, kinds: frozenset[str]) -> bool:
    return kind == CONFIG_MAP.name or next(each.plural for each in KINDS if each.name == kind) in kinds


def _is_ours(live: Mapping[str, Any]) -> bool:
    return DESIRED_HASH in (live["metadata"].get("annotations") or {})


def _why_applied(manifest: Manifest, live: Mapping[str, Any] | None) -> str:
    """Return why an object has to be applied; empty when it need not be, or goes and is made anew when it is gone."""
    if live is None:
        return "it is not there"
    if "deletionTimestamp" in live["metadata"]:
        return ""
    if live["metadata"]["annotations"][DESIRED_HASH] != manifest["metadata"]["annotations"][DESIRED_HASH]:
        return "the settings or the operator's version want it otherwise"
    drift = differences(manifest, live)
    return f"somebody changed {', '.join(str(each) for each in drift)}"[:512] if drift else ""
