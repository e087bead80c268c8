"""Secondary indexes, and uniqueness across shards: customers are sharded by name, and found by e-mail.

A *local* index lies with the rows, so a question by e-mail goes to every shard. A *global* index is sharded by e-mail
itself: a question goes to one shard, and a write goes to two, so the index lags between its two steps. An e-mail is
unique only if all claims to it go through one shard: a reservation there comes first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from patterns.engine.acts import Happened, ValueMachine, act
from patterns.engine.params import Params as AnyParams
from patterns.engine.properties import Always, AtRest, Property
from patterns.engine.step import Note
from patterns.engine.table import Table

from .hashes import slot_of
from .rules import RULES

Stage = Literal["claims", "writes", "indexes"]


class SignUp(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A customer wants an e-mail address of its own."""

    customer: str
    email: str


class Go(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The next step of a customer's sign-up happens."""

    customer: str


class Directory(msgspec.Struct, frozen=True):
    """What the shards have on disk: `rows` (customer, e-mail) on the customer's shard; `claims` and the global `index`
    (e-mail, customer) on the e-mail's shard. `under_way` says which step of a customer comes next, `asked` which shards
    the last event went to.
    """

    rows: Table[str] = Table()
    claims: Table[str] = Table()
    index: Table[str] = Table()
    under_way: Table[tuple[str, Stage]] = Table()
    asked: tuple[int, ...] = ()


class SignUps(ValueMachine[Directory, SignUp | Go]):
    """Customers sign up at the same time."""

    name = "sign_ups"
    view = "sharding"
    rules = {rule: said for rule, said in RULES.items() if rule.startswith("I.")}

    class Params(AnyParams, frozen=True):
        shards: int = 3
        """How many shards there are."""
        wanted: tuple[tuple[str, str], ...] = (("mike", "mike@x"), ("michael", "mike@x"))
        """Who signs up with which e-mail."""

    params: Params

    def start(self) -> Directory:
        return Directory()

    def shard(self, key: str) -> int:
        return slot_of(key, self.params.shards)

    def may_claim(self, state: Directory, customer: str, email: str) -> bool:
        """Decided on the e-mail's shard, in one local transaction: nobody else has reserved it."""
        return state.claims.get(email) in (None, customer)

    # What may not happen, and what is offered

    def known(self, state: Directory, event: SignUp) -> str:
        known = event.customer in state.rows or event.customer in state.under_way
        return f"{event.customer} has signed up, or is at it" if known else ""

    def idle(self, state: Directory, event: Go) -> str:
        return "" if event.customer in state.under_way else f"{event.customer} is not signing up"

    def wanted(self, state: Directory) -> Iterable[tuple[str, str]]:
        return self.params.wanted

    def customers(self, state: Directory) -> Iterable[str]:
        return state.under_way.names

    # What happens

    @act(Go, "go on with **{customer}**", offers=customers, unless=[idle])
    def go(self, state: Directory, event: Go) -> Happened[Directory]:
        customer, (email, stage) = event.customer, state.under_way[event.customer]
        rest, by = state.under_way.without(customer), self.shard(email)
        after: dict[str, Any] = {"asked": (by,), "under_way": rest}
        rule = "I.index"
        if stage == "claims" and not self.may_claim(state, customer, email):
            rule = "I.taken"
        elif stage == "claims":
            rule = "I.claim"
            after |= {"claims": state.claims.put(email, customer), "under_way": rest.put(customer, (email, "writes"))}
        elif stage == "writes":
            rule = "I.write"
            after |= {"rows": state.rows.put(customer, email), "under_way": rest.put(customer, (email, "indexes"))}
            after["asked"] = (self.shard(customer),)
        else:
            after["index"] = state.index.put(email, customer)
        values = {"customer": customer, "email": email, "by": by, "own": self.shard(customer)}
        return replace(state, **after), [Note(rule, values)]

    @act(SignUp, "**{customer}** signs up as {email}", "sign up", offers=wanted, unless=[known])
    def sign_up(self, state: Directory, event: SignUp) -> Happened[Directory]:
        under_way = state.under_way.put(event.customer, (event.email, "claims"))
        note = Note("I.begin", {"customer": event.customer, "email": event.email})
        return replace(state, under_way=under_way, asked=()), [note]

    def find(self, state: Directory, email: str, index: Literal["local", "global"]) -> tuple[int, tuple[str, ...]]:
        """How many shards are asked who has an e-mail, and whom they name."""
        if index == "local":
            return self.params.shards, tuple(customer for customer, has in state.rows if has == email)
        return 1, tuple(filter(None, [state.index.get(email)]))


def _two_have_it(state: Directory) -> str | None:
    first: dict[str, str] = {}
    for customer, email in state.rows:
        if (other := first.setdefault(email, customer)) != customer:
            return f"{other} and {customer} both have {email}"
    return None


def _index_lags(state: Directory) -> str | None:
    for customer, email in state.rows:
        if state.index.get(email) != customer:
            return f"no sign-up is under way, and the global index does not have {email} of {customer}"
    return None


unique = Always("an e-mail belongs to one customer", _two_have_it)
index_complete = AtRest("when no sign-up is under way, the global index has every row", _index_lags)
SIGN_UP_ALWAYS: tuple[Property, ...] = (unique, index_complete)
SignUps.always = SIGN_UP_ALWAYS
