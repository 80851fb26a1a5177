"""What of a document counts before anything else of it is looked at."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from tradingbot_contract.document import Activity, render_document
from tradingbot_engine.startup import Head, read_head


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("", Head()),
        ("{", Head()),
        ("- 1", Head()),
        ("\x00", Head()),
        ("a: 2024-13-45", Head()),
        ("[" * 5000 + "]" * 5000, Head()),
        ("generation: 4", Head(generation=4)),
        ("generation: many\nrevision: r1\ngrant: 2", Head(revision="r1", grant=2)),
        ("generation: true\nrevision: 7\ngrant: [1]\nactivity: Trade", Head()),
        ("activity: [Fence]", Head()),
        ("activity: fence", Head()),
        ("activity: Fence", Head(fenced=True)),
        ("generation: [1]\n7: 8\nstrategy: {name: 5}\nactivity: Fence", Head(fenced=True)),
    ],
)
def test_what_is_of_use_is_read_whatever_the_rest_is(text: str, head: Head) -> None:
    assert read_head(text.encode()) == head


@pytest.mark.parametrize("activity", Activity)
def test_a_whole_document(workshop: Any, activity: Activity) -> None:
    document = structs.replace(workshop.document(), activity=activity, revision="r3", grant=5)
    assert read_head(render_document(document).encode()) == Head(1, "r3", 5, activity is Activity.FENCE)
