"""The kubelets' own server, played: it forwards ports of pods and gives their logs, as the API server asks kubelets to.

The API server takes it for the kubelet of every node, because every node is said to be at its address. A forwarded port is a connection
to the pod's own address, so what answers is whatever listens there. A log is what a test has put down for a container.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import defaultdict
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from aiohttp import WSMsgType, web

from api_client import ApiClient
from server_process import HOST, free_port

_DATA: Final = 0
_ERROR: Final = 1
_FOLLOW_SECONDS: Final = 0.05


class SimulatedStreams:
    """One server for all nodes."""

    def __init__(self, api: ApiClient, certificate: Path) -> None:
        self.logs: defaultdict[tuple[str, str, bool], list[str]] = defaultdict(list)
        """Lines by pod, container, and whether they are of the container before."""
        self._api = api
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(certificate, certificate.with_suffix(".key"))
        self._port = free_port()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="streams", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30), "the kubelets' server does not start"
        status = {
            "addresses": [{"type": "InternalIP", "address": HOST}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._port}},
        }
        for node in self._api.items("nodes", None):
            self._api.patch("nodes", node["metadata"]["name"], None, {"status": status}, subresource="status")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application()
        app.add_routes(
            [
                web.get("/portForward/{namespace}/{pod}", self._forward),
                web.get("/containerLogs/{namespace}/{pod}/{container}", self._give_log),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, HOST, self._port, ssl_context=self._tls).start()
        self._ready.set()
        await self._stop.wait()
        server = runner.server
        transports = [] if server is None else [handler.transport for handler in server.connections]
        await runner.cleanup()
        for transport in transports:
            if transport is not None:  # a polite end of TLS would take longer than the loop lives
                transport.abort()
        await asyncio.sleep(0)  # they close in the loop's next turn
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _forward(self, request: web.Request) -> web.WebSocketResponse:
        """Carry bytes between the API server and a port of a pod; each channel is announced by the port that it is for."""
        port = int(request.query.get("port") or request.query["ports"])
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"))
        await socket.prepare(request)
        for channel in (_DATA, _ERROR):
            await socket.send_bytes(bytes([channel]) + port.to_bytes(2, "little"))
        pod = await asyncio.to_thread(self._api.get, "pods", request.match_info["pod"], request.match_info["namespace"])
        ip = ((pod or {}).get("status") or {}).get("podIP", HOST)
        try:
            reader, writer = await asyncio.open_connection(ip, port)
        except OSError as error:
            await socket.send_bytes(bytes([_ERROR]) + f"{ip}:{port}: {error.strerror}".encode())
            await socket.close()
            return socket
        answer = asyncio.create_task(self._answer(reader, socket))
        async for message in socket:
            if message.type is WSMsgType.BINARY and message.data[0] == _DATA:
                writer.write(message.data[1:])
        answer.cancel()
        writer.close()
        return socket

    async def _answer(self, reader: asyncio.StreamReader, socket: web.WebSocketResponse) -> None:
        while data := await reader.read(2**14):
            await socket.send_bytes(bytes([_DATA]) + data)

    async def _give_log(self, request: web.Request) -> web.StreamResponse:
        asked, is_before = request.match_info, request.query.get("previous") == "true"
        lines = self.logs[asked["pod"], asked["container"], is_before]
        if is_before and not lines:
            text = f'previous terminated container "{asked["container"]}" in pod "{asked["pod"]}" not found'
            return web.Response(status=HTTPStatus.BAD_REQUEST, text=text)
        response = web.StreamResponse()
        await response.prepare(request)
        tail = request.query.get("tailLines")
        sent = max(0, len(lines) - int(tail)) if tail else 0
        while True:
            for line in lines[sent:]:
                await response.write(f"{line}\n".encode())
            sent = len(lines)
            if request.query.get("follow") != "true" or request.transport is None:
                break  # all is said, or nobody listens any more
            await asyncio.sleep(_FOLLOW_SECONDS)
        await response.write_eof()
        return response
