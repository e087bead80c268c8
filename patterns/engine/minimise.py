"""From a long run that goes wrong to a short one: delta debugging on the events.

Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input" (2002): ever smaller pieces of the run are
left out, as long as the rest still goes wrong, until no single event can be missed. An event that cannot happen any
more without an earlier one is passed over.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

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
    run = _Run(machine, property)
    events = listed("events", events, "a list of events")
    memos = [] if run.start_is_wrong else run.memos_of(events)
    size = max(1, len(memos) // 2)
    while size:
        shorter = run.without_pieces(memos, size)
        if len(shorter) == len(memos):
            size //= 2
        else:
            size = max(1, min(size, len(shorter) // 2))
        memos = shorter
    return run.counterexample(memos)


class _Run:
    """Runs of memos: events in terms that survive a change of what came before."""

    def __init__(self, machine: Machine[Any, Any], property: Property) -> None:
        self.machine = machine
        self.property = property
        self.watch = Watch(machine, (property,))
        state = machine.start()
        self.start = Stage(state, self.watch.begin(state))
        self.start_is_wrong = self.watch.broken(self.start.memories, state)

    def step(self, stage: Stage, event: Any) -> Stage | Wrong:
        """The next stage, or how it breaks the property. Raises NotEnabled, also where the failure is another one."""
        reached = self.watch.step(stage, event)
        if isinstance(reached, Wrong) and type(reached.property) is not type(self.property):
            raise NotEnabled(reached.reason)
        return reached

    def memos_of(self, events: Sequence[Any]) -> list[Hashable]:
        """The memos of the events up to the bad step."""
        stage, memos = self.start, list[Hashable]()
        for event in events:
            memos.append(self.machine.memo(stage.state, event))
            try:
                reached = self.step(stage, event)
            except NotEnabled as problem:
                raise ValueError(
                    f"{self.property.name!r} holds until event {len(memos)}, and then: {problem}"
                ) from None
            if isinstance(reached, Wrong):
                return memos
            stage = reached
        holds = f"{self.property.name!r} holds all along these {len(memos)} events"
        raise ValueError(f"{holds}: there is nothing to minimise")

    def without_pieces(self, memos: list[Hashable], size: int) -> list[Hashable]:
        """One pass from the end: every piece of this size that can be left out is left out."""
        stages = self.stages(memos)
        at = len(memos)
        while at > 0:
            at = max(0, at - size)
            rest = self.fails(stages[at], memos[at + size :])
            if rest is not None:
                memos = memos[:at] + rest
        return memos

    def stages(self, memos: list[Hashable]) -> list[Stage]:
        """The stage before each memo."""
        stages = [self.start]
        for memo in memos[:-1]:
            reached = self.step(stages[-1], self.machine.recall(stages[-1].state, memo))
            assert isinstance(reached, Stage)
            stages.append(reached)
        return stages

    def fails(self, stage: Stage, memos: list[Hashable]) -> list[Hashable] | None:
        """The memos that were needed to go wrong from this stage; None when it does not go wrong."""
        kept: list[Hashable] = []
        for memo in memos:
            event = self.machine.recall(stage.state, memo)
            if event is None:
                continue
            try:
                reached = self.step(stage, event)
            except NotEnabled:
                continue
            kept.append(memo)
            if isinstance(reached, Wrong):
                return kept
            stage = reached
        return None

    def counterexample(self, memos: list[Hashable]) -> Counterexample:
        stage, events, wrong = self.start, [], self.start_is_wrong
        for memo in memos:
            events.append(self.machine.recall(stage.state, memo))
            reached = self.step(stage, events[-1])
            if isinstance(reached, Wrong):
                wrong = reached
                break
            stage = reached
        assert wrong is not None
        return counterexample(self.machine, events, wrong)
