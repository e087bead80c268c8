"""Rings and tiers with one rule changed: each is a bug that was shipped somewhere. The check must catch every one.

explore(NoWrapTier(bits=4, vnodes=1, nodes=["A", "B"], keys=..., pool=["C"]))
"""

from __future__ import annotations

from typing import Any, ClassVar

from patterns.consistent_hashing.placement import Node
from patterns.consistent_hashing.ring import Ring
from patterns.consistent_hashing.tier import CacheTier


class NoWrap(Ring):
    """The circle is cut open: what lies behind the last point goes to that point, not on to the first."""

    def after_last(self) -> int:
        return len(self.positions) - 1


class InsertionOrderTies(Ring):
    """Of two points at one position, the node that was learned first wins: routers that learned otherwise disagree."""

    @staticmethod
    def arrange(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        return nodes


class PointsNotNodes(Ring):
    """A preference list takes the next points, whosever they are: two copies on one machine."""

    def may_take(self, node: str, chosen: tuple[str, ...]) -> bool:
        return True


class RacksForgotten(Ring):
    """A preference list looks at nodes only: two copies in one rack while another rack has none."""

    def rack_waits(self, node: str, chosen: tuple[str, ...]) -> bool:
        return False


class StrictlyAfter(Ring):
    """A key at the very position of a point does not belong to it, but to the next: off by one."""

    side: ClassVar[Any] = "right"


class NamedByNumber(Ring):
    """Points are named after the node's number, so a node that joins in the middle renames all that follow it."""

    def label(self, at: int) -> str:
        return f"node {at}"


class NoWrapTier(CacheTier):
    """A tier on `NoWrap`."""

    ring_type = NoWrap


class InsertionOrderTier(CacheTier):
    """A tier on `InsertionOrderTies`."""

    ring_type = InsertionOrderTies


class PointsNotNodesTier(CacheTier):
    """A tier on `PointsNotNodes`."""

    ring_type = PointsNotNodes


class RacksForgottenTier(CacheTier):
    """A tier on `RacksForgotten`."""

    ring_type = RacksForgotten


class StrictlyAfterTier(CacheTier):
    """A tier on `StrictlyAfter`."""

    ring_type = StrictlyAfter


class NamedByNumberTier(CacheTier):
    """A tier on `NamedByNumber`."""

    ring_type = NamedByNumber
