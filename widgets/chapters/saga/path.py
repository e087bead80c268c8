"""A saga as a path: its steps from left to right, what undoes them as the way back below, the point of no return.

A box is what the logs say of a step; the bar under it says that the step's effect is in its service's database now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from patterns.engine.world import World
from patterns.saga import COMPENSATABLE, PIVOT
from patterns.saga.definition import Saga, Step
from patterns.saga.log import COMPENSATING, DONE, FORWARD, PAST_PIVOT, REFUSED, STUCK, UNDONE, Instance
from patterns.saga.readings import ASKED, DUE, NEVER, OPEN, TURN, WAITING, Stage, logged, stages
from widgets.kit import box, small, stack
from widgets.scene import Box, Label, Line, Mark, Role, Tone

from .words import saga_role

WIDTH = 300
HEAD, CELL = 24, 98
GAP = 12
STEP, UNDO, BAR, WORD = 24, 20, 4, 59

PHASES: Mapping[str, tuple[str, Role]] = {
    FORWARD: ("→ forward", "accent"),
    PAST_PIVOT: ("→ past the pivot", "good"),
    COMPENSATING: ("← compensating", "bad"),
    "completed": ("✓ completed", "good"),
    "compensated": ("↩ compensated", "ink"),
    STUCK: ("! stuck, needs a human", "bad"),
}
"""A phase's sign and words, and its colour."""
_STATES: Mapping[str, tuple[str, Role | None, Tone, str]] = {
    WAITING: ("", "soft", "dashed", "waits"),
    ASKED: ("… {turn}", "accent", "soft", "is to be done now"),
    DONE: ("✓ done", None, "solid", "is done"),
    REFUSED: ("✕ refused", "bad", "outline", "is refused"),
    OPEN: ("? unknown", "bad", "dashed", "may be done or not: unknown"),
    NEVER: ("– never", "soft", "dashed", "will not be done"),
}
"""Where a step is -> its words, the look of its box, and in a sentence."""
_UNDOS: Mapping[str, tuple[str, Role, Tone, str]] = {
    "": ("undo", "line", "dashed", "not needed"),
    DUE: ("↩ due", "bad", "dashed", "to be undone later"),
    TURN: ("↩ {turn}", "bad", "soft", "to be undone now"),
    UNDONE: ("↩ undone", "bad", "solid", "undone"),
    STUCK: ("! fails", "bad", "outline", "cannot be undone"),
}
"""Where a compensation is, likewise."""


class Path(NamedTuple):
    """One saga's path, from its top left corner."""

    definition: Saga
    instance: Instance | None
    orchestrated: bool
    x: float
    y: float

    @property
    def turn(self) -> str:
        """What it is for a step that it is its turn."""
        return "asked" if self.orchestrated else "next"

    @property
    def name(self) -> str:
        return self.instance.saga if self.instance else self.definition.name

    @property
    def wide(self) -> float:
        """Of a step's box."""
        n = len(self.definition.generations)
        return min(84.0, (WIDTH - (n - 1) * GAP) / n)

    def at(self, step: str) -> tuple[float, float]:
        """A step's top left corner: a generation a column, parallel branches one under the other."""
        for column, names in enumerate(self.definition.generations):
            if step in names:
                return self.x + column * (self.wide + GAP), self.y + HEAD + names.index(step) * CELL
        raise KeyError(step)


def sign(phase: str) -> str:
    """A phase as a sign."""
    return PHASES[phase][0][0]


def height(definition: Saga) -> float:
    """What the path of a saga takes."""
    return HEAD + max(map(len, definition.generations)) * CELL


def in_words(world: World, definition: Saga, instance: Instance | None) -> str:
    if instance is None:
        return f"no client has asked for {definition.name} yet"
    parts = [f"{instance.saga}, {definition.name}, is {PHASES[logged(world, instance).phase][0][2:]}"]
    for name, stage in stages(world, instance).items():
        undo = f", {_UNDOS[stage.undo][-1]}" if stage.undo else ""
        parts.append(f"{name} {_STATES[stage.state][-1]}{undo}")
    return ": ".join((parts[0], ", ".join(parts[1:])))


def draw(world: World, path: Path) -> list[Mark]:
    """The marks of one path, `WIDTH` wide and `height(definition)` high."""
    definition, instance = path.definition, path.instance
    found = stages(world, instance) if instance else dict.fromkeys(definition.names, Stage(WAITING))
    role = saga_role(world, instance.saga) if instance else "ink"
    marks = [*_head(world, path, role), *_pivot(path, found)]
    for step in definition.steps:
        marks += _step(path, step, found[step.name], role)
    marks += _ways(path, found, role)
    return marks


def _head(world: World, path: Path, role: Role) -> Iterator[Mark]:
    name, x, y = path.name, path.x, path.y
    if path.instance is None:
        yield Label(id=f"saga:{name}", x=x, y=y + 13, text=path.definition.name.rstrip("'"), strong=True)
        yield small(f"phase:{name}", x + WIDTH, y + 13, "not asked for yet", anchor="end")
        return
    words, colour = PHASES[logged(world, path.instance).phase]
    shown = f"{name} {path.definition.name}".replace("'", "")  # the panel says which of two styles it is
    yield Label(id=f"saga:{name}", x=x, y=y + 13, text=shown, strong=True, role=role)
    yield Label(id=f"phase:{name}", x=x + WIDTH, y=y + 13, text=words, strong=True, role=colour, anchor="end")


def _step(path: Path, step: Step, stage: Stage, role: Role) -> Iterator[Mark]:
    """A step: its service above it, what the logs say in the box and in words, what the database says as a bar."""
    key, (x, y), w = f"{path.name}:{step.name}", path.at(step.name), path.wide
    words, colour, tone, said = _STATES[stage.state]
    words = words.format(turn=path.turn)
    tone = "outline" if stage.undo == UNDONE and stage.state == DONE else tone
    stands = "its effect is in the database" if stage.stands else "nothing of it is in the database"
    title = f"{step.name} at {step.at}: {step.do}; {step.kind}; {said}; {stands}"
    yield small(f"at:{key}", x + w / 2, y + 11, step.at.rstrip("'"), anchor="middle")
    yield from stack([box(f"step:{key}", step.name, colour or role, tone, title)], x, y + 15, w, pitch=STEP + 2)
    if stage.stands:
        yield Box(id=f"stands:{key}", x=x, y=y + 17 + STEP, w=w, h=BAR, tone="solid", title=stands)
    if words:
        yield small(f"word:{key}", x + w / 2, y + WORD, words, "ink", "middle")
    if step.kind != COMPENSATABLE:
        yield small(f"kind:{key}", x + w / 2, y + 80, "pivot" if step.kind == PIVOT else "retried", anchor="middle")
        return
    text, colour, tone, said = _UNDOS[stage.undo]
    title = f"what undoes {step.name}: {step.undo}; {said}"
    undo = box(f"undo:{key}", text.format(turn=path.turn), colour, tone, title)
    yield from stack([undo], x, y + 66, w, pitch=UNDO + 2)


def _pivot(path: Path, found: Mapping[str, Stage]) -> Iterator[Mark]:
    """The point of no return, an upright line after the pivot: dashed until it is passed."""
    pivot = path.definition.pivot
    if not pivot:
        return
    x, _ = path.at(pivot)
    passed = found[pivot].state == DONE
    x, top, bottom = x + path.wide + GAP / 2, path.y + HEAD, path.y + height(path.definition) - 8
    role, words = ("good", "is passed") if passed else ("bad", "is not reached")
    tone: Tone = "outline" if passed else "dashed"
    title = f"the point of no return: {pivot} {words}"
    yield Line(id=f"pivot:{path.name}", x=x, y=top, x2=x, y2=bottom, role=role, tone=tone, wide=2.5, title=title)


def _ways(path: Path, found: Mapping[str, Stage], role: Role) -> Iterator[Mark]:
    """The way forward from step to step, and below it the way back."""
    for a, b in path.definition.arrows:
        (x, y), (x2, y2), ways = path.at(a), path.at(b), f"{path.name}:{a}:{b}"
        x, x2, forward, back = x + path.wide + 1, x2 - 1, 15 + STEP / 2, 66 + UNDO / 2
        taken = role if found[b].state not in (WAITING, NEVER) else "line"
        yield _arrow(f"way:{ways}", x, y + forward, x2, y2 + forward, taken, f"{b} comes after {a}")
        if path.definition[a].kind == COMPENSATABLE:
            taken = "bad" if found[a].undo in (TURN, UNDONE, STUCK) else "line"
            title = f"{a} is undone only after {b} is undone, or was never done"
            yield _arrow(f"back:{ways}", x2, y2 + back, x, y + back, taken, title)


def _arrow(id: str, x: float, y: float, x2: float, y2: float, role: Role, title: str) -> Mark:
    return Line(id=id, x=x, y=y, x2=x2, y2=y2, arrow=True, role=role, title=title)
