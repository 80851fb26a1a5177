from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from tradingbot_cli.report.charts import draw_histogram, thin_points
from tradingbot_cli.report.facts import Event, Health, ReportFacts
from tradingbot_cli.report.page import render_report
from tradingbot_contract.books import OrderRow
from tradingbot_contract.report import Finding, FindingReason, Severity
from tradingbot_engine.statistics.curve import CurvePoint
from tradingbot_engine.statistics.round_trips import Trade, match_round_trips
from tradingbot_engine.statistics.summary import summarise
from tradingbot_observer.page.samples import Points

DAY = 86_400.0
HOSTILE = st.text(min_size=1, max_size=30) | st.sampled_from(
    ["<script>alert(1)</script>", "</style><img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "&lt;b&gt;", "]]>", "<!--"]
)


def build_facts(text: str = "IBM", **changes: Any) -> ReportFacts:
    curve = tuple(CurvePoint(day * DAY, 1000.0 + (day % 7) * 10) for day in range(40))
    trades = [Trade(text, "buy", 1, 10, 0.1, DAY), Trade(text, "sell", 1, 12, 0.1, 9 * DAY), Trade(text, "buy", 1, 10, 0.1, 20 * DAY)]
    words = {"client_order_id": text, "symbol": text, "side": "buy", "type": "market", "status": "rejected", "reason": text}
    money: dict[str, Any] = {"amount": 1.0, "filled": 0.0, "reference_price": 1.0, "average": None, "fee": None, "realised": None}
    series: dict[str, list[float | None]] = {"score": [90.0, None, 80.0], "memory_bytes": [1e8, 2e8, 3e8]}
    facts = ReportFacts(
        bot=text,
        subtitle=text,
        source=text,
        made_at=0.0,
        phase=text,
        message=text,
        currency="USD",
        equity=1000.0,
        curve=curve,
        statistics=summarise(curve, trades),
        ledger=match_round_trips(trades),
        orders=(OrderRow(sequence=1, lap=0, time=0.0, **words, **money),),
        orders_total=1,
        health=Health(
            score=80.0,
            findings=(Finding(FindingReason.FEED_STALE, Severity.CRITICAL, text, 0.0),),
            history=Points(hours=1, now=0.0, interval_seconds=15.0, samples=3, at=[0.0, 15.0, 30.0], series=series),
        ),
        remediations=(Event(at=0.0, what=text, reason=text, text=text, result="Helped"),),
        tuning=(Event(at=None, what=text, reason=text, text=text),),
        spec=text,
        notes=(text,),
    )
    return structs.replace(facts, **changes)


class Tags(HTMLParser):
    """Which elements and attributes a page has, and whether all are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.open: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parse(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    tags.close()
    assert tags.open == []
    return tags


@given(HOSTILE)
def test_what_others_wrote_is_text(text: str) -> None:
    tags = parse(render_report(build_facts(text)))
    ours = parse(render_report(build_facts()))
    assert tags.found == ours.found
    assert tags.attributes == ours.attributes


def test_a_report_asks_for_nothing_and_has_no_script() -> None:
    page = render_report(build_facts())
    tags = parse(page)
    assert not tags.found & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert not {name for name in tags.attributes if name.startswith("on")} | (tags.attributes & {"src", "href"})
    assert not re.search(r"url\(|@import|https?://", page)
    assert "default-src 'none'" in page


@pytest.mark.parametrize(
    "changes",
    [
        {"curve": ()},
        {"health": None, "remediations": None, "tuning": None, "orders": ()},
        {"remediations": (), "tuning": ()},
        {"hold": tuple(CurvePoint(day * DAY, 500.0 + 200 * day) for day in range(40)), "hold_statistics": summarise([], [])},
        {"laps": 3},
        {"equity": None, "statistics": summarise([], []), "ledger": match_round_trips([])},
    ],
    ids=["no curve", "no cluster", "nothing happened", "with holding", "laps", "nothing traded"],
)
def test_what_is_not_known_leaves_a_whole_page(changes: dict[str, Any]) -> None:
    page = render_report(build_facts(**changes))
    parse(page)
    assert not re.search(r"\b(nan|inf|None)\b", re.sub(r"<style>.*?</style>|<head>.*?</head>", "", page, flags=re.DOTALL))


@given(st.lists(st.floats(-100.0, 300.0), min_size=1, max_size=200))
@example([5e-324])
@example([-1e-300, 0.0])
def test_a_histogram_holds_each_value_once_and_no_bar_has_both_wins_and_losses(values: list[float]) -> None:
    drawn = str(draw_histogram(values, title="t", height=200, suffix=" %"))
    bars = re.findall(r"<title>(\d+) from (-?[\d.]+) % to (-?[\d.]+) %</title></rect>", drawn)
    assert sum(int(count) for count, _, _ in bars) == len(values)
    losses = re.findall(r'class="loss"><title>(\d+)', drawn)
    assert sum(map(int, losses)) == pytest.approx(sum(value < 0 for value in values), abs=sum(abs(value) < 1e-6 for value in values))


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=500), st.integers(4, 100))
def test_thinned_points_keep_ends_and_extremes(equity: list[float], most: int) -> None:
    points = [CurvePoint(float(number), value) for number, value in enumerate(equity)]
    thin = thin_points(points, most)
    assert len(thin) <= most
    assert (thin[0], thin[-1]) == (points[0], points[-1])
    assert max(thin, key=lambda point: point.equity).equity == max(equity)
    assert min(thin, key=lambda point: point.equity).equity == min(equity)
