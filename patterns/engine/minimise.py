"""From a long run that goes wrong to a short one: delta debugging on the events.

Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input" (2002): ever smaller pieces of the run are
left out, as long as the rest still goes wrong, until no single event can be missed. An event that cannot happen any
more without an earlier one is passed over.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from .counterexample import FAILS, Counterexample, Memories, Watch, counterexample, failure_of
from .machine import Machine, NotEnabled
from .properties import NoFailure, Property

Stage = tuple[Any, Memories]  # the state after some events, and what the property remembers of them


def minimise(machine: Machine[Any, Any], events: Sequence[Any], property: Property) -> Counterexample:
    """The events without those that the failure of `property` does not need, as a history that stands at the bad step.

    Raises ValueError when `property` holds all along these events.
    """
    run = _Run(machine, property)
    memos = run.memos_of(events)
    if not memos and not run.wrong(run.start):
        raise ValueError(f"{property.name!r} holds all along these {len(events)} events: there is nothing to minimise")
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
        self.watch = Watch(machine, () if isinstance(property, NoFailure) else (property,))
        state = machine.start()
        self.start: Stage = (state, self.watch.begin(state))

    def wrong(self, stage: Stage) -> str:
        broken = self.watch.broken(stage[1], stage[0])
        return broken[1] if broken else ""

    def step(self, stage: Stage, event: Any) -> Stage | str:
        """The next stage; or why it is wrong. Raises NotEnabled."""
        state, memories = stage
        try:
            after, notes = self.machine.apply(state, event)
        except NotEnabled:
            raise
        except FAILS as problem:
            return failure_of(self.machine, state, event, problem)
        then = (after, self.watch.follow(memories, state, event, after, notes))
        return self.wrong(then) or then

    def memos_of(self, events: Sequence[Any]) -> list[Hashable]:
        """The memos of the events up to the bad step; none when all is well."""
        stage, memos = self.start, []
        for event in events:
            memos.append(self.machine.memo(stage[0], event))
            reached = self.step(stage, event)
            if isinstance(reached, str):
                return memos
            stage = reached
        return []

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
            reached = self.step(stages[-1], self.machine.recall(stages[-1][0], memo))
            assert not isinstance(reached, str)
            stages.append(reached)
        return stages

    def fails(self, stage: Stage, memos: list[Hashable]) -> list[Hashable] | None:
        """The memos that were needed to go wrong from this stage; None when it does not go wrong."""
        kept: list[Hashable] = []
        for memo in memos:
            event = self.machine.recall(stage[0], memo)
            if event is None:
                continue
            try:
                reached = self.step(stage, event)
            except NotEnabled:
                continue
            kept.append(memo)
            if isinstance(reached, str):
                return kept
            stage = reached
        return None

    def counterexample(self, memos: list[Hashable]) -> Counterexample:
        stage, events, reason = self.start, [], self.wrong(self.start)
        for memo in memos:
            events.append(self.machine.recall(stage[0], memo))
            reached = self.step(stage, events[-1])
            if isinstance(reached, str):
                reason = reached
                break
            stage = reached
        return counterexample(self.machine, events, self.property, reason)
