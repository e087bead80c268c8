"""Running for real: messages over sockets, on asyncio. The only part of `patterns` that does I/O.

`Host` runs one process unchanged. `Cluster` runs several, each as an OS process that can be killed; `DieAt` chooses the
point. The disk of a process is a file, or a database with `SqliteDisk`. `CacheCluster` belongs to chapter 1.
"""

from .cache import CacheCluster, Client, Counts, Reads
from .channels import Broadcast, Closed, Lagged, Receiver, Sender, broadcast, mpsc
from .cluster import Cluster
from .disk import Disk, DiskError
from .failpoint import DieAt
from .here import NotInABrowser
from .host import Host
from .pools import processes
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
    "NotInABrowser",
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
    "processes",
]
