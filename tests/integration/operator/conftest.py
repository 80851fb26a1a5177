"""A control plane of the session's own with nodes that are played, and a namespace for each test."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest

from bot_rig import Rig

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
def namespace(rig: Rig, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return a namespace of the test's own; at its end no symbol of it may have had two engines, and nothing in the game gone wrong."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.originalname.removeprefix("test_").lower())
    name = rig.make_namespace(f"{words[:48].strip('-')}-{next(_NUMBERS)}")
    yield name
    rig.api.delete("namespaces", name, None)
    assert not rig.kubelet.ledger.violations_of(name)
    assert not rig.kubelet.failures
