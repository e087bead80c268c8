"""Ways of replication with one rule broken: each a subclass with one small method overridden."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping
from functools import reduce
from inspect import getmembers, isclass
from operator import xor
from typing import Any

from msgspec.structs import replace

from patterns.engine.planted import Bug, Search
from patterns.engine.properties import Property
from patterns.engine.table import Table
from patterns.replication import properties as props
from patterns.replication.chain import Forward, Link
from patterns.replication.client import one_copy
from patterns.replication.configuration import Configuration
from patterns.replication.machines import AntiEntropy, Chain, Merging, PrimaryBackup, Quorum
from patterns.replication.merging import Copy
from patterns.replication.merkle import Shelf, Tree, digest
from patterns.replication.primary import Log, Replica
from patterns.replication.quorum import Keeper, Version
from patterns.replication.versions import Counter, Dotted, Stamped, Vector

# Primary and backups


class AcknowledgesFirst(Replica):
    """The primary acknowledges as soon as the write is in its own log."""

    def is_acknowledged(self, index: int) -> bool:
        return True


class ShrinksLater(Replica):
    """The primary leaves a silent backup out by itself, acknowledges, and tells the service afterwards."""

    def leave_out(self, late: tuple[str, ...]) -> None:
        self.members = tuple(member for member in self.members if member not in late)
        self.settle()
        super().leave_out(late)


class PromotesAnyone(Configuration):
    """When the primary is silent, the service may choose a replica that is not in the set."""

    def without(self, who: str) -> tuple[str, ...]:
        others = tuple(replica for replica in self.replicas if replica != who)
        return (*(other for other in others if other not in self.members), *super().without(who))


class NotFenced(Replica):
    """A backup takes shipments of an older epoch."""

    def accepts(self, epoch: int) -> bool:
        return True


class AnswersAlone(Replica):
    """A primary answers reads without asking whether its epoch still counts."""

    def must_confirm(self) -> bool:
        return False


class CutsAtTheWatermark(Replica):
    """A replica that restarts drops what it does not know to be acknowledged."""

    def on_restart(self) -> None:
        self.log = self.log[: self.watermark]
        super().on_restart()


# The chain


class NeverResends(Link):
    """After a middle server is out, its predecessor sends nothing of Sent to its new successor."""

    def resend(self, successor: str, length: int) -> None:
        self.send(successor, Forward(length, ()))


class TakesTwice(Link):
    """A server does not check whether it has an update already."""

    def fresh(self, forward: Forward) -> Log:
        return forward.entries


class HeadAnswers(Link):
    """The head answers updates, as a primary without backups would."""

    def append(self, entries: Log) -> None:
        if self.is_head and not self.is_tail:
            for entry in entries:
                self.answer_update(entry)
        super().append(entries)


class SilentTail(Link):
    """A new tail does not answer the updates that it has in Sent."""

    def become_tail(self) -> None:
        self.acked = len(self.hist)
        self.acknowledge()


# Quorums


class CountsHalf(Keeper):
    """R and W are N/2, rounded up. Of four replicas, two and two need not meet."""

    def majority(self) -> int:
        return -(-len(self.replicas) // 2)


class MostFrequent(Keeper):
    """A read returns the version that most replicas hold."""

    def newest(self, held: Mapping[str, Version]) -> Version:
        return Tally(held.values()).most_common(1)[0][0]


class SendsAnew(Keeper):
    """A version that is sent as a repair or a hint gets a new number."""

    def resent(self, version: Version) -> Version:
        return replace(version, number=version.number + 1, by=self.id)


# Merging


class ByTheClock(Copy):
    """Last write wins by the clock of the replica, and one clock is behind."""

    def stamp(self, now: Stamped) -> int:
        return self.now + (0 if self.id == "Ben" else 1_000)


class KeepsItsOwn(Copy):
    """Of two values with the same stamp, each replica keeps the one that it has."""

    def merge(self, mine: Any, theirs: Any) -> Any:
        return theirs if theirs.time > mine.time else mine


class MissingIsEqual(Copy):
    """Two vectors are compared only where both name a replica."""

    def merge(self, mine: Dotted, theirs: Dotted) -> Dotted:
        return _padded(mine, theirs.seen).merged(_padded(theirs, mine.seen))


def _padded(state: Dotted, other: Vector) -> Dotted:
    return replace(state, seen=Table(tuple(sorted({**dict(other), **dict(state.seen)}.items()))))


class SameNameAgain(Copy):
    """A replica that has lost its disk counts from 1 again, under the same name."""

    def actor(self) -> str:
        return self.id


class ForgetsRemovals(Copy):
    """A merge is the union of both sides."""

    def merge(self, mine: Dotted, theirs: Dotted) -> Dotted:
        return replace(mine.merged(theirs), entries=mine.entries | theirs.entries)


class RemovesUnseen(Copy):
    """A removal advances the vector: a dot that is still to come counts as seen."""

    def removed(self, now: Any, item: str) -> Any:
        seen = Table(tuple((name, count + 1) for name, count in now.seen))
        return replace(now.removed(item), seen=seen)


class AddsUp(Copy):
    """A merge adds the counts of both sides."""

    def merge(self, mine: Counter, theirs: Counter) -> Counter:
        names = {*mine.seen.names, *theirs.seen.names}
        return Counter(Table(tuple((n, (mine.seen.get(n) or 0) + (theirs.seen.get(n) or 0)) for n in sorted(names))))


# Trees


class KeysOnly(Tree):
    hash = staticmethod(lambda key, row: digest(key.encode()))


class Xor(Tree):
    hash = staticmethod(lambda key, row: digest(str(row).encode()))
    combine = staticmethod(lambda hashes: reduce(xor, map(int.from_bytes, hashes), 0).to_bytes(32))


class HashesKeys(Shelf):
    """A leaf's hash covers keys, and no versions."""

    hashes = KeysOnly


class HashesWithoutKeys(Shelf):
    """A row's hash leaves out the key, and XOR combines the hashes: two equal ones cancel."""

    hashes = Xor


# How each is found

# A client asks each operation once, a timer fires only when no message is on its way, and nothing fails.
QUIET: dict[str, Any] = {"patience": False, "timing": "quiet", "budget": {}}
PAIR = PrimaryBackup(**QUIET, n=2, clients={"X": ("milk",)}, suspicions=1)
CRASHES = PAIR.again(suspicions=0, budget={"crash": 1})
# One writer, and two readers that ask one after the other.
READERS: dict[str, Any] = {
    **QUIET,
    "clients": {"X": ("tea",), "Y": ("read",), "Z": ("read",)},
    "ask": {"X": ("Ann",), "Y": ("Ann",), "Z": ("Ben",)},
    "turns": True,
    "ask_first": False,
}
LINE = Chain(patience=False, spare=False, clients={"X": ("milk", "eggs")}, suspicions=1, budget={"crash": 1})


READ_ONCE: dict[str, Any] = {"X": ("milk",), "Y": ("read",)}
WRITE_AND_READ: dict[str, Any] = {**READERS, "clients": {"X": ("tea",), "Z": ("read",)}}
SHORT = LINE.again(n=2, clients=READ_ONCE, budget={})
HINTED: dict[str, Any] = {**QUIET, "budget": {"drop": 1}, "n": 2, "spares": 1, "w": 2, "ask_first": False}
ROWS = AntiEntropy(leaves=1, keys=("milk", "eggs"), syncs=1, budget={})
ONE_EACH = {"X": ("milk",), "Y": ("tea",)}
AT_ANN = {"X": ("Ann",)}
MILK = ("Ann", "milk", "2")


def _bug(part: type[Any], machine: Any, breaks: Property, **bounds: Any) -> Bug:
    """A part that is wrong, as its docstring says; found by a search within these bounds."""
    [name] = [name for name, kind in getmembers(type(machine), isclass) if issubclass(part, kind)]
    return _changed(str(part.__doc__), {name: part}, machine, breaks, **bounds)


def _changed(sentence: str, changes: Mapping[str, Any], machine: Any, breaks: Property, **bounds: Any) -> Bug:
    return Bug(sentence, changes, Search(machine.again(**bounds), (breaks,)), breaks)


def merging(data: str, **bounds: Any) -> Merging:
    return Merging(**QUIET, meets=0, data=data, **bounds)


REMOVAL = merging("set", clients={"X": ("beer", "remove beer"), "Y": ("tea", "milk")}, ask=AT_ANN)


# Title -> bug.
BUGS: Mapping[str, Bug] = {
    "acknowledges before it ships": _bug(AcknowledgesFirst, PAIR, props.survives),
    "shrinks the set after it acknowledges": _bug(ShrinksLater, CRASHES, props.kept),
    "promotes a stale copy": _bug(PromotesAnyone, PAIR, props.survives, suspicions=2),
    "a deposed primary is not fenced": _bug(
        NotFenced, PAIR, props.survives, clients={"X": ("milk",), "Z": ("eggs",)}, ask={**AT_ANN, "Z": ("Ben",)}
    ),
    "a deposed primary answers reads": _bug(
        AnswersAlone, PAIR, one_copy, clients=READ_ONCE, ask={"X": ("Ben",), "Y": ("Ann",)}
    ),
    "cuts at the watermark": _bug(CutsAtTheWatermark, CRASHES, props.kept),
    "Sent is not sent again": _bug(NeverResends, LINE, props.all_processed),
    "an update is taken twice": _bug(TakesTwice, LINE, props.update_propagation),
    "the head answers": _bug(HeadAnswers, SHORT, one_copy),
    "the new tail is silent": _bug(SilentTail, LINE, props.all_processed),
    "an old tail answers queries": _changed(
        "The monitor was wrong: the tail is out of the chain, up, and answers without asking Fridge.",
        {"guard": "none"},
        SHORT.again(wrong=True, guard="ask"),
        one_copy,
    ),
    "half counts as a majority": _bug(CountsHalf, Quorum(**WRITE_AND_READ, n=4), one_copy),
    "the most frequent version wins": _bug(MostFrequent, Quorum(**WRITE_AND_READ), one_copy),
    "R + W is N": _changed(
        "R = 1 and W = 2 of N = 3: a read quorum can miss the write quorum.", {"r": 1}, Quorum(**READERS), one_copy
    ),
    "a read does not write back": _changed(
        "A read answers at once. R + W is still more than N.", {"repair": "none"}, Quorum(**READERS), one_copy
    ),
    "a repair is a new write": _bug(
        SendsAnew,
        Quorum(**QUIET, n=2, repair="later", ask_first=False, clients={"X": ("milk", "tea"), "Y": ("read", "read")}),
        one_copy,
        ask={**AT_ANN, "Y": ("Ben",)},
    ),
    "a hint is a new write": _bug(
        SendsAnew, Quorum(**HINTED, r=1), props.everywhere, clients={"X": ("milk", "tea")}, ask=AT_ANN
    ),
    "the clock gives the stamp": _bug(ByTheClock, merging("last write", clients=ONE_EACH), props.shown_after_write),
    "each replica breaks ties its own way": _bug(KeepsItsOwn, merging("last write", clients=ONE_EACH), props.all_equal),
    "a missing entry counts as equal": _bug(
        MissingIsEqual, merging("dotted siblings", clients=ONE_EACH), props.all_equal
    ),
    "one vector for all siblings": _changed(
        "A replica keeps one vector for all siblings together: it cannot tell which of them a client saw.",
        {"data": "siblings"},
        merging("dotted siblings", n=1, clients={"X": ("1", "3", "5"), "Y": ("2", "4", "6")}),
        props.few_siblings,
    ),
    "a name is used again after a lost disk": _bug(
        SameNameAgain, merging("set", clients=ONE_EACH, losses=1), props.dots_once
    ),
    "nothing remembers a removal": _bug(ForgetsRemovals, REMOVAL, props.as_asked),
    "a removal counts writes that nobody has seen": _bug(RemovesUnseen, REMOVAL, props.as_asked),
    "a counter merges by sum": _bug(
        AddsUp, merging("counter", clients={"X": ("count",)}), props.never_more, budget={"duplicate": 1}
    ),
    "the tree hashes only keys": _bug(HashesKeys, ROWS, props.honest_trees, puts=(MILK,)),
    "the tree combines by XOR": _bug(HashesWithoutKeys, ROWS, props.honest_trees, puts=(MILK, ("Ann", "eggs", "2"))),
    "a tombstone goes too soon": _changed(
        "A replica drops a tombstone that the other one has not seen.",
        {"keeps": ()},
        ROWS.again(puts=(("Ann", "milk", ""),)),
        props.no_undead,
    ),
    "a hint outlives a tombstone": _changed(
        "A tombstone is dropped while a hint still keeps the removed row.",
        {"keeps": ("rows",)},
        ROWS.again(puts=(("Ann", "milk", ""),), hints=("milk",)),
        props.no_undead,
    ),
}
