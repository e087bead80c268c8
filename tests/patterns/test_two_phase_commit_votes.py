"""Two-phase commit, sentence by sentence: votes, the decision, acknowledgements, locks.

Bernstein, Hadzilacos, Goodman 1987 (`BHG`), chapter 7; Mohan, Lindsay, Obermarck 1986 (`MLO`), section 2.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from patterns.engine.table import Table
from patterns.two_phase_commit import (
    Branch,
    Coordinator,
    Done,
    Move,
    NameTaken,
    NotCoordinator,
    Open,
    Participant,
    Prepare,
    Transfer,
)
from patterns.two_phase_commit.lesson import GALLERY
from patterns.two_phase_commit.lesson.milestones import all_ended
from patterns.two_phase_commit.log import Aborted, Account, Committed, End, Prepared
from patterns.two_phase_commit.messages import Abort, Ack, Commit, Vote, Voted
from patterns.two_phase_commit.participant import Lock
from patterns.two_phase_commit.presumed import PresumedAbortCoordinator, PresumedCommitCoordinator
from patterns.two_phase_commit.three_phase import ThreePhaseCoordinator

ANN, BOB = Move("P1", "ann", -40), Move("P2", "bob", 40)
ASKED = (ANN, BOB)
TRANSFER = Transfer("T1", ASKED)
KINDS = (Coordinator, PresumedAbortCoordinator, PresumedCommitCoordinator, ThreePhaseCoordinator)
VOTING = Open("T1", ("A",), ("P1", "P2"), moves=ASKED)


def coordinator(*open: Open, **fields: Any) -> Coordinator:
    return Coordinator(id="C", open=Table(tuple((each.txn, each) for each in open)), **fields)


def participant(**fields: Any) -> Participant:
    return Participant(id="P1", **{"accounts": (Account("ann", 100),), **fields})


def in_doubt_about(txn: str, **fields: Any) -> Participant:
    """A participant that has voted yes on taking 40 from ann."""
    voted, _ = participant(**fields).after_message("C", Prepare(txn, (ANN,), ("P1", "P2")))
    return voted


def rules(effects: Any) -> list[str]:
    return [note.rule for note in effects.notes]


# The coordinator asks


def test_the_coordinator_sends_a_vote_request_to_all_participants_and_waits() -> None:
    """BHG 7.4, step 1: each is sent its own part, and, to help one another, who else takes part."""
    after, effects = coordinator().after_request("A", TRANSFER)
    both = ("P1", "P2")
    assert effects.sends == [("P1", Prepare("T1", (ANN,), both)), ("P2", Prepare("T1", (BOB,), both))]
    assert effects.timers == {"votes:T1": (60, 60)}
    assert after.open == Table((("T1", VOTING),))
    assert after.log == ()


def test_without_cooperation_participants_are_not_told_of_one_another() -> None:
    """BHG 7.4: then they can ask nobody but the coordinator."""
    _, effects = coordinator(cooperative=False).after_request("A", TRANSFER)
    assert [message.participants for _, message in effects.sends] == [(), ()]


def test_a_transfer_with_an_unknown_participant_is_aborted_at_once() -> None:
    """Ours: such a transfer could never be prepared, and a real coordinator must survive it."""
    knows = coordinator(participants=("P1", "P2"))
    transfer = Transfer("T1", (ANN, Move("P9", "zoe", 40)))
    after, effects = knows.after_request("A", transfer)
    assert effects.replies == [("A", Done("T1", transfer.moves, "abort"))]
    assert (after, effects.sends) == (knows, [])


# A participant votes


def test_a_yes_is_on_disk_before_it_is_given_and_locks_what_it_promises() -> None:
    """MLO 2: a subordinate that is willing force-writes a prepare record and then votes yes."""
    after, effects = participant().after_message("C", Prepare("T1", (ANN,), ("P1", "P2")))
    assert after.log == (Prepared("T1", "C", ("P1", "P2"), (Account("ann", 60),)),)
    assert after.buffer == ()
    assert after.locks == (Lock("ann", "T1"),)
    assert after.accounts == (Account("ann", 100),), "nothing is written before it is decided"
    assert effects.sends == [("C", Voted("T1", "yes"))]
    assert effects.timers == {"doubt:T1": (90, 90)}


@pytest.mark.parametrize(
    ("move", "balances"),
    [
        (Move("P1", "ann", -140), (Account("ann", 100),)),
        (Move("P1", "zoe", 40), ()),
    ],
)
def test_who_cannot_do_its_part_votes_no_and_aborts_at_once(move: Move, balances: tuple[Account, ...]) -> None:
    """MLO 2: a no is a veto, so a participant that votes no need not wait for the decision."""
    after, effects = participant().after_message("C", Prepare("T1", (move,), ("P1", "P2")))
    assert after.log == (Aborted("T1"),)
    assert (after.locks, after.branches) == ((), Table())
    assert effects.sends == [("C", Voted("T1", "no"))]
    assert effects.notes[0].values["balances"] == balances


def test_who_is_asked_again_votes_the_same_again() -> None:
    """A network may double a message: the promise is made once."""
    voted = in_doubt_about("T1")
    after, effects = voted.after_message("C", Prepare("T1", (ANN,), ("P1", "P2")))
    assert (after, effects.sends) == (voted, [("C", Voted("T1", "yes"))])
    refused = participant(log=(Aborted("T1"),))
    after, effects = refused.after_message("C", Prepare("T1", (ANN,), ("P1", "P2")))
    assert (after, effects.sends) == (refused, [("C", Voted("T1", "no"))])


# The decision


def test_as_long_as_a_vote_is_missing_nothing_is_decided() -> None:
    """BHG 7.4, step 3: it waits for the votes of all."""
    after, effects = coordinator(VOTING).after_message("P1", Voted("T1", "yes"))
    assert effects.sends == []
    assert after.log == ()
    assert after.open["T1"].votes == Table((("P1", "yes"),))


def test_when_all_voted_yes_the_decision_is_on_disk_before_anybody_is_told() -> None:
    """BHG 7.4, step 3; MLO 2: the commit point is when the commit record is on disk."""
    one = coordinator(VOTING).after_message("P1", Voted("T1", "yes"))[0]
    after, effects = one.after_message("P2", Voted("T1", "yes"))
    assert after.log == (Committed("T1", ("P1", "P2"), ASKED),)
    assert after.buffer == ()
    assert effects.sends == [("P1", Commit("T1")), ("P2", Commit("T1"))]
    assert effects.replies == [("A", Done("T1", ASKED, "commit"))]
    assert effects.timers["acks:T1"] == (60, 60)
    assert effects.timers["votes:T1"] is None


def test_one_no_decides_for_all_and_who_said_it_is_not_told() -> None:
    """BHG 7.4, step 3: ABORT is sent to those that voted yes; here also to participants that have not voted yet."""
    after, effects = coordinator(VOTING).after_message("P1", Voted("T1", "no"))
    assert after.log == (Aborted("T1", ("P2",), ASKED),)
    assert effects.sends == [("P2", Abort("T1"))]
    assert effects.replies == [("A", Done("T1", ASKED, "abort"))]


def test_when_votes_are_late_the_coordinator_aborts() -> None:
    """BHG 7.4, timeout actions: while it waits for votes it may decide abort."""
    after, effects = coordinator(VOTING).after_timer("votes:T1")
    assert after.log == (Aborted("T1", ("P1", "P2"), ASKED),)
    assert rules(effects) == ["C.silent", "C.abort", "C.forced"]
    assert effects.timers["votes:T1"] is None, "nobody is waited for"


def test_each_transaction_waits_for_its_own_votes() -> None:
    """BHG 7.4: a timeout is one transaction's."""
    second = Open("T2", ("B",), ("P1", "P3"))
    after, effects = coordinator(VOTING, second).after_timer("votes:T1")
    assert [(open.txn, open.phase) for open in after.open.values()] == [("T1", "aborting"), ("T2", "voting")]
    assert "votes:T2" not in effects.timers


def test_a_vote_that_comes_after_the_decision_changes_nothing() -> None:
    """AC2: a decision cannot be reversed."""
    decided, _ = coordinator(VOTING).after_timer("votes:T1")
    after, effects = decided.after_message("P1", Voted("T1", "yes"))
    assert after == decided
    assert rules(effects) == ["C.late"]


def test_what_one_has_decided_stands_whatever_it_is_told() -> None:
    """BHG 7.3, AC2: and every report of it is its decision."""
    done, _ = in_doubt_about("T1").after_message("C", Commit("T1"))
    after, effects = done.after_message("P2", Abort("T1"))
    assert after == done
    assert [(note.rule, note.values["outcome"]) for note in effects.notes] == [("P.known", "commit")]


def test_only_a_record_of_this_transaction_is_called_lazy() -> None:
    """All have only read: nothing is written (MLO 3), though the end of another still waits for the disk."""
    reading = Open("T2", ("B",), ("P1",))
    waits = PresumedAbortCoordinator(id="C", open=Table((("T2", reading),)), buffer=(End("T1"),))
    after, effects = waits.after_message("P1", Voted("T2", "read-only"))
    assert after.buffer == (End("T1"),)
    assert rules(effects) == ["C.vote", "C.commit"]


def test_the_vote_that_came_first_counts() -> None:
    """A network may double a message: nobody votes twice."""
    one, _ = coordinator(VOTING).after_message("P1", Voted("T1", "yes"))
    after, effects = one.after_message("P1", Voted("T1", "yes"))
    assert (after, rules(effects)) == (one, ["C.late"])


def test_an_abort_of_which_nobody_has_to_be_told_is_on_disk_too() -> None:
    """MLO 2: a client that asks again is told, and nothing is begun anew."""
    alone = Open("T1", ("A",), ("P1",))
    after, _ = coordinator(alone).after_message("P1", Voted("T1", "no"))
    assert (after.open, after.log) == (Table(), (Aborted("T1"),))


# Participants learn it, and acknowledge


def test_a_commit_writes_the_money_and_the_record_at_once_and_frees_the_locks() -> None:
    """MLO 2: the commit record is forced before the acknowledgement is sent."""
    after, effects = in_doubt_about("T1").after_message("C", Commit("T1"))
    assert after.accounts == (Account("ann", 60),)
    assert after.log[-1] == Committed("T1")
    assert (after.locks, after.branches) == ((), Table())
    assert effects.sends == [("C", Ack("T1"))]
    assert effects.timers["doubt:T1"] is None


def test_an_abort_writes_nothing_but_its_record() -> None:
    """MLO 2."""
    after, effects = in_doubt_about("T1").after_message("C", Abort("T1"))
    assert after.accounts == (Account("ann", 100),)
    assert after.log[-1] == Aborted("T1")
    assert (after.locks, effects.sends) == ((), [("C", Ack("T1"))])


def test_a_decision_told_twice_is_acknowledged_twice_and_done_once() -> None:
    """MLO 2: the acknowledgement may have been lost."""
    done, _ = in_doubt_about("T1").after_message("C", Commit("T1"))
    after, effects = done.after_message("C", Commit("T1"))
    assert (after, effects.sends) == (done, [("C", Ack("T1"))])


def test_the_coordinator_forgets_when_all_have_acknowledged() -> None:
    """MLO 2: then it writes an end record, which need not be forced."""
    told = coordinator(
        Open("T1", ("A",), ("P1", "P2"), "committing", missing=frozenset({"P1", "P2"})),
        log=(Committed("T1", ("P1", "P2")),),
    )
    one, effects = told.after_message("P1", Ack("T1"))
    assert one.open["T1"].missing == {"P2"}
    after, effects = one.after_message("P2", Ack("T1"))
    assert (after.open, after.buffer) == (Table(), (End("T1"),))
    assert effects.timers == {"acks:T1": None}


def test_who_does_not_acknowledge_is_told_again() -> None:
    """MLO 2: until all have."""
    told = coordinator(Open("T1", ("A",), ("P1", "P2", "P3"), "committing", missing=frozenset({"P2", "P3"})))
    _, effects = told.after_timer("acks:T1")
    assert effects.sends == [("P2", Commit("T1")), ("P3", Commit("T1"))]
    assert effects.timers["acks:T1"] == (60, 60)
    late, effects = told.after_message("P1", Ack("T1"))
    assert (late, rules(effects)) == (told, ["C.late"]), "it had acknowledged already"


# Clients


def test_a_request_asked_again_is_answered_and_not_done_again() -> None:
    """The client's name for a transaction is given once: while it is undecided the client waits, then it is told."""
    waiting, effects = coordinator(VOTING).after_request("A", TRANSFER)
    assert (waiting, effects.sends, effects.replies) == (coordinator(VOTING), [], [])
    decided = coordinator(log=(Committed("T1", ("P1", "P2")), End("T1")))
    after, effects = decided.after_request("A", TRANSFER)
    assert (after, effects.sends, effects.replies) == (decided, [], [("A", Done("T1", ASKED, "commit"))])


OTHER = Transfer("T1", (Move("P2", "bob", -90), Move("P1", "ann", 90)))


@pytest.mark.parametrize("restarts", [False, True], ids=["up", "after a restart"])
@pytest.mark.parametrize("outcome", ["yes", "no", ""], ids=["committed", "aborted", "undecided"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_same_name_with_another_transfer_is_refused(kind: type[Coordinator], outcome: Vote, restarts: bool) -> None:
    """Stripe and the IETF draft on Idempotency-Key compare the contents of a request with those of the first. It is
    refused as long as C remembers the first; C says commit about another transfer in no case."""
    bank, _ = kind(id="C").after_request("A", TRANSFER)
    for name in ("P1", "P2") if outcome else ():
        bank, _ = bank.after_message(name, Voted("T1", outcome))
    if restarts:
        bank, _ = bank.crashed().after_restart()
    after, effects = bank.after_request("B", OTHER)
    if bank.moves_of("T1"):
        assert (after, effects.replies, rules(effects)) == (bank, [("B", NameTaken("T1", OTHER.moves))], ["C.taken"])
    else:
        assert restarts, "only a crash makes it forget"
        assert effects.sends[0] == ("P2", Prepare("T1.2", OTHER.moves[:1], ("P2", "P1")))
    _, effects = bank.after_request("B", Transfer("T1", (BOB, ANN)))
    assert "C.taken" not in rules(effects), "the same moves in another order are the same transfer"


def test_all_clients_that_wait_for_a_transfer_are_answered() -> None:
    """A client that lost its connection asks again, perhaps as another client."""
    waiting, _ = coordinator(VOTING).after_request("B", TRANSFER)
    waiting, _ = waiting.after_request("A", TRANSFER)
    _, effects = waiting.after_message("P1", Voted("T1", "no"))
    assert effects.replies == [("A", Done("T1", ASKED, "abort")), ("B", Done("T1", ASKED, "abort"))]


def test_a_participant_sends_clients_to_the_coordinator() -> None:
    """Ours, as in Raft 8: whom to ask."""
    _, effects = participant().after_request("A", TRANSFER)
    assert effects.replies == [("A", NotCoordinator("T1", ASKED, "C"))]


@pytest.mark.parametrize(
    "message",
    [
        TRANSFER,
        Done("T1", ASKED, "commit"),
        NotCoordinator("T1", ASKED, "C"),
        NameTaken("T1", ASKED),
    ],
)
def test_request_and_answers_carry_what_tells_them_from_others(message: Any) -> None:
    """What the runtime's clients go by: the same `serial`."""
    assert message.serial == TRANSFER.serial


@pytest.mark.parametrize(
    ("txn", "moves", "why"),
    [
        ("", (ANN, BOB), "allowed is a name"),
        ("T1.2", (ANN, BOB), "without a dot"),
        ("T1", (), "allowed are moves"),
        ("T1", (ANN, ANN), "one for each account"),
        ("T1", (ANN,), "add up to -40"),
    ],
)
def test_a_transfer_that_cannot_be_is_refused(txn: str, moves: tuple[Move, ...], why: str) -> None:
    """Money is moved, never made; also where it comes over the wire."""
    with pytest.raises(ValueError, match=why):
        Transfer(txn, moves)
    raw = {"type": "Transfer", "txn": txn, "moves": [msgspec.to_builtins(move) for move in moves]}
    with pytest.raises(msgspec.ValidationError, match=why):
        msgspec.convert(raw, Transfer)


# Locks


def test_who_wants_a_locked_row_waits_and_has_its_turn_when_it_is_decided() -> None:
    """BHG 3: a lock is kept until the transaction is decided; first come, first served."""
    first = in_doubt_about("T1")
    waits, effects = first.after_message("C", Prepare("T2", (Move("P1", "ann", -80),), ("P1", "P2")))
    assert rules(effects) == ["P.wait"]
    assert waits.locks == first.locks
    assert effects.timers == {"lock:T2": (90, 90)}
    after, effects = waits.after_message("C", Commit("T1"))
    assert rules(effects) == ["P.commit", "P.turn", "P.no"], "60 is left, so 80 is too much: it reads what T1 wrote"
    assert after.branches == Table()


def test_who_has_waited_too_long_for_a_lock_is_aborted() -> None:
    """BHG 7.3: before its vote a process may abort alone; 3: it may wait in a deadlock."""
    first = in_doubt_about("T1")
    waits, _ = first.after_message("C", Prepare("T2", (Move("P1", "ann", 30),), ("P1", "P2")))
    after, effects = waits.after_timer("lock:T2")
    assert after.log[-1] == Aborted("T2")
    assert effects.sends == [("C", Voted("T2", "no"))]
    assert after.locks == first.locks, "T1 is not touched"


def test_who_has_its_turn_because_another_is_given_up_is_not_given_up_after_its_yes() -> None:
    """BHG 7.3, AC2: a yes is given once. Both have waited too long, but the second only for the first."""
    bank = participant(accounts=(Account("ann", 100), Account("bob", 100)), locks=(Lock("ann", "T0"),))
    first = Branch("T1", (Move("P1", "ann", -10), Move("P1", "bob", 10)), ())
    second = Branch("T2", (Move("P1", "bob", -5),), ())
    waiting = replace(bank, branches=Table((("T1", first), ("T2", second))), queue=("T1", "T2"))
    after, effects = waiting.after_timer("lock:T1")
    assert [record for record in after.log if record.txn == "T2"] == [Prepared("T2", "C", (), (Account("bob", 95),))]
    assert effects.sends == [("C", Voted("T2", "yes")), ("C", Voted("T1", "no"))]
    assert rules(effects) == ["P.tired", "P.turn", "P.yes"]


def test_a_later_one_does_not_overtake_who_waits_for_the_same_row() -> None:
    """First come, first served: else the first could wait for ever."""
    bank = participant(accounts=(Account("ann", 100), Account("bob", 100)))
    bank, _ = bank.after_message("C", Prepare("T1", (Move("P1", "ann", -10),)))
    bank, _ = bank.after_message("C", Prepare("T2", (Move("P1", "ann", 5), Move("P1", "bob", 5))))
    after, effects = bank.after_message("C", Prepare("T3", (Move("P1", "bob", 5),)))
    assert effects.notes[0].values["holders"] == ("T2",)
    after, effects = after.after_message("C", Commit("T1"))
    assert [branch.state for branch in after.branches.values()] == ["in doubt", "waiting"]
    after, effects = after.after_message("C", Abort("T2"))
    assert [branch.state for branch in after.branches.values()] == ["in doubt"]


def test_all_that_wait_for_a_row_of_what_is_decided_have_their_turn_at_once() -> None:
    """Each waits for another row of it: nobody else will wake them."""
    bank = participant(accounts=(Account("ann", 100), Account("bob", 100)))
    for txn, accounts in (("T1", ("ann", "bob")), ("T2", ("ann",)), ("T3", ("bob",))):
        bank, _ = bank.after_message("C", Prepare(txn, tuple(Move("P1", account, -5) for account in accounts)))
    assert [branch.state for branch in bank.branches.values()] == ["in doubt", "waiting", "waiting"]
    _, effects = bank.after_message("C", Abort("T1"))
    assert effects.sends == [("C", Voted("T2", "yes")), ("C", Voted("T3", "yes")), ("C", Ack("T1"))]


def test_two_transfers_that_wait_for_each_other_do_not_wait_for_ever() -> None:
    """BHG 3: a deadlock, ended by a timeout."""
    history = GALLERY["Two transfers wait for each other, and one is aborted"]()
    waits = next(
        step for step in history.branch if len(step.state["P1"].branches) == 2 == len(step.state["P2"].branches)
    )
    assert {process.locks[0].txn for process in (waits.state["P1"], waits.state["P2"])} == {"T1", "T2"}
    end = history.branch[-1].state
    assert all_ended(end)
    assert [call.reply.outcome for call in end.calls] == ["commit", "abort"]
