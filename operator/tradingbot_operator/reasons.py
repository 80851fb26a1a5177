"""Why something is as it is: one closed set. The same word stands in conditions, Events, history, logs and metric labels.

Every reason of an observer's finding is in it under the same word (a test holds that).
"""

from __future__ import annotations

import enum


class Reason(enum.Enum):
    """A word, and what it means. Dashboards and alerts match the word, so it never changes its meaning."""

    # The spec
    ACCEPTED = "Accepted"
    """The engine runs what the resource says."""
    SPEC_INVALID = "SpecInvalid"
    """The stored resource breaks a bound that its schema should have held; the children stay as they are."""
    DOCUMENT_REFUSED = "DocumentRefused"
    """The engine can't run what the resource says; a restart would not help."""

    # The pod
    ENGINE_READY = "EngineReady"
    """The pod is ready, and of the current spec."""
    ENGINE_STARTING = "EngineStarting"
    """The engine's container runs and its engine is not up yet."""
    POD_MISSING = "PodMissing"
    """There is no pod yet."""
    POD_PENDING = "PodPending"
    """The pod waits for its volume, image or node."""
    POD_TERMINATING = "PodTerminating"
    """The pod is on its way out; the next one comes when it is gone."""
    UNSCHEDULABLE = "Unschedulable"
    """No node takes the pod."""
    IMAGE_PULL_FAILED = "ImagePullFailed"
    """The node can't get the image."""
    CONTAINER_REFUSED = "ContainerRefused"
    """The node can't make the container from the pod's description."""
    POD_NOT_READY = "PodNotReady"
    """The engine runs and says that it is not ready."""
    CRASH_LOOPING = "CrashLooping"
    """The engine died again and again; the kubelet waits before it starts it."""

    # What the observer found
    HEALTHY = "Healthy"
    """The observer sees nothing critical."""
    ENGINE_SILENT = "EngineSilent"
    """The engine was seen and no longer answers."""
    ENGINE_GONE = "EngineGone"
    """There is no engine process, though there should be one."""
    FEED_STALE = "FeedStale"
    """A bar is due and none was processed for too long."""
    CPU_HIGH = "CPUHigh"
    MEMORY_HIGH = "MemoryHigh"
    ERRORS_HIGH = "ErrorsHigh"
    RESPONSE_SLOW = "ResponseSlow"
    CACHE_COLD = "CacheCold"
    DATABASE_DOWN = "DatabaseDown"
    """The engine can't reach or use its database: it takes prices and sends no order. A restart would not help."""
    REDIS_DOWN = "RedisDown"
    """The engine can't reach Redis, and does without."""
    DEPENDENCY_DOWN = "DependencyDown"
    """The engine can't reach its news, or the collector of its metrics."""
    POOL_EXHAUSTED = "PoolExhausted"
    """All connections of a pool are borrowed and somebody waits."""
    JOURNAL_BEHIND = "JournalBehind"
    """What the engine has done isn't in its journal yet, for longer than a commit takes."""
    MEMORY_MODE_LOWERED = "MemoryModeLowered"
    """The engine judges news with less than the spec asks for."""
    SCORE_LOW = "ScoreLow"
    """The score is below a limit of spec.health.score."""

    # Why nothing is known; none of these is ever a cause for an action
    NOT_STARTED = "NotStarted"
    """There is no running observer to ask yet."""
    OBSERVER_UNREACHABLE = "ObserverUnreachable"
    """The observer does not answer the operator."""
    REPORT_STALE = "ReportStale"
    """The observer answers, and always the same."""
    REPORT_INVALID = "ReportInvalid"
    """What answers is not this bot's observer, or it can't be understood."""

    # How the engine's process ended
    OOM_KILLED = "OOMKilled"
    """The kernel ended it: it needed more memory than its limit."""
    ENGINE_KILLED = "EngineKilled"
    """A signal ended it, for example the kubelet's after a failed liveness probe."""
    ENGINE_EXITED = "EngineExited"
    """It ended by itself."""

    # The children
    UP_TO_DATE = "UpToDate"
    """Every child and the pod are as the resource wants them."""
    ROLLING_OUT = "RollingOut"
    """Children or pod are being brought to what the resource wants."""
    CHILD_CONFLICT = "ChildConflict"
    """Something that belongs to somebody else has the name of a child; it is not touched."""
    CHILD_REFUSED = "ChildRefused"
    """The API server does not take a child as the operator wants it."""
    CREATED = "Created"
    """A child was not there."""
    CHANGED = "Changed"
    """The resource, or the operator's version, wants a child otherwise than it was made."""
    DRIFTED = "Drifted"
    """Somebody else changed a child."""
    UNWANTED = "Unwanted"
    """A child that the resource no longer wants."""
    DOCUMENT_CHANGED = "DocumentChanged"
    """What the pod reads live has changed; the pod is touched so that the kubelet brings it the file at once."""

    # Remediation
    BUDGET_SPENT = "BudgetSpent"
    """The engine should be restarted and spec.health.remediation allows no more for now."""
    DRY_RUN = "DryRun"
    """The engine would have been restarted."""
