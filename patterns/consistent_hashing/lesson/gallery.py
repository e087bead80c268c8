"""Runs of the cache tier that are worth seeing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from patterns.consistent_hashing.events import Advance, Crash, Join, Leave, Look, Place, ReadAll, Reweight
from patterns.consistent_hashing.tier import CacheTier
from patterns.engine.history import History
from patterns.engine.milestones import when
from patterns.engine.script import Script

Run = History[Any, Any]

TWELVE = tuple(
    "Africa/Cairo Africa/Lagos America/Bogota America/Sao_Paulo America/Toronto Asia/Dubai Asia/Kolkata "  # noqa: SIM905
    "Asia/Shanghai Australia/Sydney Europe/Amsterdam Europe/London Europe/Zurich".split()
)
"""Twelve keys that do not crowd on the circle."""
RACKS = [["A", 1, "east"], ["B", 1, "east"], ["C", 1, "west"], ["D", 1, "west"]]
found = when(lambda tier: tier.walk is not None and tier.walk.done)


def fourth_machine() -> Run:
    """Two lookups, one of them past the top of the circle. Then D joins, point by point."""
    run = Script(CacheTier(keys=TWELVE, vnodes=2))
    run.do(Look("Europe/London"), Advance(), Look("Africa/Cairo"), Advance())
    return run.do(Join("D"), Place(), Place(), ReadAll()).at("start").history


def modulo() -> Run:
    run = Script(CacheTier(keys=TWELVE, scheme="modulo"))
    return run.do(Look("Europe/London"), Join("D"), ReadAll()).at("start").history


def leave_and_crash() -> Run:
    """B leaves as planned, and every read is a hit. Then A crashes, and the reads of its keys miss."""
    return Script(CacheTier(keys=TWELVE)).do(Leave("B"), ReadAll(), Crash("A"), ReadAll()).at("start").history


def two_copies() -> Run:
    run = Script(CacheTier(keys=TWELVE, copies=2)).do(Look("Europe/London")).until(found)
    return run.do(Crash("A"), ReadAll()).at("start").history


def racks() -> Run:
    """Three copies of one key: the walk sets a machine aside until the other rack has a copy."""
    run = Script(CacheTier(nodes=RACKS, keys=TWELVE, vnodes=3, copies=3))
    return run.do(Look("Australia/Sydney")).until(found).at("start").history


def twice_the_weight() -> Run:
    return Script(CacheTier(vnodes=40)).do(Reweight("C", 2.0), ReadAll(), Join("D"), ReadAll()).at("start").history


GALLERY: Mapping[str, Callable[[], Run]] = {
    "A fourth machine joins the ring, and three of twelve keys move": fourth_machine,
    "A fourth machine joins under hash mod N, and nine of twelve keys move": modulo,
    "A machine that leaves hands its keys over; a machine that crashes loses them": leave_and_crash,
    "With two copies of each key, no read misses after a crash": two_copies,
    "Three copies use both racks before one rack is used twice": racks,
    "C gets twice the weight, and D joins: each takes keys from the others": twice_the_weight,
}
