"""What a client asks, and what the coordinator and the participants send one another."""

from __future__ import annotations

from typing import Literal

from patterns.engine.process import Message
from patterns.engine.values import Value

Outcome = Literal["commit", "abort"]
Vote = Literal["yes", "no", "read-only"]
State = Literal["aborted", "uncertain", "committable", "committed"]


class Move(Value):
    """`amount` is added to an account of a participant; below 0 it is taken away, 0 only reads the account."""

    participant: str
    account: str
    amount: int


class About(Message):
    """A message about the transaction `txn`."""

    txn: str


# A client and the coordinator


class Asked(About):
    """What a client asks, or the answer, which repeats what was asked."""

    moves: tuple[Move, ...]

    @property
    def serial(self) -> tuple[str, frozenset[Move]]:
        """Tells the answer to a request from other answers, also from a late one about the same name."""
        return self.txn, frozenset(self.moves)


class Transfer(Asked):
    """A transaction. `txn` is the client's name for it: asked again under the same name, it is done once.

    Raises ValueError unless the moves add up to 0, name each account once, and there are any.
    """

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


class Done(Asked):
    """The coordinator's answer to the client."""

    outcome: Outcome


class NameTaken(Asked):
    """The coordinator's answer to a client: the name belongs to another transfer. Nothing was done for this one."""


class NotCoordinator(Asked):
    """A participant's answer to a client: ask `leader`."""

    leader: str


# An operator


class Decide(About):
    """An operator orders a participant in doubt to end the transaction, and guesses the decision."""

    outcome: Outcome


class LoseDisk(Message):
    """The coordinator's disk fails, and an empty one takes its place."""


class Obeyed(Message):
    """The answer to an operator."""


Reply = Done | NameTaken | NotCoordinator | Obeyed
"""What a client may receive."""


# Two phases


class Prepare(About):
    """Vote on this transaction (VOTE-REQ). `participants` are all that take part, if they are to help one another when
    the coordinator is silent; else it is empty."""

    moves: tuple[Move, ...]
    participants: tuple[str, ...] = ()


class Voted(About):
    vote: Vote


class Commit(About):
    """The decision, from the coordinator or from another process that knows it."""


class Abort(About):
    """The decision, from the coordinator or from another process that knows it."""


class Ack(About):
    """The decision is on my disk: you may forget it."""

    by_hand: Outcome | None = None
    """The other outcome, if an operator had decided the transaction here by hand before."""


# In doubt


class Inquiry(About):
    """What was decided (DECISION-REQ)?"""


class InDoubt(About):
    """I do not know either."""


# Three phases


class PreCommit(About):
    """All voted yes. No process commits before all that are up know this."""


class PreCommitted(About):
    """I know that all voted yes."""


class StateRequest(About):
    """What is your state? I take the coordinator's place; or, if `recovered`, I was down and only ask."""

    recovered: bool = False


class StateReport(About):
    """My state. `recovered`: I was down in between, and may have missed what the others did."""

    state: State
    recovered: bool = False


def past(outcome: Outcome) -> str:
    """In words: a transaction with this outcome is ..."""
    return "committed" if outcome == "commit" else "aborted"
