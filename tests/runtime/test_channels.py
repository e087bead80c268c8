"""Channels as tokio documents them: tokio::sync::mpsc and tokio::sync::broadcast."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patterns.runtime.channels import Broadcast, Closed, Empty, Lagged, Receiver, Sender, broadcast, mpsc

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(10):
            return await work

    return asyncio.run(bounded())


async def others_move() -> None:
    """Let every other task run as far as it gets by itself."""
    for _ in range(10):
        await asyncio.sleep(0)


def ints(capacity: int) -> tuple[Sender[int], Receiver[int]]:
    return mpsc(capacity)


# mpsc


def test_values_come_in_the_order_they_were_sent_and_end_when_all_senders_are_gone() -> None:
    async def scenario() -> list[int]:
        sender, receiver = ints(3)
        with sender, sender.clone() as other:
            await sender.send(1)
            await other.send(2)
            await sender.send(3)
        return [value async for value in receiver]

    assert run(scenario()) == [1, 2, 3]


def test_the_channel_is_open_as_long_as_one_sender_is() -> None:
    async def scenario() -> None:
        sender, receiver = ints(1)
        other = sender.clone()
        sender.close()
        sender.close()  # closing twice counts once
        with pytest.raises(Empty):
            receiver.try_recv()
        other.close()
        with pytest.raises(Closed):
            receiver.try_recv()
        with pytest.raises(Closed):
            await sender.send(1)
        with pytest.raises(Closed):
            sender.clone()

    run(scenario())


def test_a_full_channel_makes_its_sender_wait_until_there_is_room() -> None:
    async def scenario() -> None:
        sender, receiver = ints(2)
        sent: list[int] = []

        async def send_all() -> None:
            for value in range(5):
                await sender.send(value)
                sent.append(value)

        task = asyncio.create_task(send_all())
        await others_move()
        assert sent == [0, 1]  # back-pressure
        assert await receiver.recv() == 0
        await others_move()
        assert sent == [0, 1, 2]
        assert [await receiver.recv() for _ in range(4)] == [1, 2, 3, 4]
        await task

    run(scenario())


def test_who_waits_to_send_is_told_when_the_receiver_closes_and_what_was_sent_still_comes() -> None:
    async def scenario() -> None:
        sender, receiver = ints(1)
        await sender.send(1)
        waiting = [asyncio.create_task(sender.clone().send(value)) for value in (2, 3, 4)]
        await others_move()
        receiver.close()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [Closed] * 3
        assert [value async for value in receiver] == [1]

    run(scenario())


def test_a_receiver_that_waits_is_woken_by_a_value_and_by_the_end() -> None:
    async def scenario() -> None:
        sender, receiver = ints(1)
        waiting = asyncio.create_task(receiver.recv())
        await others_move()
        await sender.send(7)
        assert await waiting == 7
        waiting = asyncio.create_task(receiver.recv())
        await others_move()
        sender.close()
        with pytest.raises(Closed):
            await waiting

    run(scenario())


def test_a_wait_that_is_cancelled_loses_no_value() -> None:
    async def scenario() -> None:
        sender, receiver = ints(1)
        waiting = asyncio.create_task(receiver.recv())
        await others_move()
        await sender.send(1)
        waiting.cancel()  # the value is there, and the task has not run yet
        await asyncio.gather(waiting, return_exceptions=True)
        assert receiver.try_recv() == 1
        await sender.send(2)
        late = asyncio.create_task(sender.send(3))
        await others_move()
        late.cancel()
        await asyncio.gather(late, return_exceptions=True)
        assert await receiver.recv() == 2
        await sender.send(4)  # the cancelled one left its room to others
        assert await receiver.recv() == 4

    run(scenario())


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(1, 5))
def test_nothing_is_lost_and_each_senders_order_is_kept(senders: list[int], capacity: int) -> None:
    async def scenario() -> list[tuple[int, int]]:
        channel: tuple[Sender[tuple[int, int]], Receiver[tuple[int, int]]] = mpsc(capacity)
        first, receiver = channel

        async def send(number: int) -> None:
            with first.clone() as own:
                for value in range(senders.count(number)):
                    await own.send((number, value))

        tasks = [asyncio.create_task(send(number)) for number in range(4)]
        await others_move()
        first.close()
        received = [value async for value in receiver]
        await asyncio.gather(*tasks)
        return received

    received = run(scenario())
    for number in range(4):
        assert [value for who, value in received if who == number] == list(range(senders.count(number)))
    assert len(received) == len(senders)


# broadcast


def test_every_subscriber_gets_everything_sent_after_it_subscribed() -> None:
    async def scenario() -> None:
        channel: Broadcast[str] = broadcast(4)
        assert channel.send("before anybody") == 0
        one = channel.subscribe()
        assert channel.send("a") == 1
        two = channel.subscribe()
        assert channel.send("b") == 2
        channel.close()
        assert [await one.recv(), await one.recv(), await two.recv()] == ["a", "b", "b"]
        for subscriber in (one, two):
            with pytest.raises(Closed):
                await subscriber.recv()
        with pytest.raises(Closed):
            channel.send("c")
        with pytest.raises(Closed):
            channel.subscribe()

    run(scenario())


def test_a_subscriber_that_lags_is_told_how_many_it_missed_and_goes_on_with_the_oldest_left() -> None:
    # tokio::sync::broadcast, "Lagging": RecvError::Lagged(n), then the oldest value still in the channel
    async def scenario() -> None:
        channel: Broadcast[int] = broadcast(2)
        slow, quick = channel.subscribe(), channel.subscribe()
        for value in range(5):
            channel.send(value)  # never waits
            assert await quick.recv() == value
        with pytest.raises(Lagged) as lag:
            await slow.recv()
        assert lag.value.missed == 3
        assert [await slow.recv(), await slow.recv()] == [3, 4]

    run(scenario())


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 5))
def test_what_a_subscriber_got_and_what_it_was_told_to_have_missed_is_all_there_was(
    sends: list[bool], capacity: int
) -> None:
    async def scenario() -> tuple[int, int]:
        channel: Broadcast[int] = broadcast(capacity)
        subscriber = channel.subscribe()
        sent = expected = 0

        async def receive() -> int:
            nonlocal expected
            try:
                value = await subscriber.recv()
            except Lagged as lag:
                expected += lag.missed
                value = await subscriber.recv()
            assert value == expected
            expected += 1
            return value

        for send in sends:
            if send:
                channel.send(sent)
                sent += 1
            elif expected < sent:
                await receive()
        while expected < sent:
            await receive()
        return sent, expected

    sent, expected = run(scenario())
    assert sent == expected


def test_a_subscriber_that_waits_is_woken_and_one_that_left_is_not_counted() -> None:
    async def scenario() -> None:
        channel: Broadcast[int] = broadcast(1)
        staying, leaving = channel.subscribe(), channel.subscribe()
        waits = [asyncio.create_task(each.recv()) for each in (staying, leaving)]
        await others_move()
        leaving.close()
        assert channel.send(1) == 1
        assert await waits[0] == 1
        with pytest.raises(Closed):
            await waits[1]

    run(scenario())


@pytest.mark.parametrize("make", [mpsc, broadcast])
@pytest.mark.parametrize("capacity", [0, -1])
def test_a_channel_holds_at_least_one_value(make: Any, capacity: int) -> None:
    with pytest.raises(ValueError, match=f"capacity is {capacity}; it must be at least one"):
        make(capacity)
