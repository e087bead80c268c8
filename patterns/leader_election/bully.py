"""The bully algorithm: who is alive and has the highest id leads; it bullies the others into following.

Garcia-Molina, "Elections in a Distributed Computing System", IEEE Transactions on Computers C-31(1), 1982, in the
three messages of the textbooks: Coulouris, Dollimore, Kindberg, Blair, "Distributed Systems: Concepts and Design",
5th edition, section 15.3 (`CDKB`). The paper's own version also halts the others while it counts them and has them
report ready; how a coordinator is noticed to be gone both leave to a timeout, here on its heartbeats.

It assumes that every message and its answer come within a known time, and that none is lost: silence means a crash.
"""

from __future__ import annotations

from collections.abc import Mapping

from patterns.engine.process import Message, Process, on, on_timer, setting
from patterns.engine.step import Rule

RULES: Mapping[str, Rule] = {
    "B.start": Rule("**{who} begins an election**: it knows of no coordinator.", "CDKB 15.3"),
    "B.back": Rule(
        "**{who} is back and begins an election**, whoever coordinates now: it may be the highest.",
        "CDKB 15.3; Garcia-Molina 1982, Bully Algorithm: recovery",
    ),
    "B.silent": Rule(
        "**{who} begins an election**: it has heard nothing from {leader} for {waited} ms.",
        "Garcia-Molina 1982, Bully Algorithm: timeout",
    ),
    "B.nobody": Rule("**{who} begins an election**: for {waited} ms nobody has said that it coordinates.", "CDKB 15.3"),
    "B.ask": Rule(
        "**{who} asks {higher}**, all that have a higher id, and waits {timeout} ms for answers.", "CDKB 15.3"
    ),
    "B.answer": Rule(
        "**{who} answers {lower}**: {who} is alive and has the higher id, so {lower} is not to lead.", "CDKB 15.3"
    ),
    "B.asked": Rule("**{who} begins an election** of its own, because {lower} did.", "CDKB 15.3"),
    "B.begun": Rule("**{who} goes on with its election**: it has begun one already.", "CDKB 15.3"),
    "B.wait": Rule(
        "**{who} stands back for {higher}**, which is alive: it waits {timeout} ms to hear who coordinates.",
        "CDKB 15.3",
    ),
    "B.again": Rule(
        "**{who} begins again**: {timeout} ms after an answer nobody has said that it coordinates.", "CDKB 15.3"
    ),
    "B.lead": Rule(
        "**{who} becomes coordinator**: none of {higher} answered within {timeout} ms, so they must have crashed. "
        "It tells {lower}.",
        "CDKB 15.3; Garcia-Molina 1982, assumptions 8 and 9",
    ),
    "B.top": Rule("**{who} becomes coordinator** at once: nobody has a higher id. It tells {lower}.", "CDKB 15.3"),
    "B.follow": Rule("**{who} follows {leader}**, which says that it coordinates.", "CDKB 15.3"),
    "B.beat": Rule("**{who} tells {lower}** that it is still there.", "Garcia-Molina 1982, Bully Algorithm: timeout"),
    "B.heard": Rule("**{who} hears that {leader} is still there.**", "Garcia-Molina 1982, Bully Algorithm: timeout"),
    "B.other": Rule(
        "**{who} begins an election**: {sender} coordinates too, but {who} goes by {leader}.",
        "Garcia-Molina 1982, Bully Algorithm: check",
    ),
    "B.late": Rule("**{who} has no use for {sender}'s {message}** any more.", "CDKB 15.3"),
}


class Election(Message, frozen=True):
    """Are you there? I begin an election. Sent to those with higher ids."""

    words = "election"


class Answer(Message, frozen=True):
    """I am, and leave it to me."""

    words = "answer"


class Coordinator(Message, frozen=True):
    """I lead. Sent to those with lower ids."""

    words = "coordinator"


class Heartbeat(Message, frozen=True):
    """I still lead."""

    words = "heartbeat"


class Bully(Process):
    """One process of the bully algorithm. Times are in ms."""

    rank: int
    """Its id: the highest of those alive shall lead."""
    ranks: tuple[int, ...]
    """All ids, ascending; everybody knows them."""
    starts: bool = setting(False)
    """Whether it begins an election when it starts."""
    timeout: int = setting(30)
    """Longer than any message and its answer take, if the assumption holds: no answer by then is a crash."""
    heartbeat: int = setting(0)
    """How often a coordinator says that it is there; 0 for never."""

    role: str = "follower"
    leader: str = ""
    """Who it goes by; empty when it knows of none."""
    answered: bool = False
    """Whether someone higher is alive: for a candidate, that it waits to hear who coordinates."""

    # The rules, one by one

    def answers(self, lower: str) -> bool:
        """Whether an ELECTION from a lower process is answered: always, also in the middle of an election."""
        return True

    def joins(self, lower: str) -> bool:
        """Whether an ELECTION from a lower process makes it begin one: unless it has begun one already."""
        return self.role != "candidate"

    def stands_back(self) -> bool:
        """Whether an ANSWER ends its hopes: someone higher is alive."""
        return True

    def patience(self) -> int:
        """How long it waits for answers, in ms."""
        return self.timeout

    @property
    def patience_for_coordinator(self) -> int:
        """How long it waits for COORDINATOR once someone has answered: the other needs a `patience` of its own."""
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
        # A process that comes back begins an election, though the current coordinator is alive: hence the name.
        self.note("B.back")
        self.begin()

    def begin(self) -> None:
        self.role, self.leader, self.answered = "candidate", "", False
        for timer in ("start", "heartbeat", "leader", "coordinator"):
            self.cancel_timer(timer)
        # The highest knows that it is the highest, and needs to ask nobody.
        if not self.higher:
            self.note("B.top", lower=listed(self.lower))
            self.become_leader()
            return
        # Others ask all that have a higher id.
        self.note("B.ask", higher=listed(self.higher), timeout=self.patience())
        for process in self.higher:
            self.send(process, Election())
        self.set_timer("answer", self.patience())

    @on(Election)
    def receive_election(self, lower: str, message: Election) -> None:
        # It answers, so that the lower one does not take it for crashed ...
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
        # An answer: somebody higher will lead. Wait for its announcement.
        elif self.stands_back():
            self.answered = True
            self.cancel_timer("answer")
            self.set_timer("coordinator", self.patience_for_coordinator)
            self.note("B.wait", higher=higher, timeout=self.patience_for_coordinator)

    @on_timer("answer")
    def no_answer(self) -> None:
        # No answer in time: all higher ones have crashed, and it is the highest.
        self.note("B.lead", higher=listed(self.higher), lower=listed(self.lower), timeout=self.patience())
        self.become_leader()

    @on_timer("coordinator")
    def no_coordinator(self) -> None:
        # Whoever answered has crashed since: begin again.
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
        self.note("B.beat", lower=listed(self.lower))
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
        # Two coordinate, after a partition or a late announcement: an election ends it.
        else:
            self.note("B.other", sender=sender, leader=self.leader or "nobody")
            self.begin()

    @on_timer("leader")
    def silence(self) -> None:
        if self.leader:
            self.note("B.silent", leader=self.leader, waited=self.patience_for_heartbeat)
        else:
            self.note("B.nobody", waited=self.patience_for_heartbeat)
        self.begin()


def name(rank: int) -> str:
    """What the process of this id is called."""
    return f"P{rank}"


def listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "nobody"
