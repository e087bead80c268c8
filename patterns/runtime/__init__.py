"""Running for real: messages over sockets, on asyncio. The only part of `patterns` that does I/O.

`Host` runs a process unchanged, `Cluster` several as OS processes that can be killed, by `DieAt` at a chosen point;
a process's disk is a file, or with `SqliteDisk` a database. `CacheCluster` is chapter 1's.
"""

from .cache import CacheCluster, Client, Counts, Reads
from .channels import Broadcast, Closed, Lagged, Receiver, Sender, broadcast, mpsc
from .cluster import Cluster
from .disk import Disk, DiskError
from .failpoint import DieAt
from .host import Host
from .recording import Recording
from .rpc import Connection, Refused, Server
from .sqlite_disk import SqliteDisk, database
from .wire import Wire, WireError

__all__ = [
    "Broadcast",
    "CacheCluster",
    "Client",
    "Closed",
    "Cluster",
    "Connection",
    "Counts",
    "DieAt",
    "Disk",
    "DiskError",
    "Host",
    "Lagged",
    "Reads",
    "Receiver",
    "Recording",
    "Refused",
    "Sender",
    "Server",
    "SqliteDisk",
    "Wire",
    "WireError",
    "broadcast",
    "database",
    "mpsc",
]
