"""A process's disk: whatever it is made of, a crash leaves the old values or the new ones, and types come back as they
were. One suite that both disks pass; then what only a database can do.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from patterns.consensus_raft import Server
from patterns.consensus_raft.messages import Command, Entry, NoOp, Put
from patterns.engine.process import Process, durable
from patterns.runtime import Disk, DiskError, SqliteDisk, database
from patterns.runtime.sqlite_disk import FIELDS, disk_at, layout_of

AnyDisk = Disk | SqliteDisk


class Account(msgspec.Struct, frozen=True):
    owner: str
    balance: int


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Prepared(msgspec.Struct, frozen=True, tag=True):
    transaction: int
    order: tuple[str, ...]
    """A column with a name that is a word of SQL."""
    note: str | None = None


class Decided(msgspec.Struct, frozen=True, tag="decided"):
    transaction: str
    """A number in the other struct."""
    commit: bool
    share: float = 0.0


class Ended(msgspec.Struct, frozen=True, tag=True):
    pass


class Bank(Process):
    """Durable fields of every kind, and one that is in memory."""

    accounts: tuple[Account, ...] = durable(())
    log: tuple[Prepared | Decided | Ended, ...] = durable(())
    epoch: int = durable(0)
    leader: str | None = durable(None)
    either: int | str = durable(0)
    open: bool | None = durable(None)
    key: bytes = durable(b"")
    colour: Colour = durable(Colour.RED)
    holds: frozenset[str] = durable(frozenset())
    last: Prepared | Decided | None = durable(None)
    pairs: tuple[tuple[str, int], ...] = durable(())
    in_memory: int = 0


floats = st.floats(allow_nan=False).map(lambda number: number + 0.0)  # -0.0 equals 0.0: no change
whole = st.integers(-(2**63), 2**63 - 1)
words = st.text(max_size=12)
accounts = st.builds(Account, words, whole)
prepared = st.builds(Prepared, whole, st.lists(words, max_size=3).map(tuple), st.none() | words)
decided = st.builds(Decided, words, st.booleans(), floats)
banks = st.builds(
    Bank,
    id=st.just("B"),
    accounts=st.lists(accounts, max_size=4).map(tuple),
    log=st.lists(prepared | decided | st.just(Ended()), max_size=5).map(tuple),
    epoch=whole,
    leader=st.none() | words,
    either=whole | words,
    open=st.none() | st.booleans(),
    key=st.binary(max_size=6),
    colour=st.sampled_from(Colour),
    holds=st.frozensets(words, max_size=3),
    last=st.none()
    | prepared
    | st.builds(Decided, words, st.booleans(), st.floats(allow_nan=False, allow_infinity=False)),
    pairs=st.lists(st.tuples(words, whole), max_size=3).map(tuple),
)


def values(bank: Process | None) -> Any:
    """The durable fields with their types: 1, 1.0 and True are three values."""
    return None if bank is None else msgspec.msgpack.encode(bank.disk, order="deterministic")


@contextmanager
def opened(kind: type[AnyDisk], folder: Path | str) -> Iterator[AnyDisk]:
    with closing(kind(Path(folder) / "B")) as disk:
        yield disk


both = pytest.mark.parametrize("kind", [Disk, SqliteDisk])


# Every disk


@both
@settings(max_examples=60)
@given(life=st.lists(banks, min_size=1, max_size=4))
def test_what_is_read_is_what_was_written_last_whatever_was_written_before(
    kind: type[AnyDisk], life: list[Bank]
) -> None:
    with TemporaryDirectory() as folder, opened(kind, folder) as disk:
        assert disk.read(Bank(id="B")) is None
        for bank in life:
            disk.write(bank)
            with opened(kind, folder) as another:
                assert values(another.read(Bank(id="B"))) == values(bank)


@both
def test_a_disk_on_which_another_one_wrote_is_written_further(kind: type[AnyDisk], tmp_path: Path) -> None:
    with opened(kind, tmp_path) as disk:
        disk.write(Bank(id="B", accounts=(Account("a", 1), Account("b", 2))))
    with opened(kind, tmp_path) as disk:
        disk.write(Bank(id="B", accounts=(Account("a", 7),)))
        assert disk.read(Bank(id="B", in_memory=3)) == Bank(id="B", accounts=(Account("a", 7),))


OLD = Bank(id="B", accounts=(Account("a", 100), Account("b", 0)), leader="old" * 2000, epoch=1)
NEW = Bank(id="B", accounts=(Account("a", 60), Account("b", 40), Account("c", 0)), leader="new" * 3000, epoch=2)


def child(work: Callable[[], None]) -> int:
    """Do it in a child of this process: the signal that killed it, or 0."""
    if (pid := os.fork()) == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed by itself"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def dies_before_call(nth: int) -> None:
    """From here on, kill -9 this process just before it calls its nth function that is not Python's."""
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "c_call"
        if calls == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)


def dies_when_a_file_exceeds(size: int) -> None:
    """From here on, the kernel kills this process in the middle of a write that makes a file longer than that."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def after_a_crash(kind: type[AnyDisk], folder: Path, before: Bank | None, doom: Callable[[], None]) -> tuple[int, str]:
    """What killed the process that wrote NEW over `before`, and what the disk then holds: nothing, old or new."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if before is not None:
        with opened(kind, folder) as disk:
            disk.write(before)

    def write() -> None:
        disk = kind(folder / "B")
        disk.read(Bank(id="B"))
        doom()
        disk.write(NEW)
        sys.setprofile(None)

    killed = child(write)
    with opened(kind, folder) as disk:
        found = disk.read(Bank(id="B"))
        names = {values(None): "nothing", values(OLD): "old", values(NEW): "new"}
        holds = names[values(found)]  # a KeyError is a mix
        disk.write(OLD)  # and it can be written again
        assert values(disk.read(Bank(id="B"))) == values(OLD)
    return killed, holds


@both
@pytest.mark.parametrize("before", [None, OLD], ids=["the first write", "a later write"])
def test_kill_9_before_any_call_of_a_write_leaves_the_old_values_or_the_new_ones(
    kind: type[AnyDisk], before: Bank | None, tmp_path: Path
) -> None:
    seen, nth = [], 1
    while True:
        killed, holds = after_a_crash(kind, tmp_path / "disk", before, lambda nth=nth: dies_before_call(nth))  # type: ignore[misc]
        seen.append(holds)
        if not killed:
            break
        assert killed == signal.SIGKILL
        nth += 1 if nth < 40 else 7
    assert nth > 5
    assert seen == sorted(seen, key=["nothing", "old", "new"].index), "once written, it stays written"
    assert seen[0] == ("nothing" if before is None else "old")
    assert seen[-1] == "new"


@both
@pytest.mark.parametrize("before", [None, OLD], ids=["the first write", "a later write"])
def test_a_crash_in_the_middle_of_what_the_kernel_writes_leaves_the_old_values_or_the_new_ones(
    kind: type[AnyDisk], before: Bank | None, tmp_path: Path
) -> None:
    killed, holds = after_a_crash(kind, tmp_path / "whole", before, lambda: None)
    assert (killed, holds) == (0, "new")
    died = 0
    for size in range(0, 72_000 if kind is SqliteDisk else 20_000, 997):
        doom = lambda size=size: dies_when_a_file_exceeds(size)  # noqa: E731
        killed, holds = after_a_crash(kind, tmp_path / "disk", before, doom)
        assert killed in (0, signal.SIGXFSZ)
        assert holds == "new" or killed, "what did not die has written"
        died += bool(killed)
    assert died >= 10, "it died in the middle, not only before"
    assert not killed, "with room enough it lives"


@both
@pytest.mark.parametrize("noise", [b"no such thing", b"\xff" * 5000, b"SQLite format 3\0" + b"x" * 4080])
def test_a_file_of_something_else_is_refused_and_left_as_it_is(
    kind: type[AnyDisk], noise: bytes, tmp_path: Path
) -> None:
    (tmp_path / "B").write_bytes(noise)
    with opened(kind, tmp_path) as disk, pytest.raises(DiskError, match="does not hold the fields of a Bank"):
        disk.read(Bank(id="B"))
    assert (tmp_path / "B").read_bytes() == noise


@both
def test_the_disk_of_another_process_is_refused(kind: type[AnyDisk], tmp_path: Path) -> None:
    with opened(kind, tmp_path) as disk:
        disk.write(Server(id="B", peers=()))
    with opened(kind, tmp_path) as disk, pytest.raises(DiskError, match="does not hold the fields of a Bank"):
        disk.read(Bank(id="B"))


@both
def test_a_disk_that_cannot_be_written_says_so(kind: type[AnyDisk], tmp_path: Path) -> None:
    with opened(kind, tmp_path / "no such folder") as disk, pytest.raises(OSError, match="no such folder"):
        disk.write(Bank(id="B"))


@both
@settings(max_examples=60)
@example(place=3970, bit=0)  # the name of a table becomes bytes
@example(place=12222, bit=3)  # JSON becomes a number
@given(place=st.integers(0, 30_000), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_gives_values_of_the_declared_types(
    kind: type[AnyDisk], place: int, bit: int
) -> None:
    with TemporaryDirectory() as folder:
        with opened(kind, folder) as disk:
            disk.write(NEW)
        file = Path(folder) / "B"
        body = bytearray(file.read_bytes())
        body[place % len(body)] ^= 1 << bit
        file.write_bytes(body)
        with opened(kind, folder) as disk:
            try:
                found = disk.read(Bank(id="B"))
            except (DiskError, OSError):
                return
            if found is not None:
                assert msgspec.convert(msgspec.to_builtins(found), Bank) == found


# A database


def tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What stands in every table, read as anybody may."""
    with closing(database(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}


LOG = (Prepared(1, ("a", "b")), Decided("1", True, 0.5), Ended())


def test_a_field_of_rows_is_a_table_and_any_other_a_row(tmp_path: Path) -> None:
    with closing(SqliteDisk(tmp_path / "B.sqlite")) as disk:
        disk.write(
            Bank(id="B", accounts=(Account("a", 60), Account("b", 40)), log=LOG, epoch=7, leader="P1", open=True)
        )
    held = tables(tmp_path / "B.sqlite")
    assert held["accounts"] == [(1, "a", 60), (2, "b", 40)]
    assert held["log"] == [
        (1, "Prepared", 1, '["a","b"]', None, None, None),
        (2, "decided", "1", None, None, 1, 0.5),
        (3, "Ended", None, None, None, None, None),
    ]
    fields = dict(held[FIELDS])
    assert (fields["epoch"], fields["leader"], fields["open"], fields["holds"]) == (7, "P1", 1, "[]")
    assert "in_memory" not in fields
    assert "accounts" not in fields


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="no sqlite3 at a terminal here")
def test_anybody_can_read_it_with_the_plain_sqlite3(tmp_path: Path) -> None:
    with closing(SqliteDisk(tmp_path / "S1.sqlite")) as disk:
        entries = (Entry(1, NoOp()), Entry(1, Command("A", Put(1, "x", 7))))
        disk.write(Server(id="S1", peers=(), log=entries, current_term=1, voted_for="S1"))
        query = (
            "SELECT nth, term, command ->> '$.request.key' FROM log; SELECT value FROM fields WHERE field = 'voted_for'"
        )
        ran = subprocess.run(
            ["sqlite3", "-readonly", disk.path, query], capture_output=True, text=True, timeout=20, check=True
        )
    assert ran.stdout.splitlines() == ["1|1|", "2|1|x", "S1"]


def statements(disk: SqliteDisk, process: Process) -> list[str]:
    """What a write asks the database to do, apart from beginning and ending."""
    done: list[str] = []
    assert disk._connection is not None
    disk._connection.set_trace_callback(done.append)
    disk.write(process)
    disk._connection.set_trace_callback(None)
    return [each for each in done if not each.startswith(("BEGIN", "COMMIT", "PRAGMA"))]


def test_a_write_costs_what_changed_however_long_the_log_is(tmp_path: Path) -> None:
    log = tuple(Prepared(number, ()) for number in range(2000))
    bank = Bank(id="B", log=log, accounts=(Account("a", 1), Account("b", 2), Account("c", 3)))
    with closing(SqliteDisk(tmp_path / "B")) as disk:
        disk.write(bank)

        def write(**changes: Any) -> list[str]:
            nonlocal bank
            bank = msgspec.structs.replace(bank, **changes)
            return statements(disk, bank)

        [insert] = write(log=(*bank.log, Ended()))
        assert insert.startswith('INSERT OR REPLACE INTO "log" VALUES (2001, ')
        [update] = write(accounts=(bank.accounts[0], Account("b", 5), bank.accounts[2]))
        assert update == "INSERT OR REPLACE INTO \"accounts\" VALUES (2, 'b', 5)"
        [delete] = write(log=bank.log[:1000])
        assert delete == 'DELETE FROM "log" WHERE nth > 1000'
        cut, changed = write(accounts=bank.accounts[1:2])
        assert cut == 'DELETE FROM "accounts" WHERE nth > 1'
        assert changed == "INSERT OR REPLACE INTO \"accounts\" VALUES (1, 'b', 5)"
        [field] = write(epoch=1)
        assert field == "INSERT OR REPLACE INTO fields VALUES ('epoch', 1)"
        assert write(in_memory=1) == []
        assert values(disk.read(Bank(id="B"))) == values(bank)


def test_one_write_is_one_transaction_that_is_forced_to_the_disk(tmp_path: Path) -> None:
    # sqlite.org/pragma.html#pragma_synchronous: in WAL mode FULL (2) syncs the log after each transaction
    with closing(SqliteDisk(tmp_path / "B")) as disk:
        disk.write(Bank(id="B"))
        assert disk._connection is not None
        assert disk._connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert disk._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        done: list[str] = []
        disk._connection.set_trace_callback(done.append)
        disk.write(Bank(id="B", epoch=2, log=LOG, accounts=(Account("a", 1),)))
        assert [each for each in done if each.startswith(("BEGIN", "COMMIT"))] == ["BEGIN IMMEDIATE", "COMMIT"]


def test_who_looks_sees_one_state_and_holds_up_nobody(tmp_path: Path) -> None:
    with closing(SqliteDisk(tmp_path / "B")) as disk:
        disk.write(OLD)
        with closing(database(tmp_path / "B")) as looking:
            total = "SELECT sum(balance) FROM accounts"
            looking.execute("BEGIN")
            assert looking.execute(total).fetchone() == (100,)
            for balance in range(100):
                disk.write(Bank(id="B", accounts=(Account("a", balance), Account("b", 100 - balance))))
            assert looking.execute("SELECT balance FROM accounts").fetchall() == [(100,), (0,)], "as it was at BEGIN"
            looking.execute("COMMIT")
            assert looking.execute("SELECT balance FROM accounts").fetchall() == [(99,), (1,)]
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                looking.execute("UPDATE accounts SET balance = 0")


def test_what_somebody_else_changed_meanwhile_is_not_overwritten_unseen(tmp_path: Path) -> None:
    with closing(SqliteDisk(tmp_path / "B")) as disk:
        disk.write(OLD)
        with closing(sqlite3.connect(tmp_path / "B")) as intruder, intruder:
            intruder.execute("UPDATE accounts SET balance = 1000000")
        with pytest.raises(DiskError, match="was changed by somebody else while B ran on it"):
            disk.write(NEW)
    assert tables(tmp_path / "B")["accounts"][0] == (1, "a", 1_000_000)


def test_a_value_that_its_field_does_not_declare_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with closing(SqliteDisk(tmp_path / "B")) as disk:
        disk.write(OLD)
        for wrong in (
            {"log": (Account("a", 1),)},
            {"epoch": ("no", "number")},
            {"accounts": (Account("a", 2**63),)},
            {"log": (Decided("1", True, float("nan")),)},
            {"last": object()},
        ):
            [field] = wrong
            with pytest.raises(DiskError, match=f"the field {field} cannot be written"):
                disk.write(msgspec.structs.replace(NEW, **wrong))
            with closing(SqliteDisk(disk.path)) as another:
                assert values(another.read(Bank(id="B"))) == values(OLD)
        disk.write(NEW)
        assert values(disk.read(Bank(id="B"))) == values(NEW)


def test_a_row_that_is_missing_or_of_another_type_is_refused_with_its_place(tmp_path: Path) -> None:
    for damage, reason in (
        ("DELETE FROM accounts WHERE nth = 1", "the table accounts has no row 1"),
        ("DELETE FROM fields WHERE field = 'epoch'", "the table fields has no epoch"),
        (
            "UPDATE accounts SET balance = 'much' WHERE nth = 2",
            r"Expected `int`, got `str` - at `\$.accounts\[1\].balance`",
        ),
        ("UPDATE log SET type = 'Erased' WHERE nth = 2", r"at `\$.log\[1\]"),
        ("DROP TABLE log", "its tables are CREATE TABLE"),
        ("ALTER TABLE accounts ADD COLUMN more", "its tables are CREATE TABLE"),
    ):
        with closing(SqliteDisk(tmp_path / "B")) as disk:
            disk.write(msgspec.structs.replace(OLD, log=LOG))
        with closing(sqlite3.connect(tmp_path / "B")) as connection, connection:
            connection.execute(damage)
        with closing(SqliteDisk(tmp_path / "B")) as disk, pytest.raises(DiskError, match=reason):
            disk.read(Bank(id="B"))
        (tmp_path / "B").unlink()


class Numbered(msgspec.Struct, frozen=True):
    nth: int


class Alike(msgspec.Struct, frozen=True):
    a: int
    A: int


class Fields(Process):
    fields: tuple[Account, ...] = durable(())


class Sqlite(Process):
    sqlite_rows: tuple[Account, ...] = durable(())


class WithNth(Process):
    rows: tuple[Numbered, ...] = durable(())


class WithAlike(Process):
    rows: tuple[Alike, ...] = durable(())


@pytest.mark.parametrize("kind", [Fields, Sqlite, WithNth, WithAlike])
def test_names_that_a_database_cannot_have_are_refused(kind: type[Process]) -> None:
    with pytest.raises(TypeError, match="needs another name"):
        layout_of(kind)


@pytest.mark.parametrize(("name", "kind"), [("B.sqlite", SqliteDisk), ("B.db", SqliteDisk), ("B.disk", Disk)])
def test_the_name_of_the_file_says_what_disk_it_is(name: str, kind: type[AnyDisk], tmp_path: Path) -> None:
    assert type(disk_at(tmp_path / name)) is kind


def test_a_database_that_nobody_wrote_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no B\.sqlite yet"):
        database(tmp_path / "B.sqlite")
    assert not (tmp_path / "B.sqlite").exists()


def test_a_database_whose_first_write_has_not_ended_is_not_there_yet(tmp_path: Path) -> None:
    writer = sqlite3.connect(tmp_path / "B.sqlite", isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("CREATE TABLE fields (field TEXT PRIMARY KEY, value)")
    with pytest.raises(FileNotFoundError, match=r"there is no B\.sqlite yet"):
        database(tmp_path / "B.sqlite")
    writer.execute("COMMIT")
    with closing(writer), closing(database(tmp_path / "B.sqlite")) as reader:
        assert reader.execute("SELECT count(*) FROM fields").fetchone() == (0,)
