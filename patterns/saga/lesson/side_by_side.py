"""Both styles in one world: the same sagas, asked for by the same clients, with the same failures at the same time.

Two groups of processes that never talk to one another. The choreographed group's names have a prime: the service
`stock'`, the saga `A1'` of the client `A'`. A client's request begins both. If a process crashes, pauses or is cut off
in one group, its twin in the other group does, too. (The orchestrator has no twin in the other group. Messages differ,
so a fault of one message happens to this message only.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from patterns.engine.process import Process
from patterns.engine.simulation import Simulation
from patterns.engine.step import Note
from patterns.engine.values import by_name
from patterns.engine.world import Call, Crash, Cut, Pause, Request, Restart, Resume, World
from patterns.saga.choreography import Peer
from patterns.saga.definition import Saga
from patterns.saga.machines import CHOREOGRAPHED, ORCHESTRATED, SagaMachine, SagaParams
from patterns.saga.messages import Begin

PRIME = "'"


def primed(definition: Saga) -> Saga:
    """The definition for the choreographed group: of another name, at services of other names."""
    steps = tuple(replace(each, at=each.at + PRIME) for each in definition.steps)
    return Saga(definition.name + PRIME, steps)


class SideBySide(Simulation):
    """Sagas orchestrated, and beside that choreographed. All times are in ms."""

    Params = SagaParams
    params: SagaParams
    name = "saga.side_by_side"
    view = "saga"
    rules = SagaMachine.rules
    events = SagaMachine.events
    always = SagaMachine.always

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        p = self.params
        shared = msgspec.to_builtins(p)
        self.orchestrated = SagaMachine(**shared, style=ORCHESTRATED)
        here = {
            "sagas": [primed(each) for each in p.definitions],
            "rows": {name + PRIME: {row.key: row.value for row in self.orchestrated.rows(name)} for name in p.services},
            "refuse": tuple(what.replace(".", f"{PRIME}.") for what in p.refuse),
            "speed": {},
        }
        self.choreographed = SagaMachine(**{**shared, **here, "style": CHOREOGRAPHED})

    def processes(self) -> Sequence[Process]:
        return [*self.orchestrated.processes(), *self.choreographed.processes()]

    def requests(self, world: World) -> Iterator[Request[Any]]:
        """The requests of the orchestrated group, and one to repair a stuck saga in each group by itself."""
        peers = tuple(each for each in world.processes if isinstance(each, Peer))
        others = tuple(each for each in world.processes if not isinstance(each, Peer))
        yield from self.orchestrated.requests(replace(world, processes=others))
        yield from self.choreographed.repairs_of(replace(world, processes=peers))

    def answers(self, call: Call, reply: Any) -> bool:
        return self.orchestrated.answers(call, reply)

    # What happens to one, happens to its partner

    def partner(self, name: str) -> str:
        """The service of the same name in the other group; empty for the orchestrator."""
        if name.endswith(PRIME):
            return name.removesuffix(PRIME)
        return name + PRIME if name in self.params.services else ""

    def twin(self, event: Any) -> Any | None:
        """The event that happens with this one in the other group, or None."""
        match event:
            case Request(client, _, Begin(serial, saga, name)):
                definition = by_name(self.choreographed.definitions, name + PRIME)
                if definition is None:
                    return None
                begin = Begin(serial, saga + PRIME, definition.name)
                return Request(client + PRIME, self.choreographed.front(definition), begin)
            case Crash(name) | Restart(name) | Pause(name) | Resume(name):
                partner = self.partner(name)
                return type(event)(partner) if partner else None
            case Cut(a, b, one_way):
                here = tuple(partner for name in a if (partner := self.partner(name)) and partner not in a)
                there = tuple(partner for name in b if (partner := self.partner(name)) and partner not in here)
                return Cut(here, there, one_way) if here and there else None
        return None

    def apply(self, world: World, event: Any) -> tuple[World, tuple[Note, ...]]:
        """What happens to the world, in both groups; of the budget it takes one fault, not two."""
        after, notes = super().apply(world, event)
        twin = self.twin(event)
        free = replace(after, budget=None)
        if twin is None or self.why_not(free, twin):
            return after, notes
        both, more = super().apply(free, twin)
        return replace(both, budget=after.budget), (*notes, *more)

    def why_not(self, world: World, event: Any) -> str:
        """A saga is asked for in both groups or in none: a request waits until the other group can take it, too."""
        why = super().why_not(world, event)
        if why or not isinstance(event, Request):
            return why
        twin = self.twin(event)
        return super().why_not(world, twin) if twin else ""

    def repairs(self, world: World) -> Iterator[Any]:
        """What mends all that is broken, once for both groups."""
        done: list[Any] = []
        for event in super().repairs(world):
            if self.twin(event) not in done:
                done.append(event)
                yield event
