"""Grafana dashboards as code: one module for each, panels in the order in which a person reads them."""

from __future__ import annotations

import json
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from tradingbot_observability.dashboards.bot import PAGE as BOT
from tradingbot_observability.dashboards.fleet import PAGE as FLEET
from tradingbot_observability.dashboards.frame import Page, build_dashboard
from tradingbot_observability.dashboards.operator import PAGE as OPERATOR

PAGES: Final[tuple[Page, ...]] = (FLEET, BOT, OPERATOR)


def render_dashboards() -> dict[str, str]:
    """Return the JSON of every dashboard by its name: the same text for the same code."""
    return {page.name: json.dumps(build_dashboard(page), cls=JSONEncoder, indent=1, sort_keys=True) + "\n" for page in PAGES}
