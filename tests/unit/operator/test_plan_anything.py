"""Any order of events: everything is seen to once, is written down before it is done, and comes to rest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from simulated_cluster import SETTINGS, Cluster

from tradingbot_contract.report import FindingReason
from tradingbot_operator.actions import Action, ApplyChild, RestartPod
from tradingbot_operator.kinds import ObjectKey, key_of
from tradingbot_operator.plan import plan

FOUND = {"silent": FindingReason.ENGINE_SILENT, "gone": FindingReason.ENGINE_GONE, "refused": FindingReason.DOCUMENT_REFUSED}
EVENTS = st.sampled_from([*FOUND, "well", "mute", "crash", "drift", "child-lost", "cache", "strategy", "memory", "pod-lost", "buy", "sell"])
STEPS = st.lists(st.tuples(EVENTS, st.sampled_from([0, 1, 3, 7, 11, 31, 65, 700])), max_size=12)


@hypothesis_settings(deadline=None, max_examples=40)
@given(steps=STEPS, max_actions=st.integers(1, 3))
def test_whatever_happens_it_is_seen_to_once_and_within_the_budget(steps: list[tuple[str, int]], max_actions: int) -> None:
    cluster = Cluster(health={"remediation": {"maxActions": max_actions}})
    treated: list[float] = []
    for event, seconds in steps:
        happen(cluster, event)
        taken: list[Action] = []
        for _ in range(7):
            world = cluster.world()
            made = plan(world, SETTINGS)
            assert made == plan(world, SETTINGS), "the same world gives the same plan"
            decided = {(decision.pod_uid, decision.action) for decision in made.tally.decisions}
            treated += [cluster.now for _ in decided]
            cluster.step()
            taken += made.actions
        assert (made.actions, made.status, made.notices) == ((), None, ()), "it comes to rest"
        applied = [key_of(action.manifest) for action in taken if isinstance(action, ApplyChild)]
        assert len(applied) - len(set(applied)) <= 1, "a document is changed once more where an engine is fenced or relieved"
        assert sum(isinstance(action, RestartPod) for action in taken) <= 2
        for start in treated:
            assert sum(start <= time < start + 1200 for time in treated) <= max_actions * 2, "what was spent refills evenly"
        cluster.now += seconds


def happen(cluster: Cluster, event: str) -> None:  # noqa: C901, PLR0912 - one case for each event
    pod, engine = "calm-0", cluster.engines.get("calm-0")
    match event:
        case "silent" | "gone" | "refused":
            cluster.findings[pod] = FOUND[event]
        case "well":
            cluster.findings.clear()
            for each in cluster.engines.values():
                each.speaks = True
        case "mute" if engine is not None:
            engine.speaks = False
        case "crash" if pod in cluster.pods:
            cluster.crash(pod)
        case "drift":
            for child in cluster.children.values():
                child["metadata"]["labels"]["app.kubernetes.io/part-of"] = "meddler"
        case "child-lost":
            cluster.children.pop(ObjectKey("Service", "calm"), None)
        case "cache":
            cluster.change(cache={"maxEntries": cluster.generation + 1})
        case "strategy":
            cluster.change(strategy={"name": "ema-cross", "parameters": {"fastPeriod": cluster.generation + 1}})
        case "memory":
            cluster.change(engine={"resources": {"limits": {"memory": f"{512 + cluster.generation}Mi"}}})
        case "pod-lost":
            cluster.lose(pod)
        case "buy" if engine is not None:
            engine.buy()
        case "sell":
            cluster.journals.get(pod, set()).clear()
