"""The load: the keys of each node, how many are cached, and below it what the step cost beside what it had to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

from patterns.consistent_hashing.state import Tier
from widgets.scene import Box, Label, Line, Mark, Panel, Tone

from .captions import about, against, count, settled, short, walk_shown
from .cast import FEW_NODES, Cast

WIDTH, HEIGHT = 178.0, 384.0
TOP, BOTTOM = 24.0, 262.0  # of the rows
ASIDE = 87.0  # right of the bars: `249 · owner`
BELOW = 292.0  # where the comparison begins
Row = tuple[str, str, Tone, float]  # a bar: its name, its colour, how it is drawn, its value
PLACES = ("owner", "2nd", "3rd", "4th", "5th")  # in a preference list


class Rows(NamedTuple):
    """Where the rows of a bar chart stand, and how long a bar of one key is."""

    left: float
    pitch: float
    scale: float

    def x(self, keys: float) -> float:
        return round(self.left + keys * self.scale, 2)

    def y(self, row: int) -> float:
        return round(TOP + row * self.pitch, 2)


def load(state: Tier, cast: Cast) -> Panel:
    """The load of every node, or how many nodes have which load where there are many."""
    loads = state.loads()
    many = members(state, loads)
    few, mean = many <= FEW_NODES, about(sum(loads.values()) / many)
    marks = (*(_rows(state, cast, loads) if few else _histogram(loads)), *_comparison(state, loads))
    if few:
        title = "Keys; filled: cached"
        told = ", ".join(f"{name} {keys:,}" for name, keys in loads.items())
        label = f"Keys of each node: {told}; the mean is {mean}."
    else:
        (most, high), (least, low) = extremes(loads)
        title, told = "Nodes by keys", f"fullest is {most} with {high:,}, the emptiest {least} with {low:,}"
        label = f"Keys of each node, of {len(loads):,} nodes: the {told}; the mean is {mean}."
    return Panel(id="load", width=WIDTH, height=HEIGHT, marks=marks, title=title, label=label)


def members(state: Tier, loads: Mapping[str, int]) -> int:
    """How many nodes share the keys in the end: a node that joins is one of them, and owns none yet."""
    return len({*loads, *([state.newcomer] if state.joining else [])})


def extremes(loads: Mapping[str, int]) -> tuple[tuple[str, int], tuple[str, int]]:
    """The fullest node and the emptiest, each with its keys."""
    most, least = max(loads, key=loads.__getitem__), min(loads, key=loads.__getitem__)
    return (most, loads[most]), (least, loads[least])


# one row for each node


def _rows(state: Tier, cast: Cast, loads: Mapping[str, int]) -> Iterator[Mark]:
    weights = {node.name: node.weight for node in state.router.nodes}
    if state.joining:  # it is to have its whole weight in the end
        weights[state.newcomer] = state.joining.node.weight
    names = sorted(weights) if state.joining else list(weights)
    text = {name: name if len(name) <= 7 else cast.tags[name] for name in names}  # a long name is in the title
    text |= {name: f"{text[name]} ×{weights[name]:g}" for name in names if weights[name] != 1}
    fair = {name: len(state.keys) * weights[name] / sum(weights.values()) for name in names}
    left = 10 + 8.0 * max(map(len, text.values()))
    longest = max(1.0, *loads.values(), *fair.values())
    rows = Rows(left, min(32.0, (BOTTOM - TOP) / len(names)), (WIDTH - ASIDE - 8 - left) / longest)
    cold = Counter(state.owner(key) for key in state.cold())
    for row, name in enumerate(names):
        y, named = rows.y(row), partial(Label, id=f"name:{name}", of=f"node:{name}", role=cast.roles[name])
        yield named(x=4, y=y + rows.pitch / 2 + 4.5, strong=True, text=text[name], title=name)
        yield from _bar(state, cast, name, y, rows, loads.get(name), cold[name])
    yield from _means(fair, rows)


def _bar(state: Tier, cast: Cast, name: str, top: float, rows: Rows, keys: int | None, cold: int) -> Iterator[Mark]:
    whole, high, beside = f"node:{name}", min(20.0, rows.pitch - 4), WIDTH - ASIDE
    y = round(top + (rows.pitch - high) / 2, 2)
    bar = partial(Box, role=cast.roles[name], x=rows.left, y=y, h=high)
    if keys is None:
        title, text = f"{name} is joining and owns no key yet", "joins"
        yield bar(id=whole, tone="dashed", w=beside - 8 - rows.left, title=title)
    else:
        title, text = f"{name}: {count(keys, 'key')}, {keys - cold:,} of them cached", f"{keys:,}{_job(state, name)}"
        yield bar(id=whole, w=round(max(2.0, keys * rows.scale), 2), title=title)
        if warm := (keys - cold) * rows.scale:
            yield bar(id=f"warm:{name}", of=whole, tone="solid", w=round(warm, 2), title=title)
    strong = not text.isdecimal()
    yield Label(id=f"load:{name}", x=beside, y=y + high / 2 + 4.5, text=text, strong=strong, title=title)


def _job(state: Tier, name: str) -> str:
    """What the node is to the key that this step is about."""
    walk, last = walk_shown(state), state.last
    if walk:
        place = walk.chosen.index(name) if name in walk.chosen else -1
        return f" · {PLACES[place]}" if 0 <= place < len(PLACES) else ""
    if name == last.node and last.kind == "read":
        return " · hit" if last.hits else " · miss"
    return " · owner" if name == last.node and last.kind == "look" else ""


def _means(fair: Mapping[str, float], rows: Rows) -> Iterator[Mark]:
    """The fair part of the keys, by weight: one line where it is the same for all, else a line a row."""
    low, high = min(fair.values()), max(fair.values())
    if not high:
        return
    dashed = partial(Line, role="ink", tone="dashed")
    words = partial(Label, id="mean-is", y=TOP - 8, size="small", role="soft")
    if high - low < 1e-9:
        x, text = rows.x(low), f"mean {about(low)}"
        yield dashed(id="mean", x=x, y=TOP - 4, x2=x, y2=rows.y(len(fair)), title=text)
        yield words(x=x, anchor="middle", text=text)
        return
    yield words(x=WIDTH - 4, anchor="end", text="dashed: fair by weight")
    for row, (name, keys) in enumerate(fair.items()):
        title, x, y = f"fair for {name}: {about(keys)} keys", rows.x(keys), rows.y(row)
        yield dashed(id=f"fair:{name}", x=x, y=y, x2=x, y2=y + rows.pitch, wide=2, title=title)


# many nodes


def _histogram(loads: Mapping[str, int]) -> Iterator[Mark]:
    """How many nodes have a load in each of some ranges, and the extremes by name."""
    fullest, emptiest = extremes(loads)
    width = _round_width(emptiest[1], fullest[1])
    bins = Counter(keys // width for keys in loads.values())
    named = {at: _range(at * width, width) for at in range(min(bins), max(bins) + 1)}
    left, most = 10 + 7.0 * max(map(len, named.values())), max(bins.values())
    rows = Rows(left, (BOTTOM - TOP - 28) / 9, (WIDTH - left - 34) / most)
    for row, (at, name) in enumerate(named.items()):
        y, x = rows.y(row) - 10, rows.x(bins[at])
        title, small = f"{count(bins[at], 'node')} with {name} keys", partial(Label, y=y + 14.5, size="small")
        yield small(id=f"range:{name}", x=left - 6, anchor="end", text=name)
        yield Box(id=f"bin:{name}", role="c1", tone="soft", x=left, y=y + 2, w=max(1.0, x - left), h=16, title=title)
        yield small(id=f"in:{name}", x=x + 6, text=f"{bins[at]:,}", title=title)
    mean = sum(loads.values()) / len(loads)
    for line, (word, (name, keys)) in enumerate((("fullest", fullest), ("emptiest", emptiest))):
        times = f", {keys / mean:.2f}×" if mean else ""
        text, title = f"{word} {short(name, 7)}: {keys:,}{times}", f"{name}: {count(keys, 'key')}{times} the mean"
        yield Label(id=word, x=4, y=BOTTOM - 14 + 18 * line, size="small", text=text, title=title)


def _round_width(low: int, high: int) -> int:
    """A round width of which at most nine ranges cover `low` to `high`."""
    width, step = 1, 0
    while high // width - low // width >= 9:
        width = (1, 2, 5)[step % 3] * 10 ** (step // 3)
        step += 1
    return width


def _range(first: int, width: int) -> str:
    return f"{first:,}" if width == 1 else f"{first:,}–{first + width - 1:,}"


# what it cost


def _comparison(state: Tier, loads: Mapping[str, int]) -> Iterator[Mark]:
    last = state.last
    if settled(state):
        moved: Row = ("moved", "accent", "solid", len(last.all_moved))
        ideal: Row = ("ideal", "good", "outline", last.ideal)
        modulo: list[Row] = [("mod N", "bad", "soft", last.modulo)]
        yield from _bars(f"Keys moved, of {len(state.keys):,}", moved, ideal, *modulo[: len(against(state)) - 1])
    elif last.kind in ("read-all", "read"):
        reads = count(last.hits + last.misses, "read")
        yield from _bars(reads, ("hits", "good", "solid", last.hits), ("misses", "bad", "soft", last.misses))
    elif len(loads) <= FEW_NODES and state.keys:
        (name, keys), _ = extremes(loads)
        text = f"fullest: {short(name, 4)}, {keys * members(state, loads) / len(state.keys):.2f} × mean"
        yield Label(id="below", x=4, y=BELOW, size="small", role="soft", text=text)


def _bars(head: str, *rows: Row) -> Iterator[Mark]:
    yield Label(id="below", x=4, y=BELOW, role="soft", strong=True, text=head)
    most = max(1.0, *(value for _, _, _, value in rows))
    for at, (name, role, tone, value) in enumerate(rows):
        y, long, text = BELOW + 10 + 25 * at, round(72 * value / most, 2), f"{value:,.0f}"
        yield Label(id=f"what:{name}", x=4, y=y + 14, text=name)
        if value:
            yield Box(id=f"bar:{name}", role=role, tone=tone, x=56, y=y, w=long, h=18, title=f"{name}: {text}")
        yield Label(id=f"is:{name}", x=62 + long, y=y + 14, text=text, strong=True)
