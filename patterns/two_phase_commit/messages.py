"""What a client asks, and what the coordinator and the participants send one another."""

from __future__ import annotations

from typing import Literal

import msgspec

from patterns.engine.process import Message

Outcome = Literal["commit", "abort"]
Vote = Literal["yes", "no", "read-only"]
State = Literal["aborted", "uncertain", "committable", "committed"]


class Move(msgspec.Struct, frozen=True, gc=False):
    """`amount` is added to an account of a participant; below 0 it is taken away, 0 only reads the account."""

    participant: str
    account: str
    amount: int

    def __str__(self) -> str:
        return f"{self.account} {self.amount:+}" if self.amount else f"read {self.account}"


class About(Message, frozen=True):
    """A message about the transaction `txn`."""

    txn: str


# A client and the coordinator


class Asked(About, frozen=True):
    """What a client asks, or the answer, which repeats what was asked."""

    moves: tuple[Move, ...]

    @property
    def serial(self) -> tuple[str, frozenset[Move]]:
        """Tells the answer to a request from other answers, also from a late one about the same name."""
        return self.txn, frozenset(self.moves)


class Transfer(Asked, frozen=True):
    """A transaction. `txn` is the client's name for it: asked again under the same name, it is done once.

    Raises ValueError unless the moves add up to 0, name each account once, and there are any.
    """

    words = "{txn}: {moves:names}"

    def __post_init__(self) -> None:
        if not self.txn or "." in self.txn:
            raise ValueError(f"txn is {self.txn!r}; allowed is a name without a dot")
        rows = [(move.participant, move.account) for move in self.moves]
        if not rows or len(set(rows)) < len(rows):
            raise ValueError(f"{self.txn} moves {list(map(str, self.moves))}; allowed are moves, one for each account")
        if total := sum(move.amount for move in self.moves):
            raise ValueError(f"the moves of {self.txn} add up to {total:+}; allowed is 0: money is only moved")

    @property
    def participants(self) -> tuple[str, ...]:
        """The participants, in the order of the moves."""
        return tuple(dict.fromkeys(move.participant for move in self.moves))


class Done(Asked, frozen=True):
    """The coordinator's answer to the client."""

    outcome: Outcome

    def __str__(self) -> str:
        return f"{self.txn}: {past(self.outcome)}"


class NameTaken(Asked, frozen=True):
    """The coordinator's answer to a client: the name belongs to another transfer. Nothing was done for this one."""

    words = "{txn}: the name is taken"


class NotCoordinator(Asked, frozen=True):
    """A participant's answer to a client: ask `leader`."""

    leader: str
    words = "ask {leader}"


Reply = Done | NameTaken | NotCoordinator
"""What a client may receive."""


# Two phases


class Prepare(About, frozen=True):
    """Vote on this transaction (VOTE-REQ). `participants` are all that take part, if they are to help one another when
    the coordinator is silent; else it is empty."""

    moves: tuple[Move, ...]
    participants: tuple[str, ...] = ()
    words = "prepare {txn}"


class Voted(About, frozen=True):
    vote: Vote
    words = "{vote} {txn}"


class Commit(About, frozen=True):
    """The decision, from the coordinator or from another process that knows it."""

    words = "commit {txn}"


class Abort(About, frozen=True):
    """The decision, from the coordinator or from another process that knows it."""

    words = "abort {txn}"


class Ack(About, frozen=True):
    """The decision is on my disk: you may forget it."""

    words = "ack {txn}"


# In doubt


class Inquiry(About, frozen=True):
    """What was decided (DECISION-REQ)?"""

    words = "{txn}?"


class InDoubt(About, frozen=True):
    """I do not know either."""

    words = "{txn}: not known"


# Three phases


class PreCommit(About, frozen=True):
    """All voted yes. No process commits before all that are up know this."""

    words = "pre-commit {txn}"


class PreCommitted(About, frozen=True):
    """I know that all voted yes."""

    words = "pre-committed {txn}"


class StateRequest(About, frozen=True):
    """What is your state? I take the coordinator's place; or, if `recovered`, I was down and only ask."""

    recovered: bool = False
    words = "state of {txn}?"


class StateReport(About, frozen=True):
    """My state. `recovered`: I was down in between, and may have missed what the others did."""

    state: State
    recovered: bool = False

    def __str__(self) -> str:
        return f"{self.txn} {self.state}" + (", recovered" if self.recovered else "")


def past(outcome: Outcome) -> str:
    """In words: a transaction with this outcome is ..."""
    return "committed" if outcome == "commit" else "aborted"
