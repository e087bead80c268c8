"""What a run can be told to run until: predicates on a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from patterns.consensus_raft.properties import split_vote
from patterns.engine.step import Step
from patterns.engine.world import World


def fired(*rules: str) -> Callable[[Step[Any, Any]], bool]:
    """Whether one of these rules fired in the step."""
    return lambda step: any(note.rule in rules for note in step.notes)


def splits(step: Step[World, Any]) -> bool:
    """Whether the votes of a term are split from this step on."""
    term = split_vote(step.state)
    return term is not None and (step.parent is None or split_vote(step.parent.state) != term)


def committed_everywhere(step: Step[World, Any]) -> bool:
    """Whether with this step every server that is up knows all that is committed."""
    if not fired("AE.5")(step):
        return False
    known = {server.commit_index for server in step.state.up}
    return len(known) == 1


MILESTONES: Mapping[str, Callable[[Step[Any, Any]], bool]] = {
    "a leader is elected": fired("C.2"),
    "the votes are split": splits,
    "an entry is committed": fired("L.4"),
    "all servers know what is committed": committed_everywhere,
    "a client gets its answer": fired("CL.done", "CL.session", "RI.2"),
    "a log is repaired": fired("AE.3"),
    "a leader steps down": lambda step: any(
        note.rule == "ALL.2.down" and note.values["role"] == "the leader" for note in step.notes
    ),
}
