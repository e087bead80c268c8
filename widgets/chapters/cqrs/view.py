"""The picture of the two sides: the shop, the projectors and the page as a flow, and how far each read model is.

Beside the flow stands the store, a box for each event, and below it each read model: a cell below each event says
whether the read model has it. Colours are streams: one for each coffee.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.cqrs.facts import Order
from patterns.cqrs.lesson.measure import late
from patterns.cqrs.messages import Apply, At, Conflict, Feed, Fetch, Show, Shown, Stop, Where
from patterns.cqrs.models import KINDS, behind, key_of
from patterns.cqrs.page import Page
from patterns.cqrs.projector import Projector
from patterns.cqrs.properties import models_of, page_of, projectors_of, shop_of
from patterns.cqrs.shop import Shop
from patterns.engine.sentences import counted
from patterns.engine.world import Call, World
from patterns.event_sourcing.store import Recorded
from widgets.kit import Look, Point, ProcessView, box, legend_of, small
from widgets.scene import Box, Mark, Panel, Role, Tone

WIDE, HIGH = 270, 350
"""Of the panel of the store and the read models."""
CELL, GAP, MOST = 43, 2, 6
"""How wide an event is, the pixels between two, and how many are shown: the newest ones."""
TRACK, ROW, MOST_ROWS = 20, 17, 2
"""The height of a line of cells and of a row, and how many rows of a read model are shown."""
CHANGES: dict[str, tuple[Tone, str, str]] = {
    "applied": ("solid", "", "has it"),
    "parked": ("outline", "!", "has parked it"),
    "passed": ("ghost", "·", "does not want it"),
    "not yet": ("dashed", "", "does not have it yet"),
}
"""How an event stands with a read model -> tone, text, words."""


class CqrsView(ProcessView):
    title = "CQRS"
    signs = legend_of(__package__, title)
    quiet = "questions for the next event"
    rules_of_quiet = frozenset({"P.fetch", "W.wait", "R.at"})
    width, height, calls_at = 282, 350, 296
    most_calls = 4

    # Messages and calls

    def is_routine(self, message: Any) -> bool:
        return isinstance(message, At | Fetch | Where)

    def colour(self, message: Any) -> Role:
        if isinstance(message, Feed | Apply) and message.events:
            return colour_of(self.world, message.events[0].stream)
        return "ink"

    def short(self, message: Any) -> str:
        match message:
            case Feed():
                return str(message) if message.events else "none"
            case Apply():
                return {"all": "write", "rows": "row", "checkpoint": "mark"}[message.part] + f" {message.through}"
            case Fetch():
                return f"after {message.after}?"
            case Where():
                return "where?"
        return str(message)

    def token(self, message: Any) -> tuple[str, bool]:
        """Events and writes carry their position, questions and answers a sign."""
        match message:
            case Feed() | Apply():
                return str(message.through), False
            case At():
                return "yes", True
        return "no" if isinstance(message, Stop) else "?", False

    def asked(self, call: Call) -> tuple[str, Role]:
        asks, role = str(call.body), "ink" if call.waits else "soft"
        match call.body:
            case Order():
                asks = f"order {call.body.coffee}"
            case Show():
                asks = f"wants {call.body.wanted}" if call.body.wanted else "looks"
        if isinstance(call.reply, Shown):
            role = "bad" if call.reply.stale else role
            return f"{call.client} {asks}: {seen(call.reply)}", role
        got = "waits" if call.waits else str(call.reply).removeprefix(f"{getattr(call.body, 'id', '')} ")
        if isinstance(call.reply, Conflict):
            got = "refused, id is taken"
        return f"{call.client}: {asks}: {got}", role

    # Processes

    def seats(self) -> Mapping[str, Point]:
        projectors = [each.id for each in projectors_of(self.world)]
        step = min(92.0, 210 / max(1, len(projectors) - 1))
        first = 140 - step * (len(projectors) - 1) / 2
        at = {name: (141.0, round(first + step * nth, 1)) for nth, name in enumerate(projectors)}
        return {shop_of(self.world).id: (34.0, 140.0), **at, page_of(self.world).id: (248.0, 140.0)}

    def look(self, process: Any) -> Look:
        match process:
            case Shop():
                return Look(f"{process.id} has {counted(len(process.log.events), 'event')}", sub="writes")
            case Page():
                waits = ", ".join(process.waiting.names)
                words = f"{process.id} has {len(process.tables)} read models" + (f", {waits} waits" if waits else "")
                return Look(words, sub="reads")
            case Projector(runs=False):
                return Look(f"{process.id} does not run", "soft", sub="off", tone="dashed")
        return Look(f"{process.id} carries events")

    def whole(self, timer: Any) -> int:
        """Only a query's deadline is drawn, and a commit that is to come: patience is long and says nothing."""
        return 0 if timer.name == "patience" else timer.due - timer.set

    def in_words(self) -> str:
        return "; ".join(look.words for look in self.looks.values())

    @property
    def captions(self) -> bool:
        return bool(self.world.paused)

    # What is kept

    def on_disk(self, process: Any) -> Mapping[str, Any]:
        match process:
            case Shop():
                events = ", ".join(f"{event.position} {event.id}" for event in process.log.events)
                return {"events": events, "answers": ", ".join(process.handled.names)}
            case Page():
                tables = {name: f"at {at}: {_rows(process, name)}" for name, _, _, at in models_of(process)}
                live = {f"version of {model}": version for model, version in process.live if version > 1}
                letters = {"letters": ", ".join(process.letters)} if process.letters else {}
                return {**tables, **live, **letters}
        return {} if process.version == 1 else {"runs": process.runs}

    def in_memory(self, process: Any) -> Mapping[str, Any]:
        match process:
            case Shop():
                return {"waiting": ", ".join(process.waiting.names)}
            case Page():
                return {"queries that wait": ", ".join(process.waiting.names)}
        return {"still to write": ", ".join(each.part for each in process.left)} if process.left else {}

    def kept(self) -> Panel:
        """The store, and below it how far each read model is."""
        events = shop_of(self.world).log.events[-MOST:]
        marks: list[Mark] = [small("store", 2, 14, "STORE: events by position", "ink", strong=True)]
        for at, event in enumerate(events):
            marks.append(self._event(event, at))
        y, label = 62.0, [f"the store has {counted(len(shop_of(self.world).log.events), 'event')}"]
        page = page_of(self.world)
        seats = [key_of(each.model, each.version) for each in projectors_of(self.world)]
        for name, model, version, checkpoint in sorted(models_of(page), key=lambda each: seats.index(each[0])):
            has = self._standing(name, model, checkpoint, page.live[model] == version)
            title = f"{model}{f' {version}' if version > 1 else ''}"
            marks.append(small(f"model:{name}", 2, y + 12, title, "ink", strong=True, title=KINDS[model].title))
            marks.append(small(f"at:{name}", WIDE - 2, y + 12, has, "ink" if "," in has else "soft", "end"))
            marks += self._track(name, model, checkpoint, events, y + 17)
            rows = [f"{key}: {row}" for key, row in page.tables[name].rows][:MOST_ROWS]
            for nth, text in enumerate(rows or ["no rows"]):
                marks.append(small(f"row:{name}:{nth}", 8, y + 17 + TRACK + ROW * (nth + 1) - 4, text, "ink"))
            label.append(f"{title} stands {has}: {_rows(page, name)}")
            y += 17 + TRACK + ROW * max(1, len(rows)) + 8
        if page.letters:
            letters = f"letters sent: {', '.join(page.letters)}"
            marks.append(small("letters", 2, y + 10, letters, "ink"))
            label.append(letters)
        return Panel(id="kept", width=WIDE, height=max(HIGH, y + 16), marks=tuple(marks), label="; ".join(label))

    def _standing(self, name: str, model: str, checkpoint: int, live: bool) -> str:
        """Where a read model stands, and how far it lags behind in events and in time."""
        parked = len(page_of(self.world).tables[name].parked)
        lag = behind(shop_of(self.world).log.events, model, checkpoint)
        has = f"at {checkpoint}" + (f", {parked} parked" if parked else "") + ("" if live else ", unread")
        if lag and live:
            has += f", {lag} behind"
        if lag and live and self.step and not parked:
            has += f", {late(self.step, model, checkpoint)} ms"
        return has

    def _event(self, event: Recorded, at: int) -> Box:
        title = f"event {event.position}: {event.id}, version {event.version} of {event.stream}"
        text = f"{event.position} {event.id[0].upper()}" if event.type == "ordered" else f"{event.position} +"
        role = colour_of(self.world, event.stream)
        return Box(
            id=f"event:{event.position}", x=at * (CELL + GAP), y=22, w=CELL, h=24, text=text, role=role, title=title
        )

    def _track(self, name: str, model: str, checkpoint: int, events: tuple[Recorded, ...], y: float) -> list[Mark]:
        """A cell below each event: whether the read model has it."""
        parked = {event.position for event in page_of(self.world).tables[name].parked}
        marks: list[Mark] = []
        for at, event in enumerate(events):
            position, wanted = event.position, not KINDS[model].types or event.type in KINDS[model].types
            how = "parked" if position in parked else "passed" if not wanted else "applied"
            tone, text, words = CHANGES[how if position <= checkpoint or not wanted else "not yet"]
            cell = box(
                f"cell:{name}:{position}",
                text,
                "bad" if how == "parked" else colour_of(self.world, event.stream),
                tone,
                f"{model} {words}: event {position}",
            )
            marks.append(replace_at(cell, at * (CELL + GAP), y))
        return marks


def replace_at(cell: Box, x: float, y: float) -> Box:
    """The cell at its place."""
    return Box(id=cell.id, x=x, y=y, w=CELL, h=16, text=cell.text, role=cell.role, tone=cell.tone, title=cell.title)


def seen(shown: Shown) -> str:
    """An answer in a few words."""
    value = ", ".join(shown.value) if isinstance(shown.value, tuple) else shown.value
    return f"{'nothing' if value is None else value} at {shown.position}" + (", stale" if shown.stale else "")


def colour_of(world: World, stream: str) -> Role:
    """The colour of a stream: by the order in which the streams began."""
    streams = list(dict.fromkeys(event.stream for event in shop_of(world).log.events))
    return f"c{streams.index(stream) % 8 + 1}" if stream in streams else "accent"


def _rows(page: Page, name: str) -> str:
    return ", ".join(f"{key} {row}" for key, row in page.tables[name].rows) or "no rows"


VIEW = CqrsView
