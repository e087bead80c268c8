"""What a run can be told to run until: predicates on a step."""

from __future__ import annotations

from typing import Any

from patterns.consensus_raft.properties import split_vote
from patterns.consensus_raft.state import ServerState
from patterns.engine.milestones import Milestones, fired, first, when
from patterns.engine.step import Step
from patterns.engine.world import World


def committed_everywhere(step: Step[World[ServerState], Any]) -> bool:
    """Whether with this step every server that is up knows all that is committed."""
    return fired("AE.5")(step) and len({server.commit_index for server in step.state.up}) == 1


MILESTONES: Milestones = {
    "a leader is elected": fired("C.2"),
    "the votes are split": first(when(split_vote)),
    "an entry is committed": fired("L.4"),
    "all servers know what is committed": committed_everywhere,
    "a client gets its answer": fired("CL.done", "CL.session", "RI.2"),
    "a log is repaired": fired("AE.3"),
    "a leader steps down": fired("ALL.2.down", role="leader"),
}
