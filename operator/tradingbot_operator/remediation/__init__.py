"""What is done about a sick engine: causes, brakes, the ladder of steps, and whether the last one helped. All of it is pure."""

from typing import Final

from tradingbot_operator.remediation.causes import PLIGHTS, Plight, kubelet_waits
from tradingbot_operator.remediation.ladder import DELETING, Step
from tradingbot_operator.remediation.remediate import remediate
from tradingbot_operator.remediation.situation import Cause, Hold, Outcome, Remedy, ShardSituation, Situation

RESTART: Final = Step.RESTART_POD.value
GRACE_SECONDS: Final = 1
"""Time that the pod of an engine that is dead, or does not answer, gets to end. One that trades gets what its template says."""

__all__ = [
    "DELETING",
    "GRACE_SECONDS",
    "PLIGHTS",
    "RESTART",
    "Cause",
    "Hold",
    "Outcome",
    "Plight",
    "Remedy",
    "ShardSituation",
    "Situation",
    "Step",
    "kubelet_waits",
    "remediate",
]
