"""A bot whose caches, pools and models can't fit into its memory limit is refused when it is applied, not ended by the kernel later.

The API server evaluates a rule in CEL, everybody else the same rule in Python: one table of specs holds both.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from rig.bots import manifest
from rig.kube import Kube, KubectlError
from tradingbot_contract.document import SpecError
from tradingbot_operator.resource import parse_bot

MODEL = {"source": "/models/one"}
REDIS = {"urlSecretRef": {"name": "redis"}}


def limited(memory: str, *, mode: str = "Auto") -> dict[str, Any]:
    return {"resources": {"requests": {"memory": "64Mi"}, "limits": {"memory": memory}}, "memoryMode": mode}


# 64Mi for the engine, 100Mi of caches, 7 connections of 2Mi each, where nothing else is said.
CASES: list[tuple[str, dict[str, Any], bool]] = [
    ("defaults, exactly", {"engine": limited("178Mi")}, True),
    ("defaults, a byte short", {"engine": limited(str(178 * 2**20 - 1))}, False),
    ("another unit", {"engine": limited("186646528")}, True),
    ("a fraction", {"engine": limited("0.17Gi")}, False),
    ("smaller caches", {"engine": limited("128Mi"), "cache": {"memoryLimit": "50Mi"}}, True),
    ("caches a byte too large", {"engine": limited("128Mi"), "cache": {"memoryLimit": str(50 * 2**20 + 1)}}, False),
    ("caches in another unit", {"engine": limited("1Gi"), "cache": {"memoryLimit": "0.9G"}}, True),
    ("the larger preset", {"engine": limited("223Mi"), "database": {"pool": {"preset": "throughput"}}}, False),
    ("the larger preset, exactly", {"engine": limited("224Mi"), "database": {"pool": {"preset": "throughput"}}}, True),
    (
        "a size of one's own beside the preset",
        {"engine": limited("206Mi"), "database": {"pool": {"preset": "throughput", "size": 1}}},
        True,
    ),
    ("no overflow", {"engine": limited("174Mi"), "database": {"pool": {"maxOverflow": 0}}}, True),
    ("no overflow, too little", {"engine": limited("173Mi"), "database": {"pool": {"maxOverflow": 0}}}, False),
    ("Redis", {"engine": limited("217Mi"), "redis": REDIS}, False),
    ("Redis, exactly", {"engine": limited("218Mi"), "redis": REDIS}, True),
    ("Redis with fewer connections", {"engine": limited("188Mi"), "redis": REDIS | {"pool": {"maxConnections": 5}}}, True),
    ("models are Auto's own business", {"engine": limited("178Mi"), "prediction": {"finbert": MODEL, "social": MODEL}}, True),
    ("mode Minimal needs none", {"engine": limited("178Mi", mode="Minimal"), "prediction": {"finbert": MODEL}}, True),
    ("one model", {"engine": limited("497Mi", mode="FinBERTOnly"), "prediction": {"finbert": MODEL, "social": MODEL}}, False),
    ("one model, exactly", {"engine": limited("498Mi", mode="FinBERTOnly"), "prediction": {"finbert": MODEL, "social": MODEL}}, True),
    ("two models", {"engine": limited("817Mi", mode="Full"), "prediction": {"finbert": MODEL, "social": MODEL}}, False),
    ("two models, exactly", {"engine": limited("818Mi", mode="Full"), "prediction": {"finbert": MODEL, "social": MODEL}}, True),
    ("mode Full with the second model alone", {"engine": limited("498Mi", mode="Full"), "prediction": {"social": MODEL}}, True),
    ("mode Full without models", {"engine": limited("178Mi", mode="Full")}, True),
]


@pytest.mark.parametrize(("sections", "fits"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_can_not_fit_is_refused_by_both_and_the_message_says_what_to_do(
    kube: Kube, namespace: str, sections: dict[str, Any], fits: bool
) -> None:
    bot = manifest("budget", **sections)

    def apply() -> None:
        kube.kubectl("-n", namespace, "apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(bot))

    if fits:
        apply()
        parse_bot(bot)
        return
    with pytest.raises(KubectlError) as refusal:
        apply()
    what_to_do = "raise engine.resources.limits.memory, or lower cache.memoryLimit"
    assert "spec: Invalid value: memory: 64Mi for the engine" in str(refusal.value)
    assert what_to_do in str(refusal.value)
    with pytest.raises(SpecError, match=rf"^spec: memory: [0-9.]+[MG]i are needed \(engine 64Mi, .*{re.escape(what_to_do)}"):
        parse_bot(bot)
