"""A fault is told in every chapter: what was lost with a memory, what a disk keeps, which messages pass no more."""

from __future__ import annotations

from typing import Any

from patterns.consensus_raft import RaftCluster
from patterns.consensus_raft.messages import RequestVote
from patterns.engine.history import History
from patterns.engine.milestones import fired
from patterns.engine.script import Script
from patterns.leader_election import BullyElection
from patterns.saga import SagaMachine
from patterns.two_phase_commit import TwoPhaseCommit
from patterns.two_phase_commit.messages import Prepare
from widgets.declared import view_of
from widgets.frames import Frames
from widgets.kit import ProcessView


def said(history: History[Any, Any]) -> str:
    """What the page says of the step."""
    frames = Frames(history.machine, view_of(history.machine), (), {})
    for step in history.steps[:-1]:
        frames.of(step)
    return " ".join(sentence for sentence, _, _ in frames.of(history.steps[-1])["say"])


def test_a_crash_tells_the_lost_memory_the_kept_disk_and_the_messages_on_the_way() -> None:
    run = Script(TwoPhaseCommit()).ask("A").until(fired("C.commit")).crash("C")
    words = said(run.history)
    assert "T1 committing" in words.partition("disk")[0], "lost with the memory"
    assert "committed T1" in words.partition("disk")[2], "kept on the disk"
    assert f"{len(run.world.packets)} messages of C" in words


def test_a_field_that_a_crash_does_not_change_is_not_lost() -> None:
    run = Script(RaftCluster()).crash("S1")
    assert "role" not in said(run.history), "a follower before, a follower after"


def test_a_process_without_a_disk_keeps_nothing() -> None:
    run = Script(BullyElection()).crash("P1")
    assert "nothing on a disk" in said(run.history)


def test_a_restart_tells_what_the_disk_kept_unless_the_process_notes_more_itself() -> None:
    run = Script(TwoPhaseCommit()).crash("C").restart("C")
    assert "log empty" in said(run.history)
    run = Script(RaftCluster()).crash("S1").restart("S1")
    assert said(run.history) == run.history.machine.say(run.step.notes[0])


def test_a_lost_message_says_whether_a_fault_or_a_crashed_receiver_lost_it() -> None:
    run = Script(TwoPhaseCommit()).ask("A").lose(Prepare, to="P1")
    assert "The network loses" in said(run.history)
    run = Script(RaftCluster()).fire("S1", "election").crash("S2").lose(RequestVote, to="S2")
    assert "S2 is down" in said(run.history)


def test_a_cut_counts_the_messages_that_it_catches() -> None:
    run = Script(RaftCluster()).fire("S1", "election").cut_off("S1", "S2")
    assert "S3, S4 and S5" in said(run.history)
    assert "3 messages on the way" in said(run.history)
    assert "still pass" in said(Script(RaftCluster()).cut("S1", "S2", one_way=True).history)


def test_every_other_fault_says_what_it_means() -> None:
    run = Script(SagaMachine()).ask("A")
    for fault in (run.pause("stock"), run.resume("stock"), run.cut_off("stock"), run.heal()):
        assert said(fault.history)
    run = Script(TwoPhaseCommit()).ask("A")
    assert "twice" in said(run.duplicate(Prepare, to="P1").history)
    assert "late" in said(run.delay(100, Prepare, to="P2").history)


def test_a_step_in_which_a_process_acts_has_the_words_of_its_rules_alone() -> None:
    run = Script(TwoPhaseCommit()).ask("A")
    assert run.step.notes
    assert ProcessView.told_of(run.step) == ()
