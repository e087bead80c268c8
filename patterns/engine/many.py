"""The same work for many items, such as seeds: in this process, or in those of any executor.

An executor is one of `concurrent.futures`: a pool of processes, or the cluster of a Dask client, which its
`get_executor()` gives. Work and results travel with cloudpickle, so a notebook's own classes and functions do too.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

import cloudpickle

Item = TypeVar("Item")
Result = TypeVar("Result")

TOGETHER = 4
"""Items that an executor gets as one task."""
AHEAD = 64
"""Tasks that wait or run at most: the items may be endless."""


def each(
    work: Callable[[Item], Result], items: Iterable[Item], executor: Executor | None = None
) -> Generator[tuple[Item, Result]]:
    """Each item with what `work` gives for it, in the order of the items, whatever the executor.

    Closed before its end, it cancels what has not begun.
    """
    if executor is None:
        yield from ((item, work(item)) for item in items)
        return
    packed, left = cloudpickle.dumps(work), iter(items)
    tasks: deque[tuple[list[Item], Future[bytes]]] = deque()
    try:
        while True:
            while len(tasks) < AHEAD and (some := [*islice(left, TOGETHER)]):
                tasks.append((some, executor.submit(_share, packed, cloudpickle.dumps(some))))
            if not tasks:
                return
            some, task = tasks[0]
            results = cloudpickle.loads(task.result())
            tasks.popleft()
            yield from zip(some, results, strict=True)
    finally:
        for _, task in tasks:
            task.cancel()


def _share(packed: bytes, items: bytes) -> bytes:
    work = _unpacked(packed)
    return bytes(cloudpickle.dumps([work(item) for item in cloudpickle.loads(items)]))


@lru_cache(4)
def _unpacked(packed: bytes) -> Callable[[Any], Any]:
    return cloudpickle.loads(packed)  # type: ignore[no-any-return]


def bar(of: int | None, what: str) -> Callable[[int], None]:
    """A line that is written over, in a terminal and in a notebook alike: call it with how many are done."""

    def draw(done: int) -> None:
        part = "" if of is None else f"{'█' * round(30 * done / of):░<30} "
        print(f"\r{part}{done:,}{'' if of is None else f' of {of:,}'} {what} ", end="", file=sys.stderr, flush=True)

    return draw
