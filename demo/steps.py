"""Named steps with their times, for the table at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass
class Steps:
    """What has been done so far, and how long each step took."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Announce a step and take its time; a step that fails is in the table, too."""
        self.console.rule(f"[bold]{name}", align="left", style="dim")
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - started

    def table(self) -> Table:
        table = Table(title="Time of each step", title_justify="left", box=None, padding=(0, 2, 0, 0))
        table.add_column("step")
        table.add_column("seconds", justify="right")
        for name, seconds in self.seconds.items():
            table.add_row(name, f"{seconds:.1f}")
        table.add_row("all", f"{sum(self.seconds.values()):.1f}", style="bold")
        return table
