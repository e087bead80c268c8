"""The judge of task 1: the right processes, situations, and usual mistakes. Try the task before you read on."""

from __future__ import annotations

from patterns.engine.planted import RandomWorlds, Search
from patterns.engine.process import on
from patterns.engine.table import Table

from .judging import PATIENCE, Alone, Situations, everyone_answered, task
from .mutex import ALWAYS, Ack, Ask, Contender, Enter, Mutex, Release, others


class Lamport(Contender):
    """The five rules of the paper, page 561."""

    clock: int = 0
    queue: frozenset[tuple[int, str]] = frozenset()
    """(time, process) of each request that is not released."""
    heard: Table[int] = Table()
    """Process -> the time of its latest message."""

    def ask(self) -> None:
        self.clock += 1
        self.queue |= {(self.clock, self.id)}
        for other in self.others:
            self.send(other, Ask(self.clock))

    @on(Ask)
    def asked(self, sender: str, message: Ask) -> None:
        self.hear(sender, message.time)
        self.queue |= {(message.time, sender)}
        self.send(sender, Ack(self.clock))
        self.look()

    @on(Ack)
    def acknowledged(self, sender: str, message: Ack) -> None:
        self.hear(sender, message.time)
        self.look()

    def release(self) -> None:
        self.clock += 1
        self.queue = self.without(self.id)
        for other in self.others:
            self.send(other, Release(self.clock))

    @on(Release)
    def released(self, sender: str, message: Release) -> None:
        self.hear(sender, message.time)
        self.queue = self.without(sender)
        self.look()

    def hear(self, sender: str, time: int) -> None:
        """Rule IR2: after a receipt, the clock is past the time of the message."""
        self.clock = max(self.clock, time) + 1
        self.heard = self.heard.put(sender, time)

    def without(self, process: str) -> frozenset[tuple[int, str]]:
        return frozenset(each for each in self.queue if each[1] != process)

    def look(self) -> None:
        mine = [each for each in self.queue if each[1] == self.id]
        if mine and self.may_enter(mine[0]):
            self.enter()

    def may_enter(self, mine: tuple[int, str]) -> bool:
        """Rule 5: (i) no request is before its own, (ii) each other process has sent a later message."""
        return self.is_first(mine) and all((self.heard.get(other) or 0) > mine[0] for other in self.others)

    def is_first(self, mine: tuple[int, str]) -> bool:
        return mine == min(self.queue)


# The situations


cases = Situations(lambda kind, name: kind(name, others(name, 3)))


def place(alone: Alone) -> str:
    return "inside" if alone.process.inside else "not inside"  # type: ignore[attr-defined]


def asked(P1: Alone) -> int:
    """P1's client asks; the time of the request."""
    requests = P1.ask("A", Enter()).messages(Ask)
    return int(requests[0].time) if requests else 0


@cases.put("P1's client asks.", "What does P1 send?")
def sends_ask(P1: Alone) -> str:
    return P1.ask("A", Enter()).said


@cases.put("P1's client asks. No answer has arrived.", "Is P1 inside the critical section?")
def waits(P1: Alone) -> str:
    return place(P1.ask("A", Enter()))


@cases.put("Nobody asks at P1. P2's request arrives.", "What does P1 send?")
def acknowledges(P1: Alone) -> str:
    return P1.receive("P2", Ask(3)).said


@cases.put("P1's client waits. P2's request arrives, with a later time.", "What does P1 send?")
def acknowledges_while_it_waits(P1: Alone) -> str:
    return P1.receive("P2", Ask(asked(P1) + 5)).said


@cases.put("P2's request with time 7 arrives.", "Is the time of P1's Ack later than 7?")
def clock_moves(P1: Alone) -> str:
    return "later" if min([ack.time for ack in P1.receive("P2", Ask(7)).messages(Ack)], default=0) > 7 else "not later"


@cases.put("P2's request with time 7 arrives. Then P1's client asks.", "Is the time of P1's Ask later than 7?")
def asks_later(P1: Alone) -> str:
    P1.receive("P2", Ask(7))
    return "later" if asked(P1) > 7 else "not later"


@cases.put("P1's client asks. P2's Ack arrives, P3 is silent.", "Is P1 inside?")
def one_is_missing(P1: Alone) -> str:
    time = asked(P1)
    return place(P1.receive("P2", Ack(time + 5)))


@cases.put("P1's client asks. The Acks of P2 and P3 arrive.", "Is P1 inside?")
def both_are_there(P1: Alone) -> str:
    time = asked(P1)
    return place(P1.receive("P2", Ack(time + 5)).receive("P3", Ack(time + 5)))


def earlier(P1: Alone) -> int:
    """P2's request with time 1 arrives, P1's client asks later, and both Acks arrive; the time of P1's request."""
    time = asked(P1.receive("P2", Ask(1)))
    P1.receive("P2", Ack(time + 5)).receive("P3", Ack(time + 5))
    return time


@cases.put("P2's request with time 1 arrives. P1's client asks later. The Acks of P2 and P3 arrive.", "Is P1 inside?")
def another_is_first(P1: Alone) -> str:
    earlier(P1)
    return place(P1)


@cases.put(
    "P2's request with time 1 arrives. P1's client asks later. Both Acks and then P2's Release arrive.", "Is P1 inside?"
)
def its_turn(P1: Alone) -> str:
    time = earlier(P1)
    return place(P1.receive("P2", Release(time + 9)))


@cases.put("P2's request with time 1 arrives. P1 asks later. P2's Ack, P2's Release, P3's Ack arrive.", "Is P1 inside?")
def the_last_ack(P1: Alone) -> str:
    time = asked(P1.receive("P2", Ask(1)))
    P1.receive("P2", Ack(time + 5)).receive("P2", Release(time + 9))
    return place(P1.receive("P3", Ack(time + 5)))


@cases.put(
    "The requests of P2 (time 1) and P3 (time 2) arrive. P1 asks later, and gets all Acks. P3's Release arrives.",
    "Is P1 inside?",
)
def the_wrong_one(P1: Alone) -> str:
    P1.receive("P2", Ask(1)).receive("P3", Ask(2))
    time = asked(P1)
    P1.receive("P2", Ack(time + 5)).receive("P3", Ack(time + 5))
    return place(P1.receive("P3", Release(time + 9)))


@cases.put("P1 and P2 ask with the same time. All Acks arrive.", "Is P1 inside?")
def first_on_a_tie(P1: Alone) -> str:
    time = asked(P1)
    P1.receive("P2", Ask(time)).receive("P2", Ack(time + 5))
    return place(P1.receive("P3", Ack(time + 5)))


@cases.put("P1 and P2 ask with the same time. All Acks arrive.", "Is P2 inside?")
def second_on_a_tie(P2: Alone) -> str:
    time = asked(P2)
    P2.receive("P1", Ask(time)).receive("P1", Ack(time + 5))
    return place(P2.receive("P3", Ack(time + 5)))


@cases.put("P1 asks, and an earlier request of P2 arrives after that. All Acks arrive.", "Is P1 inside?")
def an_earlier_one_arrives_late(P1: Alone) -> str:
    P1.receive("P3", Ask(4)).receive("P3", Release(6))
    time = asked(P1)
    P1.receive("P2", Ask(1)).receive("P2", Ack(time + 5))
    return place(P1.receive("P3", Ack(time + 5)))


def has_left(P1: Alone) -> Alone:
    time = asked(P1)
    return P1.receive("P2", Ack(time + 5)).receive("P3", Ack(time + 5)).fire("leave")


@cases.put("P1 is inside, and leaves.", "What does P1 send?")
def sends_release(P1: Alone) -> str:
    return has_left(P1).said


@cases.put("P1 was inside, and has left. P2's request arrives.", "What does P1 send?")
def acknowledges_afterwards(P1: Alone) -> str:
    return has_left(P1).receive("P2", Ask(9)).said


@cases.put("P1 was inside, and has left. Its client asks again. The Acks of P2 and P3 arrive.", "Is P1 inside?")
def enters_again(P1: Alone) -> str:
    time = asked(has_left(P1))
    return place(P1.receive("P2", Ack(time + 5)).receive("P3", Ack(time + 5)))


@cases.put("P1 was inside, and has left. P2 asks, then P1 asks again. The Acks of P2 and P3 arrive.", "Is P1 inside?")
def waits_again(P1: Alone) -> str:
    time = asked(has_left(P1).receive("P2", Ask(9)))
    return place(P1.receive("P2", Ack(time + 5)).receive("P3", Ack(time + 5)))


# Usual mistakes


class FirstAck(Lamport):
    def may_enter(self, mine: tuple[int, str]) -> bool:
        return self.is_first(mine) and any((self.heard.get(other) or 0) > mine[0] for other in self.others)


class OnlyAcks(Lamport):
    def is_first(self, mine: tuple[int, str]) -> bool:
        return True


class TiesForAll(Lamport):
    def is_first(self, mine: tuple[int, str]) -> bool:
        return mine[0] == min(self.queue)[0]


class TiesForNone(Lamport):
    def is_first(self, mine: tuple[int, str]) -> bool:
        return all(mine[0] < time for time, process in self.queue if process != self.id)


class StandsStill(Lamport):
    def hear(self, sender: str, time: int) -> None:
        self.heard = self.heard.put(sender, time)


class LooksForTheTime(Lamport):
    @on(Release)
    def released(self, sender: str, message: Release) -> None:
        self.hear(sender, message.time)
        self.queue -= {(message.time, sender)}
        self.look()


class ReleasesAll(Lamport):
    @on(Release)
    def released(self, sender: str, message: Release) -> None:
        self.hear(sender, message.time)
        self.queue = frozenset(each for each in self.queue if each[1] == self.id)
        self.look()


class KeepsItsOwn(Lamport):
    def release(self) -> None:
        self.clock += 1
        for other in self.others:
            self.send(other, Release(self.clock))

    def look(self) -> None:
        if self.client and self.may_enter(min(each for each in self.queue if each[1] == self.id)):
            self.enter()


class LooksOnlyAtAcks(Lamport):
    @on(Release)
    def released(self, sender: str, message: Release) -> None:
        self.hear(sender, message.time)
        self.queue = self.without(sender)


class AnswersLater(Lamport):
    @on(Ask)
    def asked(self, sender: str, message: Ask) -> None:
        self.hear(sender, message.time)
        self.queue |= {(message.time, sender)}
        if not self.client:
            self.send(sender, Ack(self.clock))
        self.look()


class Silent(Lamport):
    def release(self) -> None:
        self.queue = self.without(self.id)


MISTAKES = {
    "enters after the first Ack": FirstAck,
    "counts Acks only": OnlyAcks,
    "enters on a tie": TiesForAll,
    "waits on a tie": TiesForNone,
    "a receipt does not move the clock": StandsStill,
    "looks for the time of the Release": LooksForTheTime,
    "a Release clears the queue": ReleasesAll,
    "keeps its own request": KeepsItsOwn,
    "looks only at Acks": LooksOnlyAtAcks,
    "no Ack while it waits": AnswersLater,
    "no Release": Silent,
}
TWO = Mutex(processes=2, clients=2, entries=2)
THREE = Mutex(processes=3, clients=2)
MUTEX = task(
    "mutex",
    Contender,
    Lamport,
    cases,
    MISTAKES,
    [
        Search(TWO, ALWAYS),
        Search(THREE, ALWAYS),
        RandomWorlds(Mutex(entries=2), (*ALWAYS, everyone_answered), range(60), patience=PATIENCE),
    ],
)
