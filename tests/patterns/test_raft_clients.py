"""Raft and its clients, sentence by sentence: section 8 of Ongaro and Ousterhout 2014, Ongaro's thesis 6.3 and 6.4."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.consensus_raft import (
    Add,
    AppendEntries,
    AppendEntriesReply,
    Command,
    Done,
    Entry,
    Get,
    NoOp,
    NotLeader,
    Put,
    RaftCluster,
    RequestVoteReply,
    Server,
)
from patterns.consensus_raft.histories import Store, is_linearizable, operations_of
from patterns.consensus_raft.lesson.gallery import stand
from patterns.engine.clients import Misused
from patterns.engine.linearizable import Operation, check
from patterns.engine.process import Effects
from patterns.engine.script import Script


def elected(*log: Entry) -> Server:
    """S1 of three, elected with S2's vote; its no-op is the last entry."""
    stands = Server(id="S1", peers=("S2", "S3"), log=log, current_term=1).after_timer("election")[0]
    return stands.after_message("S2", RequestVoteReply(2, True))[0]


def hears(server: Server, match_index: int, read_round: int = 0) -> tuple[Server, Effects]:
    """S2 answers the leader: with this it has a majority."""
    reply = AppendEntriesReply(server.current_term, True, match_index, 0, read_round)
    return server.after_message("S2", reply)


def rules(effects: Effects) -> list[str]:
    return [note.rule for note in effects.notes]


# Section 8: servers that take requests


@pytest.mark.parametrize("request_", [Put(1, "x", 1), Add(1, "x", 1), Get(1, "x")], ids=str)
def test_who_is_not_the_leader_says_who_is(request_: Any) -> None:
    """Section 8: it rejects the request and says which leader it has heard from."""
    follower = Server(id="S1", peers=("S2", "S3")).after_message("S3", AppendEntries(1, "S3", 0, 0, (), 0))[0]
    after, effects = follower.after_request("A", request_)
    assert after == follower
    assert effects.replies == [("A", NotLeader(1, "S3"))]
    assert effects.sends == []


def test_a_server_that_knows_no_leader_says_so() -> None:
    _, effects = Server(id="S1", peers=("S2", "S3")).after_request("A", Get(1, "x"))
    assert effects.replies == [("A", NotLeader(1, None))]


def test_a_leader_commits_a_no_op_at_the_start_of_its_term() -> None:
    """Section 8: so it knows which entries are committed."""
    old = Entry(1, Command("B", Put(1, "x", 1)))
    leader = elected(old)
    assert leader.log == (old, Entry(2, NoOp()))
    after, _ = hears(leader, 2)
    assert after.commit_index == 2
    assert after.state_machine.store["x"] == 1


# Section 8 and thesis 6.3: each request is executed once


def test_a_retried_request_in_the_log_twice_is_executed_once() -> None:
    """Section 8: the state machine tracks the latest serial number of each client, with the answer."""
    leader = elected()
    for _ in range(2):
        leader = leader.after_request("A", Add(1, "x", 5))[0]
    assert len(leader.log) == 3
    after, effects = hears(leader, 3)
    assert after.state_machine.store["x"] == 5
    assert rules(effects).count("CL.twice") == 1
    assert effects.replies == [("A", Done(1, 5))] * 2, "both attempts get the one answer"


def test_a_request_that_was_executed_is_answered_without_executing_it_again() -> None:
    """Section 8: it responds immediately without re-executing the request."""
    leader = hears(elected().after_request("A", Add(1, "x", 5))[0], 2)[0]
    after, effects = leader.after_request("A", Add(1, "x", 5))
    assert after == leader
    assert (rules(effects), effects.replies) == (["CL.session"], [("A", Done(1, 5))])


def test_a_retry_of_a_clients_last_request_but_one_is_not_executed() -> None:
    """Section 8: an entry whose serial number has already been executed changes nothing, however old it is."""
    leader = elected()
    for request in (Add(1, "x", 5), Add(2, "x", 10), Add(1, "x", 5)):
        leader = leader.after_request("A", request)[0]
    after, effects = hears(leader, 4)
    assert after.state_machine.store["x"] == 15
    assert rules(effects).count("CL.twice") == 1
    assert effects.replies == [("A", Done(1, 5)), ("A", Done(2, 15))]


def test_a_retry_of_a_clients_last_request_but_one_is_not_answered_with_the_last_value() -> None:
    """Thesis 6.3: a session holds the answer to the last request only."""
    leader = elected()
    for request in (Add(1, "x", 5), Add(2, "x", 10)):
        leader = leader.after_request("A", request)[0]
    _, effects = hears(leader, 3)[0].after_request("A", Add(1, "x", 5))
    assert effects.replies == []
    assert "CL.session" not in rules(effects)


def test_a_used_number_with_another_request_is_refused_executed_or_not() -> None:
    """Thesis 6.3: a serial number names one command. The answer to that command is no answer to another one."""
    leader = elected().after_request("A", Add(1, "x", 5))[0]
    for server in (leader, hears(leader, 2)[0], elected(Entry(1, Command("A", Add(1, "x", 5))))):
        for request in (Add(1, "x", 6), Put(1, "x", 5), Add(1, "y", 5)):
            after, effects = server.after_request("A", request)
            assert after == server
            assert (rules(effects), effects.replies) == (["CL.misused"], [("A", Misused(1))])
        assert server.after_request("B", Put(1, "x", 5))[0].log[-1].command.client == "B", "another client's number"


def test_a_number_is_taken_by_a_request_in_the_log_also_if_an_earlier_one_was_executed() -> None:
    executed = hears(elected().after_request("A", Add(1, "x", 5))[0], 2)[0]
    waiting = executed.after_request("A", Add(2, "x", 5))[0]
    assert waiting.after_request("A", Put(2, "x", 5))[1].replies == [("A", Misused(2))]


def test_a_client_that_was_refused_goes_on_with_its_next_number() -> None:
    cluster = RaftCluster(servers=1, clients=1)
    run = Script(cluster).fire("S1", "election").ask("A", Add(1, "x", 1), "S1").ask("A", Put(1, "x", 9), "S1")
    assert run.world.call("A").reply == Misused(1)
    assert {each.body.serial for each in cluster.requests(run.world)} == {2}


def test_sessions_are_replicated_so_that_a_new_leader_knows_what_an_old_one_executed() -> None:
    """Thesis 6.3: duplicates are filtered by every server alike."""
    added = Entry(1, Command("A", Add(1, "x", 5)))
    leader = hears(elected(added), 2)[0]  # another leader took the request
    _, effects = leader.after_request("A", Add(1, "x", 5))
    assert effects.replies == [("A", Done(1, 5))]


def test_requests_of_different_clients_with_the_same_number_are_different() -> None:
    leader = elected()
    for client in "AB":
        leader = leader.after_request(client, Add(1, "x", 5))[0]
    assert hears(leader, 3)[0].state_machine.store["x"] == 10


def test_only_the_leader_answers_when_an_entry_is_applied() -> None:
    """5.3, Leaders 2: all apply, one answers."""
    entry = Entry(1, Command("A", Put(1, "x", 1)))
    follower = Server(id="S1", peers=("S2", "S3"), current_term=1)
    after, effects = follower.after_message("S2", AppendEntries(1, "S2", 0, 0, (entry,), 1))
    assert after.state_machine.store["x"] == 1
    assert effects.replies == []


# Section 8 and thesis 6.4: reads


def test_a_leader_answers_a_read_only_after_a_majority_has_heard_from_it() -> None:
    """Section 8: it exchanges heartbeats with a majority before it responds, and nothing goes into the log."""
    leader = hears(elected(), 1)[0]
    asked, effects = leader.after_request("A", Get(1, "x"))
    assert asked.log == leader.log
    assert effects.replies == []
    assert {to for to, _ in effects.sends} == {"S2", "S3"}
    after, effects = hears(asked, 1, read_round=1)
    assert effects.replies == [("A", Done(1, None))]
    assert after.reads == ()


def test_an_answer_to_an_earlier_message_confirms_no_read() -> None:
    """Thesis 6.4: the round of heartbeats is sent after the read came."""
    asked = hears(elected(), 1)[0].after_request("A", Get(1, "x"))[0]
    assert hears(asked, 1, read_round=0)[1].replies == []


def test_a_new_leader_answers_no_read_before_its_no_op_is_committed() -> None:
    """Section 8: it may not know yet what is committed."""
    asked = elected(Entry(1, Command("B", Put(1, "x", 1)))).after_request("A", Get(1, "x"))[0]
    confirmed, effects = hears(asked, 0, read_round=1)
    assert effects.replies == []
    _, effects = hears(confirmed, 2, read_round=1)
    assert ("A", Done(1, 1)) in effects.replies


def test_a_refused_append_still_confirms_who_leads() -> None:
    """Thesis 6.4: what counts is that the follower is in the leader's term."""
    asked = hears(elected(), 1)[0].after_request("A", Get(1, "x"))[0]
    refused = AppendEntriesReply(2, False, read_round=1, conflict_index=1)
    assert asked.after_message("S3", refused)[1].replies == [("A", Done(1, None))]


def test_a_deposed_leader_sends_its_waiting_readers_on() -> None:
    """Section 8: it could answer with an old value."""
    asked = hears(elected(), 1)[0].after_request("A", Get(1, "x"))[0]
    after, effects = asked.after_message("S3", AppendEntriesReply(7, False))
    assert effects.replies == [("A", NotLeader(1, None))]
    assert (after.role, after.reads) == ("follower", ())


# What clients see of a whole cluster


def cluster_with_leader() -> Script:
    run = Script(RaftCluster(servers=3))
    stand(run, "S1", "S2", "S3")
    run.settle()
    return run


def test_what_clients_did_and_saw_is_a_history_of_operations() -> None:
    """Herlihy and Wing 1990: calls and answers, a retry being the same operation."""
    run = cluster_with_leader()
    run.ask("A", Put(1, "x", 7), "S2")  # sent on, no answer
    run.ask("A", Put(1, "x", 7), "S1")
    run.ask("B", Get(1, "x"), "S1")
    run.settle()
    run.ask("B", Get(2, "x"), "S1")
    put, read, pending = operations_of(run.history.path)
    assert (put.client, put.input, put.output) == ("A", Put(1, "x", 7), 7)
    assert (read.client, read.output) == ("B", 7)
    assert pending.pending
    assert not put.precedes(read)
    assert is_linearizable(run.history.path)


def test_a_late_answer_to_an_earlier_request_is_no_answer_to_the_next() -> None:
    """Section 8: serial numbers tell a client's requests apart."""
    cluster = RaftCluster(servers=3)
    run = cluster_with_leader()
    run.ask("A", Put(2, "x", 7), "S1")
    call = run.world.call("A")
    assert call is not None
    assert not cluster.answers(call, Done(1, 3))
    assert cluster.answers(call, Done(2, 7))


def test_the_checker_knows_a_store_from_what_is_none() -> None:
    """A stale read after a write that was answered: what a deposed leader would say."""

    def operation(client: str, request: Any, output: int | None, called: int, returned: int) -> Operation:
        return Operation(client=client, input=request, output=output, called=called, returned=returned)

    put = operation("A", Put(1, "x", 7), 7, 0, 1)
    assert check([put, operation("B", Get(1, "x"), 7, 2, 3)], Store())
    assert not check([put, operation("B", Get(1, "x"), None, 2, 3)], Store())
    assert check([put, operation("B", Get(1, "y"), None, 2, 3)], Store()), "another key"
    assert not check([put, operation("B", Add(1, "x", 1), 9, 2, 3)], Store())
