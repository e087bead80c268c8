"""Task 2: gossip (Demers et al. 1987, "Epidemic Algorithms for Replicated Database Maintenance").

Rumour mongering is fast and ends. Anti-entropy is slow, never ends, and finds what a rumour missed. The learner extends
`Gossiper` and writes both.

Liveness, precisely: from every state, if finitely many messages are lost from then on, each node that stays up learns
each rumour that a node knows that stays up. And then no rumour is hot any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from msgspec import Meta

from patterns.engine.along import AlwaysNext
from patterns.engine.process import Message, on_request, on_timer, setting
from patterns.engine.properties import Always, Property, Sometimes
from patterns.engine.sentences import names, rules_of
from patterns.engine.simulation import Simulation
from patterns.engine.table import Table
from patterns.engine.world import Request, World, WorldEvent

from .judging import Bounded


class Rumour(Message):
    """A hot rumour, to one peer."""

    text: str


class Heard(Message):
    """The answer to a rumour: whether it was new."""

    text: str
    new: bool


class Compare(Message):
    """Anti-entropy: everything that the sender knows."""

    known: frozenset[str]

    @property
    def listed(self) -> tuple[str, ...]:
        return tuple(sorted(self.known))


class Missing(Message):
    """The answer to Compare: what its sender did not know."""

    rumours: frozenset[str]

    @property
    def listed(self) -> tuple[str, ...]:
        return tuple(sorted(self.rumours))


class Tell(Message):
    """A client tells a node a rumour."""

    text: str


class Gossiper(Bounded):
    """A node that gossips. The learner writes `learn`, the two timers, and a handler for each message."""

    peers: tuple[str, ...]
    """The other nodes."""
    k: int = setting(2)
    """A rumour is hot until so many peers have answered that they knew it already."""
    known: frozenset[str] = frozenset()
    """The rumours that the node knows."""
    hot: Table[int] = Table()
    """Hot rumour -> how many peers have answered that they knew it."""
    turn: int = 0

    def on_start(self) -> None:
        self.set_timer("compare", 80, 120)

    @on_request(Tell)
    def told(self, client: str, request: Tell) -> None:
        self.note("G.tell", client=client, text=request.text)
        self.reply(client, "thanks")
        self.learn(request.text)

    def next_peer(self) -> str:
        """The peers in turn. (In the paper: one peer at random.)"""
        self.turn = (self.turn + 1) % len(self.peers)
        return self.peers[self.turn - 1]

    def learn(self, text: str) -> None:
        """A rumour that is new to the node: from a client, or in a Rumour."""
        raise NotImplementedError

    @on_timer("spread")
    def spread(self) -> None:
        raise NotImplementedError

    @on_timer("compare")
    def compare(self) -> None:
        raise NotImplementedError


# What must hold


@AlwaysNext.named("no node forgets a rumour")
def none_forgotten(before: World[Gossiper], after: World[Gossiper]) -> str | None:
    for was, now in zip(before.processes, after.processes, strict=True):
        if now.id not in after.down and (lost := was.known - now.known):
            return f"{now.id} knew {names(sorted(lost))} and does not know it any more"
    return None


@Always.named("no node invents a rumour")
def none_invented(world: World[Gossiper]) -> str | None:
    told = {call.body.text for call in world.calls}
    for each in world.up:
        if invented := each.known - told:
            return f"{each.id} knows {names(sorted(invented))}, which no client has told"
    return None


def is_quiet(world: World[Gossiper]) -> bool:
    """Whether the nodes that are up know the same rumours, and no rumour is hot.

    A node that is left alone gets no answer: its rumours may stay hot.
    """
    return len({each.known for each in world.up}) <= 1 and (
        len(world.up) < 2 or not any(len(each.hot) for each in world.up)
    )


ended = Sometimes("every node that is up knows the same rumours, and no rumour is hot", is_quiet)
ALWAYS: tuple[Property, ...] = (none_forgotten, none_invented)
NAMES = ("N1", "N2", "N3", "N4", "N5", "N6", "N7")


def node(kind: type[Gossiper], name: str, nodes: int, k: int = 2) -> Gossiper:
    return kind(name, tuple(other for other in NAMES[:nodes] if other != name), k)


class Gossip(Simulation):
    """Nodes that gossip, and clients that tell them rumours. A crashed node does not come back."""

    name = "Gossip"
    rules = rules_of(__package__)
    events = WorldEvent | Request[Tell]
    always = ALWAYS
    process: ClassVar[type[Gossiper]] = Gossiper

    class Params(Simulation.Params, frozen=True):
        nodes: Annotated[int, Meta(ge=2, le=7)] = 3
        """How many nodes gossip."""
        rumours: Annotated[int, Meta(ge=1, le=5)] = 1
        """How many clients tell a rumour, each to a node of its own."""
        k: Annotated[int, Meta(ge=1, le=5)] = 2
        """A rumour is hot until so many peers have answered that they knew it already."""
        crash_stop: bool = True
        """A crashed node does not restart."""

    params: Params

    def processes(self) -> Sequence[Gossiper]:
        nodes, k = self.params.nodes, self.params.k
        return [node(self.process, name, nodes, k) for name in NAMES[:nodes]]

    def requests(self, world: World[Gossiper]) -> Iterator[Request[Tell]]:
        texts = ("dew", "rain", "snow", "wind", "fog")[: self.params.rumours]
        for client, text, name in zip("ABCDE", texts, NAMES, strict=False):
            if world.call(client) is None and name in world.names:
                yield Request(client, name, Tell(text))
