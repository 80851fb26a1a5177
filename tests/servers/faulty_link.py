"""A TCP link to a server, through which a client sees a network that is slow, silent or gone.

Invariant: bytes that pass are never changed or reordered; what is held back while the link is stalled passes when it is healed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

HOST = "127.0.0.1"
_PIECE_BYTES = 65536
_PATIENCE_SECONDS = 30.0
# Closing a socket with this option resets the connection, as a cut does, instead of ending it in order.
_RESET = struct.pack("ii", 1, 0)
T = TypeVar("T")


class FaultyLink:
    """Passes all that comes to `port` on to `target_port`, both on loopback, until it is told otherwise. Any thread may tell it."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = 0
        self.accepted = 0
        """Connections taken since the start."""
        self._cut = False
        self._delay_seconds = 0.0
        self._sockets: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty-link", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._flowing_now(flowing=True)
        self._server = self._run(asyncio.start_server(self._accept, HOST, 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_SECONDS)
        self._loop.close()

    @property
    def open_connections(self) -> int:
        """Connections of clients that are open now."""
        return len(self._sockets) // 2

    def cut(self) -> None:
        """Reset every connection, and every new one, until it is healed."""

        def act() -> None:
            self._cut = True
            self._reset_all()

        self._call(act)

    def cut_once(self) -> None:
        """Reset the connections that are open; new ones pass."""
        self._call(self._reset_all)

    def stall(self) -> None:
        """Take connections and bytes, and pass nothing on, until it is healed."""
        self._flowing_now(flowing=False)

    def delay(self, seconds: float) -> None:
        """Hold each piece of an answer back for so long."""
        self._delay_seconds = seconds

    def heal(self) -> None:
        """Pass everything on at once again, first what was held back."""

        def act() -> None:
            self._cut = False
            self._delay_seconds = 0.0
            self._flowing.set()

        self._call(act)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            _reset(writer)
            return
        self._sockets.add(writer)
        onward: asyncio.StreamWriter | None = None
        try:
            await self._flowing.wait()
            back, onward = await asyncio.open_connection(HOST, self.target_port)
            self._sockets.add(onward)
            await asyncio.gather(self._pass(reader, onward, delayed=False), self._pass(back, writer, delayed=True))
        except OSError:
            _reset(writer)  # the server isn't there, or one side went away: so does the other
        finally:
            for end in (writer, onward):
                if end is not None:
                    self._sockets.discard(end)
                    end.close()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, delayed: bool) -> None:
        while piece := await source.read(_PIECE_BYTES):
            if delayed and self._delay_seconds:
                await asyncio.sleep(self._delay_seconds)
            await self._flowing.wait()
            sink.write(piece)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()

    def _reset_all(self) -> None:
        for end in tuple(self._sockets):
            _reset(end)

    def _flowing_now(self, *, flowing: bool) -> None:
        self._call(self._flowing.set if flowing else self._flowing.clear)

    async def _end(self) -> None:
        self._server.close()
        self._reset_all()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _call(self, act: Callable[[], object]) -> None:
        """Do it on the link's own loop, and return when it is done."""

        async def run() -> None:
            act()

        self._run(run())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_SECONDS)


def _reset(end: asyncio.StreamWriter) -> None:
    connection = end.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):  # it is closed already
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    end.transport.abort()
