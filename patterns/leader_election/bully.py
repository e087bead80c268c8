"""The bully algorithm: the live process with the highest id leads, and bullies the others into following.

Garcia-Molina, "Elections in a Distributed Computing System", IEEE Transactions on Computers C-31(1), 1982, in the
three messages of the textbooks: Coulouris, Dollimore, Kindberg, Blair, "Distributed Systems: Concepts and Design",
5th edition, section 15.3. The paper's own version also halts the others while it counts them, and they report ready.
Both leave it to a timeout to notice that the coordinator is gone. Here the timeout is on its heartbeats.

It assumes that every message and its answer arrive within a known time, and that no message is lost. So silence means
a crash.
"""

from __future__ import annotations

from patterns.engine.process import Message, Process, on, on_timer, setting


class Election(Message):
    """Are you there? I begin an election. Sent to those with higher ids."""


class Answer(Message):
    """I am, and leave it to me."""


class Coordinator(Message):
    """I lead. Sent to those with lower ids."""


class Heartbeat(Message):
    """I still lead."""


class Bully(Process):
    """One process of the bully algorithm. Times are in ms."""

    rank: int
    """Its id. The live process with the highest id leads."""
    ranks: tuple[int, ...]
    """All ids, ascending; every process knows them."""
    starts: bool = setting(False)
    """Whether it begins an election when it starts."""
    timeout: int = setting(30)
    """Longer than any message and its answer take, if the assumption holds. No answer by then means a crash."""
    heartbeat: int = setting(0)
    """How often a coordinator sends heartbeats; 0: never."""

    role: str = "follower"
    leader: str = ""
    """The coordinator that it follows; empty if it knows of none."""
    answered: bool = False
    """Whether a higher process has answered. A candidate then waits for the new coordinator."""

    # The rules, one by one

    def answers(self, lower: str) -> bool:
        """Whether it answers an ELECTION from a lower process: always, even in the middle of an election."""
        return True

    def joins(self, lower: str) -> bool:
        """Whether an ELECTION from a lower process makes it begin one, unless it has begun one already."""
        return self.role != "candidate"

    def stands_back(self) -> bool:
        """Whether it gives up after an ANSWER: a higher process is alive."""
        return True

    def patience(self) -> int:
        """How long it waits for answers, in ms."""
        return self.timeout

    @property
    def patience_for_coordinator(self) -> int:
        """How long it waits for COORDINATOR after an answer: the higher process needs a `patience` of its own."""
        return 2 * self.timeout

    @property
    def patience_for_heartbeat(self) -> int:
        return 3 * self.heartbeat + self.timeout

    @property
    def higher(self) -> tuple[str, ...]:
        return tuple(name(rank) for rank in self.ranks if rank > self.rank)

    @property
    def lower(self) -> tuple[str, ...]:
        return tuple(name(rank) for rank in self.ranks if rank < self.rank)

    # Elections

    def on_start(self) -> None:
        if self.starts:
            self.set_timer("start", 0)
        else:
            self.watch()

    @on_timer("start")
    def start(self) -> None:
        self.note("B.start")
        self.begin()

    def on_restart(self) -> None:
        # A process that comes back begins an election, although the coordinator is alive: hence the name.
        self.note("B.back")
        self.begin()

    def begin(self) -> None:
        self.role, self.leader, self.answered = "candidate", "", False
        for timer in ("start", "heartbeat", "leader", "coordinator"):
            self.cancel_timer(timer)
        # The process with the highest id need not ask.
        if not self.higher:
            self.note("B.top", lower=self.lower)
            self.become_leader()
            return
        # The others ask all that have a higher id.
        self.note("B.ask", higher=self.higher, timeout=self.patience())
        for process in self.higher:
            self.send(process, Election())
        self.set_timer("answer", self.patience())

    @on(Election)
    def receive_election(self, lower: str, message: Election) -> None:
        # It answers, so that the lower process knows that it is alive ...
        if self.answers(lower):
            self.note("B.answer", lower=lower)
            self.send(lower, Answer())
        # ... and begins an election, unless it has begun one already.
        if self.joins(lower):
            self.note("B.asked", lower=lower)
            self.begin()
        elif self.role == "candidate":
            self.note("B.begun")

    @on(Answer)
    def receive_answer(self, higher: str, message: Answer) -> None:
        if self.role != "candidate" or self.answered:
            self.note("B.late", sender=higher, message=message)
        # A higher process will lead. Wait for its announcement.
        elif self.stands_back():
            self.answered = True
            self.cancel_timer("answer")
            self.set_timer("coordinator", self.patience_for_coordinator)
            self.note("B.wait", higher=higher, timeout=self.patience_for_coordinator)

    @on_timer("answer")
    def no_answer(self) -> None:
        # No answer in time: all higher processes have crashed, so it is the highest.
        self.note("B.lead", higher=self.higher, lower=self.lower, timeout=self.patience())
        self.become_leader()

    @on_timer("coordinator")
    def no_coordinator(self) -> None:
        # The process that answered has crashed since: begin again.
        self.note("B.again", timeout=self.patience_for_coordinator)
        self.begin()

    def become_leader(self) -> None:
        self.role, self.leader = "leader", self.id
        for process in self.lower:
            self.send(process, Coordinator())
        if self.heartbeat:
            self.set_timer("heartbeat", self.heartbeat)

    @on(Coordinator)
    def receive_coordinator(self, leader: str, message: Coordinator) -> None:
        self.role, self.leader, self.answered = "follower", leader, False
        for timer in ("start", "heartbeat", "answer", "coordinator"):
            self.cancel_timer(timer)
        self.note("B.follow", leader=leader)
        self.watch()

    # Noticing that the coordinator is gone

    def watch(self) -> None:
        if self.heartbeat:
            self.set_timer("leader", self.patience_for_heartbeat)

    @on_timer("heartbeat")
    def beat(self) -> None:
        self.note("B.beat", lower=self.lower)
        for process in self.lower:
            self.send(process, Heartbeat())
        self.set_timer("heartbeat", self.heartbeat)

    @on(Heartbeat)
    def receive_heartbeat(self, sender: str, message: Heartbeat) -> None:
        if self.role == "candidate":
            self.note("B.late", sender=sender, message=message)
        elif sender == self.leader:
            self.note("B.heard", leader=sender)
            self.watch()
        # Two coordinate, after a partition or a late announcement. An election ends this.
        else:
            rule = "B.rival" if self.role == "leader" else "B.other"
            self.note(rule, sender=sender, leader=self.leader or None)
            self.begin()

    @on_timer("leader")
    def silence(self) -> None:
        self.note("B.silent" if self.leader else "B.nobody", leader=self.leader, waited=self.patience_for_heartbeat)
        self.begin()


def name(rank: int) -> str:
    """The name of the process with this id."""
    return f"P{rank}"
