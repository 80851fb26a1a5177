"""A namespace whose bounds do not let an engine have what its bot asks for: it trades on with what it has."""

from __future__ import annotations

from typing import Any, Final

import pytest

from api_client import RefusedError
from bot_rig import BotView, Rig, eventually

BOUNDS: Final = ("exceeded quota", "maximum memory usage per Container")
LARGER: Final = "1Gi"
"""The engine's memory limit is 512Mi by default, the observer's 128Mi."""
QUOTA: Final = {"kind": "ResourceQuota", "spec": {"hard": {"limits.memory": "700Mi"}}}
LIMIT_RANGE: Final = {"kind": "LimitRange", "spec": {"limits": [{"type": "Container", "max": {"memory": "600Mi"}}]}}


def pod_uid(bot: BotView) -> str:
    (pod,) = bot.pods()
    uid: str = pod["metadata"]["uid"]
    return uid


def refuses_larger(bot: BotView) -> bool:
    """Return whether a pod as the bot's, with the memory that it will ask for, could not be made."""
    (pod,) = bot.pods()
    spec = {name: value for name, value in pod["spec"].items() if name != "nodeName"}
    (engine,) = spec["containers"]
    larger = spec | {"containers": [engine | {"resources": {"limits": {"memory": LARGER}}}]}
    try:
        bot.rig.api.create("pods", bot.namespace, {"kind": "Pod", "metadata": {"name": "larger"}, "spec": larger}, dryRun="All")
    except RefusedError as error:
        return any(bound in str(error) for bound in BOUNDS)
    return False


@pytest.mark.parametrize(("kind", "bound"), [("resourcequotas", QUOTA), ("limitranges", LIMIT_RANGE)])
def test_a_bound_of_the_namespace_is_no_reason_for_a_restart(rig: Rig, namespace: str, kind: str, bound: dict[str, Any]) -> None:
    """The next pod could not be made, either: the engine would be gone."""
    with rig.operator(namespace):
        bot = rig.create(namespace, "grows")
        bot.wait_settled()
        uid = pod_uid(bot)
        rig.api.create(kind, namespace, {"apiVersion": "v1", "metadata": {"name": "desk"}, **bound})
        if kind == "resourcequotas":
            # The controller that counts what is there is not among those of the rig.
            counted = {"status": {"hard": bound["spec"]["hard"], "used": {"limits.memory": "640Mi"}}}
            rig.api.patch(kind, "desk", namespace, counted, subresource="status")
        eventually("the bound is in force", lambda: refuses_larger(bot))
        bot.change(engine={"resources": {"limits": {"memory": LARGER}}})
        bot.wait_condition("TuningApplied", "False", "ResizeDeferred")
        assert pod_uid(bot) == uid
        assert bot.condition("Ready")["status"] == "True"
        message = bot.condition("TuningApplied")["message"]
        assert any(bound in message for bound in BOUNDS), message
