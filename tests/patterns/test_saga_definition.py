"""Valid and invalid definitions of sagas.

`GMS`: Garcia-Molina and Salem, "Sagas", SIGMOD 1987. `MP`: Richardson, "Microservices Patterns", 2018.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from patterns.engine.params import ParameterError
from patterns.saga import (
    DEFINITIONS,
    PIVOT,
    RETRIABLE,
    Add,
    DefinitionError,
    Look,
    Move,
    Nothing,
    Overwrite,
    Reread,
    SagaMachine,
    saga,
    step,
)
from patterns.saga.actions import Applied, Refusal, Row, Seen, apply
from patterns.saga.definition import Saga
from patterns.saga.reasons import Reason

DO, UNDO = Move("beans", "reserved", 1), Move("reserved", "beans", 1)


def reversible(name: str, **more: Any) -> Any:
    return step(name, at="stock", do=DO, undo=UNDO, **more)


def for_good(name: str, kind: Any = PIVOT, **more: Any) -> Any:
    return step(name, at="orders", do=Add("done", 1), kind=kind, **more)


# What it is


def test_a_saga_is_written_in_a_dozen_lines() -> None:
    """GMS 2: a saga is a sequence of transactions, each with one that compensates for it."""
    order = saga(
        "order",
        step("reserve", at="stock", do=Move("beans", "reserved", 1), undo=Move("reserved", "beans", 1)),
        step("charge", at="payment", do=Move("ann", "shop", 30), undo=Move("shop", "ann", 30)),
        step("approve", at="orders", do=Add("approved", 1), kind=PIVOT),
        step("ship", at="shipping", do=Add("parcels", 1), kind=RETRIABLE),
    )
    assert order == DEFINITIONS["order"]
    assert order.services == ("stock", "payment", "orders", "shipping")
    assert (order.roots, order.leaves, order.pivot) == (("reserve",), ("ship",), "approve")
    assert order["ship"].after == ("approve",)
    assert order.following("charge") == {"approve", "ship"}


def test_steps_after_the_same_one_are_parallel() -> None:
    """GMS 8: the steps of a saga may be a graph."""
    trip = DEFINITIONS["trip"]
    assert trip.generations == (("hold",), ("flight", "hotel"), ("pay",), ("tickets",))
    assert trip.next_to("hold") == ("flight", "hotel")
    assert trip["pay"].after == ("flight", "hotel")


def test_a_picture_has_the_fewest_arrows() -> None:
    redundant = saga("s", reversible("a"), reversible("b"), reversible("c", after=("a", "b")))
    assert redundant.arrows == (("a", "b"), ("b", "c"))


def test_a_saga_travels_as_json_and_is_checked_on_arrival() -> None:
    for each in DEFINITIONS.values():
        assert msgspec.json.decode(msgspec.json.encode(each), type=Saga) == each
    with pytest.raises(msgspec.ValidationError, match="has no compensation"):
        msgspec.json.decode(b'{"name":"s","steps":[{"name":"a","at":"b","do":{"type":"Nothing"}}]}', type=Saga)


def test_databases_begin_with_what_the_steps_take() -> None:
    assert DEFINITIONS["one_way"].rows("stock") == (Row("beans", 100), Row("reserved", 0), Row("sent", 0))


# What it cannot be


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        pytest.param((), "saga 's' has no steps; it needs at least one", id="empty"),
        pytest.param(
            (reversible("a"), reversible("a")),
            "two steps named 'a'; each needs a name of its own",
            id="two of one name",
        ),
        pytest.param(
            (reversible("a", after="b"), reversible("b")),
            "goes in a circle: a → b → a|goes in a circle: b → a → b",
            id="a circle",
        ),
        pytest.param((reversible("a", after="a"),), "goes in a circle: a → a", id="after itself"),
        pytest.param(
            (reversible("a"), reversible("b", after="c")),
            "'b' comes after 'c'; the steps are a, b",
            id="an unknown step",
        ),
        pytest.param(
            (step("a", at="stock", do=DO),), "'a' has no compensation: give its undo=", id="a missing compensation"
        ),
        pytest.param(
            (for_good("a"), for_good("b")),
            "two pivots, 'a' and 'b'; allowed is one point of no return",
            id="two pivots",
        ),
        pytest.param(
            (for_good("a"), reversible("b")),
            "pivot 'a' comes before compensatable 'b', which may still be refused",
            id="a pivot before a compensatable step",
        ),
        pytest.param(
            (reversible("a"), for_good("b"), reversible("c", after="a")),
            "pivot 'b' may run before compensatable 'c'",
            id="a pivot beside a compensatable step",
        ),
        pytest.param(
            (for_good("a", RETRIABLE), for_good("b")),
            "retriable 'a' comes before pivot 'b'",
            id="retriable before pivot",
        ),
        pytest.param(
            (for_good("a", RETRIABLE), reversible("b")),
            "retriable 'a' comes before compensatable 'b'.* a retriable step cannot be undone",
            id="retriable before compensatable",
        ),
        pytest.param(
            (step("a", at="stock", do=DO, undo=UNDO, kind=PIVOT),),
            "'a' is pivot and has an undo, which would never run",
            id="a pivot with a compensation",
        ),
        pytest.param((step("a", at="", do=DO, undo=UNDO),), "step 1 of saga 's' lacks a name", id="no service"),
        pytest.param(("a",), "'a' stands among the steps of a saga; each is a step", id="no step"),
        pytest.param((step("a", at=5, do=DO, undo=UNDO),), "step 'a' is at=5", id="a number for a service"),  # type: ignore[arg-type]
        pytest.param(
            (step("a", at="stock", do="take", undo=UNDO),),  # type: ignore[arg-type]
            "step 'a' has do='take'; allowed are the actions Move, Add, Look",
            id="no action",
        ),
        pytest.param((for_good("a", "pivotal"),), "step 'a' is of kind 'pivotal'; allowed are comp", id="no kind"),
        pytest.param(
            (step("a", at="stock", do=Overwrite("beans", 1), undo=Add("beans", -1)),),
            "'a' writes what the saga saw of 'beans' at 'stock', and no step before it looks there",
            id="overwrites what it has not seen",
        ),
        pytest.param(
            (
                step("a", at="stock", do=Look("beans"), undo=Nothing()),
                step("b", at="stock", do=Overwrite("beans", 1), undo=Add("beans", -1), after=()),
            ),
            "'b' writes what the saga saw of 'beans' at 'stock', and no step before it looks there",
            id="overwrites what it may not have seen yet",
        ),
        pytest.param(
            (
                step("a", at="stock", do=Look("beans"), undo=Nothing()),
                step("b", at="stock", do=Reread("beans", 1), kind=RETRIABLE),
            ),
            "'b' is retriable, and a Reread is refused for good",
            id="what is retriable may be refused for good",
        ),
        pytest.param(
            (step("a", at="stock", do=Add("beans", 1), undo=Overwrite("beans", -1)),),
            r"'a' is undone by Overwrite.* allowed are Move, Add and Nothing",
            id="a compensation that loses updates",
        ),
    ],
)
def test_a_definition_that_cannot_work_is_refused_with_the_reason(steps: Any, reason: str) -> None:
    """MP 4.3.2, the structure of a saga: compensatable steps, then at most one pivot, then retriable ones."""
    with pytest.raises(DefinitionError, match=reason):
        saga("s", *steps)


def test_what_is_left_out_or_in_the_wrong_place_is_refused_with_the_reason() -> None:
    with pytest.raises(DefinitionError, match=r"the name of a saga is Step.* stands before the steps"):
        saga(reversible("a"))
    for after in (3, None, [1], reversible("a")):
        with pytest.raises(DefinitionError, match=r"after is .* allowed are names of steps, a list of them"):
            reversible("b", after=after)


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        pytest.param(lambda: Move("a", "b", -5), "amount is -5; allowed are whole numbers from 1", id="backwards"),
        pytest.param(lambda: Move("a", "a", 1), "source and to are both 'a'", id="to itself"),
        pytest.param(lambda: Move("a", "b", 0.5), "Move has the amount 0.5", id="a half"),  # type: ignore[arg-type]
        pytest.param(lambda: Add("a", "1"), "Add has the amount '1'", id="a text"),  # type: ignore[arg-type]
        pytest.param(lambda: Add(3, 1), "Add names the row 3", id="no row"),  # type: ignore[arg-type]
        pytest.param(lambda: Look(""), "Look names the row ''", id="no name"),
    ],
)
def test_an_action_that_cannot_be_is_refused(build: Callable[[], object], reason: str) -> None:
    with pytest.raises((ValueError, TypeError), match=reason):
        build()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"sagas": ["dinner"]}, r"sagas is \('dinner',\); allowed is a saga of your own, or one of order, short"),
        ({"sagas": []}, "allowed is one saga or more"),
        ({"sagas": "order"}, "sagas is 'order'; allowed is a list"),
        ({"style": "improvised"}, "style is 'improvised'; allowed is 'choreographed', 'orchestrated'"),
        ({"lock": "maybe"}, "lock is 'maybe'; allowed is 'none', 'refuse', 'wait'"),
        ({"refuse": ["pay"]}, r"refuse is \('pay',\); allowed is the steps reserve, charge, approve;"),
        ({"refuse": ["ship"]}, r"refuse is \('ship',\)"),
        (
            {"sagas": [saga("s", step("ship", at="S", do=DO, kind=RETRIABLE)), saga("t", reversible("ship"))]}
            | {"refuse": ["ship"]},
            r"refuse is \('ship',\)",
        ),
        ({"fails": {"undo pay": 1}}, "fails is {'undo pay': 1}; allowed is counts of approve, charge, reserve, ship"),
        ({"fails": {"undo ship": 1}}, "fails is {'undo ship': 1}"),
        ({"rows": {"bank": {"ann": 1}}}, "allowed is rows of the services stock, payment, orders, shipping"),
        ({"tries": 0}, "tries is 0; allowed is a whole number, at least 1"),
        ({"clients": 10}, "clients is 10; allowed is 0 to 9"),
        ({"sagas": [saga("s", step("a", at="orchestrator", do=DO, undo=UNDO))]}, "a step at orchestrator"),
        ({"sagas": [saga("s", step("a", at="A", do=DO, undo=UNDO))]}, "a step at A'; allowed is any service but"),
        ({"sagas": ["order", saga("order", reversible("a"))]}, "allowed is different names for different sagas"),
    ],
)
def test_a_parameter_that_the_machine_does_not_allow_is_refused_with_the_reason(options: Any, reason: str) -> None:
    with pytest.raises(ParameterError, match=reason):
        SagaMachine(**options)


# Actions

ROWS = (Row("beans", 3), Row("reserved", 0), Row("limit", 100, "", 7))


def values(applied: Applied | Refusal) -> dict[str, int]:
    assert isinstance(applied, Applied)
    return {row.key: row.value for row in applied.rows}


def test_a_move_keeps_the_sum_and_is_refused_where_there_is_too_little() -> None:
    assert values(apply(Move("beans", "reserved", 2), ROWS)) == {"beans": 1, "reserved": 2, "limit": 100}
    assert apply(Move("beans", "reserved", 4), ROWS) == Refusal(Reason("short", "beans", 3, 4))


def test_an_addition_is_refused_below_nothing() -> None:
    assert values(apply(Add("beans", -3), ROWS))["beans"] == 0
    assert apply(Add("beans", -4), ROWS) == Refusal(Reason("short", "beans", 3, 4))


def test_an_overwrite_writes_what_was_seen_and_a_reread_looks_again() -> None:
    """MP 4.3.2, re-read value: check that the record is unchanged before overwriting it."""
    looked = apply(Look("limit"), ROWS)
    assert isinstance(looked, Applied)
    assert looked == Applied(ROWS, Seen("limit", 100, 7))
    changed = apply(Add("limit", 50), ROWS)
    assert isinstance(changed, Applied)
    assert values(apply(Overwrite("limit", 50), changed.rows, looked.seen))["limit"] == 150, "50 are lost"
    assert apply(Reread("limit", 50), changed.rows, looked.seen) == Refusal(Reason("changed", "limit"))
    assert values(apply(Reread("limit", 50), ROWS, looked.seen))["limit"] == 150


def test_commutative_updates_give_the_same_in_any_order() -> None:
    """MP 4.3.2, commutative updates."""
    one, other = Add("limit", 50), Add("limit", -20)
    first, second = apply(one, ROWS), apply(other, ROWS)
    assert isinstance(first, Applied)
    assert isinstance(second, Applied)
    assert apply(other, first.rows) == apply(one, second.rows)


def test_nothing_changes_nothing_and_an_unknown_row_is_an_error() -> None:
    assert apply(Nothing(), ROWS) == Applied(ROWS)
    with pytest.raises(ValueError, match="names the row 'tea'; the database has beans, reserved, limit"):
        apply(Add("tea", 1), ROWS)
