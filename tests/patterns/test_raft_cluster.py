"""A Raft cluster as a machine: what it offers, milestones, bad input, the gallery and its narration, pre-vote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from patterns.consensus_raft import Get, NotLeader, Put, RaftCluster, Table, cluster_of, is_done
from patterns.consensus_raft.lesson.broken import VoteNotDurable
from patterns.consensus_raft.lesson.directing import Director
from patterns.consensus_raft.lesson.gallery import GALLERY
from patterns.consensus_raft.lesson.milestones import MILESTONES
from patterns.consensus_raft.prevote import PRE_VOTE_RULES, PreVoteServer
from patterns.consensus_raft.properties import split_vote
from patterns.engine.history import History, ReplayError
from patterns.engine.machine import NotEnabled
from patterns.engine.world import Crash, Cut, Deliver, Drop, Request, Restart


def narration(history: History[Any, Any]) -> str:
    """The current branch in words: each event, what happened, and why."""
    lines = []
    for step in history.branch[1:]:
        assert step.parent is not None
        here = " <- here" if step is history.step else ""
        lines.append(f"{step.depth}. {history.machine.describe(step.parent.state, step.event)}{here}")
        for note in step.notes:
            source = history.machine.rules[note.rule].source
            lines.append(f"   {history.machine.say(note)} [{note.rule}; {source}]")
    return "\n".join(lines) + "\n"


# The gallery


@pytest.mark.parametrize("name", GALLERY)
def test_each_run_of_the_gallery_tells_its_story(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"raft_{name.replace(' ', '_').lower()}", narration(GALLERY[name]()))


@pytest.mark.parametrize("name", GALLERY)
def test_each_run_of_the_gallery_is_the_same_every_time_and_can_be_replayed(name: str) -> None:
    history = GALLERY[name]()
    assert len(history.state.processes) <= 5
    assert history.step is not history.branch[-1], "there is something left to see"
    assert [step.event for step in history.branch] == [step.event for step in GALLERY[name]().branch]
    again = History.replay(history.machine, history.code)
    assert again.state == history.state
    assert again.branch[-1].state == history.branch[-1].state


def test_the_split_vote_of_the_gallery_is_split() -> None:
    """5.2: three candidates share five votes."""
    assert split_vote(GALLERY["split vote"]().state) == 1


def test_a_vote_is_not_split_as_long_as_somebody_can_win() -> None:
    run = Director(RaftCluster())
    run.times_out("S1")
    run.times_out("S2")
    assert split_vote(run.world) is None, "three votes are free"
    run.stand("S1", "S3", "S4", "S5")
    assert split_vote(run.world) is None, "S1 has won"


def test_figure_8_has_both_endings_as_branches() -> None:
    history = GALLERY["Figure 8"]()
    assert len(history.children(history.step)) == 2
    assert len(history.leaves) == 2


# Milestones


def test_a_run_gets_to_its_milestones() -> None:
    history: History[Any, Any] = History(RaftCluster())
    milestones = MILESTONES
    assert history.run_until(milestones["a leader is elected"], 100)
    assert history.run_until(milestones["an entry is committed"], 100)
    assert history.run_until(milestones["all servers know what is committed"], 100)
    assert {server.commit_index for server in history.state.processes} == {1}
    leader = next(server.id for server in history.state.processes if server.role == "leader")
    history.apply(Request("A", leader, Put(1, "x", 7)))
    assert history.run_until(milestones["a client gets its answer"], 100)
    call = history.state.call("A")
    assert call is not None
    assert is_done(call)


@pytest.mark.parametrize(
    ("name", "milestone"),
    [
        ("split vote", "the votes are split"),
        ("old leader returns", "a leader steps down"),
        ("log repair", "a log is repaired"),
    ],
)
def test_a_milestone_is_met_in_the_run_that_is_about_it(name: str, milestone: str) -> None:
    history = GALLERY[name]()
    reached = [step for step in history.branch if MILESTONES[milestone](step)]
    assert reached


# Clients


def test_a_client_asks_one_thing_until_it_is_done_and_then_the_next() -> None:
    """Section 8: it retries with the same serial number."""
    cluster = RaftCluster(servers=3, clients=1)
    run = Director(cluster)
    offered = {str(request.body) for request in cluster.requests(run.world)}
    assert offered == {"x = 10", "x + 1", "read x"}
    run.asks("A", "S1", Put(1, "x", 10))
    call = run.world.call("A")
    assert call is not None
    assert call.reply == NotLeader(1, None)
    assert {request.body for request in cluster.requests(run.world)} == {Put(1, "x", 10)}
    run.stand("S1", "S2")
    run.asks("A", "S1", Put(1, "x", 10))
    run.settle()
    assert {request.body.serial for request in cluster.requests(run.world)} == {2}


# Bad input: a clear error, nothing changed


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"servers": 0}, "servers is 0; allowed is 1 to 9"),
        (
            {"election_timeout": (300, 150)},
            r"election_timeout is \(300, 150\); allowed is a shortest and a longest time",
        ),
        ({"election_timeout": (1.5, 2)}, r"election_timeout\[0\] is 1.5"),
        ({"election_timeout": (5,)}, r"election_timeout is \(5,\)"),
        ({"heartbeat_interval": 2.5}, "heartbeat_interval is 2.5"),
        ({"term": -1}, "term is -1"),
        ({"term": float("nan")}, "term is nan"),
        ({"logs": {"S1": (1.5,)}}, r"logs\['S1'\]\[0\] is 1.5"),
        ({"logs": {"S9": (1,)}}, r"logs\['S9'\] is .*for each of S1, S2, S3, S4, S5 terms that never fall"),
        ({"logs": {"S1": (2, 1)}}, r"logs\['S1'\] is .*terms that never fall"),
    ],
)
def test_invalid_parameters_of_a_cluster_are_refused(params: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        RaftCluster(**params)


@pytest.mark.parametrize(
    ("event", "error", "says"),
    [
        (Crash("S9"), ValueError, "there is no process 'S9'; the processes are S1, S2, S3, S4, S5"),
        (Cut(("S1", "S2"), ("S2",)), ValueError, "names one process twice"),
        (Restart("S1"), NotEnabled, "S1 is up"),
        (Deliver(99), NotEnabled, "message 99 is not on its way"),
        (Request("A", "S9", Get(1, "x")), ValueError, "there is no process 'S9'"),
    ],
)
def test_an_event_that_cannot_be_is_refused_and_changes_nothing(event: Any, error: Any, says: str) -> None:
    history: History[Any, Any] = History(RaftCluster())
    history.advance()
    steps, here = list(history.steps), history.step
    with pytest.raises(error, match=says):
        history.apply(event)
    assert (history.steps, history.step) == (steps, here)


def test_a_damaged_replay_code_is_refused() -> None:
    code = GALLERY["split vote"]().code
    with pytest.raises(ReplayError, match="damaged"):
        History.replay(RaftCluster(), code.replace(":", ":x", 1))


def test_a_directed_message_that_is_not_there_is_named() -> None:
    run = Director(RaftCluster())
    with pytest.raises(ValueError, match="there is no message from S1 to S2 on its way"):
        run.deliver("S1", "S2")


def test_parameters_rebuild_the_cluster() -> None:
    cluster = cluster_of(VoteNotDurable)(servers=3, seed=7, logs={"S1": (1, 2)}, election_timeout=(10, 20), term=5)
    again = cluster.again()
    assert again.params == cluster.params
    assert again.start() == cluster.start()
    assert {server.current_term for server in again.start().processes} == {5}


# Small values


def test_a_table_is_a_value() -> None:
    empty: Table[int] = Table()
    both = empty.put("b", 2).put("a", 1)
    assert both == empty.put("a", 1).put("b", 2)
    assert (both["a"], both.get("c"), both.values(), len(both)) == (1, None, (1, 2), 2)
    assert both.put("a", 3)["a"] == 3
    assert both["a"] == 1
    with pytest.raises(KeyError):
        both["c"]


# Pre-vote (thesis 9.6)


def returning(cluster: RaftCluster) -> Director:
    """S5 is cut off, times out three times, and is back."""
    run = Director(cluster)
    run.times_out("S1")
    run.settle()
    run.beats("S1")
    run.settle()
    run.cut_off("S5")
    for _ in range(3):
        run.times_out("S5")
        run.lose("S5")
    run.heal()
    return run


def test_a_server_that_was_cut_off_deposes_the_leader_when_it_comes_back() -> None:
    """Thesis 9.6: its higher term makes the leader step down, though all others hear it."""
    run = returning(RaftCluster())
    assert run.server("S5").current_term == 4
    run.times_out("S5")
    run.settle()
    assert run.server("S1").current_term == 5


def test_with_pre_vote_it_raises_no_term_and_deposes_nobody() -> None:
    """Thesis 9.6: it must first know that it could win."""
    run = returning(cluster_of(PreVoteServer)())
    assert run.server("S5").current_term == 1
    run.times_out("S5")
    run.settle()
    assert {server.current_term for server in run.world.processes} == {1}
    assert run.server("S1").role == "leader"
    assert "PV.2.heard" in {note.rule for step in run.history.path for note in step.notes}


def test_with_pre_vote_a_cluster_without_a_leader_elects_one() -> None:
    run = Director(cluster_of(PreVoteServer)(servers=3))
    run.times_out("S1")
    assert (run.server("S1").role, run.server("S1").current_term) == ("follower", 0)
    run.settle()
    assert (run.server("S1").role, run.server("S1").current_term) == ("leader", 1)


def test_with_pre_vote_a_log_that_is_behind_gets_no_yes() -> None:
    """5.4.1 holds for the question as for the vote."""
    run = Director(cluster_of(PreVoteServer)(servers=3, logs={"S2": (1,), "S3": (1,)}))
    run.times_out("S1")
    run.settle()
    assert run.server("S1").role == "follower"
    assert "PV.2.no" in {note.rule for step in run.history.path for note in step.notes}


def test_every_pre_vote_rule_fires() -> None:
    fired: set[str] = set()
    for seed in range(3):
        history: History[Any, Any] = History(cluster_of(PreVoteServer)(seed=seed, servers=3))
        for step in range(200):
            history.advance()
            if step == 100:
                leader = next(server.id for server in history.state.processes if server.role == "leader")
                history.apply(Crash(leader))
        fired |= {note.rule for step in history.steps for note in step.notes}
        for step in history.steps:
            assert all("{" not in history.machine.say(note) for note in step.notes)
    run = Director(cluster_of(PreVoteServer)(servers=3, logs={"S2": (1,), "S3": (1,)}))
    run.times_out("S1")
    run.settle()
    run.times_out("S2")
    run.settle()
    run.times_out("S3")
    run.settle()
    fired |= {note.rule for step in run.history.steps for note in step.notes}
    assert set(PRE_VOTE_RULES) - fired == set()


def test_a_lost_message_is_only_lost() -> None:
    run = Director(RaftCluster(servers=3))
    run.times_out("S1")
    packet = run.on_their_way("S1", "S2")[0]
    run.history.apply(Drop(packet.id))
    assert run.on_their_way("S1", "S2") == []
    run.deliver("S1", "S3")
    run.deliver("S3", "S1")
    assert run.server("S1").role == "leader"
