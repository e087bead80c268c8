"""Raft among faults: random worlds, in which every invariant holds on every state, and after which it recovers.

A million steps: `pytest -m slow tests/patterns/test_raft_worlds.py` (some minutes).
"""

from __future__ import annotations

from typing import Any

import pytest

from patterns.consensus_raft import ALWAYS, Put, RaftCluster, RequestVote, cluster_of, heeds_heartbeats, settled
from patterns.consensus_raft.histories import linearizable
from patterns.consensus_raft.lesson.directing import Director
from patterns.consensus_raft.lesson.gallery import GALLERY
from patterns.consensus_raft.lesson.hunts import ROUGH
from patterns.consensus_raft.lesson.milestones import MILESTONES
from patterns.consensus_raft.lesson.small import SmallCluster
from patterns.consensus_raft.prevote import PreVoteServer
from patterns.consensus_raft.rules import RULES
from patterns.engine.counterexample import Watch
from patterns.engine.explore import explore
from patterns.engine.history import History
from patterns.engine.random_worlds import FAULTS, random_worlds
from patterns.engine.world import Crash, Duplicate, Request

PROPERTIES = (*ALWAYS, linearizable, heeds_heartbeats, settled)
CLUSTERS = {
    "five servers": RaftCluster(),
    "three servers, an entry a message": RaftCluster(servers=3, max_entries=1),
    "four servers that time out together": RaftCluster(servers=4, election_timeout=(150, 155), clients=3),
    "clocks that run apart": RaftCluster(servers=3, speed={"S1": 60, "S3": 170}),
    "links that keep the order": RaftCluster(fifo=True),
    "pre-vote": cluster_of(PreVoteServer)(),
}


@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS)
@pytest.mark.parametrize("faults", [FAULTS, ROUGH], ids=["usual faults", "rough"])
def test_every_invariant_holds_and_the_cluster_recovers(cluster: RaftCluster, faults: Any) -> None:
    """Figure 3 on every state, clients' operations linearizable; then all is repaired, and a leader's log is committed
    on every server (5.2 to 5.4, 8)."""
    runs = random_worlds(cluster, range(12), 300, PROPERTIES, faults=faults)
    assert runs.holds, str(runs)
    assert runs.steps > 12 * 300


@pytest.mark.slow
@pytest.mark.parametrize("cluster", CLUSTERS.values(), ids=CLUSTERS)
def test_a_million_steps_of_faults_break_no_invariant(cluster: RaftCluster) -> None:
    """A sixth of the million for each of six clusters: 420 seeds of 400 steps and more."""
    runs = random_worlds(cluster, range(1_000, 1_420), 400, PROPERTIES)
    assert runs.holds, str(runs)
    assert runs.steps > 1_000_000 // len(CLUSTERS)


def random_history(seed: int) -> History[Any, Any]:
    """A run with some requests and a crash, nothing chosen by hand."""
    history: History[Any, Any] = History(RaftCluster(seed=seed, servers=3, election_timeout=(150, 155), clients=2))
    cluster = history.machine
    for step in range(400):
        offered = [event for event in cluster.enabled(history.state, "request") if isinstance(event, Request)]
        if step % 7 == 0 and offered:
            history.apply(offered[step % len(offered)])
        elif step in (100, 200):
            up = history.state.up
            history.apply(Crash(up[step % len(up)].id))
            history.advance()
            history.run(cluster.repairs(history.state))
        else:
            history.advance()
    return history


def twice_and_late() -> History[Any, Any]:
    """A vote that comes twice, a request for one that comes late, a client that asks again though it has its answer."""
    run = Director(RaftCluster())
    run.times_out("S1")
    run.deliver("S1", "S2", RequestVote)
    run.history.apply(Duplicate(run.on_their_way("S2", "S1")[0].id))
    run.deliver("S2", "S1")
    run.deliver("S2", "S1")
    run.stand("S3", "S4")
    run.stand("S3", "S4", "S5")
    run.deliver("S1", "S4", RequestVote)
    run.settle()
    for _ in range(2):
        run.asks("A", "S3", Put(1, "x", 1))
        run.settle()
    return run.history


def test_every_rule_fires_somewhere_and_its_sentence_can_be_said() -> None:
    """In the runs of the gallery and of rough random worlds. (What comes twice or late is rare.)"""
    histories = [*(show() for show in GALLERY.values()), *(random_history(seed) for seed in range(4))]
    histories.append(twice_and_late())
    fired = {note.rule for history in histories for step in history.steps for note in step.notes}
    assert set(RULES) - fired == set()
    for history in histories:
        for step in history.steps:
            for note in step.notes:
                said = history.machine.say(note)
                assert "{" not in said
                assert "None" not in said


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
    history = GALLERY["lost vote after crash"]()
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
