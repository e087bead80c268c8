"""Elections on a ring, where a process knows its neighbours and nothing else: Chang-Roberts and Hirschberg-Sinclair.

`CR`: Chang and Roberts, "An improved algorithm for decentralized extrema-finding in circular configurations of
processes", CACM 22(5), 1979. `HS`: Hirschberg and Sinclair, "Decentralized extrema-finding in circular
configurations of processors", CACM 23(11), 1980; its names are kept: `num`, `maxnum`, "from", "ok", "no".
The highest id wins. Then the winner tells the others, in one more lap, which the papers do not count.

Both assume distinct ids, links that lose no message, and processes that do not crash. Neither assumes any time.
"""

from __future__ import annotations

from patterns.engine.process import Message, Process, on, on_timer, setting

CLOCKWISE, COUNTERCLOCKWISE = 1, -1
"""The two ways round the ring."""


class Elected(Message):
    """Names the leader. It goes round once."""

    leader: str


class RingProcess(Process):
    """What both algorithms share: a process begins, and the winner tells the others."""

    uid: int
    right: str
    """The neighbour clockwise."""
    left: str
    initiator: bool = setting(True)
    """Whether it begins an election by itself."""

    begun: bool = False
    role: str = "follower"
    leader: str = ""

    def on_start(self) -> None:
        self.set_timer("begin", 0)

    @on_timer("begin")
    def begin(self) -> None:
        raise NotImplementedError

    def receive(self, sender: str, message: Message) -> None:
        # A message may arrive before the process has begun. Then it begins first.
        if not self.begun:
            self.cancel_timer("begin")
            self.begin()
        super().receive(sender, message)

    @property
    def stands(self) -> bool:
        """Whether it may be elected."""
        return self.initiator

    def neighbour(self, way: int) -> str:
        return self.right if way == CLOCKWISE else self.left

    def become_leader(self) -> None:
        self.role, self.leader = "leader", self.id
        self.announce()

    def announce(self) -> None:
        self.note("R.tell")
        self.send(self.right, Elected(self.id))

    @on(Elected)
    def receive_elected(self, sender: str, message: Elected) -> None:
        if message.leader == self.id:
            self.note("R.round")
            return
        if self.leader != message.leader:
            self.role, self.leader = "follower", message.leader
            self.note("R.know", leader=message.leader)
            self.send(self.right, message)


# Chang and Roberts: one way round


class Candidacy(Message):
    """An id on its way round the ring."""

    uid: int


class ChangRoberts(RingProcess):
    """Ids travel clockwise. A candidate swallows lower ids. A process that gets its own id back has won."""

    @on_timer("begin")
    def begin(self) -> None:
        self.begun = True
        if not self.initiator:
            self.note("CR.relay")
            return
        # It sends its own id to its neighbour.
        self.role = "candidate"
        self.note("CR.begin", uid=self.uid)
        self.send(self.right, Candidacy(self.uid))

    def is_mine(self, uid: int) -> bool:
        """Whether its own id has come round."""
        return uid == self.uid and self.role == "candidate"

    def passes_on(self, uid: int) -> bool:
        """Whether an id may go on: every higher id, and every id if the process does not stand itself."""
        return uid > self.uid or not self.initiator

    @on(Candidacy)
    def receive_id(self, sender: str, message: Candidacy) -> None:
        uid, values = message.uid, {"uid": message.uid, "own": self.uid}
        # Its own id is back: every other process let it pass, so it is the highest.
        if self.is_mine(uid):
            self.note("CR.won", uid=uid)
            self.become_leader()
        # A higher id: pass it on, and give up.
        elif self.passes_on(uid):
            lost = self.role == "candidate"
            self.note("CR.lost" if lost else "CR.pass" if uid > self.uid else "CR.carry", **values)
            self.role = "follower"
            self.send(self.right, message)
        # A lower id goes no further.
        else:
            self.note("CR.stop", **values)


# Hirschberg and Sinclair: both ways, twice as far in every phase


class From(Message):
    """An id on its way: how far it has come, how far it may go, and which way round."""

    value: int
    num: int
    maxnum: int
    way: int


class Reply(Message):
    """The answer to an id, on its way back."""

    value: int
    ok: bool
    way: int


class HirschbergSinclair(RingProcess):
    """In each phase a candidate asks 1, 2, 4, 8 ... processes on either side. Only the highest of them goes on."""

    maxnum: int = 1
    """How far it asks in this phase."""
    replies: tuple[tuple[int, bool], ...] = ()
    """The replies of this phase: (the way that the reply went, ok)."""

    def on_start(self) -> None:
        if self.initiator:
            super().on_start()

    @property
    def stands(self) -> bool:
        """Every process stands: the first message wakes a process that does not begin by itself."""
        return True

    @on_timer("begin")
    def begin(self) -> None:
        self.begun, self.role = True, "candidate"
        self.note("HS.begin", uid=self.uid, reach=self.maxnum)
        self.send_both()

    def send_both(self) -> None:
        self.replies = ()
        for way in (CLOCKWISE, COUNTERCLOCKWISE):
            self.send(self.neighbour(way), From(self.uid, 0, self.maxnum, way))

    def is_refused(self, value: int) -> bool:
        """Whether it answers an id with no: its own id is higher."""
        return value < self.uid

    def replies_needed(self) -> int:
        """How many replies end a phase: both."""
        return 2

    @on(From)
    def receive_from(self, sender: str, message: From) -> None:
        value, num, maxnum, way = message.value, message.num + 1, message.maxnum, message.way
        values = {"uid": value, "own": self.uid}
        # value = myvalue: its own id came all the way round.
        if value == self.uid:
            if self.role == "candidate":
                self.note("HS.won", uid=value)
                self.become_leader()
            else:  # the same id, from the other side
                self.note("HS.twice")
        # value < myvalue: answer no.
        elif self.is_refused(value):
            self.note("HS.no", **values)
            self.send(self.neighbour(-way), Reply(value, False, -way))
        # value > myvalue: lost. Pass the id on, or answer ok at the end of its way.
        else:
            if self.role == "candidate":
                self.role = "follower"
                self.note("HS.higher", **values)
            if num < maxnum:
                self.note("HS.pass", num=num, maxnum=maxnum, **values)
                self.send(self.neighbour(way), From(value, num, maxnum, way))
            else:
                self.note("HS.ok", maxnum=maxnum, **values)
                self.send(self.neighbour(-way), Reply(value, True, -way))

    @on(Reply)
    def receive_reply(self, sender: str, message: Reply) -> None:
        # A reply to another process: pass it on.
        if message.value != self.uid:
            self.note("HS.carry", reply=message)
            self.send(self.neighbour(message.way), message)
            return
        if self.role != "candidate":
            self.note("HS.late", reply=message)
            return
        self.replies = tuple(sorted({*self.replies, (message.way, message.ok)}))
        if len(self.replies) < self.replies_needed():
            self.note("HS.half")
        # A no from either side: it has lost.
        elif not all(ok for _, ok in self.replies):
            self.note("HS.lost", maxnum=self.maxnum)
            self.role = "follower"
        # Ok from both sides: ask again, twice as far.
        else:
            before, self.maxnum = self.maxnum, 2 * self.maxnum
            self.note("HS.next", uid=self.uid, before=before)
            self.send_both()
