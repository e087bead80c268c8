"""Replication: the same data on several machines, by a primary, a chain, quorums, or merging.

`client` is what all share: what clients ask and are answered. `machines` has the machines. What the course adds stands
in `lesson`.
"""

from .client import Count, Done, NotHere, Read, Remove, Unknown, Write, is_done, one_copy
from .configuration import Configuration, Join, Suspect, View
from .machines import AntiEntropy, Chain, Merging, PrimaryBackup, Quorum
from .merkle import Row, Tree, compare_trees
from .primary import Entry, last_common
from .versions import Counter, Dotted, Plain, Stamped, Tombstones, compare

__all__ = [
    "AntiEntropy",
    "Chain",
    "Configuration",
    "Count",
    "Counter",
    "Done",
    "Dotted",
    "Entry",
    "Join",
    "Merging",
    "NotHere",
    "Plain",
    "PrimaryBackup",
    "Quorum",
    "Read",
    "Remove",
    "Row",
    "Stamped",
    "Suspect",
    "Tombstones",
    "Tree",
    "Unknown",
    "View",
    "Write",
    "compare",
    "compare_trees",
    "is_done",
    "last_common",
    "one_copy",
]
