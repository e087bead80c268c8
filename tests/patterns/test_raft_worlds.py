"""Raft among faults: random worlds, in which every invariant holds on every state, and after which it recovers.

A million steps: `pytest -m slow tests/patterns/test_raft_worlds.py` (some minutes).
"""

from __future__ import annotations

from typing import Any

import pytest

from patterns.consensus_raft import ALWAYS, RaftCluster
from patterns.consensus_raft.histories import linearizable
from patterns.consensus_raft.lesson.gallery import lost_vote_after_crash
from patterns.consensus_raft.lesson.milestones import MILESTONES
from patterns.consensus_raft.lesson.small import SmallCluster
from patterns.consensus_raft.prevote import PreVoteServer
from patterns.consensus_raft.properties import follows_heartbeats, settled
from patterns.consensus_raft.stepdown import StepDownCluster
from patterns.engine.counterexample import Watch
from patterns.engine.explore import explore
from patterns.engine.history import History
from patterns.engine.planted import MANY_FAULTS, with_parts
from patterns.engine.random_worlds import FAULTS, random_worlds

PROPERTIES = (*ALWAYS, linearizable, follows_heartbeats, settled)
CLUSTERS = {
    "five servers": RaftCluster(),
    "three servers, an entry a message": RaftCluster(servers=3, max_entries=1),
    "four servers that time out together": RaftCluster(servers=4, election_timeout=(150, 155), clients=3),
    "clocks that run apart": RaftCluster(servers=3, speed={"S1": 60, "S3": 170}),
    "links that keep the order": RaftCluster(fifo=True),
    "pre-vote": with_parts(RaftCluster, server=PreVoteServer)(),
    "pre-vote and step-down": StepDownCluster(),
}


@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS)
@pytest.mark.parametrize("faults", [FAULTS, MANY_FAULTS], ids=["usual faults", "rough"])
def test_every_invariant_holds_and_the_cluster_recovers(cluster: RaftCluster, faults: Any) -> None:
    """Figure 3 on every state, clients' operations linearizable; then all is repaired, and a leader's log is committed
    on every server (5.2 to 5.4, 8)."""
    runs = random_worlds(cluster, range(12), 300, PROPERTIES, faults=faults)
    assert runs.holds, str(runs)
    assert runs.steps > 12 * 300


@pytest.mark.slow
@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS)
def test_a_million_steps_of_faults_break_no_invariant(cluster: RaftCluster) -> None:
    """A seventh of the million for each of seven clusters: 420 seeds of 400 steps and more."""
    runs = random_worlds(cluster, range(1_000, 1_420), 400, PROPERTIES)
    assert runs.holds, str(runs)
    assert runs.steps > 1_000_000 // len(CLUSTERS)


def test_a_leader_that_everybody_hears_stays_leader() -> None:
    """5.2: with broadcast time well below the election timeout, one leader is enough for a run without faults."""
    for seed in range(5):
        history: History[Any, Any] = History(RaftCluster(seed=seed))
        assert history.run_until(MILESTONES["a leader is elected"], 200)
        term = max(server.current_term for server in history.state.processes)
        for _ in range(600):
            history.advance()
        assert {server.current_term for server in history.state.processes} == {term}, f"seed {seed}"


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    def run(seed: int) -> Any:
        history: History[Any, Any] = History(RaftCluster(seed=seed))
        for _ in range(100):
            history.advance()
        return history.state

    assert run(3) == run(3)
    assert run(3) != run(4)


def test_invariants_are_followed_along_a_history_as_the_player_does() -> None:
    history = lost_vote_after_crash()
    watch = Watch(history.machine, ALWAYS)
    memories = watch.begin(history.steps[0].state)
    wrong = []
    for step in history.branch[1:]:
        assert step.parent is not None
        memories = watch.follow(memories, step.parent.state, step.event, step.state, step.notes)
        wrong.append(watch.broken(memories, step.state) is not None)
    assert wrong == [False] * (len(wrong) - 1) + [True]


def test_every_run_of_one_term_of_three_servers_is_safe() -> None:
    """The whole of elections and the first entry, one crash, in every order: 3 servers, 1 term."""
    found = explore(SmallCluster(budget={"crash": 1}))
    assert found.complete, str(found)
    assert found.counterexample is None, str(found)
    assert found.states > 4_000
