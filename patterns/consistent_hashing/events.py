"""The events of a cache tier."""

from __future__ import annotations

import msgspec


class Look(msgspec.Struct, frozen=True, tag="look"):
    """A router looks a key up. On a ring a walk clockwise begins, which collects `copies` nodes."""

    key: str
    copies: int = 0
    """0: as many as the tier keeps."""


class Advance(msgspec.Struct, frozen=True, tag="advance"):
    """The lookup comes to the next point clockwise."""


class Join(msgspec.Struct, frozen=True, tag="join"):
    """A node joins. If it has few points, `Place` places them one by one."""

    node: str
    weight: float = 1.0
    rack: str = ""


class Place(msgspec.Struct, frozen=True, tag="place"):
    """The next point of the joining node is placed, and takes its arc."""


class Leave(msgspec.Struct, frozen=True, tag="leave"):
    """A node leaves as planned: it hands what it holds to the new owners first."""

    node: str


class Crash(msgspec.Struct, frozen=True, tag="crash"):
    """A node fails, and its cache is lost."""

    node: str


class Reweight(msgspec.Struct, frozen=True, tag="reweight"):
    """A node gets another weight, and with it another number of points."""

    node: str
    weight: float


class Read(msgspec.Struct, frozen=True, tag="read"):
    """A client reads a key: a hit, or a miss that fills the cache."""

    key: str


class ReadAll(msgspec.Struct, frozen=True, tag="read-all"):
    """Clients read every key once."""


Event = Look | Advance | Join | Place | Leave | Crash | Reweight | Read | ReadAll
