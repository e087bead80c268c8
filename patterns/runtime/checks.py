"""Checks before the first OS process starts: a cluster that has no chance to run is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence

from patterns.engine.process import Process

from .cells import MODULE


def refuse_names(names: Sequence[str]) -> None:
    """Raises ValueError for two equal names, and for a name that is not allowed in a file's name."""
    if not names or len({name.casefold() for name in names}) < len(names):
        raise ValueError(f"processes are {names}; allowed are one or more, each with a name of its own")
    for name in names:
        if not re.fullmatch(r"\w[\w .-]{0,99}", name):
            raise ValueError(f"id is {name!r}; allowed are up to 100 letters, digits, spaces, dots, _ and -")


def refuse_lost(process: Process) -> None:
    """Raises ValueError for a process with values that an OS process is not started with: those of its memory."""
    started = process.crashed()
    for field in process.__struct_fields__:
        if getattr(process, field) != getattr(started, field):
            raise ValueError(
                f"{process.id}.{field} is {getattr(process, field)!r}, in memory only: it would start as "
                f"{getattr(started, field)!r}; what a process is built with has no default, or `setting(...)`"
            )


def class_path(kind: type[Process]) -> str:
    """The class as `module:Name`; one of `__main__` goes along as source, see `cells`.

    Raises ValueError for a class inside a function or a class, which no other OS process can import.
    """
    if "." in kind.__qualname__:
        raise ValueError(
            f"{kind.__qualname__} is defined inside another function or class: only a class at the top level of a "
            f"module or a cell can be imported"
        )
    return f"{MODULE if kind.__module__ == '__main__' else kind.__module__}:{kind.__name__}"


def open_files() -> int | None:
    """How many files and connections this OS process may have open; None for an unknown or missing bound."""
    try:
        from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit
    except ImportError:  # on Windows
        return None
    soft, _ = getrlimit(RLIMIT_NOFILE)
    return None if soft == RLIM_INFINITY else soft
