"""Raft as it is often got wrong: each a server with one rule changed. The checks must catch every one.

A checker that catches nothing proves nothing. Most of these were made, and shipped or handed in, by somebody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Self

import msgspec

from patterns.consensus_raft.clients import Server
from patterns.consensus_raft.messages import AppendEntries, Command, Done, Entry, Get


class OffByOneMajority(Server):
    """Half of the servers count as a majority: `>=` for `>`. In a cluster of four two leaders find two voters each;
    in one of five, rounding down makes two servers enough."""

    def is_majority(self, of: Collection[str]) -> bool:
        return len(of) >= self.servers // 2


class VotesForAnyLog(Server):
    """No election restriction (5.4.1 left out): a candidate that lacks committed entries wins and overwrites them."""

    def log_is_up_to_date(self, last_log_index: int, last_log_term: int) -> bool:
        return True


class LongerLogWins(Server):
    """Compares the lengths of logs before the last terms: a long log of an old term beats a newer one (5.4.1)."""

    def log_is_up_to_date(self, last_log_index: int, last_log_term: int) -> bool:
        return (last_log_index, last_log_term) >= (self.last_log_index, self.last_log_term)


class CountsVotesNotVoters(Server):
    """Counts the messages that grant a vote, not the servers: a network that doubles one elects a minority's leader."""

    def add_vote(self, voter: str) -> None:
        self.votes |= {f"{voter}, message {len(self.votes)}"}


class ForgetsVoteOnHeartbeat(Server):
    """Clears voted_for on AppendEntries, as if it were done with voting: a delayed request of the same term gets a
    second vote. (voted_for may be cleared only together with a new term.)"""

    def hear_from_leader(self, leader: str) -> None:
        super().hear_from_leader(leader)
        self.voted_for = None


class VoteNotDurable(Server):
    """Keeps voted_for in memory: after a crash it votes again in the same term (Figure 2 has it on disk)."""

    def crashed(self) -> Self:
        return msgspec.structs.replace(super().crashed(), voted_for=None)


class LogNotDurable(Server):
    """Keeps the log in memory, or writes it without waiting for the disk: a majority that held an entry is no more."""

    def crashed(self) -> Self:
        return msgspec.structs.replace(super().crashed(), log=())


class IgnoresPrevTerm(Server):
    """Checks only that its log is long enough, not the term at prev_log_index: logs diverge before what they share."""

    def agrees_at(self, prev_log_index: int, prev_log_term: int) -> bool:
        return prev_log_index <= self.last_log_index


class TruncatesAlways(Server):
    """Cuts its log after prev_log_index whether or not anything conflicts: an old AppendEntries that comes late takes
    back entries that it has already acknowledged. The commonest mistake with rule 3."""

    def first_conflict(self, prev_log_index: int, entries: tuple[Entry, ...]) -> int | None:
        return prev_log_index + 1 if self.last_log_index > prev_log_index else None


class CommitsOldTerms(Server):
    """Commits an entry of an older term as soon as a majority holds it: Figure 8 (5.4.2 left out)."""

    def may_commit(self, index: int) -> bool:
        return self.is_majority(self.holders(index))


class CommitsBeyondNew(Server):
    """Takes min(leader_commit, end of its own log) for rule 5: with limited batches, or a heartbeat, the end may still
    be the rest of an old term, and it commits that."""

    def last_new_index(self, message: AppendEntries) -> int:
        return self.last_log_index


class IgnoresHeartbeats(Server):
    """Its election timer does not start again when a heartbeat arrives: it deposes a leader that it hears. (RaftScope
    had a relative: timers that ran out before messages that had arrived were handled.)"""

    def hear_from_leader(self, leader: str) -> None:
        if self.role == "candidate":
            self.become_follower(self.current_term)
        self.leader_id = leader


class ReadsWithoutAsking(Server):
    """Answers a read from its own state machine at once, because it was elected: a deposed leader that does not know
    it yet answers with what was true before (section 8)."""

    def take_read(self, client: str, request: Get) -> None:
        if self.role != "leader":
            self.redirect(client, request)
            return
        value = self.state_machine.store.get(request.key)
        self.note("RI.2", client=client, key=request.key, value=value, applied=self.last_applied)
        self.reply(client, Done(request.serial, value))


class ExecutesRetries(Server):
    """Executes an entry again when it is a client's retry of one it has executed: sessions left out (section 8)."""

    def was_executed(self, command: Command) -> bool:
        return False


PLANTED: Mapping[str, type[Server]] = {
    bug.__name__: bug
    for bug in (
        OffByOneMajority,
        VotesForAnyLog,
        LongerLogWins,
        CountsVotesNotVoters,
        ForgetsVoteOnHeartbeat,
        VoteNotDurable,
        LogNotDurable,
        IgnoresPrevTerm,
        TruncatesAlways,
        CommitsOldTerms,
        CommitsBeyondNew,
        IgnoresHeartbeats,
        ReadsWithoutAsking,
        ExecutesRetries,
    )
}
