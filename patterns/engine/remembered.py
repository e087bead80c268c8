"""What an exhaustive search of worlds has computed already: equal parts are found once, and handlers run once."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from .process import Effects, Process
from .world import World

KNOWN = 100_000
"""How many parts of worlds a search knows by their identity, at most."""


class Remembered:
    """What a search has computed. Equal processes are one object; a handler that did not look at the clock does the
    same to equal processes, and runs once. Equal parts of worlds have one number, of which keys are made. Worlds share
    their parts, so that a part is mostly known by its identity, without a look inside."""

    def __init__(self) -> None:
        self.moves: dict[tuple[str, int, tuple[Any, ...]], tuple[Process, Effects]] = {}
        self._firsts: dict[Process, Process] = {}
        self._numbers: dict[Hashable, int] = {}
        self._known: dict[int, int] = {}  # identity -> number, from 1 on
        self._alive: list[Any] = []  # what is known: as long as it is alive, its identity is its own

    def first(self, process: Process) -> Process:
        """The first process seen that is equal to this one."""
        return self._firsts.setdefault(process, process)

    def number(self, process: Process) -> int:
        """The same number for equal processes, another one for others."""
        return self._known.get(id(process)) or self._learn(process, process)

    def key(self, world: World) -> Hashable:
        """What `World.key` tells worlds apart by, in numbers."""
        known, learn = self._known, self._learn
        timers, calls = world.timers, world.calls
        packets = [known.get(id(p)) or learn(p, (p.sender, p.to, p.body)) for p in world.packets]
        packets.sort()
        return (
            tuple([known.get(id(p)) or learn(p, p) for p in world.processes]),
            tuple(packets),
            timers and (known.get(id(timers)) or learn(timers, frozenset([(t.process, t.name) for t in timers]))),
            calls and (known.get(id(calls)) or learn(calls, world.asked())),
            world.down,
            world.paused,
            world.cuts,
            world.budget,
        )

    def _learn(self, part: Any, what: Hashable) -> int:
        """The number of a part that is new by its identity; `what` of it counts."""
        if len(self._known) >= KNOWN:
            self._known.clear()
            self._alive.clear()
        self._alive.append(part)
        number = self._known[id(part)] = self._numbers.setdefault(what, len(self._numbers) + 1)
        return number
