"""Gathers what the operator would look at in its next pass over a bot, from outside: the same facts, for its own judgement.

What can't be had is named and counts as Unknown, exactly as for the operator: no report of an observer, no right to look at other bots, no
settings of the operator.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import Struct

from tradingbot_cli.bot_view import read_view
from tradingbot_cli.cluster import Cluster
from tradingbot_cli.connection import Object
from tradingbot_cli.errors import FailedError, RefusedError
from tradingbot_contract.document import SpecError
from tradingbot_contract.endpoints import OBSERVER_PORT, REPORT_PATH
from tradingbot_operator.accounts import Claim
from tradingbot_operator.bot_status import ConditionStatus, TradingBotStatus, parse_status
from tradingbot_operator.cache import BotKey
from tradingbot_operator.claims import read_claims
from tradingbot_operator.kinds import BOT, CHILD_KINDS, DEPLOYMENT, key_of
from tradingbot_operator.metrics_sources.report_view import Target, parse_report
from tradingbot_operator.names import COMPONENT_LABEL, shard_of
from tradingbot_operator.pod_facts import read_pod_facts
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import PLIGHTS
from tradingbot_operator.resource import parse_bot
from tradingbot_operator.settings import MetricsSource, OperatorSettings, settings_from_env
from tradingbot_operator.world import FleetFacts, PodFacts, ReportView, World

OPERATOR_SELECTOR: Final = f"app.kubernetes.io/part-of=tradingbot,{COMPONENT_LABEL}=operator"
"""Whatever the installation calls it."""
_AT_ONCE: Final = 8
_CAUSES: Final = frozenset(reason.value for reason in PLIGHTS)


class OperatorView(Struct, frozen=True, kw_only=True):
    """The operator itself."""

    found: bool = False
    """Whether its Deployment could be read."""
    ready: int = 0
    where: str = ""


class Situation(Struct, frozen=True, kw_only=True):
    """What one look at a bot from outside gives."""

    world: World | None
    """None: the stored resource can't be read; `problem` says why."""
    problem: str = ""
    settings: OperatorSettings
    operator: OperatorView
    events: tuple[Object, ...]
    unknown: tuple[str, ...]
    """What could not be had, each in a sentence."""


def read_situation(cluster: Cluster, name: str) -> Situation:
    """Return all that bears on a bot.

    Raises:
        RefusedError: there is no such bot.
    """
    unknown: list[str] = []

    def listed(what: str, read: Callable[[], list[Object]]) -> list[Object]:
        try:
            return read()
        except (FailedError, RefusedError) as error:
            unknown.append(f"{what}: {error.message}")
            return []

    body = cluster.read_bot(name)
    children = {
        key_of(child): child for kind in CHILD_KINDS for child in listed(f"its {kind.plural}", partial(cluster.list_children, name, kind))
    }
    pods = tuple(read_pod_facts(pod) for pod in listed("its pods", partial(cluster.list_pods, name)))
    reports = _read_reports(cluster, name, pods, unknown)
    others = listed("the other bots (fleet, accounts)", partial(cluster.list_objects, BOT, None)) or [body]
    found = partial(cluster.list_objects, DEPLOYMENT, None, labelSelector=OPERATOR_SELECTOR)
    deployments = listed("the operator, so its defaults are assumed", found)
    operator, known = _read_operator(deployments, cluster.namespace, unknown)
    settings = known or OperatorSettings(engine_image="unknown")
    source = describe_source(known)
    if source:
        unknown.append(source)
    events = tuple(listed("its Events", partial(cluster.list_events, body)))
    world, problem = None, ""
    try:
        bot = parse_bot(body)
        account = bot.spec.broker.account
        world = World(
            bot=bot,
            status=_status(body),
            children=children,
            pods=tuple(pod for pod in pods if shard_of(bot, pod.name) is not None),
            reports=reports,
            fleet=count_fleet(others, settings.namespaces, this=BotKey(cluster.namespace, name)),
            claims=_claims(others, account) if account else (),
            now=time.time(),
        )
    except SpecError as error:
        problem = str(error)
    return Situation(world=world, problem=problem, settings=settings, operator=operator, events=events, unknown=tuple(unknown))


def count_fleet(bodies: Iterable[Mapping[str, Any]], namespaces: Sequence[str], *, this: BotKey) -> FleetFacts:
    """Return how all bots of an operator are, by what it last wrote of each.

    Args:
        bodies: of all bots.
        namespaces: of the operator; none: all.
        this: the bot that is looked at; as for the operator it counts as sick, whatever its status says yet.
    """
    judged = sick = 1
    for body in bodies:
        bot = read_view(body)
        if BotKey(bot.namespace, bot.name) == this:
            continue
        healthy = bot.status.condition("Healthy")
        if (namespaces and bot.namespace not in namespaces) or healthy is None or healthy.status is ConditionStatus.UNKNOWN:
            continue
        judged += 1
        sick += healthy.status is ConditionStatus.FALSE and healthy.reason in _CAUSES
    return FleetFacts(judged=judged, sick=sick)


def read_settings(deployment: Mapping[str, Any]) -> OperatorSettings:
    """Return the settings that an operator's Deployment gives it.

    Raises:
        SpecError: they are of another release.
    """
    namespace = deployment["metadata"]["namespace"]
    given: dict[str, str] = {}
    for container in deployment["spec"]["template"]["spec"]["containers"]:
        for variable in container.get("env") or ():
            # What comes from elsewhere is the pod's own namespace and the like.
            given |= {variable["name"]: variable["value"]} if "value" in variable else {}
    return settings_from_env(given, own_namespace=namespace)


def describe_source(settings: OperatorSettings | None) -> str:
    """Return in what the reports here may differ from the operator's; empty where it has them from the same place.

    Args:
        settings: of the operator; None: they are not known.
    """
    if settings is None:
        return "where the operator learns how engines are: here the observers themselves were asked"
    if settings.metrics_source is MetricsSource.PROMETHEUS:
        return (
            "what Prometheus knows of the engines, by which the operator judges: here the observers themselves were asked, "
            f"and what the operator goes by may be up to {settings.prometheus_max_age_seconds:g} s older"
        )
    return ""


def _read_operator(
    deployments: Sequence[Mapping[str, Any]], namespace: str, unknown: list[str]
) -> tuple[OperatorView, OperatorSettings | None]:
    """Return the operator that looks after a namespace, and its settings, None if they can't be read."""
    for deployment in deployments:
        metadata = deployment["metadata"]
        where = f"{metadata['namespace']}/{metadata['name']}"
        view = OperatorView(found=True, ready=(deployment.get("status") or {}).get("readyReplicas", 0), where=where)
        try:
            settings = read_settings(deployment)
        except SpecError as error:
            unknown.append(f"the settings of the operator {where}: they are of another release ({error}); defaults are assumed")
            return view, None
        if not settings.namespaces or namespace in settings.namespaces:
            return view, settings
    if not any("the operator" in sentence for sentence in unknown):
        unknown.append(f"the operator: no Deployment labelled {OPERATOR_SELECTOR} looks after namespace {namespace}; defaults are assumed")
    return OperatorView(), None


def _read_reports(cluster: Cluster, bot: str, pods: Sequence[PodFacts], unknown: list[str]) -> dict[str, ReportView]:
    """Return what the observers say, by uid of the pod; why there is none, where there is none."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        views = list(pool.map(lambda pod: _read_report(cluster, bot, pod), pods))
    unknown += [f"how the engine in pod {pod.name} is: {view.detail}" for pod, view in zip(pods, views, strict=True) if view.detail]
    return {pod.uid: view for pod, view in zip(pods, views, strict=True)}


def _read_report(cluster: Cluster, bot: str, pod: PodFacts) -> ReportView:
    if pod.terminating or pod.observer.running_since is None:
        return ReportView()
    target = Target(cluster.namespace, bot, pod.name, pod.uid, pod.ip)
    try:
        return ReportView(report=parse_report(cluster.read_page(pod.name, OBSERVER_PORT, REPORT_PATH), target))
    except FailedError as error:
        return ReportView(missing=Reason.OBSERVER_UNREACHABLE, detail=error.message)
    except (msgspec.DecodeError, ValueError) as error:
        return ReportView(missing=Reason.REPORT_INVALID, detail=str(error))


def _claims(bodies: Iterable[Mapping[str, Any]], account: str) -> tuple[Claim, ...]:
    return tuple(claims[account] for body in bodies if account in (claims := read_claims(body)))


def _status(body: Mapping[str, Any]) -> TradingBotStatus:
    try:
        return parse_status(body.get("status"))
    except ValueError:
        return TradingBotStatus()  # the operator takes it as none, too
