"""What runs of the shop and of one stream can be run until."""

from __future__ import annotations

from patterns.engine.milestones import Milestones, fired, first, when
from patterns.event_sourcing.properties import lost

SHOP: Milestones = {
    "a picker decides": fired("P.decides"),
    "a picker declines": fired("P.declined"),
    "an append is refused": fired("E.refuse"),
    "a retry is recognised": fired("E.same"),
    "a transaction rolls back": fired("N.roll"),
    "the subscriber is live": fired("S.live"),
    "an event appears late": first(when(lost)),
}
ONE_STREAM: Milestones = {
    "an old event passes its upcasters": fired("H.upcast"),
    "a load uses the snapshot": fired("H.tail"),
    "a load discards the snapshot": fired("H.stale"),
    "a key is destroyed": fired("H.erase"),
}
