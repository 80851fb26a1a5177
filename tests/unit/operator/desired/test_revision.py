"""What makes a pod outdated: what a process reads at its start, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tradingbot_operator.desired.revision import pod_revision, shard_revision
from tradingbot_operator.resource import TradingBot

MakeBot = Callable[..., TradingBot]


@pytest.mark.parametrize(
    ("changes", "needs_process"),
    [
        ({"health": {"silentAfterSeconds": 30, "remediation": {"mode": "Off"}}}, False),
        ({"observability": {"intervalSeconds": 3, "otlpEndpoint": "http://collector:4318"}}, False),
        ({"database": {"storage": {"size": "2Gi"}, "port": 6432}}, False),
        ({"database": {"pool": {"size": 7}, "retry": {"attempts": 1}, "retention": {"orders": 1000}}}, False),
        ({"cache": {"maxEntries": 7}}, False),
        ({"http": {"limit": 7}}, False),
        ({"risk": {"maxOrderNotional": 1}}, False),
        ({"lifecycle": {"state": "Paused"}}, False),
        ({"engine": {"memoryMode": "Minimal"}}, False),
        ({"engine": {"resources": {"limits": {"memory": "1Gi", "cpu": "2"}}}}, False),
        ({"market": {"symbols": ["AAPL"]}}, False),
        ({"market": {"symbols": ["AAPL", "MSFT"], "timeframe": "1h"}}, True),
        ({"strategy": {"name": "another"}}, True),
        ({"broker": {"account": "main"}}, True),
        ({"database": {"urlSecretRef": {"name": "postgres"}}}, True),
        ({"redis": {"urlSecretRef": {"name": "redis"}}}, True),
        ({"prediction": {"finbert": {"source": "/models/one"}}}, True),
        ({"prediction": {"volumeClaim": "models"}}, True),
        ({"engine": {"image": "other:2"}}, True),
        ({"engine": {"nodeSelector": {"disk": "fast"}}}, True),
        # What is given and is the default says nothing, so a new field with a default says nothing either.
        ({"engine": {"imagePullPolicy": "IfNotPresent"}, "broker": {"paper": {"feeBasisPoints": 10}}}, False),
        ({"market": {"symbols": ["AAPL", "MSFT"], "feed": {"replay": {"speed": 10}}}}, False),
    ],
)
def test_only_what_a_process_reads_at_its_start_needs_a_new_pod(make_bot: MakeBot, changes: dict[str, Any], needs_process: bool) -> None:
    assert (pod_revision(make_bot()) != pod_revision(make_bot(generation=2, **changes))) is needs_process


def test_a_shard_needs_a_new_process_for_other_symbols_and_not_for_their_order(make_bot: MakeBot) -> None:
    bot = make_bot()
    assert shard_revision(bot, ("AAPL", "MSFT")) == shard_revision(bot, ("MSFT", "AAPL"))
    assert shard_revision(bot, ("AAPL",)) != shard_revision(bot, ("AAPL", "MSFT"))
    other = make_bot(generation=2, strategy={"name": "another"})
    assert shard_revision(bot, ("AAPL",)) != shard_revision(other, ("AAPL",))
