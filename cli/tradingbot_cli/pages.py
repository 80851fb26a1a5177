"""Reads the pages of engine and observer on this machine. A program that doesn't answer gives None: it may be starting, or hang."""

from __future__ import annotations

import http.client
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from tradingbot_contract.endpoints import HISTORY_PATH, PERFORMANCE_PATH, REPORT_PATH, STATUS_PATH
from tradingbot_contract.report import EngineStatus, ObserverReport
from tradingbot_observer.history import Summary

HOST: Final = "127.0.0.1"
_TIMEOUT_SECONDS: Final = 0.5
_HISTORY_HOURS: Final = 24
_T = TypeVar("_T")


class Performance(Struct, frozen=True, rename="camel"):
    """What this program shows of the engine's view of its performance since its first start."""

    currency: str
    max_drawdown_percent: float
    trades: int
    """Sales."""
    win_rate_percent: float | None
    fees: float


class Pages:
    """The pages of one run."""

    def __init__(self, engine_port: int, observer_port: int | None) -> None:
        self.engine_port = engine_port
        self.observer_port = observer_port

    def read_status(self) -> EngineStatus | None:
        """Return what the engine says of itself."""
        return _read(self.engine_port, STATUS_PATH, EngineStatus)

    def read_performance(self) -> Performance | None:
        """Return how the bot has done since its first start."""
        return _read(self.engine_port, PERFORMANCE_PATH, Performance)

    def read_report(self) -> ObserverReport | None:
        """Return what the observer says of the engine."""
        return None if self.observer_port is None else _read(self.observer_port, REPORT_PATH, ObserverReport)

    def read_history(self) -> Summary | None:
        """Return what the observer measured in this run."""
        return None if self.observer_port is None else _read(self.observer_port, f"{HISTORY_PATH}?hours={_HISTORY_HOURS}", Summary)


def _read(port: int, path: str, kind: type[_T]) -> _T | None:
    connection = http.client.HTTPConnection(HOST, port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return msgspec.json.decode(body, type=kind) if answer.status == http.HTTPStatus.OK else None
