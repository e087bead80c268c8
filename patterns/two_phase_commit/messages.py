"""What a client asks, what the coordinator and the participants send one another, and how it reads."""

from __future__ import annotations

from typing import Literal

import msgspec

from patterns.engine.process import Message

Outcome = Literal["commit", "abort"]
Vote = Literal["yes", "no", "read-only"]


class Move(msgspec.Struct, frozen=True, gc=False):
    """`amount` is added to an account of a participant; below 0 it is taken away, 0 only reads it."""

    participant: str
    account: str
    amount: int

    def __str__(self) -> str:
        return f"{self.account} {self.amount:+}" if self.amount else f"read {self.account}"


# A client and the coordinator


class Transfer(Message, frozen=True):
    """A transaction. `txn` is the client's name for it: asked again under the same name, it is done once.

    Raises ValueError unless the moves add up to 0, name each account once, and there are any.
    """

    txn: str
    moves: tuple[Move, ...]

    def __post_init__(self) -> None:
        if not self.txn or "." in self.txn:
            raise ValueError(f"txn is {self.txn!r}; it needs a name without a dot")
        rows = [(move.participant, move.account) for move in self.moves]
        if not rows or len(set(rows)) < len(rows):
            raise ValueError(f"{self.txn} moves {list(map(str, self.moves))}; it needs moves, one for each account")
        if total := sum(move.amount for move in self.moves):
            raise ValueError(
                f"the moves of {self.txn} add up to {total:+}; a transfer makes no money and loses none: 0"
            )

    @property
    def serial(self) -> str:
        """What tells the answer to this request from others."""
        return self.txn

    @property
    def participants(self) -> tuple[str, ...]:
        """Who takes part, in the order of the moves."""
        return tuple(dict.fromkeys(move.participant for move in self.moves))

    def __str__(self) -> str:
        return f"{self.txn}: {', '.join(map(str, self.moves))}"


class Done(Message, frozen=True):
    """The coordinator's answer: what became of the transaction."""

    txn: str
    outcome: Outcome

    @property
    def serial(self) -> str:
        return self.txn

    def __str__(self) -> str:
        return f"{self.txn}: {past(self.outcome)}"


class NotCoordinator(Message, frozen=True):
    """A participant's answer to a client: ask `leader`."""

    txn: str
    leader: str

    @property
    def serial(self) -> str:
        return self.txn

    words = "ask {leader}"


# Two phases


class Prepare(Message, frozen=True):
    """Vote on this transaction (VOTE-REQ). `participants` are all that take part, where they are to help one another
    when the coordinator is silent; else nobody."""

    txn: str
    moves: tuple[Move, ...]
    participants: tuple[str, ...] = ()
    words = "prepare {txn}"


class Voted(Message, frozen=True):
    txn: str
    vote: Vote
    words = "{vote} {txn}"


class Commit(Message, frozen=True):
    """The decision, from the coordinator or from whoever knows it."""

    txn: str
    words = "commit {txn}"


class Abort(Message, frozen=True):
    """The decision, from the coordinator or from whoever knows it."""

    txn: str
    words = "abort {txn}"


class Ack(Message, frozen=True):
    """The decision is on my disk: you may forget it."""

    txn: str
    words = "ack {txn}"


# In doubt


class Inquiry(Message, frozen=True):
    """What was decided (DECISION-REQ)?"""

    txn: str
    words = "{txn}?"


class InDoubt(Message, frozen=True):
    """I do not know either."""

    txn: str
    words = "{txn}: not known"


# Three phases

State = Literal["aborted", "uncertain", "committable", "committed"]


class PreCommit(Message, frozen=True):
    """All voted yes. Nobody commits before all that are up know this."""

    txn: str
    words = "pre-commit {txn}"


class PreCommitted(Message, frozen=True):
    """I know that all voted yes."""

    txn: str
    words = "pre-committed {txn}"


class StateRequest(Message, frozen=True):
    """How far are you? I take the coordinator's place; or, if `recovered`, I was down and only ask."""

    txn: str
    recovered: bool = False
    words = "state of {txn}?"


class StateReport(Message, frozen=True):
    """How far I am. `recovered`: I was down in between, and may have missed what the others did."""

    txn: str
    state: State
    recovered: bool = False

    def __str__(self) -> str:
        return f"{self.txn} {self.state}" + (", recovered" if self.recovered else "")


def past(outcome: Outcome) -> str:
    """In words: what a transaction is."""
    return "committed" if outcome == "commit" else "aborted"


def named(names: tuple[str, ...] | list[str] | frozenset[str]) -> str:
    """In words: who."""
    return ", ".join(names if isinstance(names, tuple | list) else sorted(names)) or "nobody"
