"""Machines that are one number: the least that has states and events."""

from __future__ import annotations

from typing import Any

from patterns.engine.machine import Choice, Machine
from patterns.engine.step import Note


class Count(Machine[int, str]):
    """Counts up for ever."""

    name = "count"
    rules = {}
    events = str
    steps = ("up",)

    def start(self) -> int:
        return 0

    def apply(self, state: int, event: str) -> tuple[int, tuple[Note, ...]]:
        return state + 1, ()

    def choices(self, state: int) -> tuple[Choice[str], ...]:
        return tuple(Choice(step, step) for step in self.steps)

    def describe(self, state: int, event: str) -> str:
        return "str"


class Stair(Count):
    """Up is one step, a jump is five; a jump from the first steps fails."""

    name = "stair"
    steps = ("up", "jump")

    def apply(self, state: int, event: Any) -> tuple[int, tuple[Note, ...]]:
        if event == "jump" and state < 3:
            raise KeyError("too low to jump")
        return state + (5 if event == "jump" else 1), ()


class Claims(Machine[str, Any]):
    """Two alike processes. One of them leads; the state forgets which one. Then either says that it led.

    A state says what happened; events are (verb, who).
    """

    name = "claims"
    rules = {}
    events = Any

    def start(self) -> Any:
        return "nobody led"

    def apply(self, state: Any, event: Any) -> Any:
        verb, who = event
        return ("one led" if verb == "lead" else f"{who} spoke"), (Note("led", {"who": who}),)

    def choices(self, state: Any) -> tuple[Choice[Any], ...]:
        verbs = {"nobody led": "lead", "one led": "speak"}
        return tuple(Choice((verbs[state], who), who) for who in "AB" if state in verbs)
