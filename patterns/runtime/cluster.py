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
import errno
import os
import secrets
import signal
import sqlite3
import sys
import warnings
from asyncio import Task
from asyncio.subprocess import PIPE
from asyncio.subprocess import Process as Child
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self, TypeVar

from patterns.engine.machine import Machine
from patterns.engine.process import Process
from patterns.engine.simulation import Simulation
from patterns.engine.world import World

from .cells import MODULE, source_of
from .checks import class_path, refuse_lost, refuse_names
from .clients import Client, Clients
from .envelopes import TOLD, Bodies, Killed, Missed, Orders, Paused, Ready, Record, Resumed, Trouble
from .failpoint import DieAt
from .here import require
from .places import reserved, temporary, waker
from .recording import Recording
from .sqlite_disk import database
from .wire import WireError

DEADLINE = 30.0
"""Seconds that a request, a start or a wait may take: on a busy machine a start alone takes a few."""
PATIENCE = 1.0
"""Seconds to wait for one process's answer before asking another."""
PAUSE = 0.02
"""Seconds before asking again where nobody knew the leader."""

RECORDS = 10_000
"""Records that a cluster keeps: what a person can look at. Older ones go."""

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

    A class of a notebook's cell, or of a script, runs too: its source goes along, see `cells`.

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
        require("processes of an operating system")
        if sys.platform == "win32":
            raise OSError("processes for real need kill -9, which Windows does not have: use WSL, macOS or Linux")
        self.like = processes if isinstance(processes, Simulation) else None
        if isinstance(processes, Simulation):
            processes = processes.processes()
        names = [process.id for process in processes]
        refuse_names(names)
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
        self._source = source_of(map(type, processes))
        self.narrate = narrate
        self.records: list[Record] = []
        """The reports of the processes, in the order of their arrival: the last 10,000 at least."""
        self.missed = 0
        """Records that were told faster than they could be read."""
        self.troubles: list[str] = []
        """What the processes complained of: messages that they could not send."""
        self.states: dict[str, Any] = {}
        """The last known state of every process that runs; without `narrate`, of none."""
        self.addresses: dict[str, tuple[str, int]] = {}
        self.leader: str = names[0]
        """The process that answered the last request."""
        self._folder = folder
        self._bodies = {name: Bodies(type(process), replies) for name, process in self.processes.items()}
        self._modules: list[str] = []  # the folder of the notebook's classes, if some are from there
        self._paused: dict[str, Child] = {}  # what lets each of them go on
        self._started: dict[str, Started] = {}
        self._open = AsyncExitStack()
        self._token = secrets.token_hex(32)
        self._clients = Clients(self._token)
        self._oldest = (dict(self.processes), frozenset[str](), 0)  # before the records that are kept; how many went
        self._asking: set[Task[Any]] = set()
        self._told = asyncio.Condition()
        self._closing = False

    async def __aenter__(self) -> Self:
        """Start all. Raises OSError or TimeoutError when one cannot be started; none is left then."""
        if self.addresses:
            raise ValueError("this cluster was open before; each `async with` needs a new Cluster")
        try:
            if self._folder is None:
                self._folder = temporary(self._open)
            if self._source:
                modules = temporary(self._open)
                (modules / f"{MODULE}.py").write_text(self._source, encoding="utf-8")
                self._modules = [str(modules)]
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
        self._clients.close()
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
        """Start it from its disk, and wait until it listens and its state is known. It runs until it reaches `die_at`.

        Raises ValueError when it runs already, or can never come there.
        """
        if name in self._started or name not in self.processes:
            raise ValueError(f"restart of {name!r}: allowed are those that do not run, {self._names(running=False)}")
        if die_at is not None:
            self._check(name, die_at)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*self._modules, *sys.path])}
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "patterns.runtime", self.paths[name], "--child", f"--id={name}"),
            stdin=PIPE,
            stdout=PIPE,
            env=environment,
            start_new_session=True,  # a notebook's stop button interrupts the kernel's session: a cell, not a cluster
        )
        assert child.stdin is not None
        child.stdin.write(TOLD.encode(self._orders(name, die_at)))
        ready = asyncio.get_running_loop().create_future()
        self._started[name] = Started(child, asyncio.create_task(self._listen(name, child, ready)))
        try:
            async with asyncio.timeout(DEADLINE):
                await ready
                async with self._told:
                    while self.narrate and name in self._started and name not in self.states:
                        await self._told.wait()
        except TimeoutError:
            raise TimeoutError(f"{name} did not listen and report its state within {DEADLINE} s") from None

    async def kill(self, name: str) -> None:
        """Kill it with -9: it gets no chance to do or to say anything. Raises ValueError when it does not run."""
        child, listener = self._child(name)
        with suppress(ProcessLookupError):
            child.send_signal(signal.SIGKILL)
        await asyncio.wait([listener])

    async def pause(self, name: str) -> None:
        """Stop it with SIGSTOP, as a long garbage collection does: it keeps its memory, and all that comes waits.

        Raises ValueError when it does not run, or is paused already.
        """
        child = self._child(name).child
        if name in self._paused:
            raise ValueError(f"{name!r} is paused already; paused are {', '.join(self._paused)}")
        child.send_signal(signal.SIGSTOP)
        self._paused[name] = await waker(child.pid)
        await self._take(Record(at=asyncio.get_running_loop().time(), process=name, event=Paused()))

    async def resume(self, name: str) -> None:
        """Let a paused one go on, with SIGCONT. Raises ValueError when it is not paused."""
        if name not in self._paused:
            raise ValueError(f"{name!r} is not paused; paused are {', '.join(self._paused) or 'none'}")
        await self._take(Record(at=asyncio.get_running_loop().time(), process=name, event=Resumed()))
        await self._paused.pop(name).communicate(b"")

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

    def _orders(self, name: str, die_at: DieAt | None) -> Orders:
        process = self.processes[name]
        return Orders(
            process=self.paths[name],
            fields=self._bodies[name].encode({field: getattr(process, field) for field in process.kept_fields}),
            port=self.addresses[name][1],
            peers={peer: place for peer, place in self.addresses.items() if peer != name},
            disk=str(self._disk(name)),
            die_at=[] if die_at is None else [die_at.rule, die_at.stage, str(die_at.nth)],
            quiet=not self.narrate,
            token=self._token,
        )

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
                elif isinstance(told, Trouble):
                    self.troubles.append(told.text)
                    print(told.text, file=sys.stderr)
                else:
                    record = self._bodies[name].unpack(name, told, self._bodies)
                    self.states[name] = record.after(self.states.get(name, self.processes[name]))
                    await self._take(record)
        except Exception as problem:  # what cannot be read is not passed over
            child.kill()
            self._failed(name, problem)
        await child.wait()
        died = asyncio.get_running_loop().time()
        child.stdin.close()
        if (shell := self._paused.pop(name, None)) is not None:
            await shell.communicate(b"")
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
        if len(self.records) > 2 * RECORDS:
            self._forget(self.records[:RECORDS])
            del self.records[:RECORDS]
        async with self._told:
            self._told.notify_all()

    def _forget(self, records: Sequence[Record]) -> None:
        """Keep of the oldest records what became of the processes."""
        processes, down, gone = self._oldest
        for record in sorted(records, key=lambda record: record.at):
            name = record.process
            processes[name] = record.after(processes[name])
            down = down | {name} if isinstance(record.event, Killed) else down - {name}
        self._oldest = (processes, down, gone + len(records))

    async def until(self, found: Callable[[Mapping[str, Any]], T | None], *, deadline: float = DEADLINE) -> T:
        """What `found` finds in the states of the processes that run, as soon as it finds something.

        Raises TimeoutError after `deadline` seconds.
        """
        try:
            async with asyncio.timeout(deadline), self._told:
                while not (what := found(self.states)):
                    await self._told.wait()
                return what
        except TimeoutError:
            raise TimeoutError(f"not found within {deadline} s{self._as_far_as_known()}") from None

    def _as_far_as_known(self) -> str:
        """Possible reasons why no message comes."""
        quiet = "" if self.narrate else "; with narrate=False no states are told"
        missed = f"; {self.missed:,} records were missed" if self.missed else ""
        return (
            f"; running are {self._names(running=True)}{quiet}{missed}{''.join(f'; {t}' for t in self.troubles[-2:])}"
        )

    def recording(self, like: Machine[World, Any] | None = None) -> Recording:
        """The run so far, for the player; with the rules, the properties and the words of `like`, or of the simulation
        that the processes are from.

        Warns where records are missing. Raises ValueError where there is neither.
        """
        like = like or self.like
        if like is None:
            raise ValueError("like is missing: a machine with the rules and the words of these processes")
        processes, down, gone = self._oldest
        missing = self.missed + gone
        if missing:
            told = f"the run shown begins after {gone:,} records" if gone else "the run shown has gaps"
            warnings.warn(f"{missing:,} records are missing: {told}", stacklevel=2)
        return Recording(tuple(processes.values()), self.records, like, missing, down)

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
        if to is not None and to not in self.processes:
            raise ValueError(f"to is {to!r}; the processes are {', '.join(self.processes)}")
        around = list(self.processes) if to is None else [to]
        heard = dict.fromkeys(around, "was not asked")
        with self._clients.asking(client) as asking:
            try:
                async with asyncio.timeout(deadline):
                    return await self._answer(asking, message, self.leader if to is None else to, heard)
            except TimeoutError:
                last = "; ".join(f"{name} {what}" for name, what in heard.items())
                raise TimeoutError(
                    f"no answer to {message} within {deadline} s: {last}{self._as_far_as_known()}"
                ) from None

    async def _answer(self, asking: Client, message: Any, to: str, heard: dict[str, str]) -> Any:
        """Ask `to`, and then others of those that something may be `heard` from."""
        around = list(heard)
        while True:
            hint = None
            try:
                async with asyncio.timeout(PATIENCE):
                    reply = await asking.ask(self.addresses[to], message, self._bodies[to])
            except TimeoutError:  # as good as dead
                heard[to] = f"gave no answer in {PATIENCE} s"
            except OSError as problem:  # dead
                if problem.errno in (errno.EMFILE, errno.ENFILE):
                    raise
                heard[to] = f"could not be asked ({problem})" if to in self._started else "is dead"
            else:
                if not hasattr(reply, "leader"):
                    self.leader = to
                    return reply
                hint = reply.leader
                heard[to] = f"named {hint} as leader" if hint else "knew no leader"
            if hint not in around or hint == to:
                await asyncio.sleep(PAUSE)
                hint = around[(around.index(to) + 1) % len(around)]
            to = hint


async def next_told(stream: asyncio.StreamReader) -> Any:
    """The next that a process tells; None at its end, which may cut short what it was telling. Raises WireError."""
    try:
        return await TOLD.read(stream)
    except WireError as problem:
        if isinstance(problem.__cause__, asyncio.IncompleteReadError):
            return None
        raise
