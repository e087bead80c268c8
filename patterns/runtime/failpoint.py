"""A chosen point of a process's work at which it is killed with -9, by itself: nobody else could be there in time.

The points are those that a crash can fall between. A handler ran and noted a rule; what it made durable is written;
what it asked for is sent. Before the first, what happened has happened to nobody; after the first, the disk alone knows
of it; after the second, so do others.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from typing import Literal, NoReturn, get_args

import msgspec

from patterns.engine.process import Process
from patterns.engine.step import Note

Stage = Literal["noted", "written", "sent", "saving", "forced", "renamed", "saved"]
"""`noted`: before the write. `written`: after the write, before a message is sent. `sent`: after the messages are sent.

A write that saves a snapshot has four more stages. `saving`: half of the new file is written. `forced`: all of it is on
stable storage. `renamed`: it has the name of the old file. `saved`: this name is on stable storage, but the log is not
cut yet.
"""
STAGES: tuple[Stage, ...] = get_args(Stage)[:3]
"""The stages of every step."""
SAVES: tuple[Stage, ...] = get_args(Stage)[3:]
"""The stages of a step that saves a snapshot; no other step has them."""
REACH = 1.0
"""Seconds to wait, before the process ends, until earlier messages have left. Messages to an absent peer never do."""


class DieAt(msgspec.Struct, frozen=True):
    """Die when `rule` is noted for the `nth` time since the process started, at that stage of what noted it.

    Raises ValueError for a stage that there is not, and for an `nth` below 1.
    """

    rule: str
    stage: Stage
    nth: int = 1

    def __post_init__(self) -> None:
        if self.stage not in (*STAGES, *SAVES):
            raise ValueError(f"stage is {self.stage!r}; allowed are {', '.join((*STAGES, *SAVES))}")
        if self.nth < 1:
            raise ValueError(f"nth is {self.nth}; it must be at least 1, the first time")

    def __str__(self) -> str:
        return f"{self.rule}, {self.stage}" + (f", time {self.nth}" if self.nth > 1 else "")

    def check(self, kind: type[Process], rules: Iterable[str] = ()) -> None:
        """Raises ValueError for a rule that such processes do not note.

        The rules are those of the table `rules` of their class, or else those given.
        """
        rules = tuple(getattr(kind, "rules", rules))
        if rules and self.rule not in rules:
            raise ValueError(f"rule is {self.rule!r}; the rules of {kind.__name__} are {', '.join(rules)}")
        if self.stage in SAVES and not getattr(kind, "in_file", ""):
            raise ValueError(f"stage is {self.stage!r}; a {kind.__name__} has no snapshot in a file of its own")


class Failpoint:
    """Counts the rules that a process notes, up to its chosen end."""

    def __init__(self, at: DieAt) -> None:
        self.at = at
        self._left = at.nth

    def stage_of(self, notes: Iterable[Note]) -> Stage | None:
        """The stage to die at in what noted these rules; None to live on."""
        if self._left <= 0:
            return None
        self._left -= sum(note.rule == self.at.rule for note in notes)
        return self.at.stage if self._left <= 0 else None


async def die(*first: Awaitable[object]) -> NoReturn:
    """Kill this OS process with -9, as soon as `first` is done or took too long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(REACH):
            await asyncio.gather(*first, return_exceptions=True)
    kill()


def kill() -> NoReturn:
    """Kill this OS process with -9, at once."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("killed with -9, and alive")
