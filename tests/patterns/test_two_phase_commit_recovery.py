"""What happens after a crash, and in doubt: recovery from the log, cooperative termination, presumptions.

Bernstein, Hadzilacos, Goodman 1987 (`BHG`), section 7.4; Mohan, Lindsay, Obermarck 1986 (`MLO`), sections 2 to 4.
"""

from __future__ import annotations

from typing import Any

import pytest

from patterns.engine.explore import explore
from patterns.engine.table import Table
from patterns.two_phase_commit import (
    Coordinator,
    Done,
    Move,
    Open,
    Participant,
    Prepare,
    Transfer,
    TwoPhaseCommit,
    blocked,
    in_doubt,
)
from patterns.two_phase_commit.lesson import GALLERY
from patterns.two_phase_commit.log import Aborted, Account, Collecting, Committed, End, Prepared, outcome_in
from patterns.two_phase_commit.messages import (
    Abort,
    Ack,
    Commit,
    Decide,
    InDoubt,
    Inquiry,
    LoseDisk,
    Obeyed,
    Outcome,
    Voted,
)
from patterns.two_phase_commit.participant import Lock
from patterns.two_phase_commit.presumed import (
    PresumedAbortCoordinator,
    PresumedAbortParticipant,
    PresumedAbortReader,
    PresumedCommitCoordinator,
    PresumedCommitParticipant,
)
from patterns.two_phase_commit.properties import agreement

TWO = ("P1", "P2")
ANN = Move("P1", "ann", -40)
ASK = Prepare("T1", (ANN,), TWO)
YES = Prepared("T1", "C", TWO, (Account("ann", 60),))
TRANSFER = Transfer("T1", (ANN, Move("P2", "bob", 40)))


def coordinator(kind: type[Coordinator] = Coordinator, **fields: Any) -> Coordinator:
    return kind(id="C", **fields)


def participant(kind: type[Participant] = Participant, **fields: Any) -> Participant:
    return kind(id="P1", **{"accounts": (Account("ann", 100),), **fields})


def back(process: Any) -> tuple[Any, Any]:
    """The process after a crash and a restart, and its effects."""
    return process.crashed().after_restart()


def rules(effects: Any) -> list[str]:
    return [note.rule for note in effects.notes]


# A participant comes back


def test_who_is_in_doubt_after_a_crash_locks_its_promise_again_and_asks() -> None:
    """MLO 2: a transaction in the prepared state is kept so: its locks are taken again, it asks."""
    after, effects = back(participant(log=(YES,)))
    assert after.locks == (Lock("ann", "T1"),)
    assert effects.sends == [("C", Inquiry("T1")), ("P2", Inquiry("T1"))]
    assert effects.timers == {"doubt:T1": (90, 90)}
    assert after.accounts == (Account("ann", 100),)


@pytest.mark.parametrize("record", [Committed("T1"), Aborted("T1")])
def test_who_knows_the_decision_after_a_crash_has_nothing_to_do(record: Any) -> None:
    """The accounts changed in the same write as the commit record: there is nothing to redo."""
    after, effects = back(participant(log=(YES, record)))
    assert (after.locks, after.branches, effects.sends) == ((), Table(), [])


def test_who_had_not_voted_before_the_crash_knows_nothing_of_it() -> None:
    """BHG 7.4, recovery: nobody counts on who had not voted; it may vote, or be told to abort."""
    first, _ = participant().after_message("C", ASK)
    waits, _ = first.after_message("C", Prepare("T2", (ANN,), TWO))
    after, _ = back(waits)
    assert [branch.txn for branch in after.branches.values()] == ["T1"]
    told, effects = after.after_message("C", Abort("T2"))
    assert told.log[-1] == Aborted("T2")
    assert effects.sends == [("C", Ack("T2"))]


def test_after_a_crash_it_still_can_commit_what_it_promised() -> None:
    """MLO 2: the prepare record has what is needed to commit."""
    after, _ = back(participant(log=(YES,)))
    after, effects = after.after_message("C", Commit("T1"))
    assert after.accounts == (Account("ann", 60),)
    assert effects.sends == [("C", Ack("T1"))]


# In doubt


def test_in_doubt_it_asks_and_decides_nothing_by_itself() -> None:
    """BHG 7.4: in its uncertainty period a process may neither commit nor abort alone."""
    voted, _ = participant().after_message("C", ASK)
    after, effects = voted.after_timer("doubt:T1")
    assert after == voted
    assert effects.sends == [("C", Inquiry("T1")), ("P2", Inquiry("T1"))]


def test_who_has_decided_tells_who_asks() -> None:
    """BHG 7.4, cooperative termination, case 1."""
    for record, message in ((Committed("T1"), Commit("T1")), (Aborted("T1"), Abort("T1"))):
        _, effects = participant(log=(YES, record)).after_message("P2", Inquiry("T1"))
        assert effects.sends == [("P2", message)]


def test_who_has_not_voted_aborts_and_says_so() -> None:
    """BHG 7.4, cooperative termination, case 2. The promise never to vote yes is on disk first."""
    after, effects = participant().after_message("P2", Inquiry("T1"))
    assert after.log == (Aborted("T1"),)
    assert effects.sends == [("P2", Abort("T1"))]
    _later, effects = after.after_message("C", ASK)
    assert effects.sends == [("C", Voted("T1", "no"))]


def test_who_is_in_doubt_itself_is_of_no_help() -> None:
    """BHG 7.4, cooperative termination, case 3."""
    voted, _ = participant().after_message("C", ASK)
    after, effects = voted.after_message("P2", Inquiry("T1"))
    assert (after, effects.sends) == (voted, [("P2", InDoubt("T1"))])
    after, effects = voted.after_message("P2", InDoubt("T1"))
    assert (after, rules(effects)) == (voted, ["P.blocked"])


def test_a_lazy_record_is_written_before_others_are_told_what_it_says() -> None:
    """They build on it: it must not be lost."""
    refused, _ = participant(PresumedAbortParticipant).after_message("C", Prepare("T1", (Move("P1", "ann", -140),)))
    assert (refused.log, refused.buffer) == ((), (Aborted("T1"),))
    after, effects = refused.after_message("P2", Inquiry("T1"))
    assert (after.log, after.buffer) == ((Aborted("T1"),), ())
    assert effects.sends == [("P2", Abort("T1"))]


def test_a_coordinator_that_has_not_decided_says_so() -> None:
    """BHG 7.4."""
    asking = coordinator(open=Table((("T1", Open("T1", ("A",), TWO)),)))
    after, effects = asking.after_message("P1", Inquiry("T1"))
    assert (after, effects.sends) == (asking, [("P1", InDoubt("T1"))])


# The coordinator comes back


@pytest.mark.parametrize(("record", "message"), [(Committed, Commit), (Aborted, Abort)])
def test_a_decision_in_the_log_without_an_end_is_told_again(record: Any, message: Any) -> None:
    """MLO 2: after a crash it sends the decision to those that have not acknowledged, as far as it knows: to all."""
    after, effects = back(coordinator(log=(record("T1", TWO),)))
    assert effects.sends == [("P1", message("T1")), ("P2", message("T1"))]
    assert after.open["T1"].missing == {"P1", "P2"}


def test_what_has_ended_is_not_told_again() -> None:
    """MLO 2: the end record."""
    after, effects = back(coordinator(log=(Committed("T1", TWO), End("T1"))))
    assert (after.open, effects.sends) == (Table(), [])


def test_a_coordinator_that_had_not_decided_knows_nothing_and_says_abort() -> None:
    """MLO 2: in the absence of information it orders an inquiring subordinate to abort."""
    asking, _ = coordinator().after_request("A", TRANSFER)
    after, _ = back(asking)
    assert after.open == Table()
    _, effects = after.after_message("P1", Inquiry("T1"))
    assert effects.sends == [("P1", Abort("T1"))]
    assert rules(effects) == ["C.presume"]


def test_what_is_begun_again_after_a_crash_has_another_name() -> None:
    """A message from before the crash must never be taken for one of now: an old yes is no vote on the new attempt."""
    asking, _ = coordinator().after_request("A", TRANSFER)
    again, effects = back(asking)[0].after_request("A", TRANSFER)
    assert [message.txn for _, message in effects.sends] == ["T1.2", "T1.2"]
    late, effects = again.after_message("P1", Voted("T1", "yes"))
    assert (late, rules(effects)) == (again, ["C.late"])
    one, _ = again.after_message("P1", Voted("T1.2", "yes"))
    _, effects = one.after_message("P2", Voted("T1.2", "yes"))
    assert effects.replies == [("A", Done("T1", TRANSFER.moves, "commit"))], "to the client it is T1"


def test_it_answers_by_what_it_remembers_and_not_by_what_it_has_forgotten() -> None:
    """MLO 2: it forgets when all have acknowledged, so a process that asks then is no longer in doubt."""
    told = coordinator(
        open=Table((("T1", Open("T1", (), TWO, "committing", missing=frozenset({"P1"}))),)), log=(Committed("T1", TWO),)
    )
    _, effects = told.after_message("P1", Inquiry("T1"))
    assert (effects.sends, rules(effects)) == ([("P1", Commit("T1"))], ["C.answer"])
    forgotten, _ = told.after_message("P1", Ack("T1"))
    _, effects = forgotten.after_message("P1", Inquiry("T1"))
    assert (effects.sends, rules(effects)) == ([("P1", Abort("T1"))], ["C.presume"])
    knows = participant(log=(YES, Committed("T1")))
    assert knows.after_message("C", Abort("T1"))[0] == knows


# Presumed abort


def test_under_presumed_abort_an_abort_is_forgotten_at_once() -> None:
    """MLO 3: no acknowledgement, no end record, and the abort record is not forced."""
    asking, _ = coordinator(PresumedAbortCoordinator).after_request("A", TRANSFER)
    after, effects = asking.after_message("P2", Voted("T1", "no"))
    assert (after.open, after.log, after.buffer) == (Table(), (), (Aborted("T1", (), TRANSFER.moves),))
    assert effects.sends == [("P1", Abort("T1"))]
    lost, _ = back(after)
    _, effects = lost.after_message("P1", Inquiry("T1"))
    assert effects.sends == [("P1", Abort("T1"))], "lost in a crash it is as good as written"


def test_under_presumed_abort_an_abort_that_a_crash_did_not_take_needs_nothing_either() -> None:
    """MLO 3: an inquiry is answered with the presumption."""
    _after, effects = back(coordinator(PresumedAbortCoordinator, log=(Aborted("T1"),)))
    assert (effects.sends, rules(effects)) == ([], [])


@pytest.mark.parametrize(
    ("bank", "again"),
    [
        (participant(PresumedAbortParticipant, log=(YES,)).after_restart()[0], ["T1"]),
        (participant(PresumedAbortParticipant), []),
    ],
    ids=["prepared", "never asked"],
)
def test_who_loses_a_lazy_abort_asks_again_only_about_what_it_promised(bank: Participant, again: list[str]) -> None:
    """MLO 3: it is in doubt only with a prepare record; else nothing is left of it."""
    after, effects = bank.after_message("C", Abort("T1"))
    assert rules(effects) == ["P.abort", "P.lazy"]
    assert in_doubt_at(back(after)[0]) == again


def test_under_presumed_abort_a_commit_is_forced_and_acknowledged() -> None:
    """MLO 3: it must not be forgotten, for then it would be presumed aborted."""
    voted, _ = participant(PresumedAbortParticipant).after_message("C", ASK)
    after, effects = voted.after_message("C", Commit("T1"))
    assert (after.log[-1], effects.sends) == (Committed("T1"), [("C", Ack("T1"))])
    after, effects = voted.after_message("C", Abort("T1"))
    assert (after.buffer, effects.sends) == ((Aborted("T1"),), [])


# Presumed commit


def test_under_presumed_commit_whom_it_asks_is_on_disk_before_it_asks() -> None:
    """MLO 4: the collecting record is forced; else a crash would turn what was never decided into a commit."""
    after, effects = coordinator(PresumedCommitCoordinator).after_request("A", TRANSFER)
    assert after.log == (Collecting("T1", TWO, TRANSFER.moves),)
    assert len(effects.sends) == 2
    again, effects = back(after)
    assert effects.sends == [("P1", Abort("T1")), ("P2", Abort("T1"))]
    assert again.open["T1"].missing == {"P1", "P2"}


def test_under_presumed_commit_an_abort_that_has_ended_is_not_told_again() -> None:
    """MLO 4: all have acknowledged it, so nobody will ask."""
    log = (Collecting("T1", TWO), Aborted("T1", TWO), End("T1"))
    after, effects = back(coordinator(PresumedCommitCoordinator, log=log))
    assert (after.open, effects.sends) == (Table(), [])


def test_under_presumed_commit_a_commit_needs_nothing_after_a_crash() -> None:
    """MLO 4: an inquiry is answered with the presumption."""
    log = (Collecting("T1", TWO), Committed("T1"))
    after, effects = back(coordinator(PresumedCommitCoordinator, log=log))
    assert (after.open, effects.sends, rules(effects)) == (Table(), [], [])


def test_who_voted_no_is_not_told_after_a_crash_either() -> None:
    """MLO 4: the abort record names those that are told; the collecting record before it names all that were asked."""
    log = (Collecting("T1", TWO), Aborted("T1", ("P2",)))
    _after, effects = back(coordinator(PresumedCommitCoordinator, log=log))
    assert effects.sends == [("P2", Abort("T1"))]


def test_under_presumed_commit_a_commit_is_forgotten_at_once() -> None:
    """MLO 4: the coordinator's commit record is forced; acknowledged it is not."""
    asking, _ = coordinator(PresumedCommitCoordinator).after_request("A", TRANSFER)
    one, _ = asking.after_message("P1", Voted("T1", "yes"))
    after, effects = one.after_message("P2", Voted("T1", "yes"))
    assert (after.open, after.log[-1], after.buffer) == (Table(), Committed("T1"), ())
    assert effects.sends == [("P1", Commit("T1")), ("P2", Commit("T1"))]
    _, effects = coordinator(PresumedCommitCoordinator).after_message("P1", Inquiry("T1"))
    assert effects.sends == [("P1", Commit("T1"))], "it answers commit for an unknown transaction"


def test_under_presumed_commit_a_participants_commit_record_is_lazy() -> None:
    """MLO 4: a crash may lose it, and with it the write; its promise is on disk, so it asks and writes again."""
    voted, _ = participant(PresumedCommitParticipant).after_message("C", ASK)
    after, effects = voted.after_message("C", Commit("T1"))
    assert (after.buffer, effects.sends) == ((Committed("T1"),), [])
    assert after.accounts == (Account("ann", 100),), "on disk nothing has changed"
    assert after.balances == {"ann": 60}, "but a reader sees the committed balance"
    again, effects = back(after)
    assert in_doubt_at(again) == ["T1"]
    assert effects.sends[0] == ("C", Inquiry("T1"))
    done, _ = again.after_message("C", Commit("T1"))
    next_, _ = done.after_message("C", Prepare("T2", (Move("P1", "ann", -10),)))
    assert next_.accounts == (Account("ann", 60),), "the next forced record takes it along"
    assert next_.log[-1].redo == (Account("ann", 50),)


def in_doubt_at(process: Participant) -> list[str]:
    return [branch.txn for branch in process.branches.values() if branch.state == "in doubt"]


def test_under_presumed_commit_what_was_collected_and_not_committed_is_aborted() -> None:
    """MLO 4: also when it has ended, and the client asks again."""
    ended = coordinator(PresumedCommitCoordinator, log=(Collecting("T1", TWO), End("T1")))
    _after, effects = ended.after_request("A", TRANSFER)
    assert effects.replies == [("A", Done("T1", TRANSFER.moves, "abort"))]


# Read-only participants


def test_who_has_only_read_writes_nothing_and_is_done() -> None:
    """MLO 3: a read-only vote needs no record, and the locks are free."""
    bank = participant(PresumedAbortReader)
    after, effects = bank.after_message("C", Prepare("T1", (Move("P1", "ann", 0),), TWO))
    assert after == bank
    assert effects.sends == [("C", Voted("T1", "read-only"))]


def test_who_cannot_read_it_says_no() -> None:
    """BHG 7.4: it cannot do its part."""
    _, effects = participant(PresumedAbortReader).after_message("C", Prepare("T1", (Move("P1", "zoe", 0),), TWO))
    assert effects.sends == [("C", Voted("T1", "no"))]


def test_who_still_waits_to_read_has_not_voted_and_may_veto() -> None:
    """BHG 7.4, cooperative termination, case 2: it is sure of it."""
    waits, _ = participant(PresumedAbortReader, log=(YES,)).after_restart()
    waits, _ = waits.after_message("C", Prepare("T2", (Move("P1", "ann", 0),), TWO))
    after, effects = waits.after_message("P2", Inquiry("T2"))
    assert after.log[-1] == Aborted("T2")
    assert effects.sends == [("P2", Abort("T2"))]


def test_who_has_only_read_is_told_nothing() -> None:
    """MLO 3: it is left out of the second phase; if all have only read, there is no second phase."""
    asking, _ = coordinator(PresumedAbortCoordinator).after_request("A", TRANSFER)
    one, _ = asking.after_message("P2", Voted("T1", "read-only"))
    after, effects = one.after_message("P1", Voted("T1", "yes"))
    assert effects.sends == [("P1", Commit("T1"))]
    assert after.log == (Committed("T1", ("P1",), TRANSFER.moves),)
    after, effects = one.after_message("P1", Voted("T1", "read-only"))
    assert (after.log, after.buffer, effects.sends) == ((), (), [])
    assert effects.replies == [("A", Done("T1", TRANSFER.moves, "commit"))]


def test_who_may_have_voted_read_only_does_not_veto() -> None:
    """Ours: its vote left no trace, so what it does not know it may have voted on."""
    bank = participant(PresumedAbortReader)
    after, effects = bank.after_message("P2", Inquiry("T1"))
    assert (after, effects.sends) == (bank, [("P2", InDoubt("T1"))])


# Runs


def test_all_are_blocked_until_the_coordinator_is_repaired() -> None:
    """BHG 7.4: two-phase commit may block; the rows stay locked, and who wants one of them goes without."""
    history = GALLERY["The coordinator crashes after its decision"]()
    stuck = [step for step in history.branch if blocked(step.state)]
    assert {"T1"} in [set(blocked(step.state)) for step in stuck]
    tired = next(step for step in history.branch if any(note.rule == "P.tired" for note in step.notes))
    assert blocked(tired.state)
    assert tired.state["P2"].locks == (Lock("bob", "T1"),)
    end = history.branch[-1].state
    assert in_doubt(end) == ()
    assert [end[name].balances for name in TWO] == [{"ann": 60}, {"bob": 90}], "T1 once, and T2 when asked again"
    assert {record.txn for record in end["C"].log} == {"T1", "T2.2"}


def test_where_one_participant_knows_nobody_waits_for_the_repair() -> None:
    """BHG 7.4: cooperative termination."""
    history = GALLERY["The coordinator crashes, and one bank knows the decision"]()
    for step in history.branch:
        if "C" in step.state.down and not in_doubt(step.state):
            assert [step.state[name].logged_outcome("T1") for name in ("P1", "P2", "P3")] == ["commit"] * 3
            return
    pytest.fail("all learn it while the coordinator is down")


# An operator, and a lost disk


@pytest.mark.parametrize("outcome", ["commit", "abort"])
@pytest.mark.parametrize("decision", ["commit", "abort"])
def test_a_decision_by_hand_is_forced_unlocks_the_rows_and_is_reported_if_it_was_wrong(
    outcome: Outcome, decision: Outcome
) -> None:
    """X/Open XA, heuristic completion: the branch ends without the coordinator, which learns of a wrong guess."""
    voted, _ = participant().after_message("C", Prepare("T1", (ANN,), ("P1", "P2")))
    freed, effects = voted.after_request("operator", Decide("T1", outcome))
    assert (freed.locks, freed.branches, freed.buffer) == ((), Table(), ())
    assert outcome_in(freed.log) == outcome
    assert effects.replies == [("operator", Obeyed())]
    for each in (freed, freed.crashed().after_restart()[0]):
        after, effects = each.after_message("C", Commit("T1") if decision == "commit" else Abort("T1"))
        assert (after.log, after.balances) == (each.log, each.balances), "a decision is never reversed"
        wrong = outcome != decision
        assert rules(effects) == (["P.mixed"] if wrong else ["P.known"])
        assert effects.sends == [("C", Ack("T1", outcome if wrong else None))]


def test_an_order_about_a_transaction_that_is_not_in_doubt_changes_nothing() -> None:
    idle = participant()
    after, effects = idle.after_request("operator", Decide("T1", "commit"))
    assert (after, rules(effects), effects.replies) == (idle, [], [("operator", Obeyed())])


def test_a_coordinator_that_loses_its_disk_is_as_on_its_first_day() -> None:
    """All rests on one write to one disk. A transaction that it had committed it now counts as aborted."""
    asking, _ = coordinator().after_request("A", TRANSFER)
    lives = back(asking)[0]
    decided, _ = lives.after_request("A", TRANSFER)
    for name in ("P1", "P2"):
        decided, _ = decided.after_message(name, Voted("T1.2", "yes"))
    empty, effects = decided.after_request("operator", LoseDisk())
    assert empty == coordinator()
    assert effects.timers["acks:T1.2"] is None
    assert empty.after_message("P1", Inquiry("T1.2"))[1].sends == [("P1", Abort("T1.2"))]


@pytest.mark.parametrize("operator", [False, True])
def test_a_search_finds_that_an_operator_can_break_agreement(operator: bool) -> None:
    """No fault is needed: the operator only has to be too early."""
    one = {"n": 2, "transfers": [{"ann": -40, "bob": 40}], "retries": False, "timing": "quiet", "budget": {}}
    found = explore(TwoPhaseCommit(**one, operator=operator), [agreement])
    assert found.complete is not operator
    assert (found.counterexample is not None) is operator
