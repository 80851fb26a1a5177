"""Helpers of the tests of the plan: what a status says, and the world after a pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tradingbot_contract.report import ObserverReport
from tradingbot_operator.bot_status import TradingBotStatus
from tradingbot_operator.desired.layout import Layout, plain_layout
from tradingbot_operator.plan import plan
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.settings import OperatorSettings
from tradingbot_operator.world import World

Make = Callable[..., Any]
SETTINGS = OperatorSettings(engine_image="tradingbot/engine:1")


def conditions(status: TradingBotStatus | None) -> dict[str, tuple[str, str]]:
    assert status is not None
    return {condition.type: (condition.status.value, condition.reason) for condition in status.conditions}


def settled(world: World) -> World:
    """Return the world after a pass that only wrote its status."""
    made = plan(world, SETTINGS)
    assert not made.actions
    assert made.status is not None
    return msgspec.structs.replace(world, status=made.status)


def engine_of(report: ObserverReport, **changes: Any) -> ObserverReport:
    assert report.engine is not None
    return msgspec.structs.replace(report, engine=msgspec.structs.replace(report.engine, **changes))


def first_layout(bot: TradingBot) -> Layout:
    """Return the layout of a bot that was given its symbols: documents carry the number of that, and pods start with none older."""
    layout = plain_layout(bot)
    documents = tuple(msgspec.structs.replace(document, grant=1) for document in layout.documents)
    return msgspec.structs.replace(layout, documents=documents, floor=1)
