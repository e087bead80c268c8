"""What a run can be told to run until."""

from __future__ import annotations

from patterns.engine.milestones import Milestones, fired, first, when
from patterns.engine.world import World
from patterns.two_phase_commit.readings import blocked, coordinator, in_doubt, participants, transactions


def all_ended(world: World) -> bool:
    """Whether a transaction has begun, and none is open at any process."""
    busy = in_doubt(world) or coordinator(world).open or any(process.branches for process in participants(world))
    return bool(world.calls or transactions(world)) and not busy


TWO_PHASES: Milestones = {
    "all have voted": fired("C.commit", "3.pre"),
    "the coordinator has decided": fired("C.commit", "C.abort"),
    "a participant votes no": fired("P.no", "P.tired"),
    "a participant is in doubt": first(when(in_doubt)),
    "a participant in doubt asks": fired("P.ask", "3.poll", "3.poll.back"),
    "blocked: all that are up are in doubt": first(when(blocked)),
    "a transfer waits for a lock": fired("P.wait"),
    "a participant takes the coordinator's place": fired("3.poll"),
    "all is done": first(when(all_ended)),
}
