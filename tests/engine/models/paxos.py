"""Single-decree Paxos, after the specification Paxos.

Lamport, "The Part-Time Parliament" (1998) and "Paxos Made Simple" (2001); the specification of his lectures "How to
win a Turing award", published with the model checker's counts in github.com/tlaplus/Examples,
specifications/PaxosHowToWinATuringAward. MCPaxosTiny has three acceptors, two values and the ballots 0 and 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import msgspec

from patterns.engine.machine import Choice, Machine
from patterns.engine.params import Params as AnyParams
from patterns.engine.properties import Always
from patterns.engine.step import Note


class Msg(msgspec.Struct, frozen=True, gc=False):
    """1a, 1b, 2a or 2b; a field that the type has not is at its default."""

    type: str
    bal: int
    acc: int = -1
    mbal: int = -1
    val: str = ""
    """The value: of a 1b message, the value of its `mbal`."""


class Acceptor(msgspec.Struct, frozen=True, gc=False):
    max_bal: int = -1
    max_vbal: int = -1
    max_val: str = ""


class PaxosState(msgspec.Struct, frozen=True, gc=False):
    acceptors: tuple[Acceptor, ...]
    msgs: frozenset[Msg] = frozenset()


class Phase(msgspec.Struct, frozen=True, gc=False):
    """An action of the specification: the acceptor that takes it, -1 for a leader, and the message it is about."""

    action: str
    acc: int
    msg: Msg


class Paxos(Machine[PaxosState, Phase]):
    name = "paxos"
    rules = {}
    events = Phase

    class Params(AnyParams, frozen=True):
        acceptors: int = 3
        ballots: int = 2
        values: str = "vw"

    params: Params

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.acceptors, self.ballots = range(self.params.acceptors), range(self.params.ballots)
        self.values = self.params.values
        self.quorums = tuple(combinations(self.acceptors, len(self.acceptors) // 2 + 1))
        self.always = (Always("one value is chosen", self.two_chosen),)

    def start(self) -> PaxosState:
        return PaxosState((Acceptor(),) * len(self.acceptors))

    def enabled(self, state: PaxosState, group: str = "") -> Iterator[Phase]:
        msgs = state.msgs
        for bal in self.ballots:
            yield Phase("Phase1a", -1, Msg("1a", bal))
            if not any(m.type == "2a" and m.bal == bal for m in msgs):
                for val in self.values:
                    for quorum in self.quorums:
                        for _ in range(self.shows_safe(msgs, quorum, bal, val)):  # once for each reason, as TLC does
                            yield Phase("Phase2a", -1, Msg("2a", bal, val=val))
        for acc in self.acceptors:
            max_bal = state.acceptors[acc].max_bal
            for m in msgs:
                if m.type == "1a" and m.bal > max_bal:
                    yield Phase("Phase1b", acc, m)
                elif m.type == "2a" and m.bal >= max_bal:
                    yield Phase("Phase2b", acc, m)

    @staticmethod
    def shows_safe(msgs: frozenset[Msg], quorum: tuple[int, ...], bal: int, val: str) -> int:
        """How many reasons there are to propose `val`: all of the quorum promised and none has voted, or the promises
        that tell of the latest vote among them, which was for `val`."""
        promises = [m for m in msgs if m.type == "1b" and m.bal == bal and m.acc in quorum]
        if {m.acc for m in promises} != set(quorum):
            return 0
        latest = max(m.mbal for m in promises)
        return 1 if latest < 0 else sum(m.mbal == latest and m.val == val for m in promises)

    def apply(self, state: PaxosState, event: Phase) -> tuple[PaxosState, tuple[Note, ...]]:
        m, acceptors = event.msg, list(state.acceptors)
        if event.action in ("Phase1a", "Phase2a"):
            return PaxosState(state.acceptors, state.msgs | {m}), ()
        acceptor = acceptors[event.acc]
        if event.action == "Phase1b":
            acceptors[event.acc] = msgspec.structs.replace(acceptor, max_bal=m.bal)
            answer = Msg("1b", m.bal, event.acc, acceptor.max_vbal, acceptor.max_val)
        else:
            acceptors[event.acc] = Acceptor(m.bal, m.bal, m.val)
            answer = Msg("2b", m.bal, event.acc, val=m.val)
        return PaxosState(tuple(acceptors), state.msgs | {answer}), ()

    def choices(self, state: PaxosState) -> tuple[Choice[Phase], ...]:
        return tuple(Choice(event, str(event)) for event in self.enabled(state))

    def two_chosen(self, state: PaxosState) -> str | None:
        """A value is chosen when a quorum voted for it in one ballot."""
        chosen = {
            val
            for val in self.values
            for bal in self.ballots
            for quorum in self.quorums
            if all(Msg("2b", bal, acc, val=val) in state.msgs for acc in quorum)
        }
        return f"{sorted(chosen)} are chosen" if len(chosen) > 1 else None
