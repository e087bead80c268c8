"""Two-phase commit and sagas for real beside what SQLite itself can do, in one run on one machine.

    python tests/benchmarks/bench_transactions.py

Every contender takes its turn in every round and starts with new files, so that a busy machine slows all of them alike.
A transaction changes one row in each of three databases. Raw SQLite is one process without a network: on one file, and
on three, one after the other, every transaction forced to the disk (WAL, synchronous=FULL) - the second is what nothing
that forces three files can beat for one client at a time, and it has no atomicity across them. Two-phase commit is a
coordinator and three participants, the saga an orchestrator and three services, or three services alone; each an OS
process with its own file, and a client that is none of them. Many clients at once have rows of their own, so that
nobody waits for a lock.

Latency is the median of one client's transactions, one after the other, from request to answer; throughput is that of
many clients at once, each one transaction at a time. Figures are medians over the rounds, ratios the medians of each
round's ratio to raw SQLite on three files. `forced` is how many forced writes a transaction costs in all files of all
processes, one client at a time: with many at once some share one.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

from patterns.engine.process import Process
from patterns.runtime import Cluster
from patterns.saga import COMPENSATABLE, PIVOT, Add, Begin, Reply, SagaMachine, saga, step
from patterns.two_phase_commit import PROTOCOLS, Move, Transfer
from patterns.two_phase_commit import Reply as CommitReply
from patterns.two_phase_commit.log import Account

CLIENTS = 16
COUNTED = 10
"""Transactions of which the writes are counted."""
DEADLINE = 120.0
BANKS = ("P1", "P2", "P3")
PATIENT = 60_000
"""Milliseconds: no timeout counts here."""


class Result(NamedTuple):
    latency: float
    """Seconds, the median."""
    throughput: float
    """Transactions a second."""
    forced: float
    """Forced writes a transaction."""


def raw(files: int, count: int) -> Result:
    """One process, no network: each transaction an update of one row in each file."""
    with TemporaryDirectory() as folder, ExitStack() as open_files:
        connections = []
        for number in range(files):
            connection = sqlite3.connect(Path(folder) / str(number), isolation_level=None)
            open_files.enter_context(closing(connection))
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("CREATE TABLE accounts (name TEXT PRIMARY KEY, balance INTEGER)")
            connection.execute("INSERT INTO accounts VALUES ('a0', 0)")
            connections.append(connection)
        took = []
        for _ in range(count):
            began = perf_counter()
            for connection in connections:
                connection.execute("UPDATE accounts SET balance = balance + 1")
            took.append(perf_counter() - began)
    return Result(median(took), count / sum(took), files)


def commit(protocol: str, count: int) -> Result:
    accounts = tuple(Account(f"a{client}", 1_000_000) for client in range(CLIENTS + 1))
    of = PROTOCOLS[protocol]
    patience = {"doubt_timeout": PATIENT, "lock_timeout": PATIENT}
    processes: list[Process] = [
        of.coordinator(id="C", vote_timeout=PATIENT, ack_timeout=PATIENT),
        *(of.participant(id=name, coordinator="C", accounts=accounts, **patience) for name in BANKS),
    ]

    def transfer(client: int, serial: int) -> Transfer:
        moves = zip(BANKS, (-2, 1, 1), strict=True)
        return Transfer(f"t{client}-{serial}", tuple(Move(bank, f"a{client}", amount) for bank, amount in moves))

    return asyncio.run(measured(processes, CommitReply, "C", transfer, "commit", count))


def in_steps(client: int) -> Any:
    """The saga of one client: its own row in each database."""
    row = f"a{client}"
    return saga(
        f"transfer {client}",
        step("take", at="P1", do=Add(row, -2), undo=Add(row, 2), kind=COMPENSATABLE),
        step("give", at="P2", do=Add(row, 1), undo=Add(row, -1), kind=COMPENSATABLE),
        step("give more", at="P3", do=Add(row, 1), kind=PIVOT),
    )


def of_sagas(style: str, count: int) -> Result:
    sagas = tuple(in_steps(client) for client in range(CLIENTS + 1))
    money = {f"a{client}": 1_000_000 for client in range(CLIENTS + 1)}
    machine = SagaMachine(sagas=sagas, style=style, clients=1, rows={"P1": money}, timeout=PATIENT)
    front = machine.front(sagas[0])

    def begin(client: int, serial: int) -> Begin:
        return Begin(serial, f"c{client}-{serial}", f"transfer {client}")

    processes = machine.processes()
    return asyncio.run(measured(processes, Reply, front, begin, "completed", count))


async def measured(
    processes: Sequence[Process],
    replies: Any,
    front: str,
    request: Callable[[int, int], Any],
    good: str,
    count: int,
) -> Result:
    async def client(cluster: Cluster, number: int, serials: range) -> list[float]:
        took = []
        for serial in serials:
            began = perf_counter()
            reply = await cluster.request(f"client {number}", request(number, serial), to=front)
            took.append(perf_counter() - began)
            assert reply.outcome == good, reply
        return took

    async with asyncio.timeout(DEADLINE):
        async with Cluster(processes, replies=replies, disk="sqlite") as cluster:  # it tells, and is not timed
            await client(cluster, 0, range(1, 1 + COUNTED))
            await cluster.until(lambda now: not any(under_way(process) for process in now.values()))
            writes = forced(cluster) / COUNTED
        async with Cluster(processes, replies=replies, disk="sqlite", narrate=False) as cluster:
            await client(cluster, 0, range(1, 6))  # everybody is connected
            latency = median(await client(cluster, 0, range(6, 6 + count)))
            began = perf_counter()
            each = range(1, count // CLIENTS + 1)
            await asyncio.gather(*(client(cluster, number, each) for number in range(1, CLIENTS + 1)))
            return Result(latency, len(each) * CLIENTS / (perf_counter() - began), writes)


def under_way(process: Process) -> bool:
    """Whether it still waits for something, or has something to tell."""
    return any(getattr(process, field, ()) for field in ("open", "branches", "waiting", "outbox"))


def forced(cluster: Cluster) -> int:
    """Writes to the disks after each process's first, by what each told."""
    writes, before = 0, {}
    for record in cluster.records:
        if record.state is not None:
            known = before.get(record.process)
            writes += known is not None and bool(record.state.written_since(known))
            before[record.process] = record.state
    return writes


CONTENDERS: dict[str, Callable[[int], Result]] = {
    "SQLite, one file": lambda count: raw(1, count),
    "SQLite, three files": lambda count: raw(3, count),
    "two-phase commit": lambda count: commit("basic", count),
    "presumed abort": lambda count: commit("presumed_abort", count),
    "presumed commit": lambda count: commit("presumed_commit", count),
    "saga, orchestrated": lambda count: of_sagas("orchestrated", count),
    "saga, choreographed": lambda count: of_sagas("choreographed", count),
}
LIMIT = "SQLite, three files"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--transactions", type=int, default=160, help="in a round: of one client, and of many together")
    options = parser.parse_args()
    results: dict[str, list[Result]] = {name: [] for name in CONTENDERS}
    for _ in range(options.rounds):
        for name, contender in CONTENDERS.items():
            results[name].append(contender(options.transactions))
    print(
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {options.rounds} rounds, "
        f"{options.transactions} transactions; {CLIENTS} clients at once"
    )
    print(
        f"{'a row in each of three':24} {'latency ms':>10} {'to raw':>7} {'per second':>11} {'to raw':>7} {'forced':>7}"
    )
    for name, rounds in results.items():
        pairs = list(zip(rounds, results[LIMIT], strict=True))
        slower = median(each.latency / limit.latency for each, limit in pairs)
        faster = median(each.throughput / limit.throughput for each, limit in pairs)
        latency, speed = median(each.latency for each in rounds), median(each.throughput for each in rounds)
        forced_writes = median(each.forced for each in rounds)
        print(f"{name:24} {1000 * latency:10.2f} {slower:7.1f} {speed:11,.0f} {faster:7.2f} {forced_writes:7.1f}")


if __name__ == "__main__":
    main()
