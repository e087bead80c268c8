"""A writer as an OS process: `python -m patterns.event_sourcing FILE NAME ROUNDS [FULL|NORMAL|OFF]`.

It says `ready` and waits for a line. Then it tries to write each version of the stream `race`, and prints each version
that the store has acknowledged.
"""

from __future__ import annotations

import sys

from .sqlite_store import SqliteStore
from .store import NewEvent, WrongVersion


def write(file: str, name: str, rounds: str, synchronous: str = "FULL") -> None:
    store = SqliteStore(file, synchronous, wait=60)  # type: ignore[arg-type]  # the store checks it
    print("ready", flush=True)
    sys.stdin.readline()
    for version in range(int(rounds)):
        try:
            store.append("race", [NewEvent(f"{name}{version}", "written", "{}")], version - 1)
        except WrongVersion:
            continue
        print(version, flush=True)


if __name__ == "__main__":
    write(*sys.argv[1:])
