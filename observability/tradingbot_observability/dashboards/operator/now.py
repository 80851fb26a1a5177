"""One glance: does one lead, and does it keep up."""

from __future__ import annotations

from typing import Final

from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, number
from tradingbot_observability.dashboards.series import INSTALLATION, OPERATOR

_PASSES: Final = INSTALLATION.rate(OPERATOR.reconciles)
_PASSES_FAILED: Final = INSTALLATION.rate(OPERATOR.reconciles, 'result!~"done|conflict"')
_LONG: Final = ((None, at.GREEN), (30.0, at.YELLOW), (120.0, at.RED))

_QUIET: Final = ((None, at.GREEN), (600.0, at.YELLOW), (1800.0, at.RED))


NOW: Final = section(
    "Now",
    line(
        4,
        number(
            "Leaders",
            "Operators that act: exactly 1. With 0 bots go on trading and nobody looks after them.",
            "none",
            Query(f"sum({INSTALLATION.of(OPERATOR.leader)})"),
            steps=at.ONE_IS_WELL,
        ),
        number(
            "Operators",
            "Operator processes that answer. With one there is nobody to take over.",
            "none",
            Query(f"count({INSTALLATION.of(OPERATOR.leader)})"),
            steps=((None, at.RED), (1.0, at.YELLOW), (2.0, at.GREEN)),
        ),
        number(
            "Failed passes",
            "Passes over bots that failed, as a share of all: unavailable, refused or error. A conflict is tried again at once "
            "and is no failure.",
            "percentunit",
            Query(f"(sum({_PASSES_FAILED}) or 0 * sum({_PASSES})) / (sum({_PASSES}) > 0)"),
            steps=((None, at.GREEN), (0.01, at.YELLOW), (0.1, at.RED)),
            decimals=1,
        ),
        number(
            "Longest pass",
            "How long the oldest pass that is not over has been going on. Minutes mean that a call hangs.",
            "s",
            Query(f"max({INSTALLATION.of(OPERATOR.longest_pass)})"),
            steps=_LONG,
            decimals=1,
        ),
        number(
            "Event loop lag",
            "How late the operator's event loop is: it does everything in one thread.",
            "s",
            Query(f"max({INSTALLATION.of(OPERATOR.loop_lag)})"),
            steps=at.LOOP_LAG,
        ),
        number(
            "Last look at everything",
            "Time since all objects were listed, which finds what watches have missed.",
            "s",
            Query(f"time() - max({INSTALLATION.of(OPERATOR.resync_time)})"),
            steps=_QUIET,
            decimals=0,
        ),
    ),
)
