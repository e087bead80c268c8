"""The judge of task 3: the right node, situations, and usual mistakes. Try the task before you read on."""

from __future__ import annotations

from patterns.engine.planted import Looks, RandomWorlds, Scripted, Search
from patterns.engine.process import durable, on
from patterns.engine.script import Script
from patterns.engine.sentences import names

from .judging import PATIENCE, Alone, Situations, ends_within, everyone_answered, task
from .paxos import ALWAYS, NAMES, Accept, Accepted, Node, Paxos, Prepare, Promise, Proposal, Propose, alone_answered


class Synod(Node):
    """The two phases of section 2.2."""

    promised: int = durable(0)
    """The highest number of a Prepare that it has answered."""
    accepted: Proposal | None = durable(None)
    tried: int = durable(0)
    """The number of its own latest proposal."""
    value: str = ""
    """The value of the proposal that is under way; empty if none is."""
    promises: frozenset[tuple[str, Proposal | None]] = frozenset()
    """(acceptor, what it had accepted)"""
    proposed: bool = False
    """Whether phase 2 has begun."""
    holders: frozenset[str] = frozenset()
    """The acceptors that have accepted the proposal."""

    def propose(self, value: str) -> None:
        self.tried = self.next_number()
        self.value, self.proposed = value, False
        self.promises, self.holders = frozenset(), frozenset()
        for node in self.nodes:
            self.send(node, Prepare(self.tried))

    def next_number(self) -> int:
        """Higher than any number that it has seen, and no number of another node."""
        turn = max(self.tried, self.promised) // len(self.nodes) + 1
        return turn * len(self.nodes) + self.rank

    @on(Prepare)
    def prepare(self, sender: str, message: Prepare) -> None:
        if message.number > self.promised:
            self.promised = message.number
            self.send(sender, Promise(message.number, self.accepted))

    @on(Promise)
    def promise(self, sender: str, message: Promise) -> None:
        if message.number != self.tried or not self.value or self.proposed:
            return
        self.promises |= {(sender, message.accepted)}
        if self.is_majority(len(self.promises)):
            self.proposed, self.value = True, self.value_to_propose()
            for node in self.nodes:
                self.send(node, Accept(self.tried, self.value))

    def is_majority(self, many: int) -> bool:
        return 2 * many > len(self.nodes)

    def value_to_propose(self) -> str:
        """P2c: the value of the highest-numbered proposal among the promises, or its own if no promise has one."""
        accepted = [proposal for _, proposal in self.promises if proposal is not None]
        return max(accepted)[1] if accepted else self.value

    @on(Accept)
    def accept(self, sender: str, message: Accept) -> None:
        if message.number >= self.promised:
            self.promised = message.number
            self.accepted = (message.number, message.value)
            self.send(sender, Accepted(message.number, message.value))

    @on(Accepted)
    def count(self, sender: str, message: Accepted) -> None:
        if message.number == self.tried and self.proposed:
            self.holders |= {sender}
            if self.is_majority(len(self.holders)) and not self.learned:
                self.learn(message.value)


# The situations

cases = Situations(lambda kind, name: kind(name, NAMES))


def numbers(alone: Alone, times: int = 1) -> list[int]:
    """The numbers of so many proposals, one after the other; the last one is under way."""
    return [each.number for _ in range(times) for each in alone.ask("A", Propose("red")).messages(Prepare)[:1]]


def promised(S1: Alone, *accepted: Proposal | None) -> int:
    """S1 proposes red. S2, S3 and S4 promise, each with the proposal that it has accepted. Gives S1's number."""
    [number] = numbers(S1) or [0]
    for sender, proposal in zip(("S2", "S3", "S4"), accepted, strict=False):
        S1.receive(sender, Promise(number, proposal))
    return number


def value(S1: Alone) -> str:
    """What it has proposed in phase 2."""
    return names(sorted({each.value for _, each in S1.ever if isinstance(each, Accept)})) or "nothing"


def learned(S1: Alone) -> str:
    return S1.process.learned or "nothing"  # type: ignore[attr-defined]


@cases.put("S1's client proposes red.", "What does S1 send?")
def asks_for_promises(S1: Alone) -> str:
    return S1.ask("A", Propose("red")).said


@cases.put("S1 proposes twice. Its first proposal is not chosen.", "Is the second number higher?")
def higher(S1: Alone) -> str:
    first, second = [*numbers(S1, 2), 0, 0][:2]
    return "higher" if second > first else "not higher"


@cases.put("S1 and S2 propose three times each.", "Do the two use the same number?")
def no_number_twice(S1: Alone, S2: Alone) -> str:
    return "a number is used twice" if {*numbers(S1, 3)} & {*numbers(S2, 3)} else "all numbers differ"


@cases.put("S1 proposes, crashes, restarts, and proposes again.", "Is the second number higher?")
def higher_after_a_crash(S1: Alone) -> str:
    [first] = numbers(S1) or [0]
    [second] = numbers(S1.restart()) or [0]
    return "higher" if second > first else "not higher"


@cases.put("Prepare 5 arrives at S1, which has accepted nothing.", "What does S1 send?")
def promises(S1: Alone) -> str:
    return S1.receive("S2", Prepare(5)).told


@cases.put("Prepare 5 arrives at S1, and then Prepare 4 of another node.", "What does S1 send then?")
def ignores_an_old_prepare(S1: Alone) -> str:
    return S1.receive("S2", Prepare(5)).receive("S3", Prepare(4)).told


@cases.put("Prepare 5 arrives at S1, and then Accept 5: red.", "What does S1 send then?")
def accepts(S1: Alone) -> str:
    return S1.receive("S2", Prepare(5)).receive("S2", Accept(5, "red")).told


@cases.put("Prepare 5 arrives at S1, and then Accept 4: red of another node.", "What does S1 send then?")
def ignores_an_old_accept(S1: Alone) -> str:
    return S1.receive("S2", Prepare(5)).receive("S3", Accept(4, "red")).told


@cases.put("Accept 5: red arrives at S1, which has promised nothing.", "What does S1 send?")
def accepts_without_a_promise(S1: Alone) -> str:
    return S1.receive("S2", Accept(5, "red")).told


@cases.put("S1 accepts 5: red. Then Prepare 7 arrives.", "What does S1 send then?")
def says_what_it_accepted(S1: Alone) -> str:
    return S1.receive("S2", Accept(5, "red")).receive("S3", Prepare(7)).told


@cases.put("S1 accepts 5: red, then 8: blue. Then Prepare 9 arrives.", "What does S1 send then?")
def says_the_latest(S1: Alone) -> str:
    return S1.receive("S2", Accept(5, "red")).receive("S3", Accept(8, "blue")).receive("S2", Prepare(9)).told


@cases.put("S1 answers Prepare 5, crashes and restarts. Then Accept 4: red arrives.", "What does S1 send then?")
def remembers_its_promise(S1: Alone) -> str:
    return S1.receive("S2", Prepare(5)).restart().receive("S3", Accept(4, "red")).told


@cases.put("S1 accepts 5: red, crashes and restarts. Then Prepare 7 arrives.", "What does S1 send then?")
def remembers_what_it_accepted(S1: Alone) -> str:
    return S1.receive("S2", Accept(5, "red")).restart().receive("S3", Prepare(7)).told


@cases.put("S1 proposes red. S2 promises, the other three of five nodes do not.", "Which value is in S1's Accept?")
def too_few_promises(S1: Alone) -> str:
    promised(S1, None)
    return value(S1)


@cases.put("S1 proposes red. S2's promise arrives twice.", "Which value is in S1's Accept?")
def the_same_promise_twice(S1: Alone) -> str:
    number = promised(S1, None)
    return value(S1.receive("S2", Promise(number, None)))


@cases.put("S1 proposes red. S2 and S3 promise, and have accepted nothing.", "What does S1 send?")
def proposes_its_own(S1: Alone) -> str:
    promised(S1, None, None)
    return f"{S1.said}, with {value(S1)}"


@cases.put("S1 proposes red. S2 promises, and S3 promises with 1: blue.", "Which value is in S1's Accept?")
def proposes_the_accepted(S1: Alone) -> str:
    promised(S1, None, (1, "blue"))
    return value(S1)


@cases.put("S1 proposes red. S2 promises with 1: white, S3 with 2: blue.", "Which value is in S1's Accept?")
def proposes_the_highest(S1: Alone) -> str:
    promised(S1, (1, "white"), (2, "blue"))
    return value(S1)


@cases.put("S1 proposes red. S2 promises with 2: blue, S3 with 1: white.", "Which value is in S1's Accept?")
def proposes_the_highest_of_any_order(S1: Alone) -> str:
    promised(S1, (2, "blue"), (1, "white"))
    return value(S1)


@cases.put(
    "S1 has promises of S2 and S3, and has sent Accept: red. S4 promises, with 1: blue.",
    "Which values are in S1's Accepts?",
)
def a_late_promise(S1: Alone) -> str:
    promised(S1, None, None, (1, "blue"))
    return value(S1)


@cases.put("S1 proposes twice. Two promises for its first number arrive.", "Which value is in S1's Accept?")
def old_promises(S1: Alone) -> str:
    first = promised(S1)
    numbers(S1)
    return value(S1.receive("S2", Promise(first, None)).receive("S3", Promise(first, None)))


@cases.put("S1 has sent Accept: red. Only S1 and S2, two of five nodes, have accepted it.", "What has S1 learned?")
def one_accepted(S1: Alone) -> str:
    number = promised(S1, None, None)
    return learned(S1.receive("S2", Accepted(number, "red")))


@cases.put("S1 has sent Accept: red. S2's Accepted arrives twice.", "What has S1 learned?")
def the_same_accepted_twice(S1: Alone) -> str:
    number = promised(S1, None, None)
    return learned(S1.receive("S2", Accepted(number, "red")).receive("S2", Accepted(number, "red")))


@cases.put("S1 has sent Accept: red. S2 and S3 have accepted it, three of five nodes with S1.", "What has S1 learned?")
def two_accepted(S1: Alone) -> str:
    number = promised(S1, None, None)
    return learned(S1.receive("S2", Accepted(number, "red")).receive("S3", Accepted(number, "red")))


# Usual mistakes


class PromisesAnOlder(Synod):
    @on(Prepare)
    def prepare(self, sender: str, message: Prepare) -> None:
        self.promised = message.number
        self.send(sender, Promise(message.number, self.accepted))


class AcceptsAnOlder(Synod):
    @on(Accept)
    def accept(self, sender: str, message: Accept) -> None:
        self.accepted = (message.number, message.value)
        self.send(sender, Accepted(message.number, message.value))


class PromiseInMemory(Synod):
    promised: int = 0


class AcceptedInMemory(Synod):
    accepted: Proposal | None = None


class BothInMemory(Synod):
    promised: int = 0
    accepted: Proposal | None = None


class NumberInMemory(Synod):
    tried: int = 0

    def next_number(self) -> int:
        return (self.tried // len(self.nodes) + 1) * len(self.nodes) + self.rank


class SameNumbers(Synod):
    def next_number(self) -> int:
        return self.tried + 1


class SaysNothingAccepted(Synod):
    @on(Prepare)
    def prepare(self, sender: str, message: Prepare) -> None:
        if message.number > self.promised:
            self.promised = message.number
            self.send(sender, Promise(message.number, None))


class ItsOwnValue(Synod):
    def value_to_propose(self) -> str:
        return self.value


class TheLastValue(Synod):
    """It keeps the value of the promise that arrived last."""

    last: str = ""

    @on(Promise)
    def promise(self, sender: str, message: Promise) -> None:
        if message.number == self.tried and message.accepted is not None:
            self.last = message.accepted[1]
        super().promise(sender, message)

    def value_to_propose(self) -> str:
        return self.last or self.value


class TheLowestNumber(Synod):
    def value_to_propose(self) -> str:
        return min([each for _, each in self.promises if each], default=(0, self.value))[1]


class OneIsEnough(Synod):
    def is_majority(self, many: int) -> bool:
        return many >= 1


class AllMustPromise(Synod):
    def is_majority(self, many: int) -> bool:
        return many == len(self.nodes)


class CountsMessages(Synod):
    counted: int = 0

    @on(Promise)
    def promise(self, sender: str, message: Promise) -> None:
        self.counted += 1
        super().promise(f"{sender}, message {self.counted}", message)

    @on(Accepted)
    def count(self, sender: str, message: Accepted) -> None:
        self.counted += 1
        super().count(f"{sender}, message {self.counted}", message)


class CountsOldPromises(Synod):
    @on(Promise)
    def promise(self, sender: str, message: Promise) -> None:
        super().promise(sender, Promise(self.tried, message.accepted))


class ProposesTwice(Synod):
    @on(Promise)
    def promise(self, sender: str, message: Promise) -> None:
        self.proposed = False
        super().promise(sender, message)


MISTAKES = {
    "uses the number of another node": SameNumbers,
    "uses a number twice after a crash": NumberInMemory,
    "promises an older number": PromisesAnOlder,
    "accepts an older number": AcceptsAnOlder,
    "hides what it accepted": SaysNothingAccepted,
    "nothing is on disk": BothInMemory,
    "the promise is not on disk": PromiseInMemory,
    "the accepted proposal is not on disk": AcceptedInMemory,
    "proposes its own value": ItsOwnValue,
    "takes the value that arrived last": TheLastValue,
    "takes the lowest number": TheLowestNumber,
    "one is enough": OneIsEnough,
    "all must answer": AllMustPromise,
    "counts messages instead of nodes": CountsMessages,
    "counts old promises": CountsOldPromises,
    "proposes again at a late promise": ProposesTwice,
}
# Runs that show a mistake


def played(moves: str, **params: int) -> Scripted:
    """A run, move by move: `A` is a client that proposes, `13` the first message on its way from S1 to S3 that arrives.

    `=13` is the same message, doubled; `x1` is a crash of S1 and its restart.
    """

    def script(run: Script) -> None:
        for move in moves.split():
            match [f"S{digit}" if digit.isdigit() else digit for digit in move]:
                case ["=", sender, to]:
                    run.duplicate(sender=sender, to=to)
                case ["x", name]:
                    run.crash(name).restart(name)
                case [sender, to]:
                    run.deliver(sender=sender, to=to)
                case [client]:
                    run.ask(client)

    return Scripted(Paxos(**params), script, ALWAYS)


MOST = 32
"""Messages of two proposals: twice as many as two phases need."""
SINGLE = Paxos(clients=1, again=False, budget={})
TWO = Paxos(again=False, brief=True, budget={"crash": 1})
EVERY_RUN = Search(TWO, (*ALWAYS, ends_within(MOST)))
TWO_OLD_VALUES = played("A 13 31 14 41 15 15 B 23 32 24 42 23 24 C 13 13 31 15 51 51 51 13 15", nodes=5, clients=3)
SHOWN_BY: dict[str, Looks] = {
    "uses a number twice after a crash": played("A 12 13 =31 31 13 x1 C 21 31 12 12 12", clients=3),
    "promises an older number": EVERY_RUN,
    "nothing is on disk": EVERY_RUN,
    "the promise is not on disk": EVERY_RUN,
    "the accepted proposal is not on disk": EVERY_RUN,
    "takes the value that arrived last": TWO_OLD_VALUES,
    "takes the lowest number": TWO_OLD_VALUES,
    "all must answer": Scripted(Paxos(), lambda run: run.crash("S2").ask("A").finish(), (alone_answered,)),
    "counts messages instead of nodes": played("A 13 31 14 41 13 14 B 25 =52 52 52 25 23 23", nodes=5),
    "counts old promises": played("A 13 B 23 32 23 A 31 13 13"),
    "proposes again at a late promise": played("B 23 32 21 A 13 31 13 12 12 21 21 21 12 12"),
}
PAXOS = task(
    "paxos",
    Node,
    Synod,
    cases,
    MISTAKES,
    [
        Search(SINGLE, (*ALWAYS, alone_answered, ends_within(MOST))),
        EVERY_RUN,
        RandomWorlds(Paxos(), (*ALWAYS, everyone_answered), range(60), patience=PATIENCE),
    ],
    SHOWN_BY,
)
