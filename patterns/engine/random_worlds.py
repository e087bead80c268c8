"""Long runs under random faults, where no exhaustive search reaches. Then all is repaired, and progress must follow.

Every choice is a stateless draw, so a seed is a run: the seed of a failure is enough to see it again.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sized
from concurrent.futures import Executor
from contextlib import closing
from functools import partial
from itertools import accumulate
from time import perf_counter  # noqa: TID251 - how long a check takes is no part of any state
from typing import Any, NamedTuple

from .arguments import require_instance, require_whole
from .counterexample import Counterexample, Stage, Watch, Wrong, counterexample
from .explore import INTERRUPTED
from .machine import Machine
from .many import bar, each
from .minimise import minimise
from .params import refuse
from .properties import Property, Sometimes, checked
from .randomness import key_of, mix

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
    cut_by: str = ""
    """What ended the runs early: an interruption."""

    @property
    def holds(self) -> bool:
        return self.counterexample is None and not self.cut_by

    @property
    def summary(self) -> str:
        """How many runs there were, or which seed fails and why, in one line."""
        if self.counterexample is None:
            cut = f", cut short by {self.cut_by}" if self.cut_by else ""
            return f"{self.runs:,} runs, {self.steps:,} steps, {self.seconds:.1f} s{cut}: no property was broken"
        return f"seed {self.failed_seed} fails: {self.counterexample.summary}"

    def __str__(self) -> str:
        if self.counterexample is None:
            return self.summary
        return f"seed {self.failed_seed} fails: {self.counterexample}"


def random_worlds(
    machine: Machine[Any, Any],
    seeds: Iterable[int],
    steps: int = 300,
    properties: Iterable[Property | Sometimes] | None = None,
    *,
    faults: Mapping[str, float] = FAULTS,
    uniform: bool = False,
    patience: int = 2_000,
    shrink: bool = True,
    executor: Executor | None = None,
    progress: bool | Callable[[int], None] = False,
) -> RandomRuns:
    """For each seed, `steps` steps with random faults, the properties checked after each; then repair and progress.

    `properties` are the machine's own `always` unless given. `faults` gives the probability of each group of choices;
    the usual event takes the rest. With `uniform`, any message on its way and any timer takes the rest, all equally
    likely. Where the machine has a parameter `seed`, it gets the run's. After the steps all faults are repaired, and
    each `Sometimes` must be reached again within `patience` steps, of which all but clients' requests are the usual
    ones. The first failure ends it: minimised, unless `shrink` is false or it is of progress.

    With an `executor`, its workers take the seeds; the result is the same. `progress` is called with the number of runs
    that are done; True draws a bar. An interruption (Ctrl-C, a notebook's stop button) ends the runs, and keeps what
    was found.

    Raises ParameterError for an unknown group of faults, for probabilities that add up to more than 1, and without a
    seed.
    """
    require_instance("machine", machine, Machine)
    require_whole("steps", steps)
    require_whole("patience", patience)
    require_instance("uniform", uniform, bool)
    require_instance("shrink", shrink, bool)
    properties = checked(machine.always if properties is None else properties)
    faults = _checked_faults(machine, faults)
    began, runs, counts = perf_counter(), 0, Counter[str]()
    failed, found, cut_by = None, None, ""
    given = (machine, properties, faults, uniform, steps, patience)
    report = bar(len(seeds) if isinstance(seeds, Sized) else None, "runs") if progress is True else progress or None
    try:
        with closing(each(partial(_outcome, *given), seeds if isinstance(seeds, Iterable) else (), executor)) as ended:
            for seed, (happened, broken) in ended:
                runs += 1
                counts.update(happened)
                if report:
                    report(runs)
                if broken:  # a seed is a run: here it happens again
                    failed, found = seed, _random_run(*given, seed).failure(shrink)
                    break
    except KeyboardInterrupt:
        cut_by = INTERRUPTED
    if progress is True:
        print(file=sys.stderr)
    if not runs and not cut_by:
        refuse("seeds", seeds, "one or more whole numbers")
    return RandomRuns(runs, counts.total(), counts, perf_counter() - began, failed, found, cut_by)


def _random_run(
    machine: Any, properties: Any, faults: Any, uniform: bool, steps: int, patience: int, seed: int
) -> _RandomRun:
    require_whole("seed", seed, least=None)
    seeded = machine.again(seed=seed) if hasattr(machine.params, "seed") else machine
    run = _RandomRun(seeded, properties, seed, faults, uniform)
    run.go(steps, patience)
    return run


def _outcome(*given: Any) -> tuple[Counter[str], bool]:
    """How often each type of event happened in the run of a seed, and whether it broke a property."""
    run = _random_run(*given)
    return Counter(type(event).__name__ for event in run.events), run.broken is not None


def _checked_faults(machine: Machine[Any, Any], faults: Any) -> Mapping[str, float]:
    known = {*FAULTS, *(choice.group for choice in machine.choices(machine.start()))}
    if not isinstance(faults, Mapping) or not known.issuperset(faults):
        refuse("faults", faults, f"a mapping from these groups to probabilities: {', '.join(sorted(known))}")
    chances = faults.values()
    if not all(isinstance(chance, int | float) and 0 <= chance <= 1 for chance in chances) or sum(chances) > 1:
        refuse("faults", faults, "probabilities that are not negative and add up to at most 1")
    return faults


class _RandomRun:
    def __init__(
        self,
        machine: Machine[Any, Any],
        properties: tuple[Property | Sometimes, ...],
        seed: int,
        faults: Mapping[str, float],
        uniform: bool,
    ) -> None:
        self.machine = machine
        self.watch = Watch(machine, properties)
        self.sometimes = [p for p in properties if isinstance(p, Sometimes)]
        self.key = key_of(seed, "random world")
        self.drawn = 0
        self.groups = tuple(faults)
        self.shares = tuple(accumulate(faults.values()))
        self.requests = faults.get("request", 0)
        self.uniform = uniform
        state = machine.start()
        self.stage = Stage(state, self.watch.begin(state))
        self.events: list[Any] = []
        self.broken: Wrong | None = self.watch.broken(self.stage.memories, state)

    def go(self, steps: int, patience: int) -> None:
        for _ in range(steps):
            event = None if self.broken else self.next_event()
            if event is None:
                break
            self.take(event)
        if self.broken or not self.sometimes:
            return
        for event in self.machine.repairs(self.stage.state):
            self.take(event)
        self.progress(patience)

    def draw(self, below: int) -> int:
        self.drawn += 1
        return mix(self.key, self.drawn) % below

    def next_event(self) -> Any | None:
        """A random event of a random group; where that group has none, and mostly, the usual one.

        Where nothing is usual, groups are drawn until one has an event, and at last any event will do.
        """
        usual = self.machine.usual(self.stage.state)
        shares, scale = self.shares, 1 if usual is not None or not self.shares else self.shares[-1]
        empty = set[str]()  # groups that were drawn and have no event: they need no second look
        for _ in range(1 if usual is not None else 20):
            at = bisect_right(shares, self.draw(1_000_000) / 1_000_000 * scale)
            if at == len(self.groups) or (group := self.groups[at]) in empty:
                continue
            event = self.one_of(group)
            if event is not None:
                return event
            empty.add(group)
        if usual is None:
            return self.one_of("")
        return (self.one_of("next") if self.uniform else None) or usual

    def one_of(self, group: str) -> Any | None:
        events = list(self.machine.enabled(self.stage.state, group))
        return events[self.draw(len(events))] if events else None

    def take(self, event: Any) -> None:
        if self.broken:
            return
        self.events.append(event)
        reached = self.watch.step(self.stage, event)
        if isinstance(reached, Wrong):
            self.broken = reached
        else:
            self.stage = reached

    def progress(self, patience: int) -> None:
        waiting = self.sometimes
        for left in range(patience, -1, -1):
            waiting = [some for some in waiting if not some.reached(self.stage.state)]
            asks = self.draw(1_000_000) < 1_000_000 * self.requests
            event = (self.one_of("request") if asks else None) or self.machine.usual(self.stage.state)
            if event is None:
                event = self.one_of("request")
            if not left or not waiting or event is None or self.broken:
                break
            self.take(event)
        if waiting and not self.broken:
            reason = f"it was not reached, {len(self.events)} steps into the run"
            self.broken = Wrong(Progressed(waiting[0], patience), reason)

    def failure(self, shrink: bool) -> Counterexample:
        assert self.broken is not None
        if shrink and not isinstance(self.broken.property, Progressed):
            return minimise(self.machine, self.events, self.broken.property)
        return counterexample(self.machine, self.events, self.broken)
