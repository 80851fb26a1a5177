"""The Chrome DevTools protocol over the browser's pipe: commands and their answers, and events as they come.

Invariant: nothing waits for ever, and an event is handed to its session in the order in which the browser sent it. The browser ends
when the pipe is closed, so it never outlives whoever talks to it.
"""

from __future__ import annotations

import itertools
import json
import os
import select
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

ANSWER_SECONDS = 60.0
_PIECE_BYTES = 1 << 20
_END = b"\0"

Event = dict[str, Any]


class BrowserError(Exception):
    """The browser did not do what was asked of it."""


class DevTools:
    """One connection to a browser; `written` is where commands go, `read` is where answers come from."""

    def __init__(self, read: int, written: int) -> None:
        self._read = read
        self._written = written
        self._buffer = bytearray()
        self._numbers = itertools.count(1)
        self._answers: dict[int, dict[str, Any]] = {}
        self._listeners: defaultdict[str, list[Callable[[Event], None]]] = defaultdict(list)

    def listen(self, session: str, listener: Callable[[Event], None]) -> None:
        """Hand every event of a session to this function."""
        self._listeners[session].append(listener)

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Return the result of a command.

        Raises:
            BrowserError: the browser refused it, gave no answer in time, or is gone.
        """
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        self._write(json.dumps(command).encode() + _END)
        self.wait(method, lambda: number in self._answers, ANSWER_SECONDS)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def wait(self, what: str, holds: Callable[[], bool], seconds: float) -> None:
        """Take what the browser sends until this is so.

        Raises:
            BrowserError: it isn't within so many seconds.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise BrowserError(f"not within {seconds:g} s: {what}")
            self.take(remaining)

    def take(self, seconds: float) -> None:
        """Take what has come, or what comes first within so many seconds."""
        ready, _, _ = select.select([self._read], [], [], seconds)
        if not ready:
            return
        piece = os.read(self._read, _PIECE_BYTES)
        if not piece:
            raise BrowserError("the browser is gone")
        self._buffer += piece
        *messages, rest = self._buffer.split(_END)
        self._buffer = bytearray(rest)
        for message in messages:
            self._dispatch(json.loads(message))

    def close(self) -> None:
        """Close the pipe, at which the browser ends."""
        os.close(self._written)
        os.close(self._read)

    def _dispatch(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
            return
        for listener in self._listeners[message.get("sessionId", "")]:
            listener(message)

    def _write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._written, data) :]
            except BrokenPipeError:
                raise BrowserError("the browser is gone") from None
