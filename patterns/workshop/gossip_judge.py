"""The judge of task 2: the right node, situations, and usual mistakes. Try the task before you read on."""

from __future__ import annotations

from patterns.engine.planted import RandomWorlds
from patterns.engine.process import on, on_timer
from patterns.engine.sentences import counted, names

from .gossip import ALWAYS, Compare, Gossip, Gossiper, Heard, Missing, Rumour, Tell, ended, node
from .judging import PATIENCE, Alone, Live, Situations, task


class Epidemic(Gossiper):
    """Rumour mongering with feedback and counter (section 1.4), backed up by anti-entropy, push-pull (section 1.3)."""

    def learn(self, text: str) -> None:
        self.known |= {text}
        self.hot = self.hot.put(text, 0)
        self.set_timer("spread", 10, 20)

    @on_timer("spread")
    def spread(self) -> None:
        if len(self.hot):
            for text in self.hot.names:
                self.send(self.next_peer(), Rumour(text))
            self.set_timer("spread", 10, 20)

    @on(Rumour)
    def hear(self, sender: str, message: Rumour) -> None:
        new = message.text not in self.known
        if new:
            self.learn(message.text)
        self.send(sender, Heard(message.text, new))

    @on(Heard)
    def answered(self, sender: str, message: Heard) -> None:
        if message.new or message.text not in self.hot:
            return
        times = self.hot[message.text] + 1
        self.hot = self.hot.put(message.text, times) if times < self.k else self.hot.without(message.text)

    @on_timer("compare")
    def compare(self) -> None:
        self.send(self.next_peer(), Compare(self.known))
        self.set_timer("compare", 80, 120)

    @on(Compare)
    def compared(self, sender: str, message: Compare) -> None:
        missing = self.known - message.known
        self.known |= message.known
        if missing:
            self.send(sender, Missing(missing))

    @on(Missing)
    def add(self, sender: str, message: Missing) -> None:
        self.known |= message.rumours


# The situations

cases = Situations(lambda kind, name: node(kind, name, 3))


def knows(alone: Alone) -> str:
    return names(sorted(alone.process.known)) or "nothing"  # type: ignore[attr-defined]


def sends(alone: Alone, kind: type) -> str:
    """How many messages of this type it just sent."""
    many = len({to for to, message in alone.sent if isinstance(message, kind)})
    return f"{kind.__name__} to {counted(many, 'peer')}" if many else f"no {kind.__name__}"


def hot(N1: Alone) -> Alone:
    return N1.ask("A", Tell("dew"))


def after(N1: Alone, *new: bool) -> str:
    """Peers answer so; then N1's timer `spread` fires."""
    for each in new:
        N1.receive("N2", Heard("dew", each))
    return sends(N1.fire("spread"), Rumour)


@cases.put("A client tells N1 the rumour dew.", "What does N1 know?")
def learns(N1: Alone) -> str:
    return knows(hot(N1))


@cases.put("A client tells N1 a rumour. The timer `spread` of N1 fires.", "What does N1 send?")
def spreads(N1: Alone) -> str:
    return after(hot(N1))


@cases.put("N1 has sent a hot rumour to N2. No answer arrives. The timer `spread` fires again.", "What does N1 send?")
def spreads_again(N1: Alone) -> str:
    hot(N1).fire("spread")
    return after(N1)


@cases.put("N2's Rumour dew arrives at N1, and is new to N1.", "What does N1 send?")
def says_new(N1: Alone) -> str:
    return N1.receive("N2", Rumour("dew")).told


@cases.put("N2's Rumour dew arrives at N1, and is new to N1. The timer `spread` of N1 fires.", "What does N1 send?")
def spreads_on(N1: Alone) -> str:
    return after(N1.receive("N2", Rumour("dew")))


@cases.put("N2's Rumour dew arrives at N1 twice.", "What does N1 send the second time?")
def says_known(N1: Alone) -> str:
    return N1.receive("N2", Rumour("dew")).receive("N2", Rumour("dew")).told


@cases.put("The rumour is hot at N1, k is 2. One peer answers that it knew it. `spread` fires.", "What does N1 send?")
def known_once(N1: Alone) -> str:
    return after(hot(N1), False)


@cases.put("The rumour is hot at N1, k is 2. Two peers answer that they knew it. `spread` fires.", "What does N1 send?")
def known_twice(N1: Alone) -> str:
    return after(hot(N1), False, False)


@cases.put("The rumour is hot at N1, k is 2. Two peers answer that it was new. `spread` fires.", "What does N1 send?")
def new_twice(N1: Alone) -> str:
    return after(hot(N1), True, True)


@cases.put("The rumour is not hot at N1 any more. A third peer answers that it knew it.", "What does N1 send?")
def late_answer(N1: Alone) -> str:
    return after(hot(N1), False, False, False)


@cases.put("The rumour is not hot at N1 any more. It arrives from N3. `spread` fires.", "What does N1 send?")
def cold_rumour(N1: Alone) -> str:
    after(hot(N1), False, False)
    return after(N1.receive("N3", Rumour("dew")))


@cases.put("N1 knows dew. Its timer `compare` fires.", "What does N1 send?")
def compares(N1: Alone) -> str:
    N1 = hot(N1).fire("compare")
    return f"{sends(N1, Compare)}, with {names(*(each.listed for each in N1.messages(Compare)[:1])) or 'nothing'}"


@cases.put("The timer `compare` of N1 fires a second time.", "What does N1 send?")
def compares_again(N1: Alone) -> str:
    return sends(N1.fire("compare").fire("compare"), Compare)


@cases.put("N1 knows dew. Compare(rain) arrives from N2.", "What does N1 know?")
def pushed(N1: Alone) -> str:
    return knows(hot(N1).receive("N2", Compare(frozenset({"rain"}))))


@cases.put("N1 knows dew. Compare(rain) arrives from N2.", "Which rumours does N1 send in Missing?")
def pulled(N1: Alone) -> str:
    hot(N1).receive("N2", Compare(frozenset({"rain"})))
    return names(text for each in N1.messages(Missing) for text in each.listed) or "none"


@cases.put("N1 knows dew. Compare(dew) arrives from N2.", "Which rumours does N1 send in Missing?")
def nothing_missing(N1: Alone) -> str:
    hot(N1).receive("N2", Compare(frozenset({"dew"})))
    return names(text for each in N1.messages(Missing) for text in each.listed) or "none"


@cases.put("N1 knows dew. Missing(rain) arrives from N2.", "What does N1 know?")
def completed(N1: Alone) -> str:
    return knows(hot(N1).receive("N2", Missing(frozenset({"rain"}))))


# Usual mistakes


class LosesInterestAtOnce(Epidemic):
    @on(Heard)
    def answered(self, sender: str, message: Heard) -> None:
        if not message.new:
            self.hot = self.hot.without(message.text)


class CountsEveryAnswer(Epidemic):
    @on(Heard)
    def answered(self, sender: str, message: Heard) -> None:
        super().answered(sender, Heard(message.text, False))


class NeverLosesInterest(Epidemic):
    @on(Heard)
    def answered(self, sender: str, message: Heard) -> None:
        pass


class MissesTheHotOne(Epidemic):
    @on(Heard)
    def answered(self, sender: str, message: Heard) -> None:
        times = self.hot[message.text] + (not message.new)
        self.hot = self.hot.put(message.text, times) if times < self.k else self.hot.without(message.text)


class SendsOnce(Epidemic):
    @on_timer("spread")
    def spread(self) -> None:
        for text in self.hot.names:
            self.send(self.next_peer(), Rumour(text))


class Floods(Epidemic):
    @on_timer("spread")
    def spread(self) -> None:
        for peer in self.peers if len(self.hot) else ():
            for text in self.hot.names:
                self.send(peer, Rumour(text))
            self.set_timer("spread", 10, 20)


class HotAgain(Epidemic):
    @on(Rumour)
    def hear(self, sender: str, message: Rumour) -> None:
        self.send(sender, Heard(message.text, message.text not in self.known))
        self.learn(message.text)


class KeepsItToItself(Epidemic):
    @on(Rumour)
    def hear(self, sender: str, message: Rumour) -> None:
        self.send(sender, Heard(message.text, message.text not in self.known))
        self.known |= {message.text}


class NoFeedback(Epidemic):
    @on(Rumour)
    def hear(self, sender: str, message: Rumour) -> None:
        if message.text not in self.known:
            self.learn(message.text)
            self.send(sender, Heard(message.text, True))


class ComparesOnce(Epidemic):
    @on_timer("compare")
    def compare(self) -> None:
        self.send(self.next_peer(), Compare(self.known))


class OnlyTakes(Epidemic):
    @on(Compare)
    def compared(self, sender: str, message: Compare) -> None:
        self.known |= message.known


class Overwrites(Epidemic):
    @on(Compare)
    def compared(self, sender: str, message: Compare) -> None:
        self.send(sender, Missing(self.known - message.known))
        self.known = message.known


MISTAKES = {
    "loses interest at once": LosesInterestAtOnce,
    "counts every answer": CountsEveryAnswer,
    "never loses interest": NeverLosesInterest,
    "stumbles over a late answer": MissesTheHotOne,
    "sends a rumour once": SendsOnce,
    "sends to all peers": Floods,
    "a known rumour is hot again": HotAgain,
    "does not pass it on": KeepsItToItself,
    "answers only what is new": NoFeedback,
    "compares once": ComparesOnce,
    "takes and does not give": OnlyTakes,
    "forgets its own": Overwrites,
}
PAIR = Gossip(nodes=2, k=1, budget={"drop": 1}, timing="patient")
SMALL = Gossip(budget={"drop": 1}, timing="patient", k=1)
CRASH = Gossip(budget={"crash": 1}, timing="patient", k=1)
LOSSY = {"next": 0.1, "request": 0.08, "drop": 0.15, "duplicate": 0.05, "delay": 0.05, "crash": 0.01}
MANY = Gossip(nodes=5, rumours=3)
GOSSIP = task(
    "gossip",
    Gossiper,
    Epidemic,
    cases,
    MISTAKES,
    [
        Live(PAIR, ALWAYS, ended),
        Live(SMALL, ALWAYS, ended),
        Live(CRASH, ALWAYS, ended),
        RandomWorlds(MANY, (*ALWAYS, ended), range(40), faults=LOSSY, patience=PATIENCE),
    ],
)
