"""A picker decides: it loads a stream, folds it, and appends what it decided on that version, and only there."""

from __future__ import annotations

from patterns.engine.params import Ms
from patterns.engine.process import Message, durable, on, on_request, on_timer, setting

from .folds import Folds
from .messages import Accepted, Append, Load, Loaded, Refused
from .shelf import CODEC, EMPTY, Command, Count, Declined, Event, Receive, Reserve, Shelf, Ship, decide
from .store import Condition, Expected, Item, Query


class Answer(Message):
    """What a client hears."""

    said: str
    position: int = 0
    """Where the command's last event stands; 0 if the command has no event."""


def voucher_of(command: Command) -> str:
    """The tag of the command's voucher; empty if it has none."""
    return f"voucher:{command.voucher}" if isinstance(command, Ship) and command.voucher else ""


def query_of(command: Command) -> Query:
    """A decision on a voucher rests on all shelves: no single stream has it."""
    return (Item(tags=(voucher,)),) if (voucher := voucher_of(command)) else ()


class Picker(Folds):
    """Does one command at a time. Its decision is written down before it is sent, so a restart sends the same ids."""

    store: str
    timeout: Ms = setting(100)
    number: int = durable(0)
    """How many commands it has taken: it names the events."""
    client: str = durable("")
    command: Command | None = durable(None)
    decided: Append | None = durable(None)
    """What it has asked the store to append, until the store answers."""

    def on_restart(self) -> None:
        self.go_on()

    @on_request(Receive, Ship, Reserve, Count)
    def client_asks(self, client: str, command: Command) -> None:
        if self.command is not None:
            return  # it is busy: clients ask a picker that has nothing to do
        self.number, self.client, self.command, self.decided = self.number + 1, client, command, None
        self.note("P.asked", client=client, command=type(command).__name__.lower(), shelf=command.shelf)
        self.go_on()

    @on_timer("answer")
    def no_answer(self) -> None:
        """A lost answer and a lost request look the same: send the same again."""
        self.note("P.again" if self.decided else "P.reload", timeout=self.timeout)
        self.go_on()

    def go_on(self) -> None:
        if self.command is None:
            return
        self.send(self.store, self.decided or Load(self.command.shelf, query_of(self.command)))
        self.set_timer("answer", self.timeout)

    @on(Loaded)
    def stream_arrives(self, sender: str, loaded: Loaded) -> None:
        if self.command is None or self.decided is not None or loaded.stream != self.command.shelf:
            self.note("P.late", sender=sender)
            return
        try:
            events = self.decision(loaded, self.command)
        except Declined as why:
            self.note("P.declined", client=self.client, why=str(why), version=loaded.version)
            return self.end(Answer(f"declined: {why}"))
        if not events:
            self.note("P.nothing", client=self.client, version=loaded.version)
            return self.end(Answer("nothing to do"))
        self.decided = self.append(loaded, events, self.command)
        self.note("P.decides", events=self.decided.kinds, version=loaded.version)
        self.go_on()

    def decision(self, loaded: Loaded, command: Command) -> tuple[Event, ...]:
        if loaded.matched:
            raise Declined(f"{voucher_of(command).replace(':', ' ')} was used")
        return self.decide(self.folded(EMPTY, loaded.events), command)

    def append(self, loaded: Loaded, events: tuple[Event, ...], command: Command) -> Append:
        """Accepted only while the stream is at the version that was loaded, and no event uses the same voucher."""
        query, cause = query_of(command), f'{{"client":"{self.client}"}}'
        tags = query[0].tags if query else ()
        new = tuple(CODEC.encode(f"{self.name()}.{nth}", event, cause, tags) for nth, event in enumerate(events))
        unless = Condition(query, loaded.known) if query else None
        return Append(loaded.stream, new, self.expected(loaded), unless)

    def name(self) -> str:
        """Of a decision: a retry has the same, and so have its events."""
        return f"{self.id}{self.number}"

    def expected(self, loaded: Loaded) -> Expected:
        return loaded.version

    def decide(self, shelf: Shelf, command: Command) -> tuple[Event, ...]:
        return decide(shelf, command)

    @on(Accepted, Refused)
    def store_answers(self, sender: str, answer: Accepted | Refused) -> None:
        """Refused: the state was not as this decision took it. Load again, and decide again, perhaps otherwise."""
        if self.decided is None or tuple(event.id for event in self.decided.events) != answer.ids:
            self.note("P.late", sender=sender)
        elif isinstance(answer, Refused):
            self.note("P.refused", why=answer.why)
            self.number, self.decided = self.number + 1, None
            self.go_on()
        else:
            self.note("P.done", client=self.client, version=answer.version)
            self.end(Answer(f"done, version {answer.version}", answer.position))

    def end(self, answer: Answer) -> None:
        self.reply(self.client, answer)
        self.client, self.command, self.decided = "", None, None
        self.cancel_timer("answer")
