"""A pool of processes for searches and sweeps over seeds: `random_worlds(machine, range(1_000), executor=pool)`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context

from .here import require


@contextmanager
def processes(workers: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """A pool of `workers` processes, by default one for each processor. No process of it outlives the `with`.

    A notebook's stop button ends the search and not the workers: they ignore it. What waits is then cancelled. A script
    that uses it needs `if __name__ == "__main__":`, as every pool does.
    """
    require("processes of an operating system")
    context = get_context("forkserver" if os.name == "posix" else "spawn")
    if os.name == "posix":
        _serve_forks_that_ignore_stop()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_stop)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _serve_forks_that_ignore_stop() -> None:
    """Start the server that forks the workers, with the stop button ignored from the first moment.

    A worker that is still starting when the button is pressed would end, and its pool would wait for it for ever.
    """
    from multiprocessing import forkserver

    with suppress(ValueError):  # not in the main thread: then each worker ignores it once it has started
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            forkserver.ensure_running()
        finally:
            signal.signal(signal.SIGINT, before)


def _ignore_stop() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
