"""From a long run that goes wrong to a short one: delta debugging on the events.

Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input" (2002): ever smaller pieces of the run are
left out as long as the rest still goes wrong. In the end every event is needed. An event that cannot happen any more
without an earlier one is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from .arguments import listed, require_instance
from .counterexample import Counterexample, Stage, Watch, Wrong, counterexample
from .machine import Machine, NotEnabled
from .properties import Property


def minimise(machine: Machine[Any, Any], events: Sequence[Any], property: Property) -> Counterexample:
    """The events without those that the failure of `property` does not need, as a history that stands at the bad step.

    A handler that raises counts only when `property` is `NoFailure`. Raises ValueError when `property` holds all along
    these events, as far as they can happen.
    """
    require_instance("machine", machine, Machine)
    require_instance("property", property, Property)
    events = listed("events", events, "a list of events")
    runs, state = _Runs(machine, property), machine.start()
    start = Stage(state, runs.watch.begin(state))
    if wrong := runs.watch.broken(start.memories, state):
        return counterexample(machine, (), wrong)
    run = runs.of(start, events, lambda state, event: event)
    size = max(1, len(run.signatures) // 2)
    while run.wrong and size:
        shorter = runs.without_pieces(run, size)
        if len(shorter.signatures) == len(run.signatures):
            size //= 2
        else:
            size = max(1, min(size, len(shorter.signatures) // 2))
        run = shorter
    if run.wrong is None:
        raise ValueError(f"{property.name!r} holds all along these {len(events)} events: there is nothing to minimise")
    return counterexample(machine, run.events, run.wrong)


class _Run(NamedTuple):
    """What happened: each event, its signature, the stage before it; and how the last one broke the property."""

    events: list[Any]
    signatures: list[Hashable]
    """The events in terms that survive a change of what came before."""
    stages: list[Stage]
    wrong: Wrong | None


class _Runs:
    def __init__(self, machine: Machine[Any, Any], property: Property) -> None:
        self.machine = machine
        self.property = property
        self.watch = Watch(machine, (property,))

    def of(self, stage: Stage, signatures: Sequence[Any], find_event: Callable[[Any, Any], Any]) -> _Run:
        """The run of these signatures from this stage up to the bad step, without those that cannot happen in it."""
        run = _Run([], [], [], None)
        for signature in signatures:
            event = find_event(stage.state, signature)
            if event is None:
                continue
            try:
                reached = self.watch.step(stage, event)
            except NotEnabled:
                continue
            if isinstance(reached, Wrong) and type(reached.property) is not type(self.property):
                continue  # it fails in another way
            run.events.append(event)
            run.signatures.append(self.machine.signature(stage.state, event))
            run.stages.append(stage)
            if isinstance(reached, Wrong):
                return run._replace(wrong=reached)
            stage = reached
        return run

    def without_pieces(self, run: _Run, size: int) -> _Run:
        """One pass from the end: every piece of this size that can be left out is left out."""
        at = len(run.signatures)
        while at > 0:
            at = max(0, at - size)
            rest = self.of(run.stages[at], run.signatures[at + size :], self.machine.find_event)
            if rest.wrong:
                events, signatures, stages = run.events[:at], run.signatures[:at], run.stages[:at]
                run = _Run(events + rest.events, signatures + rest.signatures, stages + rest.stages, rest.wrong)
        return run
