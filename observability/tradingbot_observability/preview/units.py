"""Numbers as people read them, in Grafana's units."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

_BINARY: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_THOUSANDS: Final = ("", " K", " Mil", " Bil")
_SECONDS: Final = ((86_400.0, "day"), (3600.0, "hour"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def format_value(value: float, unit: str, decimals: int | None = None) -> str:
    """Return a value in its unit; without `decimals` with three digits that count."""
    return _FORMATS.get(unit, _plain)(value, decimals)


def _plain(value: float, decimals: int | None) -> str:
    return _digits(value, decimals)


def _short(value: float, decimals: int | None) -> str:
    power = 0
    while abs(value) >= 1000 and power < len(_THOUSANDS) - 1:
        value, power = value / 1000, power + 1
    return f"{_digits(value, decimals)}{_THOUSANDS[power]}"


def _share(value: float, decimals: int | None) -> str:
    return f"{_digits(value * 100, decimals)}%"


def _bytes(value: float, decimals: int | None) -> str:
    power = 0
    while abs(value) >= 1024 and power < len(_BINARY) - 1:
        value, power = value / 1024, power + 1
    return f"{_digits(value, decimals)} {_BINARY[power]}"


def _seconds(value: float, decimals: int | None) -> str:
    if value == 0:
        return "0 s"
    size, name = next(((size, name) for size, name in _SECONDS if abs(value) >= size), _SECONDS[-1])
    digits = _digits(value / size, decimals)
    plural = "s" if name in {"day", "hour", "min"} and digits != "1" else ""
    return f"{digits} {name}{plural}"


def _per_second(word: str) -> Callable[[float, int | None], str]:
    return lambda value, decimals: f"{_short(value, decimals)} {word}"


def _digits(value: float, decimals: int | None) -> str:
    if decimals is not None:
        return f"{value:,.{decimals}f}"
    if value == 0:
        return "0"
    text = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{float(text):g}" if "e" in text else text


_FORMATS: Final[Mapping[str, Callable[[float, int | None], str]]] = {
    "none": _plain,
    "short": _short,
    "percentunit": _share,
    "bytes": _bytes,
    "s": _seconds,
    "cps": _per_second("c/s"),
    "reqps": _per_second("req/s"),
}
