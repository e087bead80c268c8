"""Every run of a small machine: breadth first, equal states merged, so that what goes wrong is shown by a shortest run.

The search is exact within its bounds, and says which bound cut it short, if one did. Its counts are those of TLC, the
model checker of TLA+: distinct states, generated states (the starts included) and depth (states on the longest of the
shortest paths). States are compared whole, not by a fingerprint, so no state is missed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from time import perf_counter  # noqa: TID251 - how long a search takes is no part of any state
from typing import Any, NamedTuple

from .counterexample import FAILS, Counterexample, Memories, Watch, counterexample, failure_of
from .history import History
from .machine import Machine
from .properties import AtRest, NoFailure, Property, Sometimes

AnyMachine = Machine[Any, Any]


class Progress(NamedTuple):
    """How far a search is."""

    states: int
    generated: int
    depth: int
    waiting: int
    """States found and not yet looked into."""
    seconds: float


class Exploration(NamedTuple):
    """What a search found, and the bounds within which it looked."""

    states: int
    """Distinct states, and for properties that remember, distinct memories of them."""
    generated: int
    """States reached in any way, the starts included."""
    depth: int
    """States on the longest of all shortest paths: 1 when nothing can happen."""
    seconds: float
    cut_by: str
    """What ended the search before all was seen: a bound, an interruption, a counterexample; empty when complete."""
    counterexample: Counterexample | None
    never: tuple[str, ...]
    """The `Sometimes` that were never met."""
    witnesses: Mapping[str, History[Any, Any]]
    """For each `Sometimes` that was met, a shortest run to it."""

    @property
    def complete(self) -> bool:
        return not self.cut_by

    @property
    def holds(self) -> bool:
        """No property was broken and, in a complete search, every `Sometimes` was met."""
        return self.counterexample is None and not (self.complete and self.never)

    def __str__(self) -> str:
        size = f"{self.states:,} states, {self.generated:,} generated, depth {self.depth}, {self.seconds:.1f} s"
        how = "every state was seen" if self.complete else f"cut short by {self.cut_by}"
        lines = [f"{size}: {how}"]
        lines += [f"never happened: {name}" for name in self.never]
        if self.counterexample:
            lines.append(str(self.counterexample))
        return "\n".join(lines)


def explore(
    machine: AnyMachine | Sequence[AnyMachine],
    properties: Iterable[Property | Sometimes] | None = None,
    *,
    max_states: int = 1_000_000,
    max_depth: int | None = None,
    within: Callable[[Any], bool] | None = None,
    symmetry: Callable[[Any], Hashable] | None = None,
    progress: bool | Callable[[Progress], None] = False,
) -> Exploration:
    """Look at every run of `machine`, and stop at the first state that breaks a property.

    `properties` are the machine's own `always` unless given. Several machines are searched as one, from all their
    starts. States outside `within` are checked but not followed further. `symmetry` gives states that differ only in
    names the same key; by default `machine.key` tells states apart. `max_depth` counts states, the start included.
    `progress` is called, or with True a bar is drawn, several times a second. An interruption (Ctrl-C, a notebook's
    stop button) ends the search and keeps what was found. Raises ValueError for a bound below 1.
    """
    if max_states < 1 or (max_depth is not None and max_depth < 1):
        raise ValueError(f"max_states is {max_states} and max_depth is {max_depth}; a bound is at least 1")
    machines = [machine] if isinstance(machine, Machine) else list(machine)
    if not machines:
        raise ValueError("there is no machine to explore")
    search = _Search(machines, machines[0].always if properties is None else properties)
    search.bounds(max_states, max_depth, within, symmetry)
    search.report = _bar(max_states) if progress is True else progress or None
    try:
        search.run()
    except KeyboardInterrupt:
        search.cut_by = "an interruption"
    if progress is True:
        print(file=sys.stderr)
    return search.result()


class _Search:
    """A breadth-first search under way. Nodes are numbers; a node's run is read off the parents."""

    def __init__(self, machines: list[AnyMachine], properties: Iterable[Property | Sometimes]) -> None:
        properties = tuple(properties)
        self.machine = machines[0]
        self.machines = machines
        self.sometimes = [p for p in properties if isinstance(p, Sometimes)]
        always = [p for p in properties if isinstance(p, Property)]
        plain = [p for p in always if type(p).follow is Property.follow and not isinstance(p, AtRest)]
        self.plain = plain
        self.watch = Watch(self.machine, [p for p in always if p not in plain])
        self.parents: list[int] = []
        self.events: list[Any] = []  # for a start: its machine
        self.seen: set[Hashable] = set()
        self.generated = 0
        self.depth = 0  # the level that is being expanded: 1 for the starts
        self.deepest = 0
        self.cut_by = ""
        self.found: Counterexample | None = None
        self.met: dict[str, int] = {}
        self.report: Callable[[Progress], None] | None = None
        self.began = perf_counter()
        self.reported = self.began

    def bounds(
        self,
        max_states: int,
        max_depth: int | None,
        within: Callable[[Any], bool] | None,
        symmetry: Callable[[Any], Hashable] | None,
    ) -> None:
        self.max_states = max_states
        self.max_depth = max_depth
        self.within = within
        self.key = symmetry or self.machine.key

    def run(self) -> None:
        level: list[tuple[int, Any, Memories]] = []
        for machine in self.machines:
            state = machine.start()
            self.generated += 1
            self.arrive(level, -1, machine, state, self.watch.begin(state))
        while level and not self.cut_by:
            self.depth += 1
            if self.depth == self.max_depth:
                if any(True for _, state, _ in level for _ in self.machine.enabled(state)):
                    self.cut_by = f"max_depth = {self.max_depth}"
                return
            level = self.expand(level)

    def expand(self, level: list[tuple[int, Any, Memories]]) -> list[tuple[int, Any, Memories]]:
        """The states one step further that were not seen before."""
        machine, watch, within = self.machine, self.watch, self.within
        further: list[tuple[int, Any, Memories]] = []
        remembers = bool(watch.properties)
        for node, state, memories in level:
            if within is not None and not within(state):
                continue
            for event in machine.enabled(state):
                try:
                    after, notes = machine.apply(state, event)
                except FAILS as problem:
                    self.broken(node, event, NoFailure(), failure_of(machine, state, event, problem))
                    return further
                self.generated += 1
                then = watch.follow(memories, state, event, after, notes) if remembers else memories
                self.arrive(further, node, event, after, then)
                if self.cut_by:
                    return further
            if self.report and perf_counter() - self.reported > 0.2:
                self.reported = perf_counter()
                self.report(self.so_far(len(further)))
        return further

    def arrive(
        self, level: list[tuple[int, Any, Memories]], parent: int, event: Any, state: Any, memories: Memories
    ) -> None:
        """A state was reached: where it is new, remember the way there and check it."""
        seen = self.seen
        before = len(seen)
        key = (self.key(state), memories) if memories else self.key(state)
        seen.add(key)
        if len(seen) == before:
            return
        if before == self.max_states:
            seen.remove(key)
            self.cut_by = f"max_states = {before:,}"
            return
        node = len(self.parents)
        self.parents.append(parent)
        self.events.append(event)
        level.append((node, state, memories))
        self.deepest = self.depth + 1
        for some in self.sometimes:
            if some.name not in self.met and some.reached(state):
                self.met[some.name] = node
        for p in self.plain:
            if reason := p.reason(None, state):
                return self.broken(node, None, p, reason)
        if broken := self.watch.broken(memories, state):
            return self.broken(node, None, *broken)

    def broken(self, node: int, last: Any, property: Property, reason: str) -> None:
        machine, events = self.run_to(node)
        self.found = counterexample(machine, events if last is None else [*events, last], property, reason)
        self.cut_by = "a counterexample"

    def run_to(self, node: int) -> tuple[AnyMachine, list[Any]]:
        """The machine and the events that lead to a node."""
        events = []
        while self.parents[node] >= 0:
            events.append(self.events[node])
            node = self.parents[node]
        return self.events[node], events[::-1]

    def so_far(self, waiting: int) -> Progress:
        return Progress(len(self.seen), self.generated, self.depth, waiting, perf_counter() - self.began)

    def result(self) -> Exploration:
        witnesses = {}
        for name, node in self.met.items():
            machine, events = self.run_to(node)
            history = witnesses[name] = History(machine)
            history.run(events)
        return Exploration(
            states=len(self.seen),
            generated=self.generated,
            depth=self.deepest,
            seconds=perf_counter() - self.began,
            cut_by=self.cut_by,
            counterexample=self.found,
            never=tuple(some.name for some in self.sometimes if some.name not in self.met),
            witnesses=witnesses,
        )


def _bar(max_states: int) -> Callable[[Progress], None]:
    """A line that is written over: in a terminal and in a notebook alike."""

    def draw(now: Progress) -> None:
        done = round(30 * now.states / max_states)
        speed = now.states / max(now.seconds, 0.001)
        print(
            f"\r{'█' * done}{'░' * (30 - done)} {now.states:,} states, depth {now.depth}, "
            f"{now.waiting:,} waiting, {speed:,.0f} a second ",
            end="",
            file=sys.stderr,
            flush=True,
        )

    return draw
