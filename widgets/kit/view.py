"""One view of processes, from which the views of all chapters with messages follow, and the picture of any other.

A process without a view of its own is drawn by this one, from what the process declares: fields, timers, messages. A
chapter fills a few hooks: `look`, `colour`, `short`, `era`, `on_disk`, `in_memory`, ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from msgspec.structs import asdict, replace

from patterns.engine.sentences import page_of, sentence_of
from patterns.engine.step import Step
from patterns.engine.trace import lost, received, sent, written
from patterns.engine.values import Value, words_of
from patterns.engine.world import Call, Crash, Cut, Delay, Drop, Duplicate, Fire, Pause, Timer, World
from widgets.scene import Arc, Box, Disc, Era, Fact, Label, Mark, Panel, Role, Scene, Tone
from widgets.spacetime import moment_of

from .boxes import Row, box, cut, fitting, in_memory, on_disk, shown, small, wide
from .faults import told
from .network import Ends, Point, between, circle, cuts, messages, running, timer_in_words
from .storage import WIDE, Column, Key, columns, side_by_side

FAULTS = (Crash, Cut, Pause, Drop, Duplicate, Delay)
SMALLEST = 10  # pixels of the radius of a disc that has no room for a name
MOST_LETTERS = 16  # of a message that has no short form
CALL, MORE = 18, 84  # pixels between the lines of two calls; of the words that count the calls that have no line


def legend_of(package: str, name: str, page: str = "legend.toml") -> Mapping[str, str]:
    """The signs of a picture and their meanings, from its table on the page in a chapter's package.

    A page in another language has the same signs.
    """
    legend: Mapping[str, str] = page_of(package, page)[name]
    return legend


class Look(NamedTuple):
    """How a process is drawn, and the same in a sentence."""

    words: str
    role: Role = "ink"
    sub: str = ""
    """The smaller line in the disc. Of a crashed process: what of it is on disk."""
    caption: str = ""
    """A sign, and a word or two."""
    tone: Tone = "outline"
    heavy: bool = False
    """It leads."""
    timers: Role = "soft"
    hue: Role = ""
    """Its term or transaction."""


class ProcessView:
    """The picture of one world, after the step that led there.

    `scene_of`, `facts_of`, `sends_of`, `costs_of` are what a player asks for; all other methods are hooks.
    """

    title: ClassVar[str] = ""
    """The name of the machine, if empty."""
    signs: ClassVar[Mapping[str, str]] = {
        "colour of a message": "its kind",
        "arc round a process": "a timer that runs out",
        "✕": "crashed: its memory is gone, its disk is not",
    }
    quiet: ClassVar[str] = "heartbeats"
    """What the quiet steps are."""
    shorts: ClassVar[Mapping[type, str]] = {}
    """Messages in a word or two: `{Voted: "{vote}"}`. Without an entry: the message's own words."""
    glyphs: ClassVar[Mapping[str, tuple[type, ...]]] = {}
    """The sign of a message -> the messages that have it: `{"?": (Prepare, Inquiry), "{uid}": (Candidacy,)}`."""
    answers: ClassVar[tuple[type, ...]] = ()
    """The messages that answer another one."""
    timers_of_quiet: ClassVar[frozenset[str]] = frozenset()
    """Timers whose steps are quiet."""
    rules_of_quiet: ClassVar[frozenset[str] | None] = None
    """A step is quiet only if no other rule fired. None: any rule may fire."""
    width: ClassVar[float] = 270
    height: ClassVar[float] = 340
    middle: ClassVar[Point] = (135, 158)
    ring: ClassVar[float] = 98
    """The circle on which the processes sit."""
    calls_at: ClassVar[float] = 314
    most_calls: ClassVar[int] = 2

    unchanged: ClassVar[tuple[Role, Tone]] = ("ink", "row")
    """How the boxes of fields look. What a step changed is found, and marked, by the player."""

    def __init__(self, world: World, step: Step[World, Any] | None = None) -> None:
        self.world, self.step = world, step

    @classmethod
    def of(cls, world: World, step: Step[World, Any] | None = None) -> ProcessView:
        """The view of this world. A chapter that has several pictures chooses here."""
        return cls(world, step)

    # What a player asks for

    @classmethod
    def scene_of(cls, step: Step[World, Any]) -> Scene:
        view = cls.of(step.state, step)
        return Scene(
            panels=view.panels(),
            clock=f"{step.state.clock:,} ms",
            moment=moment_of(step, view.moment_role(step)),
            era=view.era(),
            lanes=step.state.names,
            quiet=view.is_quiet(step),
            fault=is_fault(step),
        )

    @classmethod
    def facts_of(cls, world: World) -> tuple[Fact, ...]:
        view = cls.of(world)
        return tuple(fact for process in world.processes for fact in view.facts(process))

    @classmethod
    def sends_of(cls, step: Step[World, Any]) -> tuple[Fact, ...]:
        """The messages sent in the step, one line for each message and all its receivers."""
        lines: dict[tuple[str, str], list[str]] = {}
        for packet in sent(step) if step.parent else ():
            lines.setdefault((packet.sender, str(packet.body)), []).append(packet.to)
        return tuple(Fact(who, "sends", f"{body} → {', '.join(to)}", "in flight") for (who, body), to in lines.items())

    @classmethod
    def told_of(cls, step: Step[World, Any]) -> tuple[str, ...]:
        """What a fault did, in sentences: what was lost, what is kept."""
        return told(cls.of, step)

    @classmethod
    def costs_of(cls, step: Step[World, Any]) -> dict[str, int]:
        """Messages sent and forced writes to disk."""
        return {"messages": len(sent(step)), "disk writes": int(bool(written(step)))}

    # The whole: what a chapter may change

    def panels(self) -> tuple[Panel, ...]:
        return self.network(), self.kept()

    def era(self) -> Era | None:
        """The stretch of the run that this step belongs to."""
        return None

    def moment_role(self, step: Step[World, Any]) -> Role:
        """The colour of the step in the space-time diagram."""
        packet = received(step)
        return self.colour(packet.body) if packet else "ink"

    def is_quiet(self, step: Step[World, Any]) -> bool:
        """Whether the step can be hidden without losing the story."""
        packet, event = received(step), step.event
        routine = isinstance(event, Fire) and event.timer in self.timers_of_quiet
        if packet:
            routine = self.is_routine(packet.body)
        rules = self.rules_of_quiet
        return routine and (rules is None or all(note.rule in rules for note in step.notes))

    def is_routine(self, message: Any) -> bool:
        """Whether the arrival of this message is no part of the story."""
        return False

    # Messages

    def colour(self, message: Any) -> Role:
        kinds = dict.fromkeys(kind for process in self.world.processes for kind in type(process)._messages)
        return f"c{[*kinds].index(type(message)) % 8 + 1}" if type(message) in kinds else "accent"

    def short(self, message: Any) -> str:
        """A message in a word or two; empty if it is not worth a word."""
        if type(message) in self.shorts:
            return sentence_of(self.shorts[type(message)], asdict(message))
        kind: Any = type(message)
        if words_of(kind) or kind.__str__ is not Value.__str__:
            words = str(message).replace("**", "")
        else:
            values = [shown(getattr(message, field)) for field in message.__struct_fields__]
            words = " ".join([type(message).__name__.lower(), *values])
        return words if len(words) <= MOST_LETTERS else f"{words[: MOST_LETTERS - 1]}…"

    def token(self, message: Any) -> tuple[str, bool]:
        """The sign of a message: one or two letters, or a word that has a glyph (`yes no commit append beat ask`);
        and whether it is an answer."""
        sign = next((sign for sign, kinds in self.glyphs.items() if isinstance(message, kinds)), "")
        return sentence_of(sign, asdict(message)), isinstance(message, self.answers)

    def asked(self, call: Call) -> tuple[str, Role]:
        """A client's call in words, and their colour."""
        got = "no answer yet" if call.waits else shown(call.reply)
        return f"{call.client} → {call.to}: {call.body}, {got}", "ink" if call.waits else "soft"

    # Processes

    def seats(self) -> Mapping[str, Point]:
        return circle(self.world.names, self.middle, self.ring)

    @property
    def radius(self) -> int:
        """A disc's."""
        return 30 if len(self.world.processes) <= 6 else 24

    @property
    def captions(self) -> bool:
        """Whether a caption stands beside each process."""
        return True

    @cached_property
    def at(self) -> Mapping[str, Point]:
        """The seats, worked out once."""
        return self.seats()

    @cached_property
    def looks(self) -> Mapping[str, Look]:
        """How each process is drawn, worked out once."""
        return {process.id: self.drawn_as(process) for process in self.world.processes}

    def ends(self, a: str, b: str) -> Ends:
        """Where the link between two processes leaves the first and reaches the second."""
        return between(self.at[a], self.at[b], self.radius + 4)

    def look(self, process: Any) -> Look:
        """How a process is drawn while it is up; `drawn_as` adds what a crash and a pause make of it."""
        return Look(f"{process.id} is up")

    def whole(self, timer: Timer) -> int:
        """The ms that a whole circle stands for; 0 if the timer is not shown."""
        return timer.due - timer.set

    def before(self, process: Any) -> Any | None:
        """The process as it was before this step."""
        return self.step.parent.state[process.id] if self.step and self.step.parent else None

    # What is kept: facts in words, and boxes

    def on_disk(self, process: Any) -> Mapping[str, Any]:
        """Name -> value of each field on a process's disk."""
        return on_disk(process)

    def in_memory(self, process: Any) -> Mapping[str, Any]:
        """Name -> value of each field in a process's memory."""
        return in_memory(process)

    def facts(self, process: Any) -> Iterator[Fact]:
        who = process.id
        for name, value in self.on_disk(process).items():
            yield Fact(who, name, shown(value), "disk")
        if who in self.world.down:
            yield Fact(who, "memory", "crashed", "memory")
            return
        for name, value in self.in_memory(process).items():
            yield Fact(who, name, shown(value), "memory")

    def disk_rows(self, process: Any) -> list[Row]:
        """A process's disk, as boxes."""
        return self._rows(process, "disk", self.on_disk)

    def memory_rows(self, process: Any) -> list[Row]:
        """A process's memory, as boxes; not asked while it is down."""
        return self._rows(process, "memory", self.in_memory)

    def _rows(self, process: Any, where: str, fields: Any) -> list[Row]:
        before = self.before(process)
        was = {} if before is None else fields(before)
        rows: list[Row] = []
        for name, value in fields(process).items():
            changed = name in was and was[name] != value
            title = f"{process.id}: {name} is {shown(value)}" + (f", it was {shown(was[name])}" if changed else "")
            role, tone = self.unchanged
            rows += self.field(process, box(f"{where}:{process.id}:{name}", "", role, tone, title), name, shown(value))
        return rows

    def field(self, process: Any, empty: Box, name: str, value: str) -> list[Row]:
        """A field as rows: its box, with a name and a value written into it."""
        return [replace(empty, text=fitting(name, value, self.room(process)))]

    def room(self, process: Any) -> float:
        """Pixels that a row has for its words."""
        return self.column_width(process) - 16

    # The panel of disks and memories

    key: ClassVar[Key] = ()
    """How boxes look, and what that means."""

    def kept(self) -> Panel:
        """What each process has on disk and in memory."""
        shown = [self.column(process) for process in self.world.processes]
        return columns(shown, self.rows, self.most_columns, self.key)

    @property
    def most_columns(self) -> int:
        """How many columns stand side by side: up to three, in two lines if there is room."""
        return side_by_side(len(self.world.processes), self.rows)

    @property
    def rows(self) -> tuple[int, int]:
        """How many boxes have room on each disk and in each memory."""
        world = self.world
        return (
            max(1, *(len(self.on_disk(process)) for process in world.processes)),
            max(1, *(len(self.in_memory(process)) for process in world.processes)),
        )

    def column(self, process: Any) -> Column:
        down = process.id in self.world.down
        memory = [] if down else self.memory_rows(process)
        width = self.column_width(process)
        return Column(process.id, self.heading(process), width, self.disk_rows(process), memory, down)

    def heading(self, process: Any) -> Box:
        """The name above a column."""
        look = self.looks[process.id]
        role = look.role if look.role == "down" else look.hue or "ink"
        return box(f"name:{process.id}", process.id, role, "row", look.words)

    def column_width(self, process: Any) -> float:
        return WIDE / self.most_columns

    # The panel of processes and messages

    def network(self) -> Panel:
        """The processes, and the messages on their way."""
        world = self.world
        marks = [*self.background(), *cuts(world, self.ends, self.at)]
        for process in world.processes:
            marks += self.process(process)
        marks += messages(world, self.ends, self.colour, self.short, self.token)
        marks += (calls := self.calls())
        high = max([self.height, *(label.y + 4 for label in calls)])
        return Panel(id="processes", width=self.width, height=high, marks=tuple(marks), label=self.in_words())

    def calls(self) -> list[Label]:
        """Clients' calls, a line for each; where there are too many, those that wait and the latest, and a number."""
        calls, most = self.world.calls, self.most_calls
        shown = sorted(calls, key=lambda call: (call.waits, call.asked))[-most:] if most else []
        hidden = [self.asked(call)[0] for call in calls if call not in shown] if most else []
        labels: list[Label] = []
        for call in (call for call in calls if call in shown):
            y, last = self.calls_at + CALL * len(labels), len(labels) == len(shown) - 1
            room = self.width - 12 - (MORE if hidden and last else 0)
            text, role = self.asked(call)
            head, _, _ = text.rpartition(":")  # a long answer is said up to its colon, and whole in the title
            fits = wide(text) <= room or not head.partition(":")[2]
            words = cut(text if fits else head, room)
            labels.append(small(f"client:{call.client}", 6, y, words, role, title=text))
        if hidden:
            words, y = f"and {len(hidden)} more", labels[-1].y
            labels.append(small("clients:more", self.width - 6, y, words, anchor="end", title="; ".join(hidden)))
        return labels

    def background(self) -> Sequence[Mark]:
        """What lies under the processes: the links of a ring."""
        return ()

    def in_words(self) -> str:
        """The panel as a sentence."""
        return "; ".join(look.words for look in self.looks.values())

    def drawn_as(self, process: Any) -> Look:
        """`look`, and what a crash or a pause makes of it."""
        look, who = self.look(process), process.id
        if who in self.world.down:
            words = f"{who} has crashed" + (f", on its disk: {look.sub}" if look.sub else "")
            return Look(words, "down", look.sub, "crashed")
        if who in self.world.paused:
            return look._replace(words=f"{look.words}, paused", caption=f"❚❚ {look.caption or 'paused'}")
        return look

    def process(self, process: Any) -> list[Mark]:
        """A process and its timers."""
        who, look, (x, y) = process.id, self.looks[process.id], self.at[process.id]
        still = who in self.world.down or who in self.world.paused
        name, sub = self.named(who) if not look.sub else (who, look.sub)
        disc = Disc(
            id=f"process:{who}",
            x=x,
            y=y,
            r=self.radius,
            text=name if self.radius > SMALLEST else "",
            sub=sub,
            caption=look.caption if self.captions else "",
            above=y < self.middle[1] - self.ring / 2,
            role=look.role,
            hue=look.hue,
            tone="dashed" if still else look.tone,
            heavy=look.heavy,
            title=look.words,
        )
        return [*self.timers(who, look.timers), disc]

    def named(self, who: str) -> tuple[str, str]:
        """The name in the disc, and the line below it. A line that has no room in the disc stands beside it."""
        first, _, rest = who.partition(" ")
        if wide(who) <= 1.7 * self.radius:
            return who, ""
        if rest and wide(first) <= 2.1 * self.radius:
            return first, rest
        return (who, "") if wide(who) <= 2.1 * self.radius else ("", who)

    def timers(self, who: str, role: Role) -> list[Mark]:
        """The running timers of a process as arcs that run out, one outside the other."""
        x, y = self.at[who]
        arcs: list[Mark] = []
        for timer, left in running(self.world, who):
            if whole := self.whole(timer):
                part, r = round(min(1.0, left / whole), 3), self.radius + 7 + 5 * len(arcs)
                id, title = f"timer:{who}:{timer.name}", timer_in_words(timer, left)
                arcs.append(Arc(id=id, x=x, y=y, r=r, start=0, end=part, role=role, tone="soft", title=title))
        return arcs


def is_fault(step: Step[World, Any]) -> bool:
    """Whether something went wrong in this step. A message lost because its receiver was down or cut off is no new
    fault."""
    packet = lost(step)
    if packet is not None and step.parent is not None:
        before = step.parent.state
        return packet.to not in before.down and (packet.sender, packet.to) not in before.cuts
    return isinstance(step.event, FAULTS)
