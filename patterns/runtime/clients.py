"""Clients of real processes, and their connections."""

from __future__ import annotations

import asyncio
from asyncio import Task
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .envelopes import ENVELOPES, Answer, Bodies, FromClient, Hello
from .rpc import Refused
from .wire import Wire, WireError

IDLE = 64
"""Clients whose connections are kept open while they ask nothing."""


class Clients:
    """The clients of a cluster, by name. Each asks one thing at a time. The last ones keep their connections."""

    def __init__(self, token: str) -> None:
        self.token = token
        self._clients: dict[str, Client] = {}  # the one that asked last comes last

    @contextmanager
    def asking(self, name: str) -> Iterator[Client]:
        """The client, while it asks. Raises ValueError for one that asks something else already."""
        client = self._clients.pop(name, None) or Client(name, self.token)
        self._clients[name] = client
        if client.asks:
            raise ValueError(f"client {name!r} still waits for an answer; a client asks one thing at a time")
        client.asks = True
        try:
            yield client
        finally:
            client.asks = False
            for idle in [each for each in self._clients.values() if not each.asks][:-IDLE]:
                self._clients.pop(idle.name).close()

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


class Client:
    """One client: a connection to each process it asks."""

    def __init__(self, name: str, token: str) -> None:
        self.name, self.token = name, token
        self.asks = False
        """Whether it waits for an answer."""
        self._wire: Wire[Any] = Wire(ENVELOPES)
        self._streams: dict[tuple[str, int], tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self._reading: dict[tuple[str, int], Task[Any]] = {}

    async def ask(self, address: tuple[str, int], message: Any, bodies: Bodies) -> Any:
        """The reply of the process. Raises OSError if none comes, WireError if it refused the message.

        If it is cancelled, ask again: a reply to the first try still counts. Its serial tells it apart.
        """
        try:
            if address not in self._streams:
                self._streams[address] = await asyncio.open_connection(*address)
                if self.token:
                    self._streams[address][1].write(self._wire.encode(Hello(self.token)))
            reader, writer = self._streams[address]
            writer.write(self._wire.encode(FromClient(self.name, bodies.encode(message))))
            while True:  # reading sees whether the other side is gone: it may have answered before
                if address not in self._reading:
                    self._reading[address] = asyncio.create_task(self._wire.read(reader))
                answer = await asyncio.shield(self._reading[address])
                del self._reading[address]
                if isinstance(answer, Refused):
                    raise WireError(f"{address[0]}:{address[1]} refused {message}: {answer.reason}")
                if not isinstance(answer, Answer):
                    raise ConnectionError(f"{address[0]}:{address[1]} closed the connection")
                reply = bodies.reply(answer.body)
                if getattr(reply, "serial", None) == getattr(message, "serial", None):  # not a late one
                    return reply
        except BaseException as problem:
            if not isinstance(problem, asyncio.CancelledError) or not hasattr(message, "serial"):
                self._drop(address)
            raise

    def close(self) -> None:
        for address in list(self._streams):
            self._drop(address)

    def _drop(self, address: tuple[str, int]) -> None:
        if address in self._reading:
            self._reading.pop(address).cancel()
        if address in self._streams:
            self._streams.pop(address)[1].transport.abort()
