"""What of the client can be told without an API server: how it meets one that takes its credentials no more."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from aiohttp import web

from tradingbot_operator.errors import NotLeadingError
from tradingbot_operator.handlers import build_kopf_settings
from tradingbot_operator.kinds import kind_of
from tradingbot_operator.kube import Kube
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.term import Term

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}}


def test_a_change_is_not_sent_a_second_time_by_one_that_no_longer_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer that the credentials are no longer good may be as late as the lead lasts."""
    term, asked = Term(), []

    async def refuse(request: web.Request) -> web.Response:
        asked.append(request.method)
        term.end()
        return web.Response(status=401)

    async def scenario() -> None:
        server = web.Application()
        server.router.add_route("*", "/{path:.*}", refuse)
        runner = web.AppRunner(server)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        cluster = {"name": "c", "cluster": {"server": f"http://{host}:{port}"}}
        user, context = {"name": "u", "user": {"token": "old"}}, {"name": "x", "context": {"cluster": "c", "user": "u"}}
        config = {"clusters": [cluster], "users": [user], "contexts": [context], "current-context": "x"}
        (tmp_path / "kubeconfig").write_text(json.dumps(config))
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
        term.extend(acts_until=time.monotonic() + 60.0, calls_until=time.monotonic() + 60.0)
        try:
            async with Kube(build_kopf_settings(), OperatorMetrics(), term) as kube:
                with pytest.raises(NotLeadingError):
                    await kube.create(kind_of("ConfigMap"), "bots", CONFIG_MAP)
        finally:
            await runner.cleanup()

    asyncio.run(scenario())
    assert asked == ["POST"]
