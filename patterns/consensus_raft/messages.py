"""What Raft's servers say to one another and to their clients: the two RPCs of Figure 2, and a key-value store's words.

An RPC is two messages here, a request and its answer: a network may lose, double or reorder either of them.
"""

from __future__ import annotations

import msgspec

from patterns.engine.params import Count
from patterns.engine.process import Message
from patterns.engine.values import Value

# What clients ask for. A client numbers its requests, and repeats the number with a retry (section 8).


class Put(Message):
    """Set a key to a value."""

    serial: int
    key: str
    value: int


class Add(Message):
    """Add to a key's value; a key that was never set counts as 0. Done twice, it shows."""

    serial: int
    key: str
    by: int


class Get(Message):
    """Read a key. It never enters the log (section 8, and Ongaro's thesis 6.4)."""

    serial: int
    key: str


class Done(Message):
    """The request with this number was executed: the key's value afterwards, None for a key never set."""

    serial: int
    value: int | None


class NotLeader(Message):
    """Ask the leader instead: the one that this server knows of, if any."""

    serial: int
    leader: str | None


# What stands in the log


class NoOp(Value, tag=True):
    """Does nothing. A new leader's first entry: with it, it learns what is committed (section 8)."""


class Command(Value, tag=True):
    """A client's request, to be executed by every state machine."""

    client: str
    request: Put | Add


class Entry(Value):
    """One entry of a log: a command, and the term in which a leader received it."""

    term: int
    command: Command | NoOp = NoOp()


def size_of(entries: tuple[Entry, ...]) -> int:
    """How many bytes they have on the wire."""
    return len(_ENCODER.encode(entries))


_ENCODER = msgspec.msgpack.Encoder()


# The RPCs of Figure 2, in its names


class RequestVote(Message):
    """A candidate asks for a vote."""

    term: Count
    candidate_id: str
    last_log_index: Count
    last_log_term: Count


class RequestVoteReply(Message):
    term: Count
    vote_granted: bool


class AppendEntries(Message):
    """A leader's entries from `prev_log_index` + 1 on; none for a heartbeat."""

    term: Count
    leader_id: str
    prev_log_index: Count
    prev_log_term: Count
    entries: tuple[Entry, ...]
    leader_commit: Count
    read_round: Count = 0
    """Not in Figure 2: the round of leadership checks for reads that this message belongs to (thesis 6.4)."""

    @property
    def indices(self) -> range:
        """The indices of its entries."""
        return range(self.prev_log_index + 1, self.prev_log_index + 1 + len(self.entries))


class AppendEntriesReply(Message):
    """After a success, `match_index` is the last index up to which the log is known to agree with the leader's. After a
    refusal, the last two fields say where to try next (the fast back-up of section 5.3).
    """

    term: Count
    success: bool
    match_index: Count = 0
    appended: Count = 0
    """How many entries the request carried; 0 for the answer to a heartbeat."""
    read_round: Count = 0
    """The request's."""
    conflict_term: Count = 0
    """The term of the entry that does not agree; 0 where the log is too short to have one."""
    conflict_index: Count = 0
    """The first index of that term in the log, or the one after its end."""


def is_heartbeat(message: object) -> bool:
    """An AppendEntries without entries, or the answer to one that found nothing wrong."""
    if isinstance(message, AppendEntries):
        return not message.entries
    return isinstance(message, AppendEntriesReply) and message.success and not message.appended
