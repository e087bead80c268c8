"""An event store on a SQLite file: one table of events, which any tool can read.

    $ sqlite3 -readonly shop.sqlite 'SELECT position, stream, version, type, data FROM events'

- A transaction that writes begins with `BEGIN IMMEDIATE`. A deferred one that has read fails at its first write if
  another connection wrote meanwhile, at once and whatever the timeout (sqlite.org/lang_transaction.html).
- One connection writes. Appends that wait for it go into one transaction together (group commit): one fsync for all.
- `synchronous=FULL`: an append returns when its events survive a loss of power. With NORMAL the last transactions may
  be lost then, with OFF the file may be damaged (sqlite.org/pragma.html#pragma_synchronous).
- A page is read to its end at once. A half-read cursor would keep the write-ahead log growing (sqlite.org/wal.html).
- AUTOINCREMENT: without it, a number could be given twice after a deletion (sqlite.org/autoinc.html).
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from patterns.engine.params import refuse

from .log import FOR_EVER, require_deletable
from .store import (
    ANY,
    LARGEST,
    Appended,
    AppendRefused,
    Batch,
    Condition,
    ConditionFailed,
    Events,
    Expected,
    Item,
    NewEvent,
    Page,
    Query,
    Recorded,
    Store,
    Stream,
    Tombstoned,
    batch_of,
    bounds,
    page_of,
    recognise,
    require_count,
)

Synchronous = Literal["FULL", "NORMAL", "OFF"]
TABLES = files(__package__).joinpath("tables.sql").read_text(encoding="utf-8")
INSERT = "INSERT INTO events (stream, version, id, type, data, meta, tags) VALUES (?, ?, ?, ?, ?, ?, ?)"
SELECT = "SELECT id, type, data, meta, tags, stream, version, position FROM events "
STANDS = """SELECT (SELECT max(version) FROM events WHERE stream = ?1), (SELECT first FROM deleted WHERE stream = ?1)"""


_Waiting = tuple[Future[Appended], tuple[str, Sequence[NewEvent], Expected, Condition | None]]


class StoreError(Exception):
    """The file cannot be read or written: full, read-only, locked, damaged. Nothing of the append was written."""


class SqliteStore(Store):
    """The store in the file at `path`. Threads may share it; each OS process opens the file itself."""

    def __init__(self, path: Path | str, synchronous: Synchronous = "FULL", wait: float = 5.0, **options: Any) -> None:
        """`wait` is how many seconds to wait for another writer; `options` go to `sqlite3.connect`.

        Raises StoreError if the file cannot be opened or holds something else.
        """
        if synchronous not in ("FULL", "NORMAL", "OFF"):
            refuse("synchronous", synchronous, "'FULL', 'NORMAL' or 'OFF'")
        self.path = Path(path)
        self._waiting: deque[_Waiting] = deque()
        self._writes, self._reads = Lock(), Lock()
        with self._in_words():
            self._writer, self._reader = self.connect(wait, options), self.connect(wait, options)
            self._writer.execute("PRAGMA journal_mode=WAL")
            self._writer.execute(f"PRAGMA synchronous={synchronous}")
            for table in TABLES.split(";"):
                self._writer.execute(table)

    def connect(self, wait: float, options: Any) -> Any:
        """A connection. Python begins no transaction of its own on it, and the locks of this class guard it."""
        return sqlite3.connect(self.path, wait, isolation_level=None, check_same_thread=False, **options)

    def close(self) -> None:
        """Let go of the file. What other threads read or write ends first; what they begin later is refused."""
        with self._reads, self._writes:
            self._reader.close()
            self._writer.close()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as problem:
            raise StoreError(f"{self.path}: {problem}; nothing of this was written") from problem

    # Writing

    def append(self, stream: str, events: Batch, expected: Expected = ANY, unless: Condition | None = None) -> Appended:
        mine: Future[Appended] = Future()
        self._waiting.append((mine, (stream, batch_of(stream, events, expected), expected, unless)))
        with self._writes:
            if not mine.done():  # else a thread that was here before has committed it
                self._commit([self._waiting.popleft() for _ in range(len(self._waiting))])
        return mine.result()

    def _commit(self, group: list[_Waiting]) -> None:
        """One transaction for a group of appends. An answer is given only once it is committed."""
        answers: list[Appended | Exception]
        try:
            with self._in_words(), self._transaction():
                answers = [self._answer(*given) for _, given in group]
        except Exception as problem:
            if len(group) > 1:  # each for itself: one of them must not fail for another's text
                for each in group:
                    self._commit([each])
                return
            answers = [problem]
        for (future, _), answer in zip(group, answers, strict=True):
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._writer.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has rolled it back already
                self._writer.execute("ROLLBACK")
            raise

    def _answer(self, *given: Any) -> Appended | Exception:
        """Judges an append and writes it. A refusal comes before anything of it is written."""
        try:
            return self._append(*given)
        except AppendRefused as refusal:
            return refusal

    def _append(self, stream: str, batch: Sequence[NewEvent], expected: Expected, unless: Condition | None) -> Appended:
        db = self._writer
        tail, first = self._stands(stream)
        if first == FOR_EVER:
            raise Tombstoned(stream)
        if expected != tail and (expected != ANY or self._knows_one_of(stream, batch)):
            stands = db.execute(f"{SELECT} WHERE stream = ? AND version >= ? ORDER BY version", (stream, first))
            there = recognise(stream, Stream(first, tuple(map(_recorded, stands.fetchall()))), batch, expected)
            if there is not None:
                return Appended(there.version, there.position, again=True)
        if unless is not None:
            where, values = _where(unless.query)
            found = db.execute(f"SELECT min(position) FROM events WHERE position > ?{where}", (unless.after, *values))
            if (position := found.fetchone()[0]) is not None:
                raise ConditionFailed(unless, position)
        rows = [
            (stream, tail + nth, event.id, event.type, event.data, event.meta, " ".join(event.tags))
            for nth, event in enumerate(batch, 1)
        ]
        db.executemany(INSERT, rows)
        (last,) = db.execute("SELECT last_insert_rowid()").fetchone()
        tagged = [(tag, last - len(batch) + nth) for nth, event in enumerate(batch, 1) for tag in {*event.tags}]
        if tagged:
            db.executemany("INSERT INTO tags VALUES (?, ?)", tagged)
        return Appended(tail + len(batch), last)

    def _stands(self, stream: str) -> tuple[int, int]:
        """The stream's last version, and the first one that is not deleted."""
        tail, first = self._writer.execute(STANDS, (stream,)).fetchone()
        return -1 if tail is None else tail, first or 0

    def _knows_one_of(self, stream: str, batch: Sequence[NewEvent]) -> bool:
        """Whether an id of the batch stands in the stream. There is no index of ids: it would cost every append."""
        sql = f"SELECT EXISTS (SELECT 1 FROM events WHERE stream = ? AND id IN ({', '.join('?' for _ in batch)}))"
        return bool(self._writer.execute(sql, (stream, *[event.id for event in batch])).fetchone()[0])

    def delete(self, stream: str, expected: Expected = ANY, for_ever: bool = False) -> None:
        with self._writes, self._in_words(), self._transaction():
            tail, first = self._stands(stream)
            require_deletable(stream, expected, first, tail)
            begins = FOR_EVER if for_ever else tail + 1
            self._writer.execute("INSERT OR REPLACE INTO deleted VALUES (?, ?)", (stream, begins))

    # Reading

    def _rows(self, sql: str, values: Sequence[Any]) -> list[Any]:
        with self._reads, self._in_words():
            return list(self._reader.execute(sql, values).fetchall())

    def read(self, stream: str, start: int | None = None, limit: int = LARGEST, backwards: bool = False) -> Events:
        low, high = bounds(start, limit, backwards)
        first = "max(?2, coalesce((SELECT first FROM deleted WHERE stream = ?1), 0))"  # once, and not for each row
        order = "DESC" if backwards else "ASC"
        sql = f"{SELECT} WHERE stream = ?1 AND version BETWEEN {first} AND ?3 ORDER BY version {order} LIMIT ?4"
        return tuple(map(_recorded, self._rows(sql, (stream, low, high, limit))))

    def tail(self, stream: str) -> int:
        [(version,)] = self._rows("SELECT max(version) FROM events WHERE stream = ?", (stream,))
        return -1 if version is None else int(version)

    def page(self, after: int = 0, limit: int = 100, category: str = "", query: Query = ()) -> Page:
        require_count(after=after, limit=limit)
        [(head,)] = self._rows("SELECT coalesce(max(position), 0) FROM events", ())
        where, values = _where(query)
        if category:
            where, values = f"{where} AND (stream = ? OR substr(stream, 1, ?) = ?)", [*values, category]
            values += [len(category) + 1, f"{category}-"]
        sql = f"{SELECT} WHERE position > ? AND position <= ?{where} ORDER BY position LIMIT ?"
        events = tuple(map(_recorded, self._rows(sql, (after, head, *values, limit))))
        return page_of(events, after, limit, head)


def _recorded(row: Any) -> Recorded:
    id, type, data, meta, tags, stream, version, position = row
    return Recorded(id, type, data, meta, tuple(tags.split()), stream=stream, version=version, position=position)


def _where(query: Query) -> tuple[str, list[Any]]:
    """A query as a part of a WHERE clause, and the values in it."""
    if not query:
        return "", []
    items, values = [_item(item) for item in query], [value for item in query for value in (*item.types, *item.tags)]
    return f" AND ({' OR '.join(items)})", values


def _item(item: Item) -> str:
    types = [f"type IN ({', '.join('?' for _ in item.types)})"] if item.types else []
    tags = ["position IN (SELECT position FROM tags WHERE tag = ?)" for _ in item.tags]
    return f"({' AND '.join([*types, *tags]) or 'TRUE'})"
