from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_contract.quantity import PATTERN, format_bytes, format_bytes_rounded, parse_bytes


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("1", 1),
        ("1k", 1000),
        ("1Ki", 1024),
        ("512Mi", 536_870_912),
        ("1.5Gi", 1_610_612_736),
        ("1M", 1_000_000),
        ("0.3", 1),  # rounded up, as Kubernetes does
        ("8Ei", 2**63),
    ],
)
def test_a_quantity_is_read(text: str, count: int) -> None:
    assert parse_bytes(text) == count
    assert re.search(PATTERN, text)


@pytest.mark.parametrize("text", ["", "Mi", "-1", "1m", "512 Mi", "512MB", "1e3", "0x10", "1.", ".5"])
def test_what_is_no_quantity_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 512Mi"):
        parse_bytes(text)
    assert not re.search(PATTERN, text)


@given(st.integers(min_value=0, max_value=2**62))
def test_what_is_written_reads_back_the_same(count: int) -> None:
    assert parse_bytes(format_bytes(count)) == count


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (1023, "1023"), (1024, "1Ki"), (1536, "1.5Ki"), (66_480_000, "63.4Mi"), (2**30, "1Gi")]
)
def test_a_figure_for_people(count: int, text: str) -> None:
    assert format_bytes_rounded(count) == text
