"""What a run cost, counted in the run: messages, messages one after the other, writes to disk, times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from patterns.engine.history import History
from patterns.engine.step import Step
from patterns.engine.trace import answered, cause, received
from widgets.declared import view_of

Run = History[Any, Any]
AnyStep = Step[Any, Any]


def costs(run: Run, after: AnyStep | None = None, until: AnyStep | None = None) -> Mapping[str, int]:
    """The player's counters over a stretch of the run's branch: the steps after `after`, `until` the last one."""
    view, total = view_of(run.machine), Counter[str]()
    first = 0 if after is None else after.depth + 1
    last = len(run.branch) - 1 if until is None else until.depth
    for step in run.branch[first : last + 1]:
        total.update(view.costs_of(step))
    return total


def asked(run: Run, client: str) -> AnyStep:
    """The step before the client's request. Raises ValueError if the client asks for nothing."""
    first = _first(run, lambda step: step.state.call(client) is not None, f"{client} asks for nothing")
    return run.branch[first.depth - 1]


def answer(run: Run, client: str) -> AnyStep:
    """The first step in which the client has its answer. Raises ValueError if it gets none."""
    has = lambda step: any(call.client == client for call in answered(step))  # noqa: E731
    return _first(run, has, f"{client} gets no answer")


def _first(run: Run, holds: Callable[[AnyStep], bool], problem: str) -> AnyStep:
    for step in run.branch:
        if holds(step):
            return step
    raise ValueError(f"{problem} in a run of {len(run.branch) - 1} steps of {run.machine.name}")


def waited(run: Run, client: str) -> int:
    """For how many ms the client waits for its first answer. Raises ValueError if it gets none."""
    call = answer(run, client).state.call(client)
    return int(call.replied - call.asked)


def in_a_row(step: AnyStep, after: AnyStep | None = None) -> int:
    """How many messages had to arrive one after the other, each a reaction to the one before, to lead to a step."""
    arrived, at, first = 0, step, 0 if after is None else after.depth
    while at.depth > first:
        arrived += received(at) is not None
        earlier = cause(at)
        if earlier is None:
            break
        at = earlier
    return arrived


def ms_while(run: Run, holds: Callable[[Any], bool], after: AnyStep | None = None) -> int:
    """For how many ms a state holds, from a step to the end of the branch."""
    steps = run.branch[0 if after is None else after.depth :]
    return sum(later.state.clock - step.state.clock for step, later in pairwise(steps) if holds(step.state))
