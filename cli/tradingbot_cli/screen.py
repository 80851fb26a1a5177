"""Shows a run while it runs: as a panel that is drawn anew on a terminal, as one line a second anywhere else."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tradingbot_cli.course import Moment
from tradingbot_cli.figures import UNKNOWN, change_percent, count, market_date, money, per_second, percent, score
from tradingbot_cli.plot import draw

PLOT_ROWS: Final = 8
MOST_PLOT_COLUMNS: Final = 100
_LABEL_COLUMNS: Final = 13
_BORDER_COLUMNS: Final = 6
LINE_SECONDS: Final = 1.0
_PHASE_STYLES: Final = {"Running": "bold green", "Finished": "bold cyan", "Starting": "yellow", "Stopping": "yellow"}


class Screen(Protocol):
    """Where a run is shown."""

    def show(self, moment: Moment) -> None:
        """Show the newest moment."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class LiveScreen:
    """A panel on a terminal; its last state stays there."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.stop()

    def show(self, moment: Moment) -> None:
        """Draw the panel anew."""
        self._live.update(build_panel(moment, self._title, self._console.width), refresh=True)


class PlainScreen:
    """One readable line a second, and one whenever the phase changes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_at = 0.0
        self._phase = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass

    def show(self, moment: Moment) -> None:
        """Print a line if it is time for one."""
        if moment.at - self._shown_at < LINE_SECONDS and moment.phase == self._phase:
            return
        self._shown_at, self._phase = moment.at, moment.phase
        self._console.print(build_line(moment), highlight=False, soft_wrap=True, markup=False)


def build_line(moment: Moment) -> str:
    """Return a moment in one line."""
    engine = moment.engine
    if engine is None:
        return moment.phase
    parts = [
        moment.phase,
        *([percent(engine.progress * 100, digits=0)] if engine.progress is not None else []),
        f"score {score(moment.report)}",
        f"{count(engine.bars, 'bar')}{_pace(moment, ', ')}",
        market_date(engine.last_bar_time),
        count(engine.orders, "order"),
        count(engine.fills, "fill"),
        count(engine.open_positions, "position"),
        f"equity {money(engine.equity, engine.currency)} ({percent(change_percent(engine), sign=True)})",
        *([engine.message] if engine.message else []),
    ]
    return "  ".join(parts)


def build_panel(moment: Moment, title: str, width: int) -> Panel:
    """Return a moment as a panel for a terminal of this width."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column()
    facts.add_row("phase", Text(moment.phase, style=_PHASE_STYLES.get(moment.phase, "bold red")))
    facts.add_row("health", _score_text(moment))
    engine = moment.engine
    parts: list[Table | Text | str] = [facts]
    if engine is not None:
        if engine.progress is not None:
            bar = Table.grid(padding=(0, 1))
            bar.add_row(ProgressBar(total=1.0, completed=engine.progress, width=40), percent(engine.progress * 100, digits=0))
            facts.add_row("prices", bar)
        lap = f", lap {engine.lap + 1}" if engine.lap else ""
        facts.add_row("market", f"{market_date(engine.last_bar_time)}{lap}")
        facts.add_row("bars", f"{engine.bars:,}{_pace(moment, ', ')}")
        rejected = f", {engine.rejected_orders} rejected" if engine.rejected_orders else ""
        facts.add_row(
            "orders", f"{engine.orders:,}{rejected}, {count(engine.fills, 'fill')}, {count(engine.open_positions, 'open position')}"
        )
        change = change_percent(engine)
        equity = Text(money(engine.equity, engine.currency), style="bold")
        equity.append(f"  {percent(change, sign=True)}", style="red" if change is not None and change < 0 else "green")
        drawdown = UNKNOWN if engine.drawdown is None else percent(engine.drawdown * 100)
        equity.append(f"  now {drawdown} below its highest", style="dim")
        facts.add_row("equity", equity)
        if engine.message:
            facts.add_row("note", Text(engine.message, style="yellow"))
        parts += ["", _plot(moment, width - _LABEL_COLUMNS - _BORDER_COLUMNS)]
    return Panel(Group(*parts), title=Text(title), title_align="left", border_style="dim", padding=(0, 2))


def _score_text(moment: Moment) -> Text:
    found = moment.report.findings if moment.report else ()
    return Text(score(moment.report), style="yellow" if found else "")


def _pace(moment: Moment, before: str) -> str:
    return f"{before}{per_second(moment.bars_per_second)}" if moment.bars_per_second is not None else ""


def _plot(moment: Moment, columns: int) -> Text:
    equity = moment.equity
    rows = draw(equity, width=max(10, min(MOST_PLOT_COLUMNS, columns)), height=PLOT_ROWS, span=moment.span)
    labels = [""] * PLOT_ROWS
    if equity:
        labels[0], labels[-1] = f"{max(equity):,.0f}", f"{min(equity):,.0f}"
    text = Text()
    for label, row in zip(labels, rows, strict=True):
        text.append(f"{label:>{_LABEL_COLUMNS - 2}}  ", style="dim")
        text.append(f"{row}\n", style="cyan")
    text.rstrip()
    return text
