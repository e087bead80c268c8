"""A process with durable fields of every kind, for the tests of disks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st

from patterns.engine.process import Process, durable
from patterns.runtime import Disk, SqliteDisk

AnyDisk = Disk | SqliteDisk


class Account(msgspec.Struct, frozen=True):
    owner: str
    balance: int


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Prepared(msgspec.Struct, frozen=True, tag=True):
    transaction: int
    order: tuple[str, ...]
    """A column with a name that is a word of SQL."""
    note: str | None = None


class Decided(msgspec.Struct, frozen=True, tag="decided"):
    transaction: str
    """A number in the other struct."""
    commit: bool
    share: float = 0.0


class Ended(msgspec.Struct, frozen=True, tag=True):
    pass


class Bank(Process):
    """Durable fields of every kind, and one that is in memory."""

    accounts: tuple[Account, ...] = durable(())
    log: tuple[Prepared | Decided | Ended, ...] = durable(())
    epoch: int = durable(0)
    leader: str | None = durable(None)
    either: int | str = durable(0)
    open: bool | None = durable(None)
    key: bytes = durable(b"")
    colour: Colour = durable(Colour.RED)
    holds: frozenset[str] = durable(frozenset())
    last: Prepared | Decided | None = durable(None)
    pairs: tuple[tuple[str, int], ...] = durable(())
    in_memory: int = 0


floats = st.floats(allow_nan=False).map(lambda number: number + 0.0)  # -0.0 equals 0.0: no change
whole = st.integers(-(2**63), 2**63 - 1)
words = st.text(max_size=12)
accounts = st.builds(Account, words, whole)
prepared = st.builds(Prepared, whole, st.lists(words, max_size=3).map(tuple), st.none() | words)
decided = st.builds(Decided, words, st.booleans(), floats)
banks = st.builds(
    Bank,
    id=st.just("B"),
    accounts=st.lists(accounts, max_size=4).map(tuple),
    log=st.lists(prepared | decided | st.just(Ended()), max_size=5).map(tuple),
    epoch=whole,
    leader=st.none() | words,
    either=whole | words,
    open=st.none() | st.booleans(),
    key=st.binary(max_size=6),
    colour=st.sampled_from(Colour),
    holds=st.frozensets(words, max_size=3),
    last=st.none()
    | prepared
    | st.builds(Decided, words, st.booleans(), st.floats(allow_nan=False, allow_infinity=False)),
    pairs=st.lists(st.tuples(words, whole), max_size=3).map(tuple),
)


def values(bank: Process | None) -> Any:
    """The durable fields with their types: 1, 1.0 and True are three values."""
    return None if bank is None else msgspec.msgpack.encode(bank.disk, order="deterministic")


@contextmanager
def opened(kind: type[AnyDisk], folder: Path | str) -> Iterator[AnyDisk]:
    with closing(kind(Path(folder) / "B")) as disk:
        yield disk


OLD = Bank(id="B", accounts=(Account("a", 100), Account("b", 0)), leader="old" * 2000, epoch=1)
NEW = Bank(id="B", accounts=(Account("a", 60), Account("b", 40), Account("c", 0)), leader="new" * 3000, epoch=2)
