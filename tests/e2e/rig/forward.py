"""Reads a page of a pod by port-forwarding, as ``kubectl port-forward`` does, but without a process for each look.

A pod's NetworkPolicy lets nobody in but the operator; a forwarded port ends inside the pod's own network, so it needs no exception.
The protocol is that of the API server's WebSocket: every frame begins with the number of a channel, 0 for data and 1 for errors, and the
first frame of each says which port it is for.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from kubernetes import client
from kubernetes.stream.ws_client import create_websocket, get_websocket_url
from websocket import WebSocketException

_DATA: Final = 0
_PATIENCE_SECONDS: Final = 3.0


def read_page(settings: client.Configuration, namespace: str, pod: str, port: int, path: str) -> bytes | None:
    """Return the body of a page; None when nobody answers there, or not with 200."""
    url = f"{settings.host}/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
    token = settings.get_api_key_with_prefix("authorization")
    try:
        socket = create_websocket(  # type: ignore[no-untyped-call]  # it has no types
            settings,
            get_websocket_url(url, [("ports", str(port))]),  # type: ignore[no-untyped-call]  # it has no types
            {"authorization": token} if token else None,
        )
    except (WebSocketException, OSError):
        return None
    try:
        socket.settimeout(_PATIENCE_SECONDS)
        socket.send_binary(bytes([_DATA]) + f"GET {path} HTTP/1.1\r\nHost: {pod}\r\nConnection: close\r\n\r\n".encode())
        announced: set[int] = set()
        answer = b""
        while True:
            frame = socket.recv()
            if not frame:
                return None
            channel, content = frame[0], frame[1:]
            if channel not in announced:
                announced.add(channel)
            elif channel != _DATA:
                return None  # nobody listens on this port
            else:
                answer += content
                body = _body(answer)
                if body is not None:
                    return body
    except (WebSocketException, OSError):
        return None
    finally:
        socket.shutdown()


def _body(answer: bytes) -> bytes | None:
    """Return the body of an answer of the product's own server, which always tells its length; None while it is not all there."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return None
    status, *fields = head.decode("latin-1").split("\r\n")
    if int(status.split(" ")[1]) != HTTPStatus.OK:
        raise ConnectionError(status)
    lengths = [int(field.partition(":")[2]) for field in fields if field.lower().startswith("content-length:")]
    return body if len(body) >= lengths[0] else None
