from __future__ import annotations

from tradingbot_cli.pages import Performance
from tradingbot_cli.summary import Result, build_rows
from tradingbot_contract.report import EngineState, EngineStatus, Sample
from tradingbot_observer.history import History

ENGINE = EngineStatus(
    state=EngineState.FINISHED,
    generation=0,
    started_at=1000.0,
    heartbeat_at=0.0,
    bars=600,
    bars_this_run=500,
    last_bar_at=1010.0,
    last_bar_time=951_782_400.0,
    equity=90_000.0,
    initial_equity=100_000.0,
    currency="USD",
    open_positions=1,
    orders=10,
    fills=9,
    rejected_orders=1,
)


def test_all_is_known() -> None:
    history = History()
    history.add(Sample(at=1.0, cpu_percent=10.0, memory_bytes=50 * 2**20, score=100.0))
    history.add(Sample(at=2.0, cpu_percent=20.0, memory_bytes=60 * 2**20, score=80.0))
    performance = Performance(currency="USD", max_drawdown_percent=12.5, trades=4, win_rate_percent=25.0, fees=33.3)
    result = Result(engine=ENGINE, performance=performance, history=history.summarise(1, 3.0), journal="data/journal.sqlite")
    assert build_rows(result) == [
        ("equity", "100,000.00 USD → 90,000.00 USD"),
        ("return", "-10.00 %"),
        ("maximum drawdown", "12.50 %"),
        ("trades", "4, 25 % won"),
        ("fees", "33.30 USD"),
        ("orders", "10, 1 rejected, 9 fills, 1 position still open"),
        ("bars", "600 up to 2000-02-29; 500 in this run, 50/s"),
        ("engine", "60Mi of memory at most, 15 % of a core on average, lowest score 80"),
        ("journal", "data/journal.sqlite"),
    ]


def test_nothing_is_known() -> None:
    assert build_rows(Result(engine=None, performance=None, history=None, journal="j")) == [("journal", "j")]
