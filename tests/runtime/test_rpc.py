"""A server answers one message after the other; a client that breaks the protocol is shut out, and no other client
notices."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patterns.runtime.rpc import Connection, Refused, Server
from patterns.runtime.wire import HEADER, WireError


class Double(msgspec.Struct, frozen=True, tag=True):
    number: int


class Doubled(msgspec.Struct, frozen=True, tag=True):
    number: int


MESSAGES = Double | Doubled
T = TypeVar("T")


def double(message: Any) -> Doubled:
    if isinstance(message, Double):
        return Doubled(2 * message.number)
    raise WireError(f"{message} is no request")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end before the deadline; nothing may be left behind, and no failure may go unseen."""
    complaints: list[Any] = []

    async def watched() -> T:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with asyncio.timeout(60):
            result = await work
        for _ in range(3):  # what was closed has its last callbacks
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left
        return result

    result = asyncio.run(watched())
    gc.collect()
    assert not complaints
    return result


async def raw(server: Server, sent: bytes) -> bytes:
    """What the server answers to bytes after which nothing more is sent, until it closes."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(sent)
    writer.write_eof()
    try:
        return await reader.read()
    except ConnectionError:  # closed with bytes unread, which resets the connection
        return b""
    finally:
        writer.close()


def test_every_request_has_its_answer_in_order() -> None:
    async def work() -> None:
        async with Server(MESSAGES, double) as server:
            asking = Connection(MESSAGES, server.host, server.port)
            assert [await asking.ask(Double(number)) for number in range(10)] == [Doubled(2 * n) for n in range(10)]
            await asking.close()

    run(work())


def test_many_may_ask_at_once_on_one_connection_and_none_gets_anothers_answer() -> None:
    async def work() -> None:
        async with Server(MESSAGES, double) as server:
            asking = Connection(MESSAGES, server.host, server.port)
            answers = await asyncio.gather(*(asking.ask(Double(number)) for number in range(50)))
            assert answers == [Doubled(2 * number) for number in range(50)]
            await asking.close()

    run(work())


def test_a_server_listens_on_loopback_and_on_a_free_port_unless_told_otherwise() -> None:
    async def work() -> None:
        async with Server(MESSAGES, double) as one, Server(MESSAGES, double) as other:
            assert one.host == other.host == "127.0.0.1"
            assert one.port != other.port
            assert 0 not in (one.port, other.port)

    run(work())


@settings(max_examples=10, deadline=None)
@given(noises=st.lists(st.binary(max_size=100), min_size=5, max_size=20))
def test_noise_ends_its_own_connection_and_no_other(noises: list[bytes]) -> None:
    async def work() -> None:
        async with Server(MESSAGES, double, max_frame=1000) as server:
            asking = Connection(MESSAGES, server.host, server.port)
            assert await asking.ask(Double(1)) == Doubled(2)
            for noise in noises:
                await raw(server, noise)
                assert await asking.ask(Double(2)) == Doubled(4)
            anew = Connection(MESSAGES, server.host, server.port)
            assert await anew.ask(Double(3)) == Doubled(6)
            await anew.close()
            await asking.close()

    run(work())


BROKEN = {
    "an unknown tag": (b"\x00\x00\x00\x0c" + msgspec.msgpack.encode({"type": "Steal"}), "Invalid value 'Steal'"),
    "too long": ((1 << 30).to_bytes(HEADER, "big"), "a frame of 1,073,741,824 bytes was announced"),
    "cut short": ((9).to_bytes(HEADER, "big") + b"\x82", "the connection ended after 1 of 9 bytes of a frame"),
    "half a header": (b"\x00", "the connection ended after 1 of 4 bytes of a header"),
    "an answer": (b"\x00\x00\x00\x16" + msgspec.msgpack.encode(Doubled(1)), "Doubled(number=1) is no request"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_who_breaks_the_protocol_is_told_why_and_closed(what: str) -> None:
    sent, reason = BROKEN[what]

    async def work() -> None:
        async with Server(MESSAGES, double) as server:
            answer = server.wire.decode((await raw(server, sent))[HEADER:])
            assert isinstance(answer, Refused)
            assert reason in answer.reason
            assert list(server.refused) == [answer.reason]

    run(work())


def test_what_a_server_refuses_is_an_error_where_it_was_asked_and_the_next_request_connects_anew() -> None:
    async def work() -> None:
        async with Server(MESSAGES, double) as server:
            asking = Connection(MESSAGES, server.host, server.port)
            with pytest.raises(WireError, match=r"refused Doubled\(number=1\): Doubled\(number=1\) is no request"):
                await asking.ask(Doubled(1))
            assert await asking.ask(Double(1)) == Doubled(2)
            await asking.close()

    run(work())


def test_a_server_that_is_gone_is_a_connection_error() -> None:
    async def work() -> None:
        async with Server(MESSAGES, double) as server:
            asking = Connection(MESSAGES, server.host, server.port)
            await asking.ask(Double(1))
        with pytest.raises(ConnectionError):
            await asking.ask(Double(2))
        with pytest.raises(ConnectionError):  # and it is not there to connect to either
            await asking.ask(Double(3))
        await asking.close()

    run(work())


def test_connections_to_a_server_are_bounded_and_those_that_are_there_go_on() -> None:
    async def scenario() -> None:
        async with Server(MESSAGES, double) as server:
            server.connections = 1
            first = Connection(MESSAGES, server.host, server.port)
            assert await first.ask(Double(2)) == Doubled(4)
            with pytest.raises(WireError, match="has 1 connections, and takes no more"):
                await Connection(MESSAGES, server.host, server.port).ask(Double(2))
            assert await first.ask(Double(3)) == Doubled(6)
            await first.close()

    run(scenario())


def test_a_server_that_closes_in_the_middle_of_a_request_is_a_connection_error() -> None:
    async def work() -> None:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(HEADER)
            writer.close()

        listening = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        async with listening:
            asking = Connection(MESSAGES, *listening.sockets[0].getsockname())
            with pytest.raises(ConnectionError):
                await asking.ask(Double(1))
            await asking.close()

    run(work())


def test_an_answer_that_does_not_come_is_a_timeout_and_its_late_answer_is_nobodys() -> None:
    async def work() -> None:
        silent = asyncio.Event()

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not silent.is_set():
                silent.set()
                await reader.read()  # until the other side gives up
            else:
                await server._serve(reader, writer)
            writer.close()

        server = Server(MESSAGES, double)
        server._listening = listening = await asyncio.start_server(slow, "127.0.0.1", 0)
        async with listening:
            asking = Connection(MESSAGES, *listening.sockets[0].getsockname(), deadline=0.05)
            with pytest.raises(TimeoutError, match=r"did not answer Double\(number=1\) in 0.05 s"):
                await asking.ask(Double(1))
            asking.deadline = 10
            assert await asking.ask(Double(2)) == Doubled(4)
            await asking.close()

    run(work())


def test_an_answer_that_nobody_waits_for_any_more_is_not_taken_for_the_next() -> None:
    async def work() -> None:
        received, released = asyncio.Event(), asyncio.Event()

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while (message := await asking.wire.read(reader)) is not None:
                received.set()
                await released.wait()
                with suppress(ConnectionError):
                    writer.write(asking.wire.encode(double(message)))
                    await writer.drain()
            writer.close()

        listening = await asyncio.start_server(slow, "127.0.0.1", 0)
        async with listening:
            asking = Connection(MESSAGES, *listening.sockets[0].getsockname())
            given_up = asyncio.create_task(asking.ask(Double(1)))
            await received.wait()
            given_up.cancel()
            with pytest.raises(asyncio.CancelledError):
                await given_up
            released.set()
            assert await asking.ask(Double(2)) == Doubled(4)
            await asking.close()

    run(work())


def test_closing_a_server_ends_its_connections_and_frees_its_port() -> None:
    async def work() -> None:
        server = await Server(MESSAGES, double).start()
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(server.wire.encode(Double(1)))
        assert await server.wire.read(reader) == Doubled(2)
        await server.close()
        with suppress(ConnectionError):  # reset, or closed
            assert await reader.read() == b""
        writer.close()
        async with Server(MESSAGES, double, port=server.port):
            pass
        await server.close()  # closing twice is no harm

    run(work())


def test_a_deadline_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="deadline is 0; it must be more than 0 seconds"):
        Connection(MESSAGES, "127.0.0.1", 1, deadline=0)
