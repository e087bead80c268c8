"""A disk that is missing, damaged, old or in use is never taken for a new one: it held what was acknowledged.

Each test is one of the defects that a review found in real runs; the smallest reproduction stands in it.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from test_host import Counter, Raise, asking, run

from patterns.consensus_raft import Done, NotLeader, Server
from patterns.runtime import Cluster, DiskError, Host
from patterns.runtime.disk import Hold


def opens(disk: Path, cls: type[Counter] = Counter) -> int | str:
    """The disk's content when a host opens it, or the reason for a refusal."""

    async def scenario() -> int:
        async with Host(cls(id="C"), {}, disk=disk) as host:
            return host.process.total  # type: ignore[attr-defined, no-any-return]

    try:
        return run(scenario())
    except DiskError as problem:
        return str(problem)


@pytest.fixture(params=["C.disk", "C.sqlite"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A disk as kill -9 leaves it, after the writes 1, 3, 6."""
    disk = tmp_path / "as it was" / request.param
    disk.parent.mkdir()

    async def scenario() -> None:
        async with Host(Counter(id="C"), {}, disk=disk) as host, asking(host) as client:
            for by in (1, 2, 3):
                await client.ask(Raise(by))
            shutil.copytree(disk.parent, tmp_path / "killed")

    run(scenario())
    return tmp_path / "killed" / request.param


def test_a_disk_is_read_as_it_was_left_and_by_its_own_user_alone(written: Path) -> None:
    assert {file.stat().st_mode & 0o777 for file in written.parent.iterdir()} == {0o600}
    assert opens(written) == 6


def test_a_missing_disk_is_never_taken_for_a_new_one(written: Path) -> None:
    for file in written.parent.glob(f"{written.name}*"):
        if file.suffix != ".lock":
            file.unlink()
    assert "missing, damaged or an old copy: write 0 is the last one on it" in str(opens(written))


def test_an_empty_disk_is_never_taken_for_a_new_one(written: Path) -> None:
    for file in written.parent.glob(f"{written.name}*"):
        if file.suffix != ".lock":
            file.write_bytes(b"")
    assert isinstance(opens(written), str)


def test_a_write_ahead_log_that_is_missing_or_damaged_anywhere_is_noticed(tmp_path: Path) -> None:
    """A flipped bit in it ended it there: what was acknowledged later was forgotten without a word."""
    disk = tmp_path / "as it was" / "C.sqlite"
    disk.parent.mkdir()
    shapes = ["missing", "empty", 40, 100, 5_000, -2_000, -10]

    async def scenario() -> None:
        async with Host(Counter(id="C"), {}, disk=disk) as host, asking(host) as client:
            for by in (1, 2, 3):
                await client.ask(Raise(by))
            for shape in shapes:
                shutil.copytree(disk.parent, tmp_path / str(shape))

    run(scenario())
    for shape in shapes:
        copy = tmp_path / str(shape)
        log = copy / "C.sqlite-wal"
        body = bytearray(log.read_bytes())
        if shape == "missing":
            log.unlink()
        elif shape == "empty":
            log.write_bytes(b"")
        else:
            body[shape] ^= 1  # type: ignore[index]
            log.write_bytes(body)
        assert isinstance(found := opens(copy / "C.sqlite"), str), (shape, found)


@pytest.mark.parametrize("disk", ["C.disk", "C.sqlite"])
def test_a_second_process_on_a_disk_is_refused_and_the_first_goes_on(disk: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Host(Counter(id="C"), {}, disk=tmp_path / disk) as host, asking(host) as client:
            await client.ask(Raise(1))
            with pytest.raises(DiskError, match="is held by another process"):
                await Host(Counter(id="C"), {}, disk=tmp_path / disk).__aenter__()
            assert await client.ask(Raise(1)) == 2

    run(scenario())
    assert opens(tmp_path / disk) == 2


def test_a_database_that_is_deleted_under_its_process_takes_no_more_writes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Host(Counter(id="C"), {}, disk=tmp_path / "C.sqlite") as host, asking(host) as client:
            await client.ask(Raise(1))
            for file in tmp_path.glob("C.sqlite*"):
                file.unlink()
            client.send(Raise(1))
            with pytest.raises(DiskError, match="was deleted or replaced while C ran on it"):
                await host.ended()

    run(scenario())


def test_the_temporary_folder_of_a_killed_kernel_is_deleted_by_the_next_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, used, young = (tmp_path / f"processes-{name}" for name in ("left", "used", "young"))
    for folder in (left, used, young):
        folder.mkdir()
        (folder / "cluster.lock").touch()
        if folder is not young:
            os.utime(folder / "cluster.lock", (0, 0))
    hold = Hold(used / "cluster")
    hold.take()

    async def scenario() -> None:
        async with Cluster([Server(id="S1", peers=())], replies=Done | NotLeader):
            assert not left.exists()
            assert used.exists()
            assert young.exists()

    run(scenario())
    hold.free()
    assert len([*tmp_path.iterdir()]) == 2


def test_real_runs_are_refused_in_words_on_windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(OSError, match="a process's disk needs file locks, which Windows does not have: use WSL"):
        Hold(tmp_path / "C").take()
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(OSError, match="processes for real need kill -9, which Windows does not have: use WSL"):
        Cluster([Server(id="S1", peers=())])
