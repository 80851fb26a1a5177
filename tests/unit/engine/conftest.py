"""What the engine's unit tests are about: small documents, small prices, and a strategy that does as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest
from msgspec import structs

from tradingbot_contract.document import VERSION, BotIdentity, DatabaseAccess, EngineDocument
from tradingbot_contract.resources import Cache, Pool
from tradingbot_contract.spec import Broker, Health, Market, Observability, Paper, Risk, Strategy
from tradingbot_engine.feed.prices import Bar, Columns, Prices
from tradingbot_engine.recovery import Recovered, recover
from tradingbot_engine.strategy import interface
from tradingbot_engine.strategy.registry import Recipe
from tradingbot_engine.telemetry.counts import Counts

DAY_MS = 86_400_000


def build_prices(closes: Mapping[str, Sequence[float | None]], *, digest: str = "d", gap: float = 0.0) -> Prices:
    """One bar a day for each symbol; None: no bar. The open is the close before plus `gap`."""
    columns = Columns()
    symbols = tuple(closes)
    for day in range(max(map(len, closes.values()))):
        for index, symbol in enumerate(symbols):
            series = closes[symbol]
            close = series[day] if day < len(series) else None
            if close is None:
                continue
            before = next((price for price in reversed(series[:day]) if price is not None), close)
            opening = before + gap
            columns.symbol_indexes.append(index)
            columns.times_ms.append((day + 1) * DAY_MS)
            columns.opens.append(opening)
            columns.highs.append(max(opening, close))
            columns.lows.append(min(opening, close))
            columns.closes.append(close)
            columns.volumes.append(1.0)
    return Prices(symbols, columns, digest)


class Puppet(interface.Strategy):
    """Calls `script(desk, bar)` for each bar; keeps how often it was called as its state."""

    def __init__(self, script: Callable[[interface.Desk, Bar], None], heard: list[str]) -> None:
        super().__init__(interface.Parameters())
        self.script = script
        self.heard = heard
        self.calls = 0

    def on_start(self, desk: interface.Desk) -> None:
        super().on_start(desk)
        self.heard.append("start")

    def on_bar(self, bar: Bar) -> None:
        self.calls += 1
        self.script(self.desk, bar)

    def on_fill(self, fill: Any) -> None:
        self.heard.append(f"fill {fill.side.value} {fill.symbol} {fill.quantity:g} at {fill.price:g}")

    def on_stop(self) -> None:
        self.heard.append("stop")

    def on_save(self) -> dict[str, Any]:
        return {"calls": self.calls}

    def on_load(self, state: dict[str, Any]) -> None:
        self.calls = state["calls"]
        self.heard.append(f"load {self.calls}")


class Bench:
    """A session with what it was made of."""

    def __init__(self, recovered: Recovered, counts: Counts, heard: list[str]) -> None:
        self.session, self.notes = recovered
        self.counts = counts
        self.heard = heard

    def run(self, steps: int = 10**9) -> None:
        self.session.advance(steps)

    def orders(self) -> list[dict[str, Any]]:
        return self.session.take_group().orders


def build_document(**changes: Any) -> EngineDocument:
    document = EngineDocument(
        api_version=VERSION,
        bot=BotIdentity(namespace="n", name="b", uid="u"),
        generation=1,
        strategy=Strategy(name="ema-cross"),
        market=Market(symbols=["A"]),
        broker=Broker(paper=Paper(balances={"USD": 1000.0}, fee_basis_points=0.0, slippage_basis_points=0.0)),
        risk=Risk(),
        database=DatabaseAccess(pool=Pool()),
        cache=Cache(),
        health=Health(),
        observability=Observability(),
    )
    return structs.replace(document, **changes)


class Workshop:
    """Builds the pieces."""

    prices = staticmethod(build_prices)
    document = staticmethod(build_document)
    day_ms = DAY_MS

    def session(
        self,
        prices: Prices,
        script: Callable[[Any, Bar], None],
        *,
        document: EngineDocument | None = None,
        restored: Any = None,
        fingerprint: str = "puppet",
        warmup_bars: int = 0,
        **changes: Any,
    ) -> Bench:
        market = Market(symbols=list(prices.symbols), warmup_bars=warmup_bars)
        document = document or build_document(market=market, **changes)
        heard: list[str] = []
        counts = Counts()
        recipe = Recipe(build=lambda: Puppet(script, heard), fingerprint=fingerprint)
        return Bench(recover(document, prices, recipe, restored, counts), counts, heard)

    def script(self, orders: Mapping[int, Iterable[tuple[str, str, float]]]) -> Callable[[Any, Bar], None]:
        """Place these orders on these days (from 1): ("buy", symbol, notional) or ("sell", symbol, quantity)."""

        def play(desk: Any, bar: Bar) -> None:
            for side, symbol, amount in orders.get(bar.time_ms // DAY_MS, ()):
                if symbol == bar.symbol:
                    getattr(desk, side)(symbol, amount)

        return play


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()
