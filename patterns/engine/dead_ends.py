"""Whether a run can always still come to its end: what no property of single states can say.

A process that waits for ever is seldom at rest: its timer fires, it asks again, and nothing comes of it. That every run
ends is no property of a state, but of all that can come after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .arguments import require_function, require_instance, require_whole
from .counterexample import Memories
from .explore import BreadthFirst
from .history import History
from .params import refuse
from .properties import Property, Sometimes
from .simulation import Simulation
from .world import World


def dead_end(
    machine: Simulation, ended: Callable[[World], bool], max_states: int = 100_000
) -> History[World, Any] | None:
    """A shortest run to a state from which, without another fault, no state that has ended can be reached; or None. A
    repair does not count as a fault, and neither does a message lost to a crashed process or a cut link.

    All runs within the machine's budget of faults are searched. Raises ParameterError for a machine without a budget,
    and ValueError when the search is cut short: by `max_states`, or by a handler that fails.
    """
    search = Backwards(machine, ended, max_states)
    search.run()
    return search.dead_end()


class Backwards(BreadthFirst):
    """A search that keeps how each state is reached without another fault. It can check properties as it goes."""

    def __init__(
        self,
        machine: Simulation,
        ended: Callable[[World], bool],
        max_states: int = 100_000,
        properties: Sequence[Property | Sometimes] = (),
    ) -> None:
        require_instance("machine", machine, Simulation)
        require_function("ended", ended)
        require_whole("max_states", max_states)
        if machine.params.budget is None:
            refuse("budget", None, "a budget of faults, such as {'crash': 1}: it bounds the search")
        super().__init__((machine,), properties, max_states)
        self.ended = ended
        self.ends: list[int] = []
        self.before: list[list[int]] = []
        self.budgets: list[Any] = []

    def dead_end(self) -> History[World, Any] | None:
        """What `dead_end` gives, once the search has run. Raises ValueError when it was cut short."""
        if self.cut_by:
            raise ValueError(f"the search was cut short by {self.found.summary if self.found else self.cut_by}")
        hopeful, ends = set(self.ends), self.ends
        while ends:
            ends = list({number for to in ends for number in self.before[to]} - hopeful)
            hopeful.update(ends)
        hopeless = next((number for number in range(len(self.before)) if number not in hopeful), None)
        if hopeless is None:
            return None
        history = History(self.machines[0])
        history.run(self.run_to(hopeless)[1])
        return history

    def arrive(
        self, level: list[tuple[int, Any, Memories]], parent: int, event: Any, state: Any, memories: Memories
    ) -> int:
        number = super().arrive(level, parent, event, state, memories)
        if number == len(self.before):
            self.before.append([])
            self.budgets.append(state.budget)
            if self.ended(state):
                self.ends.append(number)
        if parent >= 0 and self.budgets[parent] == state.budget:
            self.before[number].append(parent)
        return number
