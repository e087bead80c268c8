"""The ring with one rule broken."""

from __future__ import annotations

from collections.abc import Mapping

from patterns.engine.planted import Bug, RandomWorlds, Search
from token_ring.machine import TokenRing, answered, one_inside
from token_ring.station import Station

SMALL = TokenRing(laps=2, budget={"duplicate": 1})
SEARCH = Search(SMALL, (one_inside, answered))


class TakesAnyToken(Station):
    def may_take(self, number: int) -> bool:
        return True


BUGS: Mapping[str, Bug] = {
    "takes any token": Bug(
        "A station does not compare numbers: it takes a duplicate of the token for the token.",
        {"station": TakesAnyToken},
        SEARCH,
        breaks=one_inside,
        random=RandomWorlds(TokenRing(laps=9), (one_inside,)),
    ),
}
