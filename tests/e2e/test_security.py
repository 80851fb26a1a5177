"""What an intruder would try, tried: from a bot's observer, from its engine, from the operator's pod and from pods that are none of ours.

The bot has a Secret with an address of a Redis that is not there, which costs it nothing and gives its engine something to hide.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import pytest
import yaml

from rig.bots import Bot, manifest
from rig.bystanders import build_listener, build_visitor, try_places
from rig.kube import Kube, KubectlError
from rig.operators import Operators
from rig.release import NAMESPACE, install
from rig.waiting import eventually
from tradingbot_contract.endpoints import (
    DATA_DIRECTORY,
    ENGINE_CONTAINER,
    ENGINE_PORT,
    ENGINE_UID,
    ENV_REDIS_URL,
    OBSERVER_CONTAINER,
    OBSERVER_PORT,
    OBSERVER_UID,
    OPERATOR_PORT,
)

StartBots = Callable[..., list[Bot]]

PASSWORD: Final = "only-for-this-bot"  # noqa: S105 - of a Redis that does not exist
NAMED_PORT: Final = 6379
"""Of the Redis in the bot's spec."""
OTHER_PORT: Final = 6380
OPERATOR_UID: Final = 65_532
SCRAPER_NAMESPACE: Final = "e2e-security-scraper"
"""From where metrics may be scraped."""
SYSTEM_NAMESPACES: Final = frozenset({"default", "kube-node-lease", "kube-public", "kube-system", "local-path-storage"})
SHELLS: Final = ("/bin/sh", "/bin/bash", "/bin/dash", "/usr/bin/perl", "/bin/busybox")

# Run inside a container: what its process may do. Each attempt is told as `allowed` or by the name of the error.
_LOOK_AROUND: Final = """
import json, os, pathlib
def attempt(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__ if error.errno != 30 else "ReadOnly"
    return "allowed"
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "uid": os.getuid(),
    "capabilities": {key: int(status[key], 16) for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")},
    "no_new_privileges": status["NoNewPrivs"].strip(),
    "seccomp": status["Seccomp"].strip(),
    "writes": {place: attempt(lambda: pathlib.Path(place, "mine").touch()) for place in WRITES},
    "token": os.path.exists("/var/run/secrets/kubernetes.io/serviceaccount/token"),
    "shells": [shell for shell in SHELLS if os.path.exists(shell)],
    "knows_password": PASSWORD in json.dumps(dict(os.environ)),
}))
"""
# Run in one container of a bot's pod: what it can get from a process of the other one.
_LOOK_AT: Final = """
import json, os, pathlib, signal
found = [int(path.name) for path in pathlib.Path("/proc").iterdir() if path.name.isdigit() and MODULE in (path / "cmdline").read_bytes()]
pid = next(pid for pid in found if pathlib.Path(f"/proc/{pid}").stat().st_uid == UID)
def attempt(action):
    try:
        action()
    except PermissionError:
        return "refused"
    return "allowed"
folder = pathlib.Path(f"/proc/{pid}")
print(json.dumps({
    "environment": attempt(lambda: (folder / "environ").read_bytes()),
    "memory": attempt(lambda: (folder / "mem").open("rb").read(1)),
    "memory map": attempt(lambda: (folder / "maps").read_bytes()),
    "root": attempt(lambda: list((folder / "root").iterdir())),
    "data": attempt(lambda: list(pathlib.Path(f"{folder}/root{DATA}").iterdir())),
    "open files": attempt(lambda: list((folder / "fd").iterdir())),
    "signal": attempt(lambda: os.kill(pid, signal.SIGTERM)),
    "attach": attempt(lambda: (folder / "syscall").read_bytes()),
    "its own copy of the data": str(pathlib.Path(DATA).exists()),
}))
"""


class Scene(NamedTuple):
    """Where the bot is, and who else is there."""

    bot: Bot
    elsewhere: str
    """Another namespace, with a pod `visitor`; there is one in the bot's namespace and in the scraper's, too."""

    def address(self, namespace: str, pod: str) -> str:
        found = self.bot.kube.get("pods", pod, namespace)
        assert found is not None
        return str(found["status"]["podIP"])


@pytest.fixture(scope="module")
def scene(kube: Kube, images: dict[str, str], namespace: str, start: StartBots, leaving: list[str]) -> Iterator[Scene]:
    """Return a running bot with its bystanders; all of them start at once, while the operator is told who may scrape."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "redis"}}
    url = f"redis://:{PASSWORD}@redis.{namespace}:{NAMED_PORT}/0"
    kube.apply(secret | {"stringData": {"url": url}}, build_visitor(kube, "visitor"), namespace=namespace)
    kube.apply(build_listener(kube, "listener", NAMED_PORT, OTHER_PORT), namespace=namespace)
    (bot,) = start(manifest("guarded", redis={"urlSecretRef": {"name": "redis"}}))
    elsewhere = f"{namespace}-elsewhere"
    for name in (elsewhere, SCRAPER_NAMESPACE):
        kube.make_namespace(name)
        kube.apply(build_visitor(kube, "visitor"), namespace=name)
    install(kube, images, f"monitoring.scrapeNamespaces={{{SCRAPER_NAMESPACE}}}")
    bot.wait_trading()
    for name in (namespace, elsewhere, SCRAPER_NAMESPACE):
        kube.kubectl("-n", name, "wait", "--for=condition=Ready", "pod", "-l", "app in (visitor, listener)", "--timeout=60s")
    yield Scene(bot, elsewhere)
    # What the operator was told may stay: it lets in a namespace that is gone.
    for name in (elsewhere, SCRAPER_NAMESPACE):
        kube.kubectl("delete", "namespace", name, "--wait=false")
        leaving.append(name)


def run(kube: Kube, namespace: str, pod: str, container: str, script: str, **values: Any) -> Any:
    given = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    return json.loads(kube.kubectl("-n", namespace, "exec", pod, "-c", container, "--", "python3", "-c", given + script))


def own_pod(scene: Scene) -> str:
    pod = scene.bot.pod()
    assert pod is not None
    return str(pod["metadata"]["name"])


def test_every_namespace_of_ours_enforces_the_restricted_standard(kube: Kube, scene: Scene) -> None:
    namespaces = {item["metadata"]["name"]: item["metadata"]["labels"] for item in kube.items("namespaces", None)}
    ours = {name: labels.get("pod-security.kubernetes.io/enforce") for name, labels in namespaces.items() if name not in SYSTEM_NAMESPACES}
    assert {NAMESPACE, scene.bot.namespace} <= ours.keys()
    assert set(ours.values()) == {"restricted"}, ours
    careless = build_visitor(kube, "careless")
    careless["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    for name in (NAMESPACE, scene.bot.namespace):
        with pytest.raises(KubectlError, match='violates PodSecurity "restricted'):
            kube.kubectl("-n", name, "create", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(careless))


@pytest.mark.parametrize(
    ("container", "uid", "writable"),
    [
        (ENGINE_CONTAINER, ENGINE_UID, ["/tmp", DATA_DIRECTORY]),  # noqa: S108 - a volume of the pod
        (OBSERVER_CONTAINER, OBSERVER_UID, ["/tmp"]),  # noqa: S108 - a volume of the pod
        ("operator", OPERATOR_UID, ["/tmp"]),  # noqa: S108 - a volume of the pod
    ],
)
def test_a_container_has_no_more_than_it_needs(kube: Kube, scene: Scene, container: str, uid: int, writable: list[str]) -> None:
    is_operator = container == "operator"
    namespace, pod = (NAMESPACE, Operators(kube).leader()["metadata"]["name"]) if is_operator else (scene.bot.namespace, own_pod(scene))
    read_only = ["/", "/app/code", "/usr/bin"]
    seen = run(kube, namespace, pod, container, _LOOK_AROUND, WRITES=[*read_only, *writable], SHELLS=SHELLS, PASSWORD=PASSWORD)
    assert seen["uid"] == uid
    assert set(seen["capabilities"].values()) == {0}
    assert (seen["no_new_privileges"], seen["seccomp"]) == ("1", "2")
    assert seen["writes"] == dict.fromkeys(read_only, "ReadOnly") | dict.fromkeys(writable, "allowed")
    assert seen["token"] is is_operator
    assert seen["knows_password"] is (container == ENGINE_CONTAINER)
    # And nobody gets a shell.
    assert seen["shells"] == []
    with pytest.raises(KubectlError, match="no such file or directory"):
        kube.kubectl("-n", namespace, "exec", pod, "-c", container, "--", "/bin/sh", "-c", "true")


def test_the_observer_gets_nothing_of_the_engine_and_the_engine_nothing_of_the_observer(kube: Kube, scene: Scene) -> None:
    places = ("environment", "memory", "memory map", "root", "data", "open files", "signal", "attach")
    for container, module, uid, has_data in (
        (OBSERVER_CONTAINER, "tradingbot_engine", ENGINE_UID, "False"),
        (ENGINE_CONTAINER, "tradingbot_observer", OBSERVER_UID, "True"),
    ):
        script_values = {"MODULE": module.encode(), "UID": uid, "DATA": DATA_DIRECTORY}
        seen = run(kube, scene.bot.namespace, own_pod(scene), container, _LOOK_AT, **script_values)
        assert seen == dict.fromkeys(places, "refused") | {"its own copy of the data": has_data}
    scene.bot.wait_trading()


def test_the_secret_is_in_the_engine_and_in_nothing_that_the_operator_writes(kube: Kube, scene: Scene) -> None:
    assert PASSWORD in scene.bot.python(f"import os; print(os.environ['{ENV_REDIS_URL}'])")
    for kind in ("tradingbots", "statefulsets", "configmaps", "services", "events"):
        assert PASSWORD not in json.dumps(kube.items(kind, scene.bot.namespace)), kind
    for path in ("/status", "/metrics"):
        page = kube.page(scene.bot.namespace, own_pod(scene), ENGINE_PORT, path)
        assert page is not None
        assert PASSWORD.encode() not in page


def test_a_bot_is_reached_by_those_who_are_named_and_by_nobody_else(kube: Kube, scene: Scene) -> None:
    engine = scene.address(scene.bot.namespace, own_pod(scene))
    operator = Operators(kube).leader()["status"]["podIP"]
    bots, operators = [f"{engine}:{port}" for port in (ENGINE_PORT, OBSERVER_PORT)], [f"{operator}:{OPERATOR_PORT}"]
    for namespace, bot_answers, operator_answers in (
        (scene.bot.namespace, "open", "no answer"),
        (SCRAPER_NAMESPACE, "open", "open"),
        (scene.elsewhere, "no answer", "no answer"),
    ):
        expected = dict.fromkeys(bots, bot_answers) | dict.fromkeys(operators, operator_answers)
        eventually_so(kube, namespace, "visitor", "main", expected)


def test_an_engine_reaches_what_its_spec_names_and_nothing_else(kube: Kube, scene: Scene) -> None:
    listener, namespace = scene.address(scene.bot.namespace, "listener"), scene.bot.namespace
    # Somebody without a policy reaches both: that the engine doesn't is the policy's doing.
    eventually_so(kube, namespace, "visitor", "main", {f"{listener}:{NAMED_PORT}": "open", f"{listener}:{OTHER_PORT}": "open"})
    expected = {f"{listener}:{NAMED_PORT}": "open", f"{listener}:{OTHER_PORT}": "no answer", "kubernetes.default.svc:443": "no answer"}
    for container in (ENGINE_CONTAINER, OBSERVER_CONTAINER):
        eventually_so(kube, namespace, own_pod(scene), container, expected)


def test_the_operator_reaches_observers_and_the_api_server_and_nothing_else(kube: Kube, scene: Scene) -> None:
    engine, listener = scene.address(scene.bot.namespace, own_pod(scene)), scene.address(scene.bot.namespace, "listener")
    expected = {
        f"{engine}:{OBSERVER_PORT}": "open",
        "kubernetes.default.svc:443": "open",
        f"{engine}:{ENGINE_PORT}": "no answer",
        f"{listener}:{NAMED_PORT}": "no answer",
    }
    eventually_so(kube, NAMESPACE, Operators(kube).leader()["metadata"]["name"], "operator", expected)


def eventually_so(kube: Kube, namespace: str, pod: str, container: str, expected: dict[str, str]) -> None:
    """Wait until attempts come out so: the node's agent learns of a new pod's address a moment after it has got one."""

    def look() -> bool:
        assert try_places(kube, namespace, pod, [*expected], container=container) == expected
        return True

    eventually(f"{namespace}/{pod} gets where it may", look, within_seconds=30.0)
