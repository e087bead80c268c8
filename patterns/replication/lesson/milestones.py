"""What runs of replication can be run until."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.engine.machine import Machine
from patterns.engine.milestones import Milestones, fired
from patterns.replication.machines import AntiEntropy, Chain, Merging, PrimaryBackup, Quorum

MILESTONES: Mapping[type[Machine[Any, Any]], Milestones] = {
    PrimaryBackup: {
        "a write is acknowledged": fired("PB.ack"),
        "the set changes": fired("CF.in", "CF.out"),
        "a new primary leads": fired("PB.lead"),
        "a log is cut": fired("PB.cut"),
    },
    Chain: {"the tail answers": fired("CH.answer"), "the chain changes": fired("CF.in", "CF.out")},
    Quorum: {
        "an operation is answered": fired("Q.answer"),
        "a read writes back": fired("Q.back"),
        "a stand-in keeps a hint": fired("Q.keep"),
        "a hint is home": fired("Q.arrived"),
    },
    Merging: {"a replica merges": fired("M.merge"), "a state brings nothing new": fired("M.same")},
    AntiEntropy: {"hashes are compared": fired("MT.level"), "rows arrive": fired("MT.rows")},
}
