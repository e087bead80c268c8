"""How a process that a cluster started tells it what happens: as frames on standard output.

A record is in the pipe before the replies and messages of its step leave. So each answer that a client has seen is in a
record, even if the process is killed at that very moment. A slow watcher misses records; the process does not wait for
it.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Self

import msgspec

from patterns.engine.process import Process

from .envelopes import TOLD, Bodies, Missed, Record, Trouble, changes
from .wire import WireError

BACKLOG = 1 << 20
"""Bytes that wait for the watcher; records that come then are missed. It is about a second of a busy process."""


class Teller(asyncio.BaseProtocol):
    """Tells to standard output. A record says what changed since the last one that was told."""

    def __init__(self, kind: type[Process], quiet: bool = False) -> None:
        self.quiet = quiet
        """Tell no records."""
        self._bodies = Bodies(kind)
        self._told: Process | None = None
        self._missed = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self._transport: asyncio.WriteTransport

    async def open(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_write_pipe(lambda: self, sys.stdout)
        self._transport.set_write_buffer_limits(high=0)
        return self

    def say(self, told: Any) -> None:
        self._transport.write(TOLD.encode(told))

    def record(self, record: Record, after: Process) -> None:
        """Tell it, or count it as missed; `after` is the process afterwards."""
        if self._transport.get_write_buffer_size() > BACKLOG:
            self._missed += 1
            return
        try:
            told = self._bodies.pack(msgspec.structs.replace(record, changes=changes(self._told, after)))
        except WireError as problem:
            self._missed += 1
            self.say(Trouble(f"{record.process} cannot tell what happens: {problem}"))
            return
        if self._missed:
            self.say(Missed(self._missed))
            self._missed = 0
        self.say(told)
        self._told = after

    async def drained(self) -> None:
        """Wait until all that was told is in the pipe."""
        await self._empty.wait()

    def pause_writing(self) -> None:
        self._empty.clear()

    def resume_writing(self) -> None:
        self._empty.set()

    def connection_lost(self, problem: Exception | None) -> None:
        self._empty.set()  # its reader is gone
