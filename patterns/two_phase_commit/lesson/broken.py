"""Commit protocols with one rule broken: each a subclass with one small method overridden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.engine.planted import MANY_FAULTS, Bug, RandomWorlds, Scripted, Search
from patterns.engine.process import on_timer
from patterns.engine.properties import Property
from patterns.engine.step import Rule
from patterns.engine.table import Table
from patterns.two_phase_commit.coordinator import Coordinator, Open
from patterns.two_phase_commit.log import Committed, Prepared
from patterns.two_phase_commit.machine import TwoPhaseCommit
from patterns.two_phase_commit.messages import Outcome, State, Vote
from patterns.two_phase_commit.participant import Branch, Participant
from patterns.two_phase_commit.presumed import PresumedAbortCoordinator, PresumedAbortReader, PresumedCommitCoordinator
from patterns.two_phase_commit.properties import (
    ALWAYS,
    agreement,
    money_conserved,
    no_duel,
    only_if_all_voted_yes,
    promises_locked,
)
from patterns.two_phase_commit.three_phase import ThreePhaseParticipant

from .gallery import half_told

# Coordinators


class TakesSilenceForYes(Coordinator):
    def decision(self, votes: Mapping[str, Vote], asked: tuple[str, ...], timed_out: bool) -> Outcome | None:
        if "no" in votes.values():
            return "abort"
        return "commit" if timed_out or len(votes) == len(asked) else None


class SendsFirst(Coordinator):
    unwritten: Table[Committed] = Table()

    def log_commit(self, open: Open, told: tuple[str, ...]) -> None:
        self.unwritten = self.unwritten.put(open.txn, Committed(open.txn, told))
        self.set_timer("write", 20, about=open.txn)

    @on_timer("write")
    def write_it_down(self, txn: str) -> None:
        self.force(self.unwritten[txn])
        self.unwritten = self.unwritten.without(txn)


class ForgetsCommits(PresumedAbortCoordinator):
    def log_commit(self, open: Open, told: tuple[str, ...]) -> None:
        self.write_lazily(Committed(open.txn, told))


class ForgetsWhomItAsked(PresumedCommitCoordinator):
    def log_start(self, open: Open) -> None:
        pass


# Participants


class PromisesInMemory(Participant):
    rules = {
        "P.yes": Rule(
            "**{who} votes yes on {txn}**: it promises to write {redo:names}. The promise is **only in its memory**.",
            "wrong: MLO 2 forces the prepare record",
        )
    }

    def log_yes(self, record: Prepared) -> None:
        self.write_lazily(record)


class DecidesAlone(Participant):
    def when_in_doubt(self, branch: Branch) -> None:
        self.decided(branch.txn, "abort", self.id)


class ForgetsLocks(Participant):
    def hold(self, branch: Branch) -> None:
        super().hold(branch)
        if branch.recovered:
            self.locks = tuple(lock for lock in self.locks if lock.txn != branch.txn)


class VetoesAfterReading(PresumedAbortReader):
    def has_not_voted(self, txn: str) -> bool:
        return True


class SkipsThePhase(ThreePhaseParticipant):
    def termination(self, states: frozenset[State]) -> Outcome | None:
        return "commit" if "committable" in states and "aborted" not in states else super().termination(states)


class GivesWayToAny(ThreePhaseParticipant):
    def yields_to(self, sender: str, branch: Branch) -> bool:
        return True


# How each is found

TRANSFER = {"ann": -40, "bob": 40}
SMALL = TwoPhaseCommit(n=2, transfers=(TRANSFER,), retries=False, timing="quiet", budget={})
"""Two banks and one transfer. A timer fires only when no message is on its way, and nothing fails."""
LOSS_AND_CRASH = {"drop": 1, "crash": 1}


def _bug(
    sentence: str,
    changes: Mapping[str, Any],
    breaks: Property,
    faults: Mapping[str, float] = MANY_FAULTS,
    **bounds: Any,
) -> Bug:
    """Found by a search of the small machine within these bounds, and by random worlds with six times the transfers."""
    machine = SMALL.again(**bounds)
    transfers = (machine.params.transfers or ()) * 6
    free = machine.again(budget=None, retries=True, crash_stop=False, transfers=transfers)
    random = RandomWorlds(free, (breaks,), faults=faults)
    return Bug(sentence, changes, Search(machine, ALWAYS), breaks, random)


BUGS: Mapping[str, Bug] = {
    "commits without all votes": _bug(
        "The coordinator stops waiting for votes and commits, unless a participant has voted no.",
        {"coordinator": TakesSilenceForYes},
        only_if_all_voted_yes,
        budget={"drop": 1},
    ),
    "the vote is not forced": _bug(
        "A participant's yes is not forced: after a crash the participant does not know its promise.",
        {"participant": PromisesInMemory},
        money_conserved,
        budget={"crash": 1},
    ),
    "sent before it is logged": _bug(
        "The coordinator sends its decision, and logs it a moment later.",
        {"coordinator": SendsFirst},
        agreement,
        budget=LOSS_AND_CRASH,
    ),
    "decides alone in doubt": _bug(
        "A participant in doubt for too long aborts, as if the coordinator had crashed before its decision.",
        {"participant": DecidesAlone},
        agreement,
        budget={"drop": 1},
    ),
    "presumed abort forgets a commit": _bug(
        "The commit record is lazy, like an abort record: after a crash the coordinator presumes abort.",
        {"coordinator": ForgetsCommits},
        agreement,
        budget=LOSS_AND_CRASH,
        protocol="presumed_abort",
    ),
    "presumed commit forgets whom it asked": _bug(
        "There is no collecting record: after a crash the coordinator presumes commit where it never decided.",
        {"coordinator": ForgetsWhomItAsked},
        only_if_all_voted_yes,
        budget=LOSS_AND_CRASH,
        protocol="presumed_commit",
    ),
    "locks are forgotten in a crash": _bug(
        "After a crash a participant does not lock again the rows that it has promised to write.",
        {"participant": ForgetsLocks},
        promises_locked,
        budget={"crash": 1},
    ),
    "vetoes after reading": _bug(
        "A participant without a record, perhaps because it voted read-only, answers abort to one that is in doubt.",
        {"participant": VetoesAfterReading},
        agreement,
        budget={"drop": 1},
        n=3,
        protocol="read_only",
        transfers=({**TRANSFER, "cho": 0},),
    ),
    "three phases, of which a backup skips one": _bug(
        "A backup commits as soon as one participant is committable, and does not make the others committable first.",
        {"participant": SkipsThePhase},
        agreement,
        budget={"crash": 2, "drop": 2},
        protocol="three_phase",
        crash_stop=True,
        timing="synchronous",
    ),
    "three phases, and backups depose each other": Bug(
        "A backup gives way to any other backup that asks, and not only to one before it in line.",
        {"participant": GivesWayToAny},
        Scripted(SMALL.again(protocol="three_phase", timing="synchronous", budget=None), half_told, (no_duel,)),
        no_duel,
    ),
    "three phases under a partition": _bug(
        "Only the assumption is wrong: a cut makes each side count the other as crashed.",
        {"budget": {"cut": 1}},
        agreement,
        faults={"request": 0.1, "cut": 0.05, "heal": 0.05},
        protocol="three_phase",
        timing="synchronous",
    ),
}
"""Title -> bug."""
