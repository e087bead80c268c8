"""Task 1: mutual exclusion without a server (Lamport 1978, "Time, Clocks, and the Ordering of Events").

Links are first in, first out, no message is lost, and no process fails: the paper assumes this. The learner extends
`Contender` and writes the paper's five rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from msgspec import Meta

from patterns.engine.along import Along, Broken, Transition
from patterns.engine.process import Message, on_request, on_timer
from patterns.engine.properties import Always, AtRest, Property
from patterns.engine.sentences import names, rules_of
from patterns.engine.simulation import Fault, Simulation
from patterns.engine.world import Deliver, Request, World, WorldEvent

from .judging import Bounded, too_many


class Ask(Message):
    """Rule 1: the sender requests the critical section. `time` is the time of the request."""

    time: int


class Ack(Message):
    """Rule 2: the sender has the request in its queue."""

    time: int


class Release(Message):
    """Rule 3: the sender has left the critical section."""

    time: int


class Enter(Message):
    """A client wants its process to enter the critical section once."""


class Contender(Bounded):
    """A process with a client that wants to enter. The learner writes `ask`, `release`, and a handler for each message.

    A learner's class calls `self.enter()` when rule 5 allows it. The process leaves by itself after 20 ms.
    """

    others: tuple[str, ...]
    """The other processes."""
    inside: bool = False
    """Whether it is in the critical section."""
    client: str = ""
    """The client that waits."""
    entries: int = 0
    """How often it has entered."""

    @on_request(Enter)
    def wanted(self, client: str, request: Enter) -> None:
        self.client = client
        self.note("M.want", client=client)
        self.ask()

    def ask(self) -> None:
        """Rule 1."""
        raise NotImplementedError

    def release(self) -> None:
        """Rule 3."""
        raise NotImplementedError

    def enter(self) -> None:
        """The process is in the critical section from now on. Raises RuntimeError if no client of it waits."""
        if not self.client:
            raise RuntimeError(f"{self.id} enters the critical section, and no client of {self.id} waits")
        if not self.inside:
            self.inside, self.entries = True, self.entries + 1
            self.note("M.enter", client=self.client)
            self.set_timer("leave", 20)

    @on_timer("leave")
    def left(self) -> None:
        self.note("M.leave", client=self.client)
        self.reply(self.client, "done")
        self.inside, self.client = False, ""
        self.release()


# What must hold


@Always.named("at most one process is in the critical section")
def one_inside(world: World[Contender]) -> str | None:
    inside = [each.id for each in world.processes if each.inside]
    return f"{names(inside)} are in the critical section at the same time" if len(inside) > 1 else None


@AtRest.named("every request is granted")
def all_granted(world: World[Contender]) -> str | None:
    waiting = [call.to for call in world.calls if call.waits]
    if not waiting:
        return None
    requests = "a request is" if len(waiting) == 1 else f"{len(waiting)} requests are"
    return f"no message is on its way any more, and {requests} not granted: {names(waiting)}"


Known = frozenset[tuple[str, str, int | str]]


@Along.named("requests are granted in their order", lambda world: Known())
def in_order(known: Known, step: Transition) -> Known | Broken:
    """A process that asks after it received another's open request enters after the other (condition II, causal part).

    It remembers ("open", process, time of its request), ("knows", process, other), ("after", process, other).
    """
    match step.event:
        case Deliver(id) if isinstance(ask := (packet := step.before.packet(id)).body, Ask):
            if ("open", packet.sender, ask.time) in known:
                known |= {("knows", packet.to, packet.sender)}
        case Request(_, who):
            asks = {("open", who, each.body.time) for each in step.after.packets if each.id >= step.before.next_id}
            known |= asks | {("after", who, other) for kind, of, other in known if (kind, of) == ("knows", who)}
    for before, after in zip(step.before.processes, step.after.processes, strict=True):
        if after.inside and not before.inside:
            first = sorted(str(other) for kind, of, other in known if (kind, of) == ("after", after.id))
            if first:
                return Broken(f"{after.id} enters before {first[0]}, whose request it had received before it asked")
            known = frozenset(each for each in known if each[2] != after.id and each[:2] != ("open", after.id))
    return known


@Always.named("an entry costs few messages")
def few_messages(world: World[Contender]) -> str | None:
    """Lamport's rules send 3 messages to each other process for an entry. Twice as many are allowed."""
    asked = sum(each.entries + bool(each.client and not each.inside) for each in world.processes)
    return too_many(world, asked * (6 * (len(world.processes) - 1) + 1))


ALWAYS: tuple[Property, ...] = (one_inside, in_order, all_granted, few_messages)
NAMES = ("P1", "P2", "P3", "P4", "P5")


def others(name: str, processes: int) -> tuple[str, ...]:
    return tuple(other for other in NAMES[:processes] if other != name)


class Mutex(Simulation):
    """Processes that share one critical section, each with one client."""

    name = "Mutual exclusion"
    rules = rules_of(__package__)
    events = WorldEvent | Request[Enter]
    always = ALWAYS
    process: ClassVar[type[Contender]] = Contender

    class Params(Simulation.Params, frozen=True):
        processes: Annotated[int, Meta(ge=2, le=5)] = 3
        """How many processes share the critical section."""
        clients: Annotated[int, Meta(ge=1, le=5)] = 3
        """How many of them have a client."""
        entries: Annotated[int, Meta(ge=1, le=9)] = 1
        """How often each client asks."""
        fifo: bool = True
        """Messages of one link never overtake one another."""
        budget: dict[Fault, Annotated[int, Meta(ge=0)]] | None = {}
        """How many faults of each kind may happen: none, as in the paper."""

    params: Params

    def processes(self) -> Sequence[Contender]:
        many = self.params.processes
        return [self.process(name, others(name, many)) for name in NAMES[:many]]

    def requests(self, world: World[Contender]) -> Iterator[Request[Enter]]:
        for client, process in zip("ABCDE"[: self.params.clients], world.processes, strict=False):
            call = world.call(client)
            if process.entries < self.params.entries and (call is None or not call.waits):
                yield Request(client, process.id, Enter())
