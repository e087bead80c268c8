"""A SQLite disk that another program has: its process waits without standing still, and says so.

sqlite.org/wal.html: there is one writer at a time (2.2), and a reader that stays keeps the log from beginning anew (6).
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from banks import NEW, OLD, Account, Bank, values
from test_host import Counter, Raise, asking, run
from test_limits import refusal

from patterns.runtime import Host, SqliteDisk
from patterns.runtime import disk as waiting
from patterns.runtime import host as hosts
from patterns.runtime import sqlite_disk as disks
from patterns.runtime.disk import Locked


def locked(path: Path) -> sqlite3.Connection:
    """A program that has the database at `path` to itself."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other


async def until_it_waits(host: Host) -> None:
    while not host._complained:
        await asyncio.sleep(0)


def test_while_its_disk_is_locked_a_process_hears_others_and_afterwards_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def scenario() -> None:
        async with Host(Counter(id="C"), {}, disk=tmp_path / "C.sqlite") as host, asking(host) as client:
            assert await client.ask(Raise(1)) == 1
            with closing(locked(tmp_path / "C.sqlite")) as other:
                client.send(Raise(2))
                await until_it_waits(host)
                assert "not a" in await refusal(host, b"\0\0\0\1\xc1"), "another connection is served meanwhile"
                assert not client.reader._buffer, "nothing is acknowledged that is not on disk"  # type: ignore[attr-defined]
                other.execute("ROLLBACK")
            assert await client.answer() == 3
            assert await client.ask(Raise(4)) == 7

    run(scenario())
    said = capfd.readouterr().err
    assert said.count("C waits: another program has its disk") == 1
    assert str(tmp_path / "C.sqlite") in said


def test_a_process_that_waited_too_long_ends_and_names_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOCKED", (0.001, 0.05))
    path = tmp_path / "C.sqlite"

    async def scenario() -> None:
        async with Host(Counter(id="C"), {}, disk=path) as host, asking(host) as client:
            await client.ask(Raise(1))
            with closing(locked(path)):
                client.send(Raise(2))
                with pytest.raises(Locked, match=r"C\.sqlite: .*another program has it, and C waited 0\.05 s"):
                    await host.ended()
        with closing(locked(path)), pytest.raises(Locked, match="C waited"):
            await Host(Counter(id="C"), {}, disk=path).__aenter__()

    run(scenario())


def test_a_disk_that_was_locked_when_it_was_opened_has_its_log_and_its_fsync_afterwards(tmp_path: Path) -> None:
    with closing(SqliteDisk(tmp_path / "B")) as disk, closing(locked(tmp_path / "B")) as other:
        with pytest.raises(Locked):
            disk.write(OLD)
        other.execute("ROLLBACK")
        disk.write(OLD)
        assert disk._connection is not None
        settings = [disk._connection.execute(f"PRAGMA {name}").fetchone() for name in ("journal_mode", "synchronous")]
        assert settings == [("wal",), (2,)]
        assert values(disk.read(Bank(id="B"))) == values(OLD)


class WithoutLog(sqlite3.Connection):
    """SQLite on a file system that cannot have a write-ahead log: it answers what it has, and goes on."""

    def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
        return super().execute(sql.replace("=WAL", "=DELETE"), *more)


def test_where_there_can_be_no_write_ahead_log_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=WithoutLog))
    with closing(SqliteDisk(tmp_path / "B")) as disk:
        for each in (OLD, NEW):  # not at the second try either
            with pytest.raises(OSError, match="no write-ahead log here, its journal mode stays 'delete'"):
                disk.write(each)
    assert (tmp_path / "B").stat().st_size == 0


def test_a_reader_that_stays_lets_the_log_grow_and_a_person_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(disks, "LONG", 50_000)
    monkeypatch.setattr(hosts, "LOOK", 10)
    path = tmp_path / "C.sqlite"

    async def scenario() -> None:
        async with Host(Counter(id="C"), {}, disk=path) as host, asking(host) as client:
            for _ in range(50):
                await client.ask(Raise(1))
            assert capfd.readouterr().err == "", "nobody reads"
            with closing(sqlite3.connect(path, isolation_level=None)) as reader:
                reader.execute("BEGIN")
                reader.execute("SELECT * FROM fields").fetchall()
                for _ in range(50):
                    await client.ask(Raise(1))

    run(scenario())
    said = capfd.readouterr().err
    assert said.count("does not end its transaction") == 1
    assert "C.sqlite-wal has " in said


def test_a_log_that_is_long_by_one_write_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disks, "LONG", 50_000)
    with closing(SqliteDisk(tmp_path / "B")) as disk:
        assert disk.trouble() == ""
        disk.write(Bank(id="B", accounts=tuple(Account(f"{n:_>100}", n) for n in range(2_000))))
        assert (tmp_path / "B-wal").stat().st_size > 50_000
        assert disk.trouble() == ""
