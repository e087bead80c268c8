"""A disk that is a SQLite database: tables that anybody can read, and writes that cost what changed."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from banks import NEW, OLD, Account, AnyDisk, Bank, Decided, Ended, Prepared, values

from patterns.consensus_raft import Server
from patterns.consensus_raft.messages import Command, Entry, NoOp, Put
from patterns.engine.process import Process, durable
from patterns.runtime import Disk, DiskError, SqliteDisk, database
from patterns.runtime.sqlite_disk import FIELDS, disk_at, layout_of


def tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table, as any reader sees them."""
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
