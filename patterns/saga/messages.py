"""What travels: requests of clients, commands of the orchestrator and their answers, events of services.

A request and its reply share a `serial`, and a reply with a `leader` says whom to ask instead: the conventions of the
runtime's clients. A command and its answers share a key, `about`: the saga and the step. What comes twice has it twice.
"""

from __future__ import annotations

from patterns.engine.process import Message

from .actions import Action
from .definition import Kind
from .log import Record
from .reasons import NO_REASON, Reason

# Clients


class Begin(Message, frozen=True):
    """Begin a saga. `saga` is an idempotency key: asked again with it, by whatever client, it is the same saga; with
    another definition it is rejected."""

    serial: int
    saga: str
    """The id of this saga: `A1`."""
    definition: str
    words = "begin {definition} {saga}"


class Repair(Message, frozen=True):
    """A human has repaired what made a step or a compensation fail: try again what is stuck."""

    serial: int
    saga: str
    words = "repaired: {saga} goes on"


class Cancel(Message, frozen=True):
    """The client no longer wants the saga. It turns back if it still can, and the answer is how it ended."""

    serial: int
    saga: str
    words = "cancel {saga}"


class Ended(Message, frozen=True):
    """How a saga ended: `completed`, `compensated`, or `stuck`: a step or a compensation does not succeed, and a human
    is needed. `unknown` and `rejected` are errors: there is no such definition; the key is another saga's."""

    serial: int
    saga: str
    outcome: str
    why: Reason = NO_REASON
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


# The orchestrator's commands, and the services' answers


def about(saga: str, step: str, undo: bool = False) -> str:
    """The key of a command and its answers: `A1.charge`, `A1.undo charge`."""
    return f"{saga}.{'undo ' if undo else ''}{step}"


class Keyed(Message, frozen=True):
    """A command or an answer about a step."""

    saga: str
    step: str

    @property
    def about(self) -> str:
        return about(self.saga, self.step)


class Do(Keyed, frozen=True):
    """Do a step."""

    action: Action
    kind: Kind
    final: bool = False
    """Whether this is the last try: the service does the step now, or refuses it for good."""
    words = "{saga}: {step}"


class Undo(Keyed, frozen=True):
    """Compensate a step: undo it if it was done, and see to it that it is never done later."""

    action: Action
    words = "{saga}: undo {step}"

    @property
    def about(self) -> str:
        return about(self.saga, self.step, undo=True)


class Release(Keyed, frozen=True):
    """The saga has completed: take its marks off the rows of the service named in `step`."""

    words = "{saga}: release"


class Done(Keyed, frozen=True):
    """A step is done."""

    words = "{saga}: {step} done"


class Refused(Keyed, frozen=True):
    """A step is refused for a business reason, and never will be done."""

    reason: Reason
    words = "{saga}: {step} refused"


class Undone(Keyed, frozen=True):
    """A step is compensated."""

    words = "{saga}: {step} undone"

    @property
    def about(self) -> str:
        return about(self.saga, self.step, undo=True)


class Failed(Keyed, frozen=True):
    """A step, or with `undo` its compensation, did not work; nothing was changed, and it may work later."""

    undo: bool
    reason: Reason

    @property
    def about(self) -> str:
        return about(self.saga, self.step, self.undo)

    def __str__(self) -> str:
        return f"{self.saga}: {'undo ' if self.undo else ''}{self.step} failed"


class Released(Keyed, frozen=True):
    """The saga's marks are off the rows of the service named in `step`."""

    words = "{saga}: released"


Command = Do | Undo | Release
Answer = Done | Refused | Undone | Failed | Released


# Choreography: what services tell one another


class Event(Message, frozen=True):
    """Something that happened in a saga; sent again until it is acknowledged. `number` is its place in the outbox."""

    number: int
    definition: str
    record: Record
    """What the sender wrote to its journal."""

    @property
    def saga(self) -> str:
        return self.record.saga

    @property
    def about(self) -> str:
        return str(self.number)

    def __str__(self) -> str:
        return f"{self.saga}: {self.record.step} {self.record.what}".replace("  ", " ")


class Ack(Message, frozen=True):
    """An event arrived, and is on the receiver's disk."""

    number: int
    words = "ack {number}"

    @property
    def about(self) -> str:
        return str(self.number)
