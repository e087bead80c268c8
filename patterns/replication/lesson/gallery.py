"""Runs worth seeing. Each run is at its start: the ways of replication, the faults that they survive, and the writes
that they lose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from patterns.engine.history import History
from patterns.engine.milestones import fired
from patterns.engine.script import Script
from patterns.replication.chain import Forward
from patterns.replication.client import Count, Read, Write
from patterns.replication.configuration import SERVICE, Join, Suspect
from patterns.replication.machines import AntiEntropy, Chain, Merging, PrimaryBackup, Quorum
from patterns.replication.merkle import Forget, Sync
from patterns.replication.primary import Got, Ship
from patterns.replication.quorum import Store

Run = History[Any, Any]


def ended(run: Script) -> Run:
    return run.finish().at("start").history


def suspected(run: Script, who: str) -> Script:
    """The monitor takes this phone for crashed."""
    return run.ask("M", Suspect(who), to=SERVICE)


# Primary and backups


# A mistake: a client's first request has the number 1.
OTHER = Write("beer", 1)


def shipped() -> Run:
    run = Script(PrimaryBackup()).ask("X").until(fired("PB.ack")).settle().ask("Y").until(fired("PB.answer"))
    return ended(run.ask("X", OTHER, to="Ann"))


def acknowledged_and_gone(mode: str = "async", has: str = "") -> Run:
    """Ann acknowledges milk and crashes; of the others only `has` has it, or none."""
    run = Script(PrimaryBackup(mode=mode)).ask("X")
    if has:
        run.deliver(Ship, to=has).deliver(Got, sender=has)
    run.crash("Ann").lose(Ship)  # which a synchronous primary has sent already
    return ended(suspected(run, "Ann").until(fired("PB.lead", who="Ben")).ask("Y", Read, to="Ben"))


def set_shrinks() -> Run:
    """Cem is cut off. Ann waits, asks the service, and acknowledges in the smaller set. Then Cem returns."""
    run = Script(PrimaryBackup()).cut_off("Cem").ask("X").until(fired("PB.ack")).settle().heal()
    return ended(run.ask("X", to="Ann"))


def old_primary_returns() -> Run:
    """Ann is cut off with eggs that nobody else has. Ben leads. Ann comes back, is fenced, and cuts its log."""
    run = Script(PrimaryBackup()).ask("X").until(fired("PB.ack")).settle().cut_off("Ann").ask("X", to="Ann")
    run = suspected(run, "Ann").until(fired("PB.lead", who="Ben")).settle().heal()
    run.until(fired("PB.fenced")).until(fired("PB.deposed")).settle()
    run.ask("Y", Read(1), to="Ann").ask("Y", to="Ben").until(fired("PB.answer"))
    return ended(run.ask("X", to="Ben"))


def primary_restarts() -> Run:
    """Ann crashes before it hears that milk is everywhere. It restarts in a new epoch, and the client asks again."""
    run = Script(PrimaryBackup()).ask("X").until(fired("PB.copy")).crash("Ann").settle().restart("Ann")
    return ended(run.until(fired("PB.lead")).settle().ask("X", to="Ann"))


# The chain


def walks() -> Run:
    """Y asks the head first, and is sent on to the tail."""
    run = Script(Chain()).ask("X").until(fired("CH.answer")).settle()
    return ended(run.ask("Y", Read(1), to="Ann").ask("Y", Read, to="Cem").ask("X", OTHER, to="Ann"))


def middle_is_out(alive: bool = False) -> Run:
    """Ben crashes with milk that Cem has not received, and Ann sends its Sent again; or Ben is only suspected."""
    run = Script(Chain(wrong=alive)).ask("X").until(fired("CH.take", who="Ben"))
    run = run.delay(100, Forward, sender="Ben") if alive else run.crash("Ben").lose(Forward)
    return ended(suspected(run, "Ben"))


def tail_crashes() -> Run:
    run = Script(Chain()).ask("X").until(fired("CH.take", who="Ben")).crash("Cem")
    return ended(suspected(run, "Cem"))


def one_joins() -> Run:
    run = Script(Chain()).ask("X").until(fired("CH.answer")).settle().ask("M", Join("Dan"), to=SERVICE)
    return ended(run.settle().ask("X").until(fired("CH.answer")).settle().ask("Y", Read, to="Dan"))


def old_tail(guard: str = "none") -> Run:
    """Cem is up and cut off, and the monitor takes it for crashed."""
    run = Script(Chain(wrong=True, guard=guard)).ask("X").until(fired("CH.answer")).settle().cut_off("Cem")
    run = suspected(run, "Cem").settle().ask("X").until(fired("CH.answer", who="Ben")).settle()
    return ended(run.ask("Y", Read, to="Cem"))


# Quorums

READ_TWICE: dict[str, Any] = {"clients": {"X": ("tea",), "Y": ("read",), "Z": ("read",)}, "ask_first": False}


def seen_then_not(repair: str = "none") -> Run:
    """Tea has reached one phone. Y asks it and one more; Z asks two phones that have not heard of tea."""
    run = Script(Quorum(repair=repair, **READ_TWICE)).ask("X", Write, to="Ann").delay(400, Store, to="Ben")
    run.delay(400, Store, to="Cem").ask("Y", Read, to="Ann").until(fired("Q.answer", client="Y"))
    return ended(run.ask("Z", Read, to="Ben").delay(300, to="Ann", sender="Ben"))


def both_meet() -> Run:
    run = Script(Quorum()).ask("X", Write, to="Ann").until(fired("Q.answer")).ask("Y", Read, to="Cem")
    return ended(run.until(fired("Q.answer", client="Y")).ask("X", OTHER, to="Ann"))


def hint_goes_home() -> Run:
    """Ben and Cem are cut off from Ann. Dan stands in for Ben, and a read of Ben and Cem does not meet the write."""
    params: dict[str, Any] = {"spares": 1, "repair": "none", **READ_TWICE}
    run = Script(Quorum(**params)).cut("Ann", ("Ben", "Cem")).ask("X", Write, to="Ann").until(fired("Q.answer"))
    return ended(run.ask("Y", Read, to="Ben").until(fired("Q.answer", client="Y")).heal())


def read_repairs() -> Run:
    params: dict[str, Any] = {"repair": "later", **READ_TWICE}
    run = Script(Quorum(**params)).ask("X", Write, to="Ann").lose(Store, to="Cem").until(fired("Q.answer")).settle()
    return ended(run.ask("Y", Read, to="Cem"))


def outcome_unknown() -> Run:
    """No other phone hears of tea in time. Its outcome is unknown, and a later read sees it."""
    run = Script(Quorum(**READ_TWICE)).ask("X", Write, to="Ann").lose(Store).until(fired("Q.unknown"))
    return ended(run.ask("Y", Read, to="Ann"))


# Merging


def siblings(data: str = "dotted siblings") -> Run:
    """Ann's and Ben's lists are edited apart, and meet. A client that has seen both writes one value for both."""
    clients = {"X": ("2 milk", "read", "3 milk"), "Y": ("oat milk", "read")}
    run = Script(Merging(data=data, clients=clients)).ask("X", to="Ann").ask("Y", to="Ben").settle()
    return ended(run.ask("X", to="Ann").ask("X", to="Ann").settle().ask("Y", to="Ben"))


def added_again(data: str = "set") -> Run:
    """Beer is on both lists. Ann removes it while Ben adds it again, unaware of each other."""
    clients = {"X": ("beer", "remove beer"), "Y": ("beer", "read")}
    run = Script(Merging(data=data, clients=clients)).ask("X", to="Ann").settle()
    return ended(run.ask("X", to="Ann").ask("Y", to="Ben").settle().ask("Y", to="Ben"))


def counted_twice() -> Run:
    run = Script(Merging(data="counter")).ask("X", to="Ann").ask("Y", to="Ben")
    run.duplicate().ask("X", to="Ann").settle().ask("Y", to="Ben").ask("X", Count(2), to="Ann")
    return ended(run.ask("X", Write("beer", 2), to="Ann"))


def trees() -> Run:
    run = Script(AntiEntropy()).ask("A").settle().ask("M", Sync, to="Ben").settle().ask("C")
    return ended(run.ask("M", Sync, to="Ben"))


def hint_loses() -> Run:
    """Ben was silent when milk was written, and Ann keeps it as a hint. Then milk is removed, and Ben hears of it."""
    run = Script(AntiEntropy(puts=(("Ann", "milk", ""),), hints=("milk",))).ask("A").ask("M", Sync, to="Ben")
    run.until(fired("MT.rows", who="Ben")).until(fired("MT.home")).settle()
    return ended(run.ask("M", Forget("milk"), to="Ann").ask("M", Forget("milk"), to="Ben"))


GALLERY: Mapping[str, Callable[[], Run]] = {
    "The primary ships a write, and acknowledges when the set has it": shipped,
    "The primary answers, and crashes": acknowledged_and_gone,
    "A semi-synchronous primary crashes, and the wrong backup leads": lambda: acknowledged_and_gone("semi", "Cem"),
    "A silent backup: the set may shrink": set_shrinks,
    "A deposed primary comes back with an entry of its own": old_primary_returns,
    "The primary restarts, and a retry is not written twice": primary_restarts,
    "An update walks down the chain, and the tail answers": walks,
    "A middle server crashes with an update on its way": middle_is_out,
    "A suspected server goes on, and its former successor ignores it": lambda: middle_is_out(alive=True),
    "The tail crashes, and its predecessor answers": tail_crashes,
    "A server joins at the end of the chain": one_joins,
    "A tail that is up is suspected": old_tail,
    "A suspected tail asks before it answers": lambda: old_tail("ask"),
    "A write and a read quorum meet in one phone": both_meet,
    "Two reads follow one another while a write is under way": seen_then_not,
    "A read meets a write that is still under way": lambda: seen_then_not("first"),
    "A stand-in keeps a hint for a silent phone": hint_goes_home,
    "A read repairs a phone that missed the write": read_repairs,
    "Time is up, the outcome is unknown, and a later read sees it": outcome_unknown,
    "Two lists are edited apart, and a merge keeps both values": siblings,
    "One phone removes beer while the other adds it again": added_again,
    "The same with tombstones": lambda: added_again("set with tombstones"),
    "A counter is merged twice, and counts once": counted_twice,
    "Two trees of hashes are compared branch by branch": trees,
    "A hint comes home to a tombstone, and loses": hint_loses,
}
