"""Planted bugs: Raft as it is often got wrong. Every one is caught, and by what:

| bug                      | every run of a small cluster, within (hunts.py)             | random worlds |
|--------------------------|-------------------------------------------------------------|---------------|
| OffByOneMajority         | 3 servers, elections of 1 term                              | yes           |
| VotesForAnyLog           | S1 leads term 1, S3 stands in term 2                        | yes           |
| LongerLogWins            | logs 1 1 1 and 3, S2 leads term 4, S1 stands in term 5      | no            |
| CountsVotesNotVoters     | 5 servers, elections of 1 term, 2 candidates, 1 duplicate   | yes           |
| ForgetsVoteOnHeartbeat   | S1 has an entry more, 1 term                                | no            |
| VoteNotDurable           | 3 servers, elections of 1 term, 1 crash                     | yes           |
| LogNotDurable            | S1 leads term 1, S3 stands in term 2, 1 crash               | yes           |
| IgnoresPrevTerm          | logs 1 1 and 2, S2 leads term 3, an entry a message         | yes           |
| TruncatesAlways          | S1 leads term 1, a put with retries                         | yes           |
| CommitsOldTerms          | logs 2 and 3, S1 leads term 4, S3 term 5, an entry a message| no            |
| CommitsBeyondNew         | logs 1 2 and 1 1, S1 leads term 3, an entry a message       | no            |
| IgnoresHeartbeats        | 3 servers, 1 term                                           | yes           |
| ReadsWithoutAsking       | S1 leads term 1, S2 term 2, a put and a get                 | yes           |
| ExecutesRetries          | S1 leads term 1, two adds with retries                      | yes           |

"no" is: not within 300 seeds of 300 rough steps. CommitsOldTerms is caught in Figure 8 too (test_raft_figures.py).
"""

from __future__ import annotations

from functools import cache

import pytest

from patterns.consensus_raft import ALWAYS, Server, cluster_of, heeds_heartbeats
from patterns.consensus_raft.histories import is_linearizable, linearizable
from patterns.consensus_raft.lesson.broken import PLANTED
from patterns.consensus_raft.lesson.hunts import HUNTS, ROUGH, hunt
from patterns.consensus_raft.lesson.small import SmallCluster
from patterns.engine.history import History
from patterns.engine.random_worlds import random_worlds

searched = cache(hunt)
BY_CHANCE = [name for name, each in HUNTS.items() if each.chance is not None]


@pytest.mark.parametrize("bug", PLANTED)
def test_a_search_of_every_run_of_a_small_cluster_finds_the_bug(bug: str) -> None:
    found = searched(bug)
    assert found.counterexample is not None, str(found)
    assert found.counterexample.property is HUNTS[bug].breaks
    history = found.counterexample.history
    assert history.step is history.branch[-1], "it stands at the bad step"
    assert len(history.branch) <= 12, "it is a shortest run"


@pytest.mark.parametrize("bug", PLANTED)
def test_the_same_search_finds_nothing_in_a_server_without_the_bug(bug: str) -> None:
    """As far as the bug's own search went, 5,000 states at most; the slow test goes to the end."""
    states = min(HUNTS[bug].states, 5_000)
    found = hunt(bug, Server, max_states=states)
    assert found.counterexample is None, str(found)
    assert found.complete or found.states == states


@pytest.mark.slow
@pytest.mark.parametrize("bug", PLANTED)
def test_every_run_within_those_bounds_is_right_without_the_bug(bug: str) -> None:
    """All of them; but where clients may retry for ever there is no end, and with reads none is near."""
    endless = bug in ("TruncatesAlways", "ExecutesRetries", "ReadsWithoutAsking")
    found = hunt(bug, Server, max_states=50_000)
    assert found.counterexample is None, str(found)
    assert found.complete != endless, str(found)


@pytest.mark.parametrize("bug", BY_CHANCE)
def test_random_worlds_find_the_bug_too(bug: str) -> None:
    cluster = cluster_of(PLANTED[bug])(**(HUNTS[bug].chance or {}))
    runs = random_worlds(
        cluster, range(300), 300, (*ALWAYS, linearizable, heeds_heartbeats), faults=ROUGH, shrink=False
    )
    assert runs.counterexample is not None, str(runs)


def test_a_counterexample_can_be_replayed_from_its_code() -> None:
    found = searched("VoteNotDurable").counterexample
    assert found is not None
    again = History.replay(found.history.machine, found.history.code)
    assert again.state == found.history.state


@pytest.mark.parametrize("bug", ["ReadsWithoutAsking", "ExecutesRetries"])
def test_what_clients_of_a_broken_cluster_saw_is_not_linearizable(bug: str) -> None:
    """Section 8: without ReadIndex, and without sessions."""
    found = searched(bug).counterexample
    assert found is not None
    verdict = is_linearizable(found.history.path)
    assert not verdict
    assert "cannot be placed" in str(verdict)


def test_every_planted_bug_is_a_server_with_one_method_overridden_and_says_what_it_is() -> None:
    for bug in PLANTED.values():
        own = [name for name, value in vars(bug).items() if callable(value) and not name.startswith("__")]
        assert len(own) == 1, (bug, own)
        assert bug.__doc__


def test_an_unknown_bug_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="bug is 'Nonsense'; planted are OffByOneMajority"):
        hunt("Nonsense")


def test_bad_bounds_of_a_search_are_refused() -> None:
    with pytest.raises(ValueError, match=r"elections\['S9'\] is .*S1, S2, S3"):
        SmallCluster(elections={"S9": (1,)})
    with pytest.raises(ValueError, match=r"scripts\['A'\]\[0\] is 'eat'"):
        SmallCluster(scripts={"A": ["eat"]})


def test_the_bounds_of_a_search_are_in_the_replay_code() -> None:
    small = SmallCluster(elections={"S1": (3,)}, scripts={"A": ["put"]}, retries=True, logs={"S1": (1,)})
    again = small.again()
    assert again.params == small.params
    assert again.start() == small.start()
