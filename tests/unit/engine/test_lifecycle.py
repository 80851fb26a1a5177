"""The engine's life: the table, transition by transition."""

from __future__ import annotations

import itertools

import pytest

from tradingbot_contract.report import EngineState
from tradingbot_engine.lifecycle import TRANSITIONS, IllegalTransitionError, Lifecycle


def reached(state: EngineState) -> Lifecycle:
    paths = {
        EngineState.STARTING: [],
        EngineState.RUNNING: [EngineState.RUNNING],
        EngineState.FINISHED: [EngineState.RUNNING, EngineState.FINISHED],
        EngineState.REFUSED: [EngineState.REFUSED],
        EngineState.FENCED: [EngineState.FENCED],
        EngineState.STOPPING: [EngineState.STOPPING],
    }
    lifecycle = Lifecycle()
    for step in paths[state]:
        lifecycle.move(step)
    return lifecycle


@pytest.mark.parametrize(("source", "target"), list(itertools.product(EngineState, EngineState)), ids=lambda state: state.value)
def test_every_move_is_as_in_the_table(source: EngineState, target: EngineState) -> None:
    lifecycle = reached(source)
    if target in TRANSITIONS[source]:
        lifecycle.move(target)
        assert lifecycle.state is target
    else:
        with pytest.raises(IllegalTransitionError, match=f"{source.value} → {target.value}"):
            lifecycle.move(target)
        assert lifecycle.state is source


def test_the_table_knows_all_states_and_every_life_can_end() -> None:
    assert set(TRANSITIONS) == set(EngineState)
    assert TRANSITIONS[EngineState.STOPPING] == frozenset()
    assert all(EngineState.STOPPING in targets for state, targets in TRANSITIONS.items() if state is not EngineState.STOPPING)
