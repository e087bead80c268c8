"""Where to look for each planted bug: bounds in which a search of all runs finds it, and worlds in which chance does.

found = hunt("CommitsOldTerms")         # an Exploration; found.counterexample.history opens in the player
found = hunt("CommitsOldTerms", Server) # the same bounds, nothing planted: no counterexample
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from patterns.consensus_raft.clients import Server
from patterns.consensus_raft.histories import linearizable
from patterns.consensus_raft.properties import (
    commits_never_fall,
    election_safety,
    heeds_heartbeats,
    leader_completeness,
    log_matching,
    state_machine_safety,
)
from patterns.engine.explore import Exploration, Progress, explore
from patterns.engine.properties import Property

from .broken import PLANTED
from .small import small_cluster_of

Params = Mapping[str, Any]


class Hunt(NamedTuple):
    bounds: Params
    """What the small cluster is built with."""
    breaks: Property
    """What the search finds broken."""
    states: int
    """A little more than the search needs to find it."""
    chance: Params | None = None
    """What a cluster is built with in which random worlds find it too, within a few hundred seeds."""


ROUGH: Mapping[str, float] = {
    "next": 0.15,
    "request": 0.08,
    "drop": 0.03,
    "duplicate": 0.08,
    "delay": 0.05,
    "crash": 0.03,
    "restart": 0.1,
    "pause": 0.005,
    "resume": 0.05,
    "cut": 0.03,
    "cut one way": 0.01,
    "heal": 0.05,
}
"""Random worlds with ten times the usual faults: elections are what suffers most."""

THREE: Params = {"servers": 3}
"""Three servers at the defaults."""

HUNTS: Mapping[str, Hunt] = {
    "OffByOneMajority": Hunt({"replicate": False}, election_safety, 250, THREE),
    "VotesForAnyLog": Hunt({"elections": {"S1": (1,), "S3": (2,)}}, leader_completeness, 500, THREE),
    "LongerLogWins": Hunt(
        {"elections": {"S2": (4,), "S1": (5,)}, "logs": {"S1": (1, 1, 1), "S2": (3,)}}, leader_completeness, 1_000
    ),
    "CountsVotesNotVoters": Hunt(
        {"servers": 5, "elections": {"S1": (1,), "S2": (1,)}, "replicate": False, "budget": {"duplicate": 1}},
        election_safety,
        21_000,
        {"servers": 5, "max_entries": 1},
    ),
    "ForgetsVoteOnHeartbeat": Hunt({"max_term": 2, "logs": {"S1": (1,)}}, election_safety, 1_000),
    "VoteNotDurable": Hunt({"replicate": False, "budget": {"crash": 1}}, election_safety, 2_000, THREE),
    "LogNotDurable": Hunt(
        {"elections": {"S1": (1,), "S3": (2,)}, "budget": {"crash": 1}}, leader_completeness, 4_000, THREE
    ),
    "IgnoresPrevTerm": Hunt(
        {"elections": {"S2": (3,)}, "logs": {"S1": (1, 1), "S2": (2,)}, "max_entries": 1}, log_matching, 1_000, THREE
    ),
    "TruncatesAlways": Hunt(
        {"elections": {"S1": (1,)}, "scripts": {"A": ("put",)}, "retries": True},
        commits_never_fall,
        5_000,
        {"servers": 3, "max_entries": 1},
    ),
    "CommitsOldTerms": Hunt(
        {"elections": {"S1": (4,), "S3": (5,)}, "logs": {"S1": (2,), "S3": (3,)}, "max_entries": 1},
        leader_completeness,
        1_000,
    ),
    "CommitsBeyondNew": Hunt(
        {"elections": {"S1": (3,)}, "logs": {"S1": (1, 2), "S2": (1, 1), "S3": (1, 2)}, "max_entries": 1},
        state_machine_safety,
        1_000,
    ),
    "IgnoresHeartbeats": Hunt({}, heeds_heartbeats, 1_000, THREE),
    "ReadsWithoutAsking": Hunt(
        {"elections": {"S1": (1,), "S2": (2,)}, "scripts": {"A": ("put",), "B": ("get",)}}, linearizable, 10_000, THREE
    ),
    "ExecutesRetries": Hunt(
        {"elections": {"S1": (1,)}, "scripts": {"A": ("add",), "B": ("add",)}, "retries": True},
        linearizable,
        3_000,
        THREE,
    ),
}


def hunt(
    bug: str,
    server: type[Server] | None = None,
    *,
    max_states: int | None = None,
    progress: bool | Callable[[Progress], None] = False,
) -> Exploration:
    """Search every run within the bounds for this planted bug, or with another server in its place.

    `max_states` are a little more than the bug needs, unless given.

    Raises ValueError for a bug that is not planted.
    """
    if bug not in HUNTS:
        raise ValueError(f"bug is {bug!r}; planted are {', '.join(HUNTS)}")
    bounds, breaks, states, _ = HUNTS[bug]
    machine = small_cluster_of(server or PLANTED[bug])(**bounds)
    return explore(machine, [breaks], max_states=max_states or states, progress=progress)
