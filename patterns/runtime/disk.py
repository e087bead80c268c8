"""A process's disk: one file that holds its durable fields, replaced as a whole and only ever complete."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import msgspec

from patterns.engine.process import Process

P = TypeVar("P", bound=Process)
T = TypeVar("T")


class DiskError(ValueError):
    """A file that does not hold this process's durable fields."""


class Locked(OSError):
    """Somebody else has the file to himself: nothing was read or written, and a later try may do it."""


LOCKED = (0.02, 30.0)
"""Seconds between two tries to use a disk that another program has locked, and until the process gives up."""


async def when_free(who: str, use: Callable[[], T], say: Callable[[str, object], None]) -> T:
    """Use the disk of process `who`. While another program has locked it, wait, and let its host serve connections.

    The process itself takes no step: what it would say next might depend on what is not on disk. Raises Locked, which
    names the disk, when it waited too long.
    """
    pause, most = LOCKED
    clock = asyncio.get_running_loop().time
    begun = clock()
    while True:
        try:
            return use()
        except Locked as problem:
            if clock() - begun > most:
                raise Locked(f"{problem}: another program has it, and {who} waited {most:g} s") from None
            say(f"{who} waits: another program has its disk", problem)
            await asyncio.sleep(pause)


CHECK, COUNT = 4, 8
"""Bytes of the check sum and of the number of the write, before the fields."""


def own(path: str | Path, flags: int = os.O_CREAT) -> int:
    """Opens a file that no other user may read."""
    return os.open(path, flags, 0o600)


def force(file: int) -> None:
    """Return only when what was written to the file would survive a loss of power."""
    if sys.platform == "darwin":  # where fsync leaves it in the drive's own memory
        from fcntl import F_FULLFSYNC, fcntl

        fcntl(file, F_FULLFSYNC)
    else:
        os.fsync(file)


def force_folder(path: Path) -> None:
    """The same for the names in a folder."""
    if os.name == "posix":
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Hold:
    """A file beside a disk that one OS process holds for as long as it lives, with the number of its last write.

    The number is not forced: kill -9 leaves it, and after a loss of power it may be lower than the disk's. So a disk
    whose number is lower has lost what it acknowledged.
    """

    def __init__(self, disk: Path) -> None:
        self.path = disk.with_name(disk.name + ".lock")
        self._file: int | None = None

    def take(self) -> None:
        """Raises DiskError while another OS process holds it, OSError where there can be no such file."""
        try:
            from fcntl import LOCK_EX, LOCK_NB, flock
        except ImportError:
            raise OSError("a process's disk needs file locks, which Windows does not have: use WSL") from None
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except OSError:
            os.close(file)
            raise DiskError(f"{self.path} is held by another process, which runs on this disk") from None
        self._file = file

    @property
    def writes(self) -> int:
        return 0 if self._file is None else int.from_bytes(os.pread(self._file, COUNT, 0), "big")

    def wrote(self, number: int) -> None:
        if self._file is not None:
            os.pwrite(self._file, number.to_bytes(COUNT, "big"), 0)

    def free(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


class Disk:
    """The file at `path`, in MessagePack. A crash at any moment leaves the old values or the new ones, never a mix.

    Before it stand a check sum and the number of the write: a damaged file is refused, and an older one is known.
    Every write is of everything: for what grows, a log or many rows, take a SqliteDisk.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.writes = 0
        """The number of the write that was written or read last."""
        self._new = self.path.with_name(self.path.name + ".new")

    def write(self, process: Process) -> None:
        """Write the durable fields, and return only when they would survive a loss of power.

        Raises OSError when the file cannot be written, DiskError when a value cannot.
        """
        try:
            fields = msgspec.msgpack.encode(process.disk)
        except OverflowError as problem:
            raise DiskError(f"the fields of {process.id} cannot be written: {problem}") from problem
        body = (self.writes + 1).to_bytes(COUNT, "big") + fields
        with open(self._new, "wb", opener=own) as file:
            file.write(crc32(body).to_bytes(CHECK, "big") + body)
            file.flush()
            force(file.fileno())
        os.replace(self._new, self.path)
        force_folder(self.path.parent)  # the new name, too, is on disk only once its folder is
        self.writes += 1

    def read(self, process: P) -> P | None:
        """The process with its durable fields as written; None when nothing was ever written.

        Raises DiskError when the file holds something else.
        """
        try:
            body = self.path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            if crc32(body[CHECK:]).to_bytes(CHECK, "big") != body[:CHECK]:
                raise DiskError("its check sum does not agree")
            found = process.with_disk(msgspec.msgpack.decode(body[CHECK + COUNT :], type=type(process).disk_type()))
            self.writes = int.from_bytes(body[CHECK : CHECK + COUNT], "big")
            return found
        except (msgspec.MsgspecError, UnicodeDecodeError, DiskError) as problem:
            raise DiskError(f"{self.path} does not hold the fields of a {type(process).__name__}: {problem}") from None

    def trouble(self) -> str:
        """Nothing that a person should know."""
        return ""

    def close(self) -> None:
        """Nothing is open between two writes."""
