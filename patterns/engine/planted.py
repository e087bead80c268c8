"""Planted bugs: what is changed in a machine, which property that breaks, and where to look for it.

    BUGS = {
        "the vote is not forced": Bug(
            "A participant's yes is not forced: after a crash it has forgotten its promise.",
            {"participant": PromisesInMemory},
            Search(TwoPhaseCommit(n=2, timing="quiet", budget={"crash": 1}), ALWAYS),
            breaks=money_conserved,
        ),
    }
    BUGS["the vote is not forced"].found()      # an Exploration with a counterexample
    BUGS["the vote is not forced"].clean()      # the same search without the bug

A check that never fails proves nothing. Every bug is found by the search that it declares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from .counterexample import FAILS, Counterexample, Watch
from .explore import Exploration, explore
from .history import History
from .machine import Machine
from .properties import Property, Sometimes
from .random_worlds import RandomRuns, random_worlds
from .script import Script

AnyMachine = Machine[Any, Any]
M = TypeVar("M", bound=AnyMachine)
Properties = Sequence[Property | Sometimes]

MANY_FAULTS: Mapping[str, float] = {
    "next": 0.15,
    "request": 0.08,
    "drop": 0.04,
    "duplicate": 0.08,
    "delay": 0.05,
    "crash": 0.04,
    "restart": 0.1,
    "pause": 0.005,
    "resume": 0.05,
    "cut": 0.03,
    "cut one way": 0.01,
    "heal": 0.05,
}
"""Random worlds with more faults than usual: bugs show in short runs."""


def with_parts(machine: type[M], **parts: Any) -> type[M]:
    """The machine with other classes in it: `with_parts(TwoPhaseCommit, coordinator=Mine)`.

    A part is an attribute of the machine's class. If a part has rules of its own, the machine can say them.
    Raises ValueError for an attribute that the machine does not have.
    """
    for name in parts:
        if not hasattr(machine, name):
            raise ValueError(f"{machine.__name__} has no part {name!r}")
    rules = {name: rule for part in parts.values() for name, rule in getattr(part, "rules", {}).items()}
    given = "".join(getattr(part, "__name__", "") for part in parts.values())
    named = {"name": machine.name or machine.__name__, "rules": {**machine.rules, **rules}}
    return type(f"{given}{machine.__name__}", (machine,), named | parts)


def planted(machine: M, **changes: Any) -> M:
    """The same machine with these parameters and parts changed."""
    fields = msgspec.structs.fields(type(machine.params))
    params = {field.encode_name: changes.pop(field.encode_name) for field in fields if field.encode_name in changes}
    kind = with_parts(type(machine), **changes) if changes else type(machine)
    return kind(**{**msgspec.to_builtins(machine.params), **params})


class Found(Protocol):
    """The result of a search."""

    @property
    def counterexample(self) -> Counterexample | None: ...


class Looks(Protocol):
    """A place to look for what goes wrong: a machine, and runs of it."""

    @property
    def machine(self) -> AnyMachine: ...

    def run(self, machine: AnyMachine | None = None, /) -> Found:
        """Look there, or in the same way in another machine."""


class Search(NamedTuple):
    """All runs of a small machine."""

    machine: AnyMachine
    properties: Properties
    within: Callable[[Any], bool] | None = None
    max_states: int = 100_000

    def run(self, machine: AnyMachine | None = None, /) -> Exploration:
        machine = machine or self.machine
        return explore(machine, self.properties, within=self.within, max_states=self.max_states)


class RandomWorlds(NamedTuple):
    """Long runs under random faults."""

    machine: AnyMachine
    properties: Properties
    seeds: Iterable[int] = range(300)
    steps: int = 120
    faults: Mapping[str, float] = MANY_FAULTS
    uniform: bool = False
    patience: int = 2_000
    """Steps within which each `Sometimes` must be reached after the repair."""

    def run(self, machine: AnyMachine | None = None, /, **how: Any) -> RandomRuns:
        """`how`: what else `random_worlds` takes, such as an `executor`."""
        mine = {"faults": self.faults, "uniform": self.uniform, "patience": self.patience}
        machine, how = machine or self.machine, {**mine, **how}
        return random_worlds(machine, self.seeds, self.steps, self.properties, **how)


class Played(NamedTuple):
    """A run that was played, and the first of its steps that breaks a property."""

    history: History[Any, Any]
    counterexample: Counterexample | None

    @property
    def holds(self) -> bool:
        return self.counterexample is None


class Scripted(NamedTuple):
    """One run: what the script lets happen, as far as it gets. The history then stands at its start."""

    machine: AnyMachine
    script: Callable[[Script], Any]
    properties: Sequence[Property] = ()

    def run(self, machine: AnyMachine | None = None, /) -> Played:
        script = Script(machine or self.machine)
        with suppress(*FAILS):  # a learner's code fails, or leads elsewhere: the run ends before that
            self.script(script)
        return Played(script.at("start").history, first_broken(script.history, self.properties))


def first_broken(history: History[Any, Any], properties: Iterable[Property]) -> Counterexample | None:
    """The first step of a history's branch that breaks a property; the history then stands there. None if none does."""
    watch = Watch(history.machine, tuple(properties))
    memories = watch.begin(history.branch[0].state)
    for step in history.branch:
        if step.parent is not None:
            memories = watch.follow(memories, step.parent.state, step.event, step.state, step.notes)
        if broken := watch.broken(memories, step.state):
            history.jump(step)
            return Counterexample(*broken, history)
    return None


class Bug(NamedTuple):
    """A planted bug: what is changed in the machine of its search, and which property breaks there."""

    sentence: str
    """The fault, in words for a learner."""
    changes: Mapping[str, Any]
    """Parts of the machine's class, and parameters: `{"participant": PromisesInMemory}`, `{"lock": "none"}`."""
    search: Looks
    """Finds it, and finds nothing without it. Its machine is the right one."""
    breaks: Property | Sometimes
    random: RandomWorlds | None = None
    """Random worlds that find it too."""

    @property
    def machine(self) -> Any:
        """The machine of the search with the bug in it."""
        return planted(self.search.machine, **self.changes)

    def found(self) -> Any:
        """What the search finds with the bug."""
        return self.search.run(self.machine)

    def clean(self) -> Any:
        """What the search finds without the bug."""
        return self.search.run()

    def random_runs(self, **how: Any) -> RandomRuns:
        """What random worlds find with the bug. Raises ValueError if the bug names none.

        `how`: what else `random_worlds` takes, such as an `executor`.
        """
        if self.random is None:
            raise ValueError("this bug names no random worlds")
        return self.random.run(planted(self.random.machine, **self.changes), **how)
