"""Three exercises: what a quorum read answers, how two versions stand to each other, and what a write replaces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from patterns.engine.exercise import Answer, Case, Exercise, Rule, Told, mistakes_of
from patterns.engine.planted import Scripted, Search, planted
from patterns.replication.client import one_copy
from patterns.replication.machines import Quorum
from patterns.replication.merging import Copy
from patterns.replication.properties import few_siblings, shown_after_write
from patterns.replication.quorum import Keeper, Version
from patterns.replication.versions import Dotted, Vector, compare, next_dot

from .broken import BUGS, READERS, merging

# A quorum read

# Versions: number, replica, value. Two have one number: the replica's name decides.
HELD = ((0, "", ""), (1, "Ann", "tea"), (1, "Ben", "bread"), (2, "Ann", "milk"))


def read_cases() -> Iterator[Case]:
    """(answers so far, how many are needed), few answers first. Answers are pairs; each call gets a new dictionary."""
    for count in range(4):
        for held in product(HELD, repeat=count):
            replies = tuple(zip(("Cem", "Ann", "Ben"), held, strict=False))
            yield from ((replies, need) for need in (1, 2, 3))


def _answering(choose: Rule, keep: Rule = lambda name, version, newest: version != newest) -> Rule:
    """A rule that answers `choose(versions)` and writes back where `keep` says so."""

    def rule(replies: Mapping[str, Any], need: int) -> Any:
        if len(replies) < need:
            return "wait"
        newest = choose([*replies.values()])
        return newest, [name for name, version in replies.items() if keep(name, version, newest)]

    return rule


def _newest(versions: list[Any]) -> Any:
    return max(versions, key=lambda version: version[:2])


read_solution = _answering(_newest)
# The highest version, and the replicas that hold an older one; `wait` while too few have answered (Dynamo 4.5, ABD 3).


def _same_read(right: Any, given: Any) -> bool:
    if "wait" in (right, given):
        return bool(right == given)
    return tuple(given[0]) == right[0] and sorted(given[1]) == sorted(right[1])


def _tell_read(case: Case, right: Any, answer: Answer) -> Told:
    replies, need = case
    said = ", ".join(f"{who} has {version}" for who, version in replies) or "no phone has answered"
    return Told(f"`need` is {need}, and {said}")


def _reading(rule: Rule, machine: Any) -> Any:
    """The machine with coordinators that read by this rule."""

    class Mine(Keeper):
        def mine(self, held: Mapping[str, Version]) -> Any:
            return rule({name: (v.number, v.by, v.value) for name, v in held.items()}, self.need[0])

        def newest(self, held: Mapping[str, Version]) -> Version:
            return Version(*self.mine(held)[0])

        def must_write_back(self, held: Mapping[str, Version], newest: Version) -> bool:
            return bool([*self.mine(held)[1]])

    return planted(machine, keeper=Mine)


def _most_frequent(versions: list[Any]) -> Any:
    return Counter(versions).most_common(1)[0][0]


READ_MISTAKES: Mapping[str, Rule | Sequence[Rule]] = {
    "too few": lambda replies, need: read_solution(replies, 1),
    "does not wait": lambda replies, need: read_solution(replies, 0),
    "too many": lambda replies, need: read_solution(replies, need + 1),
    "the version alone": lambda replies, need: _newest([*replies.values()]) if len(replies) >= need else "wait",
    "the most frequent": [_answering(_most_frequent, *keep) for keep in ([], [lambda *each: False])],
    "the first": _answering(lambda versions: versions[0]),
    "by the number alone": _answering(lambda versions: max(versions, key=lambda version: version[0])),
    "by the value": _answering(lambda versions: max(versions, key=lambda version: version[2])),
    "no write-back": _answering(_newest, lambda *_: False),
    "all are written": _answering(_newest, lambda *_: True),
    "the new are written": _answering(_newest, lambda name, version, newest: version == newest),
    "equal numbers stay": _answering(_newest, lambda name, version, newest: version[0] < newest[0]),
}
READ = Exercise(
    "read_quorum",
    read_solution,
    read_cases,
    mistakes_of(
        __package__, "read_quorum", READ_MISTAKES, {"no write-back": BUGS["a read does not write back"].search}
    ),
    _tell_read,
    right=lambda replies, need: read_solution(dict(replies), need),
    same=_same_read,
    prepare=lambda case: (dict(case[0]), case[1]),
    what="sets of answers",
    put=_reading,
    searches=[Search(Quorum(**READERS), (one_copy,))],
    otherwise=Scripted(Quorum(**READERS), lambda run: run.ask("X").ask("Y").finish()),
)


# Two versions


def vector_cases() -> Iterator[Case]:
    """Two vectors over up to three replicas, with counts up to 2; a count of 0 may be left out."""
    vectors = [
        tuple((name, count) for name, count in zip("xyz", counts, strict=True) if count is not None)
        for counts in product((None, 0, 1, 2), (None, 1, 2), (None, 1))
    ]
    yield from sorted(product(vectors, repeat=2), key=lambda pair: len(pair[0]) + len(pair[1]))


def _all(lower: Rule) -> Rule:
    """The order of two vectors by `lower`, which compares all counts of one with those of the other."""

    def rule(a: Vector, b: Vector) -> str:
        return "same" if a == b else "before" if lower(a, b) else "after" if lower(b, a) else "concurrent"

    return rule


def _lower(a: Any, b: Any) -> bool:
    return any(a.get(name, 0) < b.get(name, 0) for name in {*a, *b})


COMPARE_MISTAKES: Mapping[str, Rule] = {
    "missing is equal": lambda a, b: compare({n: a[n] for n in a if n in b}, {n: b[n] for n in b if n in a}),
    "missing is an error": _all(lambda a, b: all(a[n] <= b[n] for n in a)),
    "missing is another": _all(lambda a, b: all(n in b and a[n] <= b[n] for n in a)),
    "0 is another": _all(lambda a, b: all(a[n] <= b.get(n, 0) for n in a)),
    "lower everywhere": _all(lambda a, b: all(a.get(n, 0) < b.get(n, 0) for n in {*a, *b})),
    "by the sum": lambda a, b: compare({"": sum(a.values())}, {"": sum(b.values())}),
    "turned round": lambda a, b: compare(b, a),
    "one lower count": lambda a, b: "before" if _lower(a, b) else "after" if _lower(b, a) else "same",
    "never concurrent": lambda a, b: "after" if compare(a, b) == "concurrent" else compare(a, b),
}
COMPARE = Exercise(
    "compare",
    compare,
    vector_cases,
    mistakes_of(__package__, "compare", COMPARE_MISTAKES),
    lambda case, right, answer: Told(f"a is {dict(case[0])}, b is {dict(case[1])}"),
    right=lambda a, b: compare(dict(a), dict(b)),
    prepare=lambda case: (dict(case[0]), dict(case[1])),
    what="pairs",
)


# What a write replaces


def sync_cases() -> Iterator[Case]:
    """(context, new value with its dot, stored values with their dots), few values first."""
    dots = (("Ann", 1), ("Ann", 2), ("Ben", 1))
    for chosen in sorted(product((False, True), repeat=3), key=sum):
        stored = tuple((dot, f"{dot[0]}{dot[1]}") for dot, there in zip(dots, chosen, strict=True) if there)
        for ann, ben in product((0, 1, 2), (0, 1)):
            context = tuple((name, count) for name, count in (("Ann", ann), ("Ben", ben)) if count)
            yield context, (("Ann", 3), "new"), stored


def sync_solution(context: Mapping[str, int], new: Any, stored: Sequence[Any]) -> list[Any]:
    """The stored values whose dots the context does not cover, and the new one (Preguiça et al. 2012)."""
    return [(dot, value) for dot, value in stored if dot[1] > context.get(dot[0], 0)] + [new]


def _keeping(keep: Rule) -> Rule:
    return lambda context, new, stored: [each for each in stored if keep(context, *each[0])] + [new]


def _syncing(rule: Rule, machine: Any) -> Any:
    """The machine with replicas that take writes by this rule."""

    class Mine(Copy):
        def written(self, now: Any, value: str, context: Vector) -> Dotted:
            dot = next_dot(now.seen, self.actor())
            kept = rule(dict(context), (dot, value), sorted(now.entries))
            return Dotted(now.seen.put(*dot), frozenset((tuple(of), each) for of, each in kept))

    return planted(machine, copy=Mine)


WRITERS = merging("dotted siblings", n=1, clients={"X": ("1", "3", "5"), "Y": ("2", "4")})
SYNC_MISTAKES: Mapping[str, Rule] = {
    "drops unseen": _keeping(lambda context, name, number: False),
    "drops the phone": _keeping(lambda context, name, number: name not in context),
    "drops the writer's": _keeping(lambda context, name, number: name != "Ann"),
    "keeps seen": _keeping(lambda context, name, number: True),
    "keeps seen alone": _keeping(lambda context, name, number: number <= context.get(name, 0)),
    "keeps older": _keeping(lambda context, name, number: number != context.get(name)),
    "misses the last": _keeping(lambda context, name, number: number >= context.get(name, 0)),
    "any replica": _keeping(lambda context, name, number: number > max(context.values(), default=0)),
    "missing is an error": _keeping(lambda context, name, number: number > context[name]),
    "forgets the new": lambda context, new, stored: sync_solution(context, new, stored)[:-1],
}
SYNC = Exercise(
    "sync",
    sync_solution,
    sync_cases,
    mistakes_of(__package__, "sync", SYNC_MISTAKES),
    lambda case, right, answer: Told(f"context {dict(case[0])}, stored {list(case[2])}"),
    same=lambda right, given: sorted(map(tuple, given)) == sorted(right),
    right=lambda context, new, stored: sync_solution(dict(context), new, stored),
    prepare=lambda case: (dict(case[0]), case[1], list(case[2])),
    what="writes",
    put=_syncing,
    otherwise=Scripted(WRITERS, lambda run: run.ask("X").ask("Y").ask("X")),
    searches=[Search(WRITERS, (shown_after_write, few_siblings))],
)

EXERCISES: Mapping[str, Exercise] = {exercise.name: exercise for exercise in (READ, COMPARE, SYNC)}
