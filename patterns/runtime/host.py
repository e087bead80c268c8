"""Runs one process for real, unchanged: TCP for its messages, the clock for its timers, a file for its disk.

One task runs the handlers, one event after the other, in the order events came. Their durable fields are on disk before
their messages and replies leave. A few events that arrive together share one write. Each peer has its own task and its
own bounded queue, so a slow or dead peer delays no other. A full queue loses its oldest message, as a network may.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import sys
from asyncio import StreamReader, StreamWriter
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from patterns.engine.process import Effects, Process

from .channels import Broadcast, Closed, Empty, Lagged, Receiver, Sender, Subscriber, broadcast, mpsc
from .disk import Disk, DiskError, Hold, when_free
from .envelopes import (
    ENVELOPES,
    Answer,
    Asked,
    Began,
    Bodies,
    Fired,
    FromClient,
    FromPeer,
    Happening,
    Hello,
    Received,
    Record,
    Trouble,
    changes,
    shown,
)
from .failpoint import SAVES, DieAt, Failpoint, die, kill
from .here import require
from .rpc import LOOPBACK, PATIENCE, Refused, most_connections, refuse_more, served
from .snapshot_files import SnapshotDisk, disk_of
from .sqlite_disk import SqliteDisk
from .telling import Teller
from .wire import MAX_FRAME, Wire, WireError

INBOX = 256
"""Events that wait for the process; a sender of more waits, too."""
TOGETHER = 64
"""Events at most that share one write to the disk."""
QUEUE = 64
"""Messages that wait for one peer; older ones are lost."""
NARRATION = 4096
"""Records that wait for one who watches; older ones are missed."""
ANSWERS = 1 << 20
"""Bytes of answers that wait for one client; what does not fit is lost."""
MAX_REQUEST = 1 << 18
"""Bytes that a client's request may have: what a process tells its peers of it must fit into a frame."""
LOOK = 1000
"""Writes between two looks at whether a person should know something of the disk."""
BACKOFF = (0.01, 0.5)
"""Seconds to wait before connecting to a peer again: the first time, and at most. It doubles each time."""

Address = tuple[str, int]


class Timer(NamedTuple):
    set: float
    due: float


class Deed(NamedTuple):
    """A handler that ran, and its effects that are still to be done."""

    at: float
    event: Happening
    after: Process
    effects: Effects
    timers: dict[str, Timer]


class Host:
    """Runs `process` while it is open: `async with Host(...) as host: await host.ended()`.

    `peers` are the addresses of the processes it sends to. They are read at each connection, so they may change. The
    process begins with the contents of the path `disk`, if it exists; with None a crash forgets everything. A disk
    named `.sqlite` is a SqliteDisk: choose it for data that grows or that other programs read. It listens at `host` and
    `port`; the default is loopback, and port 0 is any free port. With `shared_port` another socket of the same user may
    have this port. A parent that reserved the port has such a socket. `die_at` is the point at which this OS process
    kills itself; each event then has its own write. With a `token`, the host reads only connections that send it.

    Raises ValueError for a `die_at` that the process can never come to.
    """

    def __init__(
        self,
        process: Process,
        peers: Mapping[str, Address],
        *,
        disk: Path | str | None = None,
        host: str = LOOPBACK,
        port: int = 0,
        shared_port: bool = False,
        max_frame: int = MAX_FRAME,
        token: str = "",
        die_at: DieAt | None = None,
    ) -> None:
        if die_at is not None:
            die_at.check(type(process))
        self.process = process
        self.peers = peers
        self.disk = None if disk is None else disk_of(type(process), disk)
        self.host, self.port, self.shared_port = host, port, shared_port
        self.narration: Broadcast[Record] = broadcast(NARRATION)
        """What happens, for subscribers in this OS process: after it is on disk."""
        self.teller: Teller | None = None
        """Tells the same to another OS process."""
        self.token = token
        self.connections = most_connections()
        self.refused: deque[str] = deque(maxlen=16)
        """Why the last connections were closed."""
        self.lost: Counter[str] = Counter()
        """Messages lost here, by the peer they were for."""
        self._complained: set[str] = set()
        self._wire: Wire[Any] = Wire(ENVELOPES, max_frame=max_frame)
        self._bodies = Bodies(type(process))
        self._links: dict[str, Broadcast[bytes]] = {}
        self._held: dict[str, bytes] = {}  # the frame that comes next, where the connection ended before it
        self._timers: dict[str, Timer] = {}
        self._to_itself: deque[Happening] = deque()
        self._deeds: list[Deed] = []
        self._on_disk: Process | None = None
        self._failpoint = None if die_at is None else Failpoint(die_at)
        self._clients: dict[str, StreamWriter] = {}
        self._connections: dict[asyncio.Task[Any], StreamWriter] = {}

    async def __aenter__(self) -> Self:
        """Listen and run. Raises OSError when the address cannot be had, DiskError when the disk is another's."""
        require("sockets")
        self._loop = asyncio.get_running_loop()
        self._again = False
        if self.disk is not None:
            self._hold = Hold(self.disk.path)
            self._hold.take()
            try:
                await self._read(self.disk, self._hold)
            except BaseException:
                self._let_go()
                raise
        self._inbox: Receiver[Happening]
        self._enter: Sender[Happening]
        self._enter, self._inbox = mpsc(INBOX)
        shared = {"reuse_port": True} if self.shared_port else {}
        try:
            self._listening = await asyncio.start_server(self._serve, self.host, self.port, **shared)
        except OSError:
            self._let_go()
            raise
        self.host, self.port = self._listening.sockets[0].getsockname()[:2]
        self._running = self._loop.create_task(self._run())
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Stop at once, as a crash does; nothing but the disk is left."""
        self._listening.close()
        self._running.cancel()
        for writer in self._connections.values():
            writer.transport.abort()  # which ends the task that serves it
        self._inbox.close()
        await asyncio.gather(self._running, *self._connections, return_exceptions=True)
        await self._listening.wait_closed()
        self._let_go()
        self.narration.close()

    async def _read(self, disk: Disk | SqliteDisk | SnapshotDisk, hold: Hold) -> None:
        found = await when_free(self.process.id, lambda: disk.read(self.process), self._complain)
        if disk.writes < hold.writes:
            lost = f"write {disk.writes:,} is the last one on it, of {hold.writes:,} that were acknowledged"
            raise DiskError(f"{disk.path} is missing, damaged or an old copy: {lost}")
        if found is not None:
            self.process = self._on_disk = found
            self._again = True

    def _let_go(self) -> None:
        if self.disk is not None:
            self.disk.close()
            self._hold.free()

    async def ended(self) -> None:
        """Wait until the process fails: raises what its handler raised."""
        try:
            await asyncio.shield(self._running)
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    # The process: one event after the other

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as links:
            for peer in self.peers:
                if peer != self.process.id:
                    self._links[peer] = broadcast(QUEUE)
                    links.create_task(self._link(peer, self._links[peer].subscribe()))
            await self._step(Began(self._again))
            while True:
                await self._settle()
                for event in await self._next():
                    await self._step(event)
                for timer in self._due():  # what has come comes before what runs out
                    if timer in self._timers and self._timers[timer].due <= self._loop.time():
                        del self._timers[timer]
                        await self._step(Fired(timer))

    async def _step(self, event: Happening) -> None:
        self._handle(event)
        if self._failpoint is not None:
            await self._settle_or_die(self._failpoint)

    async def _next(self) -> list[Happening]:
        """The events that arrived; waits for one, or until a timer expires."""
        events = list(self._to_itself)
        self._to_itself.clear()
        if not events:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min((timer.due for timer in self._timers.values()), default=None)):
                    events.append(await self._inbox.recv())
        with suppress(Empty):
            while len(events) < TOGETHER:
                events.append(self._inbox.try_recv())
        return events

    def _due(self) -> list[str]:
        now = self._loop.time()
        return sorted((name for name, timer in self._timers.items() if timer.due <= now), key=self._due_at)

    def _due_at(self, timer: str) -> float:
        return self._timers[timer].due

    def _handle(self, event: Happening) -> None:
        at = self._loop.time()
        now = int(at * 1000)
        match event:
            case Received(sender, body):
                after, effects = self.process.after_message(sender, body, now)
            case Asked(client, body):
                after, effects = self.process.after_request(client, body, now)
            case Fired(timer):
                after, effects = self.process.after_timer(timer, now)
            case _:
                begin = self.process.after_restart if self._again else self.process.after_start
                after, effects = begin(now)
        for to, _ in effects.sends:
            if to not in self._links and to != self.process.id:  # refused before any of it is on disk, or told
                raise ValueError(f"{self.process.id} sends to {to!r}; its peers are {', '.join(self._links) or 'none'}")
        self.process = after
        for name, span in effects.timers.items():
            self._timers.pop(name, None)
            if span is not None:
                low, high = span
                wait = low + secrets.randbelow(high - low + 1)
                self._timers[name] = Timer(at, at + wait / 1000)
        self._deeds.append(Deed(at, event, after, effects, dict(self._timers)))

    async def _settle(self) -> None:
        """Write the durable fields that changed; only then send the messages and replies.

        The report comes before the messages. If the process is killed in between, its watcher knows a step whose
        messages are lost, as a network may lose them. No message arrives whose step was never reported.
        """
        await self._write()
        for deed in self._deeds:
            self._tell(deed)
        for deed in self._deeds:
            for to, message in deed.effects.sends:
                self._send(to, message)
            for client, message in deed.effects.replies:
                self._reply(client, message)
        self._deeds.clear()

    async def _write(self) -> None:
        disk, process = self.disk, self.process
        if disk is not None and (self._on_disk is None or process.written_since(self._on_disk)):
            await when_free(process.id, lambda: disk.write(process), self._complain)
            self._hold.wrote(disk.writes)
            if disk.writes % LOOK == 0 and (trouble := disk.trouble()):
                self._complain(f"{process.id}'s disk", trouble)
        self._on_disk = process

    async def _settle_or_die(self, failpoint: Failpoint) -> None:
        """Settle what one event led to, or die on the way, where that is the chosen point."""
        [deed] = self._deeds
        stage = failpoint.stage_of(deed.effects.notes)
        if stage == "noted":
            await self._die()
        if stage in SAVES and isinstance(self.disk, SnapshotDisk):
            self.disk.at = lambda reached: kill() if reached == stage else None
        await self._write()
        if stage == "written":
            self._tell(deed._replace(effects=Effects(deed.effects.now, notes=deed.effects.notes)))
            await self._die()
        await self._settle()
        if stage == "sent":
            await self._die()

    async def _die(self) -> None:
        """Die, once all that left this process has left this machine's part of it, and those who watch know of it."""
        answers = [writer.drain() for writer in self._connections.values()]
        told = [] if self.teller is None else [self.teller.drained()]
        await die(*told, self.narration.drained(), *(link.drained() for link in self._links.values()), *answers)

    def _tell(self, deed: Deed) -> None:
        if self.teller is not None and not self.teller.quiet:
            self.teller.record(self._record(deed), deed.after)
        if self.narration.subscribers:
            whole = changes(None, deed.after)
            self.narration.send(msgspec.structs.replace(self._record(deed), changes=whole))

    def _record(self, deed: Deed) -> Record:
        effects = deed.effects
        return Record(
            at=deed.at,
            process=self.process.id,
            event=deed.event,
            sends=tuple(effects.sends),
            replies=tuple(effects.replies),
            notes=tuple((note.rule, {k: shown(v) for k, v in note.values.items()}) for note in effects.notes),
            timers=tuple((name, *timer) for name, timer in deed.timers.items()),
        )

    # Messages to others

    def _send(self, to: str, message: Any) -> None:
        if to == self.process.id:
            self._to_itself.append(Received(to, message))
            return
        try:
            self._links[to].send(self._wire.encode(FromPeer(self.process.id, self._bodies.encode(message))))
        except WireError as problem:  # longer than a frame may be
            self.lost[to] += 1
            self._complain(f"{self.process.id} cannot send {type(message).__name__} to {to}", problem)

    def _complain(self, what: str, problem: object) -> None:
        """Say it once; `lost` counts."""
        if what in self._complained:
            return
        self._complained.add(what)
        if self.teller is not None:
            self.teller.say(Trouble(f"{what}: {problem}"))
        else:
            print(f"{what}: {problem}", file=sys.stderr)

    async def _link(self, peer: str, queue: Subscriber[bytes]) -> None:
        """Carry what waits for a peer, connecting as often as it takes."""
        first, most = BACKOFF
        wait = first
        while True:
            try:
                reader, writer = await asyncio.open_connection(*self.peers[peer])
            except (OSError, KeyError):  # not there, or not yet known where
                await asyncio.sleep(wait)
                wait = min(2 * wait, most)
                continue
            wait = first
            if self.token:
                writer.write(self._wire.encode(Hello(self.token)))
            try:
                await self._carry(peer, queue, reader, writer)
            except OSError:
                self.lost[peer] += peer not in self._held
            finally:
                writer.transport.abort()

    async def _carry(self, peer: str, queue: Subscriber[bytes], reader: StreamReader, writer: StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=0)  # a frame is the kernel's before the next one is taken
        while True:
            if peer not in self._held:
                try:
                    self._held[peer] = await queue.recv()
                except Lagged as lag:
                    self.lost[peer] += lag.missed
                    continue
            if reader.at_eof():  # the peer is gone: what would be written now would be lost unnoticed
                raise ConnectionResetError
            writer.write(self._held.pop(peer))
            await writer.drain()

    def _reply(self, client: str, message: Any) -> None:
        """Answer a client on its last connection. A client that left, or does not read, gets no answer."""
        writer = self._clients.get(client)
        if writer is None or writer.transport.get_write_buffer_size() > ANSWERS:
            return
        try:
            frame = self._wire.encode(Answer(client, self._bodies.encode(message)))
        except WireError as problem:
            self._complain(f"{self.process.id} cannot answer {client} with {type(message).__name__}", problem)
            frame = self._wire.encode(Refused(str(problem)))
        writer.write(frame)

    # Messages from others

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        if not self._listening.is_serving():  # accepted in the last moment
            writer.transport.abort()
            return
        writer.transport.set_write_buffer_limits(high=0)  # drained is drained
        try:
            with suppress(Closed), served(writer, self._connections, self._wire, self.refused):
                refuse_more(self._connections, self.connections, self.process.id)
                if self.token:
                    await self._proved(reader)
                while (envelope := await self._wire.read(reader, PATIENCE)) is not None:
                    await self._enter.send(self._opened(envelope, writer))
        finally:
            self._clients = {client: its for client, its in self._clients.items() if its is not writer}

    async def _proved(self, reader: StreamReader) -> None:
        """Wait for the token. Raises WireError if it does not come, or is another."""
        try:
            async with asyncio.timeout(PATIENCE):
                first = await self._wire.read(reader)
        except TimeoutError:
            raise WireError(f"nothing came within {PATIENCE} s") from None
        if not (isinstance(first, Hello) and hmac.compare_digest(first.token.encode(), self.token.encode())):
            raise WireError(f"the first frame does not have the token of {self.process.id}'s cluster")

    def _opened(self, envelope: Any, writer: StreamWriter) -> Happening:
        match envelope:
            case FromPeer(sender, body) if sender in self.peers:
                message = self._bodies.message(body)
                if why := self.process.impossible(sender, message):
                    raise WireError(f"{type(message).__name__} from {sender}: {why}")
                return Received(sender, message)
            case FromPeer(sender, _):
                raise WireError(f"{sender!r} is no peer of {self.process.id}")
            case FromClient(_, body) if (size := memoryview(body).nbytes) > MAX_REQUEST:
                raise WireError(f"a request of {size:,} bytes; at most {MAX_REQUEST:,} are taken")
            case FromClient(client, body):
                asked = Asked(client, self._bodies.request(body))
                self._clients[client] = writer
                return asked
        raise WireError(f"{type(envelope).__name__} is nothing that {self.process.id} takes")
