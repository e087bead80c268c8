"""The order of a cutover, and nothing else: one key, some writes, a mover that follows a list of steps.

A specification to search, not to run: no messages, no crash. It shows which steps a move needs, and in which order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from patterns.engine.acts import Happened, ValueMachine, act
from patterns.engine.params import Params as AnyParams
from patterns.engine.properties import Always, Sometimes
from patterns.engine.step import Rule

StepName = Literal["copy", "ship", "fence", "drain", "on"]
STEPS: tuple[StepName, ...] = ("copy", "ship", "fence", "drain", "ship", "on")


class Begin(msgspec.Struct, frozen=True, tag=True):
    """A write begins at a side that accepts it."""

    write: int
    side: str


class Commit(msgspec.Struct, frozen=True, tag=True):
    """A write commits where it began, and is acknowledged."""

    write: int
    side: str


class Next(msgspec.Struct, frozen=True, tag=True):
    """The mover's next step."""


class Slot(msgspec.Struct, frozen=True):
    """How many steps the mover has behind it, the (write, side) that run, and the writes that each side has."""

    step: int = 0
    running: frozenset[tuple[int, str]] = frozenset()
    at_a: frozenset[int] = frozenset()
    at_b: frozenset[int] = frozenset()


class Cutover(ValueMachine[Slot, Begin | Commit | Next]):
    """Two writes race a mover."""

    name = "cutover"
    rules: ClassVar[Mapping[str, Rule]] = {}

    class Params(AnyParams, frozen=True):
        writes: Annotated[int, Meta(ge=1, le=3)] = 2
        """How many writes there are."""
        steps: tuple[StepName, ...] = STEPS
        """What the mover does, in this order."""

    params: Params

    def start(self) -> Slot:
        return Slot()

    def accepts(self, state: Slot) -> str:
        """The sides that accept a new write. Without a fence, A stops when it hears that B is on."""
        done, steps = self.params.steps[: state.step], self.params.steps
        a = "fence" not in done and ("on" not in done or "fence" in steps)
        return "A" * a + "B" * ("on" in done)

    def refused(self, state: Slot, event: Begin) -> str:
        begun = event.write in {write for write, _ in state.running} | state.at_a | state.at_b
        return "" if event.side in self.accepts(state) and not begun else "it has begun, or is not accepted there"

    def cannot_step(self, state: Slot, event: Next) -> str:
        step = (*self.params.steps, "")[state.step]
        waits = step == "drain" and any(side == "A" for _, side in state.running)
        return "" if step and not waits else "the mover has ended, or waits for a write"

    def starts(self, state: Slot) -> Iterable[tuple[int, str]]:
        return ((write, side) for write in range(self.params.writes) for side in "AB")

    @act(Begin, "write {write} begins at {side}", offers=starts, unless=[refused])
    def begin(self, state: Slot, event: Begin) -> Happened[Slot]:
        return replace(state, running=state.running | {(event.write, event.side)}), []

    @act(Commit, "write {write} commits at {side}", offers=lambda self, state: sorted(state.running))
    def commit(self, state: Slot, event: Commit) -> Happened[Slot]:
        state = replace(state, running=state.running - {(event.write, event.side)})
        if event.side == "A":
            return replace(state, at_a=state.at_a | {event.write}), []
        return replace(state, at_b=state.at_b | {event.write}), []

    @act(Next, "the mover's next step", unless=[cannot_step])
    def next(self, state: Slot, event: Next) -> Happened[Slot]:
        ships = self.params.steps[state.step] in ("copy", "ship")
        return replace(state, step=state.step + 1, at_b=state.at_b | state.at_a if ships else state.at_b), []


def cutover_properties(machine: Cutover) -> tuple[Always | Sometimes, ...]:
    """What must hold of this machine."""
    steps, writes = machine.params.steps, machine.params.writes

    def lost(state: Slot) -> str | None:
        gone = state.at_a - state.at_b if state.step == len(steps) else ()
        return f"A acknowledged {sorted(gone)}, and B, which owns the slot, has no such write" if gone else None

    def two(state: Slot) -> str | None:
        return "A and B both accept writes" if len(machine.accepts(state)) > 1 else None

    return (
        Always("at the end the owner has every acknowledged write", lost),
        Always("at most one side accepts writes", two),
        Sometimes("all writes end", lambda state: len(state.at_a | state.at_b) == writes),
    )
