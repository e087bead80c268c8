"""What a cluster has of this machine while it is open: a folder for its disks, ports, and shells beside it."""

from __future__ import annotations

import asyncio
import socket
from asyncio.subprocess import DEVNULL, PIPE
from asyncio.subprocess import Process as Child
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir
from time import time  # noqa: TID251 - how old a folder is that a killed kernel left

from .disk import DiskError, Hold
from .rpc import LOOPBACK

TEMPORARY = "processes-"
"""How the names of temporary folders begin."""


def temporary(until: AsyncExitStack) -> Path:
    """A new folder, deleted at the end. Folders that killed kernels left are deleted, too."""
    for old in Path(gettempdir()).glob(f"{TEMPORARY}*"):
        hold = Hold(old / "cluster")
        with suppress(OSError, DiskError):
            if time() - hold.path.stat().st_mtime > 60:  # a younger one may be about to be held
                hold.take()
                rmtree(old, ignore_errors=True)
        hold.free()
    folder = Path(until.enter_context(TemporaryDirectory(prefix=TEMPORARY)))
    hold = Hold(folder / "cluster")
    hold.take()
    until.callback(hold.free)
    return folder


def reserved() -> socket.socket:
    """A free loopback port that nobody else gets while the socket is open, but one that shares it on purpose."""
    place = socket.socket()
    if hasattr(socket, "SO_REUSEPORT"):
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    place.bind((LOOPBACK, 0))  # it never listens: connections go to the process alone
    return place


async def waker(pid: int) -> Child:
    """A shell that lets a stopped process go on as soon as the shell's input ends.

    A stopped process cannot notice that its parent ends. The shell can: the process then goes on, and ends, too.
    """
    command = ("sh", "-c", 'read _; kill -CONT "$1"', "sh", str(pid))
    return await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
    )
