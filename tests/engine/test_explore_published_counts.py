"""The search agrees with the counts that TLC, the model checker of TLA+, reports for published specifications.

The figures are those of the manifests in github.com/tlaplus/Examples: `distinctStates`, `totalStates`, `stateDepth`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from models.chang_roberts import ChangRoberts
from models.paxos import Paxos

from patterns.engine.explore import explore
from patterns.engine.machine import Machine
from patterns.two_phase_commit.specification import TCommit, TwoPhase

RINGS = [ChangRoberts(initiators=initiators) for initiators in product((False, True), repeat=3)]


@pytest.mark.parametrize(
    ("machine", "distinct", "total", "depth"),
    [
        pytest.param(RINGS, 137, 227, 10, id="Chang-Roberts, three nodes, any of them initiators"),
        pytest.param(TCommit(rms=3), 34, 94, 7, id="TCommit, three resource managers"),
        pytest.param(TwoPhase(rms=3), 288, 1146, 11, id="TwoPhase, three resource managers"),
        pytest.param(
            Paxos(acceptors=3, ballots=2), 3921, 23563, 17, id="MCPaxosTiny: three acceptors, two values, two ballots"
        ),
    ],
)
def test_distinct_states_generated_states_and_depth_are_those_published(
    machine: Machine[Any, Any] | Sequence[Machine[Any, Any]], distinct: int, total: int, depth: int
) -> None:
    result = explore(machine)
    assert result.complete
    assert result.counterexample is None
    assert (result.states, result.generated, result.depth) == (distinct, total, depth)


def test_two_phase_with_six_resource_managers_has_the_states_its_authors_report() -> None:
    """The last comment of TwoPhase.tla: six resource managers have 50,816 reachable states."""
    result = explore(TwoPhase(rms=6), max_states=60_000)
    assert result.complete
    assert result.states == 50_816
