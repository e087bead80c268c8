"""Measures refuse an argument of a wrong type by its name, in five chapters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from patterns.consensus_raft.lesson import measure as raft
from patterns.consistent_hashing import Ring, bounded
from patterns.consistent_hashing.errors import RouterError
from patterns.consistent_hashing.others import jump_hash
from patterns.cqrs.lesson import measure as cqrs
from patterns.engine.params import ParameterError
from patterns.leader_election.lesson import measure as election
from patterns.two_phase_commit.lesson import measure as commit

NUMBERS: dict[str, Callable[[Any], Any]] = {
    "raft, seed": lambda bad: raft.fail_over(seed=bad),
    "election, n": election.bit_reversed,
    "election, n of harmonic": election.harmonic,
    "election, n of cost": lambda bad: election.cost("bully", bad),
    "commit, n": lambda bad: commit.count("basic", "commit", bad),
    "commit, readers": lambda bad: commit.published_total("read_only", "commit", 3, bad),
    "commit, repair": commit.blocked_time,
    "cqrs, gap": cqrs.lag,
    "cqrs, batch": lambda bad: cqrs.lag(50, bad),
    "cqrs, gap of rebuild": cqrs.rebuild,
}
LISTS: dict[str, Callable[[Any], Any]] = {
    "raft, seeds": lambda bad: raft.fail_overs((150, 300), bad),
    "raft, runs": raft.split_share,
    "election, ns": lambda bad: election.costs("bully", bad),
    "election, machine": election.messages,
    "commit, repairs": commit.blocked_times,
    "cqrs, gaps": cqrs.lags,
    "ring, keys": lambda bad: bounded.bounded_loads(Ring(["A"]), bad),
    "ring, ring": lambda bad: bounded.capacities(bad, 10),
    "ring, loads": bounded.peak_to_mean,
}


@pytest.mark.parametrize("bad", [None, "3", 1.5, float("nan"), True, [3]], ids=repr)
@pytest.mark.parametrize("which", NUMBERS)
def test_a_number_of_another_type_is_refused_by_name(which: str, bad: Any) -> None:
    with pytest.raises(ParameterError, match=f"^{which.split()[1]} is "):
        NUMBERS[which](bad)


@pytest.mark.parametrize("bad", [None, 3, 1.5, True], ids=repr)
@pytest.mark.parametrize("which", LISTS)
def test_what_is_no_list_is_refused_by_name(which: str, bad: Any) -> None:
    with pytest.raises(ParameterError, match=f"^{which.split()[1]} is "):
        LISTS[which](bad)


@pytest.mark.parametrize("runs", [[], [None], "ab"], ids=repr)
def test_the_share_of_split_votes_needs_measured_runs(runs: Any) -> None:
    with pytest.raises(ParameterError, match=r"^runs is .* `fail_over` measured"):
        raft.split_share(runs)


@pytest.mark.parametrize(("key", "buckets"), [(None, 3), ("3", 3), (1.5, 3), (3, None), (3, 1.5)])
def test_jump_hash_takes_whole_numbers(key: Any, buckets: Any) -> None:
    with pytest.raises(RouterError, match=r"^(key|buckets) is "):
        jump_hash(key, buckets)
