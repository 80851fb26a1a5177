"""Every verb for bots in a cluster, as a process against a real API server and a real operator, whose nodes and engines are played."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot_rig import Rig, eventually

# What the fixtures of this folder give.
Stage = Any
CommandLine = Any
NAMESPACE = "prod"


@pytest.fixture
def trend(stage: Stage) -> Iterator[Any]:
    """Return a bot that trades; what a test changes of it is put back."""
    bot = stage.rig.bot(NAMESPACE, "trend")
    before = bot.read()["spec"]
    yield bot
    now = bot.read()["spec"]
    # A merge patch takes away what was not there.
    bot.change(**{name: before.get(name) for name in now if now[name] != before.get(name)})
    bot.wait_settled()


# Looking


def test_the_list_says_of_each_bot_how_it_is_and_why(cli: CommandLine, stage: Stage) -> None:
    stage.rig.bot(NAMESPACE, "sick").wait_condition("Healthy", "False")
    eventually("its budget is spent", lambda: "BudgetSpent" in {event["reason"] for event in stage.rig.bot(NAMESPACE, "sick").events()})
    head, *rows = cli.done("list").splitlines()
    assert head.split() == ["NAME", "PHASE", "READY", "HEALTH", "WORST", "LAST", "ACTION", "BUDGET", "MEMORY", "RESTARTS", "AGE"]
    bots = {row.split()[0]: row for row in rows}
    assert list(bots) == ["carry", "sick", "trend"]
    assert re.match(r"carry +Running +2/2 +95 +- +- +12/12 +64Mi/512Mi +0 +\w+$", bots["carry"])
    assert re.search(r"Failed +0/1 .* RestartPod \w+ ago \(did not help\) +0/1 ", bots["sick"])


def test_the_list_of_all_namespaces_is_one_structure_in_every_format(cli: CommandLine) -> None:
    listed = cli.json("list", "-A", namespace=None)
    assert [(bot["namespace"], bot["name"]) for bot in listed] == [
        (NAMESPACE, "carry"),
        (NAMESPACE, "sick"),
        (NAMESPACE, "trend"),
        ("staging", "reversion"),
    ]
    assert [bot["name"] for bot in yaml.safe_load(cli.done("list", "-o", "yaml"))] == ["carry", "sick", "trend"]
    wide = cli.done("list", "-A", "-o", "wide", namespace=None)
    assert "MESSAGE" in wide.splitlines()[0]
    assert re.search(
        r"^staging +reversion +Running .* AAPL,MSFT +100,000\.00 USD +ema-cross +node-\w +trades 2 symbols$", wide, re.MULTILINE
    )


def test_an_empty_namespace_is_no_error(cli: CommandLine) -> None:
    ended = cli("list", namespace="default")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "no bots in namespace default (-A shows all)" in ended.stderr


def test_a_watch_prints_a_line_for_what_changes_and_ends_with_ctrl_c(cli: CommandLine, trend: Any) -> None:
    watch = cli.start("list", "-w", "-o", "json")
    assert watch.stdout is not None
    try:
        while watch.stdout.readline().rstrip() != "]":
            pass  # the list as it is
        trend.change(lifecycle={"state": "Paused"})
        for line in watch.stdout:
            event = json.loads(line)
            if event["bot"]["name"] == "trend" and event["bot"]["phase"] == "Paused":
                break
        watch.send_signal(signal.SIGINT)
        _, errors = watch.communicate(timeout=30)
    finally:
        watch.kill()
    assert watch.returncode == 130
    assert "Traceback" not in errors


def test_the_status_has_conditions_engines_findings_and_what_was_done(cli: CommandLine, stage: Stage) -> None:
    stage.rig.bot(NAMESPACE, "sick").wait_condition("Healthy", "False")
    text = cli.done("status", "tb/sick")
    assert text.startswith(f"sick in {NAMESPACE}: ")
    for title in ("Conditions", "Engines", "Health: score", "Remediation: 0 of 1 steps left, the next in ", "Last exits"):
        assert f"\n{title}" in text
    assert re.search(r"^ +\w+ ago +RestartPod +sick-0 +CrashLooping +did not help$", text, re.MULTILINE)
    assert re.search(r"^ +the engine died 2 times in pod sick-0, .*; fleet \d+ sick of \d+$", text, re.MULTILINE)
    assert re.search(r"^ +sick-0 +\w+ ago +EngineExited +1$", text, re.MULTILINE)


def test_the_status_for_programs_is_the_resources_own_words(cli: CommandLine) -> None:
    status = cli.json("status", "carry")
    assert {condition["type"] for condition in status["conditions"]} == {"Accepted", "Ready", "Healthy", "Progressing", "TuningApplied"}
    assert sorted(symbol for shard in status["shards"] for symbol in shard["symbols"]) == ["AAPL", "MSFT"]
    assert status["budget"] == {"remaining": 12, "limit": 12, "nextStepSeconds": 0}
    assert status["observed"] is True


def test_a_sick_bot_is_explained_by_the_operators_own_judgement(cli: CommandLine, stage: Stage) -> None:
    bot = stage.rig.bot(NAMESPACE, "sick")
    eventually("its budget is spent", lambda: "BudgetSpent" in {event["reason"] for event in bot.events()})
    found = cli.json("explain", "sick")
    (step,) = found["steps"]
    assert (step["cause"], step["step"], step["heldReason"]) == ("CrashLooping", "RestartPod", "BudgetSpent")
    assert step["heldUntil"] > bot.status()["conditions"][0]["lastTransitionTime"]
    times = [moment["time"] for moment in found["happened"]]
    assert times == sorted(times)
    assert any("RestartPod of sick-0, because of CrashLooping: did not help" in moment["text"] for moment in found["happened"])
    text = cli.done("explain", "sick")
    assert re.search(r"Next step: recreate pod sick-0 \(RestartPod\); held back, for \w+, until [\d:]+ UTC", text)
    assert "tradingbot restart sick -n prod" in text


def test_a_bot_that_is_well_is_explained_by_its_observers_report(cli: CommandLine) -> None:
    text = cli.done("explain", "trend")
    assert "The engine of trend-0 is Running, score 95, 64Mi of 512Mi of memory" in text
    assert "Nothing: it is as it should be." in text
    assert "how the engine in pod" not in text


@pytest.fixture
def deployment(stage: Stage) -> Iterator[Callable[..., None]]:
    """Return what installs an operator's Deployment with these variables, called as nobody expects; it is taken away again."""
    root = "/apis/apps/v1/namespaces/staging/deployments"
    labels = {"app.kubernetes.io/name": "bots", "app.kubernetes.io/part-of": "tradingbot", "app.kubernetes.io/component": "operator"}

    def install(**variables: str) -> None:
        environment = [{"name": f"TRADINGBOT_OPERATOR_{name}", "value": value} for name, value in variables.items()]
        pod = {
            "metadata": {"labels": {"app": "bots"}},
            "spec": {"containers": [{"name": "operator", "image": "o:1", "env": [{"name": "HOME", "value": "/"}, *environment]}]},
        }
        spec = {"selector": {"matchLabels": {"app": "bots"}}, "template": pod}
        stage.rig.api.ask("POST", root, {"metadata": {"name": "desk", "labels": labels}, "spec": spec})

    yield install
    stage.rig.api.raw("DELETE", f"{root}/desk")


def test_an_operator_of_any_name_is_found_and_what_it_judges_by_is_said(cli: CommandLine, deployment: Callable[..., None]) -> None:
    assert any("no Deployment labelled" in each for each in cli.json("explain", "trend")["unknown"])
    assert any("here the observers themselves were asked" in each for each in cli.json("explain", "trend")["unknown"])
    deployment(ENGINE_IMAGE="e:1", METRICS_SOURCE="prometheus", PROMETHEUS_URL="http://prometheus:9090")
    found = cli.json("explain", "trend")
    (unknown,) = found["unknown"]
    assert "what Prometheus knows of the engines, by which the operator judges: here the observers themselves were asked" in unknown
    assert any("The operator staging/desk is not running" in sentence for sentence in found["why"])


def test_what_cannot_be_had_is_unknown_and_causes_nothing(cli: CommandLine, stage: Stage, trend: Any) -> None:
    stage.rig.kubelet.conduct(NAMESPACE, "trend", page="refuses")
    try:
        text = cli.done("explain", "trend")
    finally:
        stage.rig.kubelet.conduct(NAMESPACE, "trend", page="answers")
    assert "Nothing: how the engines are is not known, and what is not known causes no action." in text
    assert "how the engine in pod trend-0 is: pod trend-0, port 8081, /health:" in text
    trend.wait_settled()


def test_logs_of_several_engines_name_their_pods(cli: CommandLine, stage: Stage) -> None:
    logs = stage.streams.logs
    for pod in ("carry-0", "carry-1"):
        logs[pod, "engine", False] = [f"{pod} says {number}" for number in range(3)]
    logs["carry-1", "engine", True] = ["the last words"]
    logs["carry-0", "observer", False] = ["it looks"]
    assert cli.done("logs", "carry", "--tail", "1") == "carry-0 | carry-0 says 2\ncarry-1 | carry-1 says 2\n"
    assert cli.done("logs", "carry", "--shard", "1", "--previous") == "the last words\n"
    assert cli.done("logs", "carry", "--shard", "carry-0", "-c", "observer") == "it looks\n"
    part = cli("logs", "carry", "--previous")
    assert (part.returncode, part.stdout) == (0, "carry-1 | the last words\n")
    assert 'carry-0: previous terminated container "engine" in pod "carry-0" not found' in part.stderr


def test_logs_are_followed_side_by_side_until_ctrl_c(cli: CommandLine, stage: Stage) -> None:
    logs = stage.streams.logs
    for pod in ("carry-0", "carry-1"):
        logs[pod, "engine", False] = [f"{pod} begins"]
    follow = cli.start("logs", "carry", "-f")
    assert follow.stdout is not None
    try:
        assert {follow.stdout.readline() for _ in range(2)} == {"carry-0 | carry-0 begins\n", "carry-1 | carry-1 begins\n"}
        logs["carry-1", "engine", False].append("news")
        assert follow.stdout.readline() == "carry-1 | news\n"
        follow.send_signal(signal.SIGINT)
        _, errors = follow.communicate(timeout=30)
    finally:
        follow.kill()
    assert follow.returncode == 130
    assert "Traceback" not in errors


# Changing


def test_a_bot_is_paused_stopped_and_resumed_and_each_is_waited_for(cli: CommandLine, trend: Any) -> None:
    generation = trend.read()["metadata"]["generation"]
    assert cli.done("pause", "trend", "--dry-run") == "trend paused (server dry run: nothing is changed)\n"
    assert trend.read()["metadata"]["generation"] == generation
    assert cli.done("pause", "trend", "--wait") == "trend paused\n"
    assert trend.status()["phase"] == "Paused"
    assert cli.done("pause", "trend") == "trend paused already, by lifecycle.state Paused\n"
    assert cli.done("stop", "trend", "--wait") == "trend stopped\n"
    assert not trend.pods()
    for verb in ("restart", "logs"):
        ended = cli(verb, "trend")
        assert ended.returncode == 2
        assert "it is Stopped" in ended.stderr
    resumed = cli.json("resume", "trend", "--wait")
    assert (resumed["state"], resumed["changed"], resumed["generation"]) == ("Running", True, generation + 3)
    assert trend.status()["phase"] == "Running"


@pytest.mark.usefixtures("trend")
def test_a_wait_that_comes_to_nothing_says_what_was_missing(cli: CommandLine, stage: Stage) -> None:
    stage.rig.kubelet.conduct(NAMESPACE, "trend", takes_documents=False)
    ended = cli("pause", "trend", "--wait", "--timeout", "1s")
    stage.rig.kubelet.conduct(NAMESPACE, "trend", takes_documents=True)
    assert ended.returncode == 1
    assert "Error: trend is to be Paused: not after 1s: " in ended.stderr
    cli.done("restart", "trend", "--wait")  # the played engine looks at a document once


def test_a_restart_replaces_every_pod_or_one_and_is_followed(cli: CommandLine, stage: Stage) -> None:
    bot = stage.rig.bot(NAMESPACE, "carry")

    def uids() -> dict[str, str]:
        return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in bot.pods()}

    before = uids()
    assert cli.done("restart", "carry", "--dry-run") == "carry-0, carry-1 would be restarted (server dry run: nothing is changed)\n"
    assert cli.done("restart", "carry", "--shard", "1", "--wait") == "carry-1 restarted\n"
    between = uids()
    assert (between["carry-0"] == before["carry-0"], between["carry-1"] == before["carry-1"]) == (True, False)
    ended = cli("restart", "carry", "--wait")
    assert (ended.returncode, ended.stdout) == (0, "carry-0, carry-1 restarted\n")
    assert "waits: 1 of 2 engines restarted" in ended.stderr
    assert not set(uids().values()) & set(between.values())
    assert cli("restart", "carry", "--shard", "7").returncode == 2
    bot.wait_settled()


def test_tuning_shows_what_comes_of_it_and_waits_until_every_engine_runs_it(cli: CommandLine, trend: Any) -> None:
    generation = trend.read()["metadata"]["generation"]
    rehearsed = cli.done("tune", "trend", "database.pool.size=10", "cache.memoryLimit=200Mi", "--dry-run")
    assert re.search(r"^database\.pool\.size +default +10 +live$", rehearsed, re.MULTILINE)
    assert "memory budget: 288Mi of 512Mi" in rehearsed
    assert trend.read()["metadata"]["generation"] == generation
    done = cli.done("tune", "trend", "database.pool.size=10", "cache.memoryLimit=200Mi")
    assert re.search(rf"^every engine runs generation {generation + 1}, after \d+\.\d s$", done, re.MULTILINE)
    assert trend.read()["spec"]["database"]["pool"]["size"] == 10
    assert cli.done("tune", "trend", "database.pool.size=10") == "trend is so already: nothing changes\n"
    uid = trend.pods()[0]["metadata"]["uid"]
    tuned = cli.json("tune", "trend", "strategy.parameters.fastPeriod=7", "database.pool.size=")
    assert (tuned["restarts"], tuned["applied"]) == (True, True)
    assert trend.pods()[0]["metadata"]["uid"] != uid
    assert "size" not in trend.read()["spec"]["database"]["pool"]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("database.pool.sise=10", "did you mean database.pool.size?"),
        ("database.pool.size=ten", "give a whole number from 1 to 100"),
        ("cache.memoryLimit=2Gi", "the limit is 512Mi: raise engine.resources.limits.memory"),
        ("broker.account=other", "broker.account is immutable"),
    ],
)
def test_what_may_not_be_is_refused_by_the_model_or_by_the_api_servers_rules(cli: CommandLine, field: str, said: str) -> None:
    ended = cli("tune", "trend", field, "--dry-run")
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


# What goes wrong


def test_a_bot_that_is_not_there_is_answered_with_what_is(cli: CommandLine) -> None:
    for verb in ("status", "explain", "pause", "logs"):
        ended = cli(verb, "trendd")
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr == "Error: there is no bot trendd in namespace prod: did you mean trend?\n"
    elsewhere = cli("status", "trend", namespace="staging")
    assert elsewhere.stderr == "Error: there is no bot trend in namespace staging; there is one in prod: give -n prod\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "can't be used"),
        ("{", "can't be used"),
        ("clusters: []\n", "can't be used"),
        ("apiVersion: v1\nkind: Config\ncontexts: []\nclusters: []\nusers: []\ncurrent-context: gone\n", "can't be used"),
    ],
)
def test_a_kubeconfig_that_is_none_is_said_to_be_none(cli: CommandLine, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    ended = cli("list", "--kubeconfig", str(path))
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_where_there_is_no_kubeconfig_or_context_it_is_said_what_to_give(cli: CommandLine, tmp_path: Path) -> None:
    ended = cli("list", "--kubeconfig", str(tmp_path / "none"))
    assert (ended.returncode, "set KUBECONFIG, or give --kubeconfig FILE" in ended.stderr) == (2, True)
    ended = cli("list", "--context", "moon")
    assert (ended.returncode, "has no context moon: there is loopback" in ended.stderr) == (2, True)


def changed_kubeconfig(cli: CommandLine, folder: Path, **changes: Any) -> Path:
    """Return a copy of the kubeconfig with another server or user."""
    content = json.loads(cli.kubeconfig.read_text())
    content["clusters"][0]["cluster"] |= changes.get("cluster", {})
    content["users"][0]["user"] = changes.get("user", content["users"][0]["user"])
    path = folder / "config"
    path.write_text(json.dumps(content))
    return path


def test_a_server_that_does_not_answer_is_named_with_why(cli: CommandLine, tmp_path: Path) -> None:
    path = changed_kubeconfig(cli, tmp_path, cluster={"server": "https://127.0.0.1:1"})
    for words in (("list",), ("explain", "trend")):
        ended = cli(*words, "--kubeconfig", str(path))
        assert ended.returncode == 1
        assert ended.stderr == "Error: the API server https://127.0.0.1:1 (context loopback) can't be reached: Connection refused\n"


def test_credentials_that_are_not_taken_or_cannot_be_had_are_said_to_be_so(cli: CommandLine, tmp_path: Path) -> None:
    ended = cli("list", "--kubeconfig", str(changed_kubeconfig(cli, tmp_path, user={"token": "wrong"})))
    assert (ended.returncode, "does not take the credentials of context loopback" in ended.stderr) == (1, True)
    plugin = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/false", "interactiveMode": "Never"}}
    ended = cli("list", "--kubeconfig", str(changed_kubeconfig(cli, tmp_path, user=plugin)))
    assert (ended.returncode, "no credentials: exec: process returned 1" in ended.stderr) == (2, True)
    assert "Traceback" not in ended.stderr


def impersonating(rig: Rig, cli: CommandLine, folder: Path, rules: list[dict[str, Any]]) -> Path:
    """Return a kubeconfig of a service account that may do these things, and nothing else."""
    for kind, manifest in (
        ("serviceaccounts", {"metadata": {"name": "guest"}}),
        ("roles", {"metadata": {"name": "guest"}, "rules": rules}),
        (
            "rolebindings",
            {
                "metadata": {"name": "guest"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "guest"},
                "subjects": [{"kind": "ServiceAccount", "name": "guest", "namespace": NAMESPACE}],
            },
        ),
    ):
        root = "/api/v1" if kind == "serviceaccounts" else "/apis/rbac.authorization.k8s.io/v1"
        rig.api.raw("DELETE", f"{root}/namespaces/{NAMESPACE}/{kind}/guest")
        rig.api.ask("POST", f"{root}/namespaces/{NAMESPACE}/{kind}", manifest)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    answer = rig.api.ask("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/guest/token", request)
    return changed_kubeconfig(cli, folder, user={"token": answer["status"]["token"]})


def test_who_may_not_is_told_which_right_is_missing(cli: CommandLine, stage: Stage, tmp_path: Path) -> None:
    path = str(impersonating(stage.rig, cli, tmp_path, []))
    for words, right in (
        (("list",), 'cannot list resource "tradingbots" in API group "tradingbot.dev" in the namespace "prod"'),
        (("explain", "trend"), 'cannot get resource "tradingbots"'),
    ):
        ended = cli(*words, "--kubeconfig", path)
        assert ended.returncode == 1
        assert right in ended.stderr
        assert "Traceback" not in ended.stderr


def test_who_may_only_look_at_bots_gets_what_can_be_said_from_that(cli: CommandLine, stage: Stage, tmp_path: Path) -> None:
    rules = [{"apiGroups": ["tradingbot.dev"], "resources": ["tradingbots"], "verbs": ["get", "list"]}]
    path = str(impersonating(stage.rig, cli, tmp_path, rules))
    assert "Running" in cli.done("status", "trend", "--kubeconfig", path)
    text = cli.done("explain", "trend", "--kubeconfig", path)
    assert "its pods: no rights:" in text
    assert "its Events: no rights:" in text
    ended = cli("pause", "trend", "--kubeconfig", path)
    assert (ended.returncode, 'cannot patch resource "tradingbots"' in ended.stderr) == (1, True)
    ended = cli("logs", "trend", "--kubeconfig", path)
    assert (ended.returncode, 'cannot list resource "pods"' in ended.stderr) == (1, True)


def test_who_may_only_read_named_bots_is_told_when_there_is_none(cli: CommandLine, stage: Stage, tmp_path: Path) -> None:
    rules = [{"apiGroups": ["tradingbot.dev"], "resources": ["tradingbots"], "verbs": ["get"]}]
    ended = cli("status", "trendd", "--kubeconfig", str(impersonating(stage.rig, cli, tmp_path, rules)))
    assert (ended.returncode, ended.stderr) == (2, "Error: there is no bot trendd in namespace prod\n")


def test_a_reader_that_has_seen_enough_is_no_error(cli: CommandLine) -> None:
    ended = subprocess.run(
        ["bash", "-c", "tradingbot list -A -o json | true"], env=cli.variables, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in ended.stderr
    assert "BrokenPipe" not in ended.stderr


def test_bots_are_completed_for_shells_and_for_kubectl(cli: CommandLine) -> None:
    words = {"COMP_WORDS": f"tradingbot status -n {NAMESPACE} ", "COMP_CWORD": "4", "_TRADINGBOT_COMPLETE": "bash_complete"}
    cli.environment |= words
    assert [line.partition(",")[2] for line in cli.done(namespace=None).splitlines()] == ["carry", "sick", "trend"]
    asked = subprocess.run(
        ["kubectl_complete-tradingbot", "pause", "-n", NAMESPACE, "tb/t"], env=cli.variables, capture_output=True, text=True, check=True
    )
    assert asked.stdout == "tb/trend\n:4\n"


def test_a_cluster_without_the_resource_is_said_to_have_none(cli: CommandLine, stage: Stage) -> None:
    """The last one here: without the resource there are no bots any more."""
    stage.operator.stop()
    stage.rig.api.delete("customresourcedefinitions", "tradingbots.tradingbot.dev", None)
    eventually("the resource is gone", lambda: stage.rig.api.raw("GET", "/apis/tradingbot.dev/v1alpha1/tradingbots").status == 404)
    for words in (("list",), ("status", "trend")):
        ended = cli(*words)
        assert ended.returncode == 2
        assert "this cluster has no TradingBots: install the operator first" in ended.stderr
