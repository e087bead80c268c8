"""An event store as a value: an append gives another log. What a picture steps through, and what a search explores."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import asdict, replace

from patterns.engine.table import Table
from patterns.engine.values import Value

from .store import (
    ANY,
    LARGEST,
    NO_STREAM,
    Appended,
    Batch,
    Condition,
    ConditionFailed,
    Events,
    Expected,
    Page,
    Query,
    Recorded,
    Stream,
    Tombstoned,
    WrongVersion,
    batch_of,
    bounds,
    category_of,
    judge,
    matches,
    page_of,
    recognise,
    require_count,
    require_expected,
)

FOR_EVER = LARGEST
"""The first version of a stream that was deleted for ever: no event has it."""


class Log(Value):
    """The events of a store, in the order of their positions."""

    events: tuple[Recorded, ...] = ()
    deleted: Table[int] = Table()
    """Stream -> the first version that is not deleted."""

    def append(
        self,
        stream: str,
        events: Batch,
        expected: Expected = ANY,
        unless: Condition | None = None,
        *,
        rule: Callable[..., str] = judge,
        position: int = 0,
    ) -> tuple[Log, Appended]:
        """The log afterwards, and the answer. Refuses as `Store.append` does.

        `rule` may be a learner's `judge`. The first event gets this position, or the next one if it is 0.
        """
        batch = batch_of(stream, events, expected)
        if self.deleted.get(stream) == FOR_EVER:
            raise Tombstoned(stream)
        if there := recognise(stream, self.stream(stream), batch, expected, rule):
            return self, Appended(there.version, there.position, again=True)
        for event in self.events:
            if unless is not None and event.position > unless.after and matches(unless.query, event):
                raise ConditionFailed(unless, event.position)
        version, position = self.tail(stream) + 1, position or max([0, *(e.position for e in self.events)]) + 1
        new = [
            Recorded(**asdict(event), stream=stream, version=version + nth, position=position + nth)
            for nth, event in enumerate(batch)
        ]
        all = sorted([*self.events, *new], key=lambda event: event.position)
        return replace(self, events=tuple(all)), Appended(new[-1].version, new[-1].position)

    def stream(self, name: str) -> Stream:
        """The events of a stream that are not deleted."""
        first = self.deleted.get(name) or 0
        own = [event for event in self.events if event.stream == name and event.version >= first]
        return Stream(first, tuple(own))

    def read(self, stream: str, start: int | None = None, limit: int = LARGEST, backwards: bool = False) -> Events:
        low, high = bounds(start, limit, backwards)
        events = [event for event in self.stream(stream).events if low <= event.version <= high]
        return tuple((events[::-1] if backwards else events)[:limit])

    def tail(self, stream: str) -> int:
        return max([event.version for event in self.events if event.stream == stream], default=-1)

    def page(self, after: int = 0, limit: int = 100, category: str = "", query: Query = ()) -> Page:
        require_count(after=after, limit=limit)
        later = [event for event in self.events if event.position > after and matches(query, event)]
        found = [event for event in later if category in ("", category_of(event.stream))]
        return page_of(tuple(found[:limit]), after, limit, self.events[-1].position if self.events else 0)

    def delete(self, stream: str, expected: Expected = ANY, for_ever: bool = False) -> Log:
        """The log with all events of the stream hidden."""
        tail = self.tail(stream)
        require_deletable(stream, expected, self.deleted.get(stream) or 0, tail)
        return replace(self, deleted=self.deleted.put(stream, FOR_EVER if for_ever else tail + 1))


def require_deletable(stream: str, expected: Expected, first: int, tail: int) -> None:
    """Raises WrongVersion or Tombstoned if a stream with these first and last versions cannot be deleted."""
    require_expected(expected)
    if first == FOR_EVER:
        raise Tombstoned(stream)
    there = tail if tail >= first else NO_STREAM
    if there == NO_STREAM or (isinstance(expected, int) and expected != there):
        raise WrongVersion(stream, expected, there)
