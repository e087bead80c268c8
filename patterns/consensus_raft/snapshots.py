"""Snapshots, an extension beside the core: a log that does not grow for ever (section 7 and its Figure 13).

Each server by itself replaces the entries that it has applied by a snapshot: the state machine after them, clients'
sessions included. A follower that needs an entry which the leader has discarded gets the leader's snapshot, in parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from patterns.engine.params import Count
from patterns.engine.process import Message, durable, on, on_timer, setting
from patterns.engine.sentences import rules_of
from patterns.engine.step import Rule
from patterns.engine.table import Table
from patterns.engine.values import Value

from .clients import Server
from .cluster import RaftCluster
from .messages import Entry
from .rules import RULES
from .snapshot_properties import ALWAYS
from .state_machine import StateMachine


class Snapshot(Value):
    """The state machine after all entries up to one (section 7)."""

    last_included_index: int = 0
    last_included_term: int = 0
    data: bytes = b""
    """The state machine as JSON. Equal state machines have equal bytes."""

    @property
    def number(self) -> int:
        """Which of two snapshots is the newer one."""
        return self.last_included_index

    @property
    def state_machine(self) -> StateMachine:
        return msgspec.json.decode(self.data, type=StateMachine) if self.data else StateMachine()


class Position(Value):
    """Where an entry stands: its index and its term. Both are 0 before the first entry."""

    index: int = 0
    term: int = 0


class Incoming(Value):
    """The part of a leader's snapshot that has arrived so far."""

    term: int
    """The leader's: another leader begins anew."""
    index: int
    data: bytes = b""


class Outgoing(Value):
    """The snapshot that a follower gets. The leader may have a newer one by now: a follower gets one to its end."""

    snapshot: Snapshot
    waits: bool = False
    """Whether the next part was sent since the last heartbeat."""
    offset: int = 0
    """How many bytes of it the follower has."""


class InstallSnapshot(Message):
    """A part of the leader's snapshot, from byte `offset` on (Figure 13)."""

    term: Count
    leader_id: str
    last_included_index: Count
    last_included_term: Count
    offset: Count
    data: bytes
    done: bool
    """Whether this is the last part."""
    read_round: Count = 0
    """As in AppendEntries."""

    @property
    def end(self) -> int:
        return self.offset + len(self.data)


class InstallSnapshotReply(Message):
    """In Figure 13 the answer has only the term. Here messages may be lost or doubled, so it also says what arrived."""

    term: Count
    last_included_index: Count
    installed: bool
    """Whether the follower has all that the snapshot has."""
    offset: Count = 0
    """How many bytes of it the follower has."""
    read_round: Count = 0


class SnapshotServer(Server):
    """A Raft server whose log ends at both ends."""

    rules: ClassVar[Mapping[str, Rule]] = {**RULES, **rules_of(__package__, "snapshots.toml")}
    in_file: ClassVar[str] = "snapshot"
    """A real run keeps this field in a file of its own (`runtime/snapshot_files.py`)."""

    snapshot_after: int = setting(500)
    """It takes a snapshot when it has applied so many entries since the last one."""
    trailing: int = setting(500)
    """So many entries before the snapshot stay in the log, for followers that are a little behind."""
    part_size: int = setting(1 << 16)
    """At most so many bytes of a snapshot in one InstallSnapshot."""
    apply_at_once: int = setting(20)
    """It applies at most so many entries in one handler: meanwhile no heartbeat is sent or heard."""

    # Persistent state
    snapshot: Snapshot = durable(Snapshot())
    before_log: Position = durable(Position())
    """The last entry that was discarded; `log` begins after it."""

    # Volatile state of a follower, and of a leader for each peer
    incoming: Incoming | None = None
    outgoing: Table[Outgoing] = Table()

    # The log, without the entries that were discarded

    @property
    def first_log_index(self) -> int:
        return self.before_log.index + 1

    def term_at(self, index: int) -> int:
        return self.before_log.term if index == self.before_log.index else super().term_at(index)

    def agrees_at(self, prev_log_index: int, prev_log_term: int) -> bool:
        # Discarded entries were committed: every leader of this term or a later one has them.
        return prev_log_index < self.before_log.index or super().agrees_at(prev_log_index, prev_log_term)

    def first_conflict(self, prev_log_index: int, entries: tuple[Entry, ...]) -> int | None:
        discarded = max(0, self.before_log.index - prev_log_index)
        return super().first_conflict(prev_log_index + discarded, entries[discarded:])

    def first_of_term(self) -> int:
        # An entry of this term that was discarded is committed.
        return self.before_log.index if self.before_log.term == self.current_term else super().first_of_term()

    def keeps_tail(self, snapshot: Snapshot) -> bool:
        """Whether the log has the snapshot's last entry. What follows that entry is then as good as before (rule 6)."""
        last, term = snapshot.last_included_index, snapshot.last_included_term
        return self.before_log.index <= last and super().agrees_at(last, term)

    def compact(self) -> None:
        """Discard the entries that the snapshot replaces. Where the log does not agree with it, discard the log."""
        at = Position(self.snapshot.last_included_index, self.snapshot.last_included_term)
        kept: tuple[Entry, ...] = ()
        if self.keeps_tail(self.snapshot):
            last = max(self.before_log.index, at.index - self.trailing)
            kept = self.log[last - self.before_log.index :]
            at = Position(last, self.term_at(last)) if last < at.index else at
        self.before_log, self.log = at, kept

    # All servers

    def apply_committed(self) -> None:
        self.apply_up_to(min(self.commit_index, self.last_applied + self.apply_at_once))
        if self.last_applied < self.commit_index:
            self.set_timer("apply", 0)
        if self.last_applied - self.snapshot.last_included_index >= self.snapshot_after:
            self.set_timer("snapshot", 0)

    @on_timer("apply")
    def apply_more(self) -> None:
        self.apply_committed()
        self.serve_reads()

    @on_timer("snapshot")
    def take_snapshot(self) -> None:
        # Section 7: each server takes snapshots by itself, of committed entries only.
        index, term, length = self.last_applied, self.term_at(self.last_applied), len(self.log)
        self.snapshot = Snapshot(index, term, self.image())
        self.compact()
        self.note("SN.1", index=index, term=term, count=length - len(self.log))

    def image(self) -> bytes:
        """The state machine as a snapshot holds it. With the sessions, or a retry would be executed again."""
        return msgspec.json.encode(self.state_machine)

    def reset(self) -> None:
        """Rule 8: the state machine is as the snapshot has it."""
        self.state_machine = self.snapshot.state_machine
        self.last_applied = self.commit_index = self.snapshot.last_included_index

    def on_restart(self) -> None:
        super().on_restart()
        if self.snapshot.last_included_index:
            self.compact()  # the crash may have come after the snapshot was written, and before the log was
            self.reset()
            self.note("SN.up", index=self.last_applied)

    # Followers

    @on(InstallSnapshot)
    def install_snapshot(self, leader: str, part: InstallSnapshot) -> None:
        # 1. Refuse a leader of an older term.
        if part.term < self.current_term:
            self.note("IS.1", leader=leader, term=part.term, current_term=self.current_term)
            self.send(leader, InstallSnapshotReply(self.current_term, part.last_included_index, False))
            return
        self.hear_from_leader(leader)
        if self.is_news(part):
            self.take_part(leader, part)
        else:
            self.ignore_part(leader, part)
        index, installed = part.last_included_index, part.last_included_index <= self.commit_index
        has = len(self.incoming.data) if self.incoming and not installed else 0
        self.send(leader, InstallSnapshotReply(self.current_term, index, installed, has, part.read_round))

    def ignore_part(self, leader: str, part: InstallSnapshot) -> None:
        self.note("IS.old", leader=leader, index=part.last_included_index, commit_index=self.commit_index)

    def is_news(self, part: InstallSnapshot) -> bool:
        """Whether the snapshot has more than this server knows to be committed: a network may deliver an old one."""
        return part.last_included_index > self.commit_index

    def take_part(self, leader: str, part: InstallSnapshot) -> None:
        # 2. With the first part begin a new snapshot.
        incoming = Incoming(part.term, part.last_included_index)
        if self.incoming and (self.incoming.term, self.incoming.index) == (incoming.term, incoming.index):
            incoming = self.incoming
        # 3. Write the part where it belongs; one that came twice, or too early, is not written.
        has = len(incoming.data)
        if self.fits(part, has):
            incoming = msgspec.structs.replace(incoming, data=incoming.data + part.data)
        self.incoming = incoming
        values = {"leader": leader, "index": part.last_included_index, "offset": part.offset, "end": part.end}
        if not self.fits(part, has):
            self.note("IS.3.gap", has=has, **values)
        elif not part.done:
            # 4. Wait for more.
            self.note("IS.4", **values)
        else:
            self.install(leader, Snapshot(part.last_included_index, part.last_included_term, incoming.data))

    def fits(self, part: InstallSnapshot, has: int) -> bool:
        """Whether the part follows the bytes that are there."""
        return part.offset == has

    def install(self, leader: str, snapshot: Snapshot) -> None:
        # 5. Save the snapshot. 6. Keep what follows it in the log, or 7. discard the whole log.
        length, kept = self.last_log_index, self.keeps_tail(snapshot)
        self.snapshot, self.incoming = snapshot, None
        self.compact()
        values = {"leader": leader, "index": snapshot.last_included_index, "term": snapshot.last_included_term}
        self.note("IS.6" if kept else "IS.7", length=length, **values)
        # 8. Reset the state machine.
        self.reset()
        self.cancel_timer("apply")
        self.cancel_timer("snapshot")

    # Leaders

    def become_leader(self) -> None:
        self.outgoing = Table()
        super().become_leader()

    def heartbeat(self) -> None:
        # A part that was not answered is sent again with the next heartbeat, not with each request.
        for follower, each in self.outgoing:
            self.outgoing = self.outgoing.put(follower, msgspec.structs.replace(each, waits=False))
        super().heartbeat()

    def send_append_entries(self, follower: str) -> None:
        # Section 7: where the next entry is discarded, the follower gets the snapshot instead.
        if self.next_index[follower] >= self.first_log_index:
            super().send_append_entries(follower)
        elif not (outgoing := self.outgoing.get(follower) or Outgoing(self.snapshot)).waits:
            self.send_part(follower, outgoing.snapshot, outgoing.offset)

    def send_part(self, follower: str, snapshot: Snapshot, offset: int) -> None:
        data = snapshot.data[offset : offset + self.part_size]
        end, size = offset + len(data), len(snapshot.data)
        last = (snapshot.last_included_index, snapshot.last_included_term)
        values = {"index": last[0], "offset": offset, "end": end, "size": size}
        self.note("IS.send", follower=follower, next_index=self.next_index[follower], **values)
        state = (self.current_term, self.id, *last)
        self.send(follower, InstallSnapshot(*state, offset, data, end == size, self.read_round))
        self.outgoing = self.outgoing.put(follower, Outgoing(snapshot, waits=True, offset=offset))

    @on(InstallSnapshotReply)
    def receive_snapshot_reply(self, follower: str, reply: InstallSnapshotReply) -> None:
        if self.role != "leader" or reply.term < self.current_term:
            self.note_late(follower, reply.term)
            return
        self.note_round(follower, reply.term, reply.read_round)
        index, outgoing = reply.last_included_index, self.outgoing.get(follower)
        if outgoing is None or index != outgoing.snapshot.last_included_index:
            self.advance_follower(follower, 0)  # the answer is late: this snapshot is there
        elif reply.installed or reply.offset == outgoing.offset:
            self.outgoing = self.outgoing.without(follower) if reply.installed else self.outgoing
            self.advance_follower(follower, index if reply.installed else 0)
        else:
            self.note("IS.next", follower=follower, index=index, offset=reply.offset)
            self.send_part(follower, outgoing.snapshot, reply.offset)
        self.serve_reads()

    def impossible(self, sender: str, message: Any) -> str:
        if isinstance(message, InstallSnapshotReply):
            index, outgoing = message.last_included_index, self.outgoing.get(sender)
            size = len(outgoing.snapshot.data) if outgoing else 0
            if outgoing and index == outgoing.snapshot.last_included_index and message.offset > size:
                return f"it has {message.offset} bytes of a snapshot of {size}"
            return self.beyond(message, index)
        if not isinstance(message, InstallSnapshot):
            return super().impossible(sender, message)
        if message.last_included_term > message.term:
            return f"term {message.term} cannot have an entry of term {message.last_included_term}"
        return self.led_here(message.term)


class SnapshotCluster(RaftCluster):
    """A cluster whose servers take snapshots. The snapshots are short, so that they are taken and sent soon."""

    name = "consensus_raft_snapshots"
    server: ClassVar[type[SnapshotServer]] = SnapshotServer
    rules = SnapshotServer.rules
    always = ALWAYS
    prompt = frozenset({"apply", "snapshot"})

    class Params(RaftCluster.Params, frozen=True):
        servers: Annotated[int, Meta(ge=1, le=9)] = 3
        """How many servers the cluster has."""
        snapshot_after: Annotated[int, Meta(ge=1)] = 3
        """A server takes a snapshot when it has applied so many entries since the last one."""
        trailing: Count = 0
        """So many entries before a snapshot stay in the log."""
        part_size: Annotated[int, Meta(ge=1)] = 100
        """At most so many bytes of a snapshot in one message."""

    params: Params

    def processes(self) -> Sequence[Server]:
        settings = {name: getattr(self.params, name) for name in ("snapshot_after", "trailing", "part_size")}
        return [msgspec.structs.replace(server, **settings) for server in super().processes()]
