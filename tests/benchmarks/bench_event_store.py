"""The event store on SQLite beside the library `eventsourcing` and raw `sqlite3`, in one run on one machine.

    python tests/benchmarks/bench_event_store.py

Raw sqlite3 is one connection in the same folder with the same table of events (tables.sql), the same rows, explicit
transactions and executemany. All three are on a file at synchronous=FULL. Every contender takes its turn in every
round, so that a busy machine slows all of them alike, and its write-ahead log is warmed before it is measured: the
first commits, while the file grows, are slower. Figures are medians over the rounds; ratios are medians of each
round's ratio. `load` is what `Repository.get` does in the library: select, decode, fold.
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from time import perf_counter, process_time
from typing import Any
from uuid import uuid4

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteDatastore

from patterns.event_sourcing.shelf import CODEC, Received
from patterns.event_sourcing.snapshots import load
from patterns.event_sourcing.sqlite_store import INSERT, TABLES, SqliteStore
from patterns.event_sourcing.store import NO_STREAM, NewEvent

BODY = '{"type":"received","bags":12,"note":"a body of about eighty bytes, as many have"}'
LENGTH = 1_000
AIMS = {
    "append 1": (1.0, 0.8),
    "append 100": (1.0, 0.6),
    "read 1,000": (1.0, 0.0),
    "pages of 100": (1.0, 0.0),
    "load 1,000": (1.0, 0.0),
}
"""Line -> at least this ratio to the library, and to raw sqlite3."""
REPLAY = 300_000
"""How many events a second a load must fold, by processor time: select, decode, fold."""


class Ours:
    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore(folder / "ours.sqlite")
        self.number = 0

    def append(self, size: int, times: int) -> None:
        self.number += 1
        stream, version = f"s-{self.number}", NO_STREAM
        for _ in range(times):
            batch = [NewEvent(f"{version}.{nth}", "received", BODY) for nth in range(size)]
            version = self.store.append(stream, batch, version).version

    def fill(self) -> None:
        self.store.append("filled", [CODEC.encode(f"e{nth}", Received(1)) for nth in range(LENGTH)], NO_STREAM)

    def read(self) -> int:
        return len(self.store.read("filled"))

    def pages(self) -> int:
        seen = after = 0
        while (page := self.store.page(after, limit=100)).events:
            seen, after = seen + len(page.events), page.to
        return seen

    def load(self) -> int:
        return load(self.store, "filled").read


class Raw:
    def __init__(self, folder: Path) -> None:
        self.db = sqlite3.connect(folder / "raw.sqlite", isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.executescript(TABLES)
        self.number = 0

    def append(self, size: int, times: int) -> None:
        self.number += 1
        for at in range(times):
            rows = [(f"s-{self.number}", at * size + n, f"{at}.{n}", "received", BODY, "{}", "") for n in range(size)]
            self.db.execute("BEGIN IMMEDIATE")
            self.db.executemany(INSERT, rows)
            self.db.execute("COMMIT")

    def fill(self) -> None:
        body = CODEC.encode("e", Received(1)).data
        rows = [("filled", nth, f"e{nth}", "received", body, "{}", "") for nth in range(LENGTH)]
        self.db.execute("BEGIN")
        self.db.executemany(INSERT, rows)
        self.db.execute("COMMIT")

    def read(self) -> int:
        return len(self.db.execute("SELECT * FROM events WHERE stream = 'filled' ORDER BY version").fetchall())

    def pages(self) -> int:
        seen = after = 0
        sql = "SELECT * FROM events WHERE position > ? ORDER BY position LIMIT 100"
        while rows := self.db.execute(sql, (after,)).fetchall():
            seen, after = seen + len(rows), rows[-1][0]
        return seen

    load = read


class Counter(Aggregate):
    bags = 0

    @event("Received")
    def receive(self, bags: int) -> None:
        self.bags += bags


class Library:
    def __init__(self, folder: Path) -> None:
        from eventsourcing.sqlite import SQLiteApplicationRecorder

        name = str(folder / "library.sqlite")
        self.recorder = SQLiteApplicationRecorder(SQLiteDatastore(name))
        self.recorder.create_table()
        self.app: Application[Any] = Application(
            env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(folder / "application.sqlite")}
        )

    def append(self, size: int, times: int) -> None:
        stream, version = uuid4(), 0
        for _ in range(times):
            batch = [StoredEvent(stream, version + n, "received", BODY.encode()) for n in range(size)]
            self.recorder.insert_events(batch)
            version += size

    def fill(self) -> None:
        self.filled = uuid4()
        self.recorder.insert_events([StoredEvent(self.filled, n, "received", BODY.encode()) for n in range(LENGTH)])
        counter = Counter()
        for _ in range(LENGTH - 1):
            counter.receive(1)
        self.app.save(counter)
        self.counter = counter.id

    def read(self) -> int:
        return len(self.recorder.select_events(self.filled))

    def pages(self) -> int:
        seen = after = 0
        while notes := self.recorder.select_notifications(after + 1, 100):
            seen, after = seen + len(notes), notes[-1].id
        return seen

    def load(self) -> int:
        return self.app.repository.get(self.counter).version


CONTENDERS: dict[str, Callable[[Path], Any]] = {"ours": Ours, "eventsourcing": Library, "raw sqlite3": Raw}


def timed(what: Callable[[], Any], clock: Callable[[], float] = perf_counter) -> float:
    begun = clock()
    what()
    return clock() - begun


def rates(contender: Any, times: int) -> dict[str, float]:
    """Events a second on each line."""
    events = contender.pages()
    return {
        "append 1": times / timed(partial(contender.append, 1, times)),
        "append 100": 100 * (times // 5) / timed(partial(contender.append, 100, times // 5)),
        "read 1,000": LENGTH / timed(contender.read),
        "pages of 100": events / timed(contender.pages),
        "load 1,000": LENGTH / timed(contender.load),
    }


def concurrent(writers: int, times: int, shared: bool) -> float:
    """Events a second of so many threads, one event in an append: on one store, or on one store each."""
    with TemporaryDirectory() as folder:
        stores = [SqliteStore(Path(folder) / "events.sqlite", wait=300) for _ in range(1 if shared else writers)]

        def write(who: int) -> None:
            version = NO_STREAM
            for _ in range(times):
                new = [NewEvent(f"{version}", "received", BODY)]
                version = stores[who % len(stores)].append(f"s-{who}", new, version).version

        threads = [Thread(target=write, args=(who,)) for who in range(writers)]
        spent = timed(lambda: ([each.start() for each in threads], [each.join() for each in threads]))
        for store in stores:
            store.close()
        return writers * times / spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--times", type=int, default=500, help="appends of one event in a round")
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores")
    print(f"load of the machine: {os.getloadavg()[0]:.1f}; {given.rounds} rounds")
    measured: dict[str, dict[str, list[float]]] = {}
    with TemporaryDirectory() as folder:
        contenders = {name: make(Path(folder)) for name, make in CONTENDERS.items()}
        for contender in contenders.values():
            contender.fill()
            contender.append(1, 300)  # warms the write-ahead log
        for _ in range(given.rounds):
            for name, contender in contenders.items():
                for line, rate in rates(contender, given.times).items():
                    measured.setdefault(line, {}).setdefault(name, []).append(rate)
        replay = LENGTH / min(timed(contenders["ours"].load, process_time) for _ in range(20 * given.rounds))
    for line, by in measured.items():
        ours = by["ours"]
        ratios = {name: median(a / b for a, b in zip(ours, rates, strict=True)) for name, rates in by.items()}
        figures = ", ".join(f"{name} {median(rates):,.0f}" for name, rates in by.items())
        library, raw = ratios["eventsourcing"], ratios["raw sqlite3"]
        aim = AIMS[line]
        met = "met" if library >= aim[0] and raw >= aim[1] else f"NOT MET (aims {aim[0]}, {aim[1]})"
        print(f"{line:13} events/s: {figures}; {library:.2f} of the library, {raw:.2f} of raw: {met}")
    print(
        f"replay of 1,000 events, in processor time: {replay:,.0f} events/s: {'met' if replay >= REPLAY else 'NOT MET'}"
    )
    own, group = concurrent(64, 4, shared=False), concurrent(64, 100, shared=True)
    print(f"64 writers: own connections {own:,.0f} events/s, one committer {group:,.0f}: {group / own:.1f} times")


if __name__ == "__main__":
    main()
