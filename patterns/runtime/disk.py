"""A process's disk: one file that holds its durable fields, replaced as a whole and only ever complete."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

import msgspec

from patterns.engine.process import Process

P = TypeVar("P", bound=Process)


class DiskError(ValueError):
    """A file that does not hold this process's durable fields."""


class Disk:
    """The file at `path`, in MessagePack. A crash at any moment leaves the old values or the new ones, never a mix.

    Every write is of everything: for what grows, a log or many rows, take a SqliteDisk.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._new = self.path.with_name(self.path.name + ".new")

    def write(self, process: Process) -> None:
        """Write the durable fields, and return only when they would survive a loss of power.

        Raises OSError when the file cannot be written.
        """
        body = msgspec.msgpack.encode(process.disk)
        with open(self._new, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._new, self.path)
        if os.name == "posix":  # the new name, too, is on disk only once its folder is
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def read(self, process: P) -> P | None:
        """The process with its durable fields as written; None when nothing was ever written.

        Raises DiskError when the file holds something else.
        """
        try:
            body = self.path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return process.with_disk(msgspec.msgpack.decode(body, type=type(process).disk_type()))
        except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
            raise DiskError(f"{self.path} does not hold the fields of a {type(process).__name__}: {problem}") from None

    def close(self) -> None:
        """Nothing is open between two writes."""
