"""Raft's log, sentence by sentence: sections 5.3, 5.4.2 and 5.5 of Ongaro and Ousterhout 2014."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from patterns.consensus_raft import (
    AppendEntries,
    AppendEntriesReply,
    Entry,
    Put,
    RequestVoteReply,
    Server,
)
from patterns.consensus_raft.cluster import earlier_log
from patterns.consensus_raft.messages import is_heartbeat
from patterns.engine.process import Effects

OTHERS = ("S2", "S3", "S4", "S5")


def follower(*terms: int, term: int = 9, **fields: Any) -> Server:
    """S1 in `term`, with entries of these terms."""
    return Server(id="S1", peers=OTHERS, current_term=term, log=earlier_log(terms), **fields)


def leader(*terms: int, **fields: Any) -> Server:
    """S1, elected for the term after the last of these, its no-op appended."""
    stands = follower(*terms, term=terms[-1] if terms else 0, **fields).after_timer("election")[0]
    for voter in ("S2", "S3"):
        stands = stands.after_message(voter, RequestVoteReply(stands.current_term, True))[0]
    return stands


def appends(*terms: int, prev: int = 0, term: int = 9, commit: int = 0) -> AppendEntries:
    """An AppendEntries of the leader S2, whose log has these terms: the entries after index `prev`."""
    log = earlier_log(terms)
    return AppendEntries(term, "S2", prev, terms[prev - 1] if prev else 0, log[prev:], commit)


def acknowledges(server: Server, follower: str, match_index: int) -> tuple[Server, Effects]:
    return server.after_message(follower, AppendEntriesReply(server.current_term, True, match_index, 1))


def terms_of(server: Server) -> tuple[int, ...]:
    return tuple(entry.term for entry in server.log)


def rules(effects: Effects) -> list[str]:
    return [note.rule for note in effects.notes]


def reply_of(effects: Effects) -> AppendEntriesReply:
    [(to, reply)] = effects.sends
    assert (to, type(reply)) == ("S2", AppendEntriesReply)
    return reply


# 5.3, the leader


def test_a_leader_appends_a_clients_command_and_sends_it_to_every_other_server() -> None:
    """5.3, Leaders 2: as a new entry, in parallel; it answers once the entry is applied."""
    after, effects = leader().after_request("A", Put(1, "x", 7))
    assert after.log[-1].term == after.current_term
    assert str(after.log[-1].command) == "x = 7"
    assert {to for to, _ in effects.sends} == set(OTHERS)
    assert effects.replies == []


def test_a_new_leader_begins_with_the_index_after_its_last_entry() -> None:
    """5.3: nextIndex for every follower; Figure 2: matchIndex 0."""
    elected = leader(1, 1, 2)
    assert set(elected.next_index.values()) == {4}
    assert set(elected.match_index.values()) == {0}


def test_an_entry_on_a_majority_is_committed_applied_and_answered() -> None:
    """5.3: committed once the leader that created it has replicated it on a majority of the servers."""
    asked = leader().after_request("A", Put(1, "x", 7))[0]
    one, effects = acknowledges(asked, "S2", 2)
    assert (one.commit_index, effects.replies) == (0, [])
    two, effects = acknowledges(one, "S3", 2)
    assert (two.commit_index, two.last_applied) == (2, 2)
    assert two.state_machine.store["x"] == 7
    assert [client for client, _ in effects.replies] == ["A"]


def test_committing_an_entry_commits_all_before_it_also_other_leaders() -> None:
    """5.3: this also commits all preceding entries in the leader's log."""
    elected = acknowledges(leader(1, 2), "S2", 3)[0]
    after, effects = acknowledges(elected, "S3", 3)
    assert after.commit_index == after.last_applied == 3
    assert rules(effects).count("ALL.1") == 3


def test_a_leader_tries_again_for_ever_with_the_entries_that_a_follower_has_not_acknowledged() -> None:
    """5.3: retries AppendEntries indefinitely, even after it has answered the client."""
    _, effects = leader(1, 1).after_timer("heartbeat")
    sent = dict(effects.sends)["S4"]
    assert (sent.prev_log_index, len(sent.entries)) == (2, 1)
    assert not is_heartbeat(sent)


def test_a_leader_sends_no_more_entries_at_once_than_it_is_allowed() -> None:
    elected = leader(1, 1, 1, 1, max_entries=2)
    refused = AppendEntriesReply(elected.current_term, False, conflict_index=1)
    after, effects = elected.after_message("S2", refused)
    [(_, sent)] = effects.sends
    assert (sent.prev_log_index, len(sent.entries)) == (0, 2)
    _, effects = acknowledges(after, "S2", 2)
    assert [message.prev_log_index for _, message in effects.sends] == [2], "the next batch follows at once"


def test_a_leader_goes_back_to_the_first_index_of_the_conflicting_term() -> None:
    """5.3, the fast back-up: one AppendEntries for each term with conflicting entries, not one for each entry."""
    elected = leader(1, 1, 1, 4, 4, 5)
    refused = AppendEntriesReply(elected.current_term, False, conflict_term=3, conflict_index=4)
    after, effects = elected.after_message("S2", refused)
    assert after.next_index["S2"] == 4
    [(to, sent)] = effects.sends
    assert (to, sent.prev_log_index, sent.prev_log_term) == ("S2", 3, 1)


def test_a_refusal_that_was_overtaken_does_not_take_a_follower_back() -> None:
    """5.3: messages come in any order; what a follower is known to have is never asked about again."""
    elected = acknowledges(leader(1, 1), "S2", 3)[0]
    after, effects = elected.after_message("S2", AppendEntriesReply(elected.current_term, False, conflict_index=1))
    assert after == elected
    assert (rules(effects), effects.sends) == (["L.3.same"], [])


def test_an_acknowledgement_that_was_overtaken_takes_nothing_back() -> None:
    """5.3: matchIndex increases monotonically (Figure 2, State)."""
    elected = acknowledges(leader(1, 1), "S2", 3)[0]
    after, effects = acknowledges(elected, "S2", 2)
    assert after == elected
    assert rules(effects) == ["L.3.same"]


def test_who_is_no_leader_has_no_use_for_acknowledgements() -> None:
    before = follower(1)
    after, effects = before.after_message("S2", AppendEntriesReply(9, True, 1, 1))
    assert after == before
    assert rules(effects) == ["ALL.late"]


def test_a_leader_never_overwrites_or_deletes_entries_of_its_log() -> None:
    """5.3, Leader Append-Only: here by all messages that could reach a leader of its term."""
    elected = leader(1, 2)
    for message in (
        AppendEntriesReply(elected.current_term, False, conflict_index=1),
        AppendEntriesReply(elected.current_term, True, 1, 1),
        RequestVoteReply(elected.current_term, True),
    ):
        assert elected.after_message("S4", message)[0].log == elected.log


# 5.3, the follower


def test_a_follower_appends_entries_that_follow_its_log() -> None:
    """AppendEntries rule 4."""
    after, effects = follower(1).after_message("S2", appends(1, 1, 2, prev=1))
    assert terms_of(after) == (1, 1, 2)
    reply = reply_of(effects)
    assert (reply.success, reply.match_index, reply.appended) == (True, 3, 2)


def test_a_follower_without_the_entry_before_the_new_ones_refuses_them() -> None:
    """5.3, AppendEntries rule 2, where the log is too short: the leader is told where it ends."""
    before = follower(1)
    after, effects = before.after_message("S2", appends(1, 1, 1, 1, prev=3))
    assert after.log == before.log
    reply = reply_of(effects)
    assert (reply.success, reply.conflict_term, reply.conflict_index) == (False, 0, 2)
    assert rules(effects) == ["AE.2.short"]


def test_a_follower_with_another_entry_before_the_new_ones_refuses_them() -> None:
    """5.3, AppendEntries rule 2 and the fast back-up: it tells the term it has there and that term's first index."""
    before = follower(1, 2, 2, 2)
    after, effects = before.after_message("S2", appends(1, 1, 3, 3, 3, prev=4))
    assert after.log == before.log
    reply = reply_of(effects)
    assert (reply.success, reply.conflict_term, reply.conflict_index) == (False, 2, 2)
    assert rules(effects) == ["AE.2"]


def test_a_conflicting_entry_is_deleted_with_all_that_follow_it() -> None:
    """5.3, AppendEntries rule 3."""
    after, effects = follower(1, 2, 2, 2).after_message("S2", appends(1, 3, prev=1))
    assert terms_of(after) == (1, 3)
    assert rules(effects) == ["AE.3", "AE.4"]


@pytest.mark.parametrize("late", [appends(1, 1), appends(1, 1, prev=1), appends(1, 1, prev=2)], ids=str)
def test_entries_that_agree_stay_and_so_does_what_follows_them(late: AppendEntries) -> None:
    """AppendEntries rule 3: only conflicts delete. An old message that comes late takes nothing back."""
    before = follower(1, 1, 1, 1)
    after, effects = before.after_message("S2", late)
    assert after.log == before.log
    assert reply_of(effects).match_index == 2, "only so far is the log known to agree with the leader's"


def test_the_same_entries_twice_are_the_same_as_once() -> None:
    """5.5: Raft RPCs are idempotent."""
    message = appends(1, 1, 2, prev=1)
    once, first = follower(1).after_message("S2", message)
    twice, second = once.after_message("S2", message)
    assert twice == once
    assert second.sends == first.sends


@pytest.mark.parametrize(
    ("own", "message", "commit"),
    [
        ((1, 1, 1), appends(1, 1, 1, prev=3, commit=2), 2),
        ((1, 1, 1), appends(1, 1, 1, prev=3, commit=7), 3),
        ((1, 1, 1), appends(1, 1, 1, prev=2, commit=1), 1),
        ((1, 1, 1, 1), appends(1, 1, prev=2, commit=4), 2),  # what follows the last new entry may be of an old term
        ((1, 1, 2), appends(1, 1, prev=1, commit=3), 2),
    ],
)
def test_a_follower_commits_what_its_leader_has_committed_as_far_as_their_logs_agree(
    own: tuple[int, ...], message: AppendEntries, commit: int
) -> None:
    """5.3, AppendEntries rule 5: the smaller of leaderCommit and the index of the last new entry."""
    after, _ = follower(*own).after_message("S2", message)
    assert after.commit_index == after.last_applied == commit


def test_a_follower_does_not_take_its_commit_index_back() -> None:
    """Figure 2, State: commitIndex increases monotonically; an old heartbeat may come late."""
    known = follower(1, 1, 1).after_message("S2", appends(1, 1, 1, prev=3, commit=3))[0]
    after, _ = known.after_message("S2", appends(1, 1, 1, prev=1, commit=1))
    assert after.commit_index == 3


def test_committed_entries_are_applied_in_the_order_of_the_log() -> None:
    """5.3, All Servers 1."""
    after, effects = follower(1, 1, 1).after_message("S2", appends(1, 1, 1, prev=3, commit=3))
    assert [note.values["index"] for note in effects.notes if note.rule == "ALL.1"] == [1, 2, 3]
    assert after.state_machine.store["x"] == 13


def test_a_follower_that_crashes_applies_its_log_again_from_the_beginning() -> None:
    """5.5 and Figure 2: lastApplied is volatile, and so is the state machine here."""
    before = follower(1, 1).after_message("S2", appends(1, 1, prev=2, commit=2))[0]
    back = before.crashed().after_restart()[0]
    assert (back.last_applied, len(back.state_machine.store)) == (0, 0)
    again = back.after_message("S2", appends(1, 1, prev=2, commit=2))[0]
    assert again.state_machine == before.state_machine


def test_entries_are_on_disk_before_they_are_acknowledged() -> None:
    """Figure 2: log[] is persistent, updated on stable storage before responding."""
    before = follower(1)
    after, _ = before.after_message("S2", appends(1, 1, prev=1))
    assert after.written_since(before) == ("log",)


# 5.4.2


def test_an_entry_of_an_older_term_is_not_committed_by_counting_copies() -> None:
    """5.4.2: only log entries from the leader's current term are committed by counting replicas."""
    elected = leader(1, 2)  # its own entry, of term 3, is at index 3
    two = acknowledges(acknowledges(elected, "S2", 2)[0], "S3", 2)
    assert two[0].commit_index == 0
    assert "L.4.old" in rules(two[1])
    three = acknowledges(acknowledges(two[0], "S2", 3)[0], "S3", 3)[0]
    assert three.commit_index == 3, "with one of its own term all before it are committed, indirectly"


@pytest.mark.parametrize(
    ("matches", "commit"),
    [((0, 0, 0, 0), 0), ((4, 0, 0, 0), 0), ((3, 3, 3, 3), 0), ((4, 4, 0, 0), 4), ((4, 3, 3, 4), 4)],
)
def test_a_leader_commits_up_to_the_highest_entry_of_its_term_that_a_majority_holds(
    matches: tuple[int, ...], commit: int
) -> None:
    """Leaders 4: N > commitIndex, a majority of matchIndex[i] >= N, log[N].term == currentTerm."""
    elected = leader(1, 2, 3)
    for peer, match in zip(OTHERS, matches, strict=True):
        elected = msgspec.structs.replace(elected, match_index=elected.match_index.put(peer, match))
    assert elected.committable_index() == commit


def test_log_index_0_is_before_the_first_entry_and_of_term_0() -> None:
    assert (follower().last_log_index, follower().last_log_term, follower().term_at(0)) == (0, 0, 0)
    assert follower(4).term_at(1) == 4


def test_a_heartbeat_and_its_answer_are_told_from_what_matters() -> None:
    assert is_heartbeat(AppendEntries(1, "S1", 0, 0, (), 0))
    assert not is_heartbeat(AppendEntries(1, "S1", 0, 0, (Entry(1),), 0))
    assert is_heartbeat(AppendEntriesReply(1, True, 4))
    assert not is_heartbeat(AppendEntriesReply(1, True, 4, 1))
    assert not is_heartbeat(AppendEntriesReply(1, False))
