"""How events become JSON and come back, for as long as the store lives: upcasters, and errors that name the place.

- An event is read back before it is appended. JSON has no NaN: without this, an event could be written that no reader
  can ever read again.
- An old event passes its upcasters on every path: load, replay and subscription. A step turns one body into the next
  version, into none, or into several events.
- An unknown type, an unknown field or a damaged body is an error with stream, version and position. It is never
  skipped: a fold without it would be another state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, get_args

import msgspec

from patterns.engine.values import Value

from .store import NewEvent, Recorded

Body = dict[str, Any]
Upcaster = Callable[[Body], list[tuple[str, Body]]]
"""The body of an old event -> the type and body of each event that stands for it today."""


class Fact(Value, tag_field="type", forbid_unknown_fields=True):
    """The base of a chapter's events. Each gives its tag as a text: a class may be renamed, a stored type never."""


class Unreadable(ValueError):
    """A stored event that is unreadable. The message says where it stands."""

    def __init__(self, event: Recorded, why: object) -> None:
        place = f"stream {event.stream!r}, version {event.version}, position {event.position}"
        super().__init__(f"{place}: an event of type {event.type!r} cannot be read: {why}")
        self.event = event


class Part(NamedTuple):
    """An event as the code of today knows it. `nth` counts the events that one stored event became."""

    event: Any
    stored: Recorded
    nth: int = 0


class Codec:
    """Encodes and decodes events of these types; `upcasters` names the old types."""

    def __init__(self, types: Any, upcasters: Mapping[str, Upcaster]) -> None:
        self._decoder = msgspec.json.Decoder(types)
        self._types, self._upcasters = types, upcasters
        kinds = {kind.__struct_config__.tag: kind for kind in get_args(types) or (types,)}
        self._today = {tag: kind for tag, kind in kinds.items() if tag not in upcasters}

    def encode(self, id: str, event: Fact, meta: str = "{}", tags: Iterable[str] = ()) -> NewEvent:
        """The event as it is appended. Raises ValueError if it would not come back as it is."""
        written = msgspec.json.encode(event)
        back = None
        with suppress(msgspec.MsgspecError):
            back = self._decoder.decode(written)
        if back != event:
            raise ValueError(f"event {event!r} is read back as {back!r} ({written.decode()})")
        return NewEvent(id, str(event.__struct_config__.tag), written.decode(), meta, tuple(tags))

    def decode(self, stored: Recorded) -> tuple[Part, ...]:
        """What the event is today: usually one event, sometimes none or several. Raises Unreadable."""
        try:
            if stored.type not in self._upcasters:
                event = self._decoder.decode(stored.data)
                if event.__struct_config__.tag != stored.type:
                    raise ValueError(f"its body is of type {event.__struct_config__.tag!r}")
                return (Part(event, stored),)
            bodies = self._upcast(stored.type, msgspec.json.decode(stored.data, type=Body))
            events = [msgspec.convert({**body, "type": type}, self._types) for type, body in bodies]
        except (msgspec.MsgspecError, ValueError, LookupError, TypeError) as problem:
            raise Unreadable(stored, problem) from problem
        return tuple(Part(event, stored, nth) for nth, event in enumerate(events))

    def facts(self, events: Iterable[Recorded]) -> list[Any]:
        """What these events are today, in their order: what a fold takes. Raises Unreadable."""
        found, decode, today = list[Any](), self._decoder.decode, self._today
        for stored in events:
            try:
                event = decode(stored.data) if stored.type in today else None
            except msgspec.MsgspecError:
                event = None
            if event is not None and event.__class__ is today[stored.type]:
                found.append(event)  # most are of today: no part and no call for each of them
            else:
                found += [part.event for part in self.decode(stored)]
        return found

    def _upcast(self, type: str, body: Body) -> list[tuple[str, Body]]:
        """One step for each version, until the type is one of today's."""
        if type not in self._upcasters:
            return [(type, body)]
        return [today for newer in self._upcasters[type](body) for today in self._upcast(*newer)]
