"""Sagas to look at, by name, and what their databases begin with."""

from __future__ import annotations

from collections.abc import Mapping

from .actions import Action, Add, Look, Move, Nothing, Overwrite, Reread
from .definition import PIVOT, RETRIABLE, Saga, saga, step

ORDER = saga(
    "order",
    step("reserve", at="stock", do=Move("beans", "reserved", 1), undo=Move("reserved", "beans", 1)),
    step("charge", at="payment", do=Move("ann", "shop", 30), undo=Move("shop", "ann", 30)),
    step("approve", at="orders", do=Add("approved", 1), kind=PIVOT),
    step("ship", at="shipping", do=Add("parcels", 1), kind=RETRIABLE),
)
"""Reserve stock, charge the card, approve the order: the point of no return. Then ship."""

SHORT = Saga("short", ORDER.steps[:2])
"""Two compensatable steps: the smallest saga that has something to undo."""

ONE_WAY = saga(
    "one_way",
    ORDER["reserve"],
    step("charge", at="payment", do=Move("ann", "shop", 30), kind=PIVOT),
    step("ship", at="stock", do=Move("reserved", "sent", 1), kind=RETRIABLE),
)
"""One step of each kind, at two services."""

TRIP = saga(
    "trip",
    step("hold", at="card", do=Move("ann", "held", 300), undo=Move("held", "ann", 300)),
    step("flight", at="airline", do=Move("seats", "booked", 1), undo=Move("booked", "seats", 1)),
    step("hotel", at="lodging", do=Move("rooms", "taken", 1), undo=Move("taken", "rooms", 1), after="hold"),
    step("pay", at="card", do=Move("held", "agency", 300), after=("flight", "hotel"), kind=PIVOT),
    step("tickets", at="airline", do=Add("tickets", 1), kind=RETRIABLE),
)
"""A flight and a room, booked at the same time once the money is held; paid when both are there."""


def raise_limit(name: str, action: Action) -> Saga:
    """A saga that looks at a credit limit, has the risk checked, and raises the limit by 50."""
    return saga(
        name,
        step("look", at="accounts", do=Look("limit"), undo=Nothing()),
        step("check", at="risk", do=Add("checks", 1), undo=Add("checks", -1)),
        step("raise", at="accounts", do=action, undo=Add("limit", -50)),
    )


RAISE = raise_limit("raise", Overwrite("limit", 50))
"""Two of these at once lose an update: each writes what it saw plus 50."""
RAISE_REREAD = raise_limit("raise_reread", Reread("limit", 50))
"""The countermeasure re-read value: the second is refused, and turns back."""
RAISE_ADD = raise_limit("raise_add", Add("limit", 50))
"""The countermeasure commutative updates: it adds, whatever is there."""

LOOK_TWICE = saga(
    "look_twice",
    step("look", at="accounts", do=Look("limit"), undo=Nothing()),
    step("check", at="risk", do=Add("checks", 1), undo=Add("checks", -1)),
    step("recheck", at="accounts", do=Look("limit"), undo=Nothing()),
)
"""If another saga raises the limit between its two looks, it sees two values: a non-repeatable, or fuzzy, read."""

CANCEL = saga(
    "cancel",
    step("refund", at="customers", do=Move("used", "credit", 50), undo=Move("credit", "used", 50)),
    step("call back", at="delivery", do=Move("out", "back", 1), kind=PIVOT),
)
"""Cancel an order: its credit is free again. Then the delivery is called back, where that is still possible."""

CREATE = saga(
    "create",
    step("use", at="customers", do=Move("credit", "used", 50), undo=Move("used", "credit", 50)),
    step("deliver", at="delivery", do=Add("out", 1), kind=PIVOT),
)
"""A new order, on credit. Between a cancel and its compensation it uses credit that is not there: a dirty read."""

PESSIMISTIC = saga(
    "cancel_late",
    step("call back", at="delivery", do=Move("out", "back", 1), kind=PIVOT),
    step("refund", at="customers", do=Move("used", "credit", 50), kind=RETRIABLE),
)
"""The countermeasure pessimistic view (Richardson 4.3.2): the steps in another order, so that credit is freed last."""

SEAT = step("seat", at="airline", do=Move("seats", "booked", 1), undo=Move("booked", "seats", 1))
ROOM = step("room", at="lodging", do=Move("rooms", "taken", 1), undo=Move("taken", "rooms", 1))
SEAT_FIRST = saga("seat_first", SEAT, step("room", at=ROOM.at, do=ROOM.do, kind=PIVOT))
ROOM_FIRST = saga("room_first", ROOM, step("seat", at=SEAT.at, do=SEAT.do, kind=PIVOT))
"""With semantic locks that make others wait, these two may wait for each other: a deadlock, until one gives up."""

TRAVEL, CREDIT = (TRIP, SEAT_FIRST, ROOM_FIRST), (CANCEL, CREATE, PESSIMISTIC)
LIMITS = (RAISE, RAISE_REREAD, RAISE_ADD, LOOK_TWICE)
DEFINITIONS: Mapping[str, Saga] = {each.name: each for each in (ORDER, SHORT, ONE_WAY, *TRAVEL, *LIMITS, *CREDIT)}
"""Every saga of this module by its name."""

BEGINS: Mapping[str, Mapping[str, int]] = {
    "stock": {"beans": 3},
    "payment": {"ann": 100},
    "card": {"ann": 900},
    "airline": {"seats": 5},
    "lodging": {"rooms": 5},
    "accounts": {"limit": 100},
    "customers": {"used": 50, "credit": 0},
    "delivery": {"out": 1},
}
"""Service -> row -> what it begins with, where it is not what a definition gives by itself."""
