"""Writers take turns in the order in which they came."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tradingbot_engine.database.writer_turn import WriterTurn

DEADLINE_SECONDS = 60.0


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_who_came_first_is_first() -> None:
    turn = WriterTurn()
    assert turn.acquire(0)
    served: list[int] = []
    threads = []

    def write(number: int) -> None:
        assert turn.acquire(DEADLINE_SECONDS)
        served.append(number)
        turn.release()

    for number in range(8):
        threads.append(threading.Thread(target=write, args=(number,)))
        threads[-1].start()
        wait_until(lambda number=number: len(turn._queue) == number + 1)  # type: ignore[misc]  # bound to this round
    turn.release()
    for thread in threads:
        thread.join(DEADLINE_SECONDS)
    assert served == list(range(8))
    assert turn.acquire(0)


def test_who_asks_again_at_once_is_behind_those_who_wait() -> None:
    turn = WriterTurn()
    assert turn.acquire(0)
    waits = threading.Thread(target=lambda: turn.acquire(DEADLINE_SECONDS))
    waits.start()
    wait_until(lambda: len(turn._queue) == 1)
    turn.release()
    assert not turn.acquire(0.01)
    waits.join(DEADLINE_SECONDS)


def test_who_has_waited_in_vain_is_passed_over() -> None:
    turn = WriterTurn()
    assert turn.acquire(0)
    assert not turn.acquire(0.01)
    turn.release()
    assert turn.acquire(0)


def test_one_at_a_time_under_load() -> None:
    turn = WriterTurn()
    inside = 0
    done = 0

    def write() -> None:
        nonlocal inside, done
        for _ in range(200):
            if turn.acquire(0.001):
                inside += 1
                assert inside == 1
                done += 1
                inside -= 1
                turn.release()

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_SECONDS)
    assert done > 0
    assert turn.acquire(DEADLINE_SECONDS)
    assert not turn._queue
