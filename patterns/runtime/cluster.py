"""A few processes for real: each an OS process on loopback, which can be killed (-9) and started again.

    async with Cluster([Server(id=name, peers=others) ...], replies=Done | NotLeader) as cluster:
        await cluster.request("A", Put(1, "x", 7))
        await cluster.kill(cluster.leader)
        await cluster.request("A", Get(2, "x"))
    play(cluster.recording(RaftCluster()).history())

Nothing is left behind: a process ends when its standard input does, and that is held by this cluster alone.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import sys
from asyncio import Task
from asyncio.subprocess import PIPE
from asyncio.subprocess import Process as Child
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple, Self, TypeVar

import msgspec

from patterns.engine.machine import Machine
from patterns.engine.process import Process
from patterns.engine.simulation import Simulation
from patterns.engine.world import World

from .envelopes import ENVELOPES, TOLD, Answer, Bodies, FromClient, Killed, Missed, Ready, Record
from .failpoint import DieAt
from .recording import Recording
from .rpc import LOOPBACK, Refused
from .sqlite_disk import database
from .wire import Wire, WireError

DEADLINE = 30.0
"""Seconds that a request, a start or a wait may take: on a busy machine a start alone takes a few."""
PATIENCE = 1.0
"""Seconds to wait for one process's answer before asking another."""
PAUSE = 0.02
"""Seconds before asking again where nobody knew the leader."""

SUFFIXES = {"file": ".disk", "sqlite": ".sqlite"}
"""What the files of a disk are named."""

T = TypeVar("T")


class Started(NamedTuple):
    child: Child
    listener: Task[None]
    """Reads what it tells, to the end."""


class Cluster:
    """Runs `processes`, which send to one another, while it is open: those given, or those of a simulation.

    `replies` is the union of the types that they reply. `folder` holds their disks; the default is a temporary folder.
    With the disk `sqlite` each process has its own database, which `database` opens. Choose it for logs: a write costs
    only the rows that changed. `die_at` names processes that kill themselves the first time they run, and the point.
    With `narrate=False` the processes report nothing, which is faster. There is then no recording, and `until` sees no
    states.

    Two conventions of the Raft paper (section 8) let it talk to a cluster that has a leader. A reply with a field
    `leader` redirects the client to that process, or to any other if the field is None. Where request and reply have a
    `serial`, the answer has the serial of its request. A request may be sent more than once: give it a serial.
    """

    def __init__(
        self,
        processes: Sequence[Process] | Simulation,
        *,
        replies: Any = None,
        folder: Path | str | None = None,
        disk: Literal["file", "sqlite"] = "file",
        die_at: Mapping[str, DieAt] | None = None,
        narrate: bool = True,
    ) -> None:
        self.like = processes if isinstance(processes, Simulation) else None
        if isinstance(processes, Simulation):
            processes = processes.processes()
        names = [process.id for process in processes]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"processes are {names}; allowed are one or more, each with a name of its own")
        for process in processes:
            refuse_lost(process)
        if disk not in SUFFIXES:
            raise ValueError(f"disk is {disk!r}; allowed are {', '.join(SUFFIXES)}")
        self.processes = {process.id: process for process in processes}
        self.disk = disk
        self.die_at = dict(die_at or {})
        for name, point in self.die_at.items():
            if name not in self.processes:
                raise ValueError(f"die_at names {name!r}; the processes are {', '.join(names)}")
            self._check(name, point)
        self.paths = {name: class_path(type(process)) for name, process in self.processes.items()}
        self.narrate = narrate
        self.records: list[Record] = []
        """The reports of the processes, in the order of their arrival."""
        self.missed = 0
        """Records that were told faster than they could be read."""
        self.states: dict[str, Any] = {}
        """The last known state of every process that runs."""
        self.addresses: dict[str, tuple[str, int]] = {}
        self.leader: str = names[0]
        """The process that answered the last request."""
        self._folder = folder
        self._bodies = {name: Bodies(type(process), replies) for name, process in self.processes.items()}
        self._started: dict[str, Started] = {}
        self._open = AsyncExitStack()
        self._clients: dict[str, _Client] = {}
        self._asking: set[Task[Any]] = set()
        self._told = asyncio.Condition()
        self._closing = False

    async def __aenter__(self) -> Self:
        """Start all. Raises OSError or TimeoutError when one cannot be started; none is left then."""
        try:
            if self._folder is None:
                self._folder = self._open.enter_context(TemporaryDirectory(prefix="processes-"))
            for name in self.processes:
                place = self._open.enter_context(reserved())
                self.addresses[name] = place.getsockname()[:2]
            async with asyncio.TaskGroup() as group:
                for name in self.processes:
                    group.create_task(self.restart(name, die_at=self.die_at.get(name)))
        except BaseExceptionGroup as failures:
            await self.__aexit__()
            raise failures.exceptions[0] from None
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Kill all that runs; no process, port, or temporary file is left."""
        self._closing = True
        for asking in self._asking:
            asking.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        for client in self._clients.values():
            client.close()
        started = list(self._started.values())
        for child, _ in started:
            with suppress(ProcessLookupError):
                child.kill()
        await asyncio.gather(*(listener for _, listener in started), return_exceptions=True)
        await self._open.aclose()

    # Processes

    @property
    def running(self) -> tuple[str, ...]:
        return tuple(name for name in self.processes if name in self._started)

    def pid(self, name: str) -> int:
        """Its number as an OS process. Raises ValueError when it does not run."""
        return self._child(name).child.pid

    async def restart(self, name: str, *, die_at: DieAt | None = None) -> None:
        """Start it from its disk, and wait until it listens. It runs until it reaches `die_at`.

        Raises ValueError when it runs already, or can never come there.
        """
        if name in self._started or name not in self.processes:
            raise ValueError(f"restart of {name!r}: allowed are those that do not run, {self._names(running=False)}")
        if die_at is not None:
            self._check(name, die_at)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        child = await asyncio.create_subprocess_exec(
            *self._command(name, die_at),
            stdin=PIPE,
            stdout=PIPE,
            env=environment,
            start_new_session=True,  # a notebook's stop button interrupts the kernel's session: a cell, not a cluster
        )
        ready = asyncio.get_running_loop().create_future()
        self._started[name] = Started(child, asyncio.create_task(self._listen(name, child, ready)))
        async with asyncio.timeout(DEADLINE):
            await ready

    async def kill(self, name: str) -> None:
        """Kill it with -9: it gets no chance to do or to say anything. Raises ValueError when it does not run."""
        child, listener = self._child(name)
        with suppress(ProcessLookupError):
            child.send_signal(signal.SIGKILL)
        await asyncio.wait([listener])

    async def died(self, name: str, *, deadline: float = DEADLINE) -> None:
        """Wait until it is dead: at once where it is. Raises TimeoutError after `deadline` seconds."""
        if name not in self.processes:
            raise ValueError(f"name is {name!r}; the processes are {', '.join(self.processes)}")
        if name in self._started:
            done, _ = await asyncio.wait([self._started[name].listener], timeout=deadline)
            if not done:
                raise TimeoutError(f"{name} was to die and is alive after {deadline} s")

    def database(self, name: str) -> sqlite3.Connection:
        """Its disk, opened read-only until this cluster closes.

        Raises ValueError when its disk is no database, FileNotFoundError when it has written nothing yet.
        """
        if self.disk != "sqlite" or name not in self.processes:
            raise ValueError(f"{name!r} has no database; with disk='sqlite' {', '.join(self.processes)} have one")
        connection = database(self._disk(name))
        self._open.callback(connection.close)
        return connection

    def _check(self, name: str, point: DieAt) -> None:
        point.check(type(self.processes[name]), self.like.rules if self.like else {})

    def _disk(self, name: str) -> Path:
        assert self._folder is not None
        return Path(self._folder) / f"{name}{SUFFIXES[self.disk]}"

    def _command(self, name: str, die_at: DieAt | None) -> list[str]:
        fields = {field: getattr(self.processes[name], field) for field in self.processes[name].kept_fields}
        host, port = self.addresses[name]
        peers = [f"--peer={peer}={':'.join(map(str, place))}" for peer, place in self.addresses.items() if peer != name]
        return [
            *(sys.executable, "-m", "patterns.runtime", self.paths[name], "--child", f"--id={name}"),
            f"--fields={msgspec.json.encode(fields).decode()}",
            *(f"--host={host}", f"--port={port}", f"--disk={self._disk(name)}"),
            *peers,
            *(() if die_at is None else ("--die-at", die_at.rule, die_at.stage, str(die_at.nth))),
            *(() if self.narrate else ("--quiet",)),
        ]

    def _child(self, name: str) -> Started:
        if name not in self._started:
            raise ValueError(f"{name!r} does not run; running are {self._names(running=True)}")
        return self._started[name]

    def _names(self, running: bool) -> str:
        return ", ".join(name for name in self.processes if (name in self._started) is running) or "none"

    # What they tell

    async def _listen(self, name: str, child: Child, ready: asyncio.Future[None]) -> None:
        """Take down what it tells, up to its death."""
        assert child.stdout is not None
        assert child.stdin is not None
        try:
            while (told := await next_told(child.stdout)) is not None:
                if isinstance(told, Ready):
                    ready.set_result(None)
                elif isinstance(told, Missed):
                    self.missed += told.records
                else:
                    record = self._bodies[name].unpack(told, self._bodies)
                    self.states[name] = record.state
                    await self._take(record)
        except Exception as problem:  # what cannot be read is not passed over
            child.kill()
            self._failed(name, problem)
        await child.wait()
        died = asyncio.get_running_loop().time()
        child.stdin.close()
        self._started.pop(name, None)
        self.states.pop(name, None)
        if not ready.done():
            ready.set_exception(ConnectionError(f"{name} ended before it listened; see its error above"))
        elif not self._closing:  # the end of the run is no event in it
            await self._take(Record(at=died, process=name, event=Killed()))

    def _failed(self, name: str, problem: Exception) -> None:
        told = {"message": f"what {name} told cannot be understood, so it was killed", "exception": problem}
        asyncio.get_running_loop().call_exception_handler(told)

    async def _take(self, record: Record) -> None:
        self.records.append(record)
        async with self._told:
            self._told.notify_all()

    async def until(self, found: Callable[[Mapping[str, Any]], T | None], *, deadline: float = DEADLINE) -> T:
        """What `found` finds in the states of the processes that run, as soon as it finds something.

        Raises TimeoutError after `deadline` seconds.
        """
        async with asyncio.timeout(deadline), self._told:
            while not (what := found(self.states)):
                await self._told.wait()
            return what

    def recording(self, like: Machine[World, Any] | None = None) -> Recording:
        """The run so far, for the player; with the rules, the properties and the words of `like`, or of the simulation
        that the processes are from.

        Raises ValueError where there is neither.
        """
        like = like or self.like
        if like is None:
            raise ValueError("like is missing: a machine with the rules and the words of these processes")
        return Recording(tuple(self.processes.values()), self.records, like)

    # Clients

    def asking(self, client: str, message: Any, *, to: str | None = None, deadline: float = DEADLINE) -> Task[Any]:
        """A request under way while something else happens: `await` it for its answer. It ends with this cluster."""
        task = asyncio.create_task(self.request(client, message, to=to, deadline=deadline))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return task

    async def request(self, client: str, message: Any, *, to: str | None = None, deadline: float = DEADLINE) -> Any:
        """The answer to a client's request, from any process or from `to` alone. It asks again until it has one.

        Raises TimeoutError after `deadline` seconds: it is then not known whether the request was executed. A client
        asks one thing at a time.
        """
        asking = self._clients.setdefault(client, _Client(client))
        if to is not None and to not in self.processes:
            raise ValueError(f"to is {to!r}; the processes are {', '.join(self.processes)}")
        around = list(self.processes) if to is None else [to]
        to = self.leader if to is None else to
        async with asyncio.timeout(deadline):
            while True:
                try:
                    async with asyncio.timeout(PATIENCE):
                        reply = await asking.ask(self.addresses[to], message, self._bodies[to])
                except (OSError, TimeoutError):  # dead, or as good as dead
                    hint = None
                else:
                    if not hasattr(reply, "leader"):
                        self.leader = to
                        return reply
                    hint = reply.leader
                if hint not in around or hint == to:
                    await asyncio.sleep(PAUSE)
                    hint = around[(around.index(to) + 1) % len(around)]
                to = hint


class _Client:
    """One client: a connection to each process it asks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._wire: Wire[Any] = Wire(ENVELOPES)
        self._streams: dict[tuple[str, int], tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self._reading: dict[tuple[str, int], Task[Any]] = {}

    async def ask(self, address: tuple[str, int], message: Any, bodies: Bodies) -> Any:
        """The reply of the process. Raises OSError if none comes, WireError if it refused the message.

        If it is cancelled, ask again: a reply to the first try still counts. Its serial tells it apart.
        """
        try:
            if address not in self._streams:
                self._streams[address] = await asyncio.open_connection(*address)
            reader, writer = self._streams[address]
            writer.write(self._wire.encode(FromClient(self.name, bodies.encode(message))))
            while True:  # reading sees whether the other side is gone: it may have answered before
                if address not in self._reading:
                    self._reading[address] = asyncio.create_task(self._wire.read(reader))
                answer = await asyncio.shield(self._reading[address])
                del self._reading[address]
                if isinstance(answer, Refused):
                    raise WireError(f"{address[0]}:{address[1]} refused {message}: {answer.reason}")
                if not isinstance(answer, Answer):
                    raise ConnectionError(f"{address[0]}:{address[1]} closed the connection")
                reply = bodies.reply(answer.body)
                if getattr(reply, "serial", None) == getattr(message, "serial", None):  # not a late one
                    return reply
        except BaseException as problem:
            if not isinstance(problem, asyncio.CancelledError) or not hasattr(message, "serial"):
                self._drop(address)
            raise

    def close(self) -> None:
        for address in list(self._streams):
            self._drop(address)

    def _drop(self, address: tuple[str, int]) -> None:
        if address in self._reading:
            self._reading.pop(address).cancel()
        if address in self._streams:
            self._streams.pop(address)[1].transport.abort()


async def next_told(stream: asyncio.StreamReader) -> Any:
    """The next that a process tells; None at its end, which may cut short what it was telling. Raises WireError."""
    try:
        return await TOLD.read(stream)
    except WireError as problem:
        if isinstance(problem.__cause__, asyncio.IncompleteReadError):
            return None
        raise


def refuse_lost(process: Process) -> None:
    """Raises ValueError for a process with values that an OS process is not started with: those of its memory."""
    started = process.crashed()
    for field in process.__struct_fields__:
        if getattr(process, field) != getattr(started, field):
            raise ValueError(
                f"{process.id}.{field} is {getattr(process, field)!r}, in memory only: it would start as "
                f"{getattr(started, field)!r}; what a process is built with has no default, or `setting(...)`"
            )


def class_path(kind: type[Process]) -> str:
    """The class as `module:Name`. Raises ValueError for one that another OS process could not import."""
    if kind.__module__ == "__main__" or "." in kind.__qualname__:
        raise ValueError(f"{kind.__qualname__} is defined in {kind.__module__}: only a module's class can be imported")
    return f"{kind.__module__}:{kind.__name__}"


def reserved() -> socket.socket:
    """A free loopback port that nobody else gets while the socket is open, but one that shares it on purpose."""
    place = socket.socket()
    if hasattr(socket, "SO_REUSEPORT"):
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    place.bind((LOOPBACK, 0))  # it never listens: connections go to the process alone
    return place
