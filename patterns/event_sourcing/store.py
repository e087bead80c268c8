"""The contract of an event store: what an append promises, and what a reader may rely on.

    store.append("shelf-1", [NewEvent("a1", "received", '{"bags": 12}')], expected=NO_STREAM)

A stream is a list of events. The version of an event is its place in its stream: 0 for the first one. The position of
an event is its place in the whole store. A refused append leaves a hole in the positions of some stores, so positions
rise without being consecutive. What all stores promise to readers: **no event ever appears at or below a position that
a reader has passed**.

An append with an expected version is accepted only at that version: that is optimistic concurrency. A retry is
recognised **by its place**, before its version is judged. If its events stand directly after the expected version, it
is answered as the first time. The scope of an event's id is its stream.

`Log` in `log.py` is the store as a value, `SqliteStore` in `sqlite_store.py` is the same contract on a file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from patterns.engine.params import refuse
from patterns.engine.values import Value

ANY: Literal["any"] = "any"
"""Expected version: the append goes to the end of its stream, whatever stands there."""
STREAM_EXISTS: Literal["stream exists"] = "stream exists"
"""Expected version: the stream has an event."""
NO_STREAM = -1
"""Expected version: the stream has no event, or was deleted."""
Expected = int | Literal["any", "stream exists"]
"""What a writer expects of a stream: one of the three above, or the version of the last event that it has read."""
LARGEST = 2**63 - 1
"""The largest version, position and limit: SQLite's integers have 63 bits and a sign."""


class NewEvent(Value):
    """An event that is to be appended. `codec.py` makes its body."""

    id: str
    """Names the event in its stream. A retry has the same id."""
    type: str
    data: str
    """The body, in JSON."""
    meta: str = "{}"
    """Data about the event, in JSON: time, user, cause. A retry may have other metadata."""
    tags: tuple[str, ...] = ()
    """What a query finds it by, such as `course:7`. A tag has no spaces."""


class Recorded(NewEvent, kw_only=True):
    """An event as it stands in a store."""

    stream: str
    version: int
    position: int


Batch = Iterable[NewEvent]
Events = tuple[Recorded, ...]


class Appended(NamedTuple):
    """The answer to an append: where its last event stands."""

    version: int
    position: int
    again: bool = False
    """The events stood there already: this is a retry, and nothing was written."""


class Item(NamedTuple):
    """Events of one of these types that have all of these tags; of any type if no type is named."""

    types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def matches(self, event: NewEvent) -> bool:
        return (not self.types or event.type in self.types) and {*self.tags} <= {*event.tags}


Query = tuple[Item, ...]
"""Events that match one of these items (dcb.events, "Query"). Without items: all events."""


def matches(query: Query, event: NewEvent) -> bool:
    return not query or any(item.matches(event) for item in query)


class Condition(NamedTuple):
    """Refuses an append if an event that matches `query` stands after position `after` (dcb.events, Append condition).

    `after` is the highest position that the writer knew when it read. It must not be read later than the events are:
    an event that commits in between is then missed (marten#5300). The position of the writer's last match refuses the
    same appends, but more events are looked at."""

    query: Query
    after: int = 0


class Page(NamedTuple):
    """A part of a store, in the order of positions."""

    events: tuple[Recorded, ...]
    to: int
    """The page was searched up to this position, and the next page begins after it. A filter does not change that."""


def page_of(events: Events, after: int, limit: int, head: int) -> Page:
    """The page that has these events. `head` is the highest position in the store, read before they were."""
    if len(events) >= limit:
        return Page(events, events[-1].position if events else after)
    return Page(events, max(after, head))


class AppendRefused(Exception):
    """A refused append or deletion. Nothing of it was written."""


class WrongVersion(AppendRefused):
    """The stream is not as expected. Read it again, and decide again."""

    def __init__(self, stream: str, expected: Expected, actual: int) -> None:
        super().__init__(f"stream {stream!r} is at version {actual}; expected is {expected}")
        self.stream, self.expected, self.actual = stream, expected, actual


class OtherContent(AppendRefused):
    """An event of this id stands there, with another type, body or tags: the id names two facts."""

    def __init__(self, stream: str, version: int, id: str) -> None:
        super().__init__(f"event {id!r} stands at version {version} of stream {stream!r} with other content")
        self.stream, self.version, self.id = stream, version, id


class Tombstoned(AppendRefused):
    """The stream was deleted for ever."""

    def __init__(self, stream: str) -> None:
        super().__init__(f"stream {stream!r} was deleted for ever; use another name")
        self.stream = stream


class ConditionFailed(AppendRefused):
    """An event that the decision did not know matches its query. Read again, and decide again."""

    def __init__(self, condition: Condition, position: int) -> None:
        super().__init__(f"the event at position {position} matches the query; the writer knew up to {condition.after}")
        self.condition, self.position = condition, position


APPEND, SAME, CONFLICT = "append", "same", "conflict"
"""What to make of a batch."""


def judge(stored: Sequence[str], ids: Sequence[str], expected: Expected) -> str:
    """What to make of a batch: `append`, `same` for a retry, or `conflict`. The ids of its stream are `stored`.

    An exact version: at the tail the batch is appended. Below the tail it is a retry if all of it stands directly
    after the expected version (KurrentDB, IndexWriter.CheckCommit). Any version: a batch of unknown ids is appended,
    and a batch of known ids is a retry. A mixed batch is a conflict, because a batch is one decision.
    """
    tail = len(stored) - 1
    if isinstance(expected, int):
        if expected == tail:
            return APPEND
        stands = tuple(stored[expected + 1 : expected + 1 + len(ids)]) if NO_STREAM <= expected < tail else ()
        return SAME if stands == tuple(ids) else CONFLICT
    known = [id in stored for id in ids]
    if not any(known):
        return APPEND if stored or expected == ANY else CONFLICT
    return SAME if all(known) else CONFLICT


class Stream(NamedTuple):
    """The events of a stream that are not deleted: those from version `first` on."""

    first: int
    events: tuple[Recorded, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple([event.id for event in self.events])


def recognise(
    stream: str, stored: Stream, batch: Sequence[NewEvent], expected: Expected, rule: Callable[..., str] = judge
) -> Recorded | None:
    """The last event of a batch that stands in its stream already; None for a batch that is to be appended.

    Raises WrongVersion or OtherContent. Versions go on after a deletion, so a retry never fits by accident.
    """
    ids, first = stored.ids, stored.first
    before = expected - first if isinstance(expected, int) and expected != NO_STREAM else expected
    verdict = rule(ids, tuple([event.id for event in batch]), before)
    if verdict == APPEND:
        return None
    if verdict != SAME:
        raise WrongVersion(stream, expected, first + len(ids) - 1)
    there = None
    for nth, event in enumerate(batch):
        place = before + 1 + nth if isinstance(before, int) else ids.index(event.id)
        there = stored.events[place]
        if (there.type, there.data, there.tags) != (event.type, event.data, event.tags):
            raise OtherContent(stream, there.version, event.id)
    return there


class Store(ABC):
    """An event store. Versions count from 0, positions from 1."""

    @abstractmethod
    def append(self, stream: str, events: Batch, expected: Expected = ANY, unless: Condition | None = None) -> Appended:
        """Append all of these events or none. Returns when they are as durable as the store makes them.

        Raises WrongVersion, OtherContent, Tombstoned or ConditionFailed, all of them AppendRefused; ValueError for an
        empty batch, an id that stands in it twice, or an argument that is out of range.
        """

    @abstractmethod
    def read(self, stream: str, start: int | None = None, limit: int = LARGEST, backwards: bool = False) -> Events:
        """At most `limit` events of a stream, from version `start` on; backwards from `start` down.

        `start` None: from the first event on, or backwards from the last. Empty for an unknown or deleted stream."""

    @abstractmethod
    def tail(self, stream: str) -> int:
        """The version of the stream's last event, also after a deletion; -1 if it never had one."""

    @abstractmethod
    def page(self, after: int = 0, limit: int = 100, category: str = "", query: Query = ()) -> Page:
        """At most `limit` events after a position; only those of a category, and only those that match a query.

        A subscriber asks again with `after=page.to`. The category of stream `shelf-1` is `shelf`.
        """

    @abstractmethod
    def delete(self, stream: str, expected: Expected = ANY, for_ever: bool = False) -> None:
        """Hide all events of a stream. It can begin again, and its versions go on; not if it is deleted for ever.

        Raises WrongVersion or Tombstoned. Positions show the events still: they happened.
        """


def category_of(stream: str) -> str:
    """`shelf-1` -> `shelf`; a stream without a dash is its own category (message-db, `category`)."""
    return stream.partition("-")[0]


def batch_of(stream: str, events: Batch, expected: Expected) -> tuple[NewEvent, ...]:
    """The events of an append, once its arguments are checked. Raises ParameterError, a ValueError."""
    batch = tuple(events)
    if not batch:
        refuse("events", batch, "one or more events: a decision without events is no append")
    ids: set[str] = set()
    for at, event in enumerate(batch):
        for name, text in (("stream", stream), ("id", event.id), ("type", event.type)):
            if not isinstance(text, str) or not text:
                refuse(name if name == "stream" else f"events[{at}].{name}", text, "a text of one or more characters")
        if event.tags and any(not tag or " " in tag for tag in event.tags):
            refuse(f"events[{at}].tags", event.tags, "tags without spaces")
        if event.id in ids:
            refuse(f"events[{at}].id", event.id, "an id of its own for each event of a batch")
        ids.add(event.id)
    require_expected(expected)
    return batch


def require_expected(expected: Expected) -> None:
    number = isinstance(expected, int) and not isinstance(expected, bool) and NO_STREAM <= expected <= LARGEST
    if not number and expected not in (ANY, STREAM_EXISTS):
        refuse("expected", expected, f"{ANY!r}, {STREAM_EXISTS!r}, or a version from {NO_STREAM} (no stream) on")


def require_count(**values: int) -> None:
    """Raises ParameterError for a value that is not a whole number from 0 on."""
    for name, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST:
            refuse(name, value, f"a whole number from 0 to {LARGEST}")


def bounds(start: int | None, limit: int, backwards: bool) -> tuple[int, int]:
    """The lowest and the highest version to read. Raises ParameterError for an argument that is out of range."""
    require_count(start=start or 0, limit=limit)
    if start is None:
        return 0, LARGEST
    return (0, start) if backwards else (start, LARGEST)
