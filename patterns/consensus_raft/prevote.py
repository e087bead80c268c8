"""Pre-vote, an extension beside the core: a server raises its term only when it could win (Ongaro's thesis, 9.6).

Without it a server that was cut off comes back with a high term, and deposes a leader that all others hear.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from patterns.engine.process import Message, on, on_timer
from patterns.engine.sentences import rules_of
from patterns.engine.step import Rule

from .clients import Server
from .rules import RULES


class RequestPreVote(Message):
    """Would you vote for me in term `next_term`? My own term is still `term`."""

    term: int
    next_term: int
    candidate_id: str
    last_log_index: int
    last_log_term: int


class RequestPreVoteReply(Message):
    term: int
    next_term: int
    vote_granted: bool


PRE_VOTE_RULES = rules_of(__package__, "prevote.toml")


class PreVoteServer(Server):
    """A Raft server that asks before it stands for election."""

    rules: ClassVar[Mapping[str, Rule]] = {**RULES, **PRE_VOTE_RULES}

    hears_leader: bool = False
    """Whether it heard from a leader within the shortest election timeout."""
    pre_votes: frozenset[str] = frozenset()
    """The servers that would vote for it in its next term, itself included; empty when it does not ask."""

    def would_grant(self, request: RequestPreVote) -> bool:
        return (
            not self.hears_leader
            and self.role != "leader"
            and request.next_term > self.current_term
            and self.log_is_up_to_date(request.last_log_index, request.last_log_term)
        )

    def election_timeout_elapses(self) -> None:
        next_term = self.current_term + 1
        self.pre_votes = frozenset({self.id})
        self.note("PV.1", term=self.current_term, next_term=next_term)
        self.restart_election_timer()
        request = RequestPreVote(self.current_term, next_term, self.id, self.last_log_index, self.last_log_term)
        for peer in self.peers:
            self.send(peer, request)
        self.stand_if_wanted()

    def stand_if_wanted(self) -> None:
        if self.is_majority(self.pre_votes):
            self.note("PV.4", next_term=self.current_term + 1)
            self.pre_votes = frozenset()
            super().election_timeout_elapses()

    @on(RequestPreVote)
    def request_pre_vote(self, candidate: str, request: RequestPreVote) -> None:
        granted = self.would_grant(request)
        refusal = "PV.2.leads" if self.role == "leader" else "PV.2.heard" if self.hears_leader else "PV.2.no"
        leader = None if self.leader_id == candidate else self.leader_id
        values = {"candidate": candidate, "term": self.current_term, "next_term": request.next_term, "leader": leader}
        self.note("PV.2" if granted else refusal, **values)
        self.send(candidate, RequestPreVoteReply(self.current_term, request.next_term, granted))

    @on(RequestPreVoteReply)
    def receive_pre_vote(self, voter: str, reply: RequestPreVoteReply) -> None:
        if not self.pre_votes or not reply.vote_granted or reply.next_term != self.current_term + 1:
            self.note("PV.late", voter=voter, next_term=reply.next_term)
            return
        self.pre_votes |= {voter}
        voters = tuple(sorted(self.pre_votes))
        self.note("PV.3", next_term=reply.next_term, voters=voters, **{**self.tally(), "count": len(voters)})
        self.stand_if_wanted()

    def hear_from_leader(self, leader: str) -> None:
        super().hear_from_leader(leader)
        self.hears_leader, self.pre_votes = True, frozenset()
        self.set_timer("leader silent", self.election_timeout[0])

    @on_timer("leader silent")
    def leader_is_silent(self) -> None:
        self.note("PV.silence", leader=self.leader_id, timeout=self.election_timeout[0])
        self.hears_leader = False

    def become_leader(self) -> None:
        self.pre_votes = frozenset()
        super().become_leader()

    def become_candidate(self) -> None:
        self.cancel_timer("leader silent")
        self.hears_leader = False
        super().become_candidate()
