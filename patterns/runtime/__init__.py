"""Running for real: messages over sockets, on asyncio. The only part of `patterns` that does I/O."""

from .cache import CacheCluster, Client, Counts, Reads
from .rpc import Connection, Refused, Server
from .wire import Wire, WireError

__all__ = ["CacheCluster", "Client", "Connection", "Counts", "Reads", "Refused", "Server", "Wire", "WireError"]
