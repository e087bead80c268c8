"""The messages between hosts, clients and watchers. Each carries a message of a process, and names its sender.

A message travels as the process's frozen struct, tagged with its name; which there are, its handlers say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from typing import Any, get_type_hints

import msgspec
from msgspec.msgpack import Decoder

from patterns.engine.process import Process

from .rpc import Refused
from .wire import Wire, WireError

MOST = 1 << 53
"""The largest integer on the wire, and its negative the smallest: sums of a few of them still fit into 64 bits, and a
page shows them exactly."""


class Hello(msgspec.Struct, frozen=True, tag=True):
    """The first frame of a connection to a process that has a token: only those that know it are heard."""

    token: str


class FromPeer(msgspec.Struct, frozen=True, tag=True):
    """A message from one process to another."""

    sender: str
    body: msgspec.Raw


class FromClient(msgspec.Struct, frozen=True, tag=True):
    """A client's request."""

    client: str
    body: msgspec.Raw


class Answer(msgspec.Struct, frozen=True, tag=True):
    """A process's reply to a client."""

    client: str
    body: msgspec.Raw


ENVELOPES = Hello | FromPeer | FromClient | Answer | Refused


# What a host tells of each thing that happened to its process


class Began(msgspec.Struct, frozen=True, tag=True):
    """The process started: for the first time, or from its disk."""

    again: bool


class Received(msgspec.Struct, frozen=True, tag=True):
    """A message came."""

    sender: str
    body: Any


class Fired(msgspec.Struct, frozen=True, tag=True):
    """A timer ran out."""

    timer: str


class Asked(msgspec.Struct, frozen=True, tag=True):
    """A client's request came."""

    client: str
    body: Any


class Killed(msgspec.Struct, frozen=True, tag=True):
    """The process is no more. Nobody who dies tells this; it is noted down by whoever started it."""


class Paused(msgspec.Struct, frozen=True, tag=True):
    """The process was stopped, and keeps its memory. Noted down by whoever stopped it."""


class Resumed(msgspec.Struct, frozen=True, tag=True):
    """The process may go on."""


class Shown(msgspec.Struct, frozen=True, tag=True):
    """A value of a note as sentences show it: as a text, or a part of it by its name, as in `{entry.command}`."""

    text: str
    parts: dict[str, Shown | str | int | float | bool | None] = {}

    def __str__(self) -> str:
        return self.text

    def __getattr__(self, part: str) -> Any:
        try:
            return self.parts[part]
        except KeyError:
            raise AttributeError(f"{self.text!r} has no {part!r}") from None


One = Shown | str | int | float | bool | None
Value = One | tuple[One, ...]


def shown(value: Any) -> Value:
    """Words, numbers and tuples of them as they are; of anything else what sentences show."""
    return tuple(map(_shown, value)) if isinstance(value, tuple) else _shown(value)


def _shown(value: Any) -> One:
    if value is None or isinstance(value, str | int | float):
        return value
    fields = value.__struct_fields__ if isinstance(value, msgspec.Struct) else ()
    return Shown(str(value), {field: _shown(getattr(value, field)) for field in fields})


Happening = Began | Received | Fired | Asked | Killed | Paused | Resumed


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to one process, and what the process did."""

    at: float
    """Seconds of the monotonic clock, which all processes of one machine share: what was sent before it was received
    has an earlier time."""
    process: str
    event: Happening
    sends: tuple[tuple[str, Any], ...] = ()
    """(to, message)"""
    replies: tuple[tuple[str, Any], ...] = ()
    """(client, message)"""
    notes: tuple[tuple[str, dict[str, Value]], ...] = ()
    """(rule, values)"""
    timers: tuple[tuple[str, float, float], ...] = ()
    """(name, set at, due at) of all timers that run now, in seconds like `at`."""
    changes: Mapping[str, Any] = {}
    """The fields of the process that changed; of a tuple that grew, what was appended."""

    def after(self, before: Process) -> Any:
        """The process afterwards."""
        return msgspec.structs.replace(before, **{f: grown(getattr(before, f), v) for f, v in self.changes.items()})


class Grown(msgspec.Struct, frozen=True):
    """A tuple that has the first `kept` items of the one before it, and `more`."""

    kept: int
    more: tuple[Any, ...]


def grown(before: Any, change: Any) -> Any:
    return (*before[: change.kept], *change.more) if isinstance(change, Grown) else change


def changes(before: Process | None, after: Process) -> dict[str, Any]:
    """The fields of `after` that are not as in `before`; all of them without one."""
    found = {}
    for field in after.__struct_fields__:
        now = getattr(after, field)
        if before is None or (was := getattr(before, field)) is not now:
            kept = 0 if before is None or type(was) is not tuple or type(now) is not tuple else _alike(was, now)
            found[field] = Grown(kept, now[kept:]) if kept else now
    found.pop("_effects", None)
    return found


def _alike(one: tuple[Any, ...], other: tuple[Any, ...]) -> int:
    """How many items both begin with."""
    both = min(len(one), len(other))
    if one[:both] == other[:both]:
        return both
    return next(at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a is not b and a != b)


# Between a process and the one that watches it


class Told(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A record, with everything inside it packed."""

    at: float
    kind: str
    """Of the event."""
    about: str
    """Who sent, who asked, or which timer."""
    body: msgspec.Raw
    sends: tuple[tuple[str, msgspec.Raw], ...]
    replies: tuple[tuple[str, msgspec.Raw], ...]
    notes: tuple[tuple[str, dict[str, Value]], ...]
    timers: tuple[tuple[str, float, float], ...]
    changes: dict[str, msgspec.Raw]
    kept: dict[str, int]
    """Of the fields that grew, how many items they had."""


class Missed(msgspec.Struct, frozen=True, tag=True):
    """The watcher was too slow, and missed this number of records."""

    records: int


class Trouble(msgspec.Struct, frozen=True, tag=True):
    """What a person should know: a message that could not be sent."""

    text: str


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The host listens."""

    port: int


class Orders(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What a child is to be: its parent writes it to its standard input. No argument list is as long."""

    process: str
    fields: msgspec.Raw
    port: int
    peers: dict[str, tuple[str, int]]
    disk: str
    die_at: list[str]
    quiet: bool
    token: str


MAX_TOLD = (1 << 32) - 1
"""Bytes of one record. The first one of a process holds all of it, however large its disk is."""
TOLD: Wire[Any] = Wire(Told | Missed | Trouble | Ready | Orders, max_frame=MAX_TOLD)
"""How a process that was started by another tells it what happens."""


class Bodies:
    """A process's messages and requests as bytes, and back. `replies` is the union of the types it replies."""

    def __init__(self, kind: type[Process], replies: Any = None) -> None:
        self.kind = kind
        self._encoder = msgspec.msgpack.Encoder()
        self._message = _decoder(kind._messages)
        self._request = _decoder(kind._requests)
        self._reply = None if replies is None else Decoder(replies)
        self._fields: dict[str, Decoder[Any]] | None = None

    def encode(self, body: Any) -> msgspec.Raw:
        """Raises WireError for a value that has no encoding: an integer of more than 64 bits."""
        try:
            return msgspec.Raw(self._encoder.encode(body))
        except OverflowError as problem:
            raise WireError(f"{_named(body)} cannot be sent: {problem}") from problem

    def message(self, body: msgspec.Raw) -> Any:
        """The message that one process sent to another. Raises WireError for what this process cannot handle."""
        return self._decode(self._message, body, "message")

    def request(self, body: msgspec.Raw) -> Any:
        """The client's request. Raises WireError for what this process cannot handle."""
        return self._decode(self._request, body, "request")

    def reply(self, body: msgspec.Raw) -> Any:
        """The process's reply. Raises WireError if it is of no declared type."""
        return self._decode(self._reply, body, "reply")

    def _decode(self, decoder: Decoder[Any] | None, body: msgspec.Raw, what: str) -> Any:
        if decoder is None:
            raise WireError(f"{self.kind.__name__} has no {what} at all")
        try:
            found = decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
            raise WireError(f"not a {what} of {self.kind.__name__}: {problem}") from problem
        packed = bytes(body)
        if (b"\xcf" in packed or b"\xd3" in packed) and (much := too_large(found)):  # these begin 64-bit integers
            raise WireError(f"a {what} of {self.kind.__name__} has the integer {much}; allowed is -2**53 to 2**53")
        return found

    # Records

    def pack(self, record: Record) -> Told:
        """Raises WireError for a value that has no encoding."""
        match record.event:
            case Received(about, body) | Asked(about, body):
                pass
            case Fired(about):
                body = None
            case Began(again):
                about, body = "again" if again else "", None
        kept = {field: value.kept for field, value in record.changes.items() if isinstance(value, Grown)}
        return Told(
            at=record.at,
            kind=type(record.event).__name__,
            about=about,
            body=self.encode(body),
            sends=tuple([(to, self.encode(message)) for to, message in record.sends]),
            replies=tuple([(client, self.encode(message)) for client, message in record.replies]),
            notes=record.notes,
            timers=record.timers,
            changes={f: self.encode(v.more if f in kept else v) for f, v in record.changes.items()},
            kept=kept,
        )

    def unpack(self, process: str, told: Told, others: Mapping[str, Bodies]) -> Record:
        """`others`: the bodies of those it sends to. Raises WireError.

        Replies stay out where nobody said what they are.
        """
        event: Happening
        match told.kind:
            case "Received":
                event = Received(told.about, self.message(told.body))
            case "Asked":
                event = Asked(told.about, self.request(told.body))
            case "Fired":
                event = Fired(told.about)
            case _:
                event = Began(told.about == "again")
        if self._fields is None:
            hints = get_type_hints(self.kind)
            self._fields = {field: Decoder(hints[field]) for field in self.kind.__struct_fields__ if field in hints}
        try:
            found = {field: self._fields[field].decode(body) for field, body in told.changes.items()}
        except (msgspec.MsgspecError, UnicodeDecodeError, LookupError) as problem:
            raise WireError(f"not the fields of a {self.kind.__name__}: {problem}") from problem
        return Record(
            at=told.at,
            process=process,
            event=event,
            sends=tuple([(to, others[to].message(body)) for to, body in told.sends]),
            replies=tuple([(client, self.reply(body)) for client, body in told.replies]) if self._reply else (),
            notes=told.notes,
            timers=told.timers,
            changes={f: Grown(told.kept[f], v) if f in told.kept else v for f, v in found.items()},
        )


def too_large(value: Any) -> int | None:
    """The first integer in a message that is out of range."""
    if isinstance(value, int):
        return None if -MOST <= value <= MOST else value
    if isinstance(value, dict):
        value = (*value, *value.values())
    parts = msgspec.structs.astuple(value) if isinstance(value, msgspec.Struct) else value
    if isinstance(parts, str | bytes) or not isinstance(parts, Iterable):
        return None
    return next((much for part in parts if (much := too_large(part)) is not None), None)


def _named(body: Any) -> str:
    return type(body).__name__ if isinstance(body, msgspec.Struct) else "a value"


def _decoder(handled: Iterable[type]) -> Decoder[Any] | None:
    kinds = list(handled)
    return Decoder(reduce(or_, kinds)) if kinds else None
