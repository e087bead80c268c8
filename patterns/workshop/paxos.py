"""Task 3: Paxos for one value (Lamport 2001, "Paxos Made Simple", section 2).

Each node is a proposer, an acceptor and a learner, as in section 2.5. A node may crash and restart at any moment.
Messages may be lost, late and doubled. The learner extends `Node` and writes `propose` and the four handlers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Self

from msgspec import Meta

from patterns.engine.along import Along, Broken, Transition
from patterns.engine.process import Message, durable, on_request
from patterns.engine.properties import Always, AtRest, Property
from patterns.engine.sentences import names, rules_of
from patterns.engine.simulation import Simulation
from patterns.engine.world import Crash, Request, Restart, World, WorldEvent

from .judging import Bounded

Proposal = tuple[int, str]
"""(number, value)"""


class Prepare(Message):
    """Phase 1 (a): a proposer asks for promises for its number."""

    number: int


class Promise(Message):
    """Phase 1 (b): the acceptor accepts no proposal with a lower number any more."""

    number: int
    accepted: Proposal | None
    """The proposal with the highest number that it has accepted; None if it has accepted none."""


class Accept(Message):
    """Phase 2 (a): a proposer asks the acceptors to accept its proposal."""

    number: int
    value: str


class Accepted(Message):
    """Phase 2 (b): the acceptor has accepted this proposal."""

    number: int
    value: str


class Propose(Message):
    """A client wants this value to be chosen. It is answered with the value that is chosen."""

    value: str


class Node(Bounded):
    """A node. The learner writes `propose` and a handler for each message."""

    nodes: tuple[str, ...]
    """All nodes, this one included. What a node sends to itself arrives at once, without the network."""
    learned: str = durable("")
    """The chosen value; empty before the node has learned it."""
    client: str = ""
    """The client that waits."""

    @property
    def rank(self) -> int:
        """Its place among the nodes: 0, 1, 2, ..."""
        return self.nodes.index(self.id)

    def send(self, to: str, message: Message) -> None:
        if isinstance(message, Promise):
            self.note("X.promise", number=message.number, to=to)
        elif isinstance(message, Accepted):
            self.note("X.accept", number=message.number, value=message.value)
        super().send(to, message)

    def _keep(self, after: Self) -> Self:
        """After every handler: what it has sent to itself arrives."""
        assert after._effects is not None  # a handler has just run
        sends = after._effects.sends
        while own := next((send for send in sends if send[0] == self.id), None):
            sends.remove(own)
            after.receive(*own)
        return super()._keep(after)

    @on_request(Propose)
    def asked(self, client: str, request: Propose) -> None:
        self.client = client
        self.note("X.ask", client=client, value=request.value)
        if self.learned:
            self.reply(client, self.learned)
        else:
            self.propose(request.value)

    def propose(self, value: str) -> None:
        """Phase 1 (a)."""
        raise NotImplementedError

    def learn(self, value: str) -> None:
        """The value is chosen: the node keeps it and answers its client."""
        self.note("X.learn", value=value)
        self.learned = value
        if self.client:
            self.reply(self.client, value)


# What must hold

Votes = frozenset[tuple[str, int, str]]
"""(acceptor, number, value): all that was ever accepted."""


def chosen(votes: Votes, nodes: int) -> dict[str, int]:
    """Chosen value -> the number of its proposal: a majority has accepted the proposal."""
    by: dict[Proposal, set[str]] = defaultdict(set)
    for acceptor, number, value in sorted(votes):
        by[number, value].add(acceptor)
    return {value: number for (number, value), acceptors in by.items() if 2 * len(acceptors) > nodes}


@Along.named("at most one value is chosen, and no other value is learned", lambda world: Votes())
def agreement(votes: Votes, step: Transition) -> Votes | Broken:
    """An acceptor has accepted a proposal when it sends Accepted."""
    said = [note.values for note in step.notes if note.rule == "X.accept"]
    votes |= {(each["who"], each["number"], each["value"]) for each in said}
    values = chosen(votes, len(step.after.processes))
    if len(values) > 1:
        return Broken(f"two values are chosen, {names(f'{v} (number {n})' for v, n in sorted(values.items()))}")
    for each in step.after.processes:
        if each.learned and each.learned not in values:
            return Broken(f"{each.id} has learned {each.learned}, which no majority has accepted")
    return votes


@Always.named("only a proposed value is accepted")
def proposed_only(world: World[Node]) -> str | None:
    asked = {call.body.value for call in world.calls}
    for packet in world.packets:
        if isinstance(packet.body, Accept | Accepted) and packet.body.value not in asked:
            return f"{packet.sender} sends {packet.body}, and no client has proposed {packet.body.value!r}"
    return None


@AtRest.named("a client that proposes alone is answered")
def alone_answered(world: World[Node]) -> str | None:
    waiting = [call.to for call in world.calls if call.waits]
    if len(world.calls) > 1 or not waiting:
        return None
    return f"no message is on its way, and the proposal of {names(waiting)} is not chosen"


ALWAYS: tuple[Property, ...] = (agreement, proposed_only)
NAMES = ("S1", "S2", "S3", "S4", "S5")


def forgets(node: Node) -> bool:
    """Whether the node is another one after a crash and a restart, or does something then."""
    after, effects = node.crashed().after_restart()
    return bool(after != node or effects.sends or effects.timers)


class Paxos(Simulation):
    """Nodes that choose one value of those that clients propose."""

    name = "Paxos"
    rules = rules_of(__package__)
    events = WorldEvent | Request[Propose]
    always = ALWAYS
    process: ClassVar[type[Node]] = Node

    class Params(Simulation.Params, frozen=True):
        nodes: Annotated[int, Meta(ge=2, le=5)] = 3
        """How many nodes there are."""
        clients: Annotated[int, Meta(ge=1, le=3)] = 2
        """How many clients propose: A and C to the first node, B to the second."""
        again: bool = True
        """A client that waits may propose again."""
        brief: bool = False
        """In a search only the last node crashes, where it forgets something, and it restarts at once. What a longer
        crash does, late and lost messages do, too."""

    params: Params

    def may_happen(self, world: World[Node], event: object) -> bool:
        if self.params.brief and (world.down or isinstance(event, Crash)):
            last = world.processes[-1]
            return event == (Restart if world.down else Crash)(last.id) and (bool(world.down) or forgets(last))
        return super().may_happen(world, event)

    def processes(self) -> Sequence[Node]:
        all = NAMES[: self.params.nodes]
        return [self.process(name, all) for name in all]

    def requests(self, world: World[Node]) -> Iterator[Request[Propose]]:
        offered = (("A", "S1", "red"), ("B", "S2", "blue"), ("C", "S1", "green"))
        for client, to, value in offered[: self.params.clients]:
            call = world.call(client)
            if call is None or (call.waits and self.params.again):
                yield Request(client, to, Propose(value))
