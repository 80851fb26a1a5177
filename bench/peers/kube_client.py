"""One client of the API server at work, in a process of its own: ``kube_client NAME URL CERTIFICATE TOKEN NAMESPACE CALLS``.

It imports kopf first, as the operator does, and the client that is measured, but none of the others: kopf imports the official ones
where they are installed. It prints one line of JSON: memory after the import and after the calls, and calls a second.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import re
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

NAMES: Final = ("kopf_alone", "ours", "kubernetes", "kubernetes_aio", "kubernetes_asyncio", "lightkube")
MODULES: Final = ("kubernetes", "kubernetes_asyncio", "lightkube")
NEEDED: Final = {
    "kubernetes": "kubernetes",
    "kubernetes_aio": "kubernetes",
    "kubernetes_asyncio": "kubernetes_asyncio",
    "lightkube": "lightkube",
}
LISTS: Final = 10


class Server(NamedTuple):
    """Where the calls go."""

    url: str
    certificate: str
    token: str
    namespace: str


class Client(NamedTuple):
    """What is measured, each call with the name of an object."""

    get: Callable[[str], Any]
    patch: Callable[[str], Any]
    list_all: Callable[[], Any]
    watch: Callable[[int], Any]
    """Reads so many events."""
    close: Callable[[], Any]


def rss_mib() -> float:
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


async def done(value: Any) -> Any:
    """Return the value, waited for if the client is one that has to be."""
    return await value if inspect.isawaitable(value) else value


async def make_ours(server: Server) -> Client:
    """Return the operator's own client. Its watches are kopf's, which reads a line and decodes it: so that is what is timed here."""
    import os  # noqa: PLC0415 - what is imported is what is measured

    from tradingbot_operator.handlers import build_kopf_settings  # noqa: PLC0415
    from tradingbot_operator.kinds import kind_of  # noqa: PLC0415
    from tradingbot_operator.kube import Kube  # noqa: PLC0415
    from tradingbot_operator.metrics import OperatorMetrics  # noqa: PLC0415
    from tradingbot_operator.term import endless_term  # noqa: PLC0415
    from tradingbot_operator.token_bucket import TokenBucket  # noqa: PLC0415

    user = {"name": "u", "user": {"token": server.token}}
    cluster = {"name": "c", "cluster": {"server": server.url, "certificate-authority": server.certificate}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    config = Path(server.certificate).parent / "bench.kubeconfig"
    config.write_text(json.dumps({"current-context": "c", "contexts": [context], "clusters": [cluster], "users": [user]}))
    os.environ["KUBECONFIG"] = str(config)
    kube, kind = Kube(build_kopf_settings(), OperatorMetrics(), endless_term()), kind_of("ConfigMap")
    kube._changes = TokenBucket(per_second=1e6, burst=1_000_000)  # noqa: SLF001 - the bound is not what is measured

    async def watch(events: int) -> None:
        url = f"{server.url}{kind.path(server.namespace)}"
        async with kube._session.get(url, params={"watch": "true", "resourceVersion": "0"}) as response:  # noqa: SLF001
            for _ in range(events):
                json.loads(await response.content.readline())

    return Client(
        get=lambda name: kube.get(kind, server.namespace, name),
        patch=lambda name: kube.patch(kind, server.namespace, name, change()),
        list_all=lambda: kube.list_all(kind, server.namespace),
        watch=watch,
        close=lambda: kube.__aexit__(None, None, None),
    )


def make_official(server: Server, package: str, watch_module: str) -> Client:
    """Return one of the generated clients: the official one, its asyncio part, or the older asyncio one."""
    client, watching = importlib.import_module(package), importlib.import_module(watch_module)
    settings = client.Configuration()
    settings.host, settings.ssl_ca_cert = server.url, server.certificate
    settings.api_key = {"authorization": f"Bearer {server.token}", "BearerToken": f"Bearer {server.token}"}
    pool = client.ApiClient(settings)
    api = client.CoreV1Api(pool)

    def count(stream: Any, events: int) -> None:
        for _ in range(events):
            next(stream)

    def watch(events: int) -> Any:
        stream = watching.Watch().stream(api.list_namespaced_config_map, server.namespace, resource_version="0", timeout_seconds=30)
        return count(stream, events) if hasattr(stream, "__next__") else count_async(stream, events)

    return Client(
        get=lambda name: api.read_namespaced_config_map(name, server.namespace),
        patch=lambda name: api.patch_namespaced_config_map(name, server.namespace, change()),
        list_all=lambda: api.list_namespaced_config_map(server.namespace),
        watch=watch,
        close=pool.close,
    )


async def count_async(stream: Any, events: int) -> None:
    for _ in range(events):
        await anext(stream)


async def make_lightkube(server: Server) -> Client:
    lightkube, kind = importlib.import_module("lightkube"), importlib.import_module("lightkube.resources.core_v1").ConfigMap
    user = {"name": "u", "user": {"token": server.token}}
    cluster = {"name": "c", "cluster": {"server": server.url, "certificate-authority": server.certificate}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u", "namespace": server.namespace}}
    config = lightkube.KubeConfig.from_dict({"current-context": "c", "contexts": [context], "clusters": [cluster], "users": [user]})
    api = lightkube.AsyncClient(config)

    async def read_all() -> list[Any]:
        return [each async for each in api.list(kind)]

    return Client(
        get=lambda name: api.get(kind, name),
        patch=lambda name: api.patch(kind, name, change()),
        list_all=read_all,
        watch=lambda events: count_async(api.watch(kind, resource_version="0"), events),
        close=api.close,
    )


def change() -> dict[str, Any]:
    return {"metadata": {"annotations": {"bench": str(time.perf_counter_ns())}}}


async def make(name: str, server: Server) -> Client:
    match name:
        case "ours":
            return await make_ours(server)
        case "lightkube":
            return await make_lightkube(server)
        case "kubernetes":
            return make_official(server, "kubernetes.client", "kubernetes.watch")
        case "kubernetes_aio":
            return make_official(server, "kubernetes.aio.client", "kubernetes.aio.watch")
        case _:
            return make_official(server, "kubernetes_asyncio.client", "kubernetes_asyncio.watch")


async def measure(client: Client, calls: int, objects: int) -> dict[str, float]:
    """Return calls a second, one after another."""

    async def timed(times: int, call: Callable[[int], Any]) -> float:
        started = time.perf_counter()
        for number in range(times):
            await done(call(number))
        return times / (time.perf_counter() - started)

    await done(client.get("object-0"))  # the connection is made before
    return {
        "get_per_second": await timed(calls, lambda number: client.get(f"object-{number % objects}")),
        "patch_per_second": await timed(calls // 2, lambda number: client.patch(f"object-{number % objects}")),
        "listed_objects_per_second": objects * await timed(LISTS, lambda _: client.list_all()),
        "watched_events_per_second": objects * await timed(LISTS, lambda _: client.watch(objects)),
    }


async def run(name: str, server: Server, calls: int, objects: int) -> dict[str, float]:
    for module in MODULES:
        if module != NEEDED.get(name):
            sys.modules[module] = None  # type: ignore[assignment]
    importlib.import_module("kopf")
    if name == "kopf_alone":
        return {"import_rss_mib": rss_mib()}
    client = await make(name, server)
    imported = rss_mib()
    figures = await measure(client, calls, objects)
    figures |= {"import_rss_mib": imported, "rss_mib": rss_mib()}
    await done(client.close())
    return figures


if __name__ == "__main__":
    ssl.create_default_context()  # OpenSSL is loaded by all of them
    print(json.dumps(asyncio.run(run(sys.argv[1], Server(*sys.argv[2:6]), int(sys.argv[6]), int(sys.argv[7])))))
