"""What pickers and projectors share: both fold events, and old events pass their upcasters in both."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from patterns.engine.process import Process

from .codec import Part
from .shelf import CODEC, Event, Shelf, evolve
from .store import Recorded


class Folds(Process):
    def folded(self, shelf: Shelf, events: Iterable[Recorded]) -> Shelf:
        """The state after these events."""
        return reduce(self.evolve, (part.event for event in events for part in self.parts(event)), shelf)

    def parts(self, event: Recorded) -> tuple[Part, ...]:
        return CODEC.decode(event)

    def evolve(self, shelf: Shelf, event: Event) -> Shelf:
        return evolve(shelf, event)
