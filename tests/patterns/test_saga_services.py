"""Services of orchestrated sagas, sentence by sentence: each thing once, each answer again, and semantic locks.

`MP`: Richardson, "Microservices Patterns", 2018.
"""

from __future__ import annotations

from typing import Any

import pytest

from patterns.engine.table import Table
from patterns.saga import DEFINITIONS, Add, Begin, Look, Move, Overwrite, Reread
from patterns.saga.actions import Row
from patterns.saga.messages import Do, Elsewhere, Failed, Release, Undo
from patterns.saga.orchestrator import Service
from patterns.saga.reasons import Reason

ORDER = DEFINITIONS["order"]


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
    """A request that was refused once is refused again, even when it could be done by then: the saga relies on the
    answer."""
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


def test_the_last_try_of_a_pivot_is_done_or_refused_for_good() -> None:
    """MP 4.3: the service decides; a copy of the request that comes later finds the decision."""
    pay = Do("A1", "charge", CHARGE.action, "pivot", final=True)
    early = Do("A1", "charge", CHARGE.action, "pivot")
    failing = service(fails=Table((("charge", 1),)))
    assert handled(failing, early)[1] == ["charge failed"]
    after, answers = handled(failing, pay, early, pay)
    assert answers == ["charge refused"] * 3
    assert rows(after) == {"ann": 100, "shop": 0}
    assert handled(service(), pay, early)[1] == ["charge done"] * 2


def test_a_key_with_another_action_is_an_error_and_changes_nothing() -> None:
    """Stripe and the IETF draft on idempotency keys: the same key with other contents is an error, never a "done"."""
    other = Do("A1", "charge", Move("ann", "shop", 40), "pivot", final=True)
    back = Undo("A1", "charge", Move("shop", "ann", 40))
    for before, message, failed in (
        (handled(service(), CHARGE)[0], other, False),
        (handled(service(), CHARGE, REFUND)[0], back, True),
    ):
        after, effects = before.after_message("orchestrator", message)
        assert effects.sends == [("orchestrator", Failed("A1", "charge", failed, Reason("taken", "another request")))]
        assert after == before


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


def test_a_raise_that_was_taken_back_between_look_and_write_is_seen() -> None:
    """MP 4.3.2, re-read value: the row has its old value again, and was written since (the ABA problem)."""
    for action, answer, limit in (
        (Overwrite("limit", 50), "raise done", 150),
        (Reread("limit", 50), "raise refused", 100),
    ):
        after, answers = handled(
            service(rows=(Row("limit", 100),)),
            Do("A1", "look", Look("limit"), "compensatable"),
            Do("C1", "raise", Add("limit", 50), "compensatable"),
            Undo("C1", "raise", Add("limit", -50)),
            Do("A1", "raise", action, "compensatable"),
        )
        assert answers[-1] == answer
        assert rows(after) == {"limit": limit}


@pytest.mark.parametrize(("locking", "answer"), [("refuse", "B1: charge refused"), ("wait", "B1: charge failed")])
def test_another_saga_is_refused_or_waits(locking: str, answer: str) -> None:
    marked, _ = handled(service(locking=locking), CHARGE)
    after, answers = handled(marked, Do("B1", "charge", CHARGE.action, "compensatable"))
    assert answers == [answer]
    assert rows(after) == rows(marked)


# Clients


def test_a_service_sends_clients_on_to_the_orchestrator() -> None:
    _, effects = service().after_request("A", Begin(3, "A3", "order"))
    assert effects.replies == [("A", Elsewhere(3, "orchestrator"))]
