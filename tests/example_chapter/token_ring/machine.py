"""The ring as a machine, and what must hold in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from msgspec import Meta

from patterns.engine.properties import Always, Property, Sometimes
from patterns.engine.sentences import rules_of
from patterns.engine.simulation import Simulation
from patterns.engine.world import Request, World, WorldEvent

from .station import Enter, Station

RULES = rules_of(__package__)


@Always.named("at most one station is in the critical section")
def one_inside(world: World[Station]) -> str | None:
    inside = [station.id for station in world.processes if station.inside]
    return f"{' and '.join(inside)} are inside at the same time" if len(inside) > 1 else None


answered = Sometimes("a client is answered", lambda world: any(not call.waits for call in world.calls))
ALWAYS: tuple[Property, ...] = (one_inside,)


class TokenRing(Simulation):
    name = "token_ring"
    rules = RULES
    events = WorldEvent | Request[Enter]
    always = ALWAYS
    station: ClassVar[type[Station]] = Station

    class Params(Simulation.Params, frozen=True):
        stations: Annotated[int, Meta(ge=2, le=7)] = 3
        """How many stations are on the ring."""
        laps: Annotated[int, Meta(ge=1, le=9)] = 3
        """How often the token goes round before it stays where it is."""

    params: Params

    def processes(self) -> Sequence[Station]:
        names = [f"P{i}" for i in range(1, self.params.stations + 1)]
        after = [*names[1:], names[0]]
        last = self.params.laps * len(names)
        return [self.station(name, next, last, name == "P1") for name, next in zip(names, after, strict=True)]

    def requests(self, world: World[Station]) -> Iterator[Request[Enter]]:
        """Each station has one client, which asks once."""
        for client, station in zip("ABCDEFG", world.processes, strict=False):
            if world.call(client) is None:
                yield Request(client, station.id, Enter())
