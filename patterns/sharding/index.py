"""Secondary indexes, and uniqueness across shards: customers are sharded by name, and found by e-mail.

A *local* index lies with the rows, so a question by e-mail goes to every shard. A *global* index is sharded by e-mail
itself: a question goes to one shard, and a write goes to two, so the index lags between its two steps. An e-mail is
unique only if all claims to it go through one shard: a reservation there comes first.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from patterns.engine.acts import Happened, ValueMachine, act
from patterns.engine.params import Params as AnyParams
from patterns.engine.properties import Always
from patterns.engine.step import Note
from patterns.engine.table import Table

from .hashes import slot_of
from .rules import RULES

SHARDS = 3


class Go(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The next step of a customer's sign-up: it claims its e-mail, writes its row, and completes the index."""

    customer: str


class Directory(msgspec.Struct, frozen=True):
    """Customer -> e-mail on disk: `claims` and the global `index` on the e-mail's shard, `rows` on the customer's.

    `asked` is the shard that the last step went to.
    """

    claims: Table[str] = Table()
    rows: Table[str] = Table()
    index: Table[str] = Table()
    asked: tuple[int, ...] = ()


class SignUps(ValueMachine[Directory, Go]):
    """Customers sign up at the same time."""

    name = "sign_ups"
    view = "sharding"
    rules = {rule: said for rule, said in RULES.items() if rule.startswith("I.")}

    class Params(AnyParams, frozen=True):
        wanted: tuple[tuple[str, str], ...] = (("mike", "mike@x"), ("michael", "mike@x"))
        """Who signs up with which e-mail."""

    params: Params

    def start(self) -> Directory:
        return Directory()

    def may_claim(self, state: Directory, customer: str, email: str) -> bool:
        """Decided on the e-mail's shard, in one local transaction: nobody else has claimed it."""
        return email not in state.claims.values()

    def done(self, state: Directory, event: Go) -> str:
        return f"{event.customer} has signed up" if event.customer in state.index else ""

    @act(Go, "go on with **{customer}**", offers=lambda self, state: dict(self.params.wanted), unless=[done])
    def go(self, state: Directory, event: Go) -> Happened[Directory]:
        customer, email = event.customer, dict(self.params.wanted)[event.customer]
        own, by = slot_of(customer, SHARDS), slot_of(email, SHARDS)
        note = {"customer": customer, "email": email, "own": own, "by": by}
        if customer in state.rows:
            return replace(state, index=state.index.put(customer, email), asked=(by,)), [Note("I.index", note)]
        if customer in state.claims:
            return replace(state, rows=state.rows.put(customer, email), asked=(own,)), [Note("I.write", note)]
        if self.may_claim(state, customer, email):
            return replace(state, claims=state.claims.put(customer, email), asked=(by,)), [Note("I.claim", note)]
        return replace(state, asked=(by,)), [Note("I.taken", note)]

    def find(self, state: Directory, email: str, index: Literal["local", "global"]) -> tuple[int, tuple[str, ...]]:
        """How many shards are asked who has an e-mail, and whom they name."""
        table = state.rows if index == "local" else state.index
        return SHARDS if index == "local" else 1, tuple(who for who, has in table if has == email)


@Always.named("an e-mail belongs to one customer")
def unique(state: Directory) -> str | None:
    emails = state.rows.values()
    return f"{' and '.join(state.rows.names)} have the same e-mail" if len({*emails}) < len(emails) else None


SignUps.always = (unique,)
