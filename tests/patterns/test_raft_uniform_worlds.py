"""Uniform random worlds find bugs in Raft that show only where old messages arrive after new ones."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.consensus_raft import ALWAYS, RaftCluster, Server
from patterns.consensus_raft.lesson.broken import CommitsBeyondNew, ForgetsVoteOnHeartbeat, LongerLogWins
from patterns.engine.planted import with_parts
from patterns.engine.random_worlds import random_worlds

FEW = {"request": 0.05, "drop": 0.1, "crash": 0.005, "restart": 0.02}
DIVERGED = {"S1": (1, 2), "S2": (1, 1), "S3": (1, 2)}
"""Logs as a leader of term 2 leaves them when it crashes."""


@pytest.mark.parametrize(
    ("server", "bounds", "breaks"),
    [
        (LongerLogWins, {}, "Leader Completeness"),
        (ForgetsVoteOnHeartbeat, {}, "Election Safety"),
        (CommitsBeyondNew, {"logs": DIVERGED}, "State Machine Safety"),
    ],
)
def test_uniform_random_worlds_find_the_bug(server: type[Server], bounds: dict[str, Any], breaks: str) -> None:
    machine = with_parts(RaftCluster, server=server)(servers=3, max_entries=1, **bounds)
    runs = random_worlds(machine, range(100), 300, ALWAYS, faults=FEW, uniform=True, shrink=False)
    assert runs.counterexample is not None, str(runs)
    assert runs.counterexample.property.name.startswith(breaks)


def test_uniform_random_worlds_find_nothing_in_the_right_server() -> None:
    machine = RaftCluster(servers=3, max_entries=1, logs=DIVERGED)
    runs = random_worlds(machine, range(20), 300, ALWAYS, faults=FEW, uniform=True)
    assert runs.holds, str(runs)
