"""A subscriber reads the past in pages and then follows what is new, so that each event reaches the projector once.

It subscribes first, then reads, then drops by position what it has read already. In the other order an event that
is committed in between is missed. An event that does not follow the last one means that one was lost on the way, or
that its buffer was full: then it reads pages again.
"""

from __future__ import annotations

from patterns.engine.params import Ms
from patterns.engine.process import Process, durable, on, on_timer, setting

from .folds import Folds
from .messages import Applied, Apply, Cursor, PageRead, Pushed, ReadPage, Subscribe, Subscribed
from .shelf import EMPTY, Shelf
from .store import Recorded

JOINING, CATCHING_UP, LIVE = "joining", "catching up", "live"


class Subscriber(Process):
    """Hands events to the projector, one at a time and in the order of the store."""

    store: str
    projector: str
    origin: Cursor
    """The cursor of a reader that has read nothing."""
    checkpoint: Cursor = durable(())
    """Up to here the projector has applied all; empty for nothing."""
    timeout: Ms = setting(100)
    room: int = setting(2)
    """How many new events it keeps while it catches up."""
    idle: int = setting(0)
    """How often it asks for a page while nothing is new, before it stops. A real subscriber never stops."""
    phase: str = JOINING
    reached: Cursor = ()
    """Up to here it has passed all events on."""
    buffer: tuple[Pushed, ...] = ()
    """New events that wait until it has caught up."""
    queue: tuple[Recorded, ...] = ()
    """Events that the projector has not yet applied."""
    polls: int = 0

    def on_start(self) -> None:
        self.reached = self.checkpoint or self.origin
        self.join()

    def join(self) -> None:
        self.phase = JOINING
        self.send(self.store, Subscribe())
        self.set_timer("silence", self.timeout)

    @on(Subscribed)
    def store_will_push(self, sender: str, subscribed: Subscribed) -> None:
        if self.phase == JOINING:
            self.note("S.joined", reached=self.reached)
            self.read_on()

    def read_on(self) -> None:
        self.phase = CATCHING_UP
        self.send(self.store, ReadPage(self.reached))
        self.set_timer("silence", self.timeout)

    @on_timer("silence")
    def no_answer(self) -> None:
        """A message was lost; or it is live, and makes sure that no new event was lost."""
        self.polls += self.phase == LIVE
        self.join()

    @on(PageRead)
    def page_arrives(self, sender: str, page: PageRead) -> None:
        if self.phase != CATCHING_UP or page.after != self.reached:
            self.note("S.old", after=page.after)
            return
        self.note("S.page", count=len(page.events), to=page.to)
        self.pass_on(page.events)
        self.reached = page.to
        if page.full:
            self.read_on()
        else:
            self.go_live()

    def go_live(self) -> None:
        """Events that were pushed meanwhile come after those that were read."""
        self.phase, waiting, self.buffer = LIVE, self.buffer, ()
        self.note("S.live", reached=self.reached, waiting=len(waiting))
        self.cancel_timer("silence")
        for pushed in waiting:
            if self.phase == LIVE:
                self.follow(pushed)
        self.watch()

    def watch(self) -> None:
        if self.phase == LIVE and self.polls < self.idle:
            self.set_timer("silence", self.timeout)

    @on(Pushed)
    def new_event(self, sender: str, pushed: Pushed) -> None:
        if self.phase == LIVE:
            self.polls = 0
            self.follow(pushed)
            self.watch()
        elif len(self.buffer) < self.room:
            self.note("S.keep", to=pushed.to)
            self.buffer = tuple(sorted({*self.buffer, pushed}, key=lambda each: each.to))
        else:
            self.note("S.full", room=self.room, to=pushed.to)

    def follow(self, pushed: Pushed) -> None:
        if self.is_read(pushed):
            self.note("S.twice", to=pushed.to, reached=self.reached)
        elif pushed.after > self.reached:
            self.note("S.gap", to=pushed.to, after=pushed.after, reached=self.reached)
            self.read_on()
        else:
            self.note("S.next", to=pushed.to)
            self.pass_on((pushed.event,))
            self.reached = pushed.to

    def is_read(self, pushed: Pushed) -> bool:
        """Positions tell: it has passed on everything up to the place that it has reached."""
        return pushed.to <= self.reached

    # To the projector: the next one when the last one is applied

    def pass_on(self, events: tuple[Recorded, ...]) -> None:
        idle = not self.queue
        self.queue += events
        if idle and self.queue:
            self.deliver()

    @on_timer("apply")
    def deliver(self) -> None:
        if self.queue:
            self.send(self.projector, Apply(self.queue[0]))
            self.set_timer("apply", self.timeout)

    @on(Applied)
    def projector_is_done(self, sender: str, applied: Applied) -> None:
        if not self.queue or self.queue[0].position != applied.position:
            return
        self.queue = self.queue[1:]
        self.cancel_timer("apply")
        if not self.queue:
            self.checkpoint = self.reached
        self.note("S.applied", position=applied.position, left=len(self.queue), checkpoint=self.checkpoint)
        self.deliver()


class Projector(Folds):
    """Keeps a table: shelf -> what is on it. It is a fold too, over many streams."""

    positions: tuple[int, ...] = durable(())
    """Of the events that it has applied."""
    rows: tuple[tuple[str, Shelf], ...] = durable(())

    @on(Apply)
    def event_arrives(self, sender: str, apply: Apply) -> None:
        event = apply.event
        if self.is_new(event):
            row = self.folded(dict(self.rows).get(event.stream, EMPTY), [event])
            self.positions += (event.position,)
            self.rows = tuple(sorted((dict(self.rows) | {event.stream: row}).items()))
            self.note("J.apply", position=event.position, stream=event.stream, bags=row.bags)
        else:
            self.note("J.twice", position=event.position)
        self.send(sender, Applied(event.position))

    def is_new(self, event: Recorded) -> bool:
        """The subscriber sends one at a time and in order, so a position that was applied is a repetition."""
        return event.position not in self.positions
