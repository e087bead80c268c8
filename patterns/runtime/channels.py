"""Channels between the tasks of one event loop, as tokio has them: `mpsc` and `broadcast`, both bounded.

`mpsc` has many senders and one receiver; when it is full, its senders wait. With `broadcast` every receiver gets every
value. Its senders do not wait: a receiver that lags learns how many values it missed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """Nothing can be sent, or will ever come, through this channel any more."""


class Empty(Exception):
    """There is no value in the channel now; one may come."""


class Lagged(Exception):
    """A receiver was too slow: `missed` values are gone. The next one it gets is the oldest that is left."""

    def __init__(self, missed: int) -> None:
        super().__init__(f"{missed:,} values were missed")
        self.missed = missed


def _bounded(capacity: int) -> int:
    if capacity < 1:
        raise ValueError(f"capacity is {capacity}; it must be at least one value")
    return capacity


# Many senders, one receiver


def mpsc(capacity: int) -> tuple[Sender[T], Receiver[T]]:
    """A channel that holds up to `capacity` values: its first sender, and its receiver. Raises ValueError below one."""
    channel: _Mpsc[T] = _Mpsc(_bounded(capacity))
    return Sender(channel), Receiver(channel)


class _Mpsc(Generic[T]):
    def __init__(self, capacity: int) -> None:
        self.values: deque[T] = deque()
        self.room = asyncio.Semaphore(capacity)  # first come, first served
        self.senders = 0
        self.received_from = True
        self.changed = asyncio.Event()


class Sender(Generic[T]):
    """One of a channel's senders; to be closed, or used with `with`. The channel ends when all are closed."""

    def __init__(self, channel: _Mpsc[T]) -> None:
        self._channel = channel
        self._open = True
        channel.senders += 1

    def clone(self) -> Sender[T]:
        """Another sender of the same channel. Raises Closed when this one is closed."""
        self._check()
        return Sender(self._channel)

    async def send(self, value: T) -> None:
        """Send it, as soon as there is room. Raises Closed when nobody will receive it."""
        self._check()
        await self._channel.room.acquire()
        self._put(value)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._channel.senders -= 1
            self._channel.changed.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def _put(self, value: T) -> None:
        if not (self._open and self._channel.received_from):  # closed while it waited
            self._channel.room.release()  # which wakes the next one that waits, to the same end
            raise Closed
        self._channel.values.append(value)
        self._channel.changed.set()

    def _check(self) -> None:
        if not (self._open and self._channel.received_from):
            raise Closed


class Receiver(Generic[T]):
    """The receiving end: `recv`, or `async for` until all senders are closed and everything is received."""

    def __init__(self, channel: _Mpsc[T]) -> None:
        self._channel = channel

    async def recv(self) -> T:
        """The next value, waited for; a cancelled wait loses none. Raises Closed when no more will come."""
        while True:
            try:
                return self.try_recv()
            except Empty:
                self._channel.changed.clear()
                await self._channel.changed.wait()

    def try_recv(self) -> T:
        """The next value. Raises Empty while the channel is empty, Closed when no more values will come."""
        channel = self._channel
        if channel.values:
            channel.room.release()
            return channel.values.popleft()
        raise Empty if channel.senders and channel.received_from else Closed

    def close(self) -> None:
        """Take no more values: each sender gets an error. Values sent before can still be received."""
        self._channel.received_from = False
        self._channel.changed.set()
        self._channel.room.release()

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            try:
                yield await self.recv()
            except Closed:
                return


# Everything to everybody


class Broadcast(Generic[T]):
    """A channel that keeps the last `capacity` values for each of its subscribers. Raises ValueError below one."""

    def __init__(self, capacity: int) -> None:
        self._kept: deque[T] = deque(maxlen=_bounded(capacity))
        self._sent = 0
        self._closed = False
        self._subscribers: set[Subscriber[T]] = set()
        self._came_back = asyncio.Event()

    def subscribe(self) -> Subscriber[T]:
        """A receiver of all that is sent from now on. Raises Closed."""
        if self._closed:
            raise Closed
        subscriber = Subscriber(self)
        self._subscribers.add(subscriber)
        return subscriber

    @property
    def subscribers(self) -> int:
        """How many would receive what is sent now."""
        return len(self._subscribers)

    def send(self, value: T) -> int:
        """Send it to all subscribers; how many there are. Never waits. Raises Closed."""
        if self._closed:
            raise Closed
        self._kept.append(value)
        self._sent += 1
        for subscriber in self._subscribers:
            subscriber._waits = False
            subscriber._changed.set()
        return len(self._subscribers)

    async def drained(self) -> None:
        """Wait until every subscriber has received all values and asks for the next one."""
        while not all(each._waits or each._is_over for each in self._subscribers):
            self._came_back.clear()
            await self._came_back.wait()

    def close(self) -> None:
        """End it: subscribers still get what is kept for them."""
        self._closed = True
        for subscriber in self._subscribers:
            subscriber._changed.set()


class Subscriber(Generic[T]):
    """A receiver of a broadcast: made by `Broadcast.subscribe`."""

    def __init__(self, channel: Broadcast[T]) -> None:
        self._channel = channel
        self._next = channel._sent
        self._changed = asyncio.Event()
        self._waits = False
        """Whether it has taken all that was sent, and asked for more."""

    async def recv(self) -> T:
        """The next value, waited for; a cancelled wait loses none.

        Raises Lagged, once, when values were missed; Closed when no more will come.
        """
        channel = self._channel
        while self._next == channel._sent and not self._is_over:
            self._waits = True
            channel._came_back.set()
            self._changed.clear()
            await self._changed.wait()
        if self._is_over:
            raise Closed
        oldest = channel._sent - len(channel._kept)
        if self._next < oldest:
            missed, self._next = oldest - self._next, oldest
            raise Lagged(missed)
        value = channel._kept[self._next - oldest]
        self._next += 1
        return value

    def close(self) -> None:
        """Receive no more."""
        self._channel._subscribers.discard(self)
        self._channel._came_back.set()
        self._changed.set()

    @property
    def _is_over(self) -> bool:
        """Whether it left, or the channel ended and it has everything."""
        channel = self._channel
        return self not in channel._subscribers or (channel._closed and self._next == channel._sent)


def broadcast(capacity: int) -> Broadcast[T]:
    """A channel whose subscribers may lag `capacity` values behind. Raises ValueError below one."""
    return Broadcast(capacity)
