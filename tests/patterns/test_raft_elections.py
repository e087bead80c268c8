"""Raft's elections, sentence by sentence: sections 5.1, 5.2 and 5.4.1 of Ongaro and Ousterhout 2014."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.consensus_raft import (
    AppendEntries,
    AppendEntriesReply,
    Entry,
    RequestVote,
    RequestVoteReply,
    Server,
)
from patterns.consensus_raft.cluster import earlier_log
from patterns.engine.process import Effects

OTHERS = ("S2", "S3", "S4", "S5")


def server(**fields: Any) -> Server:
    return Server(id="S1", peers=OTHERS, **fields)


def candidate(**fields: Any) -> Server:
    """S1, which has just begun an election."""
    return server(**fields).after_timer("election")[0]


def leader(**fields: Any) -> Server:
    """S1, elected by S2 and S3."""
    stands = candidate(**fields)
    for voter in ("S2", "S3"):
        stands, _ = stands.after_message(voter, RequestVoteReply(stands.current_term, True))
    assert stands.role == "leader"
    return stands


def rules(effects: Effects) -> list[str]:
    return [note.rule for note in effects.notes]


# 5.1


def test_a_server_starts_as_a_follower_in_term_0_with_an_empty_log() -> None:
    """5.2 and Figure 2, State."""
    new, effects = server().after_start()
    assert (new.role, new.current_term, new.voted_for, new.log) == ("follower", 0, None, ())
    assert effects.timers == {"election": (150, 300)}
    assert effects.sends == []


@pytest.mark.parametrize("make", [server, candidate, leader], ids=["follower", "candidate", "leader"])
@pytest.mark.parametrize(
    "message",
    [
        RequestVote(9, "S2", 9, 9),
        RequestVoteReply(9, False),
        AppendEntries(9, "S2", 0, 0, (), 0),
        AppendEntriesReply(9, False),
    ],
    ids=lambda message: type(message).__name__,
)
def test_who_sees_a_newer_term_enters_it_as_a_follower(make: Any, message: Any) -> None:
    """5.1: any message with a larger term makes a server update its own and become a follower."""
    after, effects = make().after_message("S2", message)
    assert (after.role, after.current_term) == ("follower", 9)
    assert rules(effects)[0] == ("ALL.2" if make is server else "ALL.2.down")


def test_a_server_that_enters_a_newer_term_has_not_voted_in_it() -> None:
    """5.1, 5.2: one vote for each term."""
    after, _ = server(current_term=3, voted_for="S4").after_message("S2", AppendEntriesReply(4, False))
    assert (after.current_term, after.voted_for) == (4, None)


def test_a_request_with_an_older_term_is_refused_with_the_newer_one() -> None:
    """5.1: a server that gets a request with a stale term number rejects it."""
    for message in (RequestVote(2, "S2", 9, 9), AppendEntries(2, "S2", 0, 0, (Entry(2),), 1)):
        before = server(current_term=3)
        after, effects = before.after_message("S2", message)
        assert after == before
        [(to, reply)] = effects.sends
        assert (to, reply.term) == ("S2", 3)
        assert not getattr(reply, "vote_granted", False)
        assert not getattr(reply, "success", False)


def test_a_leader_that_steps_down_starts_its_election_timer_and_stops_its_heartbeats() -> None:
    """5.1, 5.2: a follower without a timer would wait for ever."""
    _, effects = leader().after_message("S2", AppendEntriesReply(9, False))
    assert effects.timers == {"heartbeat": None, "election": (150, 300)}


# 5.2


def test_a_follower_whose_timer_runs_out_stands_for_election() -> None:
    """5.2: it increments its term, votes for itself, and sends RequestVote to each of the other servers."""
    after, effects = server(current_term=4, log=earlier_log((1, 4))).after_timer("election")
    assert (after.role, after.current_term, after.voted_for, after.votes) == ("candidate", 5, "S1", {"S1"})
    assert effects.sends == [(other, RequestVote(5, "S1", 2, 4)) for other in OTHERS]
    assert "election" in effects.timers


def test_election_timeouts_are_drawn_from_a_range() -> None:
    """5.2: randomised, so that in most cases only one server times out."""
    _, effects = Server(id="S1", peers=OTHERS, election_timeout=(200, 400)).after_start()
    assert effects.timers["election"] == (200, 400)


def test_a_candidate_with_the_votes_of_a_majority_becomes_leader() -> None:
    """5.2, Candidates 2."""
    one = candidate().after_message("S2", RequestVoteReply(1, True))[0]
    assert one.role == "candidate"
    two, effects = one.after_message("S4", RequestVoteReply(1, True))
    assert two.role == "leader"
    assert {to for to, _ in effects.sends} == set(OTHERS), "it tells all others at once (Leaders 1)"
    assert effects.timers == {"election": None, "heartbeat": (50, 50)}


def test_a_candidate_that_is_alone_in_its_cluster_is_elected_at_once() -> None:
    """5.2: one of one is a majority."""
    after, _ = Server(id="S1", peers=()).after_timer("election")
    assert (after.role, after.commit_index) == ("leader", 1)


def test_the_same_vote_delivered_twice_counts_once() -> None:
    """5.2: votes from a majority of the servers, not of the messages."""
    once = candidate().after_message("S2", RequestVoteReply(1, True))[0]
    twice, effects = once.after_message("S2", RequestVoteReply(1, True))
    assert (twice.role, twice.votes) == ("candidate", {"S1", "S2"})
    assert rules(effects) == ["C.again"]


def test_a_refusal_is_no_vote() -> None:
    after, effects = candidate().after_message("S2", RequestVoteReply(1, False))
    assert after == candidate()
    assert rules(effects) == ["C.refused"]


@pytest.mark.parametrize("make", [server, leader], ids=["follower", "leader"])
def test_a_vote_that_comes_when_the_election_is_over_does_nothing(make: Any) -> None:
    """5.2: there is nothing left to win in this term."""
    before = make(current_term=6)
    after, effects = before.after_message("S5", RequestVoteReply(before.current_term, True))
    assert after == before
    assert rules(effects) == ["ALL.late"]


def test_a_vote_of_an_older_term_is_not_counted_in_a_newer_one() -> None:
    """5.1: a stale answer is ignored."""
    again = candidate(current_term=3).after_timer("election")[0]
    after, effects = again.after_message("S2", RequestVoteReply(4, True))
    assert after.votes == {"S1"}
    assert rules(effects) == ["ALL.late"]


def test_a_server_votes_for_at_most_one_candidate_in_a_term_first_come_first_served() -> None:
    """5.2."""
    voted, effects = server(current_term=1).after_message("S2", RequestVote(1, "S2", 0, 0))
    assert (voted.voted_for, effects.sends) == ("S2", [("S2", RequestVoteReply(1, True))])
    after, effects = voted.after_message("S3", RequestVote(1, "S3", 5, 1))
    assert (after.voted_for, effects.sends) == ("S2", [("S3", RequestVoteReply(1, False))])
    assert rules(effects) == ["RV.2.voted"]


def test_the_same_candidate_gets_the_same_vote_again() -> None:
    """RequestVote rule 2: votedFor is null or candidateId. The first answer may have been lost."""
    _, effects = server(current_term=1, voted_for="S2").after_message("S2", RequestVote(1, "S2", 0, 0))
    assert effects.sends == [("S2", RequestVoteReply(1, True))]


def test_who_grants_a_vote_starts_its_election_timer_again_and_who_refuses_does_not() -> None:
    """5.2, Followers 2: an election starts without AppendEntries from the leader or a vote granted."""
    assert "election" in server().after_message("S2", RequestVote(1, "S2", 0, 0))[1].timers
    refused = server(current_term=1, voted_for="S3").after_message("S2", RequestVote(1, "S2", 0, 0))[1]
    assert refused.timers == {}


def test_a_candidate_that_hears_from_a_leader_of_its_term_recognises_it() -> None:
    """5.2, Candidates 3: it returns to follower state."""
    after, effects = candidate().after_message("S2", AppendEntries(1, "S2", 0, 0, (), 0))
    assert (after.role, after.leader_id, after.voted_for) == ("follower", "S2", "S1")
    assert "C.3" in rules(effects)


def test_a_candidate_that_hears_from_an_older_leader_stays_candidate() -> None:
    """5.2: if the term is smaller, the candidate rejects the RPC and continues."""
    after, effects = candidate(current_term=3).after_message("S2", AppendEntries(2, "S2", 0, 0, (), 0))
    assert after.role == "candidate"
    assert rules(effects) == ["AE.1"]


def test_a_candidate_whose_timer_runs_out_starts_a_new_election() -> None:
    """5.2, Candidates 4: with split votes nobody wins, and each candidate times out and tries again."""
    after, effects = candidate().after_timer("election")
    assert (after.role, after.current_term, after.votes) == ("candidate", 2, {"S1"})
    assert rules(effects) == ["C.4"]
    assert {type(message) for _, message in effects.sends} == {RequestVote}


def test_heartbeats_keep_followers_from_standing() -> None:
    """5.2: AppendEntries without entries, to all followers, periodically."""
    _, effects = leader().after_timer("heartbeat")
    assert {to for to, _ in effects.sends} == set(OTHERS)
    assert effects.timers == {"heartbeat": (50, 50)}
    _, heard = server(current_term=1).after_message("S2", AppendEntries(1, "S2", 0, 0, (), 0))
    assert "election" in heard.timers


# 5.4.1


@pytest.mark.parametrize(
    ("own", "theirs", "granted"),
    [
        ((), (), True),
        ((1,), (1,), True),
        ((1,), (), False),
        ((), (1,), True),
        ((1, 1), (1,), False),  # the same last term: the longer log is more up-to-date
        ((1,), (1, 1), True),
        ((1, 1, 1), (2,), True),  # the later last term is more up-to-date, however short
        ((2,), (1, 1, 1), False),
        ((1, 1, 2), (1, 1, 1, 1), False),
    ],
)
def test_a_vote_is_denied_to_a_log_that_is_less_up_to_date(
    own: tuple[int, ...], theirs: tuple[int, ...], granted: bool
) -> None:
    """5.4.1: compare the terms of the last entries; if they are the same, the lengths."""
    request = RequestVote(3, "S2", len(theirs), theirs[-1] if theirs else 0)
    after, effects = server(current_term=3, log=earlier_log(own)).after_message("S2", request)
    assert effects.sends == [("S2", RequestVoteReply(3, granted))]
    assert after.voted_for == ("S2" if granted else None)
    assert rules(effects) == ["RV.2" if granted else "RV.2.log"]


# 5.6 and persistence


def test_term_vote_and_log_survive_a_crash_and_nothing_else_does() -> None:
    """Figure 2, persistent state; 5.1: the rest is volatile."""
    before = leader(current_term=4, log=earlier_log((1, 4)))
    back, effects = before.crashed().after_restart()
    assert (back.current_term, back.voted_for, back.log) == (before.current_term, "S1", before.log)
    assert (back.role, back.commit_index, back.votes, len(back.next_index)) == ("follower", 0, frozenset(), 0)
    assert rules(effects) == ["UP"]
    assert "election" in effects.timers


def test_a_vote_is_on_disk_before_it_is_sent() -> None:
    """Figure 2: updated on stable storage before responding to RPCs."""
    before = server()
    after, effects = before.after_message("S2", RequestVote(1, "S2", 0, 0))
    assert set(after.written_since(before)) == {"current_term", "voted_for"}
    assert after.disk.voted_for == "S2"
    assert len(effects.sends) == 1


def test_messages_say_what_they_are() -> None:
    assert str(RequestVote(3, "S1", 2, 1)) == "vote? term 3"
    assert str(RequestVoteReply(3, False)) == "vote refused, term 3"
    assert str(AppendEntries(3, "S1", 3, 1, (Entry(3),), 0)) == "append 4, term 3"
    assert str(AppendEntries(3, "S1", 3, 1, (Entry(3), Entry(3)), 0)) == "append 4-5, term 3"
    assert str(AppendEntries(3, "S1", 3, 1, (), 0)) == "heartbeat, term 3"
