"""Ways of replication with one rule broken: each a subclass with one small method overridden."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from patterns.engine.planted import Bug, Search
from patterns.engine.properties import Property
from patterns.engine.table import Table
from patterns.engine.world import World
from patterns.replication import properties as props
from patterns.replication.chain import Forward, Link
from patterns.replication.client import one_copy
from patterns.replication.configuration import Configuration
from patterns.replication.machines import AntiEntropy, Chain, Merging, PrimaryBackup, Quorum
from patterns.replication.merging import Copy
from patterns.replication.merkle import Row, Shelf, Tree, digest
from patterns.replication.primary import Log, Replica
from patterns.replication.quorum import Keeper, Op, Version
from patterns.replication.versions import Counter, Dotted, Stamped, Vector

# Primary and backups


class AcknowledgesFirst(Replica):
    def is_acknowledged(self, index: int) -> bool:
        return True


class ShrinksLater(Replica):
    def leave_out(self, late: tuple[str, ...]) -> None:
        self.members = tuple(member for member in self.members if member not in late)
        self.settle()
        super().leave_out(late)


class PromotesAnyone(Configuration):
    def without(self, who: str) -> tuple[str, ...]:
        others = tuple(replica for replica in self.replicas if replica != who)
        return (*(other for other in others if other not in self.members), *super().without(who))


class NotFenced(Replica):
    def accepts(self, epoch: int) -> bool:
        return True


class AnswersAlone(Replica):
    def must_confirm(self) -> bool:
        return False


class CutsAtTheWatermark(Replica):
    """Kafka before KIP-101: a replica that restarts drops what it does not know to be acknowledged."""

    def on_restart(self) -> None:
        self.log = self.log[: self.watermark]
        super().on_restart()


# The chain


class NeverResends(Link):
    def resend(self, successor: str, length: int) -> None:
        self.send(successor, Forward(length, ()))


class TakesTwice(Link):
    def fresh(self, forward: Forward) -> Log:
        return forward.entries


class HeadAnswers(Link):
    def append(self, entries: Log) -> None:
        if self.is_head and not self.is_tail:
            for entry in entries:
                self.answer_update(entry)
        super().append(entries)


class SilentTail(Link):
    def become_tail(self) -> None:
        self.acked = len(self.hist)
        self.acknowledge()


# Quorums


class CountsHalf(Keeper):
    def majority(self) -> int:
        return -(-len(self.replicas) // 2)


class MostFrequent(Keeper):
    def newest(self, held: Mapping[str, Version]) -> Version:
        return Tally(held.values()).most_common(1)[0][0]


class RepairsAnew(Keeper):
    def repair_of(self, version: Version) -> Version:
        return replace(version, number=version.number + 1, by=self.id)


class HintIsNew(Keeper):
    def homeward(self, version: Version) -> Version:
        return replace(version, number=version.number + 1, by=self.id)


class ForgetsTooSoon(Keeper):
    def may_forget(self, op: Op) -> bool:
        return op.stored >= {*self.replicas}


# Merging


class ByTheClock(Copy):
    """Ben's clock is 1 s behind."""

    def stamp(self, now: Stamped) -> int:
        return self.now + (0 if self.id == "Ben" else 1_000)


class KeepsItsOwn(Copy):
    def merge(self, mine: Any, theirs: Any) -> Any:
        return theirs if theirs.time > mine.time else mine


class MissingIsEqual(Copy):
    def merge(self, mine: Dotted, theirs: Dotted) -> Dotted:
        return _padded(mine, theirs.seen).merged(_padded(theirs, mine.seen))


def _padded(state: Dotted, other: Vector) -> Dotted:
    missing = tuple((name, count) for name, count in other if name not in state.seen)
    return replace(state, seen=Table(tuple(sorted((*state.seen, *missing)))))


class SameNameAgain(Copy):
    def actor(self) -> str:
        return self.id


class ForgetsRemovals(Copy):
    """A union of entries, where nothing remembers a removal."""

    def merge(self, mine: Dotted, theirs: Dotted) -> Dotted:
        return replace(mine.merged(theirs), entries=mine.entries | theirs.entries)


class RemovesUnseen(Copy):
    """A removal counts all dots of a replica up to the highest seen one, and one more, as seen."""

    def removed(self, now: Dotted, item: str) -> Dotted:
        seen = Table(tuple((name, count + 1) for name, count in now.seen))
        return replace(now.removed(item), seen=seen)


class AddsUp(Copy):
    def merge(self, mine: Counter, theirs: Counter) -> Counter:
        names = {*mine.seen.names, *theirs.seen.names}
        return Counter(Table(tuple((n, (mine.seen.get(n) or 0) + (theirs.seen.get(n) or 0)) for n in sorted(names))))


# Trees


class KeysOnly(Tree):
    @staticmethod
    def hash(key: str, row: Row) -> bytes:
        return digest(key.encode())


class Xor(Tree):
    @staticmethod
    def combine(hashes: Sequence[bytes]) -> bytes:
        total = 0
        for each in hashes:
            total ^= int.from_bytes(each)
        return total.to_bytes(32)


class HashesKeys(Shelf):
    def tree(self) -> Tree:
        return KeysOnly(dict(self.rows), self.leaves)


class HashesWithoutKeys(Shelf):
    def tree(self) -> Tree:
        class Values(Xor):
            @staticmethod
            def hash(key: str, row: Row) -> bytes:
                return digest(str(row).encode())

        return Values(dict(self.rows), self.leaves)


def _forget_alone(world: World[Shelf], key: str) -> bool:
    return not world.packets


# How each is found

QUIET: dict[str, Any] = {"patience": False, "timing": "quiet", "budget": {}}
"""A client asks each operation once, a timer fires only when no message is on its way, and nothing fails."""
PAIR = PrimaryBackup(**QUIET, n=2, clients={"X": ("milk",)}, suspicions=1)
READERS: dict[str, Any] = {
    **QUIET,
    "clients": {"X": ("tea",), "Y": ("read",), "Z": ("read",)},
    "ask": {"X": ("Ann",), "Y": ("Ann",), "Z": ("Ben",)},
    "turns": True,
    "ask_first": False,
}
"""One writer, and two readers that ask one after the other."""
LINE = Chain(**{**QUIET, "timing": "asynchronous"}, spare=False, clients={"X": ("milk", "eggs")}, suspicions=1)
TWO: dict[str, Any] = {**QUIET, "n": 2, "meets": 0}


def _bug(sentence: str, changes: Mapping[str, Any], machine: Any, breaks: Property, **bounds: Any) -> Bug:
    return Bug(sentence, changes, Search(machine.again(**bounds), (breaks,)), breaks)


BUGS: Mapping[str, Bug] = {
    "acknowledges before it ships": _bug(
        "The primary acknowledges as soon as the write is in its own log.",
        {"replica": AcknowledgesFirst},
        PAIR,
        props.survives,
    ),
    "shrinks the set after it acknowledges": _bug(
        "The primary leaves a silent backup out by itself, acknowledges, and tells the service afterwards.",
        {"replica": ShrinksLater},
        PAIR,
        props.kept,
        suspicions=0,
        budget={"crash": 1},
        crash_stop=True,
    ),
    "promotes a stale copy": _bug(
        "When the primary is silent, the service also takes a replica that is not in the set.",
        {"configuration": PromotesAnyone},
        PAIR,
        props.survives,
        suspicions=2,
    ),
    "a deposed primary is not fenced": _bug(
        "A backup takes shipments of an older epoch.",
        {"replica": NotFenced},
        PAIR,
        props.survives,
        clients={"X": ("milk",), "Z": ("eggs",)},
        ask={"X": ("Ann",), "Z": ("Ben",)},
    ),
    "a deposed primary answers reads": _bug(
        "A primary answers reads without asking whether its epoch still counts.",
        {"replica": AnswersAlone},
        PAIR,
        one_copy,
        clients={"X": ("milk",), "Y": ("read",)},
        ask={"X": ("Ben",), "Y": ("Ann",)},
    ),
    "cuts at the watermark": _bug(
        "A replica that restarts drops what it does not know to be acknowledged.",
        {"replica": CutsAtTheWatermark},
        PAIR,
        props.kept,
        suspicions=0,
        budget={"crash": 1},
    ),
    "Sent is not sent again": _bug(
        "After a middle server is out, its predecessor sends nothing of Sent to its new successor.",
        {"link": NeverResends},
        LINE,
        props.all_processed,
        budget={"crash": 1},
    ),
    "an update is taken twice": _bug(
        "A server does not check whether it has an update already.",
        {"link": TakesTwice},
        LINE,
        props.update_propagation,
        budget={"crash": 1},
    ),
    "the head answers": _bug(
        "The head answers updates, as a primary without backups would.",
        {"link": HeadAnswers},
        LINE,
        one_copy,
        n=2,
        clients={"X": ("milk",), "Y": ("read",)},
    ),
    "the new tail is silent": _bug(
        "A new tail does not answer the updates that it has in Sent.",
        {"link": SilentTail},
        LINE,
        props.all_processed,
        budget={"crash": 1},
    ),
    "an old tail answers queries": _bug(
        "The monitor was wrong: the tail is out of the chain, up, and answers without asking.",
        {"guard": "none"},
        LINE,
        one_copy,
        n=2,
        wrong=True,
        guard="ask",
        clients={"X": ("milk",), "Y": ("read",)},
    ),
    "half counts as a majority": _bug(
        "R and W are N/2, rounded up. Of four replicas, two and two need not meet.",
        {"keeper": CountsHalf},
        Quorum(**{**READERS, "clients": {"X": ("tea",), "Z": ("read",)}}, n=4),
        one_copy,
    ),
    "the most frequent version wins": _bug(
        "A read returns the version that most replicas hold.",
        {"keeper": MostFrequent},
        Quorum(**{**READERS, "clients": {"X": ("tea",), "Z": ("read",)}}),
        one_copy,
    ),
    "R + W is N": _bug(
        "R = 1 and W = 2 of N = 3: a read quorum can miss the write quorum.",
        {"r": 1},
        Quorum(**READERS, w=2),
        one_copy,
    ),
    "a read does not write back": _bug(
        "A read answers at once, and repairs nothing first. R + W is still more than N.",
        {"repair": "none"},
        Quorum(**READERS),
        one_copy,
    ),
    "a repair is a new write": _bug(
        "Read repair gives the old value a new version number.",
        {"keeper": RepairsAnew},
        Quorum(
            **{
                **READERS,
                "clients": {"X": ("milk", "tea"), "Y": ("read", "read")},
                "ask": {"X": ("Ann",), "Y": ("Ben",)},
            },
            n=2,
            repair="later",
        ),
        one_copy,
    ),
    "a hint is a new write": _bug(
        "A hint comes home with a new version number.",
        {"keeper": HintIsNew},
        Quorum(
            **{**QUIET, "budget": {"drop": 1}},
            n=2,
            spares=1,
            w=2,
            r=1,
            ask_first=False,
            clients={"X": ("milk", "tea")},
            ask={"X": ("Ann",)},
        ),
        props.everywhere,
    ),
    "a hint outlives its tombstone": _bug(
        "A removal is forgotten as soon as all replicas have it, though a stand-in still keeps an older hint.",
        {"keeper": ForgetsTooSoon},
        Quorum(
            **{**QUIET, "budget": {"drop": 1}},
            fifo=True,
            n=2,
            spares=1,
            w=2,
            ask_first=False,
            clients={"X": ("milk", "write nothing")},
            ask={"X": ("Ann",)},
        ),
        props.everywhere,
    ),
    "the clock gives the stamp": _bug(
        "Last write wins by the clock of the replica, and one clock is behind.",
        {"copy": ByTheClock},
        Merging(**TWO, data="last write", clients={"X": ("milk",), "Y": ("tea",)}),
        props.shown_after_write,
    ),
    "each replica breaks ties its own way": _bug(
        "Of two values with the same stamp, each replica keeps the one that it has.",
        {"copy": KeepsItsOwn},
        Merging(**TWO, data="last write", clients={"X": ("milk",), "Y": ("tea",)}),
        props.all_equal,
    ),
    "a missing entry counts as equal": _bug(
        "Two vectors are compared only where both name a replica.",
        {"copy": MissingIsEqual},
        Merging(**TWO, data="dotted siblings", clients={"X": ("milk",), "Y": ("tea",)}),
        props.all_equal,
    ),
    "one vector for all siblings": _bug(
        "A replica keeps one vector for all siblings together: it cannot tell which of them a client saw.",
        {"data": "siblings"},
        Merging(**{**TWO, "n": 1}, data="dotted siblings", clients={"X": ("1", "3", "5"), "Y": ("2", "4", "6")}),
        props.few_siblings,
    ),
    "a name is used again after a lost disk": _bug(
        "A replica that has lost its disk counts from 1 again, under the same name.",
        {"copy": SameNameAgain},
        Merging(**TWO, data="set", clients={"X": ("milk",), "Y": ("tea",)}, losses=1),
        props.dots_once,
    ),
    "nothing remembers a removal": _bug(
        "A merge is the union of both sides.",
        {"copy": ForgetsRemovals},
        Merging(**TWO, data="set", clients={"X": ("beer", "remove beer"), "Y": ("tea",)}),
        props.stays_removed,
    ),
    "a removal counts writes that nobody has seen": _bug(
        "A removal advances the vector: a dot that is still to come counts as seen.",
        {"copy": RemovesUnseen},
        Merging(**TWO, data="set", clients={"X": ("beer", "remove beer"), "Y": ("tea", "milk")}),
        props.adds_stay,
    ),
    "a counter merges by sum": _bug(
        "A merge adds the counts of both sides.",
        {"copy": AddsUp},
        Merging(**TWO, data="counter", clients={"X": ("count",)}),
        props.never_more,
        budget={"duplicate": 1},
    ),
    "the tree hashes only keys": _bug(
        "A leaf's hash covers keys, and no versions.",
        {"shelf": HashesKeys},
        AntiEntropy(leaves=2, keys=("milk", "eggs"), puts=(("Ann", "milk", "2"),), syncs=1, budget={}),
        props.honest_trees,
    ),
    "the tree combines by XOR": _bug(
        "A row's hash leaves out the key, and XOR combines the hashes: two equal ones cancel.",
        {"shelf": HashesWithoutKeys},
        AntiEntropy(
            leaves=1, keys=("milk", "eggs"), puts=(("Ann", "milk", "2"), ("Ann", "eggs", "2")), syncs=1, budget={}
        ),
        props.honest_trees,
    ),
    "a tombstone goes too soon": _bug(
        "A replica drops a tombstone that the other one has not seen.",
        {"may_forget": staticmethod(_forget_alone)},
        AntiEntropy(leaves=2, keys=("milk",), puts=(("Ann", "milk", ""),), syncs=1, budget={}),
        props.no_undead,
    ),
}
"""Title -> bug."""
