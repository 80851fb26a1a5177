"""The one function with opinions: from everything that is known of a bot to everything that is to be done.

It is deterministic, and idempotent: over the world that its plan makes it plans nothing. What it remembers stands in the status that
it returns, so an operator that starts anew decides like its predecessor.
"""

from __future__ import annotations

from typing import Final

from tradingbot_contract.document import EngineDocument, SpecError, render_document, restart_hash
from tradingbot_operator.actions import Action, ApplyChild, Plan, RestartPod, TouchPod
from tradingbot_operator.bot_status import TradingBotStatus
from tradingbot_operator.child_plan import plan_children
from tradingbot_operator.conditions import Evidence
from tradingbot_operator.desired import build_children, build_document
from tradingbot_operator.desired.children import manifest_hash
from tradingbot_operator.health import Verdict, assess
from tradingbot_operator.kinds import ObjectKey
from tradingbot_operator.names import DOCUMENT_HASH, config_name, pod_name
from tradingbot_operator.notices import build_notices
from tradingbot_operator.publication import is_worth_writing
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import GRACE_SECONDS, RESTART, Outcome, Situation, add_to_history, decide, remaining_budget
from tradingbot_operator.settings import OperatorSettings
from tradingbot_operator.status import Findings, build_refused_status, build_status
from tradingbot_operator.world import PodFacts, ReportView, World

RECHECK_SECONDS: Final = 60.0
"""How often a bot is looked at when nothing happens."""
SICK_RECHECK_SECONDS: Final = 2.0
"""How often while there is a cause that is held back."""


def plan(world: World, settings: OperatorSettings) -> Plan:
    """Return what is to be done about a bot now."""
    bot, before = world.bot, world.status
    children = plan_children(world, build_children(bot, settings))
    child_actions = children.actions
    pod = _pod(world)
    view = world.reports.get(pod.uid, ReportView()) if pod else ReportView()
    document = build_document(bot)
    current = pod is not None and not pod.terminating and pod.restart_hash == restart_hash(document)
    verdict = assess(pod, view, bot.spec.health)
    history = tuple(before.remediation.history)
    rolling_out = not current or any(_rolls_pod(action) for action in child_actions)
    outcome = _remediate(world, pod, view, rolling_out=rolling_out) if pod else None
    if outcome is not None and outcome.decision is not None:
        history = add_to_history(history, outcome.decision)
    findings = Findings(
        bot=bot,
        before=before,
        evidence=Evidence(
            generation=bot.metadata.generation,
            pod=pod,
            pod_is_current=current,
            engine=view.report.engine if view.report and _engine_answers(verdict) else None,
            verdict=verdict,
            children_pending=children.pending,
            problem=world.problem,
        ),
        report=view.report,
        history=history,
        budget=remaining_budget(history, bot.spec.health.remediation, world.now),
        given_up=outcome.hold.message if outcome and outcome.hold and outcome.hold.reason is Reason.BUDGET_SPENT else "",
        now=world.now,
    )
    status = build_status(findings)
    # What tells the next pass from this one (an action, an exit that was told of) is always news, so nothing is told of twice.
    worth = is_worth_writing(before, status, at=world.now)
    return Plan(
        status=status if worth else None,
        actions=(*child_actions, *_touches(world, pod, document, child_actions, current=current), *_restarts(pod, outcome)),
        notices=build_notices(before, status, child_actions, outcome) if worth or child_actions else (),
        recheck_seconds=min(_recheck(outcome), children.recheck_seconds),
    )


def plan_refused(before: TradingBotStatus, error: SpecError, *, generation: int, now: float) -> Plan:
    """Return what is to be done about a stored resource that can't be read: say so, and touch nothing."""
    status = build_refused_status(before, generation=generation, message=str(error), now=now)
    worth = is_worth_writing(before, status, at=now)
    return Plan(
        status=status if worth else None,
        notices=build_notices(before, status, (), None) if worth else (),
        recheck_seconds=RECHECK_SECONDS,
    )


def _pod(world: World) -> PodFacts | None:
    name = pod_name(world.bot)
    return next((pod for pod in world.pods if pod.name == name), None)


def _engine_answers(verdict: Verdict) -> bool:
    """Return whether the engine's account in the report is of now: one that is silent or gone has left its last one there."""
    return verdict.reason not in {Reason.ENGINE_SILENT, Reason.ENGINE_GONE, Reason.CRASH_LOOPING}


def _rolls_pod(action: Action) -> bool:
    return isinstance(action, ApplyChild) and action.manifest["kind"] == "StatefulSet"


def _remediate(world: World, pod: PodFacts, view: ReportView, *, rolling_out: bool) -> Outcome | None:
    return decide(
        Situation(
            pod=pod,
            view=view,
            limits=world.bot.spec.health,
            history=tuple(world.status.remediation.history),
            rolling_out=rolling_out,
            now=world.now,
        )
    )


def _touches(
    world: World, pod: PodFacts | None, document: EngineDocument, actions: tuple[Action, ...], *, current: bool
) -> tuple[TouchPod, ...]:
    """Touch the pod that reads a changed document live, once for each change of it; one that is being replaced gets it anyway."""
    if pod is None or not current or any(_rolls_pod(action) for action in actions):
        return ()
    config = world.children.get(ObjectKey("ConfigMap", config_name(world.bot)))
    # With the version of what is there, because a document that somebody changed and that is put back must arrive as soon as a new one.
    version = config["metadata"].get("resourceVersion", "") if config else ""
    document_hash = manifest_hash({DOCUMENT_HASH: render_document(document), "version": version})
    if pod.document_hash == document_hash:
        return ()
    is_applied_now = any(isinstance(action, ApplyChild) and action.manifest["kind"] == "ConfigMap" for action in actions)
    # An operator that ended between the two calls has left the file late. The observer reads the same file as the engine.
    report = world.reports.get(pod.uid, ReportView()).report
    seen = report.generation if report else None
    is_late = seen is not None and seen != document.generation
    return (TouchPod(pod.name, pod.uid, document_hash),) if is_applied_now or is_late else ()


def _restarts(pod: PodFacts | None, outcome: Outcome | None) -> tuple[RestartPod, ...]:
    if pod is None or outcome is None or outcome.decision is None or outcome.decision.action != RESTART:
        return ()
    return (RestartPod(pod.name, pod.uid, GRACE_SECONDS, outcome.cause.reason),)


def _recheck(outcome: Outcome | None) -> float:
    if outcome is None:
        return RECHECK_SECONDS
    if outcome.hold is None:
        return SICK_RECHECK_SECONDS
    seconds = outcome.hold.seconds
    return RECHECK_SECONDS if seconds is None else min(max(seconds, SICK_RECHECK_SECONDS), RECHECK_SECONDS)
