"""Chain replication (van Renesse and Schneider 2004): updates walk from head to tail, the tail answers.

Section 3 assumes fail-stop: a crash is noticed, and only a crash is. Links are first in, first out. `Hist` is the log,
`Sent` its part that the tail has not acknowledged yet.
"""

from __future__ import annotations

from typing import Literal

from patterns.engine.clients import Done, NotHere
from patterns.engine.process import Message, Process, on, on_request
from patterns.engine.table import Table

from .client import Operation, Read, Write, refuse
from .configuration import Ask, View
from .primary import Entry, Log, position_of


class Forward(Message):
    """Updates from position `at` on, to the successor."""

    at: int
    entries: Log


class Processed(Message):
    """The tail has processed all up to `length`; to the predecessor."""

    length: int


class Last(Message):
    """I am your successor now; this is how much I have, and how much the tail has processed."""

    view: View
    length: int
    acked: int


class Link(Process):
    """A server of the chain."""

    peers: tuple[str, ...]
    service: str
    # What a tail does before it answers a query: nothing, or ask whether it still is the tail.
    guard: Literal["none", "ask"]
    epoch: int = 1
    members: tuple[str, ...] = ()
    hist: Log = ()
    acked: int = 0
    # False for a new tail until it has its predecessor's history.
    ready: bool = True
    # Queries that wait: client -> serial.
    reads: Table[int] = Table()

    def on_start(self) -> None:
        self.ready = self.id in self.members

    # Places

    @property
    def sent(self) -> Log:
        return self.hist[self.acked :]

    @property
    def is_head(self) -> bool:
        return self.members[:1] == (self.id,)

    @property
    def is_tail(self) -> bool:
        return self.members[-1:] == (self.id,)

    def serves(self, body: Operation) -> bool:
        return self.is_head if isinstance(body, Write) else self.is_tail

    def neighbour(self, by: int) -> str:
        """The predecessor (-1) or successor (1); empty at the end of the chain."""
        at = self.members.index(self.id) + by if self.id in self.members else -1
        return self.members[at] if 0 <= at < len(self.members) else ""

    # Updates

    @on_request(Write)
    def update_arrives(self, client: str, request: Write) -> None:
        if not self.is_head:
            self.elsewhere(client, request.serial, self.members[0])
            return
        index = position_of(self.hist, client, request.serial)
        if index and self.hist[index - 1].value != request.value:
            refuse(self, "CH.misused", client, request, self.hist[index - 1])
        elif index:
            self.note("CH.again", client=client, index=index)
            if index <= self.acked:
                self.reply(client, Done(request.serial, request.value))
        else:
            self.note("CH.update", client=client, value=request.value, index=len(self.hist) + 1)
            self.append((Entry(self.epoch, request.value, client, request.serial),))

    def elsewhere(self, client: str, serial: int, place: str) -> None:
        self.note("CH.elsewhere", client=client, place=place)
        self.reply(client, NotHere(serial, place))

    def append(self, entries: Log) -> None:
        """Add to Hist, and to Sent; the tail answers instead (section 2)."""
        at = len(self.hist)
        self.hist += entries
        if self.is_tail:
            self.process()
        elif successor := self.neighbour(1):
            self.send(successor, Forward(at, entries))

    def process(self) -> None:
        """The tail answers all that it has not answered yet, and acknowledges to its predecessor."""
        sent, self.acked = self.sent, len(self.hist)
        for entry in sent:
            self.answer_update(entry)
        self.acknowledge()

    def answer_update(self, entry: Entry) -> None:
        self.note("CH.answer", client=entry.client, value=entry.value)
        self.reply(entry.client, Done(entry.serial, entry.value))

    def acknowledge(self) -> None:
        if predecessor := self.neighbour(-1):
            self.send(predecessor, Processed(self.acked))

    @on(Forward)
    def updates_come(self, sender: str, forward: Forward) -> None:
        # Only the predecessor counts, by the newest note: a server that is out of the chain is fenced.
        if sender != self.neighbour(-1) or forward.at > len(self.hist):
            self.note("CH.ignore", sender=sender)
            return
        new = self.fresh(forward)
        self.ready = True
        self.note("CH.take" if new else "CH.had", values=new, sender=sender, length=len(self.hist) + len(new))
        self.append(new)
        if not new and self.is_tail:
            self.process()

    def fresh(self, forward: Forward) -> Log:
        """What of it is new here: a new predecessor sends some updates again."""
        return forward.entries[len(self.hist) - forward.at :]

    @on(Processed)
    def tail_has_processed(self, sender: str, done: Processed) -> None:
        if sender != self.neighbour(1) or done.length <= self.acked:
            return
        self.acked = min(done.length, len(self.hist))
        self.note("CH.acked", length=self.acked, left=self.sent)
        self.acknowledge()

    # Queries

    @on_request(Read)
    def query_arrives(self, client: str, request: Read) -> None:
        if not self.is_tail or not self.ready:
            self.elsewhere(client, request.serial, self.members[-1])
        elif self.guard == "ask":
            self.note("CH.ask", client=client, epoch=self.epoch)
            self.reads = self.reads.put(client, request.serial)
            self.send(self.service, Ask(False, client))
        else:
            self.answer(client, request.serial)

    def answer(self, client: str, serial: int) -> None:
        value = self.hist[-1].value if self.hist else None
        self.note("CH.query", client=client, value=value)
        self.reply(client, Done(serial, value))

    # Failures (section 3), and a new tail

    @on(View)
    def chain_changes(self, sender: str, view: View) -> None:
        if view.epoch <= self.epoch:
            self.still_the_tail(view.asked)
            return
        before = self.neighbour(-1)
        self.epoch, self.members = view.epoch, view.members
        self.note("CH.view", epoch=self.epoch, members=self.members)
        if self.id not in self.members:
            self.note("CH.out", epoch=self.epoch)
            for client, serial in self.reads:
                self.elsewhere(client, serial, self.members[-1])
        elif self.is_tail and self.hist:
            self.note("CH.tail", epoch=self.epoch, holds=self.sent)
            self.become_tail()
        if self.id in self.members and self.neighbour(-1) not in ("", before):
            self.send(self.neighbour(-1), Last(view, len(self.hist), self.acked))

    def still_the_tail(self, client: str) -> None:
        """The service has confirmed the epoch since this client asked."""
        serial = self.reads.get(client)
        if serial is not None and self.is_tail:
            self.reads = self.reads.without(client)
            self.answer(client, serial)

    def become_tail(self) -> None:
        # Tail fails: what its predecessor has sent is processed now. Pending shrinks.
        self.process()

    @on(Last)
    def new_successor(self, successor: str, last: Last) -> None:
        # Middle fails: S+ says its last update; S- sends the rest of Sent before anything new.
        self.chain_changes(successor, last.view)
        if successor == self.neighbour(1):
            self.acked = max(self.acked, last.acked)
            self.resend(successor, last.length)

    def resend(self, successor: str, length: int) -> None:
        self.note("CH.resend", successor=successor, values=self.hist[length:])
        self.send(successor, Forward(length, self.hist[length:]))
