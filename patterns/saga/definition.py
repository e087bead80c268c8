"""A saga as a learner writes it: steps, each with its service, what it does, and what undoes it.

    saga(
        "order",
        step("reserve", at="stock", do=Move("beans", "reserved", 1), undo=Move("reserved", "beans", 1)),
        step("charge", at="payment", do=Move("ann", "shop", 30), undo=Move("shop", "ann", 30)),
        step("approve", at="orders", do=Add("approved", 1), kind=PIVOT),
        step("ship", at="shipping", do=Add("parcels", 1), kind=RETRIABLE),
    )

Garcia-Molina and Salem, "Sagas", SIGMOD 1987 (sequences of steps; section 8: parallel ones). The three kinds of steps
are Richardson's ("Microservices Patterns", 2018, section 4.3). Compensatable steps can be undone. The pivot is the
point of no return. Retriable steps follow it; a service never refuses them, and they are tried until they are done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Literal, get_args

import msgspec

from patterns.engine.values import by_name

from .actions import Action, Look, Move, Overwrite, Reread, Row

Kind = Literal["compensatable", "pivot", "retriable"]
COMPENSATABLE: Kind = "compensatable"
"""It can be undone, and may be refused."""
PIVOT: Kind = "pivot"
"""The point of no return: it may be refused, but once it is done the saga goes only forward."""
RETRIABLE: Kind = "retriable"
"""After the point of no return: it is never refused, and is tried until it is done."""
KINDS: tuple[Kind, ...] = (COMPENSATABLE, PIVOT, RETRIABLE)

PREVIOUS = "the step before"
"""What a step comes after unless it says otherwise."""
PLENTY = 100
"""What a row that a step takes from begins with, where nothing else is said."""


class DefinitionError(ValueError):
    """A saga that cannot work; the message says why, and how to define it."""


class Step(msgspec.Struct, frozen=True, cache_hash=True):
    """A step of a saga: a local transaction of one service, and the one that undoes it."""

    name: str
    at: str
    """The service that does it."""
    do: Action
    undo: Action | None = None
    """Its compensation; None for a pivot and for a retriable step."""
    after: tuple[str, ...] = ()
    """The steps that must be done before it begins."""
    kind: Kind = COMPENSATABLE


class Saga(msgspec.Struct, frozen=True, cache_hash=True):
    """A saga that can work. Raises DefinitionError, when it is built or decoded, for one that cannot."""

    name: str
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise DefinitionError(problem)

    def __getitem__(self, name: str) -> Step:
        """The step of that name. Raises KeyError."""
        step = by_name(self.steps, name)
        if step is None:
            raise KeyError(f"{self.name} has no step {name!r}; it has {', '.join(self.names)}")
        return step

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.steps)

    @property
    def services(self) -> tuple[str, ...]:
        """Those that take part, in the order of the steps."""
        return tuple(dict.fromkeys(each.at for each in self.steps))

    @property
    def roots(self) -> tuple[str, ...]:
        """The steps that wait for none."""
        return tuple(each.name for each in self.steps if not each.after)

    @property
    def leaves(self) -> tuple[str, ...]:
        """The steps that none waits for."""
        return tuple(each.name for each in self.steps if not self.next_to(each.name))

    @property
    def pivot(self) -> str:
        """The step that is the point of no return; empty for a saga without a pivot."""
        return next((each.name for each in self.steps if each.kind == PIVOT), "")

    @property
    def arrows(self) -> tuple[tuple[str, str], ...]:
        """The fewest arrows that say what waits for what (the transitive reduction): for a picture."""
        return tuple(
            (a, b.name)
            for b in self.steps
            for a in self.names
            if a in b.after and not any(b.name in self.following(c) for c in self.next_to(a))
        )

    @property
    def generations(self) -> tuple[tuple[str, ...], ...]:
        """Steps that may run at the same time, generation by generation."""
        return _generations(self)

    def following(self, name: str) -> frozenset[str]:
        """All the steps that can begin only after this one."""
        return _following(self)[name]

    def next_to(self, name: str) -> tuple[str, ...]:
        """The steps that wait for this one directly."""
        return tuple(each.name for each in self.steps if name in each.after)

    def rows(self, service: str) -> tuple[Row, ...]:
        """The rows that its steps name at a service. What a step takes from, and none before it put there, begins with
        `PLENTY`, all else with 0."""
        begins: dict[str, int] = {}
        for each in self.steps:
            if each.at == service:
                if isinstance(each.do, Move):
                    begins.setdefault(each.do.source, PLENTY)
                for action in (each.do, each.undo):
                    for key in action.touches if action else ():
                        begins.setdefault(key, 0)
        return tuple(Row(key, value) for key, value in begins.items())


def step(
    name: str,
    *,
    at: str,
    do: Action,
    undo: Action | None = None,
    after: str | Sequence[str] = PREVIOUS,
    kind: Kind = COMPENSATABLE,
) -> Step:
    """A step of a saga, for `saga()`: by default after the one before it, else after those named; `()` for none.

    Parallel branches are steps after the same one. Raises DefinitionError for an `after` of another kind; what else a
    step must be, its saga says.
    """
    if isinstance(after, str):
        after = (after,)
    if not isinstance(after, Sequence) or not all(isinstance(each, str) for each in after):
        raise DefinitionError(f"after is {after!r}; allowed are names of steps, a list of them, or () for none")
    return Step(name, at, do, undo, tuple(after), kind)


def saga(name: str, *steps: Step) -> Saga:
    """A saga of these steps. Raises DefinitionError, with the reason, for one that cannot work."""
    resolved: list[Step] = []
    for each in steps:
        if isinstance(each, Step) and PREVIOUS in each.after:
            each = msgspec.structs.replace(each, after=tuple(before.name for before in resolved[-1:]))
        resolved.append(each)
    return Saga(name, tuple(resolved))


def _order_of(of: Saga) -> TopologicalSorter[str]:
    """Its steps, to be taken in order. Raises CycleError for one that goes in a circle."""
    order = TopologicalSorter({each.name: each.after for each in of.steps})
    order.prepare()
    return order


@lru_cache(maxsize=256)
def _generations(of: Saga) -> tuple[tuple[str, ...], ...]:
    order, found = _order_of(of), []
    while order.is_active():
        generation = order.get_ready()
        order.done(*generation)
        found.append(tuple(name for name in of.names if name in generation))
    return tuple(found)


@lru_cache(maxsize=256)
def _following(of: Saga) -> dict[str, frozenset[str]]:
    found = {name: {*of.next_to(name)} for name in of.names}
    for by in of.names:  # as Warshall: first by way of no other step, then by way of one more at a time
        for after in found.values():
            if by in after:
                after |= found[by]
    return {name: frozenset(after - {name}) for name, after in found.items()}


# What a definition must be: each check gives what is wrong, and what is allowed

WHY = {PIVOT: "the pivot is the point of no return", RETRIABLE: "a retriable step cannot be undone"}


def _problems(of: Saga) -> Iterator[str]:
    if not isinstance(of.name, str):
        yield f"the name of a saga is {of.name!r}; it is a text, and stands before the steps"
    if not of.steps:
        yield f"saga {of.name!r} has no steps; it needs at least one"
    for check in (_types, _names, _kinds, _circles, _order, _sights):
        yield from check(of)


def _types(of: Saga) -> Iterator[str]:
    """msgspec checks what it decodes, and not what is built in Python."""
    for each in of.steps:
        if not isinstance(each, Step):
            yield f"{each!r} stands among the steps of a saga; each is a step(...) of its own"
        if not isinstance(each.name, str) or not isinstance(each.at, str):
            yield f"step {each.name!r} is at={each.at!r}; the name and the service are texts"
        for what, action in (("do", each.do), ("undo", each.undo)):
            if not isinstance(action, Action) and not (what == "undo" and action is None):
                allowed = ", ".join(kind.__name__ for kind in get_args(Action))
                yield f"step {each.name!r} has {what}={action!r}; allowed are the actions {allowed}"
        if each.kind not in KINDS:
            yield f"step {each.name!r} is of kind {each.kind!r}; allowed are {', '.join(KINDS)}"


def _names(of: Saga) -> Iterator[str]:
    names = of.names
    for at, each in enumerate(of.steps):
        if not of.name or not each.name or not each.at:
            yield f"step {at + 1} of saga {of.name!r} lacks a name or a service; all three must be named"
        if each.name.startswith("undo "):
            yield f"a step is named {each.name!r}; `undo` stands for a compensation, so no name begins with it"
        if each.name in names[:at]:
            yield f"saga {of.name!r} has two steps named {each.name!r}; each needs a name of its own"
        for before in each.after:
            if before not in names:
                yield f"step {each.name!r} comes after {before!r}; the steps are {', '.join(names)}"


def _kinds(of: Saga) -> Iterator[str]:
    pivots = [each.name for each in of.steps if each.kind == PIVOT]
    if len(pivots) > 1:
        yield f"saga {of.name!r} has two pivots, {pivots[0]!r} and {pivots[1]!r}; allowed is one point of no return"
    for each in of.steps:
        if each.kind == COMPENSATABLE and each.undo is None:
            yield f"step {each.name!r} has no compensation: give its undo=, or make it the pivot or retriable"
        if each.kind != COMPENSATABLE and each.undo is not None:
            yield f"step {each.name!r} is {each.kind} and has an undo, which would never run"


def _circles(of: Saga) -> Iterator[str]:
    try:
        _order_of(of)
    except CycleError as circle:
        yield f"saga {of.name!r} goes in a circle: {' → '.join(circle.args[1])}; no step may wait for itself"


def _order(of: Saga) -> Iterator[str]:
    """Compensatable steps, then the pivot, then retriable ones (Richardson, 4.3): in every order the graph allows."""
    for late in of.steps:
        for early in of.steps:
            if KINDS.index(late.kind) < KINDS.index(early.kind) and early.name not in of.following(late.name):
                order = "comes before" if late.name in of.following(early.name) else "may run before"
                yield (
                    f"{early.kind} {early.name!r} {order} {late.kind} {late.name!r}, which may still be refused, and "
                    f"{WHY[early.kind]}: allowed are compensatable steps, then at most one pivot, then retriable steps"
                )


def _sights(of: Saga) -> Iterator[str]:
    """A step that overwrites a row writes what its saga saw of it: a step before it has to look."""
    for each in of.steps:
        if isinstance(each.undo, Overwrite | Look):
            yield (
                f"step {each.name!r} is undone by {each.undo!r}; a compensation may come late, and does not depend on "
                f"what was seen: allowed are Move, Add and Nothing"
            )
        if not isinstance(each.do, Overwrite):
            continue
        looks = [step for step in of.steps if (step.at, step.do) == (each.at, Look(each.do.key))]
        if not any(each.name in of.following(look.name) for look in looks):
            yield (
                f"step {each.name!r} writes what the saga saw of {each.do.key!r} at {each.at!r}, and no step before it "
                f"looks there: put one before it with do=Look({each.do.key!r})"
            )
        if isinstance(each.do, Reread) and each.kind == RETRIABLE:
            yield f"step {each.name!r} is retriable, and a Reread is refused for good if the row has changed"
