"""Raft for real beside PySyncObj, in one run: three OS processes each on loopback, and clients outside them.

    pip install -r tests/benchmarks/requirements.txt
    python tests/benchmarks/bench_runtime.py

Every contender takes its turn in every round, with a cluster of its own that starts empty, so that a busy machine slows
all of them alike. A latency is the wall time from a client's command to its answer. A client asks one command at a
time, for some seconds. Figures are medians over the rounds, ratios medians of each round's ratio to ours.

The same is promised: an answer means that the command is forced to the disks of a majority (fsync). PySyncObj does not
promise it by itself: here each of its nodes forces its journal before it sends anything after an append, and its term
file at each change. It ticks, and sends entries, every 5 ms; by default it sends them every 100 ms.

Then a cluster of ours goes on until its log is long: the rate there beside the rate at first, the memory of its nodes,
and how long a restart of all three takes before the first answer.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any, Literal, NamedTuple

from patterns.consensus_raft import Done, Get, NotLeader, Put, Server
from patterns.consensus_raft.pipelined import PipelinedServer
from patterns.runtime import Cluster
from patterns.runtime.places import reserved

try:
    from pysyncobj import SyncObj, SyncObjConf, journal, replicated
except ImportError:
    SyncObj = None

CLIENTS = (1, 10, 100)
DEADLINE = 60.0
TICK = 0.005
Disk = Literal["file", "sqlite"]


class Result(NamedTuple):
    latencies: list[float]
    """Seconds, one for each command."""
    seconds: float

    @property
    def rate(self) -> float:
        """Commands a second."""
        return len(self.latencies) / self.seconds


def three(disk: Disk, kind: type[Server]) -> Cluster:
    names = ("S1", "S2", "S3")
    servers = [kind(id=name, peers=tuple(other for other in names if other != name)) for name in names]
    return Cluster(servers, replies=Done | NotLeader, disk=disk, narrate=False)


class Load:
    """Commands of many clients on one cluster; each has its serials and, if there are keys, its next key."""

    def __init__(self, cluster: Cluster, keys: bool = False) -> None:
        self.cluster, self.keys = cluster, keys
        self.serials: dict[int, int] = {}
        self.done = 0

    async def client(self, name: int, until: Callable[[], bool]) -> list[float]:
        took = []
        while not until():
            serial = self.serials[name] = self.serials.get(name, 0) + 1
            began = perf_counter()
            key = f"{name} {serial}" if self.keys else "x"
            await self.cluster.request(f"client {name}", Put(serial, key, serial), deadline=DEADLINE)
            took.append(perf_counter() - began)
            self.done += 1
        return took

    async def run(self, clients: int, until: Callable[[], bool]) -> Result:
        began = perf_counter()
        took = await asyncio.gather(*(self.client(name, until) for name in range(clients)))
        return Result([seconds for each in took for seconds in each], perf_counter() - began)

    async def timed(self, clients: int, seconds: float) -> Result:
        end = perf_counter() + seconds
        return await self.run(clients, lambda: perf_counter() > end)


def ours(seconds: float, disk: Disk, kind: type[Server]) -> list[Result]:
    async def run() -> list[Result]:
        async with three(disk, kind) as cluster:
            load = Load(cluster)
            await load.run(1, lambda: load.done > 0)  # there is a leader
            return [await load.timed(clients, seconds) for clients in CLIENTS]

    return asyncio.run(run())


def growing(disk: Disk, kind: type[Server], lengths: list[int], seconds: float, keys: bool) -> None:
    async def run() -> None:
        async with three(disk, kind) as cluster:
            load = Load(cluster, keys)
            await load.run(1, lambda: load.done > 0)
            first = 0.0
            for length in lengths:
                await load.run(100, lambda length=length: load.done >= length)  # type: ignore[misc]
                rate = (await load.timed(10, seconds)).rate
                first = first or rate
                memory = max(resident(cluster.pid(name)) for name in cluster.running)
                print(
                    f"{kind.__name__:16}{disk:8}{length:8,}{rate:8,.0f}/s ({rate / first:.2f}){memory:6,.0f} MB",
                    flush=True,
                )
            for name in cluster.running:
                await cluster.kill(name)
            began = perf_counter()
            await asyncio.gather(*(cluster.restart(name) for name in cluster.processes))
            await cluster.request("last", Get(1, "x"), deadline=DEADLINE)
            print(f"{'':16}{'':8}restart of all three, to the first answer: {perf_counter() - began:.1f} s", flush=True)

    asyncio.run(run())


def resident(pid: int) -> float:
    """Megabytes of memory."""
    [line] = [each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS")]
    return int(line.split()[1]) / 1000


if SyncObj is not None:

    class Store(SyncObj):  # type: ignore[misc]
        def __init__(self, own: str | None, others: list[str], journal: str | None, ready: Callable[[], Any]) -> None:
            self.values: dict[str, int] = {}
            ticks = {"autoTickPeriod": TICK, "appendEntriesPeriod": TICK}
            super().__init__(own, others, SyncObjConf(journalFile=journal, onReady=ready, **ticks))

        @replicated  # type: ignore[untyped-decorator]
        def put(self, key: str, value: int) -> int:
            self.values[key] = value
            return value


def force(store: Any) -> None:
    """Force the journal before anything is sent after an append, and each file of a term."""
    log, transport, unsynced = store._SyncObj__raftLog, store._SyncObj__transport, set[int]()
    add, send = log.add, transport.send

    def adds(*entry: Any) -> None:
        add(*entry)
        unsynced.add(1)

    def sends(*message: Any) -> Any:
        if unsynced:
            unsynced.clear()
            log.flush()
        return send(*message)

    log.add, transport.send = adds, sends


def forced_meta(self: Any, meta: Any) -> None:
    path = self.getPath()
    with open(f"{path}.tmp", "wb") as file:
        file.write(journal.dumps(meta))
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.tmp", path)


def pysyncobj(seconds: float) -> list[Result]:
    places = [reserved() for _ in range(3)]
    addresses = ["{}:{}".format(*place.getsockname()) for place in places]
    for place in places:
        place.close()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--node"]
        nodes = [
            subprocess.Popen(
                [*command, f"{folder}/{number}", own, *addresses], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            for number, own in enumerate(addresses)
        ]
        ready = threading.Event()
        store = Store(None, addresses, None, ready.set)
        try:
            if not ready.wait(DEADLINE):
                raise TimeoutError("PySyncObj found no leader")
            store.put("x", 0, sync=True, timeout=DEADLINE)
            return [asked(store, clients, seconds) for clients in CLIENTS]
        finally:
            store.destroy()
            for each in nodes:
                each.communicate()  # it ends when its input does


def asked(store: Any, clients: int, seconds: float) -> Result:
    began, took, ended = perf_counter(), list[float](), threading.Semaphore(0)

    def client(number: int, asked: float) -> None:
        now = perf_counter()
        if asked:
            took.append(now - asked)
        if now > began + seconds:
            ended.release()
        else:
            store.put("x", number, callback=lambda result, error: client(number, now))

    for number in range(clients):
        client(number, 0.0)
    for _ in range(clients):
        if not ended.acquire(timeout=DEADLINE):
            raise TimeoutError("PySyncObj did not answer all commands")
    return Result(took, perf_counter() - began)


def node(path: str, own: str, *addresses: str) -> None:
    journal.MetaStorer.storeMeta = forced_meta
    store = Store(own, [other for other in addresses if other != own], path, lambda: None)
    force(store)
    sys.stdin.read()
    store.destroy()


CONTENDERS: dict[str, Callable[[float], list[Result]]] = {
    "ours, in SQLite": lambda seconds: ours(seconds, "sqlite", PipelinedServer),
    "ours, in one file": lambda seconds: ours(seconds, "file", PipelinedServer),
    "as in the paper, SQLite": lambda seconds: ours(seconds, "sqlite", Server),
}
if SyncObj is not None:
    CONTENDERS["PySyncObj, forced"] = pysyncobj


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each contender, with each number of clients")
    parser.add_argument("--lengths", type=int, nargs="*", default=[100, 10_000, 40_000], help="of the growing log")
    parser.add_argument("--keys", action="store_true", help="each command of the growing log has a key of its own")
    parser.add_argument("--node", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.node:
        node(*options.node)
        return
    print(f"Python {platform.python_version()}, {options.rounds} rounds of {options.seconds} s, three processes")
    rounds: dict[str, list[list[Result]]] = {name: [] for name in CONTENDERS}
    for _ in range(options.rounds):
        for name, contender in CONTENDERS.items():
            rounds[name].append(contender(options.seconds))
    first = next(iter(rounds))
    for at, clients in enumerate(CLIENTS if options.rounds else ()):
        print(f"{clients:3} clients{'':14}{'commands/s':>10} {'to ours':>8} {'median ms':>10} {'99th of 100':>12}")
        for name, results in rounds.items():
            each = [result[at] for result in results]
            ratio = median(one.rate / own[at].rate for one, own in zip(each, rounds[first], strict=True))
            took = [1000 * seconds for result in each for seconds in result.latencies]
            rate = median(result.rate for result in each)
            print(f"{name:25} {rate:9,.0f} {ratio:8.2f} {median(took):10.1f} {quantiles(took, n=100)[98]:12.1f}")
    if options.lengths:
        print("\ncommands/s of 10 clients at a log of that length, beside those at first, and memory of a node")
        growing("sqlite", PipelinedServer, options.lengths, options.seconds, options.keys)
    if SyncObj is None:
        print("PySyncObj is not installed: pip install -r tests/benchmarks/requirements.txt")


if __name__ == "__main__":
    main()
