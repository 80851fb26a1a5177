"""The rules and dashboards that come with the operator: generated files beside this module, read once.

They name runbooks under one address; an installation that has its own copy gets them with that.
"""

from __future__ import annotations

import json
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec
from msgspec import Struct

from tradingbot_operator.monitoring.settings import RUNBOOK_BASE_URL


class Bundle(Struct, frozen=True):
    """What there is to install."""

    rules: str
    """Groups of rules as Prometheus reads them from a file."""
    dashboards: dict[str, str]
    """Each dashboard's JSON, by its short name."""


def read_bundle(folder: Traversable | None = None) -> Bundle:
    """Return what comes with this operator, or lies in another folder.

    Raises:
        OSError: the folder is not whole.
        ValueError: a file is not what it should be.
    """
    root = folder or files(__package__) / "files"
    rules = (root / "rules.yaml").read_text(encoding="utf-8")
    parse_groups(rules)
    found = sorted((file for file in (root / "dashboards").iterdir() if file.name.endswith(".json")), key=lambda file: file.name)
    dashboards = {file.name.removesuffix(".json"): file.read_text(encoding="utf-8") for file in found}
    for text in dashboards.values():
        json.loads(text)
    return Bundle(rules=rules, dashboards=dashboards)


def parse_groups(rules: str) -> list[dict[str, Any]]:
    """Return the groups of a file of rules.

    Raises:
        ValueError: it has none.
    """
    document = msgspec.yaml.decode(rules)
    if not isinstance(document, dict) or not isinstance(document.get("groups"), list):
        raise ValueError("the file of rules has no groups")  # noqa: TRY004 - a file, not an argument
    groups: list[dict[str, Any]] = document["groups"]
    return groups


def with_runbooks_at(text: str, base_url: str) -> str:
    """Return a text with the addresses of runbooks under another base."""
    return text.replace(RUNBOOK_BASE_URL, base_url)
