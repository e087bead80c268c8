"""A PostgreSQL server of one's own: started on a socket, followed by a standby, removed without a trace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from patterns.runtime import postgres
from patterns.runtime.postgres import NoPostgres, Postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    try:
        running = Postgres("fsync=off")
    except NoPostgres as none:
        if os.environ.get("CI") and os.uname().sysname == "Linux":
            raise
        pytest.skip(str(none))
    with running:
        yield running
    assert not running.folder.exists()


def test_a_client_reaches_the_server_by_its_socket_and_by_nothing_else(server: Postgres) -> None:
    with psycopg.connect(server.address) as client:
        assert client.execute("SHOW listen_addresses").fetchone() == ("",)
        assert client.execute("SHOW fsync").fetchone() == ("off",)


def test_a_standby_follows_its_primary_and_can_take_its_place(server: Postgres) -> None:
    with server.standby("hot_standby=on") as standby, psycopg.connect(server.address, autocommit=True) as primary:
        primary.execute("SET synchronous_commit = on")
        primary.execute("CREATE TABLE followed AS SELECT 7 AS n")
        [(end,)] = primary.execute("SELECT pg_current_wal_lsn()::text")
        with psycopg.connect(standby.address, autocommit=True) as follower:
            assert follower.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
            for _ in range(10_000):  # each round asks the server, which takes its time
                [(there,)] = follower.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (end,))
                if there:
                    break
            assert follower.execute("SELECT n FROM followed").fetchone() == (7,)
        server.kill()
        standby.control("promote")
        with psycopg.connect(standby.address, autocommit=True) as follower:
            follower.execute("INSERT INTO followed VALUES (8)")
        server.start()


def test_a_program_that_fails_says_what_it_said_and_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pg_ctl", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\necho the disk is on fire\nexit 3\n")
        (tmp_path / name).chmod(0o755)
    tmp_path.chmod(0o755)
    made: list[str] = []
    real = postgres.tempfile.mkdtemp

    def mkdtemp(**options: str) -> str:
        made.append(real(dir=tmp_path.parent, **options))
        return made[-1]

    monkeypatch.setattr(postgres.tempfile, "mkdtemp", mkdtemp)
    monkeypatch.setattr(postgres.shutil, "which", lambda name: str(tmp_path / name))
    monkeypatch.setattr(postgres.os, "geteuid", lambda: 1, raising=False)
    with pytest.raises(NoPostgres, match="initdb ends with 3: the disk is on fire"):
        Postgres()
    assert made
    assert not Path(made[0]).exists()


def test_without_postgresql_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres.shutil, "which", lambda name: None)
    monkeypatch.setattr(postgres.Path, "glob", lambda self, pattern: iter(()))
    with pytest.raises(NoPostgres, match="apt install postgresql"):
        postgres.programs()
