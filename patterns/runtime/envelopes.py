"""The messages between hosts, clients and watchers. Each carries a message of a process, and names its sender.

A message travels as the process's frozen struct, tagged with its name; which there are, its handlers say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from typing import Any

import msgspec

from patterns.engine.process import Process

from .rpc import Refused
from .wire import Wire, WireError


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


ENVELOPES = FromPeer | FromClient | Answer | Refused


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


Happening = Began | Received | Fired | Asked | Killed


class Record(msgspec.Struct, frozen=True, tag=True, kw_only=True):
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
    state: Any = None
    """The process afterwards."""


class Missed(msgspec.Struct, frozen=True, tag=True):
    """The watcher was too slow, and missed this number of records."""

    records: int


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The host listens."""

    port: int


MAX_TOLD = 1 << 26
"""Bytes of one record, which holds a whole process."""
TOLD: Wire[Any] = Wire(Record | Missed | Ready, max_frame=MAX_TOLD)
"""How a process that was started by another tells it what happens."""


class Bodies:
    """A process's messages and requests as bytes, and back. `replies` is the union of the types it replies."""

    def __init__(self, kind: type[Process], replies: Any = None) -> None:
        self.kind = kind
        self._encoder = msgspec.msgpack.Encoder()
        self._message = _decoder(kind._messages)
        self._request = _decoder(kind._requests)
        self._reply = None if replies is None else msgspec.msgpack.Decoder(replies)

    def encode(self, body: Any) -> msgspec.Raw:
        return msgspec.Raw(self._encoder.encode(body))

    def message(self, body: msgspec.Raw) -> Any:
        """The message that one process sent to another. Raises WireError for what this process cannot handle."""
        return self._decode(self._message, body, "message")

    def request(self, body: msgspec.Raw) -> Any:
        """The client's request. Raises WireError for what this process cannot handle."""
        return self._decode(self._request, body, "request")

    def reply(self, body: msgspec.Raw) -> Any:
        """The process's reply. Raises WireError if it is of no declared type."""
        return self._decode(self._reply, body, "reply")

    def _decode(self, decoder: msgspec.msgpack.Decoder[Any] | None, body: msgspec.Raw, what: str) -> Any:
        if decoder is None:
            raise WireError(f"{self.kind.__name__} has no {what} at all")
        try:
            return decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
            raise WireError(f"not a {what} of {self.kind.__name__}: {problem}") from problem

    # Records: the same with everything inside packed or unpacked

    def pack(self, record: Record) -> Record:
        event = record.event
        if isinstance(event, Received | Asked):
            event = msgspec.structs.replace(event, body=self.encode(event.body))
        return msgspec.structs.replace(
            record,
            event=event,
            sends=tuple((to, self.encode(body)) for to, body in record.sends),
            replies=tuple((client, self.encode(body)) for client, body in record.replies),
            state=self.encode(record.state),
        )

    def unpack(self, record: Record, others: Mapping[str, Bodies]) -> Record:
        """`others`: the bodies of those it sends to. Raises WireError.

        Replies stay out where nobody said what they are.
        """
        event = record.event
        if isinstance(event, Received):
            event = Received(event.sender, self._again(self.message, event.body))
        elif isinstance(event, Asked):
            event = Asked(event.client, self._again(self.request, event.body))
        known = record.replies if self._reply else ()
        return msgspec.structs.replace(
            record,
            event=event,
            sends=tuple((to, self._again(others[to].message, body)) for to, body in record.sends),
            replies=tuple((client, self._again(self.reply, body)) for client, body in known),
            state=msgspec.convert(record.state, self.kind, str_keys=True),
        )

    def _again(self, decode: Any, body: Any) -> Any:
        return decode(self.encode(body))


def _decoder(handled: Iterable[type]) -> msgspec.msgpack.Decoder[Any] | None:
    kinds = list(handled)
    return msgspec.msgpack.Decoder(reduce(or_, kinds)) if kinds else None
