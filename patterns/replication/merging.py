"""Every replica takes writes, and replicas merge their states when they meet.

A merge gives the same in any order, twice, or late: states are a semilattice (Shapiro et al. 2011, 2.2). A replica
that loses its disk goes on under a new name, so that no dot is given twice.
"""

from __future__ import annotations

from typing import Any

from patterns.engine.clients import Done
from patterns.engine.process import Message, Process, durable, on, on_request
from patterns.engine.table import Table

from .client import Count, Operation, Read, Remove, Write, refuse
from .versions import KINDS, Data, Dotted, Plain, Stamped, Tombstones, Vector

Change = Write | Remove | Count


class State(Message):
    """All that the sender has."""

    state: Any


class Meet(Message):
    """The replica is to send its state to all others."""


class LoseDisk(Message):
    """The replica's disk is replaced by an empty one."""


class Copy(Process):
    """A replica that merges."""

    peers: tuple[str, ...]
    data: str
    # How many disks it has had.
    life: int = durable(1)
    state: Data | None = durable(None)
    # Each client's last change here, and its answer: a retry changes nothing.
    answered: Table[tuple[Change, Done]] = durable(Table[tuple[Change, Done]]())

    def serves(self, body: Operation) -> bool:
        return True

    @property
    def has(self) -> Any:
        return KINDS[self.data] if self.state is None else self.state

    def actor(self) -> str:
        """The name in dots: a new one for each disk, because the counts are lost with the disk."""
        return self.id if self.life == 1 else f"{self.id}-{self.life}"

    @on_request(Write, Remove, Count)
    def client_changes(self, client: str, request: Change) -> None:
        known, done = self.answered.get(client) or (None, None)
        if known is None or known.serial != request.serial:
            rule, self.state = self.changed(request)
            self.note(rule, client=client, request=request, shown=self.has.shown)
            self.answered = self.answered.put(client, (request, self.done(client, request.serial)))
            self.meet()
        elif known != request:
            refuse(self, "M.misused", client, request, known)
        else:
            self.note("M.again", client=client, request=request)
            self.reply(client, done)

    def changed(self, request: Change) -> tuple[str, Data]:
        """The rule, and the state after the request."""
        now = self.has
        if isinstance(request, Remove):
            return "M.remove", self.removed(now, request.value)
        if isinstance(request, Count):
            return "M.count", now.counted(self.actor())
        if isinstance(now, Stamped):
            return "M.write", self.merge(now, Stamped(self.stamp(now), self.actor(), request.value))
        if self.data.startswith("set"):
            return "M.add", now.added(self.actor(), str(request.value))
        return "M.write", self.written(now, str(request.value), request.context)

    def written(self, now: Plain | Dotted, value: str, context: Vector) -> Data:
        """The state after a write of a client that has seen `context`."""
        return now.written(self.actor(), value, context)

    def stamp(self, now: Stamped) -> int:
        """Later than all stamps seen here (Lamport 1978), whatever the clock says."""
        return now.time + 1

    def removed(self, now: Dotted | Tombstones, item: str) -> Data:
        return now.removed(item)

    @on_request(Read)
    def client_reads(self, client: str, request: Read) -> None:
        self.note("M.read", client=client, shown=self.has.shown)
        self.done(client, request.serial)

    def done(self, client: str, serial: int) -> Done:
        shown = self.has.shown
        value = (shown[0] if shown else None) if self.data == "last write" else shown
        done = Done(serial, value, self.has.seen)
        self.reply(client, done)
        return done

    # Meeting

    def meet(self) -> None:
        for peer in self.peers:
            self.send(peer, State(self.has))

    @on_request(Meet)
    def must_meet(self, monitor: str, request: Meet) -> None:
        self.note("M.meet", shown=self.has.shown)
        self.meet()
        self.reply(monitor, "done")

    @on(State)
    def state_comes(self, sender: str, message: State) -> None:
        before = self.has
        after = self.merge(before, message.state)
        self.note("M.same" if after == before else "M.merge", sender=sender, shown=after.shown)
        self.state = after

    def merge(self, mine: Any, theirs: Any) -> Data:
        merged: Data = mine.merged(theirs)
        return merged

    @on_request(LoseDisk)
    def disk_is_lost(self, monitor: str, request: LoseDisk) -> None:
        self.state, self.answered, self.life = None, Table(), self.life + 1
        self.note("M.lost", name=self.actor())
        self.reply(monitor, "done")
