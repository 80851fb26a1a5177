"""The lower part of the page: what the engine says of itself. It is shown however old it is, with its age."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tradingbot_contract.report import Dependency, EngineStatus, PoolUse
from tradingbot_observer.page import words
from tradingbot_observer.page.markup import Markup, element, join
from tradingbot_observer.page.verdict import Tone
from tradingbot_observer.sinks.prometheus import MOST_SYMBOLS, Facts

_MOST_ROWS: Final = 16
Row = tuple[str, str]


def render_trading(facts: Facts) -> Markup:
    """Return what it trades and what came of it."""
    engine = facts.report.engine
    if engine is None:
        return _nothing("The engine has not answered yet.")
    now = facts.report.observed_at
    rows = _render_rows(
        [
            ("State", words.text(f"{engine.state.value}. {engine.message}" if engine.message else engine.state.value)),
            ("Activity", words.text(engine.activity)),
            ("Equity", _describe_equity(engine)),
            ("Drawdown", words.percent(None if engine.drawdown is None else 100 * engine.drawdown)),
            ("Open positions", words.number(engine.open_positions)),
            ("Open orders", words.number(engine.open_orders)),
            ("Orders in unknown state", words.number(engine.unknown_orders)),
            ("Orders, fills, rejected", " · ".join(map(words.number, (engine.orders, engine.fills, engine.rejected_orders)))),
            ("Symbols", _list(engine.symbols)),
            ("Symbols in use", _list(engine.busy_symbols)),
            ("Last bar", _describe_age(engine.last_bar_at, now, "the next is due" if engine.feed_due else "none is due")),
            ("Strategy", words.text(engine.strategy)),
        ]
    )
    if facts.is_answering:
        return rows
    return join(element("p", f"{Tone.WARNING.mark} It does not answer now: this is what it said last.", class_="warning"), rows)


def render_engine(facts: Facts) -> Markup:
    """Return how its process is and which document it runs."""
    report, engine = facts.report, facts.report.engine
    now = report.observed_at
    process = "none is seen" if report.engine_pid is None else f"{report.engine_pid}, {words.number(facts.threads)} threads"
    rows = [
        ("Answers", f"{'yes' if facts.is_answering else 'no'}; the last one {_describe_age(report.last_answer_at, now)}"),
        ("Process", process),
        ("Restarts seen", words.number(report.engine_restarts)),
    ]
    if engine is not None:
        mode = f"{engine.memory_mode}: {engine.memory_mode_reason}" if engine.memory_mode_reason else engine.memory_mode
        rows += [
            ("Runs since", f"{words.moment(engine.started_at, now)} ({words.span(now - engine.started_at)})"),
            ("Generation that it runs", str(engine.generation)),
            ("Generation that is there", words.number(report.generation)),
            ("Change refused", words.text(engine.document_refusal) if engine.document_refusal else "no"),
            ("Journal", "up to date" if engine.journal_behind_seconds is None else f"{words.span(engine.journal_behind_seconds)} behind"),
            ("Memory mode", words.text(mode, nothing="judges no news")),
        ]
    watched = words.span(now - report.observer_started_at)
    rows.append(("Watched for", f"{watched}; a sample every {report.interval_seconds:g} s, {report.samples:,} remembered"))
    return _render_rows(rows)


def render_dependencies(facts: Facts) -> Markup:
    """Return what it needs from outside, as it was when it last tried."""
    engine = facts.report.engine
    if engine is None or not engine.dependencies:
        return _nothing("It has named nothing that it needs.")
    head = ("Name", "State", "Since", "Took", "Why")
    return _render_table(head, (_dependency_row(each, facts.report.observed_at) for each in engine.dependencies[:_MOST_ROWS]))


def render_pools(facts: Facts) -> Markup:
    """Return its pools of connections."""
    engine = facts.report.engine
    if engine is None or not engine.pools:
        return _nothing("It has no pools of connections open.")
    head = ("Pool", "In use", "Waiting", "Gave up", "State")
    return _render_table(head, (_pool_row(each, facts.report.observed_at) for each in engine.pools[:_MOST_ROWS]))


def _dependency_row(dependency: Dependency, now: float) -> tuple[str, ...]:
    tone, word = {True: (Tone.GOOD, "up"), False: (Tone.CRITICAL, "down"), None: (Tone.UNKNOWN, "not tried yet")}[dependency.up]
    took = words.seconds(dependency.latency_seconds)
    return (
        words.text(dependency.name, 64),
        _state(tone, word),
        words.moment(dependency.since, now),
        took,
        words.text(dependency.message, nothing=""),
    )


def _pool_row(pool: PoolUse, now: float) -> tuple[str, ...]:
    used = f"{words.number(pool.used)} of {words.number(pool.max_connections)}"
    state = _state(Tone.GOOD, "free")
    if pool.exhausted_since is not None:
        state = _state(Tone.WARNING, f"exhausted for {words.span(now - pool.exhausted_since)}")
    return words.text(pool.name, 64), used, words.number(pool.pending), words.number(pool.timeouts), state


def _state(tone: Tone, word: str) -> Markup:
    return element("span", f"{tone.mark} {word}", class_=tone.value)


def _describe_equity(engine: EngineStatus) -> str:
    if engine.equity is None:
        return words.UNKNOWN
    said = f"{words.number(engine.equity, 2)} {words.text(engine.currency, 16)}"
    if not engine.initial_equity:
        return said
    change = 100 * (engine.equity / engine.initial_equity - 1)
    return f"{said} ({change:+,.2f} %)"


def _describe_age(at: float | None, now: float, further: str = "") -> str:
    if at is None:
        return "never" if not further else f"none yet; {further}"
    return f"{words.span(max(0.0, now - at))} ago" + (f"; {further}" if further else "")


def _list(names: tuple[str, ...] | None) -> str:
    if names is None:
        return words.UNKNOWN
    return words.text(", ".join(names[:MOST_SYMBOLS])) if names else "none"


def _nothing(said: str) -> Markup:
    return element("p", said, class_="none")


def _render_rows(rows: Iterable[Row]) -> Markup:
    return element("dl", *(element("div", element("dt", name), element("dd", value)) for name, value in rows))


def _render_table(head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Markup:
    first = element("thead", element("tr", *(element("th", name, scope="col") for name in head)))
    body = element("tbody", *(element("tr", *(element("td", cell) for cell in row)) for row in rows))
    return element("table", first, body)
