"""What the operator's log leaves out: kopf tells of every event that it hands on."""

from __future__ import annotations

import logging

from tradingbot_contract.log import configure_log


def configure_operator_log(level: str) -> None:
    """Send the operator's log to standard error, from this level (debug, info, warning, error) on, kopf's from a higher one."""
    configure_log(level)
    root = logging.getLogger()
    logging.getLogger("kopf").setLevel(max(root.level, logging.INFO))
    logging.getLogger("kopf.objects").setLevel(max(root.level, logging.WARNING))
