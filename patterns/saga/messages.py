"""What travels: requests of clients, commands of the orchestrator and their answers, events of services.

A request and its reply share a `serial`, and a reply with a `leader` says whom to ask instead: the conventions of the
runtime's clients. Every command has a key, (saga, step): what comes twice is told by it.
"""

from __future__ import annotations

from patterns.engine.process import Message

from .actions import Action
from .definition import Kind

# Clients


class Begin(Message, frozen=True):
    """Begin a saga. Asked again with the same `saga`, it is the same saga."""

    serial: int
    saga: str
    """The id of this saga: `A1`."""
    definition: str
    words = "begin {definition} {saga}"


class Repair(Message, frozen=True):
    """A human has mended what made a compensation fail: try again what is stuck."""

    serial: int
    saga: str
    words = "repaired: {saga} goes on"


class Ended(Message, frozen=True):
    """How a saga ended: `completed`, `compensated`, or `stuck`: a compensation fails, and a human is needed."""

    serial: int
    saga: str
    outcome: str
    why: str = ""
    words = "{saga} {outcome}"


class Accepted(Message, frozen=True):
    """A repair was heard of."""

    serial: int
    saga: str
    words = "{saga} goes on"


class Elsewhere(Message, frozen=True):
    """Not here: ask the one named."""

    serial: int
    leader: str
    words = "ask {leader}"


Reply = Ended | Accepted | Elsewhere


# The orchestrator's commands


class Do(Message, frozen=True):
    """Do a step."""

    saga: str
    step: str
    action: Action
    kind: Kind
    words = "{saga}: {step}"


class Undo(Message, frozen=True):
    """Compensate a step: undo it if it was done, and see to it that it is never done later."""

    saga: str
    step: str
    action: Action
    words = "{saga}: undo {step}"


class Release(Message, frozen=True):
    """The saga has completed: take its marks off the rows."""

    saga: str
    words = "{saga}: release"


# The services' answers


class Done(Message, frozen=True):
    """A step is done."""

    saga: str
    step: str
    words = "{saga}: {step} done"


class Refused(Message, frozen=True):
    """A step is refused for a business reason, and never will be done."""

    saga: str
    step: str
    reason: str
    words = "{saga}: {step} refused"


class Undone(Message, frozen=True):
    """A step is compensated."""

    saga: str
    step: str
    words = "{saga}: {step} undone"


class Failed(Message, frozen=True):
    """A step, or with `undo` its compensation, did not work; nothing was changed, and it may work later."""

    saga: str
    step: str
    undo: bool
    reason: str

    def __str__(self) -> str:
        return f"{self.saga}: {'undo ' if self.undo else ''}{self.step} failed"


class Released(Message, frozen=True):
    """The saga's marks are off this service's rows."""

    saga: str
    words = "{saga}: released"


# Choreography: what services tell one another


class Event(Message, frozen=True):
    """Something that happened in a saga; sent again until it is acknowledged. `number` is its place in the outbox."""

    number: int
    saga: str
    definition: str
    what: str
    """Of the same words as a record: done, refused, undone, ..."""
    step: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.saga}: {self.step} {self.what}".replace("  ", " ")


class Ack(Message, frozen=True):
    """An event arrived, and is on the receiver's disk."""

    number: int
    words = "ack {number}"
