"""Long runs under random faults, where no exhaustive search reaches. Then all is repaired, and progress must follow.

Every choice is a stateless draw, so a seed is a run: the seed of a failure is enough to see it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from time import perf_counter  # noqa: TID251 - how long a check takes is no part of any state
from typing import Any, NamedTuple

from .counterexample import FAILS, Counterexample, Memories, Watch, counterexample, failure_of
from .draw import key_of, mix
from .machine import Machine, NotEnabled
from .minimise import minimise
from .properties import NoFailure, Property, Sometimes

FAULTS: Mapping[str, float] = {
    "next": 0.10,
    "request": 0.05,
    "drop": 0.03,
    "duplicate": 0.03,
    "delay": 0.03,
    "crash": 0.005,
    "restart": 0.02,
    "pause": 0.003,
    "resume": 0.02,
    "cut": 0.005,
    "cut one way": 0.003,
    "heal": 0.01,
}
"""How likely an event of each group of choices is instead of the usual one; `next` is any order but the usual."""


class Progressed(Property):
    """A `Sometimes` is reached again after all faults were repaired."""

    def __init__(self, some: Sometimes, patience: int) -> None:
        super().__init__(f"{some.name}, within {patience:,} steps after all faults were repaired")


class RandomRuns(NamedTuple):
    """What the runs saw."""

    runs: int
    steps: int
    events: Mapping[str, int]
    """How often each type of event happened."""
    seconds: float
    failed_seed: int | None
    counterexample: Counterexample | None

    @property
    def holds(self) -> bool:
        return self.counterexample is None

    def __str__(self) -> str:
        if self.counterexample is None:
            return f"{self.runs:,} runs, {self.steps:,} steps, {self.seconds:.1f} s: all properties hold"
        return f"seed {self.failed_seed} fails: {self.counterexample}"


def random_worlds(
    machine: Machine[Any, Any],
    seeds: Iterable[int],
    steps: int = 300,
    properties: Iterable[Property | Sometimes] | None = None,
    *,
    faults: Mapping[str, float] = FAULTS,
    patience: int = 2_000,
    shrink: bool = True,
) -> RandomRuns:
    """For each seed, `steps` steps with random faults, the properties checked after each; then repair and progress.

    `properties` are the machine's own `always` unless given. `faults` gives the probability of each group of choices,
    the usual event taking the rest. Where the machine has a parameter `seed`, it gets the run's. After the steps all
    faults are repaired, and each `Sometimes` must be reached again within `patience` steps, of which all but clients'
    requests are the usual ones. The first failure ends it: minimised, unless `shrink` is false or it is of progress.

    Raises ValueError when the probabilities add up to more than 1, or `steps` is below 1.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; a run has at least one step")
    if sum(faults.values()) > 1 or any(chance < 0 for chance in faults.values()):
        raise ValueError(f"faults are {dict(faults)}; probabilities are not negative and add up to at most 1")
    properties = tuple(machine.always if properties is None else properties)
    began, runs, total, counts = perf_counter(), 0, 0, Counter[str]()
    for seed in seeds:
        seeded = machine.again(seed=seed) if hasattr(machine.params, "seed") else machine
        run = _RandomRun(seeded, properties, seed)
        run.go(steps, faults, patience)
        runs += 1
        total += len(run.events)
        counts.update(type(event).__name__ for event in run.events)
        if run.broken:
            found = run.failure(shrink)
            return RandomRuns(runs, total, counts, perf_counter() - began, seed, found)
    return RandomRuns(runs, total, counts, perf_counter() - began, None, None)


class _RandomRun:
    def __init__(self, machine: Machine[Any, Any], properties: tuple[Property | Sometimes, ...], seed: int) -> None:
        self.machine = machine
        self.watch = Watch(machine, [p for p in properties if isinstance(p, Property)])
        self.sometimes = [p for p in properties if isinstance(p, Sometimes)]
        self.key = key_of(seed, "random world")
        self.drawn = 0
        self.state = machine.start()
        self.memories: Memories = self.watch.begin(self.state)
        self.events: list[Any] = []
        self.broken: tuple[Property, str] | None = self.watch.broken(self.memories, self.state)

    def go(self, steps: int, faults: Mapping[str, float], patience: int) -> None:
        for _ in range(steps):
            event = None if self.broken else self.next_event(faults)
            if event is None:
                break
            self.take(event)
        if self.broken or not self.sometimes:
            return
        for event in self.machine.repairs(self.state):
            self.take(event)
        self.progress(faults, patience)

    def draw(self, below: int) -> int:
        self.drawn += 1
        return mix(self.key, self.drawn) % below

    def next_event(self, faults: Mapping[str, float]) -> Any | None:
        """A random event of a random group; where that group has none, and mostly, the usual one.

        Where nothing is usual, groups are drawn until one has an event, and at last any event will do.
        """
        usual = self.machine.usual(self.state)
        all_faults = sum(faults.values())
        for _ in range(1 if usual is not None else 20):
            chance = self.draw(1_000_000) / 1_000_000 * (1 if usual is not None else all_faults)
            for group, share in faults.items():
                chance -= share
                if chance < 0:
                    if (event := self.one_of(group)) is not None:
                        return event
                    break
        return usual if usual is not None else self.one_of("")

    def one_of(self, group: str) -> Any | None:
        events = tuple(self.machine.enabled(self.state, group))
        return events[self.draw(len(events))] if events else None

    def take(self, event: Any) -> None:
        if self.broken:
            return
        before = self.state
        self.events.append(event)
        try:
            self.state, notes = self.machine.apply(before, event)
        except NotEnabled:
            raise
        except FAILS as problem:
            self.broken = (NoFailure(), failure_of(self.machine, before, event, problem))
            return
        self.memories = self.watch.follow(self.memories, before, event, self.state, notes)
        self.broken = self.watch.broken(self.memories, self.state)

    def progress(self, faults: Mapping[str, float], patience: int) -> None:
        waiting = self.sometimes
        for _ in range(patience):
            waiting = [some for some in waiting if not some.reached(self.state)]
            asks = self.draw(1_000_000) < 1_000_000 * faults.get("request", 0)
            event = (self.one_of("request") if asks else None) or self.machine.usual(self.state)
            if event is None:
                event = self.one_of("request")
            if not waiting or event is None or self.broken:
                break
            self.take(event)
        if waiting and not self.broken:
            self.broken = (
                Progressed(waiting[0], patience),
                f"it was not reached, {len(self.events)} steps into the run",
            )

    def failure(self, shrink: bool) -> Counterexample:
        assert self.broken
        property, reason = self.broken
        if shrink and not isinstance(property, Progressed):
            return minimise(self.machine, self.events, property)
        return counterexample(self.machine, self.events, property, reason)
