"""How often the API server was asked to write, by its own count, so that "nothing is written" is not the word of who writes.

The counts are of the whole cluster and begin anew when the API server does. Leases, which are renewed for ever, are left out; so is
what belongs to nodes.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from rig.kube import CHILDREN, Kube
from rig.metric_page import read_series

WATCHED: Final = frozenset({"tradingbots", "pods", "events", *CHILDREN})
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"})


def count_writes(kube: Kube) -> Counter[str]:
    """Return the writes so far to bots, their children, pods and Events, for example as ``PATCH tradingbots/status``."""
    page = kube.raw("/metrics", timeout_seconds=60.0)
    assert page is not None, "the API server shows its metrics"
    counts: Counter[str] = Counter()
    for labels, value in read_series(page.decode(), "apiserver_request_total"):
        if labels["verb"] in _WRITES and labels["resource"] in WATCHED and not labels["dry_run"]:
            what = "/".join(filter(None, (labels["resource"], labels["subresource"])))
            counts[f"{labels['verb']} {what}"] += int(value)
    return counts
