"""A lift: a small machine whose history is moved about in."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from hypothesis import strategies as st
from msgspec import Meta

from patterns.engine.history import History
from patterns.engine.machine import Choice, Machine, NotEnabled
from patterns.engine.params import Params as AnyParams
from patterns.engine.step import Note, Rule, Step


class Up(msgspec.Struct, frozen=True, tag=True):
    pass


class Down(msgspec.Struct, frozen=True, tag=True):
    pass


class Board(msgspec.Struct, frozen=True, tag=True):
    who: str


class Lift(Machine[tuple[int, tuple[str, ...]], Up | Down | Board]):
    """A lift: (floor, who is in it). By itself it goes up, to the top."""

    name = "lift"
    rules: ClassVar = {"moved": Rule("moves from {was} to {floor}", ""), "boarded": Rule("{who} boards", "")}
    events = Up | Down | Board

    class Params(AnyParams, frozen=True):
        floors: Annotated[int, Meta(ge=1)] = 4

    params: Params

    @property
    def floors(self) -> int:
        return self.params.floors

    def start(self) -> tuple[int, tuple[str, ...]]:
        return 0, ()

    def apply(self, state: tuple[int, tuple[str, ...]], event: Up | Down | Board) -> Any:
        floor, inside = state
        if isinstance(event, Board):
            if event.who in inside:
                raise NotEnabled(f"{event.who} is in the lift")
            return (floor, (*inside, event.who)), (Note("boarded", {"who": event.who}),)
        there = floor + (1 if isinstance(event, Up) else -1)
        if not 0 <= there < self.floors:
            raise NotEnabled(f"there is no floor {there}")
        return (there, inside), (Note("moved", {"was": floor, "floor": there}),)

    def choices(self, state: tuple[int, tuple[str, ...]]) -> tuple[Choice[Up | Down | Board], ...]:
        top = "at the top" if state[0] == self.floors - 1 else ""
        return (
            Choice(Up(), "up", why_not=top),
            Choice(Down(), "down", group="down", why_not="" if state[0] else "down"),
        )


class Escalator(Lift):
    name = "escalator"


EVENTS = st.sampled_from([Up(), Down(), Board("Ann"), Board("安"), Board("")])


def floors(steps: list[Step[Any, Any]]) -> list[int]:
    return [step.state[0] for step in steps]


def everything(history: History[Any, Any]) -> Any:
    """All that can be seen of a history."""
    steps = [
        (step.number, step.depth, step.event, step.state, step.notes, history.children(step)) for step in history.steps
    ]
    return steps, history.step, history.path, history.branch, history.leaves, history.code


def after(*events: Up | Down | Board, machine: Lift | None = None) -> History[Any, Any]:
    history = History(machine or Lift())
    history.run(events)
    return history
