"""Two players and a ball: the least that sends messages and sets a timer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from patterns.engine.process import Message, Process, durable, on, on_timer
from patterns.engine.simulation import Simulation
from patterns.engine.step import Rule


class Ball(Message):
    count: int

    def __str__(self) -> str:
        return f"ball {self.count}"


class Player(Process):
    peer: str
    serves: bool
    hits: int = durable(0)
    warm: bool = False

    def on_start(self) -> None:
        if self.serves:
            self.set_timer("serve", 10, 20)

    @on_timer("serve")
    def serve(self) -> None:
        self.send(self.peer, Ball(0))

    @on(Ball)
    def hit(self, sender: str, ball: Ball) -> None:
        self.hits += 1
        self.warm = True
        self.note("P.1", count=ball.count)
        self.send(sender, Ball(ball.count + 1))


class PingPong(Simulation):
    name = "ping_pong"
    rules = {"P.1": Rule("{who} hits the ball for the {count}th time", "the game")}

    def processes(self) -> Sequence[Process]:
        return (Player("A", "B", True), Player("B", "A", False))


class Gossip(Process):
    """One of five that tell each other what they know, as often as a leader sends heartbeats."""

    peers: tuple[str, ...]
    period: int
    known: tuple[int, ...] = durable((0,) * 5)
    heard_from: frozenset[str] = frozenset()
    rounds: int = 0

    def on_start(self) -> None:
        self.set_timer("tell", self.period, 2 * self.period)
        self.set_timer("silence", 3 * self.period, 6 * self.period)

    @on_timer("tell")
    def tell(self) -> None:
        self.rounds += 1
        for peer in self.peers:
            self.send(peer, News(self.known))
        self.set_timer("tell", self.period, 2 * self.period)

    @on_timer("silence")
    def nobody_spoke(self) -> None:
        self.heard_from = frozenset()
        self.set_timer("silence", 3 * self.period, 6 * self.period)

    def receive(self, sender: str, message: Any) -> None:
        self.heard_from |= {sender}
        self.set_timer("silence", 3 * self.period, 6 * self.period)
        super().receive(sender, message)


class News(Message):
    known: tuple[int, ...]


class TellingGossip(Gossip):
    @on(News)
    def learn(self, sender: str, news: News) -> None:
        mine = int(self.id[1:]) - 1
        merged = [max(pair) for pair in zip(self.known, news.known, strict=True)]
        merged[mine] += 1
        self.known = tuple(merged)
        self.note("G.1", known=self.known)


class FiveGossips(Simulation):
    name = "five_gossips"
    rules = {"G.1": Rule("{who} knows {known}", "Demers and others (1987)")}

    def processes(self) -> Sequence[Process]:
        names = tuple(f"S{i}" for i in range(1, 6))
        return tuple(TellingGossip(name, tuple(n for n in names if n != name), 50) for name in names)
