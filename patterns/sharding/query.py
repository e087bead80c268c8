"""A question to all shards: what each shard answers, and how the answers become one.

    page    offset and limit: each shard gives offset + limit rows, and the page is cut once, at the end
    top     the senders with most parcels: a sender's parcels lie on several shards, so each shard gives all its sums
    mean    parcels for each pigeonhole: each shard gives sum and count

The router puts the parts of all shards together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from patterns.engine.process import Message

Kind = Literal["page", "top", "mean"]
Item = tuple[str, float]


class Parcel(Message):
    """A row: how many parcels of a sender lie at a key."""

    key: str
    sender: str
    parcels: int


class Question(Message):
    """A client's question about all shards. `page`: rows `offset` to `offset + limit`. `top`: so many as `limit`."""

    serial: int
    kind: Kind = "page"
    limit: int = 2
    offset: int = 0


def ordered(items: Iterable[Item]) -> tuple[Item, ...]:
    """Most parcels first; of as many, by name, so that two pages never show one row."""
    return tuple(sorted(items, key=lambda item: (-item[1], item[0])))


def leg(question: Question, rows: Sequence[Parcel]) -> tuple[Item, ...]:
    """What one shard answers."""
    if question.kind == "mean":
        return ("sum", sum(row.parcels for row in rows)), ("count", len(rows))
    if question.kind == "top":
        return sums((row.sender, row.parcels) for row in rows)
    return ordered((row.key, row.parcels) for row in rows)[: question.offset + question.limit]


def merged(question: Question, legs: Iterable[tuple[Item, ...]]) -> tuple[Item, ...]:
    """The answer, of what the shards answered."""
    every = [item for each in legs for item in each]
    if question.kind == "mean":
        whole = dict(sums(every))
        return (("mean", whole.get("sum", 0) / (whole.get("count", 0) or 1)),)
    if question.kind == "top":
        return sums(every)[: question.limit]
    return ordered(every)[question.offset : question.offset + question.limit]


def sums(items: Iterable[Item]) -> tuple[Item, ...]:
    whole = Counter[str]()
    for name, value in items:
        whole[name] += value  # type: ignore[assignment]
    return ordered(whole.items())


def slow(legs: int, chance: float = 0.01, tries: int = 1) -> float:
    """How likely a question is slow that waits for all its legs, each slow by this chance and independently.

    With `tries` each slow leg is asked for again, elsewhere (Dean and Barroso, "The Tail at Scale", 2013).

    >>> round(slow(100), 3), round(slow(10), 3), round(slow(100, tries=2), 3)
    (0.634, 0.096, 0.01)
    """
    return 1 - (1 - chance**tries) ** legs
