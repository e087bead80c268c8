"""A process runs unchanged: TCP for its messages, the clock for its timers, a file for its durable fields."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patterns.engine.process import Message, Process, durable, on, on_request, on_timer
from patterns.runtime import Disk, DiskError, Host, Wire
from patterns.runtime.envelopes import ENVELOPES, Answer, Bodies, FromClient, FromPeer, Record
from patterns.runtime.host import QUEUE
from patterns.runtime.rpc import Refused

T = TypeVar("T")


class Raise(Message, frozen=True):
    by: int


class Total(Message, frozen=True):
    total: int


class Tell(Message, frozen=True):
    """Tell the peers this text."""

    text: str


class News(Message, frozen=True):
    text: str


class Fail(Message, frozen=True):
    pass


class Counter(Process):
    """Counts on disk, asks in memory; passes news on; fails when told to."""

    peers: tuple[str, ...] = ()
    total: int = durable(0)
    asked: int = 0
    restarts: int = durable(0)
    heard: tuple[str, ...] = ()

    def on_restart(self) -> None:
        self.restarts += 1

    @on_request(Raise)
    def take(self, client: str, request: Raise) -> None:
        self.total += request.by
        self.asked += 1
        self.reply(client, Total(self.total))
        for peer in self.peers:
            self.send(peer, News(str(self.total)))

    @on_request(Tell)
    def pass_on(self, client: str, request: Tell) -> None:
        for peer in self.peers:
            self.send(peer, News(request.text))
        self.reply(client, Total(self.total))

    @on_request(Fail)
    def fail(self, client: str, request: Fail) -> None:
        raise RuntimeError("told to")

    @on(News)
    def hear(self, sender: str, news: News) -> None:
        self.heard = (*self.heard, news.text)


def run(work: Coroutine[Any, Any, T], seconds: float = 20) -> T:
    """Run to the end before the deadline; no task is left behind."""

    async def bounded() -> T:
        async with asyncio.timeout(seconds):
            result = await work
        for _ in range(3):  # what was closed has its last callbacks
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    return asyncio.run(bounded())


WIRE: Wire[Any] = Wire(ENVELOPES)
BODIES = Bodies(Counter, Total)


class Asker:
    """A client's connection to one host."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, request: Message, client: str = "A") -> None:
        self.writer.write(WIRE.encode(FromClient(client, BODIES.encode(request))))

    async def answer(self) -> int:
        answer = await WIRE.read(self.reader)
        assert isinstance(answer, Answer), answer
        return BODIES.reply(answer.body).total  # type: ignore[no-any-return]

    async def ask(self, request: Message) -> int:
        self.send(request)
        return await self.answer()


@asynccontextmanager
async def asking(host: Host) -> AsyncIterator[Asker]:
    reader, writer = await asyncio.open_connection(host.host, host.port)
    try:
        yield Asker(reader, writer)
    finally:
        writer.transport.abort()


async def until(host: Host, reached: Any) -> None:
    """Wait until the host's process is as wanted, looking at it whenever something happened to it."""
    happened = host.narration.subscribe()
    while not reached(host.process):
        await happened.recv()


# Disk


def test_a_restart_begins_with_what_was_on_the_disk_and_with_nothing_else(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Host(Counter(id="C"), {}, disk=tmp_path / "C") as host, asking(host) as client:
            assert [await client.ask(Raise(by)) for by in (1, 2, 3)] == [1, 3, 6]
            assert (host.process.total, host.process.asked) == (6, 3)
        async with Host(Counter(id="C"), {}, disk=tmp_path / "C") as host, asking(host) as client:
            assert await client.ask(Raise(1)) == 7
            assert (host.process.total, host.process.asked, host.process.restarts) == (7, 1, 1)

    run(scenario())


def test_nothing_is_said_that_is_not_on_disk_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Raft Figure 2: persistent state is on stable storage before a server answers
    def full(disk: Disk, process: Process) -> None:
        raise OSError("no space left")

    async def scenario() -> None:
        addresses: dict[str, tuple[str, int]] = {"C": ("127.0.0.1", 0)}
        async with Host(Counter(id="D"), addresses) as other:
            addresses["D"] = (other.host, other.port)
            host = Host(Counter(id="C", peers=("D",)), addresses, disk=tmp_path / "C")
            async with host, asking(host) as client:
                assert await client.ask(Raise(1)) == 1
                await until(other, lambda process: process.heard == ("1",))
                written = (tmp_path / "C").read_bytes()
                monkeypatch.setattr(Disk, "write", full)
                client.send(Raise(1))
                with pytest.raises(OSError, match="no space left"):
                    await host.ended()
            assert await client.reader.read() == b"", "no reply"
            assert (tmp_path / "C").read_bytes() == written
            async with asking(other) as client:
                await client.ask(Raise(1))  # whatever was sent to it before has come by now
            assert other.process.heard == ("1",), "no message"

    run(scenario())


def test_events_that_come_together_share_a_write_and_what_changes_nothing_durable_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[int] = []
    write = Disk.write

    def counted(disk: Disk, process: Any) -> None:
        writes.append(process.total)
        write(disk, process)

    async def scenario() -> None:
        async with Host(Counter(id="C"), {}, disk=tmp_path / "C") as host, asking(host) as client:
            for _ in range(50):
                client.send(Raise(1))
            assert [await client.answer() for _ in range(50)] == list(range(1, 51))
            assert writes[-1] == 50
            assert len(writes) < 25
            before = len(writes)
            assert await client.ask(Tell("nothing durable")) == 50
            assert len(writes) == before

    monkeypatch.setattr(Disk, "write", counted)
    run(scenario())


def test_a_crash_while_writing_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(tmp_path / "C")
    disk.write(Counter(id="C", total=1))

    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    for step in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, step, crash)
            with pytest.raises(KeyboardInterrupt):
                disk.write(Counter(id="C", total=2))
        found = disk.read(Counter(id="C"))
        assert found is not None
        assert found.total == 1
    disk.write(Counter(id="C", total=3))
    assert disk.read(Counter(id="C")) == Counter(id="C", total=3)


def test_what_another_process_wrote_is_refused(tmp_path: Path) -> None:
    (tmp_path / "C").write_bytes(b"no such thing")
    with pytest.raises(DiskError, match="does not hold the fields of a Counter"):
        run(Host(Counter(id="C"), {}, disk=tmp_path / "C").__aenter__())
    assert Disk(tmp_path / "nothing").read(Counter(id="C")) is None


# What comes in


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_noise_closes_its_own_connection_and_the_process_is_unharmed(noise: bytes) -> None:
    async def scenario() -> None:
        async with Host(Counter(id="C"), {}) as host:
            async with asking(host) as noisy:
                noisy.writer.write(noise)
                noisy.writer.write_eof()
                await noisy.reader.read()  # until it is closed
            async with asking(host) as client:
                assert await client.ask(Raise(5)) == 5

    run(scenario())


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (FromClient("A", msgspec.Raw(msgspec.msgpack.encode({"type": "Erase"}))), "not a request of Counter"),
        (FromClient("A", msgspec.Raw(msgspec.msgpack.encode({"type": "Raise", "by": "1"}))), "Expected `int`"),
        (FromClient("A", msgspec.Raw(b"\x82\xa4type\xa4Tell\xa4text\xa2\xff\xfe")), "not a request of Counter"),
        (FromPeer("D", BODIES.encode(Raise(1))), "not a message of Counter"),
        (FromPeer("stranger", BODIES.encode(News("hello"))), "'stranger' is no peer of C"),
        (Answer("A", BODIES.encode(Total(1))), "Answer is nothing that C takes"),
    ],
)
def test_what_the_process_does_not_handle_is_refused_with_the_reason(frame: Any, reason: str) -> None:
    async def scenario() -> None:
        async with Host(Counter(id="C"), {"D": ("127.0.0.1", 1)}) as host, asking(host) as client:
            client.writer.write(WIRE.encode(frame))
            answer = await WIRE.read(client.reader)
            assert isinstance(answer, Refused)
            assert reason in answer.reason
            assert await WIRE.read(client.reader) is None
            assert host.process.total == 0
            assert reason in host.refused[-1]

    run(scenario())


def test_a_frame_that_announces_too_much_is_refused_unread() -> None:
    async def scenario() -> None:
        async with Host(Counter(id="C"), {}, max_frame=100) as host, asking(host) as client:
            client.writer.write((101).to_bytes(4, "big"))
            answer = await WIRE.read(client.reader)
            assert isinstance(answer, Refused)
            assert "at most 100" in answer.reason

    run(scenario())


def test_a_handler_that_fails_ends_the_host_with_its_error() -> None:
    async def scenario() -> None:
        async with Host(Counter(id="C"), {}) as host, asking(host) as client:
            client.send(Fail())
            with pytest.raises(RuntimeError, match="told to"):
                await host.ended()

    run(scenario())


def test_a_host_listens_on_loopback_alone_unless_told_otherwise() -> None:
    async def scenario() -> None:
        async with Host(Counter(id="C"), {}) as host:
            assert host.host == "127.0.0.1"
            with pytest.raises(OSError, match=r"address already in use|in use"):
                await Host(Counter(id="D"), {}, port=host.port).__aenter__()

    run(scenario())


# What goes out


def test_a_peer_that_does_not_read_holds_up_nobody_and_misses_the_oldest_messages() -> None:
    sent = 300  # of 100 kB: far more than two kernels and a queue hold
    heard: list[int] = []

    async def scenario() -> None:
        deaf = socket.create_server(("127.0.0.1", 0), backlog=5)  # its kernel accepts; nobody reads
        deaf.setblocking(False)
        addresses = {"deaf": deaf.getsockname()[:2], "C": ("127.0.0.1", 0), "D": ("127.0.0.1", 0)}
        host = Host(Counter(id="C", peers=("deaf", "D")), addresses)
        all_heard = asyncio.Event()

        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while heard[-1:] != [sent]:
                envelope = await WIRE.read(reader)
                heard.append(int(BODIES.message(envelope.body).text))
            all_heard.set()
            writer.transport.abort()

        async with Host(Counter(id="D"), addresses) as other:
            addresses["D"] = (other.host, other.port)
            async with host, asking(host) as client:
                for number in range(1, sent + 1):
                    await client.ask(Tell(f"{number:100000}"))
                    await until(other, lambda process, number=number: len(process.heard) == number)
                assert host.lost["D"] == 0
                async with await asyncio.start_server(listen, sock=deaf):
                    await all_heard.wait()
                assert heard == sorted(set(heard))
                assert len(heard) + host.lost["deaf"] == sent
                assert host.lost["deaf"] > 0

    run(scenario(), seconds=30)


def test_messages_for_a_peer_that_is_not_there_yet_come_when_it_is_the_last_ones_at_least() -> None:
    async def scenario() -> None:
        addresses: dict[str, tuple[str, int]] = {"C": ("127.0.0.1", 0), "D": ("127.0.0.1", 1)}
        async with Host(Counter(id="C", peers=("D",)), addresses) as host, asking(host) as client:
            for number in range(QUEUE + 10):
                await client.ask(Tell(str(number)))
            async with Host(Counter(id="D"), addresses) as other:
                addresses["D"] = (other.host, other.port)
                await until(other, lambda process: process.heard[-1:] == (str(QUEUE + 9),))
                assert other.process.heard == tuple(str(number) for number in range(10, QUEUE + 10))
                assert host.lost["D"] == 10
            async with Host(Counter(id="D"), addresses) as other:  # and again after it died
                addresses["D"] = (other.host, other.port)
                while not other.process.heard:
                    await client.ask(Tell("are you there?"))
                assert set(other.process.heard) == {"are you there?"}

    run(scenario())


def test_a_message_longer_than_a_frame_is_lost_and_counted() -> None:
    async def scenario() -> None:
        host = Host(Counter(id="C" * 40, peers=("D",)), {"D": ("127.0.0.1", 1)}, max_frame=200)
        async with host, asking(host) as client:
            assert await client.ask(Tell("x" * 100)) == 0
            assert host.lost["D"] == 0
            assert await client.ask(Tell("x" * 130)) == 0
            assert host.lost["D"] == 1

    run(scenario())


# Timers


class Alarm(Process):
    """Sets three timers: one it cancels, one it sets anew, one that goes off by itself; and speaks to itself."""

    rang: tuple[str, ...] = ()
    at: int = 0

    def on_start(self) -> None:
        self.at = self.now
        self.set_timer("never", 1)
        self.set_timer("later", 1)
        self.send(self.id, News("to myself"))

    @on(News)
    def hear(self, sender: str, news: News) -> None:
        assert sender == self.id
        self.cancel_timer("never")
        self.set_timer("later", 60)
        self.set_timer("soon", 20, 30)

    @on_timer("soon", "later", "never")
    def ring(self) -> None:
        self.rang = (*self.rang, f"{self.now - self.at >= 20}")
        self.note("rang", after=self.now - self.at)


def test_a_timer_fires_once_within_its_span_unless_cancelled_and_set_again_it_starts_anew() -> None:
    async def scenario() -> list[Record]:
        async with Host(Alarm(id="A"), {}) as host:
            told = host.narration.subscribe()
            return [await told.recv() for _ in range(4)]

    begin, _, soon, later = run(scenario())
    assert {name for name, _, _ in begin.timers} == {"never", "later"}
    [(_, after)] = soon.notes
    assert isinstance(after["after"], int)
    assert after["after"] >= 20
    assert [name for name, _, _ in soon.timers] == ["later"]
    [(_, set_at, due)] = soon.timers
    assert due - set_at == pytest.approx(0.060)
    assert later.at >= due
    assert later.timers == ()
    assert later.changes["rang"] == ("True", "True")
