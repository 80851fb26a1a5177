from __future__ import annotations

import pytest

from tradingbot_contract.endpoints import ENV_MEMORY_LIMIT
from tradingbot_observer.sources.memory_limit import MemoryLimit


def test_the_engines_own_figure_wins_and_stays_known_while_it_is_silent() -> None:
    limit = MemoryLimit({ENV_MEMORY_LIMIT: "1000"})
    assert limit.limit_bytes == 1000
    limit.report(2000)
    limit.report(None)
    assert limit.limit_bytes == 2000


@pytest.mark.parametrize("environment", [{}, {ENV_MEMORY_LIMIT: ""}])
def test_nobody_knows(environment: dict[str, str]) -> None:
    assert MemoryLimit(environment).limit_bytes is None


def test_a_variable_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match=f"{ENV_MEMORY_LIMIT} is '512Mi'"):
        MemoryLimit({ENV_MEMORY_LIMIT: "512Mi"})
