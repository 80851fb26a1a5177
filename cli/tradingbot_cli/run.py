"""One run of a bot on this machine: starts its programs, watches them until the end, and tells what it came to.

The end is one of: the prices have ended, somebody asked to stop, the engine refused its document, the engine is gone. Whichever it
is, the programs are stopped before this returns.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct
from rich.console import Console

from tradingbot_cli.children import Children
from tradingbot_cli.course import Course, Moment
from tradingbot_cli.data_folder import DataFolder
from tradingbot_cli.errors import EXIT_DONE, EXIT_SIGNAL_BASE, FailedError, RefusedError
from tradingbot_cli.figures import market_date
from tradingbot_cli.pages import HOST, Pages
from tradingbot_cli.screen import LiveScreen, PlainScreen, Screen
from tradingbot_cli.summary import Result, print_summary
from tradingbot_cli.surroundings import describe_journal
from tradingbot_contract.document import EngineDocument
from tradingbot_contract.report import EngineState

LOOK_SECONDS: Final = 0.2
ENGINE: Final = "tradingbot_engine"
OBSERVER: Final = "tradingbot_observer"
_LOG_LINES: Final = 8


class Run(Struct, frozen=True, kw_only=True):
    """What to run, and how to show it."""

    document: EngineDocument
    folder: DataFolder
    pages: Pages
    console: Console
    plain: bool
    follow_up: str
    """How to go on after a run that was stopped."""


def run_bot(run: Run) -> int:
    """Run the bot to its end; return the exit code.

    Raises:
        RefusedError: the engine can't run it; the message is the engine's.
        FailedError: the engine ended by itself.
    """
    course = Course()
    with _stop_requests() as stop_requests, Children() as children:
        _start(run, children)
        with _screen(run) as screen:
            moment = _watch(run, children, course, screen, stop_requests)
        result = Result(
            engine=moment.engine,
            performance=run.pages.read_performance() if moment.answers else None,
            history=run.pages.read_history(),
            journal=describe_journal(run.document, run.folder.journal),
        )
        children.stop()
    print_summary(run.console, result)
    if not stop_requests:
        return EXIT_DONE
    run.console.print(run.follow_up, highlight=False, soft_wrap=True, markup=False)
    return EXIT_SIGNAL_BASE + stop_requests[0]


def _start(run: Run, children: Children) -> None:
    folder, pages = run.folder, run.pages
    engine_pid = children.start(
        ENGINE,
        *("--config", str(folder.config), "--data", str(folder.path), "--host", HOST, "--port", str(pages.engine_port)),
        log=folder.log("engine"),
    )
    if pages.observer_port is not None:
        children.start(
            OBSERVER,
            *("--config", str(folder.config), "--engine-url", f"http://{HOST}:{pages.engine_port}", "--engine-pid", str(engine_pid)),
            *("--host", HOST, "--port", str(pages.observer_port)),
            log=folder.log("observer"),
        )


def _watch(run: Run, children: Children, course: Course, screen: Screen, stop_requests: list[int]) -> Moment:
    """Show the run until it ends; return its last moment."""
    resumed = False
    while True:
        moment = course.add(run.pages.read_status(), run.pages.read_report(), at=time.time(), monotonic_seconds=time.monotonic())
        engine = moment.engine
        if engine is not None and engine.state is EngineState.REFUSED:
            raise RefusedError(f"the engine can't run it: {engine.message}")
        if not resumed and engine is not None and engine.state in {EngineState.RUNNING, EngineState.FINISHED}:
            resumed = True
            _say_resumed(run, moment)
        screen.show(moment)
        if stop_requests or (moment.answers and engine is not None and engine.state is EngineState.FINISHED):
            return moment
        code = children.exit_code(ENGINE)
        if code is not None:
            raise FailedError(
                f"the engine ended with code {code}; the end of {run.folder.log('engine')}:\n{_tail(run.folder.log('engine'))}"
            )
        time.sleep(LOOK_SECONDS)


def _say_resumed(run: Run, moment: Moment) -> None:
    engine = moment.engine
    if engine is None or engine.bars == engine.bars_this_run:
        return
    before = engine.bars - engine.bars_this_run
    # By where it stands and not by its state: it may have been seen before it came to saying that it has finished.
    if engine.progress == 1.0 and not engine.bars_this_run:
        text = f"these prices had already ended, after {before:,} bars; --fresh begins anew"
    else:
        text = f"resumed after {before:,} bars, at {market_date(engine.last_bar_time)} of the market; --fresh begins anew"
    run.console.print(text, highlight=False, soft_wrap=True, markup=False)


def _screen(run: Run) -> Screen:
    if run.plain or not run.console.is_terminal:
        return PlainScreen(run.console)
    bot, market = run.document.bot, run.document.market
    return LiveScreen(run.console, f"{bot.name}: {run.document.strategy.name} on {', '.join(market.symbols)}")


@contextlib.contextmanager
def _stop_requests() -> Iterator[list[int]]:
    """Note signals that ask to stop, instead of dying of them."""
    requests: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda number, _frame: requests.append(number)) for number in numbers]
    try:
        yield requests
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
