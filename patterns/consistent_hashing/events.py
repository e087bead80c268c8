"""What can happen to a cache tier, and the rules in words that its steps note."""

from __future__ import annotations

import msgspec

from patterns.engine.step import Rule


class Look(msgspec.Struct, frozen=True, tag="look"):
    """A router looks a key up. On a ring the walk clockwise begins; `copies` is how many nodes it collects."""

    key: str
    copies: int = 0
    """0 for as many as the tier keeps."""


class Advance(msgspec.Struct, frozen=True, tag="advance"):
    """The lookup comes to the next point clockwise."""


class Join(msgspec.Struct, frozen=True, tag="join"):
    """A node joins. Where it has few points they are placed one by one, by `Place`."""

    node: str
    weight: float = 1.0
    rack: str = ""


class Place(msgspec.Struct, frozen=True, tag="place"):
    """The next point of the joining node is placed, and takes its arc."""


class Leave(msgspec.Struct, frozen=True, tag="leave"):
    """A node leaves as planned: it hands what it holds to the new owners first."""

    node: str


class Crash(msgspec.Struct, frozen=True, tag="crash"):
    """A node is gone at once, and its cache with it."""

    node: str


class Reweight(msgspec.Struct, frozen=True, tag="reweight"):
    """A node gets another weight, and so another number of points."""

    node: str
    weight: float


class Read(msgspec.Struct, frozen=True, tag="read"):
    """A client reads a key: a hit, or a miss that fills the cache."""

    key: str


class ReadAll(msgspec.Struct, frozen=True, tag="read-all"):
    """Clients read every key once."""


Event = Look | Advance | Join | Place | Leave | Crash | Reweight | Read | ReadAll

CIRCLE = "Dynamo 2007, 4.2"
LOOK_ASIDE = "Nishtala et al. 2013, section 2"
RULES: dict[str, Rule] = {
    "hash": Rule("**{key}** hashes to {position}: {degrees} round the circle.", CIRCLE),
    "first-point": Rule("The first point clockwise is of **{node}**, at {degrees}: **{node}** owns {key}.", CIRCLE),
    "wrap": Rule(
        "No point follows before the top, so the walk goes on from there: the first is of **{node}**, at {degrees}, "
        "and **{node}** owns {key}.",
        CIRCLE,
    ),
    "next-node": Rule("The next point is of **{node}**: copy {copy} of {key} goes there.", "Dynamo 2007, 4.3"),
    "same-node": Rule(
        "The walk skips a point of **{node}**: it has a copy already, and copies are for distinct machines.",
        "Dynamo 2007, 4.3",
    ),
    "same-rack": Rule(
        "The walk sets **{node}** aside: its rack {rack} has a copy, and another rack has none yet.", "Dynamo 2007, 4.6"
    ),
    "from-aside": Rule("Every rack has a copy, so those set aside follow: **{nodes}**.", "Dynamo 2007, 4.6"),
    "route": Rule(
        "The {scheme} scheme sends **{key}** to **{node}**, one of {nodes}.", "Karger et al. 1997, section 1"
    ),
    "begin-join": Rule("**{node}** begins to join: its {total} points are placed one by one.", "Dynamo 2007, 4.2"),
    "point": Rule(
        "Point {number} of **{node}**, at {degrees}, takes its arc from {givers}: {moved} of {keys} keys move.",
        CIRCLE,
    ),
    "join": Rule(
        "**{node}** joins with {points} points and takes {ranges} ranges: {moved} of {keys} keys move.", CIRCLE
    ),
    "join-other": Rule(
        "**{node}** joins, and {moved} of {keys} keys go to another node than before.", "Karger et al. 1997, section 1"
    ),
    "point-within": Rule(
        "Point {number} of **{node}**, at {degrees}, stands in an arc that {node} owns already: no key moves.", CIRCLE
    ),
    "joined": Rule("All {total} points of **{node}** are placed: it took {moved} of {keys} keys.", "Dynamo 2007, 4.2"),
    "ideal": Rule(
        "Such a change moves {ideal} keys on average; `hash mod N` would have moved {modulo}.",
        "Karger et al. 1997, section 3",
    ),
    "ideal-weight": Rule("Such a change moves {ideal} keys on average.", "Dynamo 2007, 4.2"),
    "leave": Rule("**{node}** leaves: {moved} of {keys} keys move, and what it holds goes along.", "Dynamo 2007, 4.2"),
    "crash": Rule(
        "**{node}** crashes: {moved} of {keys} keys move, and the {lost} it held are lost.", "Dynamo 2007, 4.2"
    ),
    "reweight": Rule(
        "**{node}** now weighs {weight} and has {points} points: {moved} of {keys} keys move.", "Dynamo 2007, 4.2"
    ),
    "reweight-other": Rule(
        "**{node}** now weighs {weight}: {moved} of {keys} keys move.", "Schindelhauer and Schomaker 2005"
    ),
    "drop": Rule(
        "Nobody will ask for what moved where it was: **{dropped}** dropped from the caches.",
        "our simplification; in memcached they age out",
    ),
    "hit": Rule("**{node}** holds {key}: a hit.", LOOK_ASIDE),
    "miss": Rule("**{node}** does not hold {key}: a miss; it is fetched from the database and cached.", LOOK_ASIDE),
    "read-all": Rule(
        "Of {keys} keys read, **{hits} hit** and **{misses} miss**; the misses go to the database.", LOOK_ASIDE
    ),
}
