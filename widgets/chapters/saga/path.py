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
from patterns.saga.readings import ASKED, DUE, NEVER, OPEN, TURN, WAITING, StepState, logged, step_states
from widgets.kit import box, cut, fitting, small, stack, wide
from widgets.scene import Box, Label, Line, Mark, Role, Tone

from .groups import saga_role

WIDTH = 548
"""Of the whole picture."""
HEAD, GAP = 18, 11
STEP, UNDO, BAR = 18, 16, 3
NAME, APART = 13, 8
"""What the name of a service takes above a step; pixels between parallel branches."""
SHORT = 200
"""On a path shorter than this a sign tells the phase."""

PHASES: Mapping[str, str] = {
    FORWARD: "→ forward",
    PAST_PIVOT: "→ past the pivot",
    COMPENSATING: "← compensating",
    "completed": "✓ completed",
    "compensated": "↩ compensated",
    STUCK: "! stuck, needs a human",
}
"""A phase's sign and words."""
_STATES: Mapping[str, tuple[str, Role | None, Tone, str]] = {
    WAITING: ("", "soft", "dashed", "waits"),
    ASKED: ("→ {turn}", None, "soft", "is to be done now"),
    DONE: ("✓ done", None, "solid", "is done"),
    REFUSED: ("✗ refused", None, "outline", "is refused"),
    OPEN: ("? unknown", None, "dashed", "may be done or not: unknown"),
    STUCK: ("! fails", "bad", "outline", "does not succeed"),
    NEVER: ("– never", "soft", "dashed", "will not be done"),
}
"""Where a step is -> its words, the look of its box (None: the saga's colour), and in a sentence."""
_UNDOS: Mapping[str, tuple[str, Role | None, Tone, str]] = {
    "": ("undo", "soft", "dashed", "not needed"),
    DUE: ("↩ due", None, "dashed", "to be undone later"),
    TURN: ("↩ {turn}", None, "soft", "to be undone now"),
    UNDONE: ("↩ undone", None, "solid", "undone"),
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
    width: float
    named: bool
    """Whether the name of its service stands above each step."""

    @property
    def slim(self) -> bool:
        return not self.named and is_parallel(self.definition)

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
        return min(130.0, (self.width - (n - 1) * GAP) / n)

    def at(self, step: str) -> tuple[float, float]:
        """A step's top left corner: a generation a column, parallel branches one under the other."""
        for column, names in enumerate(self.definition.generations):
            if step in names:
                return self.x + column * (self.wide + GAP), self.y + HEAD + names.index(step) * cell(
                    self.named, self.slim
                )
        raise KeyError(step)


def sign(phase: str) -> str:
    """A phase as a sign."""
    return PHASES[phase][0]


def cell(named: bool, slim: bool) -> float:
    """What a step and its compensation take; a slim one has its compensation as a sign in its box."""
    return NAME * named + STEP + 2 + BAR + (0 if slim else UNDO) + APART


def is_parallel(definition: Saga) -> bool:
    return max(map(len, definition.generations)) > 1


def height(definition: Saga, named: bool = True) -> float:
    """What the path of a saga takes."""
    branches = max(map(len, definition.generations))
    return HEAD + branches * cell(named, not named and branches > 1)


def in_words(world: World, definition: Saga, instance: Instance | None) -> str:
    if instance is None:
        return f"no client has asked for {definition.name} yet"
    parts = [f"{instance.saga}, {definition.name}, is {PHASES[logged(world, instance).phase][2:]}"]
    for name, stage in step_states(world, instance).items():
        undo = f", {_UNDOS[stage.undo][-1]}" if stage.undo else ""
        parts.append(f"{name} {_STATES[stage.state][-1]}{undo}")
    return ": ".join((parts[0], ", ".join(parts[1:])))


def draw(world: World, path: Path) -> list[Mark]:
    """The marks of one path."""
    definition, instance = path.definition, path.instance
    found = step_states(world, instance) if instance else dict.fromkeys(definition.names, StepState(WAITING))
    role = saga_role(world, instance.saga) if instance else "ink"
    marks = [*_head(world, path, role), *_pivot(path, found)]
    for step in definition.steps:
        marks += _step(path, step, found[step.name], role)
    marks += _ways(path, found, role)
    return marks


def _head(world: World, path: Path, role: Role) -> Iterator[Mark]:
    name, x, y = path.name, path.x, path.y
    if path.instance is None:
        yield Label(id=f"saga:{name}", x=x, y=y + 12, text=path.definition.name, strong=True)
        yield small(f"phase:{name}", x + path.width, y + 12, "not asked for yet", anchor="end")
        return
    phase = logged(world, path.instance).phase
    colour, words = "bad" if phase == STUCK else role, PHASES[phase]
    if path.width < SHORT:
        words = sign(phase)
    yield Label(id=f"saga:{name}", x=x, y=y + 12, text=f"{name} {path.definition.name}", strong=True, role=role)
    yield Label(
        id=f"phase:{name}",
        x=x + path.width,
        y=y + 12,
        text=words,
        strong=True,
        role=colour,
        anchor="end",
        title=PHASES[phase],
    )


def _step(path: Path, step: Step, stage: StepState, role: Role) -> Iterator[Mark]:
    """A step: its service above it, what the logs say in the box and in words, what the database says as a bar."""
    key, (x, y), w = f"{path.name}:{step.name}", path.at(step.name), path.wide
    words, colour, tone, said = _STATES[stage.state]
    words = words.format(turn=path.turn)
    tone = "outline" if stage.undo == UNDONE and stage.state == DONE else tone
    stands = "its effect is in the database" if stage.in_effect else "nothing of it is in the database"
    title = f"{step.name} at {step.at}: {step.do}; {step.kind}; {said}; {stands}"
    if path.named:
        yield small(f"at:{key}", x + w / 2, y + 10, step.at, anchor="middle")
        y += NAME
    back, colour_back, tone_back, said_back = _UNDOS[stage.undo]
    room = w - (44 if is_parallel(path.definition) else 30)  # a higher picture is drawn smaller, but not its type
    if not path.named or wide(step.name) + wide(words) > room:
        words = words[:1] + (back[0] if path.slim and stage.undo else "")
    text = fitting(step.name, words, w - 8) if words else cut(step.name, w - 6)
    yield from stack([box(f"step:{key}", text, colour or role, tone, title)], x, y, w, pitch=STEP + 2)
    if stage.in_effect:
        yield Box(id=f"effect:{key}", x=x, y=y + STEP + 1, w=w, h=BAR, role=role, tone="solid", title=stands)
    y += STEP + 2 + BAR
    if path.slim:
        return
    if step.kind != COMPENSATABLE:
        yield small(f"kind:{key}", x + w / 2, y + 12, "pivot" if step.kind == PIVOT else "retried", anchor="middle")
        return
    title = f"what undoes {step.name}: {step.undo}; {said_back}"
    undo = box(f"undo:{key}", back.format(turn=path.turn), colour_back or role, tone_back, title)
    yield from stack([undo], x, y, w, pitch=UNDO + 2)


def _pivot(path: Path, found: Mapping[str, StepState]) -> Iterator[Mark]:
    """The point of no return, an upright line after the pivot: dashed until it is passed."""
    pivot = path.definition.pivot
    if not pivot:
        return
    x, _ = path.at(pivot)
    passed = found[pivot].state == DONE
    x = min(x + path.wide + GAP / 2, path.x + path.width - 1)
    top, bottom = path.y + HEAD, path.y + height(path.definition, path.named) - 6
    role, words = ("ink", "is passed") if passed else ("soft", "is not reached")
    tone: Tone = "outline" if passed else "dashed"
    title = f"the point of no return: {pivot} {words}"
    yield Line(id=f"pivot:{path.name}", x=x, y=top, x2=x, y2=bottom, role=role, tone=tone, wide=2.5, title=title)


def _ways(path: Path, found: Mapping[str, StepState], role: Role) -> Iterator[Mark]:
    """The way forward from step to step, and below it the way back."""
    for a, b in path.definition.arrows:
        (x, y), (x2, y2), ways = path.at(a), path.at(b), f"{path.name}:{a}:{b}"
        x, x2, forward = x + path.wide + 1, x2 - 1, NAME * path.named + STEP / 2
        back = forward + STEP / 2 + 2 + BAR + UNDO / 2
        taken = role if found[b].state not in (WAITING, NEVER) else "line"
        yield _arrow(f"way:{ways}", x, y + forward, x2, y2 + forward, taken, f"{b} comes after {a}")
        if path.definition[a].kind == COMPENSATABLE and not path.slim:
            taken = role if found[a].undo in (TURN, UNDONE, STUCK) else "line"
            title = f"{a} is undone only after {b} is undone, or was never done"
            yield _arrow(f"back:{ways}", x2, y2 + back, x, y + back, taken, title)


def _arrow(id: str, x: float, y: float, x2: float, y2: float, role: Role, title: str) -> Mark:
    return Line(id=id, x=x, y=y, x2=x2, y2=y2, arrow=True, role=role, title=title)
