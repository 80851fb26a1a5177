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
        ({"observability": {"otlpEndpoint": "http://collector:4318"}}, False),
        ({"database": {"port": 6432}}, False),
        ({"database": {"pool": {"size": 7}, "retry": {"attempts": 1}, "retention": {"orders": 1000}}}, False),
        ({"cache": {"maxEntries": 7}}, False),
        ({"http": {"limit": 7}}, False),
        ({"risk": {"maxOrderNotional": 1}}, False),
        ({"strategy": {"name": "another"}}, True),
        ({"market": {"symbols": ["AAPL"]}}, True),
        ({"database": {"urlSecretRef": {"name": "postgres"}}}, True),
        ({"redis": {"urlSecretRef": {"name": "redis"}}}, True),
        ({"prediction": {"finbert": {"source": "/models/one"}}}, True),
        ({"prediction": {"volumeClaim": "models"}}, True),
        ({"engine": {"memoryMode": "Minimal"}}, True),
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


def test_a_live_change_is_in_the_config_alone(make_bot: MakeBot, settings: OperatorSettings) -> None:
    redis = {"urlSecretRef": {"name": "redis"}}
    before = build_children(make_bot(redis=redis), settings)
    changed = make_bot(generation=2, redis=redis | {"pool": {"maxConnections": 3}}, cache={"memoryLimit": "7Mi"})
    differing = [
        manifest["kind"] for manifest, earlier in zip(build_children(changed, settings), before, strict=True) if manifest != earlier
    ]
    assert differing == ["ConfigMap"]


def engine_of(bot: TradingBot, settings: OperatorSettings) -> dict[str, Any]:
    (engine,) = child("StatefulSet", bot, settings)["spec"]["template"]["spec"]["containers"]
    assert isinstance(engine, dict)
    return engine


def test_addresses_with_passwords_come_from_secrets_and_stand_nowhere(make_bot: MakeBot, settings: OperatorSettings) -> None:
    bot = make_bot(database={"urlSecretRef": {"name": "postgres", "key": "dsn"}}, redis={"urlSecretRef": {"name": "redis"}})
    environment = {entry["name"]: entry for entry in engine_of(bot, settings)["env"]}
    assert environment["TRADINGBOT_DATABASE_URL"]["valueFrom"] == {"secretKeyRef": {"name": "postgres", "key": "dsn"}}
    assert environment["TRADINGBOT_REDIS_URL"]["valueFrom"] == {"secretKeyRef": {"name": "redis", "key": "url"}}
    document = build_document(bot)
    assert document.database.external
    assert document.redis is not None
    (observer,) = child("StatefulSet", bot, settings)["spec"]["template"]["spec"]["initContainers"]
    assert not {entry["name"] for entry in observer["env"]} & {"TRADINGBOT_DATABASE_URL", "TRADINGBOT_REDIS_URL"}
    assert not {entry["name"] for entry in engine_of(make_bot(), settings)["env"]} & {"TRADINGBOT_DATABASE_URL", "TRADINGBOT_REDIS_URL"}


def test_models_are_mounted_to_be_read_and_those_from_a_hub_are_kept(make_bot: MakeBot, settings: OperatorSettings) -> None:
    mounted = make_bot(prediction={"volumeClaim": "shared", "finbert": {"source": "/models/finbert"}})
    pod = child("StatefulSet", mounted, settings)["spec"]["template"]["spec"]
    assert {"name": "models", "persistentVolumeClaim": {"claimName": "shared", "readOnly": True}} in pod["volumes"]
    engine = engine_of(mounted, settings)
    assert {"name": "models", "mountPath": "/models", "readOnly": True} in engine["volumeMounts"]
    assert "HF_HOME" not in {entry["name"] for entry in engine["env"]}
    fetched = engine_of(make_bot(prediction={"social": {"source": "somebody/social"}}), settings)
    assert {"name": "HF_HOME", "value": "/var/lib/tradingbot/huggingface"} in fetched["env"]
    assert "models" not in {mount["name"] for mount in fetched["volumeMounts"]}


NEWS = {"symbols": ["AAPL"], "news": {"type": "http", "http": {"url": "http://news.example:8088/items"}}}


@pytest.mark.parametrize(
    ("sections", "ports"),
    [
        ({}, []),
        ({"database": {"port": 1234}}, []),
        ({"database": {"urlSecretRef": {"name": "postgres"}}}, [5432]),
        ({"database": {"urlSecretRef": {"name": "postgres"}, "port": 6432}}, [6432]),
        ({"redis": {"urlSecretRef": {"name": "redis"}}}, [6379]),
        ({"redis": {"urlSecretRef": {"name": "redis"}, "port": 6380}}, [6380]),
        ({"market": NEWS}, [8088]),
        ({"market": NEWS | {"news": {"type": "http", "http": {"url": "https://news.example/items"}}}}, [443]),
        ({"market": NEWS | {"news": {"type": "http", "http": {"url": "http://[::1]/items"}}}}, [80]),
        ({"market": NEWS | {"news": {"type": "file", "file": {"data": "/news.csv"}, "http": {"url": "http://unused:1"}}}}, []),
        ({"observability": {"otlpEndpoint": "http://collector:4318"}}, [4318]),
        ({"prediction": {"finbert": {"source": "/models/finbert"}}}, []),
        ({"prediction": {"finbert": {"source": "ProsusAI/finbert"}}}, [443]),
        (
            {
                "database": {"urlSecretRef": {"name": "postgres"}},
                "observability": {"otlpEndpoint": "https://collector"},
                "prediction": {"social": {"source": "somebody/social"}},
            },
            [443, 5432],
        ),
    ],
)
def test_only_what_the_spec_names_can_be_reached(
    make_bot: MakeBot, settings: OperatorSettings, sections: dict[str, Any], ports: list[int]
) -> None:
    dns, *others = child("NetworkPolicy", make_bot(**sections), settings)["spec"]["egress"]
    assert {entry["port"] for entry in dns["ports"]} == {53}
    assert [entry["port"] for rule in others for entry in rule["ports"]] == ports


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
