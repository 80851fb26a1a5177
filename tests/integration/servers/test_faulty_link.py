"""The link that other tests break does break, and heals."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from faulty_link import HOST, FaultyLink
from server_process import free_port

DEADLINE_SECONDS = 60.0
SILENCE_SECONDS = 0.3


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := self.request.recv(65536):
                self.request.sendall(piece)


class _EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


@pytest.fixture
def link() -> Iterator[FaultyLink]:
    with _EchoServer((HOST, 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with FaultyLink(server.server_address[1]) as link:
            yield link
        server.shutdown()
        thread.join()


def connect(link: FaultyLink) -> socket.socket:
    return socket.create_connection((HOST, link.port), timeout=DEADLINE_SECONDS)


def echo(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    received = b""
    while len(received) < len(text):
        piece = connection.recv(65536)
        if not piece:
            break
        received += piece
    return received


def use_once(link: FaultyLink) -> None:
    """A reset may be seen while connecting, sending or receiving."""
    with connect(link) as connection:
        connection.sendall(b"a")
        assert connection.recv(1)


def test_bytes_pass_unchanged(link: FaultyLink) -> None:
    text = bytes(range(256)) * 4096
    with connect(link) as connection:
        sender = threading.Thread(target=connection.sendall, args=(text,))
        sender.start()
        received = b""
        while len(received) < len(text):
            received += connection.recv(65536)
        sender.join()
    assert received == text
    assert link.accepted == 1


def test_cut_resets_old_and_new_connections_until_it_is_healed(link: FaultyLink) -> None:
    with connect(link) as connection:
        assert echo(connection, b"a") == b"a"
        assert link.open_connections == 1
        link.cut()
        with pytest.raises(ConnectionError):
            connection.recv(1)
    with pytest.raises(ConnectionError):
        use_once(link)
    link.heal()
    with connect(link) as connection:
        assert echo(connection, b"e") == b"e"


def test_cut_once_lets_new_connections_pass(link: FaultyLink) -> None:
    with connect(link) as connection:
        assert echo(connection, b"a") == b"a"
        link.cut_once()
        with pytest.raises(ConnectionError):
            connection.recv(1)
    with connect(link) as connection:
        assert echo(connection, b"b") == b"b"


def test_stalled_it_takes_and_answers_nothing_and_then_passes_what_it_held_back(link: FaultyLink) -> None:
    with connect(link) as old:
        assert echo(old, b"a") == b"a"
        link.stall()
        with connect(link) as new:
            for connection in (old, new):
                connection.sendall(b"later")
                connection.settimeout(SILENCE_SECONDS)
                with pytest.raises(TimeoutError):
                    connection.recv(5)
                connection.settimeout(DEADLINE_SECONDS)
            link.heal()
            assert old.recv(5) == b"later"
            assert new.recv(5) == b"later"


def test_delay_holds_answers_back(link: FaultyLink) -> None:
    with connect(link) as connection:
        link.delay(SILENCE_SECONDS)
        started_at = time.monotonic()
        assert echo(connection, b"a") == b"a"
        assert time.monotonic() - started_at >= SILENCE_SECONDS


def test_a_server_that_is_not_there_looks_like_a_cut() -> None:
    with FaultyLink(free_port()) as link, pytest.raises(ConnectionError):
        use_once(link)
