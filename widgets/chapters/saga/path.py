"""A saga as a path: its steps from left to right, what undoes them as the way back below, the point of no return.

A box is what the logs say of a step; the bar under it says that the step's effect is in its service's database now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from patterns.engine.world import World
from patterns.saga import COMPENSATABLE, PIVOT, Instance, Saga, Step
from patterns.saga.stages import (
    ASKED,
    COMPENSATING,
    DONE,
    DUE,
    FORWARD,
    NEVER,
    OPEN,
    PAST_PIVOT,
    REFUSED,
    STUCK,
    TURN,
    UNDONE,
    WAITING,
    Stage,
    phase_of,
    planned,
    stages,
    told,
)
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
_STATES: Mapping[str, tuple[str, Role | None, Tone]] = {
    WAITING: ("", "soft", "dashed"),
    ASKED: ("… {turn}", "accent", "soft"),
    DONE: ("✓ done", None, "solid"),
    REFUSED: ("✕ refused", "bad", "outline"),
    OPEN: ("? unknown", "bad", "dashed"),
    NEVER: ("– never", "soft", "dashed"),
}
_UNDOS: Mapping[str, tuple[str, Role, Tone]] = {
    "": ("undo", "line", "dashed"),
    DUE: ("↩ due", "bad", "dashed"),
    TURN: ("↩ {turn}", "bad", "soft"),
    UNDONE: ("↩ undone", "bad", "solid"),
    STUCK: ("! fails", "bad", "outline"),
}


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
        return f"nobody has asked for {definition.name} yet"
    parts = [f"{instance.saga}, {definition.name}, is {PHASES[phase_of(told(world, instance))][0][2:]}"]
    for name, stage in stages(world, instance).items():
        undo = f", {_undo_in_words(stage.undo)}" if stage.undo else ""
        parts.append(f"{name} {_in_words(stage.state)}{undo}")
    return ": ".join((parts[0], ", ".join(parts[1:])))


def _in_words(state: str) -> str:
    words = {WAITING: "waits", ASKED: "is to be done now", DONE: "is done", REFUSED: "is refused"}
    return words.get(state) or {OPEN: "may be done, nobody knows", NEVER: "will not be done"}[state]


def _undo_in_words(undo: str) -> str:
    words = {DUE: "to be undone later", TURN: "to be undone now", UNDONE: "undone", STUCK: "cannot be undone"}
    return words[undo]


def draw(world: World, path: Path) -> list[Mark]:
    """The marks of one path, `WIDTH` wide and `height(definition)` high."""
    definition, instance = path.definition, path.instance
    found = stages(world, instance) if instance else planned(definition)
    role = saga_role(world, instance.saga) if instance else "ink"
    marks = [*_head(world, path, role), *_pivot(path, found)]
    for step in definition.steps:
        marks += _step(path, step, found[step.name], role)
    marks += _ways(path, found, role)
    return marks


def _head(world: World, path: Path, role: Role) -> Iterator[Mark]:
    name, x, y = path.name, path.x, path.y
    shown = f"{name} {path.definition.name}".replace("'", "")  # the panel says which of two styles it is
    if path.instance is None:
        yield Label(id=f"saga:{name}", x=x, y=y + 13, text=path.definition.name.rstrip("'"), strong=True)
        yield Label(
            id=f"phase:{name}", x=x + WIDTH, y=y + 13, text="not asked for yet", size="small", role="soft", anchor="end"
        )
        return
    words, colour = PHASES[phase_of(told(world, path.instance))]
    yield Label(id=f"saga:{name}", x=x, y=y + 13, text=shown, strong=True, role=role)
    yield Label(id=f"phase:{name}", x=x + WIDTH, y=y + 13, text=words, strong=True, role=colour, anchor="end")


def _step(path: Path, step: Step, stage: Stage, role: Role) -> Iterator[Mark]:
    """A step: its service above it, what the logs say in the box and in words, what the database says as a bar."""
    key, (x, y), w = f"{path.name}:{step.name}", path.at(step.name), path.wide
    words, colour, tone = _STATES[stage.state]
    words = words.format(turn=path.turn)
    tone = "outline" if stage.undo == UNDONE and stage.state == DONE else tone
    stands = "its effect is in the database" if stage.stands else "nothing of it is in the database"
    yield Label(
        id=f"at:{key}", x=x + w / 2, y=y + 11, text=step.at.rstrip("'"), size="small", role="soft", anchor="middle"
    )
    yield Box(
        id=f"step:{key}",
        x=x,
        y=y + 15,
        w=w,
        h=STEP,
        text=step.name,
        role=colour or role,
        tone=tone,
        title=f"{step.name} at {step.at}: {step.do}; {step.kind}; {_in_words(stage.state)}; {stands}",
    )
    if stage.stands:
        yield Box(id=f"stands:{key}", x=x, y=y + 17 + STEP, w=w, h=BAR, role="ink", tone="solid", title=stands)
    if words:
        yield Label(id=f"word:{key}", x=x + w / 2, y=y + WORD, text=words, size="small", anchor="middle")
    yield from _below(path, step, stage)


def _below(path: Path, step: Step, stage: Stage) -> Iterator[Mark]:
    """The way back under a step; or that there is none."""
    key, (x, y), w = f"{path.name}:{step.name}", path.at(step.name), path.wide
    if step.kind != COMPENSATABLE:
        words = "pivot" if step.kind == PIVOT else "retried"
        yield Label(id=f"kind:{key}", x=x + w / 2, y=y + 80, text=words, size="small", role="soft", anchor="middle")
        return
    text, role, tone = _UNDOS[stage.undo]
    said = _undo_in_words(stage.undo) if stage.undo else "not needed"
    yield Box(
        id=f"undo:{key}",
        x=x,
        y=y + 66,
        w=w,
        h=UNDO,
        text=text.format(turn=path.turn),
        role=role,
        tone=tone,
        title=f"what undoes {step.name}: {step.undo}; {said}",
    )


def _pivot(path: Path, found: Mapping[str, Stage]) -> Iterator[Mark]:
    """The point of no return, an upright line after the pivot: dashed until it is passed."""
    pivot = path.definition.pivot
    if not pivot:
        return
    x, _ = path.at(pivot)
    passed = found[pivot].state == DONE
    x, bottom = x + path.wide + GAP / 2, path.y + height(path.definition) - 8
    words = "is passed" if passed else "is not reached"
    yield Line(
        id=f"pivot:{path.name}",
        x=x,
        y=path.y + HEAD,
        x2=x,
        y2=bottom,
        role="good" if passed else "bad",
        tone="outline" if passed else "dashed",
        wide=2.5,
        title=f"the point of no return: {pivot} {words}",
    )


def _ways(path: Path, found: Mapping[str, Stage], role: Role) -> Iterator[Mark]:
    """The way forward from step to step, and below it the way back."""
    w = path.wide
    for a, b in path.definition.arrows:
        (x, y), (x2, y2) = path.at(a), path.at(b)
        taken = found[b].state not in (WAITING, NEVER)
        yield Line(
            id=f"way:{path.name}:{a}:{b}",
            x=x + w + 1,
            y=y + 15 + STEP / 2,
            x2=x2 - 1,
            y2=y2 + 15 + STEP / 2,
            arrow=True,
            role=role if taken else "line",
            title=f"{b} comes after {a}",
        )
        if path.definition[a].kind != COMPENSATABLE:
            continue
        back = found[a].undo in (TURN, UNDONE, STUCK)
        yield Line(
            id=f"back:{path.name}:{a}:{b}",
            x=x2 - 1,
            y=y2 + 66 + UNDO / 2,
            x2=x + w + 1,
            y2=y + 66 + UNDO / 2,
            arrow=True,
            role="bad" if back else "line",
            title=f"{a} is undone only after {b} is undone, or was never done",
        )
