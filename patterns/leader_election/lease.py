"""A leader by lease: a lock that expires by itself, and the fencing token that protects the storage.

Leases: Gray and Cheriton, "Leases: an efficient fault-tolerant mechanism for distributed file cache consistency",
SOSP 1989. Fencing tokens: Kleppmann, "How to do distributed locking", 2016; in Chubby they are
sequencers: Burrows, "The Chubby lock service for loosely-coupled distributed systems", OSDI 2006, section 2.4.

The lease assumes clocks that run at the same rate and holders that never pause: then one leads at a time. Fencing
assumes neither: the storage refuses a token that is older than one it has seen. Links keep the order of messages and
duplicate none, as a TCP connection does.
"""

from __future__ import annotations

from patterns.engine.process import Message, Process, durable, on, on_timer, setting

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
    """Grants one lease at a time, each with a token of its own. Times are in ms."""

    term: int
    """How long a lease lasts."""
    delay: int = setting(0)
    """The lock-delay: how long it grants nothing after a lease has expired, since its holder may still act."""
    last_token: int = durable(0)
    holder: str = ""
    """The holder of the lease, as far as it knows."""
    token: int = 0
    """The token of the lease in force; 0: none."""
    waits: bool = False
    """Whether it grants nothing yet, after a crash or in a lock-delay."""

    def next_token(self) -> int:
        """A token that is higher than any before. It is on disk before it is given away."""
        self.last_token += 1
        return self.last_token

    def is_free_for(self, asker: str) -> bool:
        """Whether a lease may be granted: also to its own holder, which asks again after a crash."""
        return not self.waits and self.holder in ("", asker)

    def waits_after_restart(self) -> bool:
        """Whether it grants nothing until every lease that it granted before has expired."""
        return True

    def on_restart(self) -> None:
        # It does not remember its leases. It waits for the longest lease that it may have granted.
        if self.waits_after_restart():
            self.waits = True
            self.note("L.back", term=self.term + self.delay)
            self.set_timer("expire", self.term + self.delay)

    @on(Acquire)
    def acquire(self, asker: str, message: Acquire) -> None:
        if self.is_free_for(asker):
            self.holder, self.token = asker, self.next_token()
            self.note("L.grant", holder=asker, token=self.token, term=self.term)
            self.set_timer("expire", self.term)
            self.send(asker, Granted(message.asked, self.token))
        else:
            self.note("L.wait" if self.waits else "L.busy", asker=asker, holder=self.holder)
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
        # Chubby 2.4: nobody gets a lock during its lock-delay.
        rule = "L.free" if self.waits else "L.delay" if self.delay else "L.expire"
        self.note(rule, holder=self.holder, delay=self.delay)
        self.waits, self.holder, self.token = rule == "L.delay", "", 0
        if self.waits:
            self.set_timer("expire", self.delay)


class Storage(Process):
    """Stores the leader's lines. It refuses a request whose token is older than the highest it has seen."""

    highest: int = durable(0)
    """The highest token seen."""
    content: Content = durable(())
    written_with: int = durable(0)
    """The token of the last write that was accepted."""

    def accepts(self, token: int) -> bool:
        """The fencing check."""
        return token >= self.highest

    def remembers_reads(self) -> bool:
        """Whether it remembers a read's token. Else an older leader could write between a read and its write."""
        return True

    def receive(self, sender: str, message: Message) -> None:
        assert isinstance(message, Read | Write)
        if self.accepts(message.token):
            super().receive(sender, message)
        else:
            self.note("S.refuse", holder=sender, token=message.token, highest=self.highest)
            self.send(sender, Refused(message.token, self.highest))

    @on(Read)
    def read(self, holder: str, message: Read) -> None:
        token = message.token
        if self.remembers_reads():
            self.highest = max(self.highest, token)
        self.note("S.read", holder=holder, token=token)
        self.send(holder, Stored(token, self.content))

    @on(Write)
    def write(self, holder: str, message: Write) -> None:
        token = message.token
        self.note("S.write" if token >= self.highest else "S.stale", holder=holder, token=token, highest=self.highest)
        self.highest = max(self.highest, token)
        self.content, self.written_with = message.content, token
        self.send(holder, Written(token, message.content))


class UnfencedStorage(Storage):
    """It accepts every request and checks no token."""

    def accepts(self, token: int) -> bool:
        return True


class Holder(Process):
    """Asks for the lease, renews it while it leads, and writes one line after another. Times are in ms."""

    lock: str
    storage: str
    term: int
    """How long a lease lasts."""
    drift: int = setting(0)
    """How slow it allows its clock to be, in percent. It gives up its lease earlier by this share."""
    retry: int = setting(60)
    work: int = setting(40)
    """How long it takes to prepare a line, and how long it waits for the storage's answer."""
    writes: int = setting(2)
    """How many lines it writes with one token."""

    asked: int = durable(0)
    """How often it asked for a lease. It ignores answers to earlier requests, even to those from before a crash."""
    asked_at: int = 0
    """When it asked last, by its own clock."""
    pending: bool = False
    """Whether it waits for the lock server's answer."""
    role: str = "waiting"
    token: int = 0
    """The token it leads with; 0: it does not lead."""
    knows: bool = False
    """Whether it has read the stored lines."""
    content: Content = ()
    """The stored lines, as far as it knows."""
    writing: str = ""
    """The line whose acknowledgement it waits for."""
    done: int = 0
    """How many lines it wrote with this token."""

    # The rules, one by one

    def lease_length(self) -> int:
        """How long it relies on a lease: the term, less the allowance for a slow clock."""
        return self.term * (100 - self.drift) // 100

    def lease_left(self) -> int:
        """The rest of a lease that is granted now. It counts the lease from its request, before the server does.

        A clock that may be slow shows whole ms only: up to one ms more has passed than it shows.
        """
        passed = self.now - self.asked_at + bool(self.drift)
        return max(0, self.lease_length() - passed)

    def is_late(self, message: Message) -> bool:
        """Whether it no longer waits for this answer: it asked again, or leads with another token."""
        match message:
            case Stored(token=token):
                return token != self.token or self.knows
            case Written(token=token, content=content):
                return token != self.token or content[-1] != self.writing
            case Refused(token=token):
                return token != self.token
            case Granted() if not self.lease_left():  # nothing is left of it
                return True
        return not self.pending or getattr(message, "asked", 0) != self.asked

    def receive(self, sender: str, message: Message) -> None:
        if self.is_late(message):
            self.note("H.late", message=message)
        else:
            super().receive(sender, message)

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
        self.pending = False
        self.cancel_timer("asked")
        left = self.lease_left()
        self.set_timer("lease", left)
        self.set_timer("renew", max(1, left // 2))
        if self.role == "leader":
            self.note("H.renewed", token=self.token, left=left)
            return
        self.role, self.token = "leader", message.token
        self.note("H.lead", token=self.token, left=left, term=self.lease_length())
        self.read()

    @on(Busy)
    def busy(self, sender: str, message: Busy) -> None:
        self.note("H.busy", retry=self.retry)
        self.step_down()

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

    # A leader reads the stored lines, and writes them back with one line more

    def read(self) -> None:
        self.note("H.read", token=self.token)
        self.send(self.storage, Read(self.token))
        self.set_timer("work", self.work)

    @on(Stored)
    def stored(self, sender: str, message: Stored) -> None:
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
        self.note("H.wrote", item=self.writing)
        self.content, self.writing, self.done = message.content, "", self.done + 1
        if self.done < self.writes:
            self.set_timer("work", self.work)
        else:
            self.cancel_timer("work")

    @on(Refused)
    def refused(self, sender: str, message: Refused) -> None:
        self.note("H.fenced", token=message.token, highest=message.highest)
        self.step_down()
