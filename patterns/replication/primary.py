"""Primary and backups: one replica orders all writes and ships its log (PacificA 2008; Kafka's KIP-101 and KIP-279).

How long the primary waits before it answers is the parameter `mode`: for the whole in-sync set, for one backup, or not.
"""

from __future__ import annotations

from itertools import takewhile

from patterns.engine.clients import Done, NotHere
from patterns.engine.process import Message, Process, durable, on, on_request, on_timer
from patterns.engine.table import Table
from patterns.engine.values import Value

from .client import Operation, Read, Write, refuse
from .configuration import Ask, Change, View


class Entry(Value):
    """A line of the log, with the epoch in which a primary wrote it, and the client that asked."""

    epoch: int
    value: str | None
    client: str
    serial: int


Log = tuple[Entry, ...]
# For each epoch in a log, oldest first: where its entries end.
Ends = tuple[tuple[int, int], ...]


class Ship(Message):
    """Entries from position `at` on; none only to ask for an answer."""

    epoch: int
    at: int
    entries: Log
    watermark: int
    round: int


class Got(Message):
    """The log is on disk up to `length`. `wants` asks for all after it."""

    epoch: int
    length: int
    round: int = 0
    wants: bool = False


class Where(Message):
    """Where does your log part from mine?"""

    epoch: int
    ends: Ends


class EndOf(Message):
    """Our logs are the same up to `end`."""

    epoch: int
    end: int
    # How long the log was that was asked about: an old answer does not count.
    length: int


class Wait(Value):
    """A client that waits until position `index` is acknowledged; a reader also until a round of answers is."""

    client: str
    serial: int
    index: int
    round: int
    reads: bool


def ends_of(log: Log) -> Ends:
    """Where each epoch's entries end.

    >>> ends_of((Entry(1, "milk", "X", 1), Entry(1, "eggs", "X", 2), Entry(3, "tea", "Y", 1)))
    ((1, 2), (3, 3))
    """
    return tuple({entry.epoch: at for at, entry in enumerate(log, start=1)}.items())


def last_common(mine: Ends, theirs: Ends) -> int:
    """The end of the last epoch that both logs have entries of (KIP-101; KIP-279 looks at all epochs).

    In one epoch one primary writes, so two logs agree up to the shorter end of it.
    """
    ours = dict(mine)
    return next((min(end, ours[epoch]) for epoch, end in reversed(theirs) if epoch in ours), 0)


def position_of(log: Log, client: str, serial: int) -> int:
    """Where a log has this request already; 0 if it has not. A retry is no second write."""
    return next((at for at, e in enumerate(log, 1) if (e.client, e.serial) == (client, serial)), 0)


class Replica(Process):
    """The first member of the set is the primary; all others, in the set or not, copy its log."""

    service: str
    peers: tuple[str, ...]
    mode: str
    # How long the primary waits for a member, in ms.
    timeout: int
    epoch: int = durable(0)
    members: tuple[str, ...] = durable(())
    log: Log = durable(())
    # Up to here the log is acknowledged, as far as this replica knows.
    watermark: int = durable(0)
    # The epoch whose primary this log was compared with.
    following: int = 0
    # memory of a primary
    stored: Table[int] = Table()
    rounds: Table[int] = Table()
    round: int = 0
    joining: tuple[str, ...] = ()
    waiting: tuple[Wait, ...] = ()

    @property
    def leads(self) -> bool:
        """Whether it takes itself for the primary: after a restart only once it has read the note again."""
        return self.members[:1] == (self.id,) and self.following == self.epoch

    def serves(self, body: Operation) -> bool:
        return self.leads

    @property
    def primary(self) -> str:
        return self.members[0]

    def on_start(self) -> None:
        self.following = self.epoch

    @on_timer("restarted")
    def on_restart(self) -> None:
        self.send(self.service, Ask(True))
        self.set_timer("restarted", self.timeout)

    # Epochs

    @on(View)
    def note_is_read(self, sender: str, view: View) -> None:
        if view.epoch < self.epoch:
            return
        self.cancel_timer("restarted")
        goes_on, news = self.leads and view.epoch == self.epoch + 1, view.epoch > self.epoch
        self.enter(view.epoch, view.members)
        if news and self.primary == self.id:
            self.lead(goes_on)
        elif not news and self.primary != self.id and self.following != self.epoch:
            # It has restarted: the note is the same, the primary knows nothing of it.
            self.ask_where(self.primary)

    def enter(self, epoch: int, members: tuple[str, ...]) -> None:
        led, self.epoch, self.members = self.leads, epoch, members
        if led and self.primary != self.id:
            self.step_down()

    def ask_where(self, leader: str) -> None:
        self.note("PB.where", leader=leader, epoch=self.epoch)
        self.send(leader, Where(self.epoch, ends_of(self.log)))

    def lead(self, goes_on: bool) -> None:
        self.note("PB.lead", epoch=self.epoch, members=self.members, length=len(self.log))
        self.following, self.joining = self.epoch, ()
        if not goes_on:
            self.stored, self.rounds, self.waiting = Table(), Table(), ()
        self.ship(len(self.log))
        self.settle()

    def step_down(self) -> None:
        # A deposed primary cannot say whether the writes that wait will be kept.
        self.note("PB.deposed", epoch=self.epoch, leader=self.primary)
        self.cancel_timer("silent")
        self.cancel_timer("ship")
        for wait in self.waiting:
            self.reply(wait.client, NotHere(wait.serial, self.primary))
        self.waiting, self.joining = (), ()

    def accepts(self, epoch: int) -> bool:
        """The fence: what comes from an older epoch does not count."""
        return epoch >= self.epoch

    # Clients

    @on_request(Write)
    def client_writes(self, client: str, request: Write) -> None:
        if self.is_elsewhere(client, request.serial):
            return
        index = position_of(self.log, client, request.serial)
        if index and self.log[index - 1].value != request.value:
            refuse(self, "PB.misused", client, request, self.log[index - 1])
            return
        if index:
            self.note("PB.again", client=client, request=request, index=index)
        else:
            self.log = (*self.log, Entry(self.epoch, request.value, client, request.serial))
            index = len(self.log)
            self.note("PB.write", client=client, value=request.value, index=index, epoch=self.epoch, mode=self.mode)
            if self.mode == "async":
                self.set_timer("ship", self.timeout // 2)
            else:
                self.ship(index - 1)
        self.wait(Wait(client, request.serial, index, 0, False))

    def is_elsewhere(self, client: str, serial: int) -> bool:
        if not self.leads:
            self.note("PB.elsewhere", client=client, leader=self.primary)
            self.reply(client, NotHere(serial, self.primary))
        return not self.leads

    @on_request(Read)
    def client_reads(self, client: str, request: Read) -> None:
        if self.is_elsewhere(client, request.serial):
            return
        # A read sees all writes before it, and is answered only once the set has confirmed the epoch.
        self.round += 1
        self.note("PB.read", client=client, index=len(self.log))
        if self.must_confirm():
            self.ship(len(self.log))
        self.wait(Wait(client, request.serial, len(self.log), self.round if self.must_confirm() else 0, True))

    def must_confirm(self) -> bool:
        """Whether a read waits for the set. An asynchronous primary answers alone."""
        return self.mode != "async"

    def wait(self, new: Wait) -> None:
        self.waiting = (*(wait for wait in self.waiting if wait.client != new.client), new)
        self.settle()

    # Shipping

    def ship(self, at: int, to: tuple[str, ...] = ()) -> None:
        """Send the log from `at` on, to all others or to these."""
        for peer in to or self.peers:
            self.send(peer, Ship(self.epoch, at, self.log[at:], self.watermark, self.round))
        if self.mode != "async" and len(self.members) > 1:
            self.set_timer("silent", self.timeout)

    @on_timer("ship")
    def ship_later(self) -> None:
        """An asynchronous primary ships what has come together."""
        self.ship(min(self.stored.get(peer) or 0 for peer in self.peers))

    @on(Ship)
    def shipment_arrives(self, sender: str, ship: Ship) -> None:
        if not self.accepts(ship.epoch):
            self.note("PB.fenced", sender=sender, epoch=ship.epoch, now=self.epoch)
            return
        if ship.epoch > self.epoch:
            goes_on = self.following == self.epoch == ship.epoch - 1 and self.members[:1] == (sender,)
            self.enter(ship.epoch, (sender, *(m for m in self.members if m != sender)))
            self.following = ship.epoch if goes_on else 0
        if self.following != self.epoch:
            self.ask_where(sender)
        elif ship.at > len(self.log):
            self.note("PB.gap", at=ship.at, length=len(self.log))
            self.send(sender, Got(ship.epoch, len(self.log), wants=True))
        else:
            new = ship.entries[len(self.log) - ship.at :]
            self.log += new
            self.watermark = max(self.watermark, min(ship.watermark, len(self.log)))
            if new:
                self.note("PB.copy", values=new, length=len(self.log))
            self.send(sender, Got(ship.epoch, len(self.log), ship.round))

    @on(Where)
    def backup_asks_where(self, backup: str, where: Where) -> None:
        if self.leads and where.epoch == self.epoch:
            length = where.ends[-1][1] if where.ends else 0
            self.send(backup, EndOf(self.epoch, last_common(ends_of(self.log), where.ends), length))

    @on(EndOf)
    def logs_part_here(self, sender: str, answer: EndOf) -> None:
        if (answer.epoch, answer.length) == (self.epoch, len(self.log)) and self.following != self.epoch:
            kept = self.cut(answer.end)
            if kept < len(self.log):
                self.note("PB.cut", lost=self.log[kept:], kept=kept)
            self.log = self.log[:kept]
            self.watermark = min(self.watermark, kept)
            self.following = self.epoch
            self.send(sender, Got(self.epoch, kept, wants=True))

    def cut(self, common: int) -> int:
        """How much of the log is kept: up to the end of the last common epoch."""
        return common

    @on(Got)
    def backup_has(self, backup: str, got: Got) -> None:
        if not self.leads or got.epoch != self.epoch:
            return
        if got.wants:
            self.ship(got.length, (backup,))
            return
        self.stored = self.stored.put(backup, max(got.length, self.stored.get(backup) or 0))
        self.rounds = self.rounds.put(backup, max(got.round, self.rounds.get(backup) or 0))
        self.note("PB.got", backup=backup, length=got.length, late=self.late())
        if got.length == len(self.log) and backup not in (*self.members, *self.joining):
            # From here on it counts, so that it has every acknowledged write when it is in the set.
            self.note("PB.joins", backup=backup)
            self.joining = (*self.joining, backup)
            self.send(self.service, Change(self.epoch, backup, "in"))
            self.set_timer("silent", self.timeout)
        self.settle()

    # Acknowledging

    def backups(self) -> tuple[str, ...]:
        return (*(member for member in self.members if member != self.id), *self.joining)

    def is_acknowledged(self, index: int) -> bool:
        """Whether this position is safe by the rule of the mode."""
        if self.mode == "async":
            return True
        have = [(self.stored.get(backup) or 0) >= index for backup in self.backups()]
        return all(have) if self.mode == "sync" else any(have) or not have

    def is_confirmed(self, wait: Wait) -> bool:
        """Whether the set has answered since the read arrived."""
        asked = [(self.rounds.get(backup) or 0) >= wait.round for backup in self.backups()]
        return not wait.round or all(asked)

    def settle(self) -> None:
        """Move the watermark, and answer the clients that waited for it."""
        positions = range(self.watermark + 1, len(self.log) + 1)
        self.watermark += len([*takewhile(self.is_acknowledged, positions)])
        ready = [wait for wait in self.waiting if wait.index <= self.watermark and self.is_confirmed(wait)]
        self.waiting = tuple(wait for wait in self.waiting if wait not in ready)
        for wait in ready:
            value = self.log[self.watermark - 1].value if wait.reads and self.watermark else None
            if wait.reads:
                self.note("PB.answer", client=wait.client, value=value, watermark=self.watermark)
            else:
                value = self.log[wait.index - 1].value
                have = (self.id, *(peer for peer, length in self.stored if length >= wait.index))
                self.note("PB.ack", client=wait.client, value=value, have=have)
            self.reply(wait.client, Done(wait.serial, value))
        if not self.waiting and not self.joining and not self.late():
            self.cancel_timer("silent")

    def late(self) -> tuple[str, ...]:
        """The members that have not answered the last shipment."""
        full, last = len(self.log), self.round
        stored, rounds = dict(self.stored), dict(self.rounds)
        return tuple(b for b in self.backups() if stored.get(b, 0) < full or rounds.get(b, 0) < last)

    @on_timer("silent")
    def members_are_silent(self) -> None:
        late = self.late()
        if late:
            self.note("PB.silent", late=late)
            self.ship(len(self.log), late)
            self.leave_out(late)
        for backup in self.joining:
            self.send(self.service, Change(self.epoch, backup, "in"))
            self.set_timer("silent", self.timeout)

    def leave_out(self, late: tuple[str, ...]) -> None:
        """The service decides who leaves the set, before the next acknowledgement (PacificA 2.2)."""
        for backup in late:
            self.send(self.service, Change(self.epoch, backup, "out"))
