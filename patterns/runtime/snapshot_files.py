"""A disk with a snapshot beside it, in a file of its own: the log that it makes shorter is cut only when it is there.

A process class names the durable field in `in_file`. The field's value has bytes, `data`, and a `number` that grows
with each new value. The other disk has the value without its bytes.

The order of a save is: write a new file, force it, rename it, force the folder; then write the other disk. A crash at
any moment leaves the old snapshot with the whole log, or the new snapshot with a log that may still be whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

import msgspec

from patterns.engine.process import Process

from .disk import CHECK, Disk, DiskError, force, force_folder
from .sqlite_disk import SqliteDisk, disk_at

P = TypeVar("P", bound=Process)


class SnapshotDisk:
    """The disk at `path` for all fields but one, and the file `<path>.snapshot` for that one."""

    def __init__(self, disk: Disk | SqliteDisk, field: str) -> None:
        self.disk, self.path, self.field = disk, disk.path, field
        self.file = disk.path.with_name(disk.path.name + ".snapshot")
        self.at: Callable[[str], None] = lambda stage: None
        """Called at each stage of a save: `saving`, `forced`, `renamed`, `saved`."""
        self._new = self.file.with_name(self.file.name + ".new")
        self._saved: Any = None  # what is in the file, as this disk read or wrote it

    @property
    def writes(self) -> int:
        return self.disk.writes

    def write(self, process: Process) -> None:
        """As `Disk.write`: the snapshot first, if it is a new one."""
        kept = getattr(process, self.field)
        if kept.data and kept is not self._saved:
            if self._saved is None or kept != self._saved:
                self._save(kept)
            self._saved = kept
        self.disk.write(_with(process, self.field, _without_data(kept)))

    def _save(self, kept: Any) -> None:
        body = msgspec.msgpack.encode(kept)
        with open(self._new, "wb") as file:
            file.write(crc32(body).to_bytes(CHECK, "big") + body[: len(body) // 2])
            file.flush()
            self.at("saving")
            file.write(body[len(body) // 2 :])
            file.flush()
            force(file.fileno())
        self.at("forced")
        os.replace(self._new, self.file)
        self.at("renamed")
        force_folder(self.file.parent)
        self.at("saved")

    def read(self, process: P) -> P | None:
        """As `Disk.read`. Raises DiskError also for a snapshot that is damaged, missing, or older than the log's."""
        found = self.disk.read(process)
        if found is None:
            return None
        begun = getattr(found, self.field)
        kept = self._load(type(begun))
        if kept is None and not begun.number:
            return found
        if kept is None or kept.number < begun.number:
            has = "is missing" if kept is None else f"is snapshot {kept.number}"
            raise DiskError(f"{self.file} {has}: the log in {self.path.name} begins after snapshot {begun.number}")
        self._saved = kept
        return _with(found, self.field, kept)

    def _load(self, kind: type) -> Any:
        try:
            body = self.file.read_bytes()
        except FileNotFoundError:
            return None
        try:
            if crc32(body[CHECK:]).to_bytes(CHECK, "big") != body[:CHECK]:
                raise DiskError("its check sum does not agree")
            return msgspec.msgpack.decode(body[CHECK:], type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, DiskError) as problem:
            raise DiskError(f"{self.file} does not hold a {kind.__name__}: {problem}") from None

    def trouble(self) -> str:
        return self.disk.trouble()

    def close(self) -> None:
        self.disk.close()
        self._saved = None


def _with(process: P, field: str, value: Any) -> P:
    other: P = process.__copy__()  # type: ignore[attr-defined]
    setattr(other, field, value)
    return other


def _without_data(kept: Any) -> Any:
    return msgspec.structs.replace(kept, data=b"") if kept.data else kept


def disk_of(kind: type[Process], path: Path | str) -> Disk | SqliteDisk | SnapshotDisk:
    """The disk at `path` for processes of this class."""
    field = getattr(kind, "in_file", "")
    return SnapshotDisk(disk_at(path), field) if field else disk_at(path)
