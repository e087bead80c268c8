"""Transaction commit and two-phase commit as state machines, after the specifications TCommit and TwoPhase.

Gray and Lamport, "Consensus on Transaction Commit" (2006), sections 2 and 3 and the appendix; published with the
model checker's counts in github.com/tlaplus/Examples, specifications/transaction_commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Meta

from patterns.engine.machine import Choice, Machine, NotEnabled
from patterns.engine.params import Params as AnyParams
from patterns.engine.properties import Always
from patterns.engine.step import Note
from patterns.engine.values import Value

WORKING, PREPARED, COMMITTED, ABORTED = "working", "prepared", "committed", "aborted"


class Act(Value):
    """An action of a specification, by the specification's name, and whose it is."""

    action: str
    rm: int = -1


class _Model(Machine[Any, Act]):
    """A machine for searches: its choices are its enabled events."""

    rules = {}
    events = Act

    class Params(AnyParams, frozen=True):
        rms: Annotated[int, Meta(ge=1)] = 3
        """How many resource managers there are."""

    params: Params

    def __init__(self, rms: int = 3) -> None:
        super().__init__(rms=rms)
        self.rms = range(rms)

    def choices(self, state: Any) -> tuple[Choice[Act], ...]:
        return tuple(Choice(event, f"{event.action}({event.rm})") for event in self.enabled(state))

    def apply(self, state: Any, event: Act) -> tuple[Any, tuple[Note, ...]]:
        if event not in tuple(self.enabled(state)):
            raise NotEnabled(f"{event} cannot happen in {state}")
        return self.next(state, event), ()

    def next(self, state: Any, event: Act) -> Any:
        raise NotImplementedError


def inconsistent(states: tuple[str, ...]) -> str | None:
    """TCConsistent: no resource manager commits while another aborts."""
    return f"the resource managers are {states}" if COMMITTED in states and ABORTED in states else None


class TCommit(_Model):
    """The state of each resource manager, and nothing else: what a commit protocol must implement."""

    name = "t_commit"
    always = (Always("consistent", inconsistent),)

    def start(self) -> tuple[str, ...]:
        return (WORKING,) * len(self.rms)

    def enabled(self, state: tuple[str, ...], group: str = "") -> Iterator[Act]:
        can_commit = all(rm in (PREPARED, COMMITTED) for rm in state)
        not_committed = COMMITTED not in state
        for rm in self.rms:
            if state[rm] == WORKING:
                yield Act("Prepare", rm)
            if state[rm] == PREPARED and can_commit:
                yield Act("DecideCommit", rm)
            if state[rm] in (WORKING, PREPARED) and not_committed:
                yield Act("DecideAbort", rm)

    def next(self, state: tuple[str, ...], event: Act) -> tuple[str, ...]:
        to = {"Prepare": PREPARED, "DecideCommit": COMMITTED, "DecideAbort": ABORTED}[event.action]
        return (*state[: event.rm], to, *state[event.rm + 1 :])


class TwoPhaseState(Value):
    rms: tuple[str, ...]
    tm: str = "init"
    prepared: int = 0
    """The resource managers whose Prepared message the transaction manager received: bit i is manager i."""
    msgs: frozenset[str | int] = frozenset()
    """All messages ever sent: Commit, Abort, or the number of the manager that sent Prepared."""


class TwoPhase(_Model):
    """Two-phase commit: messages are a set that only grows, so each can be lost, late or doubled."""

    name = "two_phase"
    always = (Always("consistent", lambda state: inconsistent(state.rms)),)

    def start(self) -> TwoPhaseState:
        return TwoPhaseState((WORKING,) * len(self.rms))

    def enabled(self, state: TwoPhaseState, group: str = "") -> Iterator[Act]:
        msgs = state.msgs
        if state.tm == "init":
            if state.prepared == (1 << len(self.rms)) - 1:
                yield Act("TMCommit")
            yield Act("TMAbort")
        for rm in self.rms:
            if state.tm == "init" and rm in msgs:
                yield Act("TMRcvPrepared", rm)
            if state.rms[rm] == WORKING:
                yield Act("RMPrepare", rm)
                yield Act("RMChooseToAbort", rm)
            if COMMITTED in msgs:
                yield Act("RMRcvCommitMsg", rm)
            if ABORTED in msgs:
                yield Act("RMRcvAbortMsg", rm)

    def apply(self, state: TwoPhaseState, event: Act) -> tuple[TwoPhaseState, tuple[Note, ...]]:
        rms, tm, prepared, msgs, rm = state.rms, state.tm, state.prepared, state.msgs, event.rm
        match event.action:
            case "TMRcvPrepared":
                prepared |= 1 << rm
            case "RMPrepare":
                rms, msgs = (*rms[:rm], PREPARED, *rms[rm + 1 :]), msgs | {rm}
            case "RMChooseToAbort" | "RMRcvAbortMsg":
                rms = (*rms[:rm], ABORTED, *rms[rm + 1 :])
            case "RMRcvCommitMsg":
                rms = (*rms[:rm], COMMITTED, *rms[rm + 1 :])
            case "TMCommit":
                tm, msgs = COMMITTED, msgs | {COMMITTED}
            case "TMAbort":
                tm, msgs = ABORTED, msgs | {ABORTED}
        return TwoPhaseState(rms, tm, prepared, msgs), ()
