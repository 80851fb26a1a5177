"""Shows snapshots: as a panel that is drawn anew on a terminal, as plain lines anywhere else."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from snapshot import Snapshot, event_time

_BARS: Final = "▁▂▃▄▅▆▇█"
_LINE_SECONDS: Final = 4.0
_GOOD: Final = {"Running": "green", "True": "green"}


def sparkline(values: list[float]) -> str:
    """Return one block per value, its height between the lowest and the highest of them."""
    if not values:
        return ""
    low, high = min(values), max(values)
    step = (high - low) / (len(_BARS) - 1) or 1.0
    return "".join(_BARS[round((value - low) / step)] for value in values)


class View:
    """A live view of one bot."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._equity: deque[float] = deque(maxlen=60)
        self._last_news: tuple[object, ...] = ()
        self._last_at = 0.0
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def show(self, snapshot: Snapshot, note: str) -> None:
        """Show a snapshot, and beside it what is going on."""
        known = snapshot.engine
        if known is not None and known.equity is not None and (not self._equity or self._equity[-1] != known.equity):
            self._equity.append(known.equity)
        if self._live:
            self._live.update(self._panel(snapshot, note), refresh=True)
            return
        # On paper, only what is new is worth a line; figures alone are, now and then.
        news = (note, snapshot.phase, snapshot.says("Healthy"), snapshot.restarts, snapshot.engine is None)
        if news != self._last_news or snapshot.at - self._last_at >= _LINE_SECONDS:
            self._console.print(self._line(snapshot, note), highlight=False, soft_wrap=True)
            self._last_news, self._last_at = news, snapshot.at

    def _panel(self, snapshot: Snapshot, note: str) -> Panel:
        known = snapshot.last_known
        facts = Table.grid(padding=(0, 2))
        for name, value in (
            ("phase", Text(snapshot.phase, style=_GOOD.get(snapshot.phase, "yellow"))),
            ("engine", Text("answers", style="green") if snapshot.engine else Text("does not answer", style="red")),
            ("healthy", Text(snapshot.says("Healthy"), style=_GOOD.get(snapshot.says("Healthy"), "yellow"))),
            ("score", Text("?" if snapshot.score is None else f"{snapshot.score:.0f}")),
            ("bars", Text(f"{known.bars:,}" if known else "?")),
            ("orders, fills", Text(f"{known.orders}, {known.fills}" if known else "?")),
            ("equity", Text(money(snapshot))),
            ("", Text(sparkline(list(self._equity)), style="cyan")),
            ("pod", Text(f"{snapshot.pod} on {snapshot.node}, {snapshot.restarts} restarts")),
        ):
            facts.add_row(Text(name, style="dim"), value)
        events = Table.grid(padding=(0, 2))
        for event in snapshot.events[-5:]:
            style = "yellow" if event["type"] == "Warning" else "dim"
            events.add_row(event_time(event)[11:19], Text(event["reason"], style=style), Text(event["message"], overflow="ellipsis"))
        return Panel(Group(facts, "", events), title=self._title, subtitle=note, title_align="left", subtitle_align="left")

    def _line(self, snapshot: Snapshot, note: str) -> str:
        known = snapshot.last_known
        bars = f"bars {known.bars} orders {known.orders} fills {known.fills}" if known else "bars ?"
        score = "?" if snapshot.score is None else f"{snapshot.score:.0f}"
        engine = "answers" if snapshot.engine else "SILENT"
        return (
            f"{snapshot.phase} engine {engine} healthy {snapshot.says('Healthy')} score {score}"
            f" {bars} equity {money(snapshot)} restarts {snapshot.restarts} | {note}"
        )


def money(snapshot: Snapshot) -> str:
    """Return the last known equity with its change since the start."""
    known = snapshot.last_known
    if known is None or known.equity is None:
        return "?"
    text = f"{known.equity:,.2f} {known.currency}".rstrip()
    if known.initial_equity:
        text += f" ({known.equity / known.initial_equity - 1:+.2%})"
    return text
