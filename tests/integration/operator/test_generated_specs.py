"""More than a thousand specs against the real API server, made from the schema itself: each is refused with a message that names the field,
or taken, made into pods and converged; ``parse_bot`` agrees on every one; the operator never fails.

What was covered is counted and printed: every bound broken and kept, every default applied, every CEL rule refusing and admitting.
"""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from api_client import Object, RefusedError
from bot_rig import BotView, Rig, eventually
from generated_specs import all_defaults, applied_defaults, mutants, specs, walk
from operator_process import OperatorProcess
from tradingbot_contract.document import VERSION, SpecError
from tradingbot_operator.resource import parse_bot
from tradingbot_operator.schema import build_schema

ROOT: Final = Path(__file__).resolve().parents[3]
SCHEMA: Final = build_schema()["properties"]["spec"]
WHOLE: Final = yaml.safe_load((ROOT / "manifests" / "samples" / "every-field.yaml").read_text())["spec"]
"""A valid spec that names every field."""
OPEN: Final = tuple(
    node.path[2] for node in walk(SCHEMA) if node.path[:2] == ("spec", "engine") and node.schema.get("x-kubernetes-preserve-unknown-fields")
)
"""Sections of the engine whose contents belong to Kubernetes."""
MADE_BY_CHANCE: Final = 300
PODS_AT_MOST: Final = 4
"""Of a bot that is made by chance; that the schema's own bound is taken is another test's business."""


class Tried(NamedTuple):
    """What became of a spec."""

    refused: str
    """By the API server, with these words; empty: it was taken."""
    stored: Object
    """As the API server has it."""


class Trial:
    """Gives specs to the API server and to ``parse_bot``, and remembers what must come of them."""

    def __init__(self, rig: Rig, namespace: str) -> None:
        self.rig = rig
        self.namespace = namespace
        self.taken: list[BotView] = []
        self.problems: list[str] = []
        self.counts: Counter[str] = Counter()
        self.refusals: set[tuple[str, str]] = set()
        """Rules that have refused a spec."""
        self.admissions: set[tuple[str, str]] = set()
        """Rules that were asked and have refused nothing."""
        self._numbers = itertools.count()

    def submit(self, spec: Any, *, what: str, name: str = "", rehearsal: bool = False) -> Tried:
        """Make a bot of a spec, if the API server takes it; in a rehearsal it says what it would do, and does not."""
        bot = name or f"bot-{next(self._numbers)}"
        made = {"apiVersion": VERSION, "kind": "TradingBot", "metadata": {"name": bot, "namespace": self.namespace}, "spec": spec}
        try:
            query = {"fieldValidation": "Strict"} | ({"dryRun": "All"} if rehearsal else {})
            tried = Tried("", self.rig.api.create("tradingbots", self.namespace, made, **query))
            if not rehearsal:
                self.taken.append(self.rig.bot(self.namespace, bot))
        except RefusedError as error:
            tried = Tried(str(error), {})
        self._judge(made, tried, what)
        return tried

    def change(self, bot: BotView, change: Object) -> str:
        """Change the spec of a bot that is there; return why the API server refused, or an empty text."""
        before = bot.read()["spec"]
        self.counts["specs"] += 1
        try:
            after = self.rig.api.patch("tradingbots", bot.name, self.namespace, {"spec": change})["spec"]
        except RefusedError as error:
            self.counts["refused"] += 1
            self.note_rules(str(error), {}, updates=True)
            return str(error)
        self.counts["taken"] += 1
        self.note_rules("", after, updates=True, before=before)
        return ""

    def note_rules(self, refused: str, spec: Any, *, updates: bool, before: Any = None) -> None:
        """Remember which rules have had their say."""
        for path, rule in rules():
            if refused:
                if rule["message"] in refused and path.rstrip("[]") in refused:
                    self.refusals.add((path, rule["message"]))
            elif ("oldSelf" not in rule["rule"] or (updates and _at(before, path) is not None)) and _at(spec, path) is not None:
                self.admissions.add((path, rule["message"]))

    def _judge(self, made: Object, tried: Tried, what: str) -> None:
        self.counts["specs"] += 1
        self.counts["refused" if tried.refused else "taken"] += 1
        self.note_rules(tried.refused, tried.stored.get("spec"), updates=False)
        try:
            parse_bot(made)
            own = ""
        except SpecError as error:
            own = str(error)
        if bool(own) != bool(tried.refused):
            self.problems.append(f"{what}: the API server says {tried.refused or 'yes'!r}, parse_bot says {own or 'yes'!r}")
        if not tried.refused:
            try:
                parse_bot(tried.stored)
            except SpecError as error:
                self.problems.append(f"{what}: parse_bot does not read what is stored: {error}")

    def wait_converged(self) -> None:
        """Wait until the operator has made of every bot what its spec says; then delete them and wait until they are gone."""
        eventually("every bot has converged", lambda: not self._not_converged(), within_seconds=240, every_seconds=1, explain=self._explain)
        self.rig.api.ask("DELETE", f"/apis/{VERSION}/namespaces/{self.namespace}/tradingbots")
        eventually("every bot is gone", lambda: not self.rig.api.items("tradingbots", self.namespace), within_seconds=120, every_seconds=1)

    def _not_converged(self) -> list[Object]:
        names = {bot.name for bot in self.taken}
        there = self.rig.api.items("tradingbots", self.namespace)
        return [bot for bot in there if bot["metadata"]["name"] in names and not _is_converged(bot)]

    def _explain(self) -> str:
        missing = self._not_converged()
        told = [f"{bot['metadata']['name']}: {(bot.get('status') or {}).get('conditions')}" for bot in missing[:5]]
        return "\n".join(
            [f"{len(missing)} have not", *told, self.rig.bot(self.namespace, missing[0]["metadata"]["name"]).explain()] if missing else []
        )


def _is_converged(bot: Object) -> bool:
    """Return whether everything is as the spec wants it, or the operator says which field it is that Kubernetes itself does not take.

    The latter is for sections whose contents belong to Kubernetes, and which the schema leaves open.
    """
    conditions = {condition["type"]: condition for condition in (bot.get("status") or {}).get("conditions", [])}
    if any(condition.get("observedGeneration") != bot["metadata"]["generation"] for condition in conditions.values()):
        return False
    wanted = {"Accepted": "True", "Progressing": "False", "Ready": "True"}
    if bot["spec"]["lifecycle"]["state"] == "Stopped":
        wanted = {"Accepted": "Unknown", "Progressing": "False", "Ready": "False"}  # there is no engine to say anything
    said = {kind: condition["status"] for kind, condition in conditions.items()}
    progress = conditions.get("Progressing", {})
    if progress.get("reason") == "ChildRefused":
        return any(f".{name}" in progress["message"] for name in OPEN if name in bot["spec"]["engine"])
    return all(said.get(kind) == status for kind, status in wanted.items()) and progress["reason"] == "UpToDate"


def rules() -> Iterator[tuple[str, Object]]:
    """Return every CEL rule of the schema, with the path that it stands at."""
    for node in walk(SCHEMA):
        for rule in node.schema.get("x-kubernetes-validations", ()):
            yield node.name, rule


def _at(spec: Any, path: str) -> Any:
    """Return what a spec has at a path of the schema, or None."""
    value = spec
    for name in path.split(".")[1:]:
        if not isinstance(value, dict):
            return None
        value = value.get(name.removesuffix("[]"))
        if name.endswith("[]"):
            value = value[0] if value else None
    return value


def _alone(spec: Any, account: str) -> Any:
    """Give a spec an account of its own, so that no two of the fleet stand in each other's way."""
    if isinstance(spec, dict) and isinstance(spec.get("broker"), dict) and isinstance(spec["broker"].get("account"), str):
        spec = copy.deepcopy(spec)
        spec["broker"]["account"] = account
    return spec


@pytest.fixture
def operator(rig: Rig, namespace: str) -> Iterator[OperatorProcess]:
    with rig.operator(namespace) as operator:
        yield operator
        assert operator.is_running
        assert not operator.bad_lines()


@pytest.fixture
def trial(rig: Rig, namespace: str, operator: OperatorProcess) -> Trial:  # noqa: ARG001 - it has to run
    return Trial(rig, namespace)


def test_each_bound_is_kept_by_the_api_server_and_parse_bot_alike_and_what_is_within_it_converges(trial: Trial) -> None:
    covered = set()
    for number, mutant in enumerate(mutants(SCHEMA, WHOLE)):
        is_account = mutant.field == "account"
        tried = trial.submit(mutant.spec if is_account else _alone(mutant.spec, f"account-{number}"), what=mutant.what)
        covered.add(mutant.what.partition(":")[0])
        trial.counts["broken bounds" if mutant.breaks else "bounds kept"] += 1
        if mutant.breaks and not tried.refused:
            trial.problems.append(f"{mutant.what}: it was taken")
        if mutant.breaks and tried.refused and mutant.field not in tried.refused:
            trial.problems.append(f"{mutant.what}: the refusal does not name {mutant.field}: {tried.refused}")
        if not mutant.breaks and tried.refused and not any(name in tried.refused for name in mutant.what.partition(":")[0].split(".")[1:]):
            trial.problems.append(f"{mutant.what}: the refusal does not name the field: {tried.refused}")
    missed = {node.name for node in walk(SCHEMA)} - covered
    print(dict(trial.counts), "places of the schema:", len(covered))
    assert not missed, "manifests/samples/every-field.yaml does not name them"
    assert not trial.problems, "\n".join(trial.problems)
    trial.wait_converged()


def test_each_default_is_applied_by_the_api_server(trial: Trial) -> None:
    applied: Counter[str] = Counter()
    for number, node in enumerate(walk(SCHEMA)):
        if "default" not in node.schema:
            continue
        spec = _without(WHOLE, node.path[1:])
        tried = trial.submit(_alone(spec, f"account-{number}"), what=f"{node.name} left out", rehearsal=True)
        assert not tried.refused, f"{node.name} left out: {tried.refused}"
        for path, default, stored in applied_defaults(SCHEMA, spec, tried.stored["spec"]):
            assert _contains(stored, default), f"{path}: {default} is the default, {stored} is stored"
            applied[path] += 1
    print(dict(trial.counts), f"defaults applied: {len(applied)}")
    assert all_defaults(SCHEMA) == set(applied)
    assert not trial.submit(_without_defaults(SCHEMA, WHOLE), what="all defaults left out").refused
    assert not trial.problems, "\n".join(trial.problems)
    trial.wait_converged()


def test_specs_made_by_chance_are_refused_or_converge(trial: Trial) -> None:
    names = itertools.count()

    @settings(max_examples=MADE_BY_CHANCE, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(specs(SCHEMA))
    def attempt(spec: Any) -> None:
        if isinstance(spec.get("scaling"), dict) and spec["scaling"].get("replicas", 1) > PODS_AT_MOST:
            spec = {**spec, "scaling": {**spec["scaling"], "replicas": PODS_AT_MOST}}
        trial.submit(_alone(spec, f"account-{next(names)}"), what=f"{spec}")

    attempt()
    print(dict(trial.counts))
    assert not trial.problems, "\n".join(trial.problems[:20])
    assert trial.counts["taken"] > MADE_BY_CHANCE // 5, "hardly anything that is made is valid"
    trial.wait_converged()


Case = tuple[Object, Object]
"""Changes of the whole spec: the first breaks a rule, the second keeps it."""

DATABASE: Final = {"urlSecretRef": {"name": "postgres"}}

ON_CREATION: Final[dict[tuple[str, str], Case]] = {
    ("spec", "memory:"): ({"cache": {"memoryLimit": "500Mi"}}, {"cache": {"memoryLimit": "200Mi"}}),
    ("spec", "scaling.replicas is more than 1"): (
        {"scaling": {"replicas": 2}, "database": {"urlSecretRef": None}},
        {"scaling": {"replicas": 2}, "database": DATABASE},
    ),
    ("spec", "scaling.replicas is more than there are"): (
        {"scaling": {"replicas": 3}, "market": {"symbols": ["A", "B"]}},
        {"scaling": {"replicas": 2}, "market": {"symbols": ["A", "B"]}},
    ),
    ("spec", "health.remediation.memoryCeiling"): (
        {"health": {"remediation": {"memoryCeiling": "511Mi"}}},
        {"health": {"remediation": {"memoryCeiling": "512Mi"}}},
    ),
    ("spec.market.news", "news.type is file"): (
        {"market": {"news": {"type": "file", "file": None}}},
        {"market": {"news": {"type": "file"}}},
    ),
    ("spec.market.news", "news.type is http"): (
        {"market": {"news": {"type": "http", "http": None}}},
        {"market": {"news": {"type": "http"}}},
    ),
    ("spec.engine.resources", "requests.memory"): (
        {"engine": {"resources": {"requests": {"memory": "513Mi"}}}},
        {"engine": {"resources": {"requests": {"memory": "512Mi"}}}},
    ),
    ("spec.engine.resources", "requests.cpu"): (
        {"engine": {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}}}},
        {"engine": {"resources": {"requests": {"cpu": "1.5"}, "limits": {"cpu": "1500m"}}}},
    ),
    ("spec.engine.resources.limits", "memory must be at least"): (
        {"engine": {"resources": {"limits": {"memory": "63Mi"}, "requests": {"memory": "10Mi"}}}},
        {"engine": {"resources": {"limits": {"memory": "512Mi"}}}},
    ),
    ("spec.engine", "nodeSelector must name"): (
        {"engine": {"nodeSelector": {"two words": "linux"}}},
        {"engine": {"nodeSelector": {"example.com/zone": "a"}}},
    ),
    ("spec.engine", "podLabels must name"): (
        {"engine": {"podLabels": {"two words": "x"}}},
        {"engine": {"podLabels": {"example.com/team": "x"}}},
    ),
    ("spec.engine", "podAnnotations must name"): (
        {"engine": {"podAnnotations": {"two words": "x"}}},
        {"engine": {"podAnnotations": {"example.com/team": "two words"}}},
    ),
    ("spec.engine", "podLabels must not have"): (
        {"engine": {"podLabels": {"app.kubernetes.io/instance": "x"}}},
        {"engine": {"podLabels": {"app.kubernetes.io/version": "x"}}},
    ),
    ("spec.engine", "podAnnotations must not have"): (
        {"engine": {"podAnnotations": {"tradingbot.dev/restart": "x"}}},
        {"engine": {"podAnnotations": {"prometheus.io/scrape": "true"}}},
    ),
    ("spec.engine.tolerations[]", "a toleration without key"): (
        {"engine": {"tolerations": [{"value": "x"}]}},
        {"engine": {"tolerations": [{"operator": "Exists"}]}},
    ),
    ("spec.engine.tolerations[]", "a toleration with operator Exists"): (
        {"engine": {"tolerations": [{"key": "a", "operator": "Exists", "value": "x"}]}},
        {"engine": {"tolerations": [{"key": "a", "value": "x"}]}},
    ),
    ("spec.engine.tolerations[]", "tolerationSeconds needs"): (
        {"engine": {"tolerations": [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 1}]}},
        {"engine": {"tolerations": [{"key": "a", "effect": "NoExecute", "tolerationSeconds": 1}]}},
    ),
    ("spec.strategy", "name must begin with the module"): (
        {"strategy": {"name": "yours:Mine", "source": {"configMap": {"name": "own", "key": "mine.py"}}}},
        {"strategy": {"name": "mine:Mine", "source": {"configMap": {"name": "own", "key": "mine.py"}}}},
    ),
    ("spec.broker.paper", "balances must be named"): (
        {"broker": {"paper": {"balances": {"A" * 17: 1}}}},
        {"broker": {"paper": {"balances": {"A" * 16: 1}}}},
    ),
    ("spec.database.storage", "size must be more than nothing"): (
        {"database": {"storage": {"size": "0.0Gi"}}},
        {"database": {"storage": {"size": "0.5Gi"}}},
    ),
    ("spec.cache.pressure", "growBelowPercent"): (
        {"cache": {"pressure": {"growBelowPercent": 80, "shrinkAbovePercent": 80}}},
        {"cache": {"pressure": {"growBelowPercent": 79, "shrinkAbovePercent": 80}}},
    ),
    **{
        (f"spec.health.{name}", "elevated must be below high"): (
            {"health": {name: {"elevated": 50, "high": 50}}},
            {"health": {name: {"elevated": 49, "high": 50}}},
        )
        for name in ("cpuPercent", "memoryPercent", "errorPercent", "responseSeconds")
    },
    ("spec.health.cacheHitPercent", "low must be below good"): (
        {"health": {"cacheHitPercent": {"low": 50, "good": 50}}},
        {"health": {"cacheHitPercent": {"low": 49, "good": 50}}},
    ),
    ("spec.health.score", "must be in order"): (
        {"health": {"score": {"critical": 60, "warning": 60, "unhealthy": 70}}},
        {"health": {"score": {"critical": 10, "warning": 60, "unhealthy": 70}}},
    ),
    ("spec.health.window", "failing must not be more"): (
        {"health": {"window": {"samples": 3, "failing": 4}}},
        {"health": {"window": {"samples": 3, "failing": 3}}},
    ),
    ("spec.health.remediation.excludedPeriods[]", "start and end must differ"): (
        {"health": {"remediation": {"excludedPeriods": [{"start": "09:00", "end": "09:00"}]}}},
        {"health": {"remediation": {"excludedPeriods": [{"start": "09:00", "end": "08:59"}]}}},
    ),
}
"""By path and the first words of the message."""

ON_CHANGE: Final[dict[tuple[str, str], Case]] = {
    ("spec.broker", "broker.account is immutable"): ({"broker": {"account": "other"}}, {"broker": {"type": "paper"}}),
    ("spec.database", "urlSecretRef can't be added"): (
        {"database": {"urlSecretRef": None}},
        {"database": {"urlSecretRef": {"name": "other"}}},
    ),
    ("spec.database.storage", "size can grow"): ({"database": {"storage": {"size": "1023Mi"}}}, {"database": {"storage": {"size": "2Gi"}}}),
    ("spec.database.storage", "className is immutable"): (
        {"database": {"storage": {"className": "other"}}},
        {"database": {"storage": {"className": "standard"}}},
    ),
}


def test_each_rule_over_several_fields_refuses_and_admits(trial: Trial) -> None:
    for number, (key, (bad, good)) in enumerate(ON_CREATION.items()):
        refused = trial.submit(_alone(_merged(WHOLE, bad), f"bad-{number}"), what=f"{key} broken").refused
        assert key[1] in refused, f"{key}: {refused or 'it was taken'}"
        kept = trial.submit(_alone(_merged(WHOLE, good), f"good-{number}"), what=f"{key} kept").refused
        assert not kept, f"{key}: {kept}"
    for number, (key, (bad, good)) in enumerate(ON_CHANGE.items()):
        trial.submit(_alone(WHOLE, f"changed-{number}"), what="to be changed", name=f"changed-{number}")
        bot = trial.rig.bot(trial.namespace, f"changed-{number}")
        refused = trial.change(bot, bad)
        assert key[1] in refused, f"{key}: {refused or 'it was taken'}"
        kept = trial.change(bot, good)
        assert not kept, f"{key}: {kept}"
    all_rules = {(path, rule["message"]) for path, rule in rules()}
    # A field with one value only can't be changed to another one: its rule waits for the second value.
    waiting = {(path, rule["message"]) for path, rule in rules() if _can_never_refuse(path, rule)}
    print(
        dict(trial.counts),
        f"rules: {len(all_rules)}, refused: {len(trial.refusals)}, admitted: {len(trial.admissions)}, waiting: {waiting}",
    )
    assert trial.refusals == all_rules - waiting, "add a case above for what is missing"
    assert trial.admissions == all_rules
    assert not trial.problems, "\n".join(trial.problems)
    trial.wait_converged()


NAMES: Final = (("a", True), ("a" * 40, True), ("a" * 41, False), ("A", False), ("1a", False), ("a-", False), ("a.b", False), ("a-1", True))


def test_a_name_that_its_pods_could_not_have_is_refused(trial: Trial) -> None:
    for name, fits in NAMES:
        tried = trial.submit({"strategy": {"name": "ema-cross"}, "market": {"symbols": ["A"]}}, what=name, name=name)
        assert bool(tried.refused) is not fits, name
        assert fits or "metadata.name" in tried.refused
    assert not trial.problems, "\n".join(trial.problems)
    trial.wait_converged()


def _can_never_refuse(path: str, rule: Object) -> bool:
    if rule["rule"] != "self.type == oldSelf.type":
        return False
    return any(len(node.schema["enum"]) == 1 for node in walk(SCHEMA) if node.name == f"{path}.type")


def _without(spec: Object, path: tuple[str, ...]) -> Object:
    made = copy.deepcopy(spec)
    inside: Any = made
    for name in path[:-1]:
        inside = inside[0] if name == "[]" else inside[name]
    inside.pop(path[-1], None)
    return made


def _without_defaults(schema: Object, spec: Object) -> Object:
    """Return a spec without whatever has a default."""
    entries = {name: entry for name, entry in schema.get("properties", {}).items() if name in spec and "default" not in entry}
    return {
        name: _without_defaults(entry, spec[name]) if entry["type"] == "object" and "properties" in entry else spec[name]
        for name, entry in entries.items()
    }


def _merged(spec: Object, change: Object) -> Object:
    made = copy.deepcopy(spec)
    for name, value in change.items():
        if value is None:
            made.pop(name, None)
        elif isinstance(value, dict) and isinstance(made.get(name), dict):
            made[name] = _merged(made[name], value)
        else:
            made[name] = value
    return made


def _contains(stored: Any, default: Any) -> bool:
    """Return whether what is stored is the default; the parts of a default have defaults of their own."""
    if isinstance(default, dict) and isinstance(stored, dict):
        return all(_contains(stored.get(name), value) for name, value in default.items())
    return bool(stored == default)
