"""Commit protocols with one rule broken: each a subclass with one small method overridden, and the check that finds it.

A check that never fails proves nothing. Every bug here is caught by an exhaustive search of a small machine, which
gives a shortest run that goes wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from patterns.engine.explore import Exploration, explore
from patterns.engine.process import on_timer
from patterns.engine.properties import Property, Sometimes
from patterns.engine.random_worlds import RandomRuns, random_worlds
from patterns.two_phase_commit.coordinator import Coordinator
from patterns.two_phase_commit.log import Committed, Prepared
from patterns.two_phase_commit.machine import TwoPhaseCommit
from patterns.two_phase_commit.messages import Outcome, State, Vote
from patterns.two_phase_commit.participant import Branch, Participant
from patterns.two_phase_commit.presumed import PresumedAbortCoordinator, PresumedAbortReader, PresumedCommitCoordinator
from patterns.two_phase_commit.properties import (
    ALWAYS,
    agreement,
    money_conserved,
    only_if_all_voted_yes,
    promises_locked,
)
from patterns.two_phase_commit.three_phase import ThreePhaseParticipant

NO_FAULTS: Mapping[str, int] = dict.fromkeys(("crash", "pause", "cut", "drop", "duplicate", "delay"), 0)


def running(
    coordinator: type[Coordinator] | None = None, participant: type[Participant] | None = None
) -> type[TwoPhaseCommit]:
    """The machine with other processes in it: `running(coordinator=Mine)`."""
    given = "".join(part.__name__ for part in (coordinator, participant) if part)
    return type(f"{given}Machine", (TwoPhaseCommit,), {"coordinator": coordinator, "participant": participant})


# Coordinators


class TakesSilenceForYes(Coordinator):
    """When its time is up it commits, unless somebody has said no."""

    def decision(self, votes: Mapping[str, Vote], asked: tuple[str, ...], timed_out: bool) -> Outcome | None:
        if "no" in votes.values():
            return "abort"
        return "commit" if timed_out or len(votes) == len(asked) else None


class TellsFirst(Coordinator):
    """It tells the participants what it decided, and writes it down a moment later."""

    unwritten: tuple[Committed, ...] = ()

    def log_commit(self, txn: str, told: tuple[str, ...]) -> None:
        self.unwritten = (*self.unwritten, Committed(txn, told))
        self.set_timer("write", 20)

    @on_timer("write")
    def write_it_down(self) -> None:
        for record in self.unwritten:
            self.force(record)
        self.unwritten = ()


class ForgetsCommits(PresumedAbortCoordinator):
    """Its commit record is lazy, as its abort record is: after a crash it presumes that what it committed is
    aborted."""

    def log_commit(self, txn: str, told: tuple[str, ...]) -> None:
        self.lazily(Committed(txn, told))


class ForgetsWhomItAsked(PresumedCommitCoordinator):
    """It has no collecting record: after a crash it presumes that what it never decided is committed."""

    def log_start(self, txn: str, asked: tuple[str, ...]) -> None:
        pass


# Participants


class PromisesInMemory(Participant):
    """Its yes is not forced: after a crash it does not know that it promised anything."""

    def log_yes(self, record: Prepared) -> None:
        self.lazily(record)


class DecidesAlone(Participant):
    """In doubt for too long, it aborts: the coordinator must have crashed before it decided."""

    def when_in_doubt(self, branch: Branch) -> None:
        self.decided(branch.txn, "abort", self.id)


class ForgetsLocks(Participant):
    """After a crash it does not lock again what it has promised to write."""

    def hold(self, branch: Branch) -> None:
        super().hold(branch)
        if branch.recovered:
            self.locks = tuple(lock for lock in self.locks if lock.txn != branch.txn)


class VetoesAfterReading(PresumedAbortReader):
    """It takes what it has no record of for what it has not voted on, though its read-only vote leaves no record."""

    def has_not_voted(self, txn: str) -> bool:
        return True


class SkipsThePhase(ThreePhaseParticipant):
    """It takes the coordinator's place and commits as soon as one is committable, without making the others so."""

    def termination(self, states: frozenset[State]) -> Outcome | None:
        return "commit" if "committable" in states and "aborted" not in states else super().termination(states)


# How each is found


class Bug(NamedTuple):
    """A planted bug, in a machine small enough for a search of all its runs."""

    sentence: str
    machine: TwoPhaseCommit
    breaks: Property
    """What the search finds broken."""
    faults: Mapping[str, float] = {}
    """With which random worlds find it too; empty for `ROUGH`."""

    def search(
        self, machine: TwoPhaseCommit | None = None, properties: Sequence[Property | Sometimes] = ALWAYS
    ) -> Exploration:
        """The exhaustive search, of this machine or of another under the same properties."""
        return explore(machine or self.machine, properties, max_states=100_000)

    def wander(self, machine: TwoPhaseCommit | None = None, seeds: int = 300) -> RandomRuns:
        """Random worlds, of this machine or of another, without a budget and with six times as many transfers."""
        machine = machine or self.machine
        transfers = (machine.params.transfers or ()) * 6
        free = machine.again(budget=None, retries=True, crash_stop=False, transfers=transfers)
        return random_worlds(free, range(seeds), 120, ALWAYS, faults=self.faults or ROUGH)


ROUGH: Mapping[str, float] = {
    "next": 0.15,
    "request": 0.05,
    "drop": 0.04,
    "duplicate": 0.03,
    "delay": 0.05,
    "crash": 0.04,
    "restart": 0.1,
    "pause": 0.005,
    "resume": 0.05,
    "cut": 0.01,
    "heal": 0.05,
}
"""Random worlds with more faults than usual: a commit takes a few messages only."""

TWO: Sequence[Mapping[str, int]] = ({"ann": -40, "bob": 40},)


def _bug(
    process: type[Coordinator] | type[Participant],
    breaks: Property,
    budget: Mapping[str, int],
    **options: Any,
) -> Bug:
    part = running(coordinator=process) if issubclass(process, Coordinator) else running(participant=process)
    settings: dict[str, Any] = {"n": 2, "transfers": TWO, "retries": False, "timing": "quiet"}
    machine = part(**{**settings, **options, "budget": {**NO_FAULTS, **budget}})
    sentence = " ".join((process.__doc__ or "").split())
    return Bug(sentence, machine, breaks)


BUGS: Mapping[str, Bug] = {
    "commits without all votes": _bug(TakesSilenceForYes, only_if_all_voted_yes, {"drop": 1}),
    "the vote is not forced": _bug(PromisesInMemory, money_conserved, {"crash": 1}),
    "told before it is logged": _bug(TellsFirst, agreement, {"crash": 1, "drop": 1}),
    "decides alone in doubt": _bug(DecidesAlone, agreement, {"drop": 1}),
    "presumed abort forgets a commit": _bug(
        ForgetsCommits, agreement, {"crash": 1, "drop": 1}, protocol="presumed_abort"
    ),
    "presumed commit forgets whom it asked": _bug(
        ForgetsWhomItAsked, only_if_all_voted_yes, {"crash": 1, "drop": 1}, protocol="presumed_commit"
    ),
    "locks are forgotten in a crash": _bug(ForgetsLocks, promises_locked, {"crash": 1}),
    "vetoes after reading": _bug(
        VetoesAfterReading,
        agreement,
        {"drop": 1},
        n=3,
        protocol="read_only",
        transfers=({"ann": -40, "bob": 40, "cho": 0},),
    ),
    "three phases, of which a backup skips one": _bug(
        SkipsThePhase,
        agreement,
        {"crash": 2, "drop": 2},
        protocol="three_phase",
        crash_stop=True,
        timing="synchronous",
    ),
    "three phases under a partition": Bug(
        "Nothing is wrong with it but its assumption: a cut makes each side take the other for crashed.",
        TwoPhaseCommit(
            n=2,
            protocol="three_phase",
            transfers=TWO,
            retries=False,
            timing="synchronous",
            budget={**NO_FAULTS, "cut": 1},
        ),
        agreement,
        faults={"request": 0.1, "cut": 0.05, "heal": 0.05},
    ),
}
"""Title -> bug."""
