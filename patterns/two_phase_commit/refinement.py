"""That the processes do what the specification allows: every step of theirs is some steps of `TwoPhase`, or none.

The mapping: a resource manager is a participant, prepared from its yes on; the transaction manager is the coordinator,
which has received Prepared from those whose yes it has counted. A handler may do what are two steps of the
specification: it counts the last vote, and decides. The specification knows one transaction, no crash, no record that
is lost, and no participant that asks another; `TwoPhase` has a vote of no as a resource manager that chooses to abort.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from patterns.engine.properties import Property, Reason
from patterns.engine.step import Note
from patterns.engine.world import World

from .doubt import coordinator, participants
from .log import Prepared
from .specification import ABORTED, COMMITTED, PREPARED, WORKING, Act, TwoPhase, TwoPhaseState

MOST_AT_ONCE = 2


def resource_managers(world: World, txn: str) -> tuple[str, ...]:
    """How far each participant is, in the specification's words."""
    states = []
    for process in participants(world):
        outcome = process.logged_outcome(txn)
        if outcome:
            states.append(COMMITTED if outcome == "commit" else ABORTED)
        else:
            promised = any(isinstance(record, Prepared) for record in process.records_of(txn))
            states.append(PREPARED if promised else WORKING)
    return tuple(states)


def transaction_manager(world: World, txn: str) -> str:
    """What the coordinator has decided, in the specification's words."""
    outcome = coordinator(world).outcome_of(txn)
    return "init" if outcome is None else COMMITTED if outcome == "commit" else ABORTED


class Refines(Property):
    """Every step is at most two steps of `TwoPhase`. For one transaction, T1, that all participants take part in."""

    def __init__(self, n: int, txn: str = "T1") -> None:
        super().__init__("every step is one of the specification's, or two, or none")
        self.specification = TwoPhase(rms=n)
        self.txn = txn

    # The memory: the specification's state, and the first step that it does not allow.

    def begin(self, state: World) -> Hashable:
        return (self.specification.start(), None)

    def follow(self, memory: Any, before: World, event: Any, after: World, notes: tuple[Note, ...]) -> Hashable:
        state, wrong = memory
        if wrong:
            return memory  # type: ignore[no-any-return]
        acts = list(self.acts(state, after, notes))
        if len(acts) > MOST_AT_ONCE:
            return (state, f"one step does what are {len(acts)}: {', '.join(map(_said, acts))}")
        for act in acts:
            if act not in tuple(self.specification.enabled(state)):
                return (state, f"the specification does not allow {_said(act)} in {state}")
            state, _ = self.specification.apply(state, act)
        return (state, None)

    def acts(self, state: TwoPhaseState, world: World, notes: tuple[Note, ...]) -> Iterator[Act]:
        """What the specification has to do to be where the world is."""
        rms, tm = resource_managers(world, self.txn), transaction_manager(world, self.txn)
        for note in notes:
            if note.rule == "C.vote" and note.values["vote"] == "yes":
                yield Act("TMRcvPrepared", world.names.index(note.values["participant"]) - 1)
        if tm != state.tm:
            yield Act("TMCommit" if tm == COMMITTED else "TMAbort")
        for rm, (was, now) in enumerate(zip(state.rms, rms, strict=True)):
            if was != now:
                yield Act(_action(was, now, state), rm)

    def reason(self, memory: Any, state: World) -> Reason:
        return memory[1]  # type: ignore[no-any-return]


def _action(was: str, now: str, state: TwoPhaseState) -> str:
    if now == PREPARED:
        return "RMPrepare"
    if now == COMMITTED:
        return "RMRcvCommitMsg"
    return "RMChooseToAbort" if was == WORKING and ABORTED not in state.msgs else "RMRcvAbortMsg"


def _said(act: Act) -> str:
    return act.action if act.rm < 0 else f"{act.action} of P{act.rm + 1}"
