"""Orchestrated sagas, sentence by sentence.

`GMS`: Garcia-Molina and Salem, "Sagas", SIGMOD 1987. `MP`: Richardson, "Microservices Patterns", 2018.
"""

from __future__ import annotations

from typing import Any

import pytest

from patterns.engine.process import Effects
from patterns.engine.table import Table
from patterns.saga import DEFINITIONS, Begin, Cancel, Ended, Repair
from patterns.saga.definition import Saga
from patterns.saga.front import Patience
from patterns.saga.log import Record, progress, to_compensate
from patterns.saga.messages import Accepted, Done, Failed, Refused, Release, Released, Undone
from patterns.saga.orchestrator import BackwardAfterCrash, Orchestrator
from patterns.saga.reasons import Reason

DECLINED = Reason("declined")
ORDER, TRIP, ONE_WAY = DEFINITIONS["order"], DEFINITIONS["trip"], DEFINITIONS["one_way"]


def orchestrator(kind: type[Orchestrator] = Orchestrator, **fields: Any) -> Orchestrator:
    patience = Patience(**{name: fields.pop(name) for name in ("tries", "alarm") if name in fields})
    return kind(**{"id": "orchestrator", "definitions": (ORDER, TRIP, ONE_WAY), "patience": patience, **fields})


def begun(definition: Saga = ORDER, **fields: Any) -> Orchestrator:
    return orchestrator(**fields).after_request("A", Begin(1, "A1", definition.name))[0]


def told(process: Orchestrator, *messages: Any) -> tuple[Orchestrator, Effects]:
    """The process after these answers, and its requests after the last one."""
    effects = Effects(0)
    for message in messages:
        process, effects = process.after_message("a service", message)
    return process, effects


def asked(effects: Effects) -> list[tuple[str, str]]:
    return [(to, str(message)) for to, message in effects.sends]


def log(process: Orchestrator) -> list[str]:
    """Each record's step, what is said of it, and the kind of its reason."""
    records = ((each.step, each.what, each.detail, each.reason.kind) for each in process.log)
    return [" ".join(filter(None, record)) for record in records]


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
    assert set(after.written_since(orchestrator())) == {"instances", "askers", "log"}


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


def test_every_client_that_asks_with_a_known_key_is_answered() -> None:
    """workflow-core#828, restate#5128: while it runs and when it has ended, by another client or with a new serial."""
    process, _ = begun().after_request("B", Begin(7, "A1", "order"))
    process, effects = process.after_request("A", Begin(2, "A1", "order"))
    assert effects.replies == []
    process, effects = restarted(process)
    ended, effects = told(process, Refused("A1", "reserve", DECLINED))
    compensated = [("A", 1), ("B", 7), ("A", 2)]
    assert effects.replies == [(name, Ended(n, "A1", "compensated", DECLINED)) for name, n in compensated]
    for name, n in (("C", 1), ("A", 3)):
        after, effects = ended.after_request(name, Begin(n, "A1", "order"))
        assert effects.replies == [(name, Ended(n, "A1", "compensated", DECLINED))]
        assert after == ended, "nothing of it is kept"


def test_a_known_key_with_another_definition_is_an_error() -> None:
    """Stripe and the IETF draft on idempotency keys: the same key with other contents is an error, never a "done"."""
    ended, _ = told(begun(), Refused("A1", "reserve", DECLINED))
    for process in (begun(), ended):
        after, effects = process.after_request("B", Begin(1, "A1", "trip"))
        assert effects.replies == [("B", Ended(1, "A1", "rejected", Reason("taken", "order")))]
        assert effects.sends == []
        assert after == process


def test_a_saga_that_is_not_defined_is_refused() -> None:
    after, effects = orchestrator().after_request("A", Begin(1, "A1", "dinner"))
    assert after == orchestrator()
    assert effects.replies == [("A", Ended(1, "A1", "unknown", Reason("unknown", "dinner")))]


# Backward


def test_after_a_refusal_what_was_done_is_undone_the_last_first() -> None:
    """GMS 4: for T1 ... Tj the compensations run as Cj ... C1."""
    before, effects = told(begun(), Done("A1", "reserve"), Done("A1", "charge"), Refused("A1", "approve", DECLINED))
    assert log(before)[-2:] == ["approve refused declined", "turned back"]
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
    assert log(after)[-2:] == ["charge gave up late", "turned back"]
    assert asked(effects) == [("payment", "A1: undo charge")]


def test_a_pivot_that_is_not_answered_is_asked_for_until_it_is() -> None:
    """MP 4.3.2: whether it was done decides which way the saga goes."""
    process, _ = told(begun(tries=1, alarm=0), Done("A1", "reserve"), Done("A1", "charge"))
    for _ in range(8):
        process, effects = late(process)
        assert asked(effects) == [("orders", "A1: approve")]


def test_the_last_try_of_a_pivot_asks_its_service_to_do_it_or_to_refuse_it_for_good() -> None:
    """MP 4.3: the pivot may be refused. No saga waits for it for ever."""
    process, effects = told(begun(tries=3), Done("A1", "reserve"), Done("A1", "charge"))
    finals = [effects.sends[0][1].final]
    for _ in range(3):
        process, effects = told(process, Failed("A1", "approve", False, Reason("held", "B1")))
        assert effects.sends == []
        process, effects = late(process)
        finals.append(effects.sends[0][1].final)
    assert finals == [False, False, True, True]
    _, effects = told(process, Refused("A1", "approve", Reason("held", "B1")))
    assert asked(effects) == [("payment", "A1: undo charge")]


@pytest.mark.parametrize(("tries", "alarm", "sent"), [(2, 3, 3), (3, 2, 3), (1, 1, 1)])
def test_a_pivot_that_is_never_answered_raises_an_alarm_after_its_last_try(tries: int, alarm: int, sent: int) -> None:
    """GMS 6: somebody must step in; the client is told that its saga is stuck."""
    process, effects = told(begun(tries=tries, alarm=alarm), Done("A1", "reserve"), Done("A1", "charge"))
    times = 0
    while not effects.replies:
        process, effects = late(process)
        times += 1
    assert times == sent
    assert effects.replies == [("A", Ended(1, "A1", "stuck", Reason("stuck", "approve")))]
    assert process.waiting == Table()
    process, effects = process.after_request("operator", Repair(1, "A1"))
    assert asked(effects) == [("orders", "A1: approve")]
    process, effects = told(process, Done("A1", "approve"))
    assert asked(effects) == [("shipping", "A1: ship")]


def test_past_the_pivot_there_is_only_forward() -> None:
    """GMS 5, forward recovery; MP 4.3.2, retriable transactions are guaranteed to succeed."""
    process, _ = told(begun(tries=1, alarm=0), Done("A1", "reserve"), Done("A1", "charge"), Done("A1", "approve"))
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
    assert log(process)[-1] == "reserve stuck stuck"
    assert effects.replies == [("A", Ended(1, "A1", "stuck", Reason("stuck", "undo reserve")))]
    assert process.waiting == Table()
    after, effects = restarted(process)
    assert (after.waiting, effects.notes) == (Table(), []), "a crash does not make it try again"


def test_who_asks_again_for_a_saga_that_is_stuck_is_told_so() -> None:
    """The answer may have been lost, and no other comes by itself."""
    stuck, _ = late(failing_undo(1))
    after, effects = stuck.after_request("A", Begin(1, "A1", "order"))
    assert effects.replies == [("A", Ended(1, "A1", "stuck", Reason("stuck", "undo reserve")))]
    assert after == stuck


def test_past_the_pivot_an_alarm_does_not_turn_a_saga_back() -> None:
    """GMS 5: forward recovery goes on when it is repaired."""
    process, _ = told(begun(alarm=1), Done("A1", "reserve"), Done("A1", "charge"), Done("A1", "approve"))
    stuck, effects = late(process)
    assert effects.replies == [("A", Ended(1, "A1", "stuck", Reason("stuck", "ship")))]
    after, effects = stuck.after_request("operator", Repair(1, "A1"))
    assert asked(effects) == [("shipping", "A1: ship")]
    after, effects = told(after, Done("A1", "ship"))
    assert log(after)[-1] == "ended completed"
    assert effects.replies == [("A", Ended(1, "A1", "completed"))], "it is told the end, too"


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


# A caller that cancels


def test_a_saga_is_cancelled_until_its_pivot_is_asked_for() -> None:
    """temporalio/sdk-java#305: compensations run although the caller has cancelled. MP 4.3: the pivot decides."""
    process, _ = told(begun(), Done("A1", "reserve"))
    after, effects = process.after_request("B", Cancel(4, "A1"))
    assert log(after)[-1] == "turned back withdrawn"
    assert asked(effects) == [("payment", "A1: undo charge")], "charge is under way: it may be done"
    after, effects = told(after, Undone("A1", "charge"), Undone("A1", "reserve"))
    ends = [Ended(n, "A1", "compensated", Reason("withdrawn")) for n in (1, 4)]
    assert effects.replies == [("A", ends[0]), ("B", ends[1])]
    late_, _ = told(process, Done("A1", "charge"))
    after, effects = late_.after_request("B", Cancel(4, "A1"))
    assert (after.log, effects.sends) == (late_.log, [])
    ended, _ = told(begun(), Refused("A1", "reserve", DECLINED))
    assert ended.after_request("B", Cancel(4, "A1"))[1].replies == [("B", Ended(4, "A1", "compensated", DECLINED))]
    assert ended.after_request("B", Cancel(4, "Z9"))[1].replies == [
        ("B", Ended(4, "Z9", "unknown", Reason("unknown", "Z9")))
    ]


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
    """GMS 4 and 5: backward recovery, but only before the point of no return."""
    fields = {"definitions": (ORDER,), "id": "orchestrator"}
    process, _ = BackwardAfterCrash(**fields).after_request("A", Begin(1, "A1", "order"))
    process, _ = told(process, Done("A1", "reserve"))
    after, effects = restarted(process)
    assert asked(effects) == [("payment", "A1: undo charge")]
    assert log(after)[-1] == "turned back interrupted"
    process, _ = told(process, Done("A1", "charge"))
    _, effects = restarted(process)
    assert asked(effects) == [("orders", "A1: approve")], "the pivot may be done"


# Semantic locks


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
