"""Kubernetes quantities of memory and storage ("512Mi") to and from bytes. The strings exist only at the edge.

Source of the grammar: k8s.io/apimachinery, ``resource.Quantity``. Milli and smaller suffixes are refused: a fraction of a byte
is always a typing error in a manifest.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_BINARY: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL: Final = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
_FACTORS: Final = _BINARY | _DECIMAL

PATTERN: Final = r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?\Z"
_REGEX: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?")


def parse_bytes(text: str) -> int:
    """Return the bytes that a quantity such as ``512Mi``, ``1.5Gi`` or ``1000000`` stands for, rounded up.

    Raises:
        ValueError: the text is no quantity of bytes.
    """
    found = _REGEX.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no quantity of bytes: write it as 512Mi, 1.5Gi or a whole number of bytes")
    exact = Decimal(found[1]) * _FACTORS[found[2] or ""]
    return int(exact.to_integral_value(rounding="ROUND_CEILING"))


def format_bytes(count: int) -> str:
    """Return the shortest binary quantity that stands for exactly ``count`` bytes: 536870912 is ``512Mi``."""
    for suffix, factor in reversed(_BINARY.items()):
        if count and count % factor == 0:
            return f"{count // factor}{suffix}"
    return str(count)


def format_bytes_rounded(count: float) -> str:
    """Return ``count`` bytes for people to read, with one decimal where it says more: ``63.4Mi``."""
    for suffix, factor in reversed(_BINARY.items()):
        if count >= factor:
            return f"{count / factor:.1f}".removesuffix(".0") + suffix
    return f"{count:.0f}"
