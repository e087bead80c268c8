"""The picture of replication: the phones with their logs or versions, how far each is behind, and which quorums meet.

A colour is an epoch. What a phone holds stands in its box; the disc says in a word how far it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.engine.clients import is_done
from patterns.engine.sentences import counted
from patterns.engine.step import Step
from patterns.engine.world import Call, World
from patterns.replication.chain import Forward, Link
from patterns.replication.client import Read, Write
from patterns.replication.configuration import Change, Configuration, View
from patterns.replication.merging import Copy
from patterns.replication.merkle import Leaves, Nodes, Put, Shelf
from patterns.replication.primary import EndOf, Entry, Got, Log, Replica, Ship, Where
from patterns.replication.properties import members, values_of
from patterns.replication.quorum import Keeper, Op
from patterns.replication.versions import Dotted
from widgets.kit import Look, Point, ProcessView, Row, box, legend_of, small, wide
from widgets.kit.storage import columns
from widgets.scene import Arc, Disc, Era, Line, Mark, Panel, Role, Tone

MOST_SAID = 34  # letters of a call that have room
MOST = 5  # entries of a log that have room


def hue(epoch: int) -> Role:
    return f"c{(epoch - 1) % 8 + 1}"


class ReplicationView(ProcessView):
    """What all pictures of this chapter share."""

    title = "Replication"
    quiet = "checks"
    width, height, calls_at = 286, 340, 356
    radius = 30
    ring = 100
    middle = (143, 172)
    shorts = {
        View: "epoch {epoch}",
        Where: "where?",
        EndOf: "to {end}",
        Ship: "{entries:names|check}",
        Forward: "{entries:names|none}",
        Change: "{action} {who}",
        Nodes: "hashes",
        Leaves: "rows",
    }

    @classmethod
    def of(cls, world: World[Any], step: Step[World, Any] | None = None) -> ProcessView:
        view = next(view for kind, view in VIEWS.items() if isinstance(world.processes[0], kind))
        return view(world, step)

    def colour(self, message: Any) -> Role:
        return hue(message.epoch) if hasattr(message, "epoch") else "c1"

    def asked(self, call: Call) -> tuple[str, Role]:
        told = (
            "waits"
            if call.waits
            else "done"
            if isinstance(call.body, Write | Put) and is_done(call)
            else str(call.reply)
        )
        operation = hasattr(call.body, "serial")
        text = f"{call.client}: {call.body} at {call.to}: {told}" if operation else f"{call.client}: {call.body}"
        return (text if len(text) <= MOST_SAID else f"{call.client}: {call.body}: {told}")[
            :MOST_SAID
        ], "ink" if call.waits else "soft"


class LogView(ReplicationView):
    """Logs of a primary and its backups, or of a chain."""

    signs = legend_of(__package__, "log")
    rules_of_quiet = frozenset({"PB.got", "PB.where"})
    key = ((6, "soft", "acknowledged"), (140, "dashed", "not yet"))

    def is_routine(self, message: Any) -> bool:
        return isinstance(message, Got | Where | EndOf) or (isinstance(message, Ship) and not message.entries)

    def seats(self) -> Mapping[str, Point]:
        """The service above; the replicas below, high and low in turn, so that no link passes behind a disc."""
        fridge, *others = self.world.processes[-1:] + self.world.processes[:-1]
        wide = self.width / len(others)
        places = {each.id: (round(wide * (at + 0.5), 1), 206.0 if at % 2 else 276.0) for at, each in enumerate(others)}
        return {fridge.id: (self.width / 2, 62.0), **places}

    def era(self) -> Era | None:
        fridge = self.world.processes[-1]
        label = f"epoch {fridge.epoch}: {', '.join(fridge.members)}"
        gone = sorted(self.gone())
        if gone:
            return Era(key=f"gone {gone}", label=f"{label} · acknowledged and gone: {', '.join(gone)}", role="bad")
        return Era(key=label, label=label, role=hue(fridge.epoch))

    def gone(self) -> set[str]:
        """The writes that clients were told of last and that the first member lacks."""
        done = {c.body.value for c in self.world.calls if is_done(c) and isinstance(c.body, Write)}
        return done - {None} - values_of(self.world[members(self.world)[0]])

    def log(self, process: Any) -> tuple[Log, int]:
        """The log, and how much of it is acknowledged."""
        return (process.hist, process.acked) if isinstance(process, Link) else (process.log, process.watermark)

    def look(self, process: Any) -> Look:
        if isinstance(process, Configuration):
            return Look(
                f"{process.id} says epoch {process.epoch}, {', '.join(process.members)}", sub=f"epoch {process.epoch}"
            )
        first = self.log(self.world[members(self.world)[0]])[0]
        behind = len(first) - len(self.log(process)[0])
        leads = process.serves(Write("", 0)) if process.id not in self.world.down else False
        where = "1st" if leads else "" if process.id in members(self.world) else "out"
        said = f"{behind} behind" if behind > 0 else f"{-behind} more" if behind else "level"
        short = said if behind else ""
        state = "leads, " if leads else "is out, " if where == "out" else ""
        words = f"{process.id} {state}has {counted(len(self.log(process)[0]), 'entry', 'entries')}, {said}"
        return Look(words, "leader" if leads else "ink", where, short, heavy=leads, hue=hue(process.epoch))

    def entries(self, process: Any) -> list[Row]:
        log, acked = self.log(process)
        hidden = max(0, len(log) - MOST)
        return [self.entry(process.id, at, e, at <= acked) for at, e in enumerate(log, 1) if at > hidden]

    def entry(self, who: str, at: int, entry: Entry, acked: bool) -> Row:
        title = (
            f"{who}'s entry {at}: {entry} of epoch {entry.epoch}, {'acknowledged' if acked else 'not acknowledged yet'}"
        )
        return box(f"entry:{who}:{at}", f"{at} {entry}", hue(entry.epoch), "soft" if acked else "dashed", title)

    def disk_rows(self, process: Any) -> list[Row]:
        return self.entries(process) if isinstance(process, Replica) else super().disk_rows(process)

    def memory_rows(self, process: Any) -> list[Row]:
        return self.entries(process) if isinstance(process, Link) else super().memory_rows(process)

    @property
    def rows(self) -> tuple[int, int]:
        return (MOST, 2) if isinstance(self.world.processes[0], Replica) else (2, MOST)

    @property
    def most_columns(self) -> int:
        return 5

    def column_width(self, process: Any) -> float:
        return 276 / (len(self.world.processes) - 1)

    def kept(self) -> Panel:
        """The replicas; what the service has stands in its disc."""
        replicas = self.world.processes[:-1]
        return columns([self.column(process) for process in replicas], self.rows, self.most_columns, self.key)

    def on_disk(self, process: Any) -> Mapping[str, Any]:
        if isinstance(process, Configuration):
            return {"epoch": process.epoch, "set": process.members}
        if isinstance(process, Link):
            return {}
        return {"epoch": process.epoch, "log": process.log, "mark": process.watermark}

    def in_memory(self, process: Any) -> Mapping[str, Any]:
        if isinstance(process, Configuration):
            return {}
        if isinstance(process, Link):
            return {"hist": process.hist, "sent": process.sent, "epoch": process.epoch}
        waits = [wait.client for wait in process.waiting]
        return {"waits": waits, **({"joins": process.joining} if process.joining else {})}


class QuorumView(ReplicationView):
    """Versions and hints; for the last write and the last read, the replicas that they counted."""

    signs = legend_of(__package__, "quorum")

    def last(self, kind: type) -> tuple[Op | None, frozenset[str]]:
        """The newest operation of this kind, and the replicas that it counted."""
        ops = [op for keeper in self.world.processes for op in keeper.ops.values() if isinstance(op.request, kind)]
        op = max(ops, key=lambda op: (op.version.number, op.request.serial, op.client), default=None)
        if op is None:
            return None, frozenset()
        return op, frozenset(op.held.names) if kind is Read else op.stored

    def era(self) -> Era | None:
        (wrote, w), (read, r) = self.last(Write), self.last(Read)
        if wrote is None or read is None or read.phase == "query":
            return None
        both = ", ".join(sorted(w & r))
        label = f"meet in {both}" if both else "do not meet"
        return Era(key=label, label=label, role="good" if both else "bad")

    def look(self, process: Any) -> Look:
        held = process.version.value or "nothing"
        hints = ", ".join(f"hint for {name}" for name in process.hints.names)
        spare = "" if process.id in process.replicas else " stands in and"
        return Look(
            f"{process.id}{spare} holds {held}{', ' * bool(hints)}{hints}",
            sub=process.version.value[:6] or "–",
            caption=hints,
        )

    def timers(self, who: str, role: Role) -> list[Mark]:
        marks, (x, y) = super().timers(who, role), self.at[who]
        for name, (op, those), start, shade in (
            ("w", self.last(Write), 0.55, "c1"),
            ("r", self.last(Read), 0.05, "c2"),
        ):
            if op is not None and who in those:
                title = f"{who} is counted by {op.client}'s *{op.request}*"
                spot: dict[str, Any] = {"x": x, "y": y, "r": self.radius + 5, "wide": 5, "role": shade}
                marks.append(Arc(id=f"{name}:{who}", **spot, start=start, end=start + 0.4, title=title))
        return marks

    def on_disk(self, process: Any) -> Mapping[str, Any]:
        hints = {f"→{name[0]}": version.value or "–" for name, version in process.hints}
        return {f"v{process.version.number}": process.version.value or "–", **hints}

    def in_memory(self, process: Any) -> Mapping[str, Any]:
        open = [(name, op) for name, op in process.ops if op.phase != "answered"]
        return {name: len(op.held) if op.phase == "query" else len(op.stored) for name, op in open}

    @property
    def most_columns(self) -> int:
        return len(self.world.processes)

    def disk_rows(self, process: Any) -> list[Row]:
        hints = [(name, version.value or "–") for name, version in process.hints]
        own = super().disk_rows(process)[:1]
        return [
            *own,
            *(box(f"hint:{process.id}:{a}", f"→ {v}", "soft", "dashed", f"{v}, a hint for {a}") for a, v in hints),
        ]


class MergingView(ReplicationView):
    """The items of each phone, with dots, and the vector of the changes that it has seen."""

    signs = legend_of(__package__, "merging")

    def look(self, process: Any) -> Look:
        shown = ", ".join(process.has.shown) or "nothing"
        many = len(process.has.shown)
        return Look(f"{process.id} shows {shown}", sub=shown if len(shown) < 7 else f"{many} values")

    def on_disk(self, process: Any) -> Mapping[str, Any]:
        has = process.has
        if isinstance(has, Dotted):
            values = {f"{dot[0]} {dot[1]}": value for dot, value in sorted(has.entries)}
        else:
            values = {f"value {at}": value for at, value in enumerate(has.shown, 1)}
        seen = " ".join(f"{name[0]}{name[3:]}:{count}" for name, count in has.seen)
        return {**values, **({"seen": seen} if seen else {})}

    @property
    def rows(self) -> tuple[int, int]:
        return 6, 1


FOUND: Mapping[bool | None, tuple[Role, Tone, str]] = {
    True: ("bad", "solid", "differs"),
    False: ("good", "solid", "is equal"),
}
"""How a node looks, by whether it differs."""
NOT_COMPARED: tuple[Role, Tone, str] = ("soft", "outline", "not compared")


class TreeView(ReplicationView):
    """Two trees of hashes, compared branch by branch, and the rows below."""

    signs = legend_of(__package__, "tree")
    ring = 92

    def panels(self) -> tuple[Panel, ...]:
        return self.network(), self.trees()

    def look(self, process: Any) -> Look:
        return Look(
            f"{process.id} has {len(process.rows)} keys, root {process.tree().root.hex()[:4]}",
            sub=process.tree().root.hex()[:4],
        )

    def in_memory(self, process: Any) -> Mapping[str, Any]:
        return {"differ": [f"level {level} node {place}" for level, place, differs in process.compared if differs]}

    def trees(self) -> Panel:
        marks: list[Mark] = []
        for at, process in enumerate(self.world.processes):
            marks += self.tree(process, 6 + 178 * at)
        x = 10.0
        for role, tone, word in (*FOUND.values(), NOT_COMPARED):
            marks.append(Disc(id=f"key:{word}", x=x, y=367.5, r=5, role=role, tone=tone, title=word))
            marks.append(small(f"keytext:{word}", x + 12, 372, word))
            x += 44 + wide(word)
        said = [f"{p.id}: " + ", ".join(f"{key} {row}" for key, row in p.rows) for p in self.world.processes]
        return Panel(id="trees", width=340, height=380, marks=tuple(marks), label="; ".join(said))

    def tree(self, process: Shelf, top: float) -> list[Mark]:
        """The tree from the root down, and the keys with their versions in words."""
        levels, who = process.tree().levels, process.id
        found = {(level, place): differs for level, place, differs in process.compared}
        spots = {
            (level, place): (340 * (place + 0.5) / len(hashes), top + 26 + 24 * level)
            for level, hashes in enumerate(levels)
            for place in range(len(hashes))
        }
        marks: list[Mark] = [
            small(f"tree:{who}", 6, top + 14, f"{who}'s tree", "ink", strong=True, of=f"process:{who}")
        ]
        for (level, place), (x, y) in spots.items():
            if level:
                x2, y2 = spots[level - 1, place // 2]
                marks.append(Line(id=f"branch:{who}:{level}:{place}", x=x2, y=y2, x2=x, y2=y, role="line"))
        for (level, place), (x, y) in spots.items():
            role, tone, said = FOUND.get(found.get((level, place)), NOT_COMPARED)
            title = f"{who}, level {level}, node {place}: {levels[level][place].hex()[:8]}, {said}"
            marks.append(Disc(id=f"node:{who}:{level}:{place}", x=x, y=y, r=8, role=role, tone=tone, title=title))
        words = [f"{key} {row.value or '†'}" for key, row in process.rows]
        words += [f"→ {key} {row.value}" for key, row in process.hints]
        half = -(-len(words) // 2)
        for at, line in enumerate((words[:half], words[half:])):
            marks.append(small(f"rows:{who}:{at}", 6, top + 44 + 24 * len(levels) + 17 * at, " · ".join(line)))
        return marks


VIEWS: Mapping[type, type[ReplicationView]] = {
    Replica: LogView,
    Link: LogView,
    Keeper: QuorumView,
    Copy: MergingView,
    Shelf: TreeView,
}
VIEW = ReplicationView
