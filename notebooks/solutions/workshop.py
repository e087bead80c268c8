"""Reference solutions of notebooks/workshop.ipynb and notebooks/workshop_tasks.ipynb. Try first: the judges give hints.

Paste one into the task's cell, or `from solutions.workshop import MyMutex`, and run the check.
"""

from patterns.engine.process import durable, on, on_timer
from patterns.engine.table import Table
from patterns.workshop.fencing import may_write as may_write  # the workshop's exercise
from patterns.workshop.gossip import Compare, Gossiper, Heard, Missing, Rumour
from patterns.workshop.mutex import Ack, Ask, Contender, Release
from patterns.workshop.paxos import Accept, Accepted, Node, Prepare, Promise


class MyMutex(Contender):
    """Task 1: a queue of requests, ordered by (time, process), and the latest time heard from each process."""

    clock: int = 0
    queue: frozenset[tuple[int, str]] = frozenset()
    heard: Table[int] = Table()

    def ask(self):
        self.clock += 1
        self.queue |= {(self.clock, self.id)}
        for other in self.others:
            self.send(other, Ask(self.clock))

    @on(Ask)
    def asked(self, sender, message):
        self.queue |= {(message.time, sender)}
        self.receipt(sender, message.time)
        self.send(sender, Ack(self.clock))

    @on(Ack)
    def acknowledged(self, sender, message):
        self.receipt(sender, message.time)

    def release(self):
        self.clock += 1
        self.remove(self.id)
        for other in self.others:
            self.send(other, Release(self.clock))

    @on(Release)
    def released(self, sender, message):
        self.remove(sender)
        self.receipt(sender, message.time)

    def receipt(self, sender, time):
        self.clock = max(self.clock, time) + 1
        self.heard = self.heard.put(sender, time)
        if self.may_enter():
            self.enter()

    def remove(self, process):
        self.queue = frozenset((time, name) for time, name in self.queue if name != process)

    def may_enter(self):
        time, first = min(self.queue, default=(0, ""))
        return first == self.id and all((self.heard.get(other) or 0) > time for other in self.others)


class MyGossip(Gossiper):
    """Task 2: rumours spread while they are hot, and anti-entropy finds what they missed."""

    def learn(self, text):
        self.known |= {text}
        self.hot = self.hot.put(text, 0)
        self.set_timer("spread", 10, 20)

    @on_timer("spread")
    def spread(self):
        for text in self.hot.names:
            self.send(self.next_peer(), Rumour(text))
        if len(self.hot):
            self.set_timer("spread", 10, 20)

    @on(Rumour)
    def hear(self, sender, message):
        new = message.text not in self.known
        self.send(sender, Heard(message.text, new))
        if new:
            self.learn(message.text)

    @on(Heard)
    def answered(self, sender, message):
        if message.text in self.hot and not message.new:
            times = self.hot[message.text] + 1
            self.hot = self.hot.put(message.text, times)
            if times >= self.k:
                self.hot = self.hot.without(message.text)

    @on_timer("compare")
    def compare(self):
        self.send(self.next_peer(), Compare(self.known))
        self.set_timer("compare", 80, 120)

    @on(Compare)
    def compared(self, sender, message):
        if self.known - message.known:
            self.send(sender, Missing(self.known - message.known))
        self.known |= message.known

    @on(Missing)
    def add(self, sender, message):
        self.known |= message.rumours


class MyNode(Node):
    """Task 3: proposer, acceptor and learner in one node. What an acceptor answers with is on disk."""

    promised: int = durable(0)
    accepted: tuple[int, str] | None = durable(None)
    number: int = durable(0)
    value: str = ""
    phase: int = 0
    promises: Table[tuple[int, str]] = Table()
    holders: frozenset[str] = frozenset()

    def propose(self, value):
        highest = max(self.number, self.promised)
        self.number = (highest // len(self.nodes) + 1) * len(self.nodes) + self.rank
        self.value, self.phase, self.promises, self.holders = value, 1, Table(), frozenset()
        for node in self.nodes:
            self.send(node, Prepare(self.number))

    @on(Prepare)
    def prepare(self, sender, message):
        if message.number > self.promised:
            self.promised = message.number
            self.send(sender, Promise(message.number, self.accepted))

    @on(Promise)
    def promise(self, sender, message):
        if self.phase != 1 or message.number != self.number:
            return
        self.promises = self.promises.put(sender, message.accepted or (0, self.value))
        if 2 * len(self.promises) > len(self.nodes):
            self.phase = 2
            self.value = max(self.promises.values())[1]
            for node in self.nodes:
                self.send(node, Accept(self.number, self.value))

    @on(Accept)
    def accept(self, sender, message):
        if message.number >= self.promised:
            self.promised, self.accepted = message.number, (message.number, message.value)
            self.send(sender, Accepted(message.number, message.value))

    @on(Accepted)
    def count(self, sender, message):
        if self.phase == 2 and message.number == self.number:
            self.holders |= {sender}
            if 2 * len(self.holders) > len(self.nodes):
                self.learn(message.value)
