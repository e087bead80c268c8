"""The shop as a simulation: pickers A and B decide, a store keeps events, a subscriber passes them to a projector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from patterns.engine.params import refuse
from patterns.engine.process import Process
from patterns.engine.sentences import rules_of
from patterns.engine.simulation import Simulation
from patterns.engine.world import Call, Fire, Request, World, WorldEvent

from .event_store import EventStore, HoldsAtHoles, Horizon, HorizonAndNumber, NumbersFirst
from .log import Log
from .picker import Answer, Picker
from .properties import ALWAYS
from .shelf import Count, Receive, Reserve, Ship
from .store import NewEvent
from .subscriber import Projector, Subscriber

AnyCommand = Receive | Ship | Reserve | Count
StoreName = Literal["one writer", "numbers first", "holds at holes", "horizon", "horizon and number"]
STORES: Mapping[str, type[EventStore]] = {
    "one writer": EventStore,
    "numbers first": NumbersFirst,
    "holds at holes": HoldsAtHoles,
    "horizon": Horizon,
    "horizon and number": HorizonAndNumber,
}
"""Parameter `store` -> what runs."""
PARCELS = [Ship("shelf-1", bags, to) for bags, to in ((3, "Ann"), (5, "Bob"), (5, "Cho"))]
STORY: tuple[AnyCommand, ...] = (Receive("shelf-1", 12), *PARCELS, Count("shelf-1", 3))
PAST = {"received": '{"type":"received","bags":12}', "looked": "{}", "shipped": '{"boxes":1}'}
OF_2024 = [NewEvent(f"x{at}", type, body) for at, (type, body) in enumerate(PAST.items())]
"""What the first shelf has of 2024."""
STORE, SUBSCRIBER, PROJECTOR = "Store", "Sub", "Table"


class Shop(Simulation):
    """Pickers A and B, each with every other command; a client asks for each."""

    name = view = "event_sourcing"
    rules = rules_of(__package__)
    events = WorldEvent | Request[AnyCommand]
    always = ALWAYS
    picker: ClassVar[type[Picker]] = Picker
    event_store: ClassVar[type[EventStore] | None] = None
    """What runs instead of the store that the parameter names: a planted bug, or a learner's."""
    subscriber: ClassVar[type[Subscriber]] = Subscriber
    projector: ClassVar[type[Projector]] = Projector

    class Params(Simulation.Params, frozen=True):
        commands: tuple[AnyCommand, ...] = STORY
        """What clients a, b, ... ask for: the first of picker A, the second of B, the third of A, ..."""
        store: StoreName = "one writer"
        """When an event gets its position, and which events a reader is shown."""
        insert_later: bool = False
        """A transaction begins some time before its insert; not with one writer."""
        old: bool = False
        """The first shelf has three events of 2024; only with one writer."""
        reads: bool = True
        """There are a subscriber and a projector."""
        idle: int = 2
        """How often the subscriber asks for a page while nothing is new. Without an end, no run would end."""

        def check(self) -> None:
            if not 1 <= len(self.commands) <= 26:
                refuse("commands", self.commands, "1 to 26 commands, one for each client")
            if self.old and self.store != "one writer":
                refuse("old", self.old, "False if the store is not 'one writer'")

    params: Params

    def processes(self) -> Sequence[Process]:
        params = self.params
        store = self.event_store or STORES[params.store]
        if issubclass(store, NumbersFirst):
            kept: EventStore = store(id=STORE, insert_later=params.insert_later)
        else:
            kept = store(id=STORE, log=Log().append(params.commands[0].shelf, OF_2024)[0] if params.old else Log())
        pickers: list[Process] = [self.picker(id=name, store=STORE) for name in "AB"]
        if not params.reads:
            return [*pickers, kept]
        subscriber = self.subscriber(
            id=SUBSCRIBER, store=STORE, projector=PROJECTOR, origin=kept.origin(), idle=params.idle
        )
        return [*pickers, kept, subscriber, self.projector(id=PROJECTOR)]

    # Clients

    def requests(self, world: World) -> Iterator[Request[Any]]:
        """Each client asks once, and of a picker that has nothing to do."""
        for at, command in enumerate(self.params.commands):
            client, to = chr(ord("a") + at), "AB"[at % 2]
            if world.call(client) is None and world[to].command is None:
                yield Request(client, to, command)

    def answers(self, call: Call, reply: Any) -> bool:
        return isinstance(reply, Answer)

    # For a search

    def may_happen(self, world: World, event: Any) -> bool:
        """A transaction may be slow or fast. No other timer fires while one is open."""
        if isinstance(event, Fire) and self.params.timing != "asynchronous":
            open = [timer for timer in world.timers if is_transaction(timer.name)]
            return is_transaction(event.timer) or (not open and super().may_happen(world, event))
        return super().may_happen(world, event)


def is_transaction(timer: str) -> bool:
    return timer.partition(":")[0] in ("insert", "commit")
