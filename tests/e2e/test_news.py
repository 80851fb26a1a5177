"""A bot that trades on news without the models that it was promised: it says so, judges by the lexicon, and trades."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rig.bots import Bot, manifest
from rig.kube import Kube, Object
from rig.waiting import eventually
from tradingbot_contract.report import FindingReason, ObserverReport, Severity
from tradingbot_contract.resources import MemoryMode

StartBots = Callable[..., list[Bot]]

CLAIM = "models"
_WRITE = """
try:
    open("/models/mine", "w")
    print("written")
except OSError as error:
    print(error.strerror)
"""


@pytest.fixture(scope="module")
def bot(kube: Kube, namespace: str, start: StartBots) -> Bot:
    """Return a bot whose volume of models is empty."""
    storage = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}}
    claim: Object = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": CLAIM}, "spec": storage}
    kube.apply(claim, namespace=namespace)
    news = {"type": "file", "file": {"data": "made-up-headlines"}}
    market = {"symbols": ["AAPL", "MSFT"], "feed": {"replay": {"speed": 200, "loop": True}}, "news": news}
    prediction = {"finbert": {"source": "/models/finbert"}, "volumeClaim": CLAIM}
    (started,) = start(manifest("reader", strategy="sentiment", market=market, prediction=prediction))
    started.wait_trading()
    return started


def test_it_trades_by_the_lexicon_and_says_what_is_missing(bot: Bot) -> None:
    def told() -> ObserverReport | None:
        report = bot.report()
        reasons = {finding.reason: finding for finding in report.findings} if report else {}
        found = reasons.get(FindingReason.MEMORY_MODE_LOWERED)
        return report if found is not None and found.severity is Severity.INFO and "/models/finbert" in found.message else None

    report = eventually("the observer tells of the missing model", told, explain=bot.explain)
    assert report.engine is not None
    assert report.engine.memory_mode == MemoryMode.MINIMAL.value
    eventually("it has traded", lambda: (status := bot.engine()) is not None and status.fills > 0, explain=bot.explain)
    bot.wait_condition("Healthy", "True")
    eventually("the status says so", lambda: bot.status()["shards"][0]["memoryMode"] == MemoryMode.MINIMAL.value, explain=bot.explain)
    assert bot.container()["restartCount"] == 0


def test_the_volume_of_models_is_there_to_be_read(bot: Bot) -> None:
    assert "Read-only file system" in bot.python(_WRITE)
