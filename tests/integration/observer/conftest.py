from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from observer_rig import Rig, document

from tradingbot_contract.document import EngineDocument, render_document


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    rig.write(render_document(document()))
    yield rig
    rig.stop()


@pytest.fixture
def made() -> EngineDocument:
    """The document that the rig begins with."""
    return document()
