"""Replication: the same data on several machines, by a primary, a chain, quorums, or merging.

`client` is what all share: what clients ask and are answered. `machines` has the machines. What the course adds stands
in `lesson`.
"""

from patterns.engine.clients import Done, NotHere

from .client import Read, Write
from .configuration import Suspect, View
from .machines import AntiEntropy, Chain, Merging, PrimaryBackup, Quorum

__all__ = ["AntiEntropy", "Chain", "Merging", "PrimaryBackup", "Quorum"]
__all__ += ["Done", "NotHere", "Read", "Suspect", "View", "Write"]
