"""The read side: a database with the read models and their checkpoints, and the queries that read it.

What one handler does is one transaction. Queries read tables here and never ask the write side.
"""

from __future__ import annotations

from msgspec.structs import replace

from patterns.engine.process import Process, durable, on, on_request, on_timer, setting
from patterns.engine.table import Table
from patterns.event_sourcing.store import Recorded

from .messages import Apply, At, Replay, Show, Shown, Stop, Where
from .models import ReadModel, key_of

WRITES = {"all": "R.write", "rows": "R.rows", "checkpoint": "R.mark"}
"""The part that a write changes -> rule."""


class Page(Process):
    """The database of the read side. Times are in ms."""

    deadline: int = setting(200)
    """How long a query waits for the position that it wants."""
    numbered: bool = setting(False)
    """A row takes an event only if the event is later than the last one that changed the row."""

    tables: Table[ReadModel] = durable(Table())
    """`orders.1` -> the rows of version 1 of the read model orders."""
    checkpoints: Table[int] = durable(Table())
    """`orders.1` -> everything up to this position is applied or parked."""
    live: Table[int] = durable(Table())
    """Read model -> the version that queries read."""
    letters: tuple[str, ...] = durable(())
    """The orders whose confirmation was handed to the post."""

    waiting: Table[Show] = Table()
    """Client -> its query, until the read model has what the client wants."""

    # The rules, one by one

    def key(self, model: str, version: int) -> str:
        """Each version of each read model has a checkpoint of its own."""
        return key_of(model, version)

    def may_move(self, checkpoint: int, after: int) -> bool:
        """Compare and set: a write says which checkpoint it replaces."""
        return checkpoint == after

    def must_park(self, event: Recorded, unreadable: tuple[str, ...], parked: frozenset[str]) -> bool:
        """An event is set aside if it cannot be read, or if an earlier event of its stream was set aside."""
        return event.id in unreadable or event.stream in parked

    def may_switch(self, old: int, new: int, began: int) -> bool:
        """Queries read the new version as soon as it is at least as far as the old one. The old one stood at `began`
        when the rebuild began."""
        return new >= old

    def is_fresh(self, model: str, wanted: int) -> bool:
        """Whether the read model that answers has applied this position. A parked event is not applied."""
        parked = {event.position for event in self.table(model).parked}
        return self.checkpoint(model) >= wanted and wanted not in parked

    def sends_letters(self, model: str, version: int) -> bool:
        """Only the mailer has effects outside. A projection of any other model can be run again."""
        return model == "mail"

    def first_checkpoint(self, model: str) -> int:
        """Where a new version begins: at the first event. A mailer begins where its old version stands."""
        return self.checkpoint(model) if model == "mail" and model in self.live else 0

    def is_retired(self, model: str, version: int) -> bool:
        """Queries read a later version: the old one writes no more."""
        return version < (self.live.get(model) or version)

    # Reading

    def table(self, model: str) -> ReadModel:
        """The live version of a read model."""
        return self.tables[key_of(model, self.live[model])]

    def checkpoint(self, model: str) -> int:
        return self.checkpoints[self.key(model, self.live[model])]

    # Projectors

    def receive(self, sender: str, message: Where | Apply | Replay) -> None:
        model, version = message.model, message.version
        if self.is_retired(model, version):
            self.note("R.retire", model=model, version=version, live=self.live[model])
            self.send(sender, Stop())
        else:
            super().receive(sender, message)

    @on(Where)
    def where(self, projector: str, where: Where) -> None:
        if key_of(where.model, where.version) not in self.tables:
            self.create(where.model, where.version)
        self.tell(projector, where.model, where.version)

    def create(self, model: str, version: int) -> None:
        first, began = self.first_checkpoint(model), self.checkpoint(model) if model in self.live else 0
        self.note("R.create", model=model, version=version, first=first)
        old = self.table(model) if model == "mail" and model in self.live else ReadModel()
        self.tables = self.tables.put(key_of(model, version), replace(old, began=began))
        if self.key(model, version) not in self.checkpoints:
            self.checkpoints = self.checkpoints.put(self.key(model, version), first)
        if model in self.live:
            self.switch(model, version)
        else:
            self.live = self.live.put(model, version)

    def tell(self, projector: str, model: str, version: int) -> None:
        at = self.checkpoints[self.key(model, version)]
        parked = len(self.tables[key_of(model, version)].parked)
        self.note("R.at", projector=projector, model=model, version=version, checkpoint=at)
        self.send(projector, At(at, parked))

    @on(Apply)
    def write(self, projector: str, apply: Apply) -> None:
        model, version, at = apply.model, apply.version, self.checkpoints[self.key(apply.model, apply.version)]
        if apply.part != "rows" and not self.may_move(at, apply.after):
            self.note("R.refuse", projector=projector, model=model, after=apply.after, checkpoint=at)
            self.tell(projector, model, version)
            return
        self.note(WRITES[apply.part], model=model, version=version, after=apply.after, through=apply.through)
        if apply.part != "checkpoint":
            self.write_rows(apply)
        if apply.part != "rows":
            self.checkpoints = self.checkpoints.put(self.key(model, version), apply.through)
            self.switch(model, version)
        parked = len(self.tables[key_of(model, version)].parked)
        self.send(projector, At(apply.through, parked, apply.part))
        self.answer_waiting()

    def write_rows(self, apply: Apply) -> None:
        model, version = apply.model, apply.version
        table = self.tables[key_of(model, version)]
        for event in apply.events:
            if self.must_park(event, apply.unreadable, table.parked_streams):
                self.note("R.park", model=model, position=event.position, stream=event.stream)
                table = replace(table, parked=(*table.parked, event))
            else:
                table = self.with_event(table, model, version, event)
        self.tables = self.tables.put(key_of(model, version), table)

    def with_event(self, table: ReadModel, model: str, version: int, event: Recorded) -> ReadModel:
        row = table.row_of(model, event)
        if self.numbered and row is not None and event.position <= row.position:
            self.note("R.known", model=model, position=event.position, known=row.position)
            return table
        if self.sends_letters(model, version):
            self.note("R.letter", order=event.id)
            self.letters = (*self.letters, event.id)
        return table.with_event(model, version, event)

    def switch(self, model: str, version: int) -> None:
        """Queries read another version from now on: one row changes, in the transaction of the write."""
        old, new = self.live[model], self.checkpoints[self.key(model, version)]
        if version <= old:
            return
        if self.may_switch(self.checkpoint(model), new, self.tables[key_of(model, version)].began):
            self.note("R.switch", model=model, version=version, position=new)
            self.live = self.live.put(model, version)

    @on(Replay)
    def replay(self, projector: str, message: Replay) -> None:
        """The parked events are applied in their order, in one transaction."""
        model, version = message.model, message.version
        table = self.tables[key_of(model, version)]
        parked, table = table.parked, replace(table, parked=())
        for event in parked:
            table = self.with_event(table, model, version, event)
        self.tables = self.tables.put(key_of(model, version), table)
        self.note("R.replay", model=model, positions=tuple(event.position for event in parked))
        self.tell(projector, model, version)
        self.answer_waiting()

    # Queries

    @on_request(Show)
    def show(self, client: str, show: Show) -> None:
        if self.is_fresh(show.model, show.wanted):
            self.answer(client, show)
            return
        self.note("R.wait", client=client, wanted=show.wanted, checkpoint=self.checkpoint(show.model))
        self.waiting = self.waiting.put(client, show)
        self.set_timer("deadline", self.deadline, about=client)

    def answer_waiting(self) -> None:
        for client, show in self.waiting:
            if self.is_fresh(show.model, show.wanted):
                self.answer(client, show)

    @on_timer("deadline")
    def too_late(self, client: str) -> None:
        self.answer(client, self.waiting[client], stale=True)

    def answer(self, client: str, show: Show, stale: bool = False) -> None:
        row, at = self.table(show.model).rows.get(show.about), self.checkpoint(show.model)
        shown = Shown(show.model, show.about, row.value if row else None, at, show.wanted, stale)
        self.note("R.stale" if stale else "R.show", client=client, shown=shown, checkpoint=at, wanted=show.wanted)
        self.waiting = self.waiting.without(client)
        self.cancel_timer("deadline", about=client)
        self.reply(client, shown)
