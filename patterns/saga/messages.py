"""What travels: requests of clients, commands of the orchestrator and their answers, events of services.

A request and its reply share a `serial`, and a reply with a `leader` says whom to ask instead: the conventions of the
runtime's clients. A command and its answers share a key, `about`: the saga and the step. A message that comes twice has
the same key twice.
"""

from __future__ import annotations

from patterns.engine.process import Message

from .actions import Action
from .definition import Kind
from .log import Record
from .reasons import NO_REASON, Reason

# Clients


class Begin(Message):
    """Begin a saga. `saga` is an idempotency key: asked again with it, by whatever client, it is the same saga; with
    another definition it is rejected."""

    serial: int
    saga: str
    """The id of this saga: `A1`."""
    definition: str


class Repair(Message):
    """A human has repaired what made a step or a compensation fail: try again what is stuck."""

    serial: int
    saga: str


class Cancel(Message):
    """The client no longer wants the saga. It turns back if it still can, and the answer is how it ended."""

    serial: int
    saga: str


class Ended(Message):
    """How a saga ended: `completed`, `compensated`, or `stuck`. A stuck saga needs a human: a step or a compensation
    does not succeed. Two outcomes are errors. `unknown`: no definition has this name. `rejected`: the key is another
    saga's."""

    serial: int
    saga: str
    outcome: str
    why: Reason = NO_REASON


class Accepted(Message):
    """A repair was heard of."""

    serial: int
    saga: str


class Elsewhere(Message):
    """Not here: ask the one named."""

    serial: int
    leader: str


Reply = Ended | Accepted | Elsewhere


# The orchestrator's commands, and the services' answers


def about(saga: str, step: str, undo: bool = False) -> str:
    """The key of a command and its answers: `A1.charge`, `A1.undo charge`."""
    return f"{saga}.{'undo ' if undo else ''}{step}"


class Keyed(Message):
    """A command or an answer about a step."""

    saga: str
    step: str

    @property
    def about(self) -> str:
        return about(self.saga, self.step)


class Do(Keyed):
    """Do a step."""

    action: Action
    kind: Kind
    final: bool = False
    """Whether this is the last try: the service does the step now, or refuses it for good."""


class Undo(Keyed):
    """Compensate a step: undo it if it was done, and see to it that it is never done later."""

    action: Action

    @property
    def about(self) -> str:
        return about(self.saga, self.step, undo=True)


class Release(Keyed):
    """The saga has completed: take its marks off the rows of the service named in `step`."""


class Done(Keyed):
    """A step is done."""


class Refused(Keyed):
    """A step is refused for a business reason, and never will be done."""

    reason: Reason


class Undone(Keyed):
    """A step is compensated."""

    @property
    def about(self) -> str:
        return about(self.saga, self.step, undo=True)


class Failed(Keyed):
    """A step, or with `undo` its compensation, did not work; nothing was changed, and it may work later."""

    undo: bool
    reason: Reason

    @property
    def about(self) -> str:
        return about(self.saga, self.step, self.undo)


class Released(Keyed):
    """The saga's marks are off the rows of the service named in `step`."""


Command = Do | Undo | Release
Answer = Done | Refused | Undone | Failed | Released


# Choreography: what services tell one another


class Event(Message):
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


class Ack(Message):
    """An event arrived, and is on the receiver's disk."""

    number: int

    @property
    def about(self) -> str:
        return str(self.number)
