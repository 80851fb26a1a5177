"""The operator itself: does one lead, does it keep up, does the API server answer, and what has it done."""

from __future__ import annotations

from typing import Final

from tradingbot_observability.dashboards.frame import Page, Variable
from tradingbot_observability.dashboards.operator.api_server import API_SERVER
from tradingbot_observability.dashboards.operator.now import NOW
from tradingbot_observability.dashboards.operator.passes import PASSES
from tradingbot_observability.dashboards.operator.process import PROCESS
from tradingbot_observability.dashboards.operator.work import WORK
from tradingbot_observability.dashboards.series import OPERATOR, series_name

PAGE: Final = Page(
    name="operator",
    title="TradingBot / Operator",
    description="The operator itself: lead, passes, queue, API server, watches, what it has done, and its process.",
    variables=(
        Variable(
            "namespace",
            "Namespace",
            f'label_values({series_name(OPERATOR.leader)}{{job="tradingbot-operator"}}, namespace)',
            several=True,
        ),
    ),
    sections=(NOW, PASSES, API_SERVER, WORK, PROCESS),
)
