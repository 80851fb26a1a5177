"""The manifests of two bots, field by field, in tests/golden: who changes a builder sees what it does to every child."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from tradingbot_contract.document import Activity, parse_document
from tradingbot_operator.bot_status import Adjustment
from tradingbot_operator.desired import build_children, build_document
from tradingbot_operator.desired.document import Orders
from tradingbot_operator.desired.layout import Layout, plain_layout
from tradingbot_operator.desired.revision import pod_revision
from tradingbot_operator.monitoring.settings import MonitoringSettings
from tradingbot_operator.names import DESIRED_HASH, RESTART_HASH, RESTART_REQUEST, selector_labels
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
    document = parse_document(child("ConfigMap", bot, settings)["data"]["calm-0.yaml"])
    assert document == build_document(bot)
    assert document.cache.max_entries == 7
    assert document.bot.uid == "bot-uid"


def test_each_shard_has_a_document_of_its_own_and_all_have_one_template(make_bot: MakeBot, settings: OperatorSettings) -> None:
    bot = make_bot(database={"urlSecretRef": {"name": "postgres"}}, scaling={"replicas": 2})
    documents = {key: parse_document(text) for key, text in child("ConfigMap", bot, settings)["data"].items()}
    assert {key: (document.bot.shard, document.market.symbols) for key, document in documents.items()} == {
        "calm-0.yaml": (0, ["MSFT"]),
        "calm-1.yaml": (1, ["AAPL"]),
    }
    workload = child("StatefulSet", bot, settings)["spec"]
    assert (workload["replicas"], workload["updateStrategy"], workload["podManagementPolicy"]) == (2, {"type": "OnDelete"}, "Parallel")
    pod = workload["template"]["spec"]
    for program in (*pod["containers"], *pod["initContainers"]):
        names = [entry["name"] for entry in program["env"]]
        assert names.index("TRADINGBOT_POD_NAME") < names.index("TRADINGBOT_CONFIG"), "what is put in is declared before"
        assert program["env"][names.index("TRADINGBOT_CONFIG")]["value"] == "/etc/tradingbot/$(TRADINGBOT_POD_NAME).yaml"


def test_a_journal_elsewhere_needs_no_volume_of_its_own(make_bot: MakeBot, settings: OperatorSettings) -> None:
    bot = make_bot(database={"urlSecretRef": {"name": "postgres"}, "storage": {"size": "3Gi"}})
    assert "PersistentVolumeClaim" not in {manifest["kind"] for manifest in build_children(bot, settings)}
    volumes = child("StatefulSet", bot, settings)["spec"]["template"]["spec"]["volumes"]
    assert {"name": "data", "emptyDir": {"sizeLimit": "3Gi"}} in volumes


def test_a_document_says_what_the_operator_has_decided(make_bot: MakeBot) -> None:
    bot = make_bot(cache={"maxEntries": 1000, "memoryLimit": "100Mi", "views": {"maxEntries": 1}})
    orders = Orders(
        symbols=("MSFT", "AAPL"),
        activity=Activity.FLATTEN,
        releasing=("AAPL",),
        settle=True,
        grant=7,
        adjustment=Adjustment(cache_percent=50, memory_mode="Minimal"),
    )
    document = build_document(bot, shard=3, orders=orders)
    assert (document.bot.shard, document.market.symbols, document.releasing, document.settle) == (3, ["MSFT", "AAPL"], ["AAPL"], True)
    assert (document.activity, document.grant, document.memory_mode.value) == (Activity.FLATTEN, 7, "Minimal")
    assert (document.cache.max_entries, document.cache.memory_limit, document.cache.views.max_entries) == (500, "50Mi", 1)
    assert document.cache.predictions.max_entries is None


def test_what_was_granted_to_a_sick_engine_is_in_the_template(make_bot: MakeBot, settings: OperatorSettings) -> None:
    bot = make_bot()
    layout: Layout = msgspec.structs.replace(plain_layout(bot), memory_limit="700Mi", avoid_nodes=("bad",), floor=4)
    (workload,) = [manifest for manifest in build_children(bot, settings, layout) if manifest["kind"] == "StatefulSet"]
    pod = workload["spec"]["template"]["spec"]
    (term,) = pod["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert term["preference"]["matchFields"] == [{"key": "metadata.name", "operator": "NotIn", "values": ["bad"]}]
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "700Mi"}
    assert {"name": "TRADINGBOT_GRANT_FLOOR", "value": "4"} in pod["containers"][0]["env"]
    annotations = workload["spec"]["template"]["metadata"]["annotations"]
    assert annotations[RESTART_HASH] == pod_revision(bot), "neither replaces a pod"


def test_an_installations_own_runbooks_are_in_the_observer_and_replace_no_pod(make_bot: MakeBot, settings: OperatorSettings) -> None:
    bot = make_bot()
    own = msgspec.structs.replace(settings, monitoring=MonitoringSettings(runbook_base_url="https://wiki.example.com/runbooks"))
    template = child("StatefulSet", bot, own)["spec"]["template"]
    (observer,) = template["spec"]["initContainers"]
    variable = {"name": "TRADINGBOT_RUNBOOK_BASE_URL", "value": "https://wiki.example.com/runbooks"}
    assert variable in observer["env"]
    observer["env"].remove(variable)
    assert template == child("StatefulSet", bot, settings)["spec"]["template"], "nothing else of the pod is another, and its hash is not"


def test_the_value_that_asks_for_a_restart_is_on_the_pod(make_bot: MakeBot, settings: OperatorSettings) -> None:
    bot = make_bot()
    metadata = msgspec.structs.replace(bot.metadata, annotations={RESTART_REQUEST: "monday"})
    asked = msgspec.structs.replace(bot, metadata=metadata)
    annotations = child("StatefulSet", asked, settings)["spec"]["template"]["metadata"]["annotations"]
    assert annotations[RESTART_REQUEST] == "monday"


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


def test_only_the_operator_the_own_namespace_and_who_scrapes_come_in(make_bot: MakeBot, settings: OperatorSettings) -> None:
    monitoring = MonitoringSettings(scrape_namespaces=("agents", settings.namespace))
    given = msgspec.structs.replace(settings, monitoring=monitoring)
    ((alone,), (scraped,)) = (child("NetworkPolicy", make_bot(), each)["spec"]["ingress"] for each in (settings, given))

    def namespaces(rule: dict[str, Any]) -> list[str]:
        *named, own = rule["from"]
        assert own == {"podSelector": {}}
        return [peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for peer in named]

    assert (namespaces(alone), namespaces(scraped)) == ([settings.namespace], [settings.namespace, "agents"])
    assert {port["port"] for port in scraped["ports"]} == {8080, 8081}


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
