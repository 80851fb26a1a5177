"""Runs a user's strategy so that its mistakes stay its own.

What a hook raises is counted and logged, the hook's orders are dropped, and trading goes on with the next bar. A strategy that fails ten
times in a row is halted: a strategy that doesn't work must not trade, and what it holds is for a person to decide. A start of the process
is a new chance, since that is how a corrected strategy comes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from tradingbot_engine.checkpoint import NO_STATE
from tradingbot_engine.news.item import News
from tradingbot_engine.orders.order import Fill
from tradingbot_engine.strategy.failure import describe_failure
from tradingbot_engine.strategy.interface import Desk, Strategy
from tradingbot_engine.telemetry.counts import Component, Counts

FAILURES_UNTIL_HALT: Final = 10
_DISTINCT_ERRORS_LOGGED: Final = 20
Told = TypeVar("Told")
_logger = logging.getLogger(__name__)


class StrategyRunner:
    """One strategy and its failures."""

    def __init__(self, strategy: Strategy, counts: Counts, on_halt: Callable[[], None]) -> None:
        self.strategy = strategy
        self.on_bar = strategy.on_bar
        """The session calls it itself, since it does so for every bar, and reports with `failed` and `succeeded`."""
        self.failures = 0
        """In a row; never 0 while it is halted."""
        self.halted_by = ""
        """The error that was one too many; empty while the strategy is asked."""
        self._counts = counts
        self._on_halt = on_halt
        self._logged: set[str] = set()
        self._kept: msgspec.Raw | None = None

    def keep(self, state: msgspec.Raw) -> None:
        """Don't start the strategy, which has no more bars to see; what it has saved stays as it is."""
        self._kept = state

    def start(self, desk: Desk, state: msgspec.Raw) -> str:
        """Start the strategy, from a saved state unless it is NO_STATE; return what went wrong, empty if nothing."""
        try:
            self.strategy.on_start(desk)
            if state != NO_STATE:
                self.strategy.on_load(msgspec.json.decode(state))
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything; failed() counts and logs it
            self.failed("on_start" if state == NO_STATE else "on_start or on_load", error)
            return describe_failure(error)
        return ""

    def on_fill(self, fill: Fill) -> bool:
        """Tell the strategy of a fill; return whether it took it well."""
        return self._tell("on_fill", self.strategy.on_fill, fill)

    @property
    def hears_news(self) -> bool:
        """Whether the strategy has an `on_news` of its own; otherwise nobody needs to judge any."""
        return type(self.strategy).on_news is not Strategy.on_news

    def on_news(self, news: News) -> bool:
        """Tell the strategy of a piece of news; return whether it took it well."""
        return self._tell("on_news", self.strategy.on_news, news)

    def stay_halted(self, before: StrategyRunner) -> None:
        """Be halted for what halted `before`."""
        self.halted_by = before.halted_by
        self.failures = before.failures

    def stop(self) -> None:
        """Tell the strategy that no more bars come."""
        if self.halted_by:
            return
        try:
            self.strategy.on_stop()
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything; failed() counts and logs it
            self.failed("on_stop", error)

    def save(self) -> msgspec.Raw:
        """Return the strategy's state as JSON; NO_STATE if there is none to go on from."""
        if self._kept is not None:
            return self._kept
        if self.halted_by:
            return NO_STATE
        try:
            return msgspec.Raw(msgspec.json.encode(self.strategy.on_save()))
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything; failed() counts and logs it
            self.failed("on_save", error)
            return NO_STATE

    def _tell(self, name: str, hook: Callable[[Told], None], what: Told) -> bool:
        self._counts.operations[Component.STRATEGY] += 1
        try:
            hook(what)
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything; failed() counts and logs it
            self.failed(name, error)
            return False
        return True

    def failed(self, hook: str, error: Exception) -> None:
        """Count a failure; log it if it is a new one; halt after too many in a row."""
        self._counts.errors[Component.STRATEGY] += 1
        self.failures += 1
        name = type(self.strategy).__name__
        text = describe_failure(error)
        key = f"{hook} {type(error).__name__} {_place(error)}"
        if key not in self._logged and len(self._logged) < _DISTINCT_ERRORS_LOGGED:
            self._logged.add(key)
            _logger.error(
                "strategy failed, its orders of this call are dropped", exc_info=error, extra={"fields": {"hook": f"{name}.{hook}"}}
            )
        if self.failures >= FAILURES_UNTIL_HALT and not self.halted_by:
            self.halted_by = f"{name}.{hook} failed {self.failures} times in a row: {text}"
            _logger.error("strategy halted: no more orders, positions are kept", extra={"fields": {"strategy": name, "error": text}})
            self._on_halt()


def _place(error: Exception) -> str:
    """Return where the error was raised: the same mistake with another number in its text is the same mistake."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
