"""Usual mistakes with Raft: servers with one rule changed, and where to look for each.

A check that never fails proves nothing. Most of these mistakes were made in real implementations or course work.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from inspect import getdoc
from typing import Any, Self

import msgspec

from patterns.consensus_raft.clients import Server
from patterns.consensus_raft.cluster import RaftCluster
from patterns.consensus_raft.histories import linearizable
from patterns.consensus_raft.messages import AppendEntries, Command, Done, Entry, Get
from patterns.consensus_raft.properties import (
    commits_never_fall,
    election_safety,
    follows_heartbeats,
    leader_completeness,
    log_matching,
    state_machine_safety,
)
from patterns.engine.planted import Bug, RandomWorlds, Search
from patterns.engine.properties import Property

from .small import SmallCluster


class OffByOneMajority(Server):
    """Half of the servers count as a majority: `>=` for `>`. Among four servers two leaders find two voters each. Among
    five it accepts two, because of the rounding."""

    def is_majority(self, of: Collection[str]) -> bool:
        return len(of) >= self.servers // 2


class VotesForAnyLog(Server):
    """No election restriction (5.4.1 left out): a candidate without committed entries wins and overwrites them."""

    def log_is_up_to_date(self, last_log_index: int, last_log_term: int) -> bool:
        return True


class LongerLogWins(Server):
    """Compares the lengths of logs before the last terms: a long log of an old term beats a newer one (5.4.1)."""

    def log_is_up_to_date(self, last_log_index: int, last_log_term: int) -> bool:
        return (last_log_index, last_log_term) >= (self.last_log_index, self.last_log_term)


class CountsVotesNotVoters(Server):
    """Counts the messages that grant a vote, not the servers: a doubled message elects a leader that only a minority
    chose."""

    def add_vote(self, voter: str) -> None:
        self.votes |= {f"{voter}, message {len(self.votes)}"}


class ForgetsVoteOnHeartbeat(Server):
    """Clears voted_for on AppendEntries: a delayed request of the same term gets a second vote. Only a new term
    clears voted_for."""

    def hear_from_leader(self, leader: str) -> None:
        super().hear_from_leader(leader)
        self.voted_for = None


class VoteNotDurable(Server):
    """Keeps voted_for in memory: after a crash it votes again in the same term (Figure 2 has it on disk)."""

    def crashed(self) -> Self:
        return msgspec.structs.replace(super().crashed(), voted_for=None)


class LogNotDurable(Server):
    """Keeps the log in memory, or writes it without waiting for the disk: after a crash a majority no longer holds a
    committed entry."""

    def crashed(self) -> Self:
        return msgspec.structs.replace(super().crashed(), log=())


class IgnoresPrevTerm(Server):
    """Checks only that its log is long enough, not the term at prev_log_index: logs differ before an entry that they
    share."""

    def agrees_at(self, prev_log_index: int, prev_log_term: int) -> bool:
        return prev_log_index <= self.last_log_index


class TruncatesAlways(Server):
    """Cuts its log after prev_log_index whether or not anything conflicts: a late AppendEntries removes entries
    that the server has already acknowledged. This is the commonest mistake with rule 3."""

    def first_conflict(self, prev_log_index: int, entries: tuple[Entry, ...]) -> int | None:
        return prev_log_index + 1 if self.last_log_index > prev_log_index else None


class CommitsOldTerms(Server):
    """Commits an entry of an older term as soon as a majority holds it: Figure 8 (5.4.2 left out)."""

    def may_commit(self, index: int) -> bool:
        return self.is_majority(self.holders(index))


class CommitsBeyondNew(Server):
    """Takes min(leader_commit, end of its own log) for rule 5. With limited batches, or a heartbeat, its last
    entries may still be those of an old term, and it commits them."""

    def last_new_index(self, message: AppendEntries) -> int:
        return self.last_log_index


class IgnoresHeartbeats(Server):
    """Its election timer does not start again when a heartbeat arrives: it deposes a leader that it hears. In
    RaftScope timers could run out before messages that had arrived were handled."""

    def hear_from_leader(self, leader: str) -> None:
        if self.role == "candidate":
            self.become_follower(self.current_term)
        self.leader_id = leader


class ReadsWithoutAsking(Server):
    """Answers a read from its own state machine at once, because it was elected. A deposed leader that does not know it
    yet answers with an old value (section 8)."""

    def take_read(self, client: str, request: Get) -> None:
        if self.role != "leader":
            self.redirect(client, request)
            return
        value = self.state_machine.store.get(request.key)
        self.note("RI.2", client=client, key=request.key, value=value, applied=self.last_applied)
        self.reply(client, Done(request.serial, value))


class ExecutesRetries(Server):
    """Executes an entry again if it is a client's retry of one that was executed: sessions are left out (section 8)."""

    def was_executed(self, command: Command) -> bool:
        return False


def bug(server: type[Server], breaks: Property, among: RaftCluster | None = None, **bounds: Any) -> Bug:
    """The server instead of the right one: a search within these bounds finds it, and random worlds of `among`."""
    return bug_in(SmallCluster(**bounds), server, breaks, among)


def bug_in(
    small: SmallCluster, server: type[Server], breaks: Property, among: RaftCluster | None = None, *others: Property
) -> Bug:
    """As `bug`; the search is of this cluster, and looks at the other properties too."""
    random = RandomWorlds(among, (breaks,), steps=300) if among else None
    search = Search(small, (breaks, *others))
    return Bug(" ".join((getdoc(server) or "").split()), {"server": server}, search, breaks, random)


THREE, FIVE = RaftCluster(servers=3), RaftCluster(max_entries=1)
TERM_1 = {"S1": (1,)}
TERMS_1_2 = {"S1": (1,), "S3": (2,)}
LEADER_AND_ONE: Mapping[str, Any] = {"servers": 2, "elections": TERM_1, "retry_below": 3}
OLD_TERMS: Mapping[str, Any] = {"logs": {"S1": (2,), "S3": (3,)}, "max_entries": 1}
REST_OF_A_TERM: Mapping[str, Any] = {"logs": {"S1": (1, 2), "S2": (1, 1), "S3": (1, 2)}, "max_entries": 1}
DOUBLED_VOTE: Mapping[str, Any] = {"replicate": False, "budget": {"duplicate": 1}}

BUGS: Mapping[str, Bug] = {
    "half is a majority": bug(OffByOneMajority, election_safety, THREE, replicate=False),
    "votes for any log": bug(VotesForAnyLog, leader_completeness, THREE, elections=TERMS_1_2),
    "the longer log wins": bug(
        LongerLogWins, leader_completeness, elections={"S2": (4,), "S1": (5,)}, logs={"S1": (1, 1, 1), "S2": (3,)}
    ),
    "counts votes, not voters": bug(
        CountsVotesNotVoters, election_safety, FIVE, servers=5, elections={"S1": (1,), "S2": (1,)}, **DOUBLED_VOTE
    ),
    "a heartbeat clears the vote": bug(ForgetsVoteOnHeartbeat, election_safety, max_term=2, logs=TERM_1),
    "the vote is not durable": bug(
        VoteNotDurable, election_safety, THREE.again(clients=0), replicate=False, budget={"crash": 1}
    ),
    "the log is not durable": bug(LogNotDurable, leader_completeness, THREE, elections=TERMS_1_2, budget={"crash": 1}),
    "ignores the term before new entries": bug(
        IgnoresPrevTerm, log_matching, THREE, elections={"S2": (3,)}, logs={"S1": (1, 1), "S2": (2,)}, max_entries=1
    ),
    "always truncates the log": bug(
        TruncatesAlways, commits_never_fall, THREE.again(max_entries=1), scripts={"A": ("put",)}, **LEADER_AND_ONE
    ),
    "commits entries of old terms": bug(
        CommitsOldTerms, leader_completeness, elections={"S1": (4,), "S3": (5,)}, **OLD_TERMS
    ),
    "commits beyond the new entries": bug(
        CommitsBeyondNew, state_machine_safety, elections={"S1": (3,)}, **REST_OF_A_TERM
    ),
    "ignores heartbeats": bug(IgnoresHeartbeats, follows_heartbeats, THREE),
    # Without the bug, a search of all runs with reads does not end: random worlds look for it.
    "reads without asking": bug(ReadsWithoutAsking, linearizable, THREE)._replace(
        search=RandomWorlds(THREE, (linearizable,), seeds=range(40), steps=300)
    ),
    "executes retries": bug(
        ExecutesRetries, linearizable, THREE, scripts={"A": ("add",), "B": ("add",)}, **LEADER_AND_ONE
    ),
}
"""Where to look for each: bounds in which a search of all runs finds it, and random worlds that find it."""
