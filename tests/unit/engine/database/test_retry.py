"""What is tried again, how often, and what ends it. Errors are SQLAlchemy's own, as a real server's look like."""

from __future__ import annotations

import threading
import time

import pytest
import sqlalchemy

from tradingbot_contract.resources import Retry
from tradingbot_engine.database.retry import Retrier, is_disconnection


def broken(text: str = "server closed the connection") -> sqlalchemy.exc.OperationalError:
    return sqlalchemy.exc.OperationalError(None, None, OSError(text), connection_invalidated=True)


OTHERS = (
    sqlalchemy.exc.TimeoutError("all connections are in use"),
    sqlalchemy.exc.OperationalError(None, None, OSError("database is locked")),
    sqlalchemy.exc.IntegrityError(None, None, OSError("unique")),
    sqlalchemy.exc.InvalidRequestError("closed"),
    ValueError("a bug"),
)


class Operation:
    """Raises these, one a call, and then returns."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_broken_connection_is_tried_again(failures: int) -> None:
    retrier = Retrier(Retry(attempts=3, delay_seconds=0.0))
    operation = Operation(*[broken() for _ in range(failures)])
    assert retrier.run(operation) == "done"
    assert (operation.calls, retrier.retries) == (failures + 1, failures)


def test_the_last_failure_is_raised() -> None:
    retrier = Retrier(Retry(attempts=3, delay_seconds=0.0))
    operation = Operation(*[broken(f"failure {number}") for number in range(9)])
    with pytest.raises(sqlalchemy.exc.OperationalError, match="failure 2"):
        retrier.run(operation)
    assert (operation.calls, retrier.retries) == (3, 2)


@pytest.mark.parametrize("error", OTHERS, ids=lambda error: type(error).__name__)
def test_nothing_else_is_tried_again(error: Exception) -> None:
    operation = Operation(error)
    with pytest.raises(type(error)):
        Retrier(Retry(attempts=3, delay_seconds=0.0)).run(operation)
    assert operation.calls == 1
    assert not is_disconnection(error)


def test_one_attempt_is_no_retry() -> None:
    operation = Operation(broken())
    with pytest.raises(sqlalchemy.exc.OperationalError):
        Retrier(Retry(attempts=1)).run(operation)
    assert operation.calls == 1


def test_a_pause_ends_when_it_is_given_up() -> None:
    retrier = Retrier(Retry(attempts=3, delay_seconds=60.0))
    operation = Operation(broken(), broken())
    raised = threading.Event()

    def run() -> None:
        with pytest.raises(sqlalchemy.exc.OperationalError):
            retrier.run(operation)
        raised.set()

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 60
    while not operation.calls:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    retrier.give_up()
    assert raised.wait(60)
    thread.join(60)
    assert operation.calls == 1
