"""Frames and messages: what goes over the wire comes out the same, and nothing else is let in."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patterns.runtime.wire import HEADER, Wire, WireError


class Put(msgspec.Struct, frozen=True, tag=True):
    key: str
    value: bytes


class Done(msgspec.Struct, frozen=True, tag=True):
    number: int


MESSAGES = Put | Done
FORMS = ["msgpack", "json"]
messages = st.builds(Put, st.text(), st.binary()) | st.builds(Done, st.integers(-(2**63), 2**63 - 1))


async def everything_from(wire: Wire[Any], sent: bytes) -> list[Any]:
    """What a reader gets from bytes after which the other side closes."""
    reader = asyncio.StreamReader()
    reader.feed_data(sent)
    reader.feed_eof()
    found = []
    async with asyncio.timeout(10):
        while (message := await wire.read(reader)) is not None:
            found.append(message)
    return found


def received(wire: Wire[Any], sent: bytes) -> list[Any]:
    return asyncio.run(everything_from(wire, sent))


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(HEADER, "big") + body


@pytest.mark.parametrize("form", FORMS)
@given(sent=st.lists(messages, max_size=5))
def test_messages_come_out_as_they_went_in_and_in_their_order(form: Any, sent: list[Any]) -> None:
    wire: Wire[Any] = Wire(MESSAGES, form=form)
    assert received(wire, b"".join(map(wire.encode, sent))) == sent


@given(noise=st.binary(max_size=200))
def test_noise_is_refused_or_is_a_message_but_never_anything_else(noise: bytes) -> None:
    wire: Wire[Any] = Wire(MESSAGES)
    try:
        found = received(wire, noise)
    except WireError:
        return
    assert all(isinstance(message, Put | Done) for message in found)


@pytest.mark.parametrize("form", FORMS)
@given(body=st.binary(max_size=100))
def test_a_frame_of_noise_is_no_message(form: Any, body: bytes) -> None:
    with pytest.raises(WireError, match="not a message of this protocol: "):
        Wire[Any](MESSAGES, form=form).decode(body)


@given(message=messages, data=st.data())
def test_a_frame_cut_short_anywhere_is_refused(message: Any, data: st.DataObject) -> None:
    wire: Wire[Any] = Wire(MESSAGES)
    frame = wire.encode(message)
    cut = data.draw(st.integers(1, len(frame) - 1))
    with pytest.raises(WireError, match=r"the connection ended after \d+ of \d+ bytes"):
        received(wire, frame[:cut])


def test_the_other_side_may_close_between_two_frames() -> None:
    wire: Wire[Any] = Wire(MESSAGES)
    assert received(wire, b"") == []
    assert received(wire, wire.encode(Done(1))) == [Done(1)]


REFUSED = {
    "an unknown tag": (msgspec.msgpack.encode({"type": "Steal", "key": "k"}), "Invalid value 'Steal'"),
    "no tag": (msgspec.msgpack.encode({"key": "k"}), "missing required field `type`"),
    "a value of a wrong type": (
        msgspec.msgpack.encode({"type": "Done", "number": "seven"}),
        "Expected `int`, got `str`",
    ),
    "a field that is missing": (msgspec.msgpack.encode({"type": "Put", "key": "k"}), "missing required field `value`"),
    "no message at all": (msgspec.msgpack.encode([1, 2]), "Expected `object`, got `array`"),
    "an empty frame": (b"", "truncated"),
    "two messages in one frame": (msgspec.msgpack.encode(Done(1)) * 2, "trailing characters"),
    "text that is not UTF-8": (b"\x82\xa4type\xa3Put\xa3key\xa2\xff\xfe", "invalid start byte"),
    "a nest a hundred thousand deep": (b"\x81\xa1x" + b"\x91" * 100_000, "recursion"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_with_the_reason(what: str) -> None:
    body, reason = REFUSED[what]
    with pytest.raises(WireError, match=f"(?i){reason}"):
        received(Wire(MESSAGES), framed(body))


def test_a_frame_that_announces_too_much_is_refused_before_its_body_is_waited_for() -> None:
    wire: Wire[Any] = Wire(MESSAGES, max_frame=100)
    with pytest.raises(WireError, match=r"a frame of 101 bytes was announced; at most 100 are allowed"):
        received(wire, (101).to_bytes(HEADER, "big"))


def test_a_message_too_long_for_a_frame_is_refused_before_it_is_sent() -> None:
    wire: Wire[Any] = Wire(MESSAGES, max_frame=100)
    longest = 100 - len(msgspec.msgpack.encode(Put("k", b""))) + 1
    wire.encode(Put("k", b"x" * (longest - 1)))
    with pytest.raises(WireError, match=r"a Put of 101 bytes; a frame holds at most 100"):
        wire.encode(Put("k", b"x" * longest))


def test_a_message_of_another_protocol_is_not_sent() -> None:
    class Other(msgspec.Struct, frozen=True, tag=True):
        pass

    with pytest.raises(TypeError, match="this wire carries Put, Done"):
        Wire[Any](MESSAGES).encode(Other())


def test_messages_must_be_frozen_and_tagged() -> None:
    class Mutable(msgspec.Struct, tag=True):
        pass

    class Untagged(msgspec.Struct, frozen=True):
        pass

    for wrong in (Mutable, Untagged):
        with pytest.raises(TypeError, match=f"{wrong.__name__} is not"):
            Wire(wrong)
    with pytest.raises(TypeError, match="one is <class 'int'>"):
        Wire(int | Done)


@pytest.mark.parametrize("size", [0, -1, 2**32])
def test_a_frame_size_that_no_header_can_say_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"max_frame is {size}; it must be from 1 to 4294967295 bytes"):
        Wire(MESSAGES, max_frame=size)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="form is 'pickle'; it must be 'msgpack' or 'json'"):
        Wire(MESSAGES, form="pickle")  # type: ignore[arg-type]
