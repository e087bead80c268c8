"""What a Raft server knows, and the rules of Raft as questions about it.

Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)", 2014; numbers in
brackets are its sections. Each rule that can be got wrong is a small method: to break it, or to write it yourself, is a
subclass that overrides one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Literal

from patterns.engine.process import Process, durable, setting
from patterns.engine.step import Rule
from patterns.engine.table import Table

from .messages import AppendEntries, AppendEntriesReply, Entry, RequestVote, size_of
from .rules import RULES
from .state_machine import StateMachine

Role = Literal["follower", "candidate", "leader"]


class ServerState(Process):
    """The State box of Figure 2, and the rules that say what may be done in it. All times are in ms."""

    rules: ClassVar[Mapping[str, Rule]] = RULES

    peers: tuple[str, ...]
    """The other servers."""
    election_timeout: tuple[int, int] = setting((150, 300))
    """Drawn anew each time the timer starts, so that split votes are rare (5.2)."""
    heartbeat_interval: int = setting(50)
    max_entries: int = setting(100)
    """At most so many entries in one AppendEntries."""
    max_bytes: int = setting(1 << 18)
    """At most so many bytes of entries in one AppendEntries."""

    # Persistent state on all servers: on disk before any RPC is answered
    current_term: int = durable(0)
    voted_for: str | None = durable(None)
    log: tuple[Entry, ...] = durable(())
    """`log[0]` is the entry at `first_log_index`."""

    # Volatile state on all servers
    commit_index: int = 0
    last_applied: int = 0
    state_machine: StateMachine = StateMachine()
    role: Role = "follower"
    leader_id: str | None = None
    """Whom to send clients to."""

    # Volatile state on candidates
    votes: frozenset[str] = frozenset()
    """Who voted for it in this term."""

    # Volatile state on leaders; per peer
    next_index: Table[int] = Table()
    match_index: Table[int] = Table()
    read_round: int = 0
    """The last round of leadership checks that it began (`clients.py`)."""

    # The log

    @property
    def servers(self) -> int:
        """The size of the cluster."""
        return len(self.peers) + 1

    @property
    def first_log_index(self) -> int:
        """The index of `log[0]`: later than 1 only where a snapshot replaces the entries before it (`snapshots.py`)."""
        return 1

    @property
    def last_log_index(self) -> int:
        return self.first_log_index + len(self.log) - 1

    @property
    def last_log_term(self) -> int:
        return self.term_at(self.last_log_index)

    def entry_at(self, index: int) -> Entry:
        return self.log[index - self.first_log_index]

    def term_at(self, index: int) -> int:
        """The term of the entry at `index`; 0 at index 0, before the first entry."""
        return self.entry_at(index).term if index else 0

    def entries_after(self, index: int) -> tuple[Entry, ...]:
        """The entries that follow `index`, no more than fit one AppendEntries; where there is one, at least one."""
        place = index + 1 - self.first_log_index
        entries = self.log[place : place + self.max_entries]
        while len(entries) > 1 and size_of(entries) > self.max_bytes:
            entries = entries[: len(entries) // 2]
        return entries

    # The rules as predicates

    def is_majority(self, of: Collection[str]) -> bool:
        """Whether these servers are a majority. Any two majorities share a server (5.2)."""
        return 2 * len(of) > self.servers

    def vote_is_free(self, candidate: str) -> bool:
        """At most one vote a term, first come first served (5.2)."""
        return self.voted_for in (None, candidate)

    def log_is_up_to_date(self, last_log_index: int, last_log_term: int) -> bool:
        """Whether a log with that end is at least as up-to-date as ours: the later last term wins, then the longer
        log (5.4.1)."""
        return (last_log_term, last_log_index) >= (self.last_log_term, self.last_log_index)

    def may_grant(self, request: RequestVote) -> bool:
        """Whether to vote for the candidate: RequestVote rules 1 and 2. The candidate's term is not older (5.1). It
        gets the only vote of this term (5.2). Its log is at least as up-to-date as ours (5.4.1)."""
        return (
            request.term >= self.current_term
            and self.vote_is_free(request.candidate_id)
            and self.log_is_up_to_date(request.last_log_index, request.last_log_term)
        )

    def agrees_at(self, prev_log_index: int, prev_log_term: int) -> bool:
        """Whether our log has that entry; then all entries before it agree too (5.3)."""
        return prev_log_index <= self.last_log_index and self.term_at(prev_log_index) == prev_log_term

    def first_conflict(self, prev_log_index: int, entries: tuple[Entry, ...]) -> int | None:
        """The first index where we have an entry of another term than the leader. Entries that agree stay: the message
        may be an old one, and we may have more by now (AppendEntries rule 3)."""
        for index, entry in enumerate(entries, start=prev_log_index + 1):
            if index > self.last_log_index:
                return None
            if self.term_at(index) != entry.term:
                return index
        return None

    def last_new_index(self, message: AppendEntries) -> int:
        """How far our log is known to agree with the leader's: what follows may be the rest of an old term (rule 5)."""
        return message.prev_log_index + len(message.entries)

    def holders(self, index: int) -> tuple[str, ...]:
        """The servers known to hold the leader's entry at `index`, itself included."""
        return tuple(sorted([self.id, *(peer for peer, match in self.match_index if match >= index)]))

    def may_commit(self, index: int) -> bool:
        """A majority holds it, and it is of our own term: copies of an older entry prove nothing (5.4.2, Figure 8)."""
        return self.is_majority(self.holders(index)) and self.term_at(index) == self.current_term

    def committable_index(self) -> int:
        """The highest index that the leader may commit; everything before it is committed with it (5.3)."""
        for index in range(self.last_log_index, self.commit_index, -1):
            if self.may_commit(index):
                return index
        return self.commit_index

    # What no server can have sent that keeps to the rules

    def impossible(self, sender: str, message: Any) -> str:
        if isinstance(message, AppendEntriesReply):
            return self.beyond(message, max(message.match_index, message.conflict_index))
        if not isinstance(message, AppendEntries) or message.term < self.current_term:
            return ""
        prev, terms = message.prev_log_index, [message.prev_log_term, *(entry.term for entry in message.entries)]
        if [*terms, message.term] != sorted([*terms, message.term]):
            return f"terms never fall along a log, and these are {', '.join(map(str, [*terms, message.term]))}"
        conflict = self.first_conflict(prev, message.entries) if prev < self.commit_index else None
        if conflict is not None and conflict <= self.commit_index:
            return f"its entry {conflict} is another one than {self.id} has committed there"
        return self.led_here(message.term)

    def leads(self, term: int) -> bool:
        return self.role == "leader" and term == self.current_term

    def led_here(self, term: int) -> str:
        return f"{self.id} itself leads term {term}" if self.leads(term) else ""

    def beyond(self, reply: Any, index: int) -> str:
        """Whether a reply goes beyond what the peer was sent. Of this term, nothing of it is gone from our log."""
        if reply.term >= self.current_term and index > self.last_log_index:
            return f"it is about entry {index}, and the log of {self.id} ends at {self.last_log_index}"
        if self.leads(reply.term) and reply.read_round > self.read_round:
            return f"it answers leadership check {reply.read_round}, and the last one of {self.id} is {self.read_round}"
        return ""
