"""A projector carries events from the store to one version of a read model. It remembers nothing of its own.

It asks the read model for its checkpoint, asks the store for what comes after it, and writes this in one transaction
with the new checkpoint. A crash anywhere in between costs nothing: it asks for the checkpoint again.
"""

from __future__ import annotations

from typing import Literal

from patterns.engine.process import Process, durable, on, on_request, on_timer, setting
from patterns.event_sourcing.store import Recorded

from .messages import Apply, At, Feed, Fetch, Part, Rebuild, Repair, Replay, Stop, Where
from .models import KINDS

CommitOrder = Literal["one transaction", "row first", "checkpoint first"]
PARTS: dict[CommitOrder, tuple[Part, ...]] = {
    "one transaction": ("all",),
    "row first": ("rows", "checkpoint"),
    "checkpoint first": ("checkpoint", "rows"),
}
"""Parameter `commit` -> what a projector writes, one after the other."""


class Projector(Process):
    """A projector of one version of a read model. Times are in ms."""

    model: str
    version: int = setting(1)
    shop: str = setting("shop")
    page: str = setting("page")
    commit: CommitOrder = setting("one transaction")
    patience: int = setting(400)
    """After so long without an answer it asks for its checkpoint again."""
    tries: int = setting(1)
    """How often it tries to read an event before it sets the event aside."""
    backoff: int = setting(20)
    """How long it waits before the second try; before each further one twice as long."""
    unreadable: tuple[str, ...] = setting(())
    """The ids of the events that its code cannot read, until it is repaired."""
    runs: bool = durable(True)
    """A new version waits until an operator wants it."""
    repaired: bool = durable(False)

    failed: int = 0
    """How often it could not read the next events."""
    left: tuple[Apply, ...] = ()
    """What it still has to write, if it writes twice."""

    def can_read(self, event: Recorded) -> bool:
        return self.repaired or event.id not in self.unreadable

    # Where it stands is written in the read model, and nowhere else

    def on_start(self) -> None:
        if self.runs:
            self.ask(self.page, Where(self.model, self.version))

    def ask(self, whom: str, message: Where | Fetch | Apply | Replay) -> None:
        self.set_timer("patience", self.patience)
        self.send(whom, message)

    @on_timer("patience")
    def no_answer(self) -> None:
        self.note("P.again", model=self.model)
        self.left = ()
        self.on_start()

    @on(At)
    def go_on(self, page: str, at: At) -> None:
        if at.part != "all" and self.left:
            first, *rest = self.left
            self.note("P.second", done=at.part, write=first.part)
            self.ask(page, first)
            self.left = tuple(rest)
        elif at.parked and self.repaired:
            self.note("P.replay", model=self.model, parked=at.parked)
            self.ask(page, Replay(self.model, self.version))
        else:
            self.left = ()
            self.note("P.fetch", model=self.model, checkpoint=at.checkpoint)
            self.ask(self.shop, Fetch(at.checkpoint, KINDS[self.model].types))

    @on(Feed)
    def write(self, shop: str, feed: Feed) -> None:
        bad = tuple(event.id for event in feed.events if not self.can_read(event))
        if bad and self.failed + 1 < self.tries:
            self.failed += 1
            wait = self.backoff * 2 ** (self.failed - 1)
            self.note("P.fails", events=bad, wait=wait)
            self.set_timer("patience", wait)
            return
        self.failed = 0
        first, *rest = self.writes(feed, bad)
        self.left = tuple(rest)
        if bad:
            self.note("P.parks", events=bad)
        self.note("P.write", model=self.model, part=first.part, feed=feed)
        self.ask(self.page, first)

    def writes(self, feed: Feed, bad: tuple[str, ...]) -> tuple[Apply, ...]:
        """Rows and checkpoint in one transaction; else two writes, and a crash fits between them."""
        of = (self.model, self.version, feed.after, feed.events, feed.through)
        return tuple(Apply(*of, part, bad) for part in PARTS[self.commit])

    @on(Stop)
    def retire(self, page: str, stop: Stop) -> None:
        self.note("P.stop", model=self.model, version=self.version)
        self.runs = False
        self.cancel_timer("patience")

    # Operators

    @on_request(Rebuild)
    def rebuild(self, client: str, request: Rebuild) -> None:
        self.note("P.rebuild", model=self.model, version=self.version)
        self.runs = True
        self.on_start()
        self.reply(client, At(0))

    @on_request(Repair)
    def repair(self, client: str, request: Repair) -> None:
        self.note("P.repair", model=self.model)
        self.repaired = True
        self.on_start()
        self.reply(client, At(0))
