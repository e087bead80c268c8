"""Orchestrated sagas, sentence by sentence.

`GMS`: Garcia-Molina and Salem, "Sagas", SIGMOD 1987. `MP`: Richardson, "Microservices Patterns", 2018.
"""

from __future__ import annotations

from typing import Any

import pytest

from patterns.engine.process import Effects
from patterns.engine.table import Table
from patterns.saga import DEFINITIONS, Add, Begin, Ended, Look, Move, Overwrite, Repair, Reread
from patterns.saga.actions import Row
from patterns.saga.definition import Saga
from patterns.saga.front import Patience
from patterns.saga.log import Record, progress, to_compensate
from patterns.saga.messages import Accepted, Do, Done, Elsewhere, Failed, Refused, Release, Released, Undo, Undone
from patterns.saga.orchestrator import BackwardAfterCrash, Orchestrator, Service
from patterns.saga.reasons import Reason

DECLINED = Reason("declined")
ORDER, TRIP, ONE_WAY = DEFINITIONS["order"], DEFINITIONS["trip"], DEFINITIONS["one_way"]


def orchestrator(kind: type[Orchestrator] = Orchestrator, **fields: Any) -> Orchestrator:
    patience = Patience(**{name: fields.pop(name) for name in ("tries", "alarm") if name in fields})
    return kind(**{"id": "orchestrator", "definitions": (ORDER, TRIP, ONE_WAY), "patience": patience, **fields})


def begun(definition: Saga = ORDER, **fields: Any) -> Orchestrator:
    return orchestrator(**fields).after_request("A", Begin(1, "A1", definition.name))[0]


def told(process: Orchestrator, *messages: Any) -> tuple[Orchestrator, Effects]:
    """The process after these answers, and what it asked for at the last one."""
    effects = Effects(0)
    for message in messages:
        process, effects = process.after_message("a service", message)
    return process, effects


def asked(effects: Effects) -> list[tuple[str, str]]:
    return [(to, str(message)) for to, message in effects.sends]


def log(process: Orchestrator) -> list[str]:
    return [str(record).removeprefix("A1 ") for record in process.log]


def restarted(process: Orchestrator) -> tuple[Orchestrator, Effects]:
    return process.crashed().after_restart()


def late(process: Orchestrator) -> tuple[Orchestrator, Effects]:
    """After the timer of the one command that is not answered."""
    [about] = process.waiting.names
    return process.after_timer(f"retry:{about}")


# Forward


def test_a_saga_is_in_the_log_before_anything_is_done_for_it() -> None:
    """GMS 4: the log has the begin of the saga and of each of its steps."""
    after, effects = orchestrator().after_request("A", Begin(1, "A1", "order"))
    assert log(after) == ["begun order", "reserve started"]
    assert asked(effects) == [("stock", "A1: reserve")]
    assert set(after.written_since(orchestrator())) == {"instances", "log"}


def test_the_next_step_begins_when_the_one_before_it_is_done() -> None:
    after, effects = told(begun(), Done("A1", "reserve"))
    assert log(after)[2:] == ["reserve done", "charge started"]
    assert asked(effects) == [("payment", "A1: charge")]


def test_parallel_branches_begin_together_and_are_waited_for() -> None:
    """GMS 8: parallel sagas."""
    after, effects = told(begun(TRIP), Done("A1", "hold"))
    assert asked(effects) == [("airline", "A1: flight"), ("lodging", "A1: hotel")]
    after, effects = told(after, Done("A1", "hotel"))
    assert asked(effects) == []
    _, effects = told(after, Done("A1", "flight"))
    assert asked(effects) == [("card", "A1: pay")]


def test_the_client_hears_how_its_saga_ended_when_it_has() -> None:
    before, effects = told(begun(), Done("A1", "reserve"), Done("A1", "charge"), Done("A1", "approve"))
    assert effects.replies == []
    after, effects = told(before, Done("A1", "ship"))
    assert effects.replies == [("A", Ended(1, "A1", "completed"))]
    assert log(after)[-1] == "ended completed"
    assert effects.timers == {"retry:A1.ship": None}
    assert after.waiting == Table()


def test_the_pivot_is_logged_as_the_point_of_no_return() -> None:
    """MP 4.3.2: once the pivot is done, the saga runs to completion."""
    after, _ = told(begun(), Done("A1", "reserve"), Done("A1", "charge"), Done("A1", "approve"))
    assert log(after)[-3:] == ["approve done", "approve pivot passed", "ship started"]


# One saga


def test_a_request_that_comes_again_is_the_same_saga() -> None:
    """MP 3.3.6: messages may be delivered more than once."""
    before = begun()
    after, effects = before.after_request("A", Begin(1, "A1", "order"))
    assert after == before
    assert effects.sends == []


def test_a_request_that_comes_after_the_end_is_answered_again() -> None:
    ended, _ = told(begun(), Refused("A1", "reserve", DECLINED))
    after, effects = ended.after_request("A", Begin(1, "A1", "order"))
    assert after == ended
    assert effects.replies == [("A", Ended(1, "A1", "compensated", DECLINED))]


def test_a_saga_that_is_not_defined_is_refused() -> None:
    after, effects = orchestrator().after_request("A", Begin(1, "A1", "dinner"))
    assert after == orchestrator()
    assert effects.replies == [("A", Ended(1, "A1", "unknown", Reason("unknown", "dinner")))]


def test_a_service_sends_clients_on_to_the_orchestrator() -> None:
    _, effects = service().after_request("A", Begin(3, "A3", "order"))
    assert effects.replies == [("A", Elsewhere(3, "orchestrator"))]


# Backward


def test_after_a_refusal_what_was_done_is_undone_the_last_first() -> None:
    """GMS 4: for T1 ... Tj the compensations run as Cj ... C1."""
    before, effects = told(begun(), Done("A1", "reserve"), Done("A1", "charge"), Refused("A1", "approve", DECLINED))
    assert log(before)[-2:] == ["approve refused it was declined", "turned back"]
    assert asked(effects) == [("payment", "A1: undo charge")]
    before, effects = told(before, Undone("A1", "charge"))
    assert asked(effects) == [("stock", "A1: undo reserve")]
    after, effects = told(before, Undone("A1", "reserve"))
    assert log(after)[-3:] == ["charge undone", "reserve undone", "ended compensated"]
    assert effects.replies == [("A", Ended(1, "A1", "compensated", DECLINED))]


def test_parallel_branches_are_undone_side_by_side_and_what_they_build_on_last() -> None:
    """GMS 8. The branch that is under way may have been done: it is compensated too."""
    before, effects = told(begun(TRIP), Done("A1", "hold"), Refused("A1", "hotel", DECLINED))
    assert asked(effects) == [("airline", "A1: undo flight")]
    _, effects = told(before, Undone("A1", "flight"))
    assert asked(effects) == [("card", "A1: undo hold")]


@pytest.mark.parametrize(
    ("standing", "following"),
    [
        (("hold",), ("hold",)),
        (("hold", "flight"), ("flight",)),
        (("hold", "flight", "hotel"), ("hotel", "flight")),
        (("flight", "hotel"), ("hotel", "flight")),
        ((), ()),
    ],
)
def test_a_step_is_compensated_when_nothing_builds_on_it(standing: Any, following: Any) -> None:
    assert to_compensate(TRIP, standing) == following


def test_an_answer_that_comes_after_it_turned_back_changes_nothing() -> None:
    before, _ = told(begun(TRIP), Done("A1", "hold"), Refused("A1", "hotel", DECLINED))
    for message in (Done("A1", "flight"), Refused("A1", "flight", DECLINED), Failed("A1", "flight", False, DECLINED)):
        after, effects = told(before, message)
        assert after == before
        assert effects.sends == []


# Timeouts and retries


def test_what_is_not_answered_is_asked_again_and_the_wait_doubles() -> None:
    process, waits = begun(tries=9), []
    for _ in range(5):
        process, effects = late(process)
        assert asked(effects) == [("stock", "A1: reserve")]
        waits.append(effects.timers["retry:A1.reserve"])
    assert waits == [(80, 100), (160, 200), (320, 400), (320, 400), (320, 400)], "`backoff` is 8"


def test_each_command_has_a_timer_of_its_own() -> None:
    """GMS 8: parallel branches wait for their answers independently of one another."""
    process, effects = told(begun(TRIP), Done("A1", "hold"))
    assert {"retry:A1.flight", "retry:A1.hotel"} <= {*effects.timers}
    process, effects = process.after_timer("retry:A1.hotel")
    assert asked(effects) == [("lodging", "A1: hotel")]
    assert [*effects.timers] == ["retry:A1.hotel"]


def test_a_compensatable_step_that_is_not_answered_is_given_up_and_compensated_too() -> None:
    """GMS 4, backward recovery: whether it was done is not known, so its compensation runs as well."""
    before, _ = told(begun(tries=1), Done("A1", "reserve"))
    after, effects = late(before)
    assert log(after)[-2:] == ["charge gave up charge was not done in time", "turned back"]
    assert asked(effects) == [("payment", "A1: undo charge")]


def test_a_pivot_that_is_not_answered_is_asked_for_until_it_is() -> None:
    """MP 4.3.2: whether it was done decides which way the saga goes."""
    process, _ = told(begun(tries=1), Done("A1", "reserve"), Done("A1", "charge"))
    for _ in range(8):
        process, effects = late(process)
        assert asked(effects) == [("orders", "A1: approve")]


def test_past_the_pivot_there_is_only_forward() -> None:
    """GMS 5, forward recovery; MP 4.3.2, retriable transactions are guaranteed to succeed."""
    process, _ = told(begun(tries=1), Done("A1", "reserve"), Done("A1", "charge"), Done("A1", "approve"))
    for _ in range(8):
        process, effects = told(process, Failed("A1", "ship", False, DECLINED))
        assert effects.sends == []
        process, effects = late(process)
        assert asked(effects) == [("shipping", "A1: ship")]
    assert progress(ORDER, "A1", process.log).phase == "past the pivot"


# A compensation that fails


def failing_undo(alarm: int) -> Orchestrator:
    return told(begun(alarm=alarm), Done("A1", "reserve"), Refused("A1", "charge", DECLINED))[0]


def test_a_compensation_that_fails_is_tried_again() -> None:
    """GMS 6: a compensation must not give up at the first error."""
    process, effects = told(failing_undo(5), Failed("A1", "reserve", True, DECLINED))
    assert effects.sends == []
    _, effects = late(process)
    assert asked(effects) == [("stock", "A1: undo reserve")]


def test_a_compensation_that_keeps_failing_is_reported_and_needs_a_human() -> None:
    """GMS 6: where a compensation cannot be completed, somebody must step in."""
    process, effects = late(failing_undo(2))
    assert effects.replies == []
    process, effects = late(process)
    assert log(process)[-1] == "reserve stuck undo reserve fails"
    assert effects.replies == [("A", Ended(1, "A1", "stuck", Reason("stuck", "reserve")))]
    assert process.waiting == Table()
    after, effects = restarted(process)
    assert (after.waiting, effects.notes) == (Table(), []), "a crash does not make it try again"


def test_who_asks_again_for_a_saga_that_is_stuck_is_told_so() -> None:
    """The answer may have been lost, and no other comes by itself."""
    stuck, _ = late(failing_undo(1))
    after, effects = stuck.after_request("A", Begin(1, "A1", "order"))
    assert effects.replies == [("A", Ended(1, "A1", "stuck", Reason("stuck", "reserve")))]
    assert after == stuck


def test_a_repaired_saga_goes_on() -> None:
    stuck, _ = late(failing_undo(1))
    after, effects = stuck.after_request("operator", Repair(1, "A1"))
    assert effects.replies == [("operator", Accepted(1, "A1"))]
    assert asked(effects) == [("stock", "A1: undo reserve")]
    after, effects = told(after, Undone("A1", "reserve"))
    assert log(after)[-3:] == ["reserve repaired", "reserve undone", "ended compensated"]


def test_a_repair_of_what_is_not_stuck_does_nothing() -> None:
    for process, name in ((begun(), "A1"), (begun(), "B7")):
        after, effects = process.after_request("operator", Repair(1, name))
        assert after == process
        assert effects.sends == []


# A crash


def test_after_a_crash_the_log_says_where_every_saga_is() -> None:
    """GMS 4: the saga execution component reads the log and goes on."""
    process, _ = told(begun(), Done("A1", "reserve"))
    after, effects = restarted(process)
    assert asked(effects) == [("payment", "A1: charge")], "asked again: nobody here knows whether it arrived"
    assert after.log == process.log


def test_a_saga_that_had_turned_back_goes_on_backward() -> None:
    process, _ = told(begun(), Done("A1", "reserve"), Done("A1", "charge"), Refused("A1", "approve", DECLINED))
    _, effects = restarted(told(process, Undone("A1", "charge"))[0])
    assert asked(effects) == [("stock", "A1: undo reserve")]


def test_a_saga_that_has_ended_is_left_alone() -> None:
    ended, _ = told(begun(), Refused("A1", "reserve", DECLINED))
    after, effects = restarted(ended)
    assert effects.sends == []
    assert effects.notes == []
    assert after == ended


def test_without_save_points_a_crash_turns_a_saga_back_where_it_still_can() -> None:
    """GMS 4 and 5: backward recovery, but for what is past the point of no return."""
    fields = {"definitions": (ORDER,), "id": "orchestrator"}
    process, _ = BackwardAfterCrash(**fields).after_request("A", Begin(1, "A1", "order"))
    process, _ = told(process, Done("A1", "reserve"))
    after, effects = restarted(process)
    assert asked(effects) == [("payment", "A1: undo charge")]
    assert log(after)[-1] == "turned back it was interrupted"
    process, _ = told(process, Done("A1", "charge"))
    _, effects = restarted(process)
    assert asked(effects) == [("orders", "A1: approve")], "the pivot may be done"


# Services


def service(**fields: Any) -> Service:
    rows = (Row("ann", 100), Row("shop", 0))
    return Service(**{"id": "payment", "rows": rows, **fields})


CHARGE = Do("A1", "charge", ORDER["charge"].do, "compensatable")
REFUND = Undo("A1", "charge", ORDER["charge"].undo)  # type: ignore[arg-type]


def rows(process: Service) -> dict[str, int]:
    return {row.key: row.value for row in process.rows}


def handled(process: Service, *messages: Any) -> tuple[Service, list[str]]:
    """The service after these requests, and its answers."""
    answers = []
    for message in messages:
        process, effects = process.after_message("orchestrator", message)
        answers += [str(body).removeprefix("A1: ") for _, body in effects.sends]
    return process, answers


def test_a_service_does_a_step_and_writes_its_key_with_it() -> None:
    """MP 3.3.6: the id of the message is recorded in the transaction that it leads to."""
    after, answers = handled(service(), CHARGE)
    assert answers == ["charge done"]
    assert rows(after) == {"ann": 70, "shop": 30}
    assert set(after.written_since(service())) == {"rows", "handled"}


def test_a_request_that_comes_twice_is_done_once_and_answered_twice() -> None:
    once, _ = handled(service(), CHARGE)
    twice, answers = handled(once, CHARGE)
    assert answers == ["charge done"]
    assert twice == once


def test_a_refusal_is_remembered_too() -> None:
    """What was refused once is refused again, also when it could be done by then: the saga goes by the answer."""
    refused, answers = handled(service(rows=(Row("ann", 20), Row("shop", 0))), CHARGE)
    assert answers == ["charge refused"]
    rich = service(rows=(Row("ann", 100), Row("shop", 0)), handled=refused.handled)
    after, answers = handled(rich, CHARGE)
    assert answers == ["charge refused"]
    assert rows(after) == {"ann": 100, "shop": 0}


def test_a_compensation_undoes_the_step_once() -> None:
    after, answers = handled(service(), CHARGE, REFUND, REFUND)
    assert answers == ["charge done", "charge undone", "charge undone"]
    assert rows(after) == {"ann": 100, "shop": 0}
    assert [(each.undo, each.outcome) for each in after.handled] == [(False, "done"), (True, "undone")]


def test_a_compensation_of_what_was_never_done_does_nothing() -> None:
    poor = service(rows=(Row("ann", 20), Row("shop", 90)))
    for before in (poor, handled(poor, CHARGE)[0]):
        after, answers = handled(before, REFUND)
        assert answers == ["charge undone"]
        assert rows(after) == {"ann": 20, "shop": 90}
        assert after.handled[-1].outcome == "nothing"


def test_a_request_that_comes_after_its_compensation_does_nothing() -> None:
    """MP 4.3.2, version file: what came first is on record, so that the order does not matter."""
    after, answers = handled(service(), REFUND, CHARGE)
    assert answers == ["charge undone", "charge refused"]
    assert rows(after) == {"ann": 100, "shop": 0}
    assert after.handled[-1].outcome == "cancelled"


def test_what_a_service_handled_survives_a_crash() -> None:
    done, _ = handled(service(), CHARGE)
    after, answers = handled(done.crashed().after_restart()[0], CHARGE)
    assert answers == ["charge done"]
    assert rows(after) == {"ann": 70, "shop": 30}


def test_what_fails_changes_nothing_and_may_work_later() -> None:
    failing = service(fails=Table((("charge", 1), ("undo charge", 1))))
    process, answers = handled(failing, CHARGE, CHARGE, REFUND, REFUND)
    assert answers == ["charge failed", "charge done", "undo charge failed", "charge undone"]
    assert rows(process) == {"ann": 100, "shop": 0}


def test_a_retriable_step_is_never_refused() -> None:
    """MP 4.3.2: retriable transactions follow the pivot, and are guaranteed to succeed."""
    ship = Do("A1", "ship", ORDER["charge"].do, "retriable")
    process, answers = handled(service(rows=(Row("ann", 20), Row("shop", 0))), ship)
    assert answers == ["ship failed"]
    assert process.handled == ()


def test_a_compensation_whose_money_is_gone_fails() -> None:
    """What others used in between is not there to be given back: the price of no isolation (MP 4.3.1)."""
    done, _ = handled(service(), CHARGE)
    spent = service(rows=(Row("ann", 70), Row("shop", 0)), handled=done.handled)
    after, answers = handled(spent, REFUND)
    assert answers == ["undo charge failed"]
    assert after == spent


# Semantic locks


def test_a_compensatable_step_marks_what_it_wrote_until_its_saga_has_ended() -> None:
    """MP 4.3.2, semantic lock: a flag on any record that a compensatable transaction writes."""
    marked, _ = handled(service(locking="refuse"), CHARGE)
    assert {row.pending for row in marked.rows} == {"A1"}
    assert {row.pending for row in handled(marked, REFUND)[0].rows} == {""}
    released, answers = handled(marked, Release("A1", "stock"))
    assert {row.pending for row in released.rows} == {""}
    assert answers == ["released"]


@pytest.mark.parametrize("kind", ["pivot", "retriable"])
def test_what_cannot_be_undone_is_final_at_once_and_not_marked(kind: Any) -> None:
    """MP 4.3.2, semantic lock: only compensatable transactions set the flag."""
    after, answers = handled(service(locking="refuse"), Do("A1", "charge", CHARGE.action, kind))
    assert answers == ["charge done"]
    assert {row.pending for row in after.rows} == {""}


def test_what_else_a_saga_did_at_a_service_stays_marked_until_it_is_undone_too() -> None:
    """MP 4.3.2: who sets a flag clears it; while a step of the saga stands, it may still be taken back."""
    fee = Do("A1", "fee", Move("ann", "fees", 1), "compensatable")
    bank = service(locking="refuse", rows=(Row("ann", 100), Row("shop", 0), Row("fees", 0)))
    marked, _ = handled(bank, CHARGE, fee)
    once, _ = handled(marked, Undo("A1", "fee", Move("fees", "ann", 1)))
    assert {row.key: row.pending for row in once.rows} == {"ann": "A1", "shop": "A1", "fees": "A1"}
    twice, _ = handled(once, REFUND)
    assert {row.pending for row in twice.rows} == {""}


def test_a_saga_overwrites_with_what_it_saw_itself() -> None:
    """MP 4.3.1, lost update; 4.3.2, re-read value: what another saga saw later is not what this one saw."""
    for action, answer, limit in (
        (Overwrite("limit", 50), "raise done", 150),
        (Reread("limit", 50), "raise refused", 150),
    ):
        bank = service(rows=(Row("limit", 100),))
        after, answers = handled(
            bank,
            Do("A1", "look", Look("limit"), "compensatable"),
            Do("C1", "raise", Add("limit", 50), "compensatable"),
            Do("B1", "look", Look("limit"), "compensatable"),
            Do("A1", "raise", action, "compensatable"),
        )
        assert answers[-1] == answer
        assert rows(after) == {"limit": limit}, "B1 saw 150"


def test_a_saga_that_looks_again_overwrites_with_what_it_saw_last() -> None:
    """MP 4.3.2, re-read value."""
    for action in (Overwrite("limit", 50), Reread("limit", 50)):
        after, answers = handled(
            service(rows=(Row("limit", 100),)),
            Do("A1", "look", Look("limit"), "compensatable"),
            Do("C1", "raise", Add("limit", 50), "compensatable"),
            Do("A1", "look again", Look("limit"), "compensatable"),
            Do("A1", "raise", action, "compensatable"),
        )
        assert answers[-1] == "raise done"
        assert rows(after) == {"limit": 200}


@pytest.mark.parametrize(("locking", "answer"), [("refuse", "B1: charge refused"), ("wait", "B1: charge failed")])
def test_another_saga_is_refused_or_waits(locking: str, answer: str) -> None:
    marked, _ = handled(service(locking=locking), CHARGE)
    after, answers = handled(marked, Do("B1", "charge", CHARGE.action, "compensatable"))
    assert answers == [answer]
    assert rows(after) == rows(marked)


def test_the_marks_go_before_a_saga_has_ended() -> None:
    process, _ = orchestrator(locking="refuse").after_request("A", Begin(1, "A1", "one_way"))
    process, effects = told(process, Done("A1", "reserve"), Done("A1", "charge"), Done("A1", "ship"))
    assert effects.sends == [("stock", Release("A1", "stock"))]
    assert effects.replies == []
    _, effects = restarted(process)
    assert effects.sends == [("stock", Release("A1", "stock"))]
    after, effects = process.after_message("stock", Released("A1", "stock"))
    assert effects.replies == [("A", Ended(1, "A1", "completed"))]
    assert after.log[-1] == Record("A1", "ended", "", "completed")
