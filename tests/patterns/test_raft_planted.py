"""Planted bugs of Raft: the runs that show them are short.

That each is found, and nothing without it, and what breaks, is in tests/test_chapters.py.

| bug                          | found in every run of a small cluster                       | random worlds |
|------------------------------|-------------------------------------------------------------|---------------|
| half is a majority           | 3 servers, elections of 1 term                              | yes           |
| votes for any log            | S1 leads term 1, S3 stands in term 2                        | yes           |
| the longer log wins          | logs 1 1 1 and 3, S2 leads term 4, S1 stands in term 5      | no            |
| counts votes, not voters     | 5 servers, elections of 1 term, 2 candidates, 1 duplicate   | yes           |
| a heartbeat clears the vote  | S1 has one entry more, 1 term                               | no            |
| the vote is not durable      | 3 servers, elections of 1 term, 1 crash                     | yes           |
| the log is not durable       | S1 leads term 1, S3 stands in term 2, 1 crash               | yes           |
| ignores the term before ...  | logs 1 1 and 2, S2 leads term 3, one entry per message      | yes           |
| always truncates the log     | 2 servers, S1 leads term 1, a put with retries              | yes           |
| commits entries of old terms | logs 2 and 3, S1 leads term 4, S3 term 5, one entry each    | no            |
| commits beyond the new ...   | logs 1 2 and 1 1, S1 leads term 3, one entry per message    | no            |
| ignores heartbeats           | 3 servers, 1 term                                           | yes           |
| reads without asking         | a search finds it, but the one without it has no near end   | yes           |
| executes retries             | 2 servers, S1 leads term 1, two adds with retries           | yes           |

"no" is: not within 300 seeds of 300 rough steps. Old terms are caught in Figure 8 too (test_raft_figures.py).
"""

from __future__ import annotations

import pytest

from patterns.consensus_raft import ALWAYS, Done, Put, RaftCluster
from patterns.consensus_raft.histories import is_linearizable, linearizable
from patterns.consensus_raft.lesson.broken import BUGS, ReadsWithoutAsking, VoteNotDurable
from patterns.consensus_raft.lesson.gallery import replicate
from patterns.consensus_raft.lesson.small import SmallCluster
from patterns.consensus_raft.messages import RequestVote, RequestVoteReply
from patterns.engine.planted import Search, planted, with_parts
from patterns.engine.script import Script


def test_every_shortest_run_that_shows_a_bug_has_at_most_11_steps() -> None:
    lengths = {
        name: len(found.history.branch) - 1
        for name, bug in BUGS.items()
        if isinstance(bug.search, Search) and (found := bug.found().counterexample)
    }
    assert len(lengths) == len(BUGS) - 1
    assert max(lengths.values()) == 11, lengths


def test_a_search_finds_a_stale_read_in_ten_steps() -> None:
    """Section 8: without ReadIndex. What the clients saw could not have come from one server."""
    small = SmallCluster(elections={"S1": (1,), "S2": (2,)}, scripts={"A": ("put",), "B": ("get",)})
    found = Search(planted(small, server=ReadsWithoutAsking), (linearizable,)).run()
    assert found.counterexample is not None
    history = found.counterexample.history
    assert len(history.branch) - 1 == 10
    verdict = is_linearizable(history.path)
    assert not verdict
    assert "cannot be placed" in str(verdict)


def test_a_search_delivers_messages_in_order_though_some_can_change_nothing() -> None:
    """With links that keep the order, a message that can change nothing still goes first."""
    found = Search(SmallCluster(replicate=False, elections={"S1": (1, 2)}, fifo=True), ALWAYS).run()
    assert found.holds, str(found)


def test_every_planted_bug_is_a_server_with_one_method_overridden() -> None:
    for bug in BUGS.values():
        own = [name for name, value in vars(bug.changes["server"]).items() if callable(value) and name[:2] != "__"]
        assert len(own) == 1, (bug, own)


def test_bad_bounds_of_a_search_are_refused() -> None:
    with pytest.raises(ValueError, match=r"elections\['S9'\] is .*S1, S2, S3"):
        SmallCluster(elections={"S9": (1,)})
    with pytest.raises(ValueError, match=r"scripts\['A'\]\[0\] is 'eat'"):
        SmallCluster(scripts={"A": ["eat"]})


def test_two_leaders_of_one_term_can_both_acknowledge_a_command() -> None:
    """What follows from the broken Election Safety, after the one crash: A is told 10 and B is told 11."""
    run = Script(with_parts(RaftCluster, server=VoteNotDurable)(servers=3))
    run.fire("S1", "election").fire("S2", "election")
    run.deliver(RequestVote, "S1", "S3").deliver(RequestVoteReply, "S3", "S1").crash("S3").restart("S3")
    run.deliver(RequestVote, "S2", "S3").deliver(RequestVoteReply, "S3", "S2")
    run.ask("A", Put(1, "x", 10), "S1").ask("B", Put(1, "x", 11), "S2")
    replicate(run, "S1", "S3")
    replicate(run, "S2", "S3")
    assert [run.world[name].commit_index for name in ("S1", "S2")] == [2, 2]
    assert [call.reply for call in run.world.calls] == [Done(1, 10), Done(1, 11)]
    assert [run.world[name].state_machine.store.get("x") for name in ("S1", "S2")] == [10, 11]
