"""Whether a run can always still come to its end."""

from __future__ import annotations

import pytest

from patterns.engine.dead_ends import dead_end
from patterns.engine.world import Crash, World
from patterns.leader_election import ChangRobertsElection

NONE = dict.fromkeys(("crash", "pause", "cut", "drop", "duplicate", "delay"), 0)


def all_know(world: World) -> bool:
    """Every process knows the leader."""
    return all(process.leader for process in world.processes)  # type: ignore[attr-defined]


def test_an_end_that_is_always_reached_leaves_no_dead_end() -> None:
    assert dead_end(ChangRobertsElection(ids=(1, 2, 3), budget=NONE), all_know) is None


def test_the_shortest_run_to_a_dead_end_is_found() -> None:
    """A message is lost that is never sent again. The run stands where no end can be reached any more."""
    machine = ChangRobertsElection(ids=(1, 2, 3), budget={**NONE, "drop": 1})
    stuck = dead_end(machine, all_know)
    assert stuck is not None
    assert stuck.state.budget != machine.start().budget, "only a fault leads there"
    assert not any(isinstance(step.event, Crash) for step in stuck.branch)


def test_what_cannot_be_searched_is_refused() -> None:
    with pytest.raises(ValueError, match="budget is None"):
        dead_end(ChangRobertsElection(ids=(1, 2, 3)), all_know)
    with pytest.raises(ValueError, match="cut short by max_states = 3"):
        dead_end(ChangRobertsElection(ids=(1, 2, 3), budget=NONE), all_know, max_states=3)
