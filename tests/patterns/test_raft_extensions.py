"""Raft's extensions beside the core: pre-vote (Ongaro's thesis 9.6) and step-down (6.2), alone and together."""

from __future__ import annotations

import pytest

from patterns.consensus_raft import Get, Put, RaftCluster, Server
from patterns.consensus_raft.lesson.gallery import elected
from patterns.consensus_raft.messages import AppendEntries
from patterns.consensus_raft.prevote import PreVoteServer, RequestPreVote
from patterns.consensus_raft.stepdown import PreVoteStepDownServer, StepDownServer
from patterns.engine.milestones import fired
from patterns.engine.planted import with_parts
from patterns.engine.script import Script

# Pre-vote (thesis 9.6)


def returning(cluster: RaftCluster) -> Script:
    """S5 is cut off, times out three times, and is back."""
    run = Script(cluster)
    run.fire("S1", "election")
    run.settle()
    run.fire("S1", "heartbeat")
    run.settle()
    run.cut_off("S5")
    for _ in range(3):
        run.fire("S5", "election")
        run.lose(sender="S5")
    run.heal()
    return run


def test_a_server_that_was_cut_off_deposes_the_leader_when_it_comes_back() -> None:
    """Thesis 9.6: its higher term makes the leader step down, though all others hear it."""
    run = returning(RaftCluster())
    assert run.world["S5"].current_term == 4
    run.fire("S5", "election")
    run.settle()
    assert run.world["S1"].current_term == 5


def test_with_pre_vote_it_raises_no_term_and_deposes_nobody() -> None:
    """Thesis 9.6: it must first know that it could win."""
    run = returning(with_parts(RaftCluster, server=PreVoteServer)())
    assert run.world["S5"].current_term == 1
    run.fire("S5", "election")
    run.settle()
    assert {server.current_term for server in run.world.processes} == {1}
    assert run.world["S1"].role == "leader"
    refusals = {note.values["who"]: note for step in run.history.path for note in step.notes if "PV.2." in note.rule}
    assert {who: note.rule for who, note in refusals.items()} == {"S1": "PV.2.leads"} | dict.fromkeys(
        ("S2", "S3", "S4"), "PV.2.heard"
    )


def test_a_server_that_heard_from_the_candidate_as_leader_says_so_without_its_name() -> None:
    server = PreVoteServer(id="S1", peers=("S2", "S3"), current_term=1).after_start()[0]
    heard = server.after_message("S2", AppendEntries(1, "S2", 0, 0, (), 0))[0]
    [note] = heard.after_message("S2", RequestPreVote(1, 2, "S2", 0, 0))[1].notes
    assert (note.rule, note.values["candidate"], note.values["leader"]) == ("PV.2.heard", "S2", None)


def test_with_pre_vote_a_cluster_without_a_leader_elects_one() -> None:
    run = Script(with_parts(RaftCluster, server=PreVoteServer)(servers=3))
    run.fire("S1", "election")
    assert (run.world["S1"].role, run.world["S1"].current_term) == ("follower", 0)
    run.settle()
    assert (run.world["S1"].role, run.world["S1"].current_term) == ("leader", 1)


def test_with_pre_vote_a_log_that_is_behind_gets_no_yes() -> None:
    """5.4.1 holds for the question as for the vote."""
    run = Script(with_parts(RaftCluster, server=PreVoteServer)(servers=3, logs={"S2": (1,), "S3": (1,)}))
    run.fire("S1", "election")
    run.settle()
    assert run.world["S1"].role == "follower"
    assert "PV.2.no" in {note.rule for step in run.history.path for note in step.notes}


# Step-down (thesis 6.2)

LONG = 20_000
"""Simulated ms: more than a hundred election timeouts."""


def led(server: type[Server], seed: int = 0) -> tuple[Script, str]:
    """A cluster with a leader that all servers follow, and the leader's name."""
    run = Script(with_parts(RaftCluster, server=server)(seed=seed)).until(fired("C.2")).settle().advance(30)
    return run, next(server.id for server in run.world.processes if server.role == "leader")


def leader_of_a_later_term(run: Script, after: int, within: int = LONG) -> bool:
    """Whether a server wins a later term within so many ms."""
    end = run.world.clock + within
    while run.world.clock < end:
        run.advance()
        if any(server.role == "leader" and server.current_term > after for server in run.world.up):
            return True
    return False


def behind_a_bridge(server: type[Server], seed: int) -> bool:
    """One server is down, and the old leader is linked to one server only, the bridge.

    The bridge and the other two are a majority. Says whether they elect a leader.
    """
    run, leader = led(server, seed)
    away, _bridge, *others = (name for name in run.world.names if name != leader)
    term = run.world[leader].current_term
    run.crash(away).cut(leader, tuple(others))
    return leader_of_a_later_term(run, term)


@pytest.mark.parametrize("seed", range(8))
def test_behind_a_bridge_pre_vote_elects_a_leader_only_together_with_step_down(seed: int) -> None:
    """With pre-vote alone the bridge hears the old leader and refuses every pre-vote."""
    assert behind_a_bridge(Server, seed)
    assert not behind_a_bridge(PreVoteServer, seed)
    assert behind_a_bridge(PreVoteStepDownServer, seed)


def heard_but_deaf(server: type[Server], seed: int = 0) -> tuple[Script, str]:
    """All links to the leader are cut, those from it are not."""
    run, leader = led(server, seed)
    return run.cut(tuple(name for name in run.world.names if name != leader), leader, one_way=True), leader


@pytest.mark.parametrize("server", [Server, PreVoteServer])
def test_a_leader_that_is_heard_and_hears_nobody_leads_for_ever(server: type[Server]) -> None:
    """Figure 2 has no rule against it."""
    run, leader = heard_but_deaf(server)
    run.ask("A", Put(1, "x", 1), leader)
    assert not leader_of_a_later_term(run, run.world[leader].current_term)
    assert run.world[leader].role == "leader"
    assert run.world[leader].commit_index < run.world[leader].last_log_index


@pytest.mark.parametrize("server", [StepDownServer, PreVoteStepDownServer])
@pytest.mark.parametrize("seed", range(4))
def test_with_step_down_a_leader_that_hears_nobody_steps_down(server: type[Server], seed: int) -> None:
    """Thesis 6.2: when an election timeout passes without answers of a majority. It needs at most two."""
    run, leader = heard_but_deaf(server, seed)
    term, cut = run.world[leader].current_term, run.world.clock
    run.until(fired("SD.2", who=leader, term=term, heard=()))
    assert run.world.clock - cut <= 2 * 150
    assert (run.world[leader].role, run.world[leader].leader_id) == ("follower", None)
    assert leader_of_a_later_term(run, term)


def test_with_step_down_the_term_of_a_leader_that_hears_nobody_does_not_rise_with_pre_vote() -> None:
    """With step-down alone it stands for election again and again, and disturbs the new leader."""
    terms = {}
    for server in (StepDownServer, PreVoteStepDownServer):
        run, _ = heard_but_deaf(server)
        run.wait(LONG)
        terms[server] = max(each.current_term for each in run.world.processes)
    assert terms[PreVoteStepDownServer] == 2
    assert terms[StepDownServer] > 20


def test_with_step_down_a_leader_that_hears_a_majority_leads_on() -> None:
    """Two followers of four are down."""
    run, leader = led(PreVoteStepDownServer)
    run.crash(*[name for name in run.world.names if name != leader][:2])
    term = run.world[leader].current_term
    assert not leader_of_a_later_term(run, term, within=5_000)
    run.ask("A", Put(1, "x", 1), leader).until(fired("CL.done"))


def test_with_step_down_a_read_that_waits_is_answered_after_a_check() -> None:
    """A check forgets the answers so far; the next heartbeats bring new ones."""
    run = elected(with_parts(RaftCluster, server=StepDownServer)())
    run.ask("A", Get(1, "x"), "S1").deliver(to="S2").deliver(sender="S2", to="S1")
    run.lose().fire("S1", "check").until(fired("RI.2"))
    assert run.world["S1"].role == "leader"


def test_a_leader_that_steps_down_sends_its_waiting_clients_to_another_server() -> None:
    """Thesis 6.2: so that clients can retry with another server."""
    run, leader = heard_but_deaf(StepDownServer)
    run.ask("A", Get(1, "x"), leader).until(fired("SD.2"))
    assert "CL.redirect" in {note.rule for note in run.step.notes}
