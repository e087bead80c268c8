"""A power cut for SQLite: its files as a disk keeps them that loses everything that was not synced.

`kill -9` proves little: the operating system still has what a killed process wrote, and writes it later. A power cut
takes that too, and the disk may have written any part of it, in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw


class PowerCut(apsw.VFS):
    """SQLite's own files. It remembers the synced contents and the writes since.

    Register it by making it, and open a connection with `vfs=cut.name`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.synced: dict[str, bytes] = {}
        self.since: dict[str, list[tuple[int, bytes | None]]] = {}
        """Path -> (offset, what was written there), or (size, None) for a file that was cut to this size."""
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        self.synced.pop(filename, None)

    def after(self, folder: Path, kept: Callable[[int], bool] = lambda nth: False) -> list[Path]:
        """Write the files to another folder as they are after a power cut now: what was synced, and of the later
        writes those that the disk had `kept`."""
        made = []
        for path, content in self.synced.items():
            disk = bytearray(content)
            for nth, (at, written) in enumerate(self.since[path]):
                if kept(nth) and written is not None:
                    disk[len(disk) :] = bytes(max(0, at - len(disk)))
                    disk[at : at + len(written)] = written
                elif kept(nth):
                    del disk[at:]
            made.append(folder / Path(path).name)
            made[-1].write_bytes(disk)
        return made


class _File(apsw.VFSFile):
    def __init__(self, cut: PowerCut, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self.cut, self.path = cut, name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        cut.synced.setdefault(self.path, b"")
        cut.since.setdefault(self.path, [])

    def xWrite(self, data: Any, offset: int) -> None:
        super().xWrite(data, offset)
        self.cut.since[self.path].append((offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        super().xTruncate(size)
        self.cut.since[self.path].append((size, None))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self.cut.synced[self.path] = Path(self.path).read_bytes()
        self.cut.since[self.path].clear()
