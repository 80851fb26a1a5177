from __future__ import annotations

from tradingbot_cli.books.shard_books import count_laps, merge_equity, merge_fills, merge_orders, trades_of
from tradingbot_contract.books import EquityPage, EquityPoint, FillRow, FillsPage, OrderRow, OrdersPage
from tradingbot_engine.statistics.curve import CurvePoint


def equity(*points: tuple[float, float, int], initial: float = 100.0) -> EquityPage:
    told = tuple(
        EquityPoint(sequence=number, time=time, equity=value, drawdown=0.0, lap=lap) for number, (time, value, lap) in enumerate(points)
    )
    return EquityPage(bot="b", shard=0, currency="USD", initial_equity=initial, points=told, held=len(told), removed=0, note="")


def order(sequence: int, time: float, lap: int = 0) -> OrderRow:
    words = {"client_order_id": f"o{sequence}", "symbol": "IBM", "side": "buy", "type": "market", "status": "filled", "reason": ""}
    money = {"amount": 1.0, "filled": 1.0, "reference_price": 1.0, "average": 1.0, "fee": 0.0, "realised": None}
    return OrderRow(sequence=sequence, time=time, lap=lap, **words, **money)  # type: ignore[arg-type]  # one of each


def fill(sequence: int, time: float, lap: int = 0) -> FillRow:
    words = {"client_order_id": f"o{sequence}", "symbol": "IBM", "side": "buy"}
    money = {"amount": 1.0, "price": 1.0, "cost": 1.0, "fee": 0.0, "realised": None}
    return FillRow(sequence=sequence, time=time, lap=lap, **words, **money)  # type: ignore[arg-type]  # as above


def test_a_bot_of_two_engines_has_the_sum_of_what_each_had_last() -> None:
    pages = [equity((10, 110, 0), (30, 130, 0)), equity((20, 90, 0), (30, 80, 0))]
    assert merge_equity(pages) == [CurvePoint(10, 210), CurvePoint(20, 200), CurvePoint(30, 210)]


def test_laps_follow_each_other_in_curve_and_trades() -> None:
    page = equity((10, 100, 0), (20, 110, 0), (10, 120, 1), (20, 130, 1))
    assert merge_equity([page]) == [CurvePoint(10, 100), CurvePoint(20, 110), CurvePoint(20, 120), CurvePoint(30, 130)]
    assert count_laps([page]) == 2
    trades = trades_of([fill(1, 15), fill(2, 15, lap=1)], [page])
    assert [trade.time for trade in trades] == [15, 25]


def test_rows_of_several_engines_are_in_the_order_in_which_they_happened() -> None:
    common = {"bot": "b", "currency": "USD", "next": None, "removed": 0, "note": ""}
    pages = [OrdersPage(shard=shard, orders=rows, **common) for shard, rows in enumerate([(order(2, 30), order(1, 10)), (order(1, 20),)])]  # type: ignore[arg-type]
    assert [row.time for row in merge_orders(pages)] == [30, 20, 10]
    fills = [FillsPage(shard=shard, fills=rows, **common) for shard, rows in enumerate([(fill(2, 5, lap=1), fill(1, 10)), (fill(1, 7),)])]  # type: ignore[arg-type]
    assert [row.time for row in merge_fills(fills)] == [7, 10, 5]
