"""The key space as a band: a column for each slot or range, a row for each machine, and how high the load stands."""

from __future__ import annotations

from collections.abc import Sequence

from patterns.engine.world import World
from patterns.sharding.properties import routers, shards
from patterns.sharding.room import Room
from patterns.sharding.router import Router
from patterns.sharding.shard import Shard
from widgets.kit import cut, shown, small
from widgets.scene import Box, Mark, Panel, Role, Tone

WIDE, HIGH, ROOM = 340, 372, 400
LEFT, LINE = 30, 17
ROLES: dict[str, tuple[str, Tone]] = {
    "owner": ("owns", "solid"),
    "copying": ("copies", "solid"),
    "fenced": ("fenced", "dashed"),
    "undoing": ("undoes", "dashed"),
    "importing": ("imports", "soft"),
    "given": ("", "ghost"),
}
"""Role of a shard for a slot -> a word, and how its cell looks."""


def colour_of(names: Sequence[str], name: str) -> Role:
    return f"c{list(names).index(name) % 8 + 1}"


KNOWN = ("owner", "given")  # in other roles, the epoch of a hold is one that is still to come

# Slots while one of them moves


def slots_of(world: World) -> Panel:
    """For each shard what it has of each slot; for each router where it believes each slot to be."""
    every, maps = shards(world), routers(world)
    slots = range(every[0].slots)
    width = (WIDE - LEFT - 4) / len(slots)
    marks: list[Mark] = [
        small(f"slot:{at}", LEFT + width * (at + 0.5), 14, f"slot {at}", "soft", "middle") for at in slots
    ]
    high = (HIGH - 30 - 44 * len(maps)) / len(every)
    for line, shard in enumerate(every):
        top = 22 + line * high
        marks.append(small(f"row:{shard.id}", 6, top + 22, shard.id, "ink", strong=True))
        for at in slots:
            marks += _cell(world, shard, at, LEFT + width * at, top, width - 4, high - 6)
    newest = {at: max(shard.hold(at).epoch - (shard.hold(at).role not in KNOWN) for shard in every) for at in slots}
    for line, router in enumerate(maps):
        top = HIGH - 44 * (len(maps) - line)
        marks.append(small(f"map:{router.id}", 4, top + 22, router.id, "ink", strong=True))
        marks += [_line(router, at, newest[at], every, LEFT + width * at, top, width - 4) for at in slots]
    label = "; ".join([*(f"{s.id} has {_in_words(s)}" for s in every), *(f"{m.id}: {shown(m.map)}" for m in maps)])
    return Panel(id="band", width=WIDE, height=HIGH, marks=tuple(marks), label=label)


def _cell(world: World, shard: Shard, slot: int, x: float, y: float, w: float, h: float) -> list[Mark]:
    hold, who = shard.hold(slot), shard.id
    word, tone = ROLES[hold.role]
    rows = [row for row in shard.rows if row.slot == slot]
    role = "down" if who in world.down else colour_of([s.id for s in shards(world)], who)
    title = f"{who}: {hold}; {', '.join(map(str, rows)) or 'no parcels'}"
    id = f"{who}:{slot}"
    cell = Box(id=f"cell:{id}", x=x, y=y, w=w, h=h, role=role if word else "line", tone="outline", title=title)
    # A head says the role; what the slot holds stands below it.
    head = Box(id=f"head:{id}", x=x, y=y, w=w, h=20, role=role if word else "line", tone=tone, text=word, title=title)
    keys = [
        small(f"row:{who}:{row.key}", x + 5, y + 36 + LINE * at, f"{row.key} {row.parcels}", "ink" if word else "soft")
        for at, row in enumerate(rows[: int((h - 26) // LINE)])
    ]
    since = small(f"since:{id}", x + w - 5, y + h - 6, f"@{hold.epoch}" if word else "", "soft", "end")
    return [cell, head, since, *keys]


def _line(router: Router, slot: int, newest: int, every: Sequence[Shard], x: float, y: float, w: float) -> Box:
    entry = router.entry(slot)
    old = entry.epoch < newest
    title = (
        f"{router.id} believes that {entry.owner} owns slot {slot} since epoch {entry.epoch}{', which is old' * old}"
    )
    role, id = colour_of([shard.id for shard in every], entry.owner), f"entry:{router.id}:{slot}"
    tone: Tone = "dashed" if old else "soft"
    return Box(
        id=id,
        x=x,
        y=y,
        w=w,
        h=34,
        role=role,
        tone=tone,
        text=f"{entry.owner} @{entry.epoch}",
        title=title,
    )


def _in_words(shard: Shard) -> str:
    held = (f"slot {hold.slot}, {ROLES[hold.role][0]}" for hold in shard.holds if hold.role != "given")
    return ", ".join([*held, *map(str, shard.rows)]) or "nothing"


# A room


def loads_of(room: Room) -> Panel:
    """Each shard as a bar, in the order of the key space: its height is its load, its colour its machine."""
    loads, map = room.loads(), room.map
    width, most = (ROOM - 8) / len(loads), max(1.0, *loads)
    marks: list[Mark] = []
    for at, load in enumerate(loads):
        owner, label = map.owners[at], map.label(at)
        high, x, asked = round(8 + 150 * load / most, 1), 4 + width * at, at in room.asked
        title = f"shard {label} on {owner}: {load:g} operations in a second{', asked' * asked}"
        tone: Tone = "solid" if asked or not room.asked else "soft"
        role = colour_of(map.machines, owner)
        bar = Box(id=f"shard:{at}", x=x, y=200 - high, w=max(4, width - 4), h=high, role=role, tone=tone, title=title)
        marks.append(bar)
        if width > 28:
            middle = x + width / 2 - 2
            marks.append(small(f"load:{at}", middle, 194 - high, f"{load:.3g}", "ink", "middle", strong=asked))
            marks.append(small(f"name:{at}", middle, 218, cut(label.rpartition("/")[2], width - 4), "soft", "middle"))
            marks.append(small(f"owner:{at}", middle, 240, owner, role, "middle", strong=True))
    totals = room.machine_loads()
    for at, (name, load) in enumerate(totals.items()):
        y, long = 258 + 26 * at, round(6 + 300 * load / max(1.0, *totals.values()), 1)
        title = f"machine {name}: {load:g} operations in a second"
        role = colour_of(map.machines, name)
        marks.append(small(f"total:{name}", 6, y + 15, f"{name}  {load:.3g}", role, strong=True))
        if load:
            marks.append(Box(id=f"machine:{name}", x=70, y=y, w=long, h=20, role=role, tone="solid", title=title))
    label = "; ".join(f"{name}: {load:g} operations in a second" for name, load in totals.items())
    return Panel(id="band", width=ROOM, height=264 + 26 * len(totals), marks=tuple(marks), label=label)
