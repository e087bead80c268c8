"""A run that does not get where it was told to says what a learner has to do first."""

from __future__ import annotations

from typing import Any

from patterns.consensus_raft import RaftCluster
from patterns.consensus_raft.lesson.milestones import MILESTONES as RAFT
from patterns.engine.history import History
from patterns.engine.milestones import fired
from patterns.engine.script import Script
from patterns.engine.world import Crash
from patterns.two_phase_commit import TwoPhaseCommit
from widgets.declared import milestones_of
from widgets.until import missing_in, run_until

ANSWERED = RAFT["a client gets its answer"]


def leads(history: History[Any, Any]) -> str:
    return next(server.id for server in history.state.processes if server.role == "leader")


def test_a_run_ends_where_it_was_to_get() -> None:
    run = Script(RaftCluster()).until(fired("C.2"))
    run.ask("A", to=leads(run.history))
    assert run_until(run.history, ANSWERED, 400) == ""
    assert ANSWERED(run.step)


def test_a_run_ends_once_only_heartbeats_can_come_and_asks_for_a_request() -> None:
    run = Script(RaftCluster()).until(fired("C.2"))
    elected = run.step.depth
    why = run_until(run.history, ANSWERED, 400)
    assert "let one ask" in why
    assert run.step.depth - elected < 60, "three rounds of heartbeats, not 400 steps"


def test_a_leader_that_hears_no_majority_says_which_servers_are_down() -> None:
    run = Script(RaftCluster(servers=3)).until(fired("C.2"))
    leader = leads(run.history)
    others = [name for name in run.world.names if name != leader]
    run.crash(others[0]).crash(others[1]).ask("A", to=leader)
    assert f"{others[0]} and {others[1]} are down: restart them first" in run_until(run.history, ANSWERED, 400)


def test_participants_in_doubt_wait_for_their_coordinator() -> None:
    run = Script(TwoPhaseCommit()).ask("A").until(fired("P.yes"))
    run.crash("C")
    assert "C is down: restart it first" in run_until(
        run.history, milestones_of(run.history.machine)["the coordinator has decided"], 400
    )


def test_a_cut_and_a_pause_are_named_too() -> None:
    run = Script(RaftCluster(servers=3)).cut_off("S1").pause("S2")
    assert [*missing_in(run.history.machine, run.world)] == [
        "S2 is paused: resume it first",
        "Links are cut: heal them first",
    ]


def test_a_client_that_was_sent_to_the_leader_asks_there() -> None:
    """Raft, section 8: a server that is not the leader names the leader."""
    run = Script(RaftCluster()).until(RAFT["all servers know what is committed"])
    leader = leads(run.history)
    other = next(name for name in run.world.names if name != leader)
    run.ask("A", to=other).advance()
    assert (run.step.event.client, run.step.event.to) == ("A", leader)
    run.history.apply(Crash(leader))
    assert run.history.machine.usual(run.world) is not None, "what is due goes on while the leader is down"
