"""Each promise can be broken, and is then found broken: AC1 to AC5 (BHG 7.3), and what banks expect.

`broken` has the bugs a learner plays with. Here is one for each promise that those leave whole: searched for alone, for
most of these bugs break another promise first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from patterns.engine.explore import explore
from patterns.engine.planted import planted
from patterns.engine.process import on, on_timer
from patterns.engine.properties import Property
from patterns.two_phase_commit import Branch, Coordinator, Participant
from patterns.two_phase_commit.lesson import BUGS
from patterns.two_phase_commit.lesson.broken import SMALL, TRANSFER, DecidesAlone
from patterns.two_phase_commit.log import Account
from patterns.two_phase_commit.messages import Abort, Ack, Commit, Outcome, Vote
from patterns.two_phase_commit.presumed import PresumedAbortParticipant, PresumedCommitParticipant
from patterns.two_phase_commit.properties import (
    ALWAYS,
    all_decide,
    commit_if_nothing_fails,
    irrevocable,
    no_dirty_reads,
    no_duel,
    no_locks_left,
    only_if_all_voted_yes,
    promises_locked,
)


class ChangesItsMind(DecidesAlone):
    """In doubt it aborts by itself; and commits after all when it is told to."""

    @on(Commit, Abort)
    def learn(self, sender: str, message: Commit | Abort) -> None:
        self.decided(message.txn, "commit" if isinstance(message, Commit) else "abort", sender)
        self.send(self.coordinator, Ack(message.txn))


class Timid(Coordinator):
    """It aborts what all agree to."""

    def decision(self, votes: Mapping[str, Vote], asked: tuple[str, ...], timed_out: bool) -> Outcome | None:
        return "abort" if len(votes) == len(asked) or timed_out else None


class Overrules(Coordinator):
    """It asks for votes, and commits whatever they say."""

    def decision(self, votes: Mapping[str, Vote], asked: tuple[str, ...], timed_out: bool) -> Outcome | None:
        return "commit" if len(votes) == len(asked) else None


class NeverAsks(PresumedCommitParticipant):
    """It waits for the decision without a timeout."""

    def hold(self, branch: Branch) -> None:
        super().hold(branch)
        self.cancel_timer("doubt", about=branch.txn)


class SendsOnlyOnce(Coordinator):
    """It does not send its decision again to a participant that does not acknowledge."""

    @on_timer("acks")
    def acks_are_late(self, txn: str) -> None:
        pass


class NeverWakes(PresumedAbortParticipant):
    """It forgets a transaction that waits for a lock."""

    def next_in_line(self) -> Branch | None:
        return None

    @on_timer("lock")
    def waited_for_a_lock(self, txn: str) -> None:
        pass


class KeepsItsLocks(Participant):
    """What is decided stays locked."""

    def release(self, txn: str) -> None:
        kept = self.locks
        super().release(txn)
        self.locks = kept


class WritesAtOnce(Participant):
    """It changes the balance with its yes, and not with the commit."""

    def vote_yes(self, branch: Branch) -> None:
        super().vote_yes(branch)
        self.accounts = tuple(Account(account.name, account.balance) for account in self.redo_of(branch.txn))


BROKEN: list[tuple[Property, type[Coordinator] | type[Participant], dict[str, Any]]] = [
    (irrevocable, ChangesItsMind, {"budget": {"drop": 1}}),
    (only_if_all_voted_yes, Overrules, {"transfers": ({"ann": -140, "bob": 140},)}),
    (commit_if_nothing_fails, Timid, {}),
    (all_decide, NeverAsks, {"protocol": "presumed_commit", "budget": {"drop": 1}}),
    (all_decide, SendsOnlyOnce, {"budget": {"drop": 1}}),
    (promises_locked, KeepsItsLocks, {}),
    (no_locks_left, KeepsItsLocks, {}),
    (
        no_locks_left,
        NeverWakes,
        {"protocol": "presumed_abort", "transfers": (TRANSFER, TRANSFER), "budget": {"drop": 1}},
    ),
    (no_dirty_reads, WritesAtOnce, {}),
]


@pytest.mark.parametrize(
    ("broken", "process", "options"), BROKEN, ids=[f"{kind.__name__}: {broken.name}" for broken, kind, _ in BROKEN]
)
def test_a_broken_promise_is_found_broken(
    broken: Property, process: type[Coordinator] | type[Participant], options: dict[str, Any]
) -> None:
    part = "coordinator" if issubclass(process, Coordinator) else "participant"
    right = SMALL.again(**options)
    found = explore(planted(right, **{part: process}), (broken,))
    assert found.counterexample is not None, found
    # and holds without the bug: as far as the search looked when it found it, and a little further
    whole = explore(right, (broken,), max_states=found.states + 1_000)
    assert whole.counterexample is None, whole


def test_every_promise_has_a_bug_that_breaks_it() -> None:
    """A promise that nothing breaks may be one that says nothing."""
    assert {bug.breaks for bug in BUGS.values()} | {broken for broken, _, _ in BROKEN} == {*ALWAYS, no_duel}
