"""A Raft cluster as a machine: what it offers, bad input, the narration of the gallery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from patterns.consensus_raft import Get, NotLeader, Put, RaftCluster
from patterns.consensus_raft.lesson.gallery import GALLERY, figure_8, split_votes, stand
from patterns.consensus_raft.properties import split_vote
from patterns.engine.history import History
from patterns.engine.machine import NotEnabled
from patterns.engine.script import Script
from patterns.engine.world import Crash, Cut, Deliver, Request, Restart


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


@pytest.mark.parametrize("title", GALLERY)
def test_each_run_of_the_gallery_tells_its_story(title: str, golden: Callable[[str, str], None]) -> None:
    history = GALLERY[title]()
    assert len(history.state.processes) <= 5
    assert history.step is not history.branch[-1], "there is something left to see"
    golden(f"raft_{GALLERY[title].__name__}", narration(history))


def test_the_split_vote_of_the_gallery_is_split() -> None:
    """5.2: three candidates share five votes."""
    assert split_vote(split_votes().state) == 1


def test_a_vote_is_not_split_while_a_candidate_can_still_win() -> None:
    run = Script(RaftCluster())
    run.fire("S1", "election")
    run.fire("S2", "election")
    assert split_vote(run.world) is None, "three votes are free"
    stand(run, "S1", "S3", "S4", "S5")
    assert split_vote(run.world) is None, "S1 has won"


def test_figure_8_has_both_endings_as_branches() -> None:
    history = figure_8()
    assert len(history.children(history.step)) == 2
    assert len(history.leaves) == 2


# Clients


def test_a_client_asks_one_thing_until_it_is_done_and_then_the_next() -> None:
    """Section 8: it retries with the same serial number."""
    cluster = RaftCluster(servers=3, clients=1)
    run = Script(cluster)
    offered = {str(request.body) for request in cluster.requests(run.world)}
    assert offered == {"x = 10", "x + 1", "read x"}
    run.ask("A", Put(1, "x", 10), "S1")
    call = run.world.call("A")
    assert call is not None
    assert call.reply == NotLeader(1, None)
    assert {request.body for request in cluster.requests(run.world)} == {Put(1, "x", 10)}
    stand(run, "S1", "S2")
    run.ask("A", Put(1, "x", 10), "S1")
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
        (Request("A", "S1", Put(1, "x", "text")), ValueError, "Expected `int`, got `str`"),  # type: ignore[arg-type]
        (Request("A", "S1", Put(1, 5, 1)), ValueError, "Expected `str`, got `int`"),  # type: ignore[arg-type]
    ],
)
def test_an_event_that_cannot_be_is_refused_and_changes_nothing(event: Any, error: Any, says: str) -> None:
    history: History[Any, Any] = History(RaftCluster())
    history.advance()
    steps, here = list(history.steps), history.step
    with pytest.raises(error, match=says):
        history.apply(event)
    assert (history.steps, history.step) == (steps, here)


def test_a_lost_message_is_only_lost() -> None:
    run = Script(RaftCluster(servers=3))
    run.fire("S1", "election")
    run.lose(sender="S1", to="S2")
    run.deliver(sender="S1", to="S3")
    run.deliver(sender="S3", to="S1")
    assert run.world["S1"].role == "leader"
