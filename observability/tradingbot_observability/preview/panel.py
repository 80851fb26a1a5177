"""A panel as it stands in a dashboard's JSON: the parts of Grafana's model that these dashboards use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

Json = Mapping[str, Any]


class Box(Struct, frozen=True):
    """A place on the grid of 24 columns, or in pixels."""

    x: float
    y: float
    width: float
    height: float


class Target(Struct, frozen=True):
    """One query of a panel."""

    reference: str
    expression: str
    legend: str
    instant: bool


class PanelModel(Struct, frozen=True):
    """One panel; `spec` is its JSON."""

    spec: Json

    @property
    def kind(self) -> str:
        return str(self.spec["type"])

    @property
    def number(self) -> int:
        """Its number on the dashboard; two may have one title."""
        return int(self.spec["id"])

    @property
    def title(self) -> str:
        return str(self.spec.get("title", ""))

    @property
    def description(self) -> str:
        return str(self.spec.get("description", ""))

    @property
    def place(self) -> Box:
        grid = self.spec["gridPos"]
        return Box(grid["x"], grid["y"], grid["w"], grid["h"])

    @property
    def targets(self) -> tuple[Target, ...]:
        return tuple(
            Target(each["refId"], each["expr"], each.get("legendFormat", ""), bool(each.get("instant")))
            for each in self.spec.get("targets", [])
        )

    @property
    def least_step_seconds(self) -> float:
        """Least time between two points."""
        return {"": 0.0, "1m": 60.0}[self.spec.get("interval", "")]

    @property
    def defaults(self) -> Json:
        found: Json = self.spec["fieldConfig"]["defaults"]
        return found

    @property
    def custom(self) -> Json:
        found: Json = self.defaults.get("custom", {})
        return found

    @property
    def options(self) -> Json:
        found: Json = self.spec.get("options", {})
        return found

    @property
    def unit(self) -> str:
        return str(self.defaults.get("unit", "none"))

    @property
    def decimals(self) -> int | None:
        found: int | None = self.defaults.get("decimals")
        return found

    @property
    def words(self) -> Mapping[str, Json]:
        """Text and colour by value."""
        return {value: result for mapping in self.defaults.get("mappings", []) for value, result in mapping["options"].items()}

    @property
    def steps(self) -> tuple[tuple[float | None, str], ...]:
        return steps_of(self.defaults.get("thresholds", {}))

    def look(self, reference: str) -> dict[str, Any]:
        """Return the properties that series of a query have of their own."""
        return self._properties("byFrameRefID", reference)

    def named(self, name: str) -> dict[str, Any]:
        """Return the properties that a series, or a table's column, of this name has of its own."""
        return self._properties("byName", name)

    def _properties(self, matcher: str, wanted: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for override in self.spec["fieldConfig"].get("overrides", []):
            if override["matcher"] == {"id": matcher, "options": wanted}:
                found |= {each["id"]: each["value"] for each in override["properties"]}
        return found


def steps_of(thresholds: Json) -> tuple[tuple[float | None, str], ...]:
    """Return from which value on there is which colour."""
    return tuple((each["value"], each["color"]) for each in thresholds.get("steps", []))


def color_at(steps: tuple[tuple[float | None, str], ...], value: float) -> str:
    """Return the colour of a value."""
    found = "text"
    for start, color in steps:
        if start is None or value >= start:
            found = color
    return found
