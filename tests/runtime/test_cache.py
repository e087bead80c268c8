"""The cache tier for real: three servers become four while a client reads. Where keys live is any function."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from hashlib import blake2b
from typing import Any, TypeVar

import pytest

from patterns.consistent_hashing import Modulo, Ring
from patterns.engine.linearizable import Get as Read
from patterns.engine.linearizable import KeyValueStore, Recorder, check
from patterns.engine.linearizable import Put as Write
from patterns.runtime.cache import CacheCluster, Counts, Get, Hit, Set, Stored

KEYS = [f"key-{number}" for number in range(120)]
T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    async def before_the_deadline() -> T:
        async with asyncio.timeout(60):
            result = await work
        for _ in range(3):  # what was closed has its last callbacks
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    return asyncio.run(before_the_deadline())


def by_modulo(names: str) -> Callable[[str], str]:
    return lambda key: names[int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") % len(names)]


def test_a_miss_is_filled_from_the_origin_so_that_the_next_read_hits() -> None:
    async def work() -> None:
        asked: list[str] = []

        def origin(key: str) -> str:
            asked.append(key)
            return f"value of {key}"

        async with CacheCluster(["A"]) as cluster:
            client = cluster.client(lambda key: "A", origin)
            assert [await client.read("k"), await client.read("k")] == ["value of k"] * 2
            assert asked == ["k"]
            assert await cluster.counts() == {"A": Counts(keys=1, hits=1, misses=1)}

    run(work())


def test_an_empty_value_is_a_value() -> None:
    async def work() -> None:
        async with CacheCluster(["A"]) as cluster:
            client = cluster.client(lambda key: "A")
            assert await client.ask("A", Set("k", "")) == Stored()
            assert await client.ask("A", Get("k")) == Hit("")

    run(work())


@pytest.mark.parametrize("router", [Ring, Modulo])
def test_the_share_of_keys_that_move_is_what_the_router_says(router: Any) -> None:
    async def work() -> None:
        three, four = router(["A", "B", "C"]), router(["A", "B", "C", "D"])
        predicted = {key for key in KEYS if three.lookup(key) != four.lookup(key)}
        async with CacheCluster(["A", "B", "C"]) as cluster:
            client = cluster.client(three.lookup)
            cold, warm = await client.read_all(KEYS), await client.read_all(KEYS)
            assert (cold.hits, cold.misses, warm.hits, warm.misses) == (0, len(KEYS), len(KEYS), 0)
            await cluster.start("D")
            client.place = four.lookup
            grown = await client.read_all(KEYS)
            assert grown.moved == grown.missed == predicted
            assert grown.share_moved == len(predicted) / len(KEYS)
            counts = await cluster.counts()
            assert sum(count.misses for count in counts.values()) == len(KEYS) + len(predicted)
            assert counts["D"].keys == sum(four.lookup(key) == "D" for key in KEYS)

    run(work())


def test_no_read_fails_while_a_fourth_server_joins() -> None:
    async def work() -> None:
        async with CacheCluster("ABC") as cluster:
            client = cluster.client(by_modulo("ABC"), origin=str.title)
            async with client.reading(KEYS) as reads:
                assert reads.missed == set(KEYS), "a whole round is read before the body"
                await cluster.start("D")
                client.place = by_modulo("ABCD")
            moved = {key for key in KEYS if by_modulo("ABC")(key) != by_modulo("ABCD")(key)}
            assert reads.moved == moved, "a whole round is read after the body"
            assert reads.misses == len(KEYS) + len(moved)
            assert (reads.hits + reads.misses) % len(KEYS) == 0

    run(work())


def test_a_read_that_fails_ends_the_reading_with_its_error() -> None:
    async def work() -> None:
        async with CacheCluster("AB") as cluster:
            client = cluster.client(by_modulo("AB"))

            async def for_ever() -> None:
                async with client.reading(KEYS):
                    client.place = lambda key: "E"
                    await asyncio.Event().wait()

            with pytest.raises(ValueError, match="no server 'E' is running; A, B are"):
                await for_ever()

    run(work())


def test_an_error_in_the_body_ends_the_reading() -> None:
    async def work() -> None:
        async with CacheCluster("AB") as cluster:
            with pytest.raises(KeyError, match="mine"):
                async with cluster.client(by_modulo("AB")).reading(KEYS):
                    raise KeyError("mine")

    run(work())


def test_a_server_that_was_stopped_comes_back_empty_and_is_found_again() -> None:
    async def work() -> None:
        async with CacheCluster(["A"]) as cluster:
            client = cluster.client(lambda key: "A")
            await client.read("k")
            await cluster.stop("A")
            with pytest.raises(ValueError, match="no server 'A' is running; none are"):
                await client.read("k")
            await cluster.start("A")
            assert (await client.read_all(["k"])).misses == 1

    run(work())


def test_what_many_clients_saw_of_the_real_servers_is_linearizable() -> None:
    """Each key lives on one server, which answers one request at a time (locality, Herlihy & Wing 1990, Theorem 1)."""

    async def work() -> Recorder:
        history = Recorder()
        keys = KEYS[:3]

        async with CacheCluster("ABC") as cluster:

            async def writer_and_reader(name: str) -> None:
                client = cluster.client(by_modulo("ABC"))
                for turn in range(20):
                    key = keys[turn % len(keys)]
                    value = f"{name}{turn}"
                    number = history.call(name, Write(key, value))
                    await client.ask(client.place(key), Set(key, value))
                    history.returned(number)
                    number = history.call(name, Read(key))
                    answer = await client.ask(client.place(key), Get(key))
                    history.returned(number, answer.value)

            async with asyncio.TaskGroup() as group:
                for name in "pqrst":
                    group.create_task(writer_and_reader(name))
        return history

    verdict = check(run(work()).operations, KeyValueStore())
    assert verdict, str(verdict)


def test_a_cluster_that_cannot_start_leaves_nothing_running() -> None:
    async def work() -> None:
        cluster = CacheCluster(["A"], host="256.256.256.256")
        with pytest.raises(OSError, match=r".*"):
            await cluster.__aenter__()
        assert not cluster.servers

    run(work())


def test_bad_names_are_refused() -> None:
    async def work() -> None:
        with pytest.raises(ValueError, match="names has A more than once"):
            CacheCluster(["A", "B", "A"])
        async with CacheCluster(["A"]) as cluster:
            with pytest.raises(ValueError, match="name is 'A'; a server of that name runs already"):
                await cluster.start("A")
            with pytest.raises(ValueError, match="no server 'E' is running; A are"):
                await cluster.client(lambda key: "E").read("k")
            with pytest.raises(ValueError, match="no server 'B' is running; A are"):
                await cluster.stop("B")

    run(work())
