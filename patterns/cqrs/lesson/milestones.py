"""What a run can be told to run until."""

from __future__ import annotations

from patterns.cqrs.properties import level, ordered_and_level
from patterns.engine.milestones import Milestones, fired, first, when

TWO_SIDES: Milestones = {
    "a command is decided": fired("W.decided"),
    "a command is recognised": fired("W.again"),
    "a query waits": fired("R.wait"),
    "a customer is shown a page": fired("R.show"),
    "a page says that it is stale": fired("R.stale"),
    "a row and its checkpoint differ": fired("R.rows", "R.mark"),
    "a write is refused": fired("R.refuse"),
    "an event is parked": fired("R.park"),
    "the parked events are applied": fired("R.replay"),
    "a letter goes to the post": fired("R.letter"),
    "a new version begins": fired("P.rebuild"),
    "queries read a new version": fired("R.switch"),
    "a read model lags behind": first(when(lambda world: not level(world))),
    "all read models are level": first(when(ordered_and_level)),
}
