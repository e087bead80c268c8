"""The picture of the schemes without a ring: the nodes as slots, the keys in them, and what a change moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

from patterns.consistent_hashing.state import Tier
from widgets.scene import Box, Disc, Label, Line, Mark, Panel

from .captions import count, headline, labels, short, words_of
from .cast import FEW_NODES, Cast
from .circle import HEIGHT, WIDTH, dotted, key_dot

LEFT, TOP, RIGHT, BOTTOM = 4.0, 52.0, 360.0, 290.0  # of the slots
KEY_Y = 16.0  # of the key that is looked up
HOW = {
    "modulo": "A key goes to machine number hash mod N",
    "rendezvous": "The node that draws highest for a key wins it",
    "jump": "A key's last jump below N is its bucket",
    "maglev": "A table, filled in turns, has a key's node",
    "multi-probe": "A key's probe nearest to a point decides",
}
DOT = 15.0  # from one key to the next
MOST_SLOTS = 150  # more cannot be told apart
NUMBERED = ("modulo", "jump")  # schemes to which a node is its number


class Grid:
    """Places for `count` slots, in rows of equal length."""

    def __init__(self, number: int) -> None:
        rows = 1 if number <= 5 else 2 if number <= FEW_NODES else max(2, round((number / 1.7) ** 0.5))
        self.columns = -(-number // rows)
        rows = -(-number // self.columns)
        self.gap = 8.0 if number <= FEW_NODES else 2.0
        self.wide = (RIGHT - LEFT - self.gap * (self.columns - 1)) / self.columns
        self.high = (BOTTOM - TOP - self.gap * (rows - 1)) / rows

    def __call__(self, at: int) -> tuple[float, float]:
        row, column = divmod(at, self.columns)
        return round(LEFT + column * (self.wide + self.gap), 2), round(TOP + row * (self.high + self.gap), 2)


def slots(state: Tier, cast: Cast) -> Panel:
    """The slots of one step."""
    scheme, names, words = state.router.scheme, state.router.names, words_of(state)
    grid, few = Grid(len(names)), len(names) <= FEW_NODES
    marks = (
        *(_slots(state, cast, grid) if len(names) <= MOST_SLOTS else _too_many(state)),
        *(_dots(state, cast, grid) if few and dotted(state) else _counts(state, grid) if few else ()),
        *_lookup(state, grid),
        *labels(WIDTH / 2, BOTTOM + 38, words),
    )
    label = f"Slots by {scheme}: {headline(state)}. {words.told}"
    return Panel(id="where", width=WIDTH, height=HEIGHT, marks=marks, title=HOW.get(scheme, scheme), label=label)


def _slots(state: Tier, cast: Cast, grid: Grid) -> Iterator[Mark]:
    last, few = state.last, len(state.router.names) <= FEW_NODES
    for at, name in enumerate(state.router.names):
        (x, y), role, of = grid(at), cast.roles[name], f"node:{name}"
        number = f"{at} · " if state.router.scheme in NUMBERED else ""
        lit = name == last.node and last.kind in ("look", "read", "join", "reweight")
        slot = partial(Box, id=f"slot:{name}", of=of, role=role, tone="soft" if lit else "outline")
        yield slot(x=x, y=y, w=grid.wide, h=grid.high, title=f"slot {number}{name}")
        if few:
            text = number + short(name, max(2, int(grid.wide / 8) - len(number)))
            named = partial(Label, id=f"name:{name}", of=of, role=role, title=name)
            yield named(x=x + grid.wide / 2, y=y + 17, anchor="middle", strong=True, text=text)


def _too_many(state: Tier) -> Iterator[Mark]:
    text, high = count(len(state.router.names), "node"), BOTTOM - TOP
    yield Box(id="all", role="soft", text=text, title=headline(state), x=LEFT, y=TOP, w=RIGHT - LEFT, h=high)


def _dots(state: Tier, cast: Cast, grid: Grid) -> Iterator[Mark]:
    """The keys in the slots of their owners; one that moved in this step is lit."""
    cold, moved = frozenset(state.cold()), {move.key for move in state.last.moved}
    inside: Counter[str] = Counter()
    across = max(1, int((grid.wide - 4) / DOT))
    down = min(DOT, (grid.high - 34) / -(-max(state.loads().values()) // across))
    for key, (owner, *_) in state.home_table().items():
        row, column = divmod(inside[owner], across)
        inside[owner] += 1
        if key != state.last.key:
            x, y = grid(state.router.names.index(owner))
            x, y = round(x + (grid.wide - (across - 1) * DOT) / 2 + column * DOT, 2), round(y + 32 + row * down, 2)
            role = "accent" if key in moved else cast.roles[owner]
            yield key_dot(key, owner, key in cold, cast, role=role, x=x, y=y, r=5)


def _counts(state: Tier, grid: Grid) -> Iterator[Mark]:
    """Numbers instead of dots: the keys of each slot, and how many of them came in this step."""
    came, loads = Counter(move.taker for move in state.last.moved), state.loads()
    for at, name in enumerate(state.router.names):
        x, y = grid(at)
        number = partial(Label, x=x + grid.wide / 2, anchor="middle")
        yield number(id=f"keys:{name}", y=y + 44, size="large", text=f"{loads[name]:,}")
        yield number(id=f"unit:{name}", y=y + 60, size="small", role="soft", text="keys")
        if name in came:
            text, title = f"+{came[name]:,}", f"{count(came[name], 'key')} came to {name}"
            yield number(id=f"came:{name}", y=y + 82, role="accent", strong=True, text=text, title=title)


def _lookup(state: Tier, grid: Grid) -> Iterator[Mark]:
    """The key that this step is about, above, and an arrow to its slot."""
    key, names, node = state.last.key, state.router.names, state.last.node
    if not key:
        return
    yield Disc(id=f"key:{key}", role="ink", tone="solid", x=WIDTH / 2, y=KEY_Y, r=6, title=key)
    yield Label(id="named", x=WIDTH / 2 + 12, y=KEY_Y + 4.5, strong=True, text=short(key, 20), title=key)
    if len(names) <= MOST_SLOTS and node in names:
        (x, y), arrow = grid(names.index(node)), partial(Line, id="to", role="ink", arrow=True, wide=2.5)
        yield arrow(x=WIDTH / 2, y=KEY_Y + 8, x2=x + grid.wide / 2, y2=y - 1, title=f"{key} goes to {node}")
