"""Whether a run can always still come to its end: what no property of single states can say.

Who waits for ever is seldom at rest: its timer fires, it asks again, and again nothing comes of it. So that all decide
in the end is no property of a state, but of what can come after it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from .history import History
from .simulation import Simulation
from .world import World


def dead_end(
    machine: Simulation, ended: Callable[[World], bool], max_states: int = 100_000
) -> History[World, Any] | None:
    """A shortest run to a state from which, without another fault, no state that has `ended` can be reached any more;
    None when there is none. Repairs are no faults, nor is what a crash or a cut had already taken.

    All runs within the machine's budget of faults are searched. Raises ValueError for a machine without a budget, and
    when there are more than `max_states` states.
    """
    if machine.params.budget is None:
        raise ValueError("budget is None; a search of all runs needs a budget of faults")
    start = machine.start()
    numbers: dict[Hashable, int] = {machine.key(start): 0}
    came: list[tuple[int, Any]] = [(-1, None)]
    before: list[list[int]] = [[]]  # from which states each is reached without another fault
    ends = [0] if ended(start) else []
    level = [(0, start)]
    while level:
        further = []
        for number, world in level:
            for event in machine.enabled(world):
                after, _ = machine.apply(world, event)
                to = numbers.setdefault(machine.key(after), len(came))
                if to == len(came):
                    if to == max_states:
                        raise ValueError(f"max_states is {max_states:,}; there are more")
                    came.append((number, event))
                    before.append([])
                    further.append((to, after))
                    if ended(after):
                        ends.append(to)
                if after.budget == world.budget:
                    before[to].append(number)
        level = further
    hopeful = set(ends)
    while ends:
        new = {number for to in ends for number in before[to]} - hopeful
        hopeful |= new
        ends = [*new]
    hopeless = next((number for number in range(len(came)) if number not in hopeful), None)
    return None if hopeless is None else _run_to(machine, came, hopeless)


def _run_to(machine: Simulation, came: list[tuple[int, Any]], number: int) -> History[World, Any]:
    events = []
    while number:
        number, event = came[number]
        events.append(event)
    history: History[World, Any] = History(machine)
    history.run(events[::-1])
    return history
