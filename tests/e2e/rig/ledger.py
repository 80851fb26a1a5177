"""A bot's orders and fills as its journal has them, to compare the books of two bots.

Prices, strategy and paper broker are deterministic: two bots with one spec make the same orders, whatever happened to their
processes. So the books of a bot that was killed must begin like those of one that was not, or an order was lost or made twice.
"""

from __future__ import annotations

import json
from typing import Final

from rig.bots import Bot

Row = list[object]

OPEN: Final = "new"
"""Status of an order that waits for its fill."""

# Only what the market decides: no id of the bot, no clock of this machine.
_READ: Final = """
import json, sqlite3
journal = sqlite3.connect("file:/var/lib/tradingbot/journal.sqlite?mode=ro", uri=True)
columns = {
    "orders": "sequence, symbol, side, quantity, status, lap, step, time_ms",
    "fills": "sequence, order_sequence, symbol, side, quantity, price, fee, lap, step, time_ms",
}
journal.execute("begin")
print(json.dumps({table: journal.execute(f"select {names} from {table} order by sequence").fetchall() for table, names in columns.items()}))
"""


def read_ledger(bot: Bot) -> dict[str, list[Row]]:
    """Return the rows of ``orders`` and ``fills``, oldest first."""
    ledger: dict[str, list[Row]] = json.loads(bot.python(_READ))
    return ledger


def _without_open_status(one: Row, other: Row) -> tuple[Row, Row]:
    """Leave the status out where one order is still open: the journals are read one after the other, and it may be filled in between.

    All else of it must be the same, and a fill that is lost shows in the fills.
    """
    for row in (one, other):
        if OPEN in row:
            place = row.index(OPEN)
            return one[:place] + one[place + 1 :], other[:place] + other[place + 1 :]
    return one, other


def compare_ledgers(disturbed: Bot, calm: Bot, *, at_least: int = 10) -> None:
    """Hold that two bots with one spec have the same books, as far as both have come.

    Raises:
        AssertionError: they differ, or there are fewer fills than ``at_least`` to compare.
    """
    first, second = read_ledger(disturbed), read_ledger(calm)
    for table, rows in first.items():
        for one, other in zip(rows, second[table], strict=False):
            one, other = _without_open_status(one, other)  # noqa: PLW2901 - the rows, as far as they can be compared
            assert one == other, f"{table} of {disturbed.name} and {calm.name} differ: {one} is not {other}"
    common = min(len(first["fills"]), len(second["fills"]))
    assert common >= at_least, f"{common} fills are too few to compare"
