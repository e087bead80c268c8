"""Logs: forced records, which are on disk before anything else happens, and lazy ones, which a crash may lose.

A record that is forced goes to the disk at once, with all lazy ones before it. A lazy one waits in memory for the next
that is forced (Mohan, Lindsay, Obermarck 1986, section 2: "force-writes" and "writes"). A real log also writes what
waits when its buffer is full, or after a while; here it waits for ever, so that every loss there can be is seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from patterns.engine.process import Process, durable
from patterns.engine.values import Value

from .messages import Move, Outcome


class Account(Value):
    """A row: a customer's money."""

    name: str
    balance: int


class Record(Value, tag=True):
    """A record of a log; `txn` is the transaction's name."""

    txn: str


class Collecting(Record):
    """A coordinator is about to collect votes: its first record, where the protocol has one."""

    participants: tuple[str, ...]
    moves: tuple[Move, ...] = ()
    """What the client asked for: the same name with other moves is refused."""


class Prepared(Record):
    """A participant votes yes. `redo` is what it will write, so that it can commit after a crash too."""

    coordinator: str
    participants: tuple[str, ...]
    """The others to ask; empty where it was not told."""
    redo: tuple[Account, ...]


class Ready(Record):
    """Three-phase commit: all voted yes, this participant knows it, and may commit (BHG: committable)."""


class Committed(Record):
    """At the coordinator this is the decision, with those that have to be told, and what the client asked for."""

    participants: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()


class Aborted(Record):
    """At the coordinator this is the decision, with those that have to be told, and what the client asked for."""

    participants: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()


class End(Record):
    """All have acknowledged: the coordinator need not remember the transaction."""


Records = Collecting | Prepared | Ready | Committed | Aborted | End


class Logged(Process, kw_only=True):
    """A process with a log."""

    log: tuple[Records, ...] = durable(())
    """On disk."""
    buffer: tuple[Records, ...] = ()
    """Lazy records that wait in memory for the next forced one."""
    waited: frozenset[int] = durable(frozenset())
    """The places in the log of lazy records, which waited in memory first. Only to be shown: no rule reads it."""

    def force(self, record: Records) -> None:
        """Write this record, and all that wait, to the disk: before anything that is sent in this step."""
        self.write((*self.buffer, record))
        self.buffer = ()

    def write_lazily(self, record: Records) -> None:
        """Let this record go to the disk with the next forced one."""
        self.buffer = (*self.buffer, record)

    def flush(self) -> None:
        """Write what waits."""
        if self.buffer:
            self.write(self.buffer)
            self.buffer = ()

    def write(self, records: tuple[Records, ...]) -> None:
        """One write to the disk, of those that wait first."""
        first = len(self.log)
        self.waited |= set(range(first, first + len(self.buffer)))
        self.log = (*self.log, *records)

    def records_of(self, txn: str) -> tuple[Records, ...]:
        """The log's records of a transaction, also those that wait to be written."""
        return tuple([record for record in (*self.log, *self.buffer) if record.txn == txn])

    def logged_outcome(self, txn: str) -> Outcome | None:
        """The decision that the records hold, or None."""
        return outcome_in(self.records_of(txn))


def outcome_in(records: tuple[Records, ...]) -> Outcome | None:
    """What the records of one transaction say was decided."""
    for record in records:
        if isinstance(record, Committed):
            return "commit"
        if isinstance(record, Aborted):
            return "abort"
    return None


def by_transaction(log: tuple[Records, ...]) -> Iterator[tuple[str, tuple[Records, ...]]]:
    """The transactions of a log in the order they began, each with its records."""
    for txn in dict.fromkeys(record.txn for record in log):
        yield txn, tuple(record for record in log if record.txn == txn)
