"""Choreographed sagas, sentence by sentence.

`GMS`: Garcia-Molina and Salem, "Sagas", SIGMOD 1987. `MP`: Richardson, "Microservices Patterns", 2018.
"""

from __future__ import annotations

from typing import Any

import pytest

from patterns.engine.process import Effects
from patterns.saga import DEFINITIONS, Begin, Ended, Repair, SagaMachine
from patterns.saga.choreography import Peer, subscribers
from patterns.saga.log import Record, progress
from patterns.saga.messages import Ack, Elsewhere, Event
from patterns.saga.reasons import NO_REASON, Reason

ORDER, TRIP = DEFINITIONS["order"], DEFINITIONS["trip"]


def peers(*definitions: str, **options: Any) -> dict[str, Peer]:
    machine = SagaMachine(sagas=definitions or ("order",), style="choreographed", **options)
    return {process.id: process for process in machine.processes()}  # type: ignore[misc]


def event(
    what: str, step: str, number: int = 1, definition: str = "order", detail: str = "", reason: Reason = NO_REASON
) -> Event:
    return Event(number, definition, Record("A1", what, step, detail, reason))


def told(process: Peer, *events: Event) -> tuple[Peer, Effects]:
    effects = Effects(0)
    for number, each in enumerate(events):
        process, effects = process.after_message(f"service {number}", each)
    return process, effects


def waiting(process: Peer) -> list[tuple[str, str]]:
    """What is in the outbox."""
    return [(row.to, str(row.event).removeprefix("A1: ")) for row in process.outbox]


def rows(process: Peer) -> dict[str, int]:
    return {row.key: row.value for row in process.rows}


# Events


def test_a_step_and_its_event_are_one_write() -> None:
    """MP 3.3.7, transactional outbox: the message is inserted in the transaction that updates the database."""
    before = peers()["stock"]
    after, effects = before.after_request("A", Begin(1, "A1", "order"))
    assert rows(after) == {"beans": 2, "reserved": 1}
    assert waiting(after) == [("payment", "reserve done")]
    assert {"rows", "handled", "outbox"} <= set(after.written_since(before))
    assert effects.sends == [], "the relay publishes it, not the handler"
    assert "relay" in effects.timers


def test_the_relay_publishes_until_it_is_acknowledged() -> None:
    """MP 3.3.7: a message relay reads the outbox and publishes it, at least once."""
    begun, _ = peers()["stock"].after_request("A", Begin(1, "A1", "order"))
    relayed, effects = begun.after_timer("relay")
    assert effects.sends == [("payment", event("done", "reserve"))]
    assert waiting(relayed) == waiting(begun)
    assert relayed.after_timer("relay")[1].sends == [], "what is new, once"
    again, effects = relayed.after_timer("resend:1")
    assert effects.sends == [("payment", event("done", "reserve"))]
    acked, effects = again.after_message("payment", Ack(1))
    assert waiting(acked) == []
    assert effects.timers == {"resend:1": None}


def test_after_a_crash_the_outbox_is_published_again() -> None:
    """Whether it was published before, nobody knows: it is on disk, so it is published."""
    begun, _ = peers()["stock"].after_request("A", Begin(1, "A1", "order"))
    relayed, _ = begun.after_timer("relay")
    for process in (begun, relayed):
        again, effects = process.crashed().after_restart()
        assert "relay" in effects.timers
        assert again.after_timer("relay")[1].sends == [("payment", event("done", "reserve"))]


def test_an_event_is_acknowledged_when_it_is_on_disk_and_taken_in_once() -> None:
    """MP 3.3.6: who consumes messages keeps the ids of those it has seen."""
    once, effects = told(peers()["payment"], event("done", "reserve"))
    assert effects.sends == [("service 0", Ack(1))]
    assert rows(once) == {"ann": 70, "shop": 30}
    twice, effects = told(once, event("done", "reserve"))
    assert twice == once
    assert effects.sends == [("service 0", Ack(1))], "acknowledged again: the first may be lost"


# Forward


def test_a_step_begins_when_its_service_knows_those_before_it_to_be_done() -> None:
    """MP 4.2.1: saga participants subscribe to each other's events and respond."""
    after, _ = told(peers()["orders"], event("done", "charge"))
    assert rows(after) == {"approved": 1}
    assert waiting(after) == [("shipping", "approve done")]


def test_parallel_branches_are_joined_by_the_service_that_waits_for_both() -> None:
    """GMS 8."""
    card, _ = peers("trip")["card"].after_request("A", Begin(1, "A1", "trip"))
    assert waiting(card) == [("airline", "hold done"), ("lodging", "hold done")]
    one, _ = told(card, event("done", "flight", definition="trip"))
    assert rows(one)["agency"] == 0
    both, _ = one.after_message("lodging", event("done", "hotel", definition="trip"))
    assert rows(both)["agency"] == 300


def test_the_service_of_the_first_step_tells_the_client() -> None:
    begun, effects = peers()["stock"].after_request("A", Begin(1, "A1", "order"))
    assert effects.replies == []
    ended, effects = told(begun, event("done", "ship"))
    assert effects.replies == [("A", Ended(1, "A1", "completed"))]
    assert ended.after_request("A", Begin(1, "A1", "order"))[1].replies == effects.replies


def test_a_request_that_comes_again_is_the_same_saga() -> None:
    begun, _ = peers()["stock"].after_request("A", Begin(1, "A1", "order"))
    after, effects = begun.after_request("A", Begin(1, "A1", "order"))
    assert after == begun
    assert effects.replies == []


def test_every_client_that_asks_with_a_known_key_is_answered() -> None:
    """workflow-core#828, restate#5128: while it runs and when it has ended, by another client or with a new serial."""
    stock, _ = peers()["stock"].after_request("A", Begin(1, "A1", "order"))
    stock, _ = stock.after_request("B", Begin(7, "A1", "order"))
    stock, effects = stock.crashed().after_restart()[0].after_request("A", Begin(2, "A1", "order"))
    assert effects.replies == []
    ended, effects = told(stock, event("done", "ship"))
    assert effects.replies == [(name, Ended(n, "A1", "completed")) for name, n in (("A", 1), ("B", 7), ("A", 2))]
    after, effects = ended.after_request("C", Begin(1, "A1", "order"))
    assert effects.replies == [("C", Ended(1, "A1", "completed"))]
    assert after == ended


def test_a_known_key_with_another_definition_is_an_error() -> None:
    """Stripe and the IETF draft on idempotency keys: also where the key is known by an event only."""
    stock = peers("order", "short", "one_way")["stock"]
    begun, _ = stock.after_request("A", Begin(1, "A1", "order"))
    heard, _ = told(stock, event("refused", "approve"))
    for process in (begun, heard):
        after, effects = process.after_request("B", Begin(1, "A1", "short"))
        assert effects.replies == [("B", Ended(1, "A1", "rejected", Reason("taken", "order")))]
        assert after == process


def test_any_other_service_sends_the_client_on() -> None:
    _, effects = peers()["payment"].after_request("A", Begin(1, "A1", "order"))
    assert effects.replies == [("A", Elsewhere(1, "stock"))]
    _, effects = peers()["payment"].after_request("A", Begin(1, "A1", "dinner"))
    assert effects.replies == [("A", Ended(1, "A1", "unknown", Reason("unknown", "dinner")))]


@pytest.mark.parametrize(
    ("definition", "what", "step", "to"),
    [
        ("order", "done", "reserve", ("payment",)),
        ("order", "done", "ship", ("stock",)),
        ("order", "refused", "approve", ("stock", "payment")),
        ("order", "undone", "charge", ("stock",)),
        ("trip", "done", "hold", ("airline", "lodging")),
        ("trip", "refused", "hotel", ("card", "airline")),
        ("trip", "undone", "flight", ("card",)),
        ("order", "undone", "reserve", ("stock",)),
        ("trip", "repaired", "flight", ("airline",)),
        ("trip", "ended", "", ("card", "airline", "lodging")),
        ("trip", "stuck", "flight", ("card",)),
    ],
)
def test_an_event_goes_to_those_that_have_a_use_for_it(definition: str, what: str, step: str, to: Any) -> None:
    assert subscribers(DEFINITIONS[definition], what, step) == to


# Backward


def test_who_refuses_says_so_to_all_that_may_have_to_undo() -> None:
    after, _ = told(peers(refuse=["approve"])["orders"], event("done", "charge"))
    assert waiting(after) == [("stock", "approve refused"), ("payment", "approve refused")]


def test_of_two_refusals_the_one_heard_first_is_the_reason() -> None:
    """In either style a client is told why its saga turned back; another branch may be refused later."""
    records = [
        Record("A1", "begun"),
        *(Record("A1", "refused", name, reason=Reason("short", name)) for name in ("flight", "hotel")),
    ]
    assert progress(TRIP, "A1", records).reason == Reason("short", "flight")


def test_a_step_is_undone_when_those_that_build_on_it_are() -> None:
    """GMS 4: in reverse. Reserve waits for charge, which waits for nothing: the refused step was not done."""
    payment, _ = told(peers()["payment"], event("done", "reserve"), event("refused", "approve"))
    assert rows(payment) == {"ann": 100, "shop": 0}
    assert waiting(payment)[-1] == ("stock", "charge undone")
    stock, _ = peers()["stock"].after_request("A", Begin(1, "A1", "order"))
    stock, effects = told(stock, event("refused", "approve", reason=Reason("declined")))
    assert rows(stock)["reserved"] == 1
    stock, effects = told(stock, event("undone", "charge", 2))
    assert rows(stock)["reserved"] == 0
    assert effects.replies == [("A", Ended(1, "A1", "compensated", Reason("declined")))]


def test_a_branch_that_has_not_begun_never_does_and_says_so() -> None:
    """The one that waits for its branches to be undone has to know that this one is settled."""
    airline, _ = told(peers("trip")["airline"], event("refused", "hotel", definition="trip"))
    assert rows(airline)["booked"] == 0
    assert waiting(airline) == [("card", "flight undone")]
    later, _ = airline.after_message("card", event("done", "hold", 9, "trip"))
    assert rows(later)["booked"] == 0


# What does not work


def test_a_step_that_fails_is_tried_again_and_at_last_refused() -> None:
    payment, effects = told(peers(fails={"charge": 9}, tries=3)["payment"], event("done", "reserve"))
    assert effects.timers["retry:A1.charge"] == (40, 50)
    payment, effects = payment.after_timer("retry:A1.charge")
    assert effects.timers["retry:A1.charge"] == (80, 100), "the wait doubles"
    payment, effects = payment.after_timer("retry:A1.charge")
    assert effects.timers["retry:A1.charge"] is None
    assert waiting(payment) == [("stock", "charge refused")]


def test_past_the_pivot_a_step_is_tried_until_it_works() -> None:
    """GMS 5, forward recovery."""
    shipping, _ = told(peers(fails={"ship": 9}, tries=1, alarm=0)["shipping"], event("done", "approve"))
    for _ in range(8):
        shipping, effects = shipping.after_timer("retry:A1.ship")
        assert rows(shipping) == {"parcels": 0}
        assert effects.timers["retry:A1.ship"][0] <= 8 * 40  # type: ignore[index]
    shipping, _ = shipping.after_timer("retry:A1.ship")
    assert rows(shipping) == {"parcels": 1}


def test_past_the_pivot_a_step_that_keeps_failing_is_reported_and_repaired() -> None:
    """GMS 6: the saga does not turn back; a human is called, and it goes on."""
    shipping, _ = told(peers(fails={"ship": 2}, alarm=2)["shipping"], event("done", "approve"))
    shipping, effects = shipping.after_timer("retry:A1.ship")
    assert waiting(shipping) == [("stock", "ship stuck")]
    assert effects.timers["retry:A1.ship"] is None
    shipping, _ = shipping.after_message("stock", event("repaired", "ship", 9))
    assert rows(shipping) == {"parcels": 1}
    assert waiting(shipping)[-1] == ("stock", "ship done")


def test_what_was_to_be_tried_again_is_tried_after_a_crash() -> None:
    shipping, _ = told(peers(fails={"ship": 1})["shipping"], event("done", "approve"))
    after, _ = shipping.crashed().after_restart()
    assert rows(after) == {"parcels": 0}, "after a crash the fault counts anew"
    assert rows(after.after_timer("retry:A1.ship")[0]) == {"parcels": 1}


def test_a_compensation_that_keeps_failing_is_reported_and_repaired() -> None:
    """GMS 6."""
    machine = peers(fails={"undo charge": 2}, alarm=2)
    payment, _ = told(machine["payment"], event("done", "reserve"), event("refused", "approve"))
    payment, _ = payment.after_timer("retry:A1.undo charge")
    assert waiting(payment)[-1] == ("stock", "charge stuck")
    stock, _ = machine["stock"].after_request("A", Begin(1, "A1", "order"))
    stock, effects = told(
        stock, event("refused", "approve"), event("stuck", "charge", reason=Reason("stuck", "undo charge"))
    )
    assert effects.replies == [("A", Ended(1, "A1", "stuck", Reason("stuck", "undo charge")))]
    stock, _ = stock.after_request("operator", Repair(1, "A1"))
    assert waiting(stock)[-1] == ("payment", "charge repaired")
    payment, _ = payment.after_message("stock", event("repaired", "charge", 9))
    assert rows(payment) == {"ann": 100, "shop": 0}
    assert waiting(payment)[-1] == ("stock", "charge undone")


def test_after_a_repair_a_compensation_is_tried_as_often_as_before() -> None:
    """GMS 6: a human has stepped in, so what failed before counts no more."""
    payment, _ = told(peers(fails={"undo charge": 3}, alarm=2)["payment"], event("done", "reserve"))
    payment, _ = payment.after_message("orders", event("refused", "approve", 2))
    payment, _ = payment.after_timer("retry:A1.undo charge")
    assert waiting(payment)[-1] == ("stock", "charge stuck")
    payment, effects = payment.after_message("stock", event("repaired", "charge", 9))
    assert waiting(payment)[-1] == ("stock", "charge stuck"), "only the report of before"
    assert effects.timers["retry:A1.undo charge"]
    payment, _ = payment.after_timer("retry:A1.undo charge")
    assert waiting(payment)[-1] == ("stock", "charge undone")


# Semantic locks


def test_the_marks_go_when_the_end_is_heard_of() -> None:
    """MP 4.3.2."""
    payment, _ = told(peers(lock="refuse")["payment"], event("done", "reserve"))
    assert {row.pending for row in payment.rows} == {"A1"}
    payment, _ = payment.after_message("stock", event("ended", "", 2, detail="completed"))
    assert {row.pending for row in payment.rows} == {""}
    stock, _ = peers(lock="refuse")["stock"].after_request("A", Begin(1, "A1", "order"))
    stock, _ = told(stock, event("done", "ship"))
    assert waiting(stock)[-1] == ("payment", "ended")
    assert {row.pending for row in stock.rows} == {""}
