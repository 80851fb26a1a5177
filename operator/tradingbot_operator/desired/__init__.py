"""The children that a bot should have: one module for each, each a pure function from the bot to a whole manifest.

A manifest holds the fields that the operator owns, and nothing that the API server would fill in. What a builder returns depends on
its arguments alone.
"""

from __future__ import annotations

from tradingbot_operator.desired.children import build_children
from tradingbot_operator.desired.document import build_document

__all__ = ["build_children", "build_document"]
