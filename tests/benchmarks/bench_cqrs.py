"""A projector on a SQLite file beside raw SQLite and the `eventsourcing` library, in one run on one machine.

    python tests/benchmarks/bench_cqrs.py

Each contender applies the same events to the same table, one row for each coffee and a checkpoint, with WAL and
synchronous=FULL on a warmed write-ahead log. One event a transaction, and a hundred a transaction. Raw SQLite executes
the same three statements with the values at hand: it reads no events and decodes none. The library's line is a
projection with its own tracking recorder, if the library is installed. Every contender takes its turn in every round;
figures are medians over the rounds, ratios the medians of each round's ratio to raw SQLite.

Then the wait of a query for its own order, over 100 orders, with three projectors as OS processes; and the same query
on the events and on the read model, for histories of different length.
"""

from __future__ import annotations

import argparse
import platform
import sqlite3
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from patterns.cqrs.facts import Ordered, recorded_as, stream_of
from patterns.cqrs.lesson.real import query_costs, waits_for_orders
from patterns.cqrs.sqlite_models import CHECKPOINTS, MOVE, TABLES, SqliteProjector, connect, row_of, transaction
from patterns.event_sourcing.sqlite_store import SqliteStore

WARM = 300
"""Transactions before the clock starts, so that the write-ahead log is reused instead of growing."""


def filled(path: Path, events: int) -> None:
    """A store with so many orders."""
    store = SqliteStore(path)
    facts = [Ordered("mocha", 1, "ann", f"ann-{nth}") for nth in range(events)]
    store.append(stream_of("mocha"), [recorded_as(fact.order, fact) for fact in facts])
    store.close()


def warm(database: sqlite3.Connection) -> None:
    database.execute("CREATE TABLE warm (x)")
    for nth in range(WARM):
        database.execute("INSERT INTO warm VALUES (?)", (nth,))


def ours(path: Path, events: int, batch: int) -> float:
    """Events each second of `SqliteProjector`."""
    filled(path, events)
    projector = SqliteProjector(path, "sellers", limit=batch)
    warm(projector.database)
    began = perf_counter()
    while projector.step():
        pass
    spent = perf_counter() - began
    [(sold,)] = projector.database.execute("SELECT sold FROM sellers")
    assert sold == projector.checkpoint == events
    projector.close()
    return events / spent


def raw(path: Path, events: int, batch: int) -> float:
    """Events each second of the same statements with the values at hand."""
    database = connect(path)
    database.execute(TABLES["sellers"].create)
    database.execute(CHECKPOINTS)
    database.execute("INSERT INTO checkpoints VALUES ('sellers', 1, 0)")
    warm(database)
    row = row_of(Ordered("mocha", 1, "ann", "ann-1"))
    began = perf_counter()
    for at in range(0, events, batch):
        with transaction(database):
            database.executemany(TABLES["sellers"].write, [row] * batch)
            database.execute(MOVE, (at + batch, "sellers", 1, at))
    spent = perf_counter() - began
    database.close()
    return events / spent


def library(path: Path, events: int, batch: int) -> float:
    """Events each second of the library's SQLite tracking recorder, with a counter in the same transaction. It takes
    one event a transaction, whatever `batch` is."""
    from eventsourcing.persistence import Tracking
    from eventsourcing.sqlite import SQLiteDatastore, SQLiteTrackingRecorder

    recorder = SQLiteTrackingRecorder(SQLiteDatastore(str(path)))
    recorder.create_table()
    datastore = recorder.datastore
    with datastore.transaction(commit=True) as cursor:
        cursor.execute(TABLES["sellers"].create)
        cursor.execute("CREATE TABLE warm (x)")
    for nth in range(WARM):
        with datastore.transaction(commit=True) as cursor:
            cursor.execute("INSERT INTO warm VALUES (?)", (nth,))
    row = row_of(Ordered("mocha", 1, "ann", "ann-1"))
    began = perf_counter()
    for position in range(1, events + 1):
        with datastore.transaction(commit=True) as cursor:
            recorder._insert_tracking(cursor, Tracking("shop", position))
            cursor.execute(TABLES["sellers"].write, row)
    return events / (perf_counter() - began)


CONTENDERS: dict[str, Callable[[Path, int, int], float]] = {"raw sqlite3": raw, "ours": ours}
if find_spec("eventsourcing"):
    CONTENDERS["eventsourcing"] = library


def rates(rounds: int, events: int) -> None:
    for batch in (1, 100):
        found: dict[str, list[float]] = {name: [] for name in CONTENDERS}
        for _ in range(rounds):
            for name, run in CONTENDERS.items():
                with TemporaryDirectory() as folder:
                    found[name].append(run(Path(folder) / "file.sqlite", events * min(batch, 20), batch))
        for name, each in found.items():
            ratio = median(mine / base for mine, base in zip(each, found["raw sqlite3"], strict=True))
            print(f"{batch:>3} a transaction  {name:<14} {median(each):>9,.0f} events/s  {ratio:5.2f} of raw")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=1_000)
    given = parser.parse_args()
    print(f"{platform.platform()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    rates(given.rounds, given.events)
    with TemporaryDirectory() as folder:
        ms = sorted(wait.ms for wait in waits_for_orders(Path(folder) / "waits.sqlite"))
        print(f"wait for the own order, of 100: median {ms[50]:.1f} ms, 95 % {ms[95]:.1f} ms, slowest {ms[-1]:.1f} ms")
        for cost in query_costs(folder):
            on_events, on_model = f"{cost.events_ms:8.3f} ms", f"{cost.model_ms:.3f} ms"
            print(f"{cost.events:>7,} events: {on_events} on the events, {on_model} on the read model")


if __name__ == "__main__":
    main()
