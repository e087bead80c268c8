"""What the chapter's questions say of its runs is what happens in them."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from patterns.consensus_raft import Put, RaftCluster
from patterns.consensus_raft.histories import is_linearizable
from patterns.consensus_raft.lesson.broken import BUGS
from patterns.consensus_raft.lesson.gallery import (
    figure_8,
    minority_partition,
    old_leader_returns,
    unanswered_request,
)
from patterns.consensus_raft.lesson.snapshots import server_was_away
from patterns.engine.history import History
from patterns.engine.milestones import fired
from patterns.engine.step import Step
from patterns.engine.world import Crash, Request
from widgets.chapters.consensus_raft import questions as ask
from widgets.question import Question, locked_steps

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "05_consensus_raft.ipynb"
CELLS = {cell["id"]: "".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]}


@pytest.fixture(scope="module")
def story() -> History[Any, Any]:
    """The guided run, as the notebook's own cells make it."""
    scope: dict[str, Any] = {"display": lambda shown: None}  # a notebook has it
    exec(CELLS["imports"] + "\n" + CELLS["story"], scope)
    history: History[Any, Any] = scope["story"].history
    return history


def rules(step: Step[Any, Any]) -> list[str]:
    return [note.rule for note in step.notes]


def locked(run: History[Any, Any], *questions: Question) -> list[Step[Any, Any]]:
    """The steps that the questions lock, in turn."""
    return [run.steps[number] for number in locked_steps(run, questions)]


def test_the_guided_run_has_nine_steps_and_its_questions_stand_where_the_notebook_locks_them(
    story: History[Any, Any],
) -> None:
    assert len(story.steps) == 10
    assert "[ask.REFUSED, ask.MAJORITY, ask.COMMIT]" in CELLS["story"]
    assert [step.depth for step in locked(story, ask.REFUSED, ask.MAJORITY, ask.COMMIT)] == [3, 5, 8]


def test_s1_refuses_s3_because_it_voted_for_itself_when_it_stood(story: History[Any, Any]) -> None:
    assert [rules(story.steps[at]) for at in (1, 2)] == [["F.2"], ["F.2"]]
    [note] = locked(story, ask.REFUSED)[0].notes
    assert (note.rule, note.values["voted_for"]) == ("RV.2.voted", "S1")
    assert (note.values["who"], note.values["candidate"], note.values["term"]) == ("S1", "S3", 1)


def test_two_yeses_make_s3_leader_while_s1s_no_is_on_its_way_and_s1_can_no_longer_win(
    story: History[Any, Any],
) -> None:
    [step] = locked(story, ask.MAJORITY)
    assert "C.2" in rules(step)
    before = step.parent.state if step.parent else None
    assert before is not None
    assert any(p.sender == "S1" and p.to == "S3" and not getattr(p.body, "vote_granted", True) for p in before.packets)
    assert [server.voted_for for server in step.state.processes] == ["S1", "S3", "S3"]


def test_x_is_committed_and_answered_when_s2_has_both_entries_and_s1_has_none(story: History[Any, Any]) -> None:
    world = locked(story, ask.COMMIT)[0].state
    assert [len(server.log) for server in world.processes] == [0, 2, 2]
    assert [server.commit_index for server in world.processes] == [0, 0, 2]  # S2 does not know yet
    assert world["S3"].holders(2) == ("S2", "S3")
    assert world.call("A").reply.value == 10
    assert story.steps[6].event == Request("A", "S3", Put(1, "x", 10))


def test_at_the_end_s1_has_followed_and_does_not_know_what_is_committed(story: History[Any, Any]) -> None:
    last = story.steps[9]
    assert {"C.3", "AE.4"} <= set(rules(last))
    assert (len(last.state["S1"].log), last.state["S1"].commit_index) == (2, 0)


def test_any_two_majorities_of_three_or_five_share_a_server() -> None:
    for n in (3, 5):
        majorities = [set(some) for some in combinations(range(n), n // 2 + 1)]
        assert all(one & other for one in majorities for other in majorities)


def test_of_the_two_sides_of_the_cable_the_three_commit_and_the_two_do_not() -> None:
    run = minority_partition()
    cut = run.step
    assert {link for link in cut.state.cuts if link[0] in ("S1", "S2")} == {
        (a, b) for a in ("S1", "S2") for b in ("S3", "S4", "S5")
    }
    healed = next(step for step in run.branch[cut.depth + 1 :] if not step.state.cuts)
    commits = [n.values["who"] for s in run.branch[cut.depth : healed.depth] for n in s.notes if n.rule == "L.4"]
    assert set(commits) == {"S3"}
    stays = run.branch[healed.depth - 1].state
    assert stays["S1"].role == "leader", "it does not notice"
    assert stays["S1"].commit_index == 1
    assert len(stays["S1"].log) == 2


def test_in_figure_8_a_majority_has_the_entry_of_term_2_and_s5_overwrites_it() -> None:
    run = figure_8()
    c = run.step
    assert [server.id for server in c.state.processes if server.log[1:2] and server.log[1].term == 2] == [
        "S1",
        "S2",
        "S3",
    ]
    assert (c.state["S1"].role, c.state["S1"].current_term) == ("leader", 4)
    assert c.state["S5"].last_log_term == 3
    [asked] = locked(run, ask.FIGURE_8)
    assert any(step.event == Crash("S1") for step in run.branch[c.depth : asked.depth])
    assert asked.parent is not None
    assert rules(asked.parent) == ["C.4"], "S5 stands"
    assert "RV.2" in rules(asked), "S2 votes for it"
    assert [run.branch[-1].state[name].term_at(2) for name in ("S2", "S3", "S4", "S5")] == [3, 3, 3, 3]


def test_the_other_branch_of_figure_8_commits_the_old_entry_along_with_one_of_its_own_term() -> None:
    run = figure_8()
    other = run.leaves[-1]
    notes = [note for step in other.path for note in step.notes if note.rule == "L.4"]
    assert [(note.values["index"], note.values["term"]) for note in notes] == [(3, 4)]
    assert not any(server.role == "leader" for server in other.state.up)


def test_a_vote_in_memory_makes_two_leaders_of_one_term_before_anything_else_breaks() -> None:
    bug = BUGS["the vote is not durable"]
    found = bug.found().counterexample
    assert found is not None
    assert found.property.name.startswith("Election Safety")
    assert [type(step.event) for step in found.history.path[1:]].count(Crash) == 1
    assert bug.clean().complete


def test_the_old_leader_is_never_answered_for_and_its_entry_is_overwritten() -> None:
    run = old_leader_returns()
    asked = next(step for step in run.branch if isinstance(step.event, Request) and step.event.client == "B")
    assert asked.state["S1"].role == "leader"
    index = len(asked.state["S1"].log)
    assert asked.state["S1"].log[index - 1].command.client == "B"
    end = run.branch[-1].state
    assert end.call("B").waits or end.call("B").reply.leader
    assert end["S1"].log[index - 1].term == 2
    assert not any(note.rule == "CL.done" and note.values["client"] == "B" for s in run.branch for note in s.notes)
    assert is_linearizable(run.branch)


def test_the_entry_of_a_leader_that_crashed_is_committed_by_one_next_leader_and_deleted_by_another() -> None:
    run = unanswered_request()
    crash = run.step
    assert crash.event == Crash("S1")
    has_it = [server.id for server in crash.state.processes if server.last_log_index == 2]
    assert has_it == ["S1", "S2"]
    assert crash.parent is not None
    assert crash.parent.state["S1"].commit_index == 1
    kept, lost = run.leaves
    assert kept is run.branch[-1], "the first branch is the one that keeps it"
    for leaf, leader, length, answered in ((kept, "S2", 3, True), (lost, "S3", 2, False)):
        assert crash in leaf.path
        assert [server.id for server in leaf.state.up if server.role == "leader"] == [leader]
        assert {(len(s.log), s.log[-1].term) for s in leaf.state.up} == {(length, 2)}
        assert any("CL.done" in rules(step) for step in leaf.path) == answered
        assert leaf.state[leader].commit_index == length
    assert any("AE.3" in rules(step) and step.notes[0].values["who"] == "S2" for step in lost.path)
    assert "gallery.unanswered_request()" in CELLS["last-outcome"]


def test_the_five_servers_elect_in_one_try_and_go_as_the_notebook_says() -> None:
    run = History(RaftCluster(seed=3))
    assert "RaftCluster(seed=3)" in CELLS["five"]
    assert run.run_until(fired("C.2"), 50)
    assert sum(rules(step) == ["F.2"] for step in run.path) == 1


def test_every_question_has_a_reason_for_each_answer_and_none_is_a_stub() -> None:
    for name in ("CUT", "REFUSED", "MAJORITY", "COMMIT", "FIGURE_8", "FORGETFUL", "UNANSWERED"):
        assert f"ask.{name}" in "\n".join(CELLS.values()), f"{name} is asked"
        for option in getattr(ask, name).options:
            assert len(option.because) > 30, option


def test_a_server_that_was_away_deletes_its_log_for_a_snapshot_that_goes_further() -> None:
    run = server_was_away()
    [step] = locked(run, ask.SNAPSHOT)
    before = step.parent.state if step.parent else None
    assert before is not None
    assert [(s.last_log_index, s.before_log.index) for s in before.processes] == [(5, 3), (5, 3), (1, 0)]
    s3 = step.state["S3"]
    assert (s3.log, s3.before_log.index, s3.last_applied) == ((), 3, 3)
    assert s3.state_machine.store["x"] == 2, "the no-op and two adds: no entry is executed once more"
    assert "ask=[ask.SNAPSHOT]" in CELLS["snapshot"]
