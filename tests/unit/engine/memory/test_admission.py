from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from tradingbot_contract.budget import estimate_memory
from tradingbot_contract.document import EngineDocument, SpecError
from tradingbot_contract.resources import Cache
from tradingbot_engine.memory.admission import require_memory

MIB = 2**20


@pytest.fixture
def document(workshop: Any) -> EngineDocument:
    return workshop.document(cache=Cache(memory_limit="100Mi"))


def test_what_fits_is_taken_and_what_nobody_knows_too(document: EngineDocument) -> None:
    require_memory(document, estimate_memory(document).total)
    require_memory(document, None)


def test_what_does_not_fit_is_refused_by_name(document: EngineDocument) -> None:
    with pytest.raises(SpecError, match=r"cache\.memoryLimit"):
        require_memory(document, estimate_memory(document).total - 1)


def test_under_a_lowered_limit_a_change_that_needs_no_more_is_taken(document: EngineDocument) -> None:
    limit_bytes = 80 * MIB
    less = structs.replace(document, cache=Cache(memory_limit="90Mi"))
    more = structs.replace(document, cache=Cache(memory_limit="101Mi"))
    require_memory(document, limit_bytes, running=document)
    require_memory(less, limit_bytes, running=document)
    with pytest.raises(SpecError, match="the limit is 80Mi"):
        require_memory(more, limit_bytes, running=document)
