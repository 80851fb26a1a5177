"""Tries an operation again whose connection broke, with a new connection after a pause; nothing else is tried again.

Not a pool that is exhausted: more tries would hold it longer. Not a lock, a limit of time or a broken constraint: the database has
answered. An operation that is tried again may have been committed before: it must leave the same rows when it runs twice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy

from tradingbot_contract.resources import Retry

T = TypeVar("T")
_logger = logging.getLogger(__name__)


def is_disconnection(error: BaseException) -> bool:
    """Whether the connection of this operation broke, or none could be had because the database can't be reached."""
    return isinstance(error, sqlalchemy.exc.DBAPIError) and error.connection_invalidated


class Retrier:
    """Counts the tries, and can be told to give up."""

    def __init__(self, retry: Retry) -> None:
        self.retry = retry
        """May be replaced at any time; an operation goes by what held when it began."""
        self.retries = 0
        self._counting = threading.Lock()
        self._given_up = threading.Event()

    def run(self, operation: Callable[[], T]) -> T:
        """Return what `operation` returns; it gets a connection by itself, each time another.

        Raises:
            Exception: what it raises, for the last time if it was tried again.
        """
        retry = self.retry
        for attempt in range(1, retry.attempts):
            try:
                return operation()
            except sqlalchemy.exc.DBAPIError as error:
                if not is_disconnection(error):
                    raise
                fields = {"attempt": attempt, "attempts": retry.attempts, "error": " ".join(str(error.orig).split())}
                _logger.warning("the connection to the database broke, the operation is tried again", extra={"fields": fields})
                if self._given_up.wait(retry.delay_seconds):
                    raise
            with self._counting:
                self.retries += 1
        return operation()

    def give_up(self) -> None:
        """Try nothing again from now on, and end the pauses."""
        self._given_up.set()
