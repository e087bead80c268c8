"""Replication: the same data on several machines, by a primary, a chain, quorums, or merging.

`client` is what all share: what clients ask and are answered. `machines` has the machines. What the course adds stands
in `lesson`.
"""

from .machines import AntiEntropy, Chain, Merging, PrimaryBackup, Quorum

__all__ = ["AntiEntropy", "Chain", "Merging", "PrimaryBackup", "Quorum"]
