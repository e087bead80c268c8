"""Quorums: N replicas, a write waits for W of them, a read for R (Gifford 1979; ABD 1995; Dynamo 2007, 4.5 and 4.6).

Each replica coordinates the operations of the clients that ask it. A write may ask for the newest version first; a read
may write back what it found before it answers (Attiya, Bar-Noy and Dolev 1995, 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec.structs import replace

from patterns.engine.clients import Done, Unknown
from patterns.engine.process import Message, Process, durable, on, on_request, on_timer
from patterns.engine.table import Table
from patterns.engine.values import Value

from .client import Operation, Read, Write, refuse


class Version(Value, order=True):
    """A version of the line: a number, and the replica that gave it. So any two versions have an order everywhere."""

    number: int = 0
    by: str = ""
    # Empty: nothing, or a tombstone.
    value: str = ""


NOTHING = Version()


class Store(Message):
    """Keep this version, for another replica if `hint` names one."""

    op: str
    version: Version
    hint: str = ""


class Stored(Message):
    op: str


class Query(Message):
    op: str


class Held(Message):
    op: str
    version: Version


class Op(Value):
    """An operation that this replica coordinates."""

    client: str
    request: Read | Write
    phase: Literal["query", "store", "answered"]
    version: Version = NOTHING
    # What replicas answered.
    held: Table[Version] = Table()
    # The replicas that have `version`, stand-ins included.
    stored: frozenset[str] = frozenset()


class Keeper(Process):
    """A replica, and a coordinator."""

    peers: tuple[str, ...]
    # The N replicas. Others stand in for them.
    replicas: tuple[str, ...]
    spares: tuple[str, ...]
    # R; 0 for a majority.
    read: int
    # W; 0 for a majority.
    write: int
    # What a read does with replicas that hold an older version: nothing, write back after or before the answer.
    repair: Literal["none", "later", "first"]
    # A write asks for the newest version, so that several writers agree on the order.
    ask_first: bool
    patience: int
    version: Version = durable(NOTHING)
    # What is kept here for others.
    hints: Table[Version] = durable(Table[Version]())
    ops: Table[Op] = Table()

    def majority(self) -> int:
        """More than half of N: any two majorities share a replica (Gifford 1979)."""
        return len(self.replicas) // 2 + 1

    @property
    def need(self) -> tuple[int, int]:
        """R and W."""
        return self.read or self.majority(), self.write or self.majority()

    def serves(self, body: Operation) -> bool:
        return self.id in self.replicas

    # Coordinating

    def is_known(self, client: str, request: Read | Write) -> bool:
        """A retry at the same coordinator begins nothing new."""
        op = self.ops.get(f"{client}{request.serial}")
        if op is None:
            return False
        if op.request != request:
            refuse(self, "Q.misused", client, request, op.request)
            return True
        self.note("Q.again", client=client, request=request)
        if op.phase == "answered":
            self.reply(client, Done(request.serial, op.version.value or None))
        return True

    @on_request(Write)
    def client_writes(self, client: str, request: Write) -> None:
        if self.is_known(client, request):
            return
        self.note("Q.write", client=client, request=request, need=self.need[1])
        op = Op(client, request, "query")
        if self.ask_first:
            self.ask(op)
        else:
            self.store(op, Version(self.version.number + 1, self.id, request.value or ""))

    @on_request(Read)
    def client_reads(self, client: str, request: Read) -> None:
        if self.is_known(client, request):
            return
        self.note("Q.read", client=client, need=self.need[0])
        self.ask(Op(client, request, "query"))

    def ask(self, op: Op) -> None:
        self.keep(op)
        for replica in self.others():
            self.send(replica, Query(_name(op)))
        self.set_timer("late", self.patience, about=_name(op))
        if self.id in self.replicas:
            self.reply_held(_name(op), self.id, self.version)

    def store(self, op: Op, version: Version) -> None:
        # ABD 3: a write, and a read that writes back, ends when W replicas have the version.
        have = frozenset(name for name, held in op.held if held == version)
        op = replace(op, phase="store", version=version, stored=have)
        self.keep(op)
        for replica in self.others():
            if replica not in have:
                self.send(replica, Store(_name(op), version))
        self.set_timer("late", self.patience, about=_name(op))
        if self.id in self.replicas:
            self.take(version)
            self.count_stored(_name(op), self.id)

    def others(self) -> tuple[str, ...]:
        return tuple(replica for replica in self.replicas if replica != self.id)

    def keep(self, op: Op) -> None:
        self.ops = self.ops.put(_name(op), op)

    @on(Held)
    def replica_holds(self, replica: str, held: Held) -> None:
        self.reply_held(held.op, replica, held.version)

    def reply_held(self, name: str, replica: str, version: Version) -> None:
        op = self.ops.get(name)
        if op is None or replica in op.held or op.phase == "store":
            return
        op = replace(op, held=op.held.put(replica, version))
        self.keep(op)
        self.note("Q.held", replica=replica, version=version, count=len(op.held), need=self.need[0])
        if op.phase == "query" and len(op.held) >= self.need[0]:
            newest = self.newest(dict(op.held))
            self.note("Q.found", held=op.held.names, version=newest)
            self.found(op, newest)
        elif op.phase == "answered" and self.repair == "later" and version < op.version:
            self.repairs(op, (replica,))

    def newest(self, held: Mapping[str, Version]) -> Version:
        """The version that counts among the answers: the highest, not the most frequent (Dynamo 4.5)."""
        return max(held.values())

    def found(self, op: Op, newest: Version) -> None:
        old = tuple(name for name, version in op.held if version < newest)
        if isinstance(op.request, Write):
            self.store(op, Version(newest.number + 1, self.id, op.request.value or ""))
        elif self.repair == "first" and self.must_write_back(dict(op.held), newest):
            self.note("Q.back", version=newest, old=old)
            self.store(op, newest)
        else:
            self.answer(replace(op, version=newest))
            if self.repair == "later":
                self.repairs(op, old)

    def must_write_back(self, held: Mapping[str, Version], newest: Version) -> bool:
        """Whether fewer than W replicas are known to have the version: then another read could miss it."""
        return sum(version == newest for version in held.values()) < self.need[1]

    def repairs(self, op: Op, old: tuple[str, ...]) -> None:
        """Read repair: the replicas that answered with an older version get the newest one, as it is."""
        newest = self.newest(dict(op.held))
        for replica in old:
            self.note("Q.repair", replica=replica, version=newest)
            if replica == self.id:
                self.take(self.resent(newest))
            else:
                self.send(replica, Store(_name(op), self.resent(newest)))

    def resent(self, version: Version) -> Version:
        """A repair, or a hint that goes home, keeps the number of its write: it loses against a newer one."""
        return version

    @on(Stored)
    def replica_stored(self, replica: str, stored: Stored) -> None:
        hint = self.hints.get(replica)
        if hint is not None and stored.op == f"hint {hint.number}":
            self.note("Q.arrived", absent=replica, version=hint)
            self.hints = self.hints.without(replica)
        self.count_stored(stored.op, replica)

    def count_stored(self, name: str, replica: str) -> None:
        op = self.ops.get(name)
        if op is None or replica in op.stored or op.phase == "query":
            return
        op = replace(op, stored=op.stored | {replica})
        self.keep(op)
        self.note("Q.stored", replica=replica, version=op.version, count=len(op.stored), need=self.need[1])
        if op.phase == "store" and len(op.stored) >= self.need[1]:
            self.answer(op)

    def answer(self, op: Op) -> None:
        self.note("Q.answer", client=op.client, version=op.version, have=tuple(sorted(op.stored or op.held.names)))
        self.reply(op.client, Done(op.request.serial, op.version.value or None))
        self.keep(replace(op, phase="answered"))
        self.cancel_timer("late", about=_name(op))

    @on_timer("late")
    def answers_are_late(self, name: str) -> None:
        op = self.ops.get(name)
        if op is None:
            return
        missing = [replica for replica in self.replicas if replica not in op.stored]
        if op.phase == "store" and self.spares and op.stored.isdisjoint(self.spares):
            # Sloppy quorum (Dynamo 4.6): another replica keeps the version, with a hint for whom.
            for spare, absent in zip(self.spares, missing, strict=False):
                self.note("Q.hint", spare=spare, absent=absent, version=op.version)
                self.send(spare, Store(name, op.version, absent))
            self.set_timer("late", self.patience, about=name)
        else:
            # Some replicas may have the version. The write is not undone: its outcome is unknown.
            self.note("Q.unknown", client=op.client, request=op.request)
            self.reply(op.client, Unknown(op.request.serial))
            self.ops = self.ops.without(name)

    # Keeping

    def take(self, version: Version) -> None:
        """Only a newer version replaces an older one."""
        if version > self.version:
            self.note("Q.take", version=version)
            self.version = version

    @on(Store)
    def version_comes(self, sender: str, store: Store) -> None:
        if store.hint:
            self.note("Q.keep", version=store.version, absent=store.hint)
            self.hints = self.hints.put(store.hint, store.version)
            self.set_timer("home", self.patience)
        else:
            self.take(store.version)
        self.send(sender, Stored(store.op))

    @on(Query)
    def version_is_asked(self, sender: str, query: Query) -> None:
        self.send(sender, Held(query.op, self.version))

    @on_timer("home")
    def hint_goes_home(self) -> None:
        for absent, version in self.hints:
            self.note("Q.home", absent=absent, version=version)
            self.send(absent, Store(f"hint {version.number}", self.resent(version)))
        if self.hints:
            self.set_timer("home", 4 * self.patience)

    def on_restart(self) -> None:
        if self.hints:
            self.set_timer("home", self.patience)


def _name(op: Op) -> str:
    return f"{op.client}{op.request.serial}"
