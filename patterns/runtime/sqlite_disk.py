"""A process's disk as one SQLite database that anybody can read: a durable field of rows is a table of its own.

    class Account(msgspec.Struct, frozen=True):
        owner: str
        balance: int

    class Bank(Process):
        accounts: tuple[Account, ...] = durable(())       # the table `accounts`, its columns `owner` and `balance`
        epoch: int = durable(0)                           # a row of the table `fields`

    $ sqlite3 -readonly B1.sqlite 'SELECT owner, balance FROM accounts ORDER BY nth; SELECT * FROM fields'

An item of a `tuple[Row, ...]` is a row, `nth` is its place in the tuple, from 1. Where Row is a union of tagged
structs, the table has the columns of all of them. A column is NULL where a struct has no such field. The struct's tag
is in its own column, `type`. Numbers, words and bytes stand in a column as they are, a bool as 0 or 1; any other
value is JSON, for `json_extract` and `->>`.

A write is one transaction of the rows that changed since the last write. A log that grows costs only its new entries,
however long it is. The transaction is in the write-ahead log, on stable storage, before `write` returns. With
`synchronous=FULL` this costs one fsync for each transaction, and readers delay no writer (sqlite.org/wal.html,
sections 1 and 2.2; sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from zlib import crc32

import msgspec
from msgspec import inspect

from patterns.engine.process import Process

from .disk import Disk, DiskError, Locked, own

P = TypeVar("P", bound=Process)

NTH = "nth"
"""The column of every table of rows that says where in its tuple a row stands."""
FIELDS = "fields"
"""The table of all durable fields that are no rows."""
SUFFIXES = (".sqlite", ".sqlite3", ".db")
"""A disk whose file is named so is a database."""
CHECKS = 1 << 31
"""Check sums are below."""
WAIT = 5.0
"""Seconds that one who looks waits for a lock on the file."""
BLINK = 0.01
"""Seconds that a write waits for a lock that somebody else, a `sqlite3` at a terminal say, has on the file. It
blocks its OS process for so long. A host tries again, and serves connections between two tries.
"""
LONG = 1 << 26
"""Bytes of a write-ahead log of which a person should know. It begins anew at 4 MB where nobody reads it
(sqlite.org/pragma.html#pragma_wal_autocheckpoint).
"""


class SqliteDisk:
    """The database at `path`, for one process. A crash at any moment leaves the old values or the new ones, never a
    mix. Nobody else may write to it while a process runs on it; anybody may read.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._connection: sqlite3.Connection | None = None
        self.writes = 0
        """The number of the write that was written or read last. It is the `user_version` of the file."""
        self._check = 0  # the sum over all fields and rows, which is the `application_id` of the file
        self._file: tuple[int, int] | None = None  # which file was opened: its name may be given to another one
        self._written: Process | None = None  # what is in the file, as this disk read or wrote it
        self._version = 0  # of the file, when it was read or written

    def write(self, process: Process) -> None:
        """Write the durable fields that changed, and return only when they would survive a loss of power.

        Raises DiskError if the file holds something else, another program wrote to it, or a value is not of the type of
        its field. Raises TypeError if the fields cannot be tables, Locked while somebody else writes, OSError if the
        file cannot be written. In each case nothing is written.
        """
        layout = layout_of(type(process))
        if self._written is None:
            self.read(process)
        before = self._written
        with self._transaction() as connection:
            if before is None:
                for statement in layout.tables.values():
                    connection.execute(statement)
            elif self._version_now(connection) != self._version:
                raise DiskError(f"{self.path} was changed by somebody else while {process.id} ran on it")
            if self._file != _file_at(self.path):
                raise DiskError(f"{self.path} was deleted or replaced while {process.id} ran on it")
            more = sum(part.write(connection, before, process) for part in layout.parts)
            check = (self._check + more) % CHECKS
            connection.execute(f"PRAGMA user_version = {self.writes + 1}")
            connection.execute(f"PRAGMA application_id = {check}")
        self.writes, self._check = self.writes + 1, check
        self._keep(process)

    def read(self, process: P) -> P | None:
        """The process with its durable fields as written; None when nothing was ever written.

        Raises DiskError when the file holds something else or is damaged, Locked while somebody else writes, OSError
        when it cannot be read.
        """
        layout = layout_of(type(process))
        if not self.path.exists():
            return None
        try:
            with self._transaction() as connection:
                tables = dict(connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"))
                if not tables:  # it was made, and its first transaction never ended
                    return None
                if tables != layout.tables:
                    raise DiskError(f"its tables are {_worded(tables)}, not {_worded(layout.tables)}")
                if damage := [text for (text,) in connection.execute("PRAGMA quick_check") if text != "ok"]:
                    raise DiskError("; ".join(damage))
                values = {part.name: part.read(connection) for part in layout.parts}
                self.writes = connection.execute("PRAGMA user_version").fetchone()[0]
                self._check = connection.execute("PRAGMA application_id").fetchone()[0]
            found = process.with_disk(msgspec.convert(values, type(process).disk_type(), str_keys=True))
            if sum(part.sum_of(found) for part in layout.parts) % CHECKS != self._check:
                raise DiskError("its check sum does not agree")
        except (sqlite3.DatabaseError, msgspec.MsgspecError, UnicodeDecodeError, DiskError) as problem:
            self.close()
            name = type(process).__name__
            raise DiskError(f"{self.path} does not hold the fields of a {name}: {problem}") from None
        self._keep(found)
        return found

    def trouble(self) -> str:
        """What a person should know of the write-ahead log: usually nothing.

        It begins anew when all of it is in the database, and nobody reads what was there before. So a reader that
        leaves a transaction open lets it grow without end (sqlite.org/wal.html, section 6).
        """
        if self._connection is None:
            return ""
        _, pages, copied = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        size = pages * self._connection.execute("PRAGMA page_size").fetchone()[0]
        if copied == pages or size <= LONG:
            return ""
        return f"{self.path}-wal has {size:,} bytes and grows: a program that reads does not end its transaction"

    def close(self) -> None:
        """Let go of the file. Used again, it is opened again."""
        connection, self._connection, self._written = self._connection, None, None
        self.writes = self._check = 0
        if connection is not None:
            connection.close()

    def _keep(self, process: Process) -> None:
        assert self._connection is not None
        self._written, self._version = process, self._version_now(self._connection)

    def _version_now(self, connection: sqlite3.Connection) -> int:
        """Another one when another connection wrote (sqlite.org/pragma.html#pragma_data_version)."""
        return int(connection.execute("PRAGMA data_version").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._connection = self._connection or self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except sqlite3.OperationalError as problem:
            locked = problem.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            raise (Locked if locked else OSError)(f"{self.path}: {problem}") from problem

    def _opened(self) -> sqlite3.Connection:
        if self.path.parent.exists():
            os.close(own(self.path))
        connection = sqlite3.connect(self.path, timeout=BLINK, isolation_level=None)  # each transaction is begun here
        try:
            [mode] = connection.execute("PRAGMA journal_mode=WAL").fetchone()
            if mode != "wal":  # SQLite would go on without one, and readers would delay the writer
                raise OSError(f"{self.path}: there can be no write-ahead log here, its journal mode stays {mode!r}")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA fullfsync=ON")  # for macOS, where a sync leaves the drive's memory
        except BaseException:
            connection.close()
            raise
        self._file = _file_at(self.path)
        return connection


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def check_sum(*of: Any) -> int:
    return crc32(_pack(of))


def disk_at(path: Path | str) -> Disk | SqliteDisk:
    """A process's disk at `path`: a database where the file is named so, else one file in MessagePack."""
    return SqliteDisk(path) if Path(path).suffix in SUFFIXES else Disk(path)


def database(path: Path | str) -> sqlite3.Connection:
    """The database at `path`, to look at: also while a process writes to it, or after it was killed.

    Raises FileNotFoundError when nothing was written there yet.
    """
    path = Path(path)
    if path.exists():
        uri = f"{path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=WAIT, isolation_level=None)
        if connection.execute("SELECT name FROM sqlite_schema").fetchone():
            return connection
        connection.close()  # the first write has not ended yet
    raise FileNotFoundError(f"there is no {path.name} yet: its process has written nothing")


# Values in columns


class Column(NamedTuple):
    """How values of a declared type stand in a column."""

    sql: str
    """The column's type; empty where it takes every value as it is."""
    into: Callable[[Any], Any]
    out_of: Callable[[Any], Any]


_PLAIN = {
    inspect.IntType: "INTEGER",
    inspect.FloatType: "REAL",
    inspect.StrType: "TEXT",
    inspect.BytesType: "BLOB",
    inspect.BoolType: "INTEGER",
}
_encode = msgspec.json.Encoder(order="deterministic").encode
_pack = msgspec.msgpack.Encoder(order="deterministic").encode


def column_of(declared: inspect.Type) -> Column:
    """Words, numbers and bytes as they are, where what comes back says of what type it was; all else as JSON."""
    types = declared.types if isinstance(declared, inspect.UnionType) else (declared,)
    plain = {type(each) for each in types} - {inspect.NoneType}
    if not plain or not plain <= _PLAIN.keys() or (inspect.BoolType in plain and len(plain) > 1):
        return Column("TEXT", lambda value: _encode(value).decode(), _decode)
    if inspect.BoolType in plain:
        return Column("INTEGER", _plain, lambda value: bool(value) if value in (0, 1) else value)
    return Column(_PLAIN[plain.pop()] if len(plain) == 1 else "", _plain, lambda value: value)


def _decode(text: Any) -> Any:
    """What JSON says. Raises DiskError for a column that holds no text."""
    if not isinstance(text, str):
        raise DiskError(f"a column of JSON holds {text!r}")
    return msgspec.json.decode(text)


def _plain(value: Any) -> Any:
    """The value. Raises DiskError for what would not come back as it is."""
    if value is not None and not isinstance(value, int | float | str | bytes):
        raise DiskError(f"{value!r} is no value of its declared type")
    if value != value:
        raise DiskError("NaN is not a value that a column can hold")
    return value


# What the durable fields are in a database


class Cell:
    """A field that is a row of the table of fields."""

    def __init__(self, name: str, declared: inspect.Type) -> None:
        self.name = name
        self.column = column_of(declared)

    def write(self, connection: sqlite3.Connection, before: Process | None, process: Process) -> int:
        """Write it if it changed: by how much the sum over all fields grows."""
        now = getattr(process, self.name)
        if before is not None and getattr(before, self.name) == now:
            return 0
        with _blame(self.name):
            cell = (self.name, self.column.into(now))
            connection.execute(f"INSERT OR REPLACE INTO {FIELDS} VALUES (?, ?)", cell)
            return self.sum_of(process) - (0 if before is None else self.sum_of(before))

    def sum_of(self, process: Process) -> int:
        return check_sum(self.name, getattr(process, self.name))

    def read(self, connection: sqlite3.Connection) -> Any:
        found = connection.execute(f"SELECT value FROM {FIELDS} WHERE field = ?", (self.name,)).fetchone()
        if found is None:
            raise DiskError(f"the table {FIELDS} has no {self.name}")
        return self.column.out_of(found[0])


class Rows:
    """A field that is a table. `structs`: what its items can be, one struct or several that their tags tell apart."""

    def __init__(self, name: str, structs: tuple[inspect.StructType, ...]) -> None:
        self.name = name
        self.structs = structs
        self.tags = {struct.tag: struct for struct in structs}
        self.tag_field = structs[0].tag_field if len(structs) > 1 else None
        self.columns = {
            struct.cls: {field.encode_name: column_of(field.type) for field in struct.fields} for struct in structs
        }
        self.types: dict[str, str] = {} if self.tag_field is None else {self.tag_field: ""}
        for columns in self.columns.values():
            for column, (sql, *_) in columns.items():
                self.types[column] = sql if self.types.get(column, sql) == sql else ""
        _refuse_alike([NTH, *self.types], f"the columns of {name}")
        self._into = {struct.cls: [self._filler(struct, column) for column in self.types] for struct in structs}
        self._put = f"INSERT OR REPLACE INTO {quoted(name)} VALUES ({', '.join('?' * (1 + len(self.types)))})"
        self._get = f"SELECT * FROM {quoted(name)} ORDER BY {NTH}"
        self._cut = f"DELETE FROM {quoted(name)} WHERE {NTH} > ?"

    @property
    def table(self) -> str:
        columns = [f"{quoted(column)} {sql}".rstrip() for column, sql in self.types.items()]
        return f"CREATE TABLE {quoted(self.name)} ({', '.join([f'{NTH} INTEGER PRIMARY KEY', *columns])})"

    def _filler(self, struct: inspect.StructType, column: str) -> Callable[[Any], Any]:
        """What an item of this struct has in that column."""
        if column == self.tag_field:
            return lambda item: struct.tag
        for field in struct.fields:
            if field.encode_name == column:
                into, name = self.columns[struct.cls][column].into, field.name
                return lambda item: into(getattr(item, name))
        return lambda item: None

    def write(self, connection: sqlite3.Connection, before: Process | None, process: Process) -> int:
        """Insert what was appended, replace what is another, delete what is no more: by how much the sum grows."""
        was = () if before is None else getattr(before, self.name)
        now = getattr(process, self.name)
        if now is was:
            return 0
        both = min(len(was), len(now))
        places = list(range(both, len(now)))
        if was[:both] != now[:both]:
            places[:0] = [i for i in range(both) if was[i] is not now[i] and was[i] != now[i]]
        if len(now) < len(was):
            connection.execute(self._cut, (len(now),))
        with _blame(self.name):
            connection.executemany(self._put, ([i + 1, *self._row(now[i])] for i in places))
            gone = [*(i for i in places if i < both), *range(len(now), len(was))]
            return sum(check_sum(self.name, i, now[i]) for i in places) - sum(
                check_sum(self.name, i, was[i]) for i in gone
            )

    def sum_of(self, process: Process) -> int:
        """The sum of the check sums of its rows: it can be had from what changed."""
        return sum(check_sum(self.name, i, item) for i, item in enumerate(getattr(process, self.name)))

    def _row(self, item: Any) -> list[Any]:
        if type(item) not in self._into:
            raise DiskError(f"{item!r} is no {' or '.join(kind.__name__ for kind in self._into)}")
        return [into(item) for into in self._into[type(item)]]

    def read(self, connection: sqlite3.Connection) -> list[Any]:
        items = []
        for place, (nth, *row) in enumerate(connection.execute(self._get), start=1):
            if nth != place:
                raise DiskError(f"the table {self.name} has no row {place}")
            items.append(self._item(dict(zip(self.types, row, strict=True))))
        return items

    def _item(self, row: dict[str, Any]) -> Any:
        """A row as what msgspec converts to the struct."""
        struct = self.structs[0] if self.tag_field is None else self.tags.get(row[self.tag_field])
        if struct is None:
            return row  # of no known tag: let msgspec say so
        item = {} if struct.tag_field is None else {struct.tag_field: struct.tag}
        item |= {column: kind.out_of(row[column]) for column, kind in self.columns[struct.cls].items()}
        return list(item.values()) if struct.array_like else item


class Layout(NamedTuple):
    """What a process's durable fields are in a database."""

    parts: tuple[Cell | Rows, ...]
    tables: dict[str, str]
    """The statements that make them, by name."""


@cache
def layout_of(kind: type[Process]) -> Layout:
    """Raises TypeError when the fields of such a process cannot be tables: for a name that SQLite cannot have."""
    info = inspect.type_info(kind.disk_type())
    assert isinstance(info, inspect.StructType)
    parts = tuple(_part(field.name, field.type) for field in info.fields)
    tables = {FIELDS: f"CREATE TABLE {FIELDS} (field TEXT PRIMARY KEY, value)"}
    rows = {part.name: part.table for part in parts if isinstance(part, Rows)}
    _refuse_alike([*tables, *rows], f"the tables of {kind.__name__}")
    return Layout(parts, tables | rows)


def _part(name: str, declared: inspect.Type) -> Cell | Rows:
    if isinstance(declared, inspect.VarTupleType):
        item = declared.item_type
        types = item.types if isinstance(item, inspect.UnionType) else (item,)
        structs = tuple(each for each in types if isinstance(each, inspect.StructType))
        if len(structs) == len(types):
            return Rows(name, structs)
    return Cell(name, declared)


def _refuse_alike(names: list[str], what: str) -> None:
    """SQLite does not tell capital letters from small ones, and keeps names for itself."""
    for i, name in enumerate(names):
        if name.lower() in {other.lower() for other in names[:i]} or name.lower().startswith("sqlite_"):
            raise TypeError(f"{what} are {', '.join(names)}: {name!r} needs another name")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _worded(tables: dict[str, str]) -> str:
    return "; ".join(sorted(str(sql) for sql in tables.values()))  # a damaged file may name a table in bytes


@contextmanager
def _blame(name: str) -> Iterator[None]:
    """Say which field it was that could not be written."""
    try:
        yield
    except (sqlite3.InterfaceError, sqlite3.ProgrammingError, TypeError, ValueError, OverflowError) as problem:
        raise DiskError(f"the field {name} cannot be written: {problem}") from problem
