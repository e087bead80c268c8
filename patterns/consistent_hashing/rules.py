"""The rules of a cache tier as sentences, each with its source."""

from __future__ import annotations

from patterns.engine.step import Rule

CIRCLE = "Dynamo 2007, 4.2"
COPIES = "Dynamo 2007, 4.3"
RACKS = "Dynamo 2007, 4.6"
MODULO = "Karger et al. 1997, section 1"
LOOK_ASIDE = "Nishtala et al. 2013, section 2"
MOVED = "{moved} of {keys} keys move"
OWNER = "the first is of **{node}**, at {degrees:.1f}°, and **{node}** owns {key}."

RULES: dict[str, Rule] = {
    "hash": Rule("**{key}** hashes to {position}: {degrees:.1f}° round the circle.", CIRCLE),
    "first-point": Rule(
        "The first point clockwise is of **{node}**, at {degrees:.1f}°: **{node}** owns {key}.", CIRCLE
    ),
    "wrap": Rule(f"No point follows before the top, so the walk goes on from there: {OWNER}", CIRCLE),
    "next-node": Rule("The next point is of **{node}**: copy {copy} of {key} goes there.", COPIES),
    "same-node": Rule(
        "The walk skips a point of **{node}**: it has a copy already, and copies are for distinct machines.", COPIES
    ),
    "same-rack": Rule(
        "The walk sets **{node}** aside: its rack {rack} has a copy, and another rack has none yet.", RACKS
    ),
    "from-aside": Rule("Every rack has a copy, so those set aside follow: **{nodes:names}**.", RACKS),
    "route": Rule("The {scheme} scheme sends **{key}** to **{node}**, one of {nodes}.", MODULO),
    "begin-join": Rule("**{node}** begins to join: its {total} points are placed one by one.", CIRCLE),
    "point": Rule(
        f"Point {{number}} of **{{node}}**, at {{degrees:.1f}}°, takes its arc from {{givers:names}}: {MOVED}.", CIRCLE
    ),
    "point-within": Rule(
        "Point {number} of **{node}**, at {degrees:.1f}°, stands in an arc that {node} owns already: no key moves.",
        CIRCLE,
    ),
    "joined": Rule("All {total} points of **{node}** are placed: it took {moved} of {keys} keys.", CIRCLE),
    "join": Rule(f"**{{node}}** joins with {{points}} points and takes {{ranges}} ranges: {MOVED}.", CIRCLE),
    "join-other": Rule("**{node}** joins, and {moved} of {keys} keys go to another node than before.", MODULO),
    "ideal": Rule(
        "Such a change moves {ideal:.0f} keys on average; `hash mod N` would have moved {modulo}.",
        "Karger et al. 1997, section 3",
    ),
    "ideal-weight": Rule("Such a change moves {ideal:.0f} keys on average.", CIRCLE),
    "leave": Rule(f"**{{node}}** leaves: {MOVED}, and the new owners receive the entries that it holds.", CIRCLE),
    "crash": Rule(f"**{{node}}** crashes: {MOVED}, and the {{lost}} that it held are lost.", CIRCLE),
    "reweight": Rule(f"**{{node}}** now weighs {{weight:g}} and has {{points}} points: {MOVED}.", CIRCLE),
    "reweight-other": Rule(f"**{{node}}** now weighs {{weight:g}}: {MOVED}.", "Schindelhauer and Schomaker 2005"),
    "drop": Rule(
        "The caches drop **{dropped}** of their copies, because no client will ask them for these keys.",
        "our simplification; in memcached they age out",
    ),
    "hit": Rule("**{node}** holds {key}: a hit.", LOOK_ASIDE),
    "miss": Rule("**{node}** does not hold {key}: a miss; it is fetched from the database and cached.", LOOK_ASIDE),
    "read-all": Rule(
        "Of {keys} keys read, **{hits} hit** and **{misses} miss**; the misses go to the database.", LOOK_ASIDE
    ),
}
