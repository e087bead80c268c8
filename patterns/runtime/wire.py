"""Messages on a connection: tagged, frozen structs, each in a frame that begins with its length.

Nothing here opens a connection. A frame is four bytes of length, the most significant first, and that number of bytes
of MessagePack or JSON. Bytes that do not decode to a known message are refused. Nothing is executed (no pickle).
"""

from __future__ import annotations

import asyncio
from asyncio import IncompleteReadError, StreamReader
from typing import Any, Generic, Literal, TypeVar, get_args

import msgspec

HEADER = 4
"""Bytes of length before each frame."""
MAX_FRAME = 1 << 20
"""Bytes that a frame may have, without its header, unless told otherwise."""

M = TypeVar("M")


class WireError(ValueError):
    """A frame or a message that breaks the protocol; the message says how. What follows it cannot be trusted."""


class Wire(Generic[M]):
    """Messages to frames and back.

    `messages` is a frozen, tagged msgspec.Struct, or a union of such. Raises TypeError if their tags do
    not tell them apart, and ValueError if the frame size is below one byte or does not fit into the header.

    >>> class Ping(msgspec.Struct, frozen=True, tag=True):
    ...     number: int
    >>> wire = Wire(Ping, form="json")
    >>> wire.encode(Ping(7))
    b'\\x00\\x00\\x00\\x1a{"type":"Ping","number":7}'
    """

    def __init__(
        self, messages: Any, *, max_frame: int = MAX_FRAME, form: Literal["msgpack", "json"] = "msgpack"
    ) -> None:
        if not 1 <= max_frame < 1 << 8 * HEADER:
            raise ValueError(f"max_frame is {max_frame}; it must be from 1 to {(1 << 8 * HEADER) - 1} bytes")
        if form not in ("msgpack", "json"):
            raise ValueError(f"form is {form!r}; it must be 'msgpack' or 'json'")
        self.max_frame = max_frame
        codec = msgspec.msgpack if form == "msgpack" else msgspec.json
        self._tags = _tags(messages)
        self._encoder = codec.Encoder()
        self._decoder = codec.Decoder(messages)

    def encode(self, message: M) -> bytes:
        """The message's frame. Raises TypeError for a message of another protocol, WireError for one too long."""
        if type(message) not in self._tags:
            raise TypeError(f"message is {message!r}; this wire carries {', '.join(self._tags.values())}")
        body: bytes = self._encoder.encode(message)
        if len(body) > self.max_frame:
            raise WireError(
                f"a {type(message).__name__} of {len(body):,} bytes; a frame holds at most {self.max_frame:,}"
            )
        return len(body).to_bytes(HEADER, "big") + body

    def decode(self, body: bytes) -> M:
        """The message in a frame's body. Raises WireError."""
        try:
            message: M = self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
            raise WireError(f"not a message of this protocol: {problem}") from problem
        return message

    def length(self, header: bytes) -> int:
        """The length that a frame's header announces. Raises WireError when it is more than a frame may have."""
        length = int.from_bytes(header, "big")
        if length > self.max_frame:
            raise WireError(f"a frame of {length:,} bytes was announced; at most {self.max_frame:,} are allowed")
        return length

    async def read(self, reader: StreamReader, patience: float | None = None) -> M | None:
        """The next message, or None where the other side closed between two frames.

        Raises WireError for anything else that is not a message: a frame cut short, too, and one that has not come as a
        whole `patience` seconds after its header.
        """
        try:
            header = await reader.readexactly(HEADER)
        except IncompleteReadError as cut:
            if not cut.partial:
                return None
            raise WireError(f"the connection ended after {len(cut.partial)} of {HEADER} bytes of a header") from cut
        length = self.length(header)
        try:
            async with asyncio.timeout(patience):
                body = await reader.readexactly(length)
            return self.decode(body)
        except TimeoutError:
            raise WireError(f"of a frame of {length:,} bytes, not all came within {patience} s") from None
        except IncompleteReadError as cut:
            raise WireError(f"the connection ended after {len(cut.partial):,} of {length:,} bytes of a frame") from cut


def _tags(messages: Any) -> dict[type[msgspec.Struct], str]:
    tags = {}
    for kind in get_args(messages) or (messages,):
        if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            raise TypeError(f"messages must be msgspec.Struct types; one is {kind!r}")
        if not kind.__struct_config__.frozen or kind.__struct_config__.tag is None:
            raise TypeError(f"messages must be frozen and tagged (frozen=True, tag=True); {kind.__name__} is not")
        tags[kind] = str(kind.__struct_config__.tag)
    return tags
