"""A process's disk: a crash leaves the old values or the new ones, and types come back as they were.

One suite that both disks pass. What only a database can do: `test_sqlite_disk.py`.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from banks import NEW, OLD, Account, AnyDisk, Bank, banks, opened, values
from hypothesis import example, given, settings
from hypothesis import strategies as st

from patterns.consensus_raft import Server
from patterns.runtime import Disk, DiskError, SqliteDisk

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


@pytest.mark.slow
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


@pytest.mark.slow
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
def test_a_flipped_bit_is_refused_or_changes_nothing(kind: type[AnyDisk], place: int, bit: int) -> None:
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
            assert found is not None
            assert found.disk == NEW.disk
