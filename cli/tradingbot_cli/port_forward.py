"""Reads a page of a pod through the API server and the pod's kubelet, as ``kubectl port-forward`` does, without a process and a local port.

A forwarded port ends inside the pod's own network, so the bot's NetworkPolicy needs no exception. In the API server's WebSocket every
frame begins with the number of a channel, 0 for data and 1 for errors, and the first frame of each says which port it is for.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec
from kubernetes.stream.ws_client import create_websocket, get_websocket_url
from msgspec import Struct
from websocket import WebSocket, WebSocketBadStatusException, WebSocketException

from tradingbot_cli.connection import Connection
from tradingbot_cli.errors import FailedError

PATIENCE_SECONDS: Final = 5.0
LIMIT_BYTES: Final = 64 * 2**20
_DATA: Final = 0


class PageError(FailedError):
    """A page of a pod can't be had; the message says why."""


def read_page(connection: Connection, namespace: str, pod: str, port: int, path: str) -> bytes:
    """Return the body of a page.

    Raises:
        PageError: nobody answers there, or not with 200.
    """
    url = f"{connection.settings.host}/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
    try:
        socket: WebSocket = create_websocket(  # type: ignore[no-untyped-call]  # it has no types
            connection.settings,
            get_websocket_url(url, [("ports", str(port))]),  # type: ignore[no-untyped-call]  # as above
            connection.headers() or None,
        )
    except WebSocketBadStatusException as error:
        said = _said(error.status_code, error.resp_body or b"")
        raise PageError(f"pod {pod}: port {port} can't be forwarded: {said}") from error
    except (WebSocketException, OSError) as error:
        raise PageError(f"pod {pod}: port {port} can't be forwarded: {error}") from error
    try:
        socket.settimeout(PATIENCE_SECONDS)
        socket.send_binary(bytes([_DATA]) + f"GET {path} HTTP/1.1\r\nHost: {pod}\r\nConnection: close\r\n\r\n".encode())
        return _receive(socket, f"pod {pod}, port {port}, {path}")
    except (WebSocketException, OSError) as error:
        raise PageError(f"pod {pod}, port {port}, {path}: {error or 'no answer'}") from error
    finally:
        socket.shutdown()  # type: ignore[no-untyped-call]  # it has no types


def _receive(socket: WebSocket, where: str) -> bytes:
    """Return the body of an answer of the product's own servers, which always tell its length."""
    announced: set[int] = set()
    answer = bytearray()
    head: _Head | None = None
    while len(answer) < LIMIT_BYTES:
        frame = socket.recv()
        if not frame or isinstance(frame, str):
            break
        channel, content = frame[0], frame[1:]
        if channel not in announced:
            announced.add(channel)
        elif channel != _DATA:
            raise PageError(f"{where}: {content.decode(errors='replace').strip() or 'nobody listens'}")
        else:
            answer += content
            head = head or _read_head(answer)
            if head is not None and len(answer) >= head.end:
                body = bytes(answer[head.begin : head.end])
                if head.status != HTTPStatus.OK:
                    raise PageError(f"{where}: {body.decode(errors='replace').strip()[:500] or head.status}")
                return body
    raise PageError(f"{where}: the answer ends too early")


class _Head(NamedTuple):
    """The head of an answer: its status, and where its body begins and ends."""

    status: int
    begin: int
    end: int


def _read_head(answer: bytearray) -> _Head | None:
    """Return the head of an answer; None while it is not all there, or tells no length."""
    head, end, _ = bytes(answer).partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    lengths = [int(field.partition(":")[2]) for field in fields if field.lower().startswith("content-length:")]
    if not end or not lengths:
        return None
    begin = len(head) + len(end)
    return _Head(int(status.split(" ")[1]), begin, begin + lengths[0])


class _Status(Struct, frozen=True):
    message: str = ""


def _said(status: int, answer: bytes) -> str:
    """Return why the API server does not forward."""
    if status == HTTPStatus.FORBIDDEN:
        return "no rights: creating pods/portforward must be allowed"
    try:
        return msgspec.json.decode(answer, type=_Status).message or str(status)
    except msgspec.DecodeError:
        return answer[:200].decode(errors="replace").strip() or str(status)
