"""A small cache tier that runs for real: key-value servers on loopback, and clients that read through them.

Where a key lives is any function from a key to a server's name: the `lookup` of a ring, of modulo, of anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self

import msgspec

from .rpc import LOOPBACK, Connection, Server
from .wire import WireError

Place = Callable[[str], str]
"""The name of the server where a key lives."""


class Get(msgspec.Struct, frozen=True, tag=True):
    key: str


class Set(msgspec.Struct, frozen=True, tag=True):
    key: str
    value: str


class Stats(msgspec.Struct, frozen=True, tag=True):
    """Asks for the server's Counts."""


class Hit(msgspec.Struct, frozen=True, tag=True):
    value: str


class Miss(msgspec.Struct, frozen=True, tag=True):
    pass


class Stored(msgspec.Struct, frozen=True, tag=True):
    pass


class Counts(msgspec.Struct, frozen=True, tag=True):
    """What one server holds, and how its reads went since it started."""

    keys: int
    hits: int
    misses: int


MESSAGES = Get | Set | Stats | Hit | Miss | Stored | Counts


class CacheServer(Server):
    """A key-value store in memory, behind a socket. It forgets everything when it is closed."""

    def __init__(self, name: str, **where: Any) -> None:
        super().__init__(MESSAGES, self.reply, **where)
        self.name = name
        self._held: dict[str, str] = {}
        self._hits = self._misses = 0

    def reply(self, message: Any) -> Hit | Miss | Stored | Counts:
        match message:
            case Get(key):
                value = self._held.get(key)
                if value is None:
                    self._misses += 1
                    return Miss()
                self._hits += 1
                return Hit(value)
            case Set(key, value):
                self._held[key] = value
                return Stored()
            case Stats():
                return Counts(len(self._held), self._hits, self._misses)
        raise WireError(f"{message} is no request; Get, Set and Stats are")


class Reads:
    """How a client's reads went."""

    def __init__(self) -> None:
        self.hits = 0
        self.misses = 0
        self.keys: set[str] = set()
        self.missed: set[str] = set()
        """The keys that had to be fetched from the origin."""
        self.moved: set[str] = set()
        """The keys that another server answered for than when this client last read them."""

    @property
    def share_moved(self) -> float:
        """Of the keys read, from 0 to 1."""
        return len(self.moved) / len(self.keys) if self.keys else 0.0

    def __repr__(self) -> str:
        return (
            f"{self.hits + self.misses:,} reads of {len(self.keys):,} keys: {self.hits:,} hits, "
            f"{self.misses:,} misses; {len(self.moved):,} keys moved ({self.share_moved:.1%})"
        )


class CacheCluster:
    """Cache servers by name, each on a port of its own. `async with` starts them, and leaves nothing behind.

    Raises ValueError where two have one name.
    """

    def __init__(self, names: Iterable[str], *, host: str = LOOPBACK) -> None:
        self.host = host
        self.servers: dict[str, CacheServer] = {}
        self._first = tuple(names)
        self._clients: list[Client] = []
        if repeated := sorted({name for name in self._first if self._first.count(name) > 1}):
            raise ValueError(f"names has {', '.join(repeated)} more than once; each server has a name of its own")

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self.close)
            for name in self._first:
                await self.start(name)
            undo.pop_all()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    async def start(self, name: str) -> None:
        """Start one more server, empty. Raises ValueError where one of that name runs."""
        if name in self.servers:
            raise ValueError(f"name is {name!r}; a server of that name runs already")
        self.servers[name] = await CacheServer(name, host=self.host).start()

    async def stop(self, name: str) -> None:
        """Stop a server, which loses what it held. Raises ValueError where none of that name runs."""
        await self.running(name).close()
        del self.servers[name]

    async def close(self) -> None:
        for client in self._clients:
            await client.close()
        for name in list(self.servers):
            await self.stop(name)

    def running(self, name: str) -> CacheServer:
        if name not in self.servers:
            raise ValueError(f"no server {name!r} is running; {', '.join(sorted(self.servers)) or 'none'} are")
        return self.servers[name]

    def client(self, place: Place, origin: Callable[[str], str] = str.upper) -> Client:
        """A client that finds keys by `place`, and what no server has by `origin`."""
        self._clients.append(Client(self, place, origin))
        return self._clients[-1]

    async def counts(self) -> dict[str, Counts]:
        """Every server's counts, asked over the wire."""
        client = self.client(str)
        try:
            return {name: await client.ask(name, Stats()) for name in self.servers}
        finally:
            await client.close()
            self._clients.remove(client)


class Client:
    """Reads through a cluster: from the server that `place` names, and on a miss from the origin, filling that server.

    `place` can be changed at any time; the next read uses the new one.
    """

    def __init__(self, cluster: CacheCluster, place: Place, origin: Callable[[str], str]) -> None:
        self.cluster = cluster
        self.place = place
        self.origin = origin
        self._connections: dict[CacheServer, Connection] = {}
        self._last: dict[str, str] = {}

    async def ask(self, name: str, message: Get | Set | Stats) -> Any:
        """Ask one server. Raises ValueError when it is not running, and what Connection.ask raises."""
        server = self.cluster.running(name)
        if server not in self._connections:
            self._connections[server] = Connection(MESSAGES, server.host, server.port)
        return await self._connections[server].ask(message)

    async def read(self, key: str, reads: Reads | None = None) -> str:
        """The key's value, noted down in `reads`."""
        reads = Reads() if reads is None else reads
        name = self.place(key)
        answer = await self.ask(name, Get(key))
        value: str = answer.value if isinstance(answer, Hit) else self.origin(key)
        reads.keys.add(key)
        if self._last.setdefault(key, name) != name:
            reads.moved.add(key)
            self._last[key] = name
        if isinstance(answer, Hit):
            reads.hits += 1
        else:
            reads.misses += 1
            reads.missed.add(key)
            await self.ask(name, Set(key, value))
        return value

    async def read_all(self, keys: Iterable[str]) -> Reads:
        """Read the keys one after the other."""
        reads = Reads()
        for key in keys:
            await self.read(key, reads)
        return reads

    @asynccontextmanager
    async def reading(self, keys: Iterable[str]) -> AsyncIterator[Reads]:
        """Read all the keys round and round while the body runs: a whole round before it, and a whole one after it.

        A read that fails ends the body too, with its error.
        """
        keys, reads = list(keys), Reads()
        one_round, over = asyncio.Event(), asyncio.Event()

        async def rounds() -> None:
            last = False
            while not last:
                last = over.is_set()
                for key in keys:
                    await self.read(key, reads)
                one_round.set()

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(rounds())
                await one_round.wait()
                yield reads
                over.set()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def close(self) -> None:
        for connection in self._connections.values():
            await connection.close()
        self._connections.clear()
