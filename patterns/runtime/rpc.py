"""Requests and answers over TCP: a server that answers one message after the other, and a connection that asks.

Both bind and connect to loopback unless told otherwise.
"""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import msgspec

from .checks import open_files
from .here import require
from .wire import Wire, WireError

LOOPBACK = "127.0.0.1"
PATIENCE = 5.0
"""Seconds within which a frame must come as a whole, and a connection must prove who it is if it has to."""
CONNECTIONS = 1024
"""Connections to a server at most, or half as many as its process may open files: a disk needs some, too."""
DEADLINE = 5.0
"""Seconds that an answer may take, connecting included."""


class Refused(msgspec.Struct, frozen=True, tag=True):
    """What a server says before it closes a connection on which the protocol was broken."""

    reason: str


@contextmanager
def served(
    writer: StreamWriter, connections: dict[asyncio.Task[Any], StreamWriter], wire: Wire[Any], refused: deque[str]
) -> Iterator[None]:
    """While this task serves a connection: it is one of the `connections`, and is closed at the end.

    If the other side breaks the protocol, it is told why, as far as it still listens; `refused` notes it.
    """
    task = asyncio.current_task()
    assert task is not None
    connections[task] = writer
    try:
        yield
    except WireError as problem:
        refused.append(str(problem))
        with suppress(WireError):  # where not even the reason fits into a frame
            writer.write(wire.encode(Refused(str(problem))))
    except ConnectionError:
        pass  # the other side is gone: nobody is left to be told
    finally:
        del connections[task]
        writer.close()


def most_connections() -> int:
    return min(CONNECTIONS, (open_files() or 2 * CONNECTIONS) // 2)


def refuse_more(connections: Collection[object], most: int, who: str) -> None:
    """Raises WireError if there are more connections than allowed, the new one included."""
    if len(connections) > most:
        raise WireError(f"{who} has {most:,} connections, and takes no more")


class Server:
    """Answers requests: `answer(message)` gives the answer, or raises WireError to refuse the message.

    A connection that breaks the protocol is told why, as far as it still listens, and closed; the others go on.
    """

    def __init__(
        self, messages: Any, answer: Callable[[Any], Any], *, host: str = LOOPBACK, port: int = 0, **frames: Any
    ) -> None:
        self.wire: Wire[Any] = Wire(messages | Refused, **frames)
        self.answer = answer
        self.host = host
        self.port = port
        """0: any free one, chosen when it starts."""
        self.refused: deque[str] = deque(maxlen=16)
        """Why the last connections were closed."""
        self.connections = most_connections()
        self._listening: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[Any], StreamWriter] = {}

    async def start(self) -> Self:
        """Listen. Raises OSError when the address cannot be had."""
        require("sockets")
        if self._listening is None:
            self._listening = await asyncio.start_server(self._serve, self.host, self.port)
            self.host, self.port = self._listening.sockets[0].getsockname()[:2]
        return self

    async def close(self) -> None:
        """Stop listening and end every connection; nothing is left behind."""
        listening, self._listening = self._listening, None
        if listening is None:
            return
        listening.close()
        for writer in self._connections.values():
            writer.transport.abort()  # which ends the task that serves it
        await asyncio.gather(*self._connections, return_exceptions=True)
        await listening.wait_closed()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self._listening is None:  # accepted in the last moment
            writer.transport.abort()
            return
        with served(writer, self._connections, self.wire, self.refused):
            refuse_more(self._connections, self.connections, "this server")
            while (message := await self.wire.read(reader, PATIENCE)) is not None:
                writer.write(self.wire.encode(self.answer(message)))
                await writer.drain()


class Connection:
    """Asks a server, one request at a time; connects when first asked, and again after a failure."""

    def __init__(self, messages: Any, host: str, port: int, *, deadline: float = DEADLINE, **frames: Any) -> None:
        if deadline <= 0:
            raise ValueError(f"deadline is {deadline}; it must be more than 0 seconds")
        self.wire: Wire[Any] = Wire(messages | Refused, **frames)
        self.host = host
        self.port = port
        self.deadline = deadline
        self._turn = asyncio.Lock()
        self._streams: tuple[StreamReader, StreamWriter] | None = None

    async def ask(self, message: Any) -> Any:
        """The server's answer. After a failure it is not known whether the server acted on the request.

        Raises WireError when one side refused what the other sent, ConnectionError when there is no server or it
        closed, TimeoutError when it did not answer before the deadline.
        """
        frame = self.wire.encode(message)
        async with self._turn:
            try:
                async with asyncio.timeout(self.deadline):
                    answer = await self._exchange(frame)
            except TimeoutError:
                self._drop()
                raise TimeoutError(f"{self.host}:{self.port} did not answer {message} in {self.deadline} s") from None
            except BaseException:
                self._drop()  # an answer that comes late must not be taken for that of the next request
                raise
        if answer is None:
            raise ConnectionError(f"{self.host}:{self.port} closed the connection before it answered {message}")
        if isinstance(answer, Refused):
            raise WireError(f"{self.host}:{self.port} refused {message}: {answer.reason}")
        return answer

    async def close(self) -> None:
        """Close it. A later request connects again."""
        async with self._turn:
            streams = self._streams
            self._drop()
            if streams is not None:
                with suppress(ConnectionError):
                    await streams[1].wait_closed()

    async def _exchange(self, frame: bytes) -> Any:
        if self._streams is None:
            require("sockets")
            self._streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self._streams
        writer.write(frame)
        await writer.drain()
        answer = await self.wire.read(reader)
        if answer is None or isinstance(answer, Refused):
            self._drop()
        return answer

    def _drop(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
