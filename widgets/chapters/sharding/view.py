"""The pictures of sharding: slots on shards while one moves, shards as load, the legs of a question, sign-ups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.engine.step import Step
from patterns.engine.world import Call, World
from patterns.sharding.gather import Gatherer, Holder, Leg
from patterns.sharding.index import Directory
from patterns.sharding.messages import AskThere, Look, Moved, Refused, Served, Ship, Shipped, Try, TryAgain
from patterns.sharding.room import Room
from patterns.sharding.router import Router
from patterns.sharding.shard import Shard
from widgets.kit import Look as Disc
from widgets.kit import Point, ProcessView, legend_of, row, small
from widgets.scene import Box, Era, Fact, Mark, Panel, Role, Scene, Tone

from .band import HIGH, LEFT, colour_of, loads_of, slots_of

MOVES = {"copying": "copies", "fenced": "fenced", "undoing": "undoes", "importing": "imports"}


class MoveView(ProcessView):
    """Routers above, shards below; beside them the slots."""

    shorts = {
        Moved: "MOVED {to}",
        AskThere: "ASK {to}",
        Served: "= {result}",
        TryAgain: "TRYAGAIN",
        Refused: "not {serial} again",
        Look: "look",
        Ship: "piece {nth}",
        Shipped: "has {nth}",
    }

    def seats(self) -> Mapping[str, Point]:
        """Routers in the upper row, shards in the lower one."""
        upper = [each.id for each in self.world.processes if isinstance(each, Router | Gatherer)]
        lower = [each.id for each in self.world.processes if each.id not in upper]
        return {**row(upper, 60, 10, self.width - 10), **row(lower, 225, 10, self.width - 10)}

    def panels(self) -> tuple[Panel, ...]:
        return self.network(), slots_of(self.world)

    def colour(self, message: Any) -> Role:
        return "c5" if isinstance(message, Try) else "c6" if isinstance(message, Served) else "ink"

    def short(self, message: Any) -> str:
        return super().short(message.order) if isinstance(message, Try) else super().short(message)

    def asked(self, call: Call) -> tuple[str, Role]:
        done = "" if call.waits else f", {call.reply}"
        return f"{call.client}: {call.body}{done}", "soft" if done else "ink"

    def on_disk(self, process: Any) -> Mapping[str, Any]:
        """Each slot is a fact of its own: the step says what changed, and not all that stayed."""
        kept = dict(super().on_disk(process))
        slots = kept.pop("holds" if isinstance(process, Shard) else "map", ())
        return {**{f"slot {each.slot}": _without_slot(each) for each in slots}, **kept}

    def in_memory(self, process: Any) -> Mapping[str, Any]:
        if isinstance(process, Router):
            return {"asks": [f"{each.to}: {each.order}" for each in process.pending.values()]}
        if not isinstance(process, Shard):
            return super().in_memory(process)
        return {"runs": [f"{who}: {each.order}" for who, each in process.running], "ships": process.streams.names}

    def look(self, process: Any) -> Disc:
        who = process.id
        if isinstance(process, Router):
            waits = ", ".join(process.pending.names)
            return Disc(f"{who} waits for the answer to {waits}" if waits else f"{who} has no request", sub=waits)
        assert isinstance(process, Shard)
        moves = [f"{MOVES[hold.role]} {hold.slot}" for hold in process.holds if hold.role in MOVES]
        runs = ", ".join(process.running.names)
        words = "; ".join(filter(None, [*moves, f"works for {runs}" if runs else ""])) or "serves its slots"
        role = colour_of([each.id for each in self.world.processes if isinstance(each, Shard)], who)
        return Disc(f"{who} {words.replace(';', ' and')}", role, runs, moves[0] if moves else "", tone="soft")

    def era(self) -> Era | None:
        """The phase of the move, by its source."""
        for shard in self.world.processes:
            for hold in shard.holds if isinstance(shard, Shard) else ():
                if hold.role in ("copying", "fenced", "undoing"):
                    return Era(key=f"{hold.role}{hold.epoch}", label=f"{MOVES[hold.role]} slot {hold.slot}", role="c3")
        return Era(key="still", label="no move", tone="soft")


def _without_slot(entry: Any) -> str:
    """A hold or an entry of a map in words, but for the slot that it is about."""
    return str(entry).removeprefix("slot ").removeprefix(f"{entry.slot} ")


class GatherView(MoveView):
    """The router above its shards; beside them how long each leg takes, the one that is waited for lit."""

    def panels(self) -> tuple[Panel, ...]:
        return self.network(), self.legs()

    def colour(self, message: Any) -> Role:
        return "c5" if isinstance(message, Leg) else "c6"

    def look(self, process: Any) -> Disc:
        if isinstance(process, Gatherer):
            waits = len(process.open)
            return Disc(f"{process.id} waits for parts" if waits else f"{process.id} has no question")
        work = ", ".join(process.waiting.names)
        return Disc(f"{process.id} looks for {work}" if work else f"{process.id} rests", sub="works" if work else "")

    def era(self) -> Era | None:
        open = any(isinstance(each, Gatherer) and each.open for each in self.world.processes)
        return Era(key="open", label="waits for all legs", role="c3") if open else Era(key="still", label="no question")

    def asked(self, call: Call) -> tuple[str, Role]:
        return f"{call.client} asks for a {call.body}", "ink" if call.waits else "soft"

    def legs(self) -> Panel:
        gatherer = next(each for each in self.world.processes if isinstance(each, Gatherer))
        call = self.world.call("Ann")
        open = gatherer.open.get("Ann")
        late = gatherer.late(open) if open else call.reply.missing if call and call.reply else ()
        ms = 0 if call is None else (self.world.clock if call.waits else call.replied) - call.asked
        last = next((n.values["shard"] for n in (self.step.notes if self.step else ()) if n.rule == "G.all"), "")
        marks: list[Mark] = []
        for at, (name, copy) in enumerate(gatherer.copies):
            waits, y = name in late, 40 + 62 * at
            words = f"no part for {ms} ms" if waits else "the last part" if name == last else "part is in"
            role = "bad" if waits else "accent" if name == last else "ink"
            tone: Tone = "dashed" if waits else "solid" if name == last else "soft"
            if call is None:
                words, role, tone = "not asked", "soft", "outline"
            title = f"leg {name}: {words}; its copy is at {copy}"
            wide = 200 if waits or name == last else 110
            marks.append(small(f"leg:{name}", 6, y + 20, name, "ink", strong=True))
            box = Box(id=f"bar:{name}", x=LEFT, y=y, w=wide, h=30, role=role, tone=tone, text=words, title=title)
            marks.append(box)
        answer = "" if call is None else "waits" if call.waits else str(call.reply)
        marks.append(small("answer", 6, 260, answer, "ink", strong=True))
        rows = {each.id: dict(each.held)[each.id] for each in self.world.processes if isinstance(each, Holder)}
        for at, (name, held) in enumerate(rows.items()):
            text = ", ".join(f"{parcel.key} {parcel.parcels}" for parcel in held)
            marks.append(small(f"held:{name}", 6, 296 + 22 * at, f"{name}: {text}", "soft"))
        label = f"legs without a part: {', '.join(late) or 'none'}; {answer or 'no question'}"
        return Panel(id="legs", width=300, height=HIGH, marks=tuple(marks), label=label)


class ShardingView:
    """Chooses the picture for the machine."""

    title = "Sharding"
    signs = legend_of(__package__, title)

    @classmethod
    def scene_of(cls, step: Step[Any, Any]) -> Scene:
        state = step.state
        if isinstance(state, World):
            return view_of(state).scene_of(step)
        if isinstance(state, Room):
            moved = f"{len(state.moved)} keys moved" if state.moved else ""
            era = Era(key=f"{len(state.map.machines)}", label=f"{len(state.map.machines)} machines", tone="soft")
            return Scene(panels=(loads_of(state),), clock=moved, era=era)
        return Scene(panels=(sign_ups(state),), clock=f"shard {state.asked[0]}" if state.asked else "")

    @staticmethod
    def facts_of(state: Any) -> tuple[Fact, ...]:
        if isinstance(state, World):
            return view_of(state).facts_of(state)
        if isinstance(state, Room):
            return tuple(Fact(name, "load", f"{load:g}") for name, load in state.machine_loads().items())
        tables = {"claims": state.claims, "rows": state.rows, "index": state.index}
        return tuple(Fact(name, who, mail, "disk") for name, table in tables.items() for who, mail in table)

    @staticmethod
    def sends_of(step: Step[Any, Any]) -> tuple[Fact, ...]:
        return view_of(step.state).sends_of(step) if isinstance(step.state, World) else ()

    @staticmethod
    def costs_of(step: Step[Any, Any]) -> dict[str, int]:
        if isinstance(step.state, World):
            return view_of(step.state).costs_of(step)
        asked = {"shards asked": len(step.state.asked)} if step.state.asked else {}
        return {**asked, **({"keys moved": len(step.state.moved)} if getattr(step.state, "moved", ()) else {})}


def view_of(world: World) -> type[ProcessView]:
    return GatherView if any(isinstance(each, Gatherer) for each in world.processes) else MoveView


def sign_ups(state: Directory) -> Panel:
    """The claims, the rows and the index."""
    marks: list[Mark] = []
    for at, (name, table) in enumerate({"claims": state.claims, "rows": state.rows, "index": state.index}.items()):
        x = 6 + 152 * at
        marks.append(small(f"table:{name}", x, 20, name, "ink", strong=True))
        for line, (who, mail) in enumerate(table):
            tone: Tone = "solid" if name == "rows" else "soft"
            title = f"{name}: {who} has {mail}"
            text = f"{who} {mail}"
            marks.append(
                Box(
                    id=f"{name}:{who}", x=x, y=34 + 34 * line, w=146, h=28, role="c1", tone=tone, text=text, title=title
                )
            )
    label = "; ".join(f"{who} has {mail}" for who, mail in state.rows) or "no customer has a row"
    return Panel(id="tables", width=470, height=130, marks=tuple(marks), label=label)


VIEW = ShardingView
