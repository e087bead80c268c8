"""Every run of a small machine: breadth first, equal states merged, so that what goes wrong is shown by a shortest run.

The search is exact within its bounds, and says which bound cut it short, if one did. Its counts are those of TLC, the
model checker of TLA+: distinct states, generated states (the starts included) and depth (states on the longest of the
shortest paths). States are compared whole, not by a fingerprint, so no state is missed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter  # noqa: TID251 - how long a search takes is no part of any state
from typing import Any, NamedTuple

from .along import AlwaysNext
from .arguments import listed, require_function, require_instance, require_whole
from .counterexample import FAILS, Counterexample, Memories, Watch, Wrong, counterexample, failure_of
from .history import History
from .machine import Machine
from .params import refuse
from .properties import Property, Sometimes, checked
from .sentences import wrapped

AnyMachine = Machine[Any, Any]

INTERRUPTED = "an interruption"
"""What cut a search short that Ctrl-C or a notebook's stop button ended."""


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
    """What ended the search early: a bound, an interruption, a counterexample; empty when nothing did."""
    beyond: int
    """States outside `within` from which more can happen. They were checked, and not followed further."""
    counterexample: Counterexample | None
    never: tuple[str, ...]
    """The `Sometimes` that were not met. Only in a complete search do they never happen."""
    witnesses: Mapping[str, History[Any, Any]]
    """For each `Sometimes` that was met, a shortest run to it; none after an interruption."""
    starts: int = 1

    @property
    def complete(self) -> bool:
        """Every state that can be reached was seen."""
        return not self.cut_by and not self.beyond

    @property
    def complete_within(self) -> bool:
        """Every state that can be reached inside the bound `within` was seen."""
        return not self.cut_by

    @property
    def holds(self) -> bool:
        """Every state inside the bound `within` was seen, no property is broken, and each `Sometimes` was met."""
        return self.complete_within and self.counterexample is None and not self.never

    @property
    def summary(self) -> str:
        """How the search ended and how large it was, in one line."""
        size = f"{self.states:,} states, at most {self.depth - 1} steps from the start"
        if self.counterexample:
            how = "The search stopped at the first state that breaks a promise"
        elif self.cut_by:
            how = f"The search was cut short by {self.cut_by}"
        elif self.beyond:
            how = "Every state within the bound was seen"
            size += f"; {self.beyond:,} states beyond it were not followed further"
        else:
            how = "Every state was seen"
        return f"{how}: {size}. It tried {self.generated - self.starts:,} steps in {self.seconds:.1f} s."

    def __str__(self) -> str:
        lines = [wrapped(self.summary)]
        lines += [f"{'never happened' if self.complete else 'not seen within these bounds'}: {n}" for n in self.never]
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

    `properties` are the machine's own `always` unless given. Several machines of one type, which differ in their starts
    only, are searched as one. States outside `within` are checked but not followed further. `symmetry` gives states
    that differ only in names the same key. By default `machine.key` tells states apart. `max_depth` counts states, the
    start included. Several times a second `progress` is called; True draws a bar. An interruption (Ctrl-C, a notebook's
    stop button) ends the search and keeps what was found.

    Raises ParameterError for an argument out of range. A property with a memory is refused together with `symmetry`:
    the memory would keep the names that the symmetry makes alike.
    """
    machines = listed("machine", [machine] if isinstance(machine, Machine | type) else machine, "one or more machines")
    if not machines:
        refuse("machine", machine, "one or more machines")
    for each in machines:
        require_instance("machine", each, Machine if each is machines[0] else type(machines[0]))
    require_whole("max_states", max_states)
    if max_depth is not None:
        require_whole("max_depth", max_depth)
    for name, function in (("within", within), ("symmetry", symmetry), ("progress", progress)):
        if function is not None and not (name == "progress" and isinstance(progress, bool)):
            require_function(name, function)
    properties = checked(machines[0].always if properties is None else properties)
    report = _bar(max_states) if progress is True else progress or None
    search = BreadthFirst(machines, properties, max_states, max_depth, within, symmetry, report)
    try:
        search.run()
    except KeyboardInterrupt:
        search.cut_by = INTERRUPTED
    if progress is True:
        print(file=sys.stderr)
    return search.result()


@dataclass
class BreadthFirst:
    """A breadth-first search under way. Nodes are numbers; a node's run is read off the parents."""

    machines: Sequence[AnyMachine]
    properties: Sequence[Property | Sometimes]
    max_states: int
    max_depth: int | None = None
    within: Callable[[Any], bool] | None = None
    symmetry: Callable[[Any], Hashable] | None = None
    report: Callable[[Progress], None] | None = None
    parents: list[int] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)  # for a start: its machine
    seen: dict[Hashable, int] = field(default_factory=dict)  # key -> node
    met: dict[Sometimes, int] = field(default_factory=dict)
    generated: int = 0
    depth: int = 0  # the level that is being expanded: 1 for the starts
    deepest: int = 0
    beyond: int = 0
    cut_by: str = ""
    found: Counterexample | None = None

    def __post_init__(self) -> None:
        self.machine = self.machines[0].for_search()
        self.key = self.symmetry or self.machine.key
        self.sometimes = [p for p in self.properties if isinstance(p, Sometimes)]
        self.watch = Watch(self.machine, self.properties)
        for p in self.watch.remembering:
            if self.symmetry and not isinstance(p, AlwaysNext):  # which remembers no names
                refuse("symmetry", self.symmetry, f"None together with {p!r}, which remembers names")
        self.began = self.reported = perf_counter()

    def run(self) -> None:
        level: list[tuple[int, Any, Memories]] = []
        for machine in self.machines:
            state = machine.start()
            self.generated += 1
            self.arrive(level, -1, machine, state, self.watch.begin(state))
        while level and not self.cut_by:
            self.depth += 1
            level = self.expand(level)

    def expand(self, level: list[tuple[int, Any, Memories]]) -> list[tuple[int, Any, Memories]]:
        """The states one step further that were not seen before."""
        machine, watch, within, last = self.machine, self.watch, self.within, self.depth == self.max_depth
        further: list[tuple[int, Any, Memories]] = []
        for node, state, memories in level:
            if within is not None and not within(state):
                self.beyond += any(True for _ in machine.enabled(state))
                continue
            for event in machine.enabled(state):
                if last:
                    self.cut_by = f"max_depth = {self.max_depth}"
                    return further
                try:
                    after, notes = machine.apply(state, event)
                except FAILS as problem:
                    self.broken(node, [event], failure_of(machine, state, event, problem))
                    return further
                self.generated += 1
                then = watch.follow(memories, state, event, after, notes) if memories else memories
                self.arrive(further, node, event, after, then)
                if self.cut_by:
                    return further
            if self.report and perf_counter() - self.reported > 0.2:
                self.reported = perf_counter()
                self.report(self.so_far(len(further)))
        return further

    def arrive(
        self, level: list[tuple[int, Any, Memories]], parent: int, event: Any, state: Any, memories: Memories
    ) -> int:
        """A state was reached, with this number: where it is new, remember the way there and check it."""
        new = len(self.parents)
        key = (self.key(state), memories) if memories else self.key(state)
        node = self.seen.setdefault(key, new)
        if node != new:
            return node
        if new == self.max_states:
            del self.seen[key]
            self.cut_by = f"max_states = {new:,}"
            return node
        self.parents.append(parent)
        self.events.append(event)
        level.append((node, state, memories))
        self.deepest = self.depth + 1
        for some in self.sometimes:
            if some not in self.met and some.reached(state):
                self.met[some] = node
        if wrong := self.watch.broken(memories, state):
            self.broken(node, [], wrong)
        return node

    def broken(self, node: int, last: list[Any], wrong: Wrong) -> None:
        machine, events = self.run_to(node)
        self.found = counterexample(machine, [*events, *last], wrong)
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
        # after an interruption no handler is called again: it may be one that does not end
        for some, node in () if self.cut_by == INTERRUPTED else self.met.items():
            machine, events = self.run_to(node)
            history = witnesses[some.name] = History(machine)
            history.run(events)
        return Exploration(
            states=len(self.seen),
            generated=self.generated,
            depth=self.deepest,
            seconds=perf_counter() - self.began,
            cut_by=self.cut_by,
            beyond=self.beyond,
            counterexample=self.found,
            never=tuple(some.name for some in self.sometimes if some not in self.met),
            witnesses=witnesses,
            starts=len(self.machines),
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
