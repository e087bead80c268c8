"""The pictures of event sourcing: the shop with its log (here), and one stream with its folds (`stream.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from patterns.engine.sentences import counted
from patterns.engine.step import Step
from patterns.engine.world import Call
from patterns.event_sourcing.event_store import EventStore
from patterns.event_sourcing.history import Story
from patterns.event_sourcing.messages import Append
from patterns.event_sourcing.picker import Picker
from patterns.event_sourcing.properties import lost
from patterns.event_sourcing.subscriber import Projector, Subscriber
from widgets.kit import Look, Point, ProcessView, legend_of, small
from widgets.scene import Fact, Panel, Role, Scene

from . import log, stream
from .labels import SHORTS, WRITERS, colour_of

SEATS: Mapping[str, Point] = {"A": (48, 52), "B": (48, 156), "Store": (214, 104), "Sub": (372, 52), "Table": (506, 120)}
"""Pickers, who write, stand on the left of the store, and readers on its right."""
WIDTH, MIDDLE = 560, 222
"""The picture's width, and how far down the log begins."""


class ShopView(ProcessView):
    title = "Event sourcing"
    signs = legend_of(__package__, title)
    width, height, most_calls = WIDTH, MIDDLE, 0
    shorts: ClassVar[Mapping[type, str]] = SHORTS

    @classmethod
    def scene_of(cls, step: Step[Any, Any]) -> Scene:
        return stream.scene_of(step) if isinstance(step.state, Story) else super().scene_of(step)

    @classmethod
    def facts_of(cls, world: Any) -> tuple[Fact, ...]:
        return stream.facts_of(world) if isinstance(world, Story) else super().facts_of(world)

    @classmethod
    def sends_of(cls, step: Step[Any, Any]) -> tuple[Fact, ...]:
        return () if isinstance(step.state, Story) else super().sends_of(step)

    @classmethod
    def costs_of(cls, step: Step[Any, Any]) -> dict[str, int]:
        return stream.costs_of(step) if isinstance(step.state, Story) else super().costs_of(step)

    def panels(self) -> tuple[Panel, ...]:
        """The processes above, and below them what is kept."""
        net = self.network()
        below, said = log.marks(self, MIDDLE)
        calls = [
            small(f"client:{call.client}", 96, 216 - 17 * at, *self.asked(call))
            for at, call in enumerate(self.latest())
        ]
        label = f"{net.label}; {said}"
        return (Panel(id="shop", width=WIDTH, height=log.BOTTOM, marks=(*net.marks, *calls, *below), label=label),)

    def latest(self) -> list[Call]:
        """The clients that wait, or the last one that was answered."""
        waits = [call for call in self.world.calls if call.waits]
        return waits or [*self.world.calls][-1:]

    # Messages and calls

    def colour(self, message: Any) -> Role:
        return colour_of(message)

    def short(self, message: Any) -> str:
        return f"{message.kinds} at {message.expected}" if isinstance(message, Append) else super().short(message)

    def asked(self, call: Call) -> tuple[str, Role]:
        said = "waits" if call.waits else str(call.reply).partition(":")[0]
        return f"{call.client}: {call.body}: {said}", WRITERS[call.to]

    # Processes

    def seats(self) -> Mapping[str, Point]:
        return {name: SEATS[name] for name in self.world.names}

    def look(self, process: Any) -> Look:
        who = process.id
        match process:
            case Picker():
                doing = "decided" if process.decided else "loads" if process.command else ""
                return Look(f"{who} {doing or 'has nothing to do'}", WRITERS[who], caption=doing)
            case EventStore():
                events, open = len(process.log.events), len(getattr(process, "open", ()))
                waits = counted(open, "transaction is open", "transactions are open")
                words = f"{who} has {counted(events, 'event')}" + (f", and {waits}" if open else "")
                return Look(words, sub=str(events), caption=f"{open} open" if open else "")
            case Subscriber():
                late = len(lost(self.world))
                words = f"{who} is {process.phase}" + (f", and never got {counted(late, 'event')}" if late else "")
                return Look(words, "bad" if late else "ink", caption=process.phase)
        return Look(f"{who} has applied {counted(len(process.positions), 'event')}", sub=str(len(process.positions)))

    def on_disk(self, process: Any) -> Mapping[str, Any]:
        match process:
            case EventStore():
                events = process.log.events
                return {f"position {each.position}": f"{each.stream} {each.version}: {each.type}" for each in events}
            case Projector():
                return {name: counted(shelf.bags, "bag") for name, shelf in process.rows}
        return super().on_disk(process)


VIEW = ShopView
