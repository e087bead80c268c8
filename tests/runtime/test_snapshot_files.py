"""Snapshots on real disks: a file of its own, the log cut only after it, and kill -9 at every point between.

The long one: pytest -m slow tests/runtime/test_snapshot_files.py
"""

from __future__ import annotations

import asyncio
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest

from patterns.consensus_raft import Add, Done, Entry, Get, NotLeader, Put
from patterns.consensus_raft.messages import Command
from patterns.consensus_raft.pipelined import PipelinedServer
from patterns.consensus_raft.snapshots import Position, Snapshot, SnapshotServer
from patterns.consensus_raft.state_machine import Session, StateMachine
from patterns.engine.process import Process, durable
from patterns.engine.table import Table
from patterns.runtime import Cluster, DieAt, DiskError
from patterns.runtime.failpoint import SAVES, STAGES
from patterns.runtime.snapshot_files import SnapshotDisk, disk_of

NAMES = ("S1", "S2", "S3")
LOG = tuple(Entry(1, Command("A", Put(n, "x", n))) for n in range(1, 6))
disks = pytest.mark.parametrize("name", ["S1.disk", "S1.sqlite"])


def server(**fields: Any) -> SnapshotServer:
    return SnapshotServer(id="S1", peers=("S2", "S3"), current_term=1, trailing=0, **fields)


def before_and_after() -> tuple[SnapshotServer, SnapshotServer]:
    """A server with all five entries in its log, and with a snapshot of the first three instead."""
    after = server(log=LOG[3:], before_log=Position(3, 1), snapshot=Snapshot(3, 1, b'{"store":{"rows":[["x",3]]}}'))
    return server(log=LOG), after


def opened(path: Path) -> SnapshotDisk:
    disk = disk_of(SnapshotServer, path)
    assert isinstance(disk, SnapshotDisk)
    return disk


def read(path: Path) -> SnapshotServer:
    disk = opened(path)
    found = disk.read(server())
    disk.close()
    assert found is not None
    return found


def saved(path: Path) -> SnapshotDisk:
    """A disk with the server before and after its snapshot written to it."""
    disk = opened(path)
    for each in before_and_after():
        disk.write(each)
    disk.close()
    return disk


@disks
def test_what_was_written_is_read_and_the_other_disk_has_no_bytes_of_the_snapshot(tmp_path: Path, name: str) -> None:
    disk = saved(tmp_path / name)
    assert read(tmp_path / name) == before_and_after()[1]
    inner = disk.disk.read(server())
    disk.close()
    assert inner is not None
    assert (inner.snapshot, inner.log) == (Snapshot(3, 1), LOG[3:])


@disks
@pytest.mark.parametrize("stage", SAVES)
def test_a_crash_within_a_save_leaves_the_old_snapshot_or_the_new_one_with_the_whole_log(
    tmp_path: Path, name: str, stage: str
) -> None:
    before, after = before_and_after()
    disk = opened(tmp_path / name)
    disk.write(before)

    def crash(reached: str) -> None:
        if reached == stage:
            raise InterruptedError

    disk.at = crash
    with pytest.raises(InterruptedError):
        disk.write(after)
    disk.close()
    found = read(tmp_path / name)
    assert found.log == LOG, "it is cut later"
    assert found.snapshot == (after.snapshot if stage in ("renamed", "saved") else before.snapshot)
    back, _ = found.crashed().after_restart()
    assert back.last_log_index == 5
    assert opened(tmp_path / name).read(server()) is not None


@disks
def test_a_snapshot_is_written_once(tmp_path: Path, name: str) -> None:
    disk = opened(tmp_path / name)
    stages: list[str] = []
    disk.at = stages.append
    _, after = before_and_after()
    disk.write(after)
    disk.write(after.after_start()[0].after_timer("election")[0])
    disk.close()
    assert stages == list(SAVES)


@disks
def test_a_damaged_snapshot_is_refused_whichever_bit_it_is(tmp_path: Path, name: str) -> None:
    file = saved(tmp_path / name).file
    whole = file.read_bytes()
    for at in range(len(whole)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        with pytest.raises(DiskError, match="does not hold a Snapshot"):
            opened(tmp_path / name)._load(Snapshot)
    for length in (0, 3, 4, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(DiskError):
            read(tmp_path / name)


@disks
def test_a_snapshot_that_is_missing_or_older_than_its_log_is_refused(tmp_path: Path, name: str) -> None:
    disk = saved(tmp_path / name)
    disk._save(Snapshot(2, 1, b"{}"))
    with pytest.raises(DiskError, match=r"is snapshot 2: the log in .* begins after snapshot 3"):
        read(tmp_path / name)
    disk.file.unlink()
    with pytest.raises(DiskError, match="is missing: the log"):
        read(tmp_path / name)


def test_a_process_without_a_snapshot_has_no_file_for_one_and_cannot_die_there(tmp_path: Path) -> None:
    class Plain(Process):
        rules = {}
        count: int = durable(0)

    assert not isinstance(disk_of(Plain, tmp_path / "P.disk"), SnapshotDisk)
    with pytest.raises(ValueError, match="stage is 'saved'; a Plain has no snapshot in a file of its own"):
        DieAt("any", "saved").check(Plain)


# For real


def cluster_of_three(kind: type[SnapshotServer], disk: Any, folder: Path | None = None, **settings: Any) -> Cluster:
    servers = [kind(id=name, peers=tuple(other for other in NAMES if other != name), **settings) for name in NAMES]
    return Cluster(servers, replies=Done | NotLeader, disk=disk, narrate=False, folder=folder)


class Adding:
    """Clients that add 1 to a counter without a pause, and the answers that they got."""

    def __init__(self, cluster: Cluster, clients: int = 3) -> None:
        self.cluster, self.clients = cluster, clients
        self.done = 0
        self.told: list[int] = []
        self._more = asyncio.Condition()
        self._stop = False

    async def client(self, name: str) -> None:
        serial = 0
        while not self._stop:
            serial += 1
            reply = await self.cluster.request(name, Add(serial, "counter", 1), deadline=60)
            self.told.append(reply.value)
            async with self._more:
                self.done += 1
                self._more.notify_all()

    async def more(self, operations: int) -> None:
        """Wait until so many more are acknowledged."""
        wanted = self.done + operations
        async with self._more:
            await self._more.wait_for(lambda: self.done >= wanted)

    async def __aenter__(self) -> Adding:
        self._tasks = [asyncio.ensure_future(self.client(f"client {n}")) for n in range(self.clients)]
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._stop = True
        await asyncio.gather(*self._tasks)


async def killed_at_every_point(kind: type[SnapshotServer], disk: Any, rounds: int) -> None:
    """Under load, S3 dies at each point of taking a snapshot, and at each point of installing one that it was sent."""
    async with (
        asyncio.timeout(120 * rounds),
        cluster_of_three(kind, disk, snapshot_after=10, trailing=2, part_size=100) as cluster,
    ):
        async with Adding(cluster) as load:
            await cluster.kill("S3")
            for _ in range(rounds):
                for rule, stage in [*product(["IS.7"], (*STAGES, *SAVES)), *product(["SN.1"], SAVES)]:
                    await load.more(15 if rule == "IS.7" else 1)  # so many that S3 needs a snapshot
                    await cluster.restart("S3", die_at=DieAt(rule, stage))  # type: ignore[arg-type]
                    await cluster.died("S3", deadline=60)
                await cluster.restart("S3")
                await cluster.kill(leader := cluster.leader)
                await load.more(5)
                await cluster.restart(leader)
                await cluster.kill("S3")
            await cluster.restart("S3")
        total = await cluster.request("last", Get(1, "counter"), deadline=60)
        assert total.value == load.done == len({*load.told}), "each add that was acknowledged counts, and counts once"
        await cluster.kill("S1")
        await cluster.kill("S2")
        await cluster.kill("S3")
        for name in NAMES:
            await cluster.restart(name)
        again = await cluster.request("last", Get(2, "counter"), deadline=60)
        assert again.value == load.done


@pytest.mark.slow
def test_kill_9_at_every_point_of_taking_and_installing_snapshots_loses_nothing() -> None:
    asyncio.run(killed_at_every_point(PipelinedServer, "sqlite", rounds=1))


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "disk"), [(SnapshotServer, "file"), (PipelinedServer, "sqlite")])
def test_kill_9_at_every_point_again_and_again_loses_nothing(kind: type[SnapshotServer], disk: Any) -> None:
    asyncio.run(killed_at_every_point(kind, disk, rounds=8))


def with_30000_keys(name: str) -> PipelinedServer:
    """A server with a snapshot of 30,000 entries, each of a key of its own, and as many entries after it as can be."""
    count = 30_000
    store = Table(tuple((f"key {n:05}", n) for n in range(1, count + 1)))
    sessions = Table((("A", Session(Put(count, f"key {count:05}", count), count)),))
    image = msgspec.json.encode(StateMachine(store, sessions))
    log = tuple(Entry(3, Command("A", Put(n, f"key {n % count + 1:05}", n))) for n in range(count - 499, count + 500))
    peers = tuple(other for other in NAMES if other != name)
    return PipelinedServer(
        id=name,
        peers=peers,
        current_term=3,
        log=log,
        snapshot=Snapshot(count, 3, image),
        before_log=Position(count - 500, 3),
    )


@pytest.mark.slow
def test_three_servers_with_30000_entries_of_30000_keys_answer_within_5_s_of_their_start(tmp_path: Path) -> None:
    """Without snapshots there was no answer within 60 s: each leader applied its log for longer than a timeout."""
    for name in NAMES:
        disk = disk_of(PipelinedServer, tmp_path / f"{name}.sqlite")
        disk.write(with_30000_keys(name))
        disk.close()

    async def first_answer() -> float:
        async with cluster_of_three(PipelinedServer, "sqlite", folder=tmp_path) as cluster:
            began = asyncio.get_running_loop().time()
            reply = await cluster.request("B", Get(1, "key 20000"), deadline=60)
            assert reply == Done(1, 20_000)
            return asyncio.get_running_loop().time() - began

    assert asyncio.run(first_answer()) < 5
