"""The manifests of two bots, field by field, in tests/golden: who changes a builder sees what it does to every child."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tradingbot_contract.document import parse_document, restart_hash
from tradingbot_contract.endpoints import CONFIG_FILE
from tradingbot_operator.desired import build_children, build_document
from tradingbot_operator.names import DESIRED_HASH, RESTART_HASH, selector_labels
from tradingbot_operator.resource import TradingBot, parse_bot
from tradingbot_operator.settings import OperatorSettings

GOLDEN = Path(__file__).resolve().parents[3] / "golden" / "operator"
CASES = sorted(path.name for path in GOLDEN.iterdir())

MakeBot = Callable[..., TradingBot]


@pytest.mark.parametrize("case", CASES)
def test_children_are_as_in_the_golden_files(case: str, settings: OperatorSettings) -> None:
    bot = parse_bot(yaml.safe_load((GOLDEN / case / "bot.yaml").read_text()))
    text = yaml.safe_dump_all(build_children(bot, settings), sort_keys=False, width=140)
    golden = GOLDEN / case / "children.yaml"
    if os.environ.get("TRADINGBOT_WRITE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text(), "if this is meant: run the test once with TRADINGBOT_WRITE_GOLDEN=1 and read the difference"


def child(kind: str, bot: TradingBot, settings: OperatorSettings) -> dict[str, Any]:
    (found,) = [manifest for manifest in build_children(bot, settings) if manifest["kind"] == kind]
    return found


def test_every_child_belongs_to_the_bot_and_carries_its_hash(make_bot: MakeBot, settings: OperatorSettings) -> None:
    bot = make_bot()
    for manifest in build_children(bot, settings):
        (owner,) = manifest["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["controller"], owner["blockOwnerDeletion"]) == ("bot-uid", True, True)
        assert manifest["metadata"]["annotations"][DESIRED_HASH]
        assert selector_labels(bot).items() <= manifest["metadata"]["labels"].items()


def test_the_same_bot_gives_the_same_children(make_bot: MakeBot, settings: OperatorSettings) -> None:
    assert build_children(make_bot(), settings) == build_children(make_bot(), settings)


def test_selectors_select_the_pod(make_bot: MakeBot, settings: OperatorSettings) -> None:
    bot = make_bot()
    workload = child("StatefulSet", bot, settings)
    labels = workload["spec"]["template"]["metadata"]["labels"].items()
    assert workload["spec"]["selector"]["matchLabels"].items() <= labels
    assert child("Service", bot, settings)["spec"]["selector"].items() <= labels
    assert child("PodDisruptionBudget", bot, settings)["spec"]["selector"]["matchLabels"].items() <= labels
    assert child("NetworkPolicy", bot, settings)["spec"]["podSelector"]["matchLabels"].items() <= labels


def test_the_config_holds_the_document(make_bot: MakeBot, settings: OperatorSettings) -> None:
    bot = make_bot(cache={"maxEntries": 7})
    document = parse_document(child("ConfigMap", bot, settings)["data"][CONFIG_FILE])
    assert document == build_document(bot)
    assert document.cache.max_entries == 7
    assert document.bot.uid == "bot-uid"


@pytest.mark.parametrize(
    ("changes", "rolls"),
    [
        ({"health": {"silentAfterSeconds": 30}}, False),
        ({"health": {"remediation": {"mode": "Off"}}}, False),
        ({"observability": {"intervalSeconds": 3}}, False),
        ({"database": {"storage": {"size": "2Gi"}}}, False),
        ({"database": {"pool": {"size": 7}}}, True),
        ({"cache": {"maxEntries": 7}}, True),
        ({"strategy": {"name": "another"}}, True),
        ({"risk": {"maxOrderNotional": 1}}, True),
        ({"engine": {"resources": {"limits": {"memory": "1Gi"}}}}, True),
        ({"engine": {"image": "other:2"}}, True),
    ],
)
def test_only_what_the_engine_reads_at_its_start_rolls_the_pod(
    make_bot: MakeBot, settings: OperatorSettings, changes: dict[str, Any], rolls: bool
) -> None:
    before = child("StatefulSet", make_bot(), settings)["spec"]["template"]
    after = child("StatefulSet", make_bot(generation=2, **changes), settings)["spec"]["template"]
    assert (before != after) is rolls


def test_the_pod_carries_the_hash_of_its_document(make_bot: MakeBot, settings: OperatorSettings) -> None:
    bot = make_bot()
    annotations = child("StatefulSet", bot, settings)["spec"]["template"]["metadata"]["annotations"]
    assert annotations[RESTART_HASH] == restart_hash(build_document(bot))


def test_the_pod_keeps_the_restricted_standard(make_bot: MakeBot, settings: OperatorSettings) -> None:
    pod = child("StatefulSet", make_bot(), settings)["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    programs = pod["containers"] + pod["initContainers"]
    for program in programs:
        security = program["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert program["resources"]["limits"]["memory"]
    assert len({program["securityContext"]["runAsUser"] for program in programs}) == 2
    (observer,) = pod["initContainers"]
    assert observer["restartPolicy"] == "Always"
    assert "readinessProbe" not in observer, "a sick observer must not make the engine unready"
    assert "data" not in {mount["name"] for mount in observer["volumeMounts"]}, "the observer has no business with the journal"
