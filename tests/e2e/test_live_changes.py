"""What a person changes while a bot trades reaches the engine without a restart; what the engine can't take changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import yaml

from rig.bots import Bot, manifest
from rig.kube import Kube
from rig.metric_page import read_total
from rig.operator_log import OperatorLog
from rig.waiting import eventually
from tradingbot_contract.endpoints import ENGINE_PORT, METRICS_PATH
from tradingbot_contract.metrics import CACHE_SIZE_LIMIT, POOL_MAX, Instrument, prometheus_name
from tradingbot_contract.report import FindingReason

StartBots = Callable[..., list[Bot]]


@pytest.fixture(scope="module")
def bot(start: StartBots) -> Bot:
    (started,) = start(manifest("tuned"))
    started.wait_trading()
    for kind in ("Accepted", "Ready", "Healthy"):
        started.wait_condition(kind, "True")
    return started


@pytest.fixture(autouse=True)
def one_process(bot: Bot) -> Iterator[None]:
    """Hold that no test of this module costs the engine its process or a bar."""
    before, pod = bot.wait_trading(), bot.pod()
    assert pod is not None
    container = bot.container()["containerID"]
    yield
    after, now = bot.wait_trading(beyond_bars=before.bars), bot.pod()
    assert now is not None
    assert now["metadata"]["uid"] == pod["metadata"]["uid"]
    assert bot.container()["containerID"] == container
    assert bot.container()["restartCount"] == 0
    assert after.started_at == before.started_at
    assert after.bars - before.bars == after.bars_this_run - before.bars_this_run, "it goes on where it was"


def wait_runs(bot: Bot, generation: int) -> None:
    """Wait until engine and status say that this generation runs."""

    def engine_says_so() -> bool:
        status = bot.engine()
        return status is not None and status.generation == generation and not status.document_refusal

    eventually(f"the engine runs generation {generation}", engine_says_so, every_seconds=0.1, explain=bot.explain)
    eventually(
        "the status says so",
        lambda: bot.status()["shards"][0].get("configGeneration") == generation,
        explain=bot.explain,
    )
    bot.wait_condition("Accepted", "True")


def metric(kube: Kube, bot: Bot, instrument: Instrument, **labels: str) -> float:
    """Return a figure of the engine: the sum over all series that have these labels."""
    pod = bot.pod()
    assert pod is not None
    page = kube.page(bot.namespace, pod["metadata"]["name"], ENGINE_PORT, METRICS_PATH)
    assert page is not None, "the engine does not answer"
    total = read_total(page.decode(), prometheus_name(instrument), **labels)
    assert total is not None, f"there is no {prometheus_name(instrument)} with {labels}"
    return total


def refusals(bot: Bot) -> list[str]:
    report = bot.report()
    assert report is not None, "the observer does not answer"
    return [finding.message for finding in report.findings if finding.reason is FindingReason.DOCUMENT_REFUSED]


def test_pool_and_caches_are_changed_while_it_trades(kube: Kube, bot: Bot) -> None:
    assert metric(kube, bot, POOL_MAX, db_client_connection_pool_name="journal") == 7
    caches = metric(kube, bot, CACHE_SIZE_LIMIT)
    generation = bot.change(
        database={"pool": {"size": 3, "maxOverflow": 1}, "healthIntervalSeconds": 5},
        cache={"memoryLimit": "20Mi"},
        risk={"maxDrawdownPercent": 90},
    )
    wait_runs(bot, generation)
    assert metric(kube, bot, POOL_MAX, db_client_connection_pool_name="journal") == 4
    assert metric(kube, bot, CACHE_SIZE_LIMIT) < caches


def test_what_only_the_operator_reads_is_acknowledged_as_well(bot: Bot) -> None:
    wait_runs(bot, bot.change(health={"remediation": {"maxActions": 2}}))


def test_many_changes_at_once_end_in_the_last(bot: Bot) -> None:
    generations = [bot.change(cache={"maxEntries": entries}) for entries in (100, 200, 300, 400, 500)]
    assert len(set(generations)) == len(generations)
    wait_runs(bot, generations[-1])


def test_a_document_that_the_engine_can_not_take_changes_nothing_and_is_told_of(bot: Bot, operator_log: OperatorLog) -> None:
    before = bot.wait_trading()
    # The API server lets no such spec through, and the operator no such ConfigMap: somebody has to write it while it is away.
    with operator_log.taken_away():
        (config,) = [child for name, child in bot.children().items() if name.startswith("configmaps/")]
        (file,) = config["data"]
        document = yaml.safe_load(config["data"][file])
        document |= {"generation": document["generation"] + 1, "cache": document["cache"] | {"memoryLimit": "10Gi"}}
        patch = {"data": {file: json.dumps(document)}}
        bot.kube.patch("configmaps", config["metadata"]["name"], bot.namespace, patch)
        pod = bot.pod()
        assert pod is not None
        # As the operator does, so that the kubelet brings the file at once.
        touch = {"metadata": {"annotations": {"touched-by": "somebody"}}}
        bot.kube.patch("pods", pod["metadata"]["name"], bot.namespace, touch)

        eventually("the observer tells of it", lambda: any("memory:" in each for each in refusals(bot)), explain=bot.explain)
        refused = bot.wait_trading(beyond_bars=before.bars)
        assert refused.generation == before.generation
        assert "cache.memoryLimit" in refused.document_refusal
    # The operator that comes back puts its own document there again.
    wait_runs(bot, before.generation)
    eventually("the finding is over", lambda: not refusals(bot), explain=bot.explain)
