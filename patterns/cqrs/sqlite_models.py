"""The read side on a real database: read models as tables made for their queries, and projectors as OS processes.

    $ sqlite3 -readonly shop.sqlite 'SELECT * FROM sellers; SELECT * FROM checkpoints'

Events, read models and checkpoints stand in one file. A projector is an OS process:
`python -m patterns.cqrs.sqlite_models FILE MODEL ORDER_OF_WRITES DIE_AT VERSION LIMIT`. It reads a page of
events after its checkpoint, writes rows and checkpoint, and looks again after some milliseconds. It ends when its
standard input is closed. For experiments it can kill itself between its two statements.
"""

from __future__ import annotations

import os
import select
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import perf_counter  # noqa: TID251 - how long a real query waits is no part of any state
from typing import Any, NamedTuple, Self

from patterns.event_sourcing.sqlite_store import SqliteStore
from patterns.event_sourcing.store import Item, Recorded
from patterns.runtime.here import require

from .facts import Fact, Ordered, fact_of
from .models import KINDS
from .projector import PARTS, CommitOrder

LOOKS = 0.002
"""Seconds between two looks of a projector, and of a query that waits."""


class Table(NamedTuple):
    """A read model as a table."""

    create: str
    write: str
    """The statement that applies an event, with the values of `row_of`."""


def row_of(fact: Fact) -> dict[str, Any]:
    """What the statements of all tables need of an event. Stock that is received was ordered by nobody."""
    sold = fact.bags if isinstance(fact, Ordered) else 0
    of = {"customer": fact.customer, "id": fact.order} if isinstance(fact, Ordered) else {"customer": "", "id": ""}
    return {**of, "coffee": fact.coffee, "sold": sold, "change": -sold or fact.bags}


TABLES: Mapping[str, Table] = {
    "orders": Table(
        "CREATE TABLE IF NOT EXISTS orders (customer TEXT, id TEXT, coffee TEXT, bags INTEGER,"
        " PRIMARY KEY (customer, id)) STRICT, WITHOUT ROWID",
        "INSERT INTO orders VALUES (:customer, :id, :coffee, :sold)",
    ),
    "shelf": Table(
        "CREATE TABLE IF NOT EXISTS shelf (coffee TEXT PRIMARY KEY, bags INTEGER) STRICT, WITHOUT ROWID",
        "INSERT INTO shelf VALUES (:coffee, :change) ON CONFLICT DO UPDATE SET bags = bags + :change",
    ),
    "sellers_2": Table(
        "CREATE TABLE IF NOT EXISTS sellers_2 (coffee TEXT PRIMARY KEY, sold INTEGER, orders INTEGER)"
        " STRICT, WITHOUT ROWID",
        "INSERT INTO sellers_2 VALUES (:coffee, :sold, 1)"
        " ON CONFLICT DO UPDATE SET sold = sold + :sold, orders = orders + 1",
    ),
    "sellers": Table(
        "CREATE TABLE IF NOT EXISTS sellers (coffee TEXT PRIMARY KEY, sold INTEGER) STRICT, WITHOUT ROWID",
        "INSERT INTO sellers VALUES (:coffee, :sold) ON CONFLICT DO UPDATE SET sold = sold + :sold",
    ),
}
"""Name of a table -> the table. Version 2 of the bestsellers counts orders too."""
MODELS = ("orders", "shelf", "sellers")
CHECKPOINTS = (
    "CREATE TABLE IF NOT EXISTS checkpoints (model TEXT, version INTEGER, position INTEGER,"
    " PRIMARY KEY (model, version)) STRICT, WITHOUT ROWID"
)
MOVE = "UPDATE checkpoints SET position = ?1 WHERE model = ?2 AND version = ?3 AND position = ?4 AND position < ?1"
LIVE = "CREATE TABLE IF NOT EXISTS live (model TEXT PRIMARY KEY, version INTEGER) STRICT, WITHOUT ROWID"
SWITCH = (
    "UPDATE live SET version = ?1 WHERE model = ?2 AND version < ?1 AND ?3 >="
    " (SELECT position FROM checkpoints WHERE checkpoints.model = live.model AND checkpoints.version = live.version)"
)
"""Queries read the new version as soon as it is at least as far as the old one."""


def table_of(model: str, version: int) -> str:
    """The table of one version of a read model."""
    return model if version == 1 else f"{model}_{version}"


def connect(path: Path | str) -> sqlite3.Connection:
    """A connection for projectors and queries. Python begins no transaction of its own."""
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


class Overtaken(Exception):
    """Another instance has moved the checkpoint. Nothing of this transaction was written."""


class SqliteProjector:
    """A projector of one read model in the file at `path`.

    `die_at`: kill this OS process between the two statements of its nth write that has events; 0 for
    never. Raises ValueError for an unknown read model or order of writes.
    """

    def __init__(
        self,
        path: Path | str,
        model: str,
        commit: CommitOrder = "one transaction",
        die_at: int = 0,
        limit: int = 100,
        version: int = 1,
    ) -> None:
        if table_of(model, version) not in TABLES or commit not in PARTS:
            given = f"model is {model!r}, version {version!r} and commit {commit!r}"
            raise ValueError(f"{given}; allowed are the tables {[*TABLES]} and {[*PARTS]}")
        self.table = TABLES[table_of(model, version)]
        self.model, self.commit, self.die_at, self.limit, self.version = model, commit, die_at, limit, version
        self.store = SqliteStore(path)
        self.database = connect(path)
        with transaction(self.database):
            for create in (self.table.create, CHECKPOINTS, LIVE):
                self.database.execute(create)
            self.database.execute("INSERT OR IGNORE INTO live VALUES (?, ?)", (model, version))
            self.database.execute("INSERT OR IGNORE INTO checkpoints VALUES (?, ?, 0)", (model, version))

    def close(self) -> None:
        self.database.close()
        self.store.close()

    @property
    def checkpoint(self) -> int:
        return position_of(self.database, self.model, self.version)

    def step(self) -> bool:
        """Apply the next page of events. False if there was nothing to apply, or another instance was quicker."""
        at = self.checkpoint
        types = KINDS[self.model].types
        page = self.store.page(at, self.limit, query=(Item(types),) if types else ())
        return page.to > at and self.write(at, page.events, page.to)

    def write(self, after: int, events: Iterable[Recorded], through: int) -> bool:
        """Rows and checkpoint, in the order of `commit`. False if the checkpoint is not at `after` any more, or would
        not rise."""
        rows = [row_of(fact_of(event)) for event in events]
        try:
            for part in PARTS[self.commit]:
                with transaction(self.database):
                    if part != "checkpoint":
                        self.database.executemany(self.table.write, rows)
                    if part == "all" and rows:
                        self.between()
                    if part != "rows":
                        self.move(after, through)
                if part == PARTS[self.commit][0] != "all" and rows:
                    self.between()
        except Overtaken:
            return False
        return True

    def move(self, after: int, through: int) -> None:
        """Compare and set; and in the same transaction the switch to this version, once it is level. Raises Overtaken
        if the checkpoint is not at `after` any more."""
        moved = self.database.execute(MOVE, (through, self.model, self.version, after))
        if moved.rowcount == 0:
            raise Overtaken
        self.database.execute(SWITCH, (self.version, self.model, through))

    def between(self) -> None:
        """Between the two statements: inside the one transaction, or after the first of two."""
        self.die_at -= 1
        if self.die_at == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _number(database: sqlite3.Connection, sql: str, *values: Any) -> int:
    """The number that a query finds; 0 if it finds nothing or if the table does not exist yet."""
    try:
        found = database.execute(sql, values).fetchone()
    except sqlite3.OperationalError:
        return 0
    return int(found[0]) if found else 0


def version_of(database: sqlite3.Connection, model: str) -> int:
    """The version of a read model that queries read; 0 before its projector has started."""
    return _number(database, "SELECT version FROM live WHERE model = ?", model)


def position_of(database: sqlite3.Connection, model: str, version: int = 0) -> int:
    """The checkpoint of a version of a read model, by default of the live one; 0 before its projector has started."""
    of = (model, version or version_of(database, model))
    return _number(database, "SELECT position FROM checkpoints WHERE model = ? AND version = ?", *of)


class Waited(NamedTuple):
    """How a query for a position ended."""

    fresh: bool
    position: int
    """Where the read model stands."""
    ms: float
    """How long the query waited."""


def wait_for(database: sqlite3.Connection, model: str, wanted: int, deadline_ms: float = 200) -> Waited:
    """Wait until the read model has applied the wanted position, or until the deadline."""
    began = perf_counter()
    while True:
        position, ms = position_of(database, model), 1000 * (perf_counter() - began)
        if position >= wanted or ms >= deadline_ms:
            return Waited(position >= wanted, position, ms)
        Event().wait(LOOKS)


class Projectors:
    """Projectors of one file as OS processes, started with the block and ended with it."""

    def __init__(self, path: Path | str, *models: str) -> None:
        self.path, self.models = Path(path), models or MODELS
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        for model in self.models:
            self.start(model)
        return self

    def start(
        self, model: str, commit: CommitOrder = "one transaction", die_at: int = 0, version: int = 1, limit: int = 100
    ) -> None:
        """Start the projector of a version of this read model. It takes the place of the one that runs. `limit` is the
        number of events in a page."""
        require("processes of an operating system")
        self.stop(table_of(model, version))
        command = [sys.executable, "-m", __name__, str(self.path), model, commit, str(die_at), str(version), str(limit)]
        # a session of its own: a notebook's stop button stops a cell, and no projector
        process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        self.processes[table_of(model, version)] = process

    def stop(self, table: str) -> None:
        """End a projector between two writes."""
        if (process := self.processes.pop(table, None)) is not None:
            process.communicate(timeout=30)

    def died(self, model: str, within: float = 30.0) -> int:
        """Wait until a projector has died; the signal that killed it."""
        return -self.processes[model].wait(timeout=within)

    def __exit__(self, *problem: object) -> None:
        for model in [*self.processes]:
            self.stop(model)


def main(path: str, model: str, commit: CommitOrder, die_at: str, version: str, limit: str) -> None:
    """Run a projector until the standard input is closed."""
    projector = SqliteProjector(path, model, commit, int(die_at), int(limit), int(version))
    while True:
        projector.step()
        if select.select([sys.stdin], [], [], LOOKS)[0]:  # between two pages, too: other writers get their turn
            return projector.close()


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
