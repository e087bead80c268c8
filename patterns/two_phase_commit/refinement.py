"""The processes do only what the specification allows: each of their steps is some steps of `TwoPhase`, or none.

The mapping: a resource manager is a participant, prepared from its yes on; the transaction manager is the coordinator,
which has received Prepared from those whose yes it has counted. A handler may do two steps of the specification at
once: it counts the last vote, and decides. The specification knows one transaction, no crash, no record that is lost,
and no participant that asks another. In `TwoPhase` a vote of no is a resource manager that chooses to abort.
"""

from __future__ import annotations

from collections.abc import Iterator

from patterns.engine.along import Along, Broken, Transition
from patterns.engine.world import World

from .log import Prepared
from .readings import coordinator, participants
from .specification import ABORTED, COMMITTED, PREPARED, WORKING, Act, TwoPhase, TwoPhaseState

MOST_AT_ONCE = 2


def resource_managers(world: World, txn: str) -> tuple[str, ...]:
    """The state of each participant, in the specification's words."""
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
    """The coordinator's decision, in the specification's words."""
    outcome = coordinator(world).outcome_of(txn)
    return "init" if outcome is None else COMMITTED if outcome == "commit" else ABORTED


def refines(n: int, txn: str = "T1") -> Along:
    """Every step is at most two steps of `TwoPhase`. For one transaction that all `n` participants take part in."""
    specification = TwoPhase(n)

    def follow(state: TwoPhaseState, step: Transition) -> TwoPhaseState | Broken:
        acts = list(acts_of(state, step, txn))
        if len(acts) > MOST_AT_ONCE:
            return Broken(f"one step does {len(acts)} of the specification: {', '.join(map(_said, acts))}")
        for act in acts:
            if act not in tuple(specification.enabled(state)):
                return Broken(f"the specification does not allow {_said(act)} in {state}")
            state, _ = specification.apply(state, act)
        return state

    return Along(
        "every step is one of the specification's, or two, or none", lambda world: specification.start(), follow
    )


def acts_of(state: TwoPhaseState, step: Transition, txn: str) -> Iterator[Act]:
    """What the specification has to do to be where the world is after the step."""
    rms, tm = resource_managers(step.after, txn), transaction_manager(step.after, txn)
    for note in step.notes:
        if note.rule == "C.vote" and note.values["vote"] == "yes":
            yield Act("TMRcvPrepared", step.after.names.index(note.values["participant"]) - 1)
    if tm != state.tm:
        yield Act("TMCommit" if tm == COMMITTED else "TMAbort")
    for rm, (was, now) in enumerate(zip(state.rms, rms, strict=True)):
        if was != now:
            yield Act(_action(was, now, state), rm)


def _action(was: str, now: str, state: TwoPhaseState) -> str:
    if now == PREPARED:
        return "RMPrepare"
    if now == COMMITTED:
        return "RMRcvCommitMsg"
    return "RMChooseToAbort" if was == WORKING and ABORTED not in state.msgs else "RMRcvAbortMsg"


def _said(act: Act) -> str:
    return act.action if act.rm < 0 else f"{act.action} of P{act.rm + 1}"
