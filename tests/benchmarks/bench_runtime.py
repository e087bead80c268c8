"""Raft for real beside PySyncObj, in one run: three OS processes each on loopback, a client that is none of them.

    pip install -r tests/benchmarks/requirements.txt
    python tests/benchmarks/bench_runtime.py

Every contender takes its turn in every round, with a cluster of its own that starts empty, so that a busy machine
slows all of them alike. A latency is the wall time from a client's command to its answer, one command at a time;
throughput is with many clients at once, each one command at a time. Figures are medians over the rounds (latencies:
over all commands), ratios medians of each round's ratio to ours. Then the same cluster goes on until its log is long:
throughput of every block of commands beside that of the first, on either kind of disk.

Not the same is promised: ours forces every command to the disks of a majority before the answer (fsync), and a client
may retry without harm. PySyncObj keeps its log in memory unless told otherwise; with a journal it writes to a mapped
file that the kernel saves when it likes. Its settings are its defaults, with which it sends entries every 100 ms; the
`quick` one ticks, and sends them, every 5 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from statistics import median, quantiles
from time import perf_counter
from typing import Any, Literal, NamedTuple

from patterns.consensus_raft import Done, NotLeader, Put, Server
from patterns.runtime import Cluster
from patterns.runtime.cluster import reserved

try:
    from pysyncobj import SyncObj, SyncObjConf, replicated
except ImportError:
    SyncObj = None

CLIENTS = 32
DEADLINE = 60.0
TICK = 0.005
Disk = Literal["file", "sqlite"]


class Result(NamedTuple):
    latencies: list[float]
    """Seconds, one a command."""
    throughput: float
    """Commands a second."""


def three(disk: Disk) -> Cluster:
    names = ("S1", "S2", "S3")
    servers = [Server(id=name, peers=tuple(other for other in names if other != name)) for name in names]
    return Cluster(servers, replies=Done | NotLeader, disk=disk, narrate=False)


async def client(cluster: Cluster, name: str, serials: range) -> list[float]:
    took = []
    for serial in serials:
        began = perf_counter()
        await cluster.request(name, Put(serial, "x", serial))
        took.append(perf_counter() - began)
    return took


async def at_once(cluster: Cluster, serials: range) -> float:
    """Commands a second of many clients, each with all these serials."""
    began = perf_counter()
    await asyncio.gather(*(client(cluster, f"client {n}", serials) for n in range(CLIENTS)))
    return CLIENTS * len(serials) / (perf_counter() - began)


def ours(commands: int, disk: Disk) -> Result:
    async def run() -> Result:
        async with asyncio.timeout(DEADLINE), three(disk) as cluster:
            await client(cluster, "first", range(1, 2))  # there is a leader
            latencies = await client(cluster, "one", range(1, commands // 10))
            return Result(latencies, await at_once(cluster, range(1, commands // CLIENTS + 1)))

    return asyncio.run(run())


def growing(disk: Disk, block: int, blocks: int) -> list[float]:
    """Commands a second, block after block, of one cluster whose log grows with each."""

    async def run() -> list[float]:
        each = block // CLIENTS
        async with asyncio.timeout(blocks * DEADLINE), three(disk) as cluster:
            await client(cluster, "first", range(1, 2))
            return [await at_once(cluster, range(1 + n * each, 1 + (n + 1) * each)) for n in range(blocks)]

    return asyncio.run(run())


if SyncObj is not None:

    class Store(SyncObj):  # type: ignore[misc]
        def __init__(
            self, own: str | None, others: list[str], journal: str | None, quick: bool, ready: Callable[[], Any]
        ) -> None:
            self.values: dict[str, int] = {}
            ticks = {"autoTickPeriod": TICK, "appendEntriesPeriod": TICK} if quick else {}
            super().__init__(own, others, SyncObjConf(journalFile=journal, onReady=ready, **ticks))

        @replicated  # type: ignore[untyped-decorator]
        def put(self, key: str, value: int) -> int:
            self.values[key] = value
            return value


def pysyncobj(commands: int, journal: bool, quick: bool = False) -> Result:
    places = [reserved() for _ in range(3)]
    addresses = ["{}:{}".format(*place.getsockname()) for place in places]
    for place in places:
        place.close()
    with tempfile.TemporaryDirectory() as folder:
        nodes = [
            subprocess.Popen(
                [
                    sys.executable,
                    __file__,
                    "--node",
                    f"{folder}/{number}" if journal else "",
                    "quick" * quick,
                    own,
                    *addresses,
                ],
                stdin=subprocess.PIPE,
            )
            for number, own in enumerate(addresses)
        ]
        ready = threading.Event()
        store = Store(None, addresses, None, quick, ready.set)
        try:
            if not ready.wait(DEADLINE):
                raise TimeoutError("PySyncObj found no leader")
            return _measured(store, commands)
        finally:
            store.destroy()
            for node in nodes:
                node.communicate()  # it ends when its input does


def _measured(store: Any, commands: int) -> Result:
    store.put("x", 0, sync=True, timeout=DEADLINE)
    latencies = []
    for value in range(commands // 10):
        began = perf_counter()
        store.put("x", value, sync=True, timeout=DEADLINE)
        latencies.append(perf_counter() - began)
    left = [commands // CLIENTS] * CLIENTS
    waiting = threading.Semaphore(0)

    def client(number: int) -> None:
        if left[number] == 0:
            waiting.release()
            return
        left[number] -= 1
        store.put("x", left[number], callback=lambda result, error: client(number))

    began = perf_counter()
    for number in range(CLIENTS):
        client(number)
    for _ in range(CLIENTS):
        if not waiting.acquire(timeout=DEADLINE):
            raise TimeoutError("PySyncObj did not answer all commands")
    return Result(latencies, commands // CLIENTS * CLIENTS / (perf_counter() - began))


def node(journal: str, quick: str, own: str, *addresses: str) -> None:
    store = Store(own, [other for other in addresses if other != own], journal or None, bool(quick), lambda: None)
    sys.stdin.read()
    store.destroy()


CONTENDERS: dict[str, Callable[[int], Result]] = {
    "ours, in SQLite": lambda commands: ours(commands, "sqlite"),
    "ours, in one file": lambda commands: ours(commands, "file"),
}
if SyncObj is not None:
    CONTENDERS["PySyncObj, in memory"] = lambda commands: pysyncobj(commands, journal=False)
    CONTENDERS["PySyncObj, journal"] = lambda commands: pysyncobj(commands, journal=True)
    CONTENDERS["PySyncObj, journal, quick"] = lambda commands: pysyncobj(commands, journal=True, quick=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--commands", type=int, default=1024, help="of the many clients together, in a round")
    parser.add_argument("--blocks", type=int, default=5, help="how many times as many commands for the growing log")
    parser.add_argument("--node", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.node:
        node(*options.node)
        return
    results: dict[str, list[Result]] = {name: [] for name in CONTENDERS}
    for _ in range(options.rounds):
        for name, contender in CONTENDERS.items():
            results[name].append(contender(options.commands))
    print(f"Python {platform.python_version()}, {options.rounds} rounds, {CLIENTS} clients at once")
    print(f"{'three processes':25} {'commands/s':>10} {'to ours':>8} {'latency ms':>11} {'99th of 100':>12}")
    first = next(iter(results.values()))
    for name, rounds in results.items():
        ratio = median(each.throughput / our.throughput for each, our in zip(rounds, first, strict=True))
        took = [1000 * seconds for each in rounds for seconds in each.latencies]
        speed = median(each.throughput for each in rounds)
        print(f"{name:25} {speed:10,.0f} {ratio:8.2f} {median(took):11.1f} {quantiles(took, n=100)[98]:12.1f}")
    print(f"\nlog of {options.commands:,} more commands each time: commands/s, and beside the first block")
    for disk in ("sqlite", "file"):
        speeds = growing(disk, options.commands, options.blocks)
        print(f"{disk:8}" + "".join(f"{speed:8,.0f} ({speed / speeds[0]:.2f})" for speed in speeds))
    if SyncObj is None:
        print("PySyncObj is not installed: pip install -r tests/benchmarks/requirements.txt")


if __name__ == "__main__":
    main()
