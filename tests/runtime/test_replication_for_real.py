"""Primary and backup as OS processes, killed with -9 between acknowledgement and shipping; and a PostgreSQL pair."""

from __future__ import annotations

import asyncio
from threading import Timer
from typing import Any

import pytest

from patterns.engine.clients import Done, NotHere
from patterns.replication.client import Read, Write
from patterns.replication.configuration import SERVICE, Suspect, View
from patterns.replication.machines import PrimaryBackup
from patterns.runtime import Cluster, DieAt
from patterns.runtime.postgres import NoPostgres, Postgres, programs


async def killed(mode: str) -> tuple[Any, Any, Any, Any]:
    """What X is told, what Y reads from the backup, and both logs once Ann is back."""
    machine = PrimaryBackup(n=2, mode=mode, timeout=5_000)
    async with asyncio.timeout(90):
        async with Cluster(machine, replies=Done | NotHere | View, die_at={"Ann": DieAt("PB.ack", "sent")}) as cluster:
            told = await cluster.request("X", Write("milk", 1), to="Ann")
            await cluster.died("Ann")
            await cluster.request("M", Suspect("Ann"), to=SERVICE)
            read = await cluster.request("Y", Read(1), to="Ben")
            await cluster.restart("Ann")
            await cluster.until(lambda now: "Ann" in now and now["Ann"].following == now["Ben"].epoch > 1)
            return told, read, cluster.states["Ann"].log, cluster.states["Ben"].log


@pytest.mark.parametrize(("mode", "left"), [("async", None), ("sync", "milk")])
def test_a_write_that_is_acknowledged_before_it_is_shipped_is_gone(
    mode: str, left: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ann answers once and dies. X asks again every 20 ms: it has this answer also if it comes after a second try."""
    monkeypatch.setattr("patterns.runtime.cluster.PATIENCE", 0.02)
    told, read, ann, ben = asyncio.run(killed(mode))
    assert told == Done(1, "milk")
    assert read == Done(1, left)
    assert [entry.value for entry in ann] == [entry.value for entry in ben] == [left] * (left is not None)


def run(
    server: Postgres, sql: str = "SELECT row FROM list", level: str = "local", cancel_after: float = 0
) -> list[int]:
    import psycopg

    with psycopg.connect(server.address, autocommit=True) as link:
        link.execute(f"SET synchronous_commit = {level}")
        if cancel_after:
            Timer(cancel_after, link.cancel).start()
        answer = link.execute(sql)
        return [row for row, *_ in answer] if answer.description else []


def test_postgresql_loses_a_commit_that_was_cancelled_while_it_waited() -> None:
    """patroni#1412: a commit that waits for the standby is cancelled, all see it, and after the failover it is gone.

    The old primary, restarted, goes on with a history of its own.
    """
    pytest.importorskip("psycopg")
    try:
        programs()
    except NoPostgres as missing:
        pytest.skip(str(missing))
    insert = "INSERT INTO list VALUES ({})".format
    with Postgres("synchronous_standby_names=*") as old:
        run(old, "CREATE TABLE list (row int)")
        with old.standby() as new:
            run(new, "SELECT pg_wal_replay_pause()::text")
            run(old, insert(1), "on")  # received is not applied
            assert (run(old), run(new)) == ([1], [])
            Timer(0.2, run, (new, "SELECT pg_wal_replay_resume()::text")).start()
            run(old, insert(2), "remote_apply")
            assert run(new) == [1, 2]
            new.kill()
            run(old, insert(3), "on", cancel_after=0.3)
            assert run(old) == [1, 2, 3]
            old.kill()
            new.start()
            new.control("promote")
            assert run(new) == [1, 2]
            run(new, insert(4))
            old.start()
            run(old, insert(5))
            assert (run(old), run(new)) == ([1, 2, 3, 5], [1, 2, 4])
