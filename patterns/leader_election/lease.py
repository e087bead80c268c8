"""A leader by lease: a lock that runs out by itself, and the fencing token that protects what the leader writes to.

Leases: Gray and Cheriton, "Leases: an efficient fault-tolerant mechanism for distributed file cache consistency",
SOSP 1989. Fencing tokens: Kleppmann, "How to do distributed locking", 2016; in Chubby they are
sequencers: Burrows, "The Chubby lock service for loosely-coupled distributed systems", OSDI 2006, section 2.4.

The lease assumes clocks that run at the same rate and holders that never stand still: then one leads at a time.
Fencing assumes neither: the storage refuses whoever comes with an older token than it has seen. Links neither double
messages nor let them overtake one another, as one TCP connection each.
"""

from __future__ import annotations

from patterns.engine.process import Process, durable, on, on_timer, setting

from .lease_messages import (
    Acquire,
    Busy,
    Content,
    Granted,
    Read,
    Refused,
    Renew,
    Stored,
    Write,
    Written,
)


class LockServer(Process):
    """Grants one lease at a time, each with a token of its own. `term`: how long a lease lasts, in ms."""

    term: int
    last_token: int = durable(0)
    holder: str = ""
    """Who has the lease, as far as it knows."""
    token: int = 0
    """The token of the lease in force; 0 for none."""
    recovering: bool = False

    def next_token(self) -> int:
        """A token that is higher than any before; on disk before it is given away."""
        self.last_token += 1
        return self.last_token

    def is_free_for(self, asker: str) -> bool:
        """Whether a lease may be granted: to who has it already, too, for it asks anew after a crash."""
        return not self.recovering and self.holder in ("", asker)

    def waits_after_restart(self) -> bool:
        """Whether it grants nothing until all that it may have granted has run out."""
        return True

    def on_start(self) -> None:
        pass

    def on_restart(self) -> None:
        # It does not remember its leases. It waits for the longest that it may have granted.
        if self.waits_after_restart():
            self.recovering = True
            self.note("L.back", term=self.term)
            self.set_timer("expire", self.term)

    @on(Acquire)
    def acquire(self, asker: str, message: Acquire) -> None:
        if self.is_free_for(asker):
            self.holder, self.token = asker, self.next_token()
            self.note("L.grant", holder=asker, token=self.token, term=self.term)
            self.set_timer("expire", self.term)
            self.send(asker, Granted(message.asked, self.token))
        else:
            if self.recovering:
                self.note("L.wait", asker=asker)
            else:
                self.note("L.busy", asker=asker, holder=self.holder)
            self.send(asker, Busy(message.asked))

    @on(Renew)
    def renew(self, asker: str, message: Renew) -> None:
        if self.holder == asker and self.token == message.token:
            self.note("L.renew", holder=asker, token=self.token, term=self.term)
            self.set_timer("expire", self.term)
            self.send(asker, Granted(message.asked, self.token))
        else:
            self.note("L.over", asker=asker, token=message.token)
            self.send(asker, Busy(message.asked))

    @on_timer("expire")
    def expire(self) -> None:
        if self.recovering:
            self.note("L.free", term=self.term)
        else:
            self.note("L.expire", holder=self.holder)
        self.recovering, self.holder, self.token = False, "", 0


class Storage(Process):
    """What the leader writes to. It takes nothing from who comes with an older token than it has seen."""

    highest: int = durable(0)
    """The highest token seen."""
    content: Content = durable(())
    written_with: int = durable(0)
    """The token of the last write that was taken."""

    def accepts(self, token: int) -> bool:
        """The fencing check."""
        return token >= self.highest

    def remembers_reads(self) -> bool:
        """Whether a read makes its token known: else an older leader could write between a read and its write."""
        return True

    @on(Read)
    def read(self, holder: str, message: Read) -> None:
        token = message.token
        if not self.accepts(token):
            self.refuse(holder, token)
            return
        if self.remembers_reads():
            self.highest = max(self.highest, token)
        self.note("S.read", holder=holder, token=token)
        self.send(holder, Stored(token, self.content))

    @on(Write)
    def write(self, holder: str, message: Write) -> None:
        token = message.token
        if not self.accepts(token):
            self.refuse(holder, token)
            return
        self.note("S.write" if token >= self.highest else "S.stale", holder=holder, token=token, highest=self.highest)
        self.highest = max(self.highest, token)
        self.content, self.written_with = message.content, token
        self.send(holder, Written(token, message.content))

    def refuse(self, holder: str, token: int) -> None:
        self.note("S.refuse", holder=holder, token=token, highest=self.highest)
        self.send(holder, Refused(token, self.highest))


class UnfencedStorage(Storage):
    """It takes what comes: whoever writes is trusted to lead."""

    def accepts(self, token: int) -> bool:
        return True


class Holder(Process):
    """Asks for the lease, renews it while it leads, and writes one line after another. Times are in ms."""

    lock: str
    storage: str
    term: int
    """How long a lease lasts."""
    drift: int = setting(0)
    """What it allows for its clock to run slow, in percent: by so much earlier it gives up."""
    retry: int = setting(60)
    work: int = setting(40)
    """How long it takes to come up with a line to write, and to be impatient for an answer of the storage."""
    writes: int = setting(2)
    """How many lines it writes with one token."""

    asked: int = durable(0)
    """How often it asked for a lease: an answer to an earlier request, even from before a crash, does not count."""
    asked_at: int = 0
    """When it asked last, by its own clock."""
    pending: bool = False
    """Whether it waits for the answer."""
    role: str = "waiting"
    token: int = 0
    """The token it leads with; 0 when it does not lead."""
    knows: bool = False
    """Whether it has read what is stored."""
    content: Content = ()
    """What is stored, as far as it knows."""
    writing: str = ""
    """The line that it waits to have acknowledged."""
    done: int = 0
    """How many lines it wrote with this token."""

    # The rules, one by one

    def lease_length(self) -> int:
        """How long it takes its lease to last: an allowance for drift shorter than it is."""
        return self.term * (100 - self.drift) // 100

    def lease_left(self) -> int:
        """What is left of a lease that is granted now: it began, at the latest, when it was asked for."""
        return max(0, self.lease_length() - (self.now - self.asked_at))

    # The lease

    def on_start(self) -> None:
        self.set_timer("ask", 0)

    @on_timer("ask", "renew")
    def ask(self) -> None:
        self.asked, self.asked_at, self.pending = self.asked + 1, self.now, True
        self.set_timer("asked", self.lease_length())
        if self.role == "leader":
            self.note("H.renew", token=self.token)
            self.send(self.lock, Renew(self.asked, self.token))
        else:
            self.note("H.ask")
            self.send(self.lock, Acquire(self.asked))

    @on_timer("asked")
    def no_answer(self) -> None:
        self.note("H.silence")
        self.ask()

    @on(Granted)
    def granted(self, sender: str, message: Granted) -> None:
        if not self.is_awaited(message.asked):
            self.note("H.late", message=message)
            return
        self.pending = False
        self.cancel_timer("asked")
        left = self.lease_left()
        self.set_timer("lease", left)
        self.set_timer("renew", left // 2)
        if self.role == "leader":
            self.note("H.renewed", token=self.token, left=left)
            return
        self.role, self.token = "leader", message.token
        self.note("H.lead", token=self.token, left=left, term=self.lease_length())
        self.read()

    @on(Busy)
    def busy(self, sender: str, message: Busy) -> None:
        if not self.is_awaited(message.asked):
            self.note("H.late", message=message)
            return
        self.note("H.busy", retry=self.retry)
        self.step_down()

    def is_awaited(self, asked: int) -> bool:
        return self.pending and asked == self.asked

    @on_timer("lease")
    def lease_ends(self) -> None:
        self.note("H.end", token=self.token)
        self.step_down()

    def step_down(self) -> None:
        self.role, self.token, self.pending = "waiting", 0, False
        self.knows, self.content, self.writing, self.done = False, (), "", 0
        for timer in ("asked", "lease", "renew", "work"):
            self.cancel_timer(timer)
        self.set_timer("ask", self.retry)

    # What a leader does: it reads, and writes back what it read with a line more

    def read(self) -> None:
        self.note("H.read", token=self.token)
        self.send(self.storage, Read(self.token))
        self.set_timer("work", self.work)

    @on(Stored)
    def stored(self, sender: str, message: Stored) -> None:
        if message.token != self.token or self.knows:
            self.note("H.late", message=message)
            return
        self.knows, self.content = True, message.content
        self.note("H.has", content=self.content)
        if not self.writes:
            self.cancel_timer("work")

    @on_timer("work")
    def write(self) -> None:
        if not self.knows:
            self.read()
            return
        again = bool(self.writing)
        self.writing = self.writing or f"{self.id}{self.token}.{self.done + 1}"
        self.note("H.again" if again else "H.write", item=self.writing, token=self.token)
        self.send(self.storage, Write(self.token, (*self.content, self.writing)))
        self.set_timer("work", self.work)

    @on(Written)
    def written(self, sender: str, message: Written) -> None:
        if message.token != self.token or message.content[-1] != self.writing:
            self.note("H.late", message=message)
            return
        self.note("H.wrote", item=self.writing)
        self.content, self.writing, self.done = message.content, "", self.done + 1
        if self.done < self.writes:
            self.set_timer("work", self.work)
        else:
            self.cancel_timer("work")

    @on(Refused)
    def refused(self, sender: str, message: Refused) -> None:
        if message.token != self.token:
            self.note("H.late", message=message)
            return
        self.note("H.fenced", token=message.token, highest=message.highest)
        self.step_down()
