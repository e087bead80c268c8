"""Runs worth seeing. Each stands at its start, unless its docstring says where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from patterns.engine.history import History
from patterns.engine.milestones import fired, on_its_way
from patterns.engine.script import Script
from patterns.event_sourcing.history import ANN, Deploy, Erase, Happen, Load, ShelfHistory, Snap
from patterns.event_sourcing.messages import (
    Accepted,
    Append,
    Applied,
    Loaded,
    PageRead,
    Pushed,
    ReadPage,
    Subscribe,
    Subscribed,
)
from patterns.event_sourcing.messages import Load as LoadStream
from patterns.event_sourcing.shelf import Count, Receive, Ship
from patterns.event_sourcing.shop import STORE, SUBSCRIBER, Shop

Run = History[Any, Any]
TWO_SHELVES = (Receive("shelf-1", 12), Receive("shelf-2", 12))
EARLY = Shop(commands=TWO_SHELVES, store="numbers first", idle=0)
ONE_VOUCHER = (Ship("shelf-1", 1, "Ann", "V"), Ship("shelf-2", 1, "Ann", "V"))
VOUCHERS = Shop(commands=(Receive("shelf-1", 9), Receive("shelf-2", 9), *ONE_VOUCHER), reads=False)


def two_pickers() -> Run:
    """A and B decide on version 1, and A's answer is lost. It stands where 9 bags are on the shelf."""
    run = Script(Shop(reads=False)).ask("a").finish().ask("b").finish()
    start = run.step
    both_decide(run.ask("c").ask("d")).deliver(Append, sender="A").lose(Accepted).finish().ask("e").finish()
    return run.at(start).history


def both_decide(run: Script) -> Script:
    """Both pickers load, and then both decide."""
    run.deliver(LoadStream, sender="A").deliver(LoadStream, sender="B")
    return run.deliver(Loaded, to="A").deliver(Loaded, to="B")


def goes_live() -> Run:
    """The shelf has events of 2024. A picker appends while the subscriber reads: the event is pushed and in a page."""
    run = Script(Shop(commands=TWO_SHELVES[:1], old=True, idle=0)).until(fired("S.page", count=2)).ask("a")
    return run.deliver(LoadStream).deliver(Loaded).deliver(Append).deliver(Pushed).finish().at("start").history


def a_push_is_lost() -> Run:
    """One new event is lost on its way. The next one does not follow, and the subscriber reads pages again."""
    run = Script(Shop(idle=0)).until(fired("S.live")).ask("a").until(on_its_way(Pushed)).lose(Pushed).finish()
    return run.ask("b").finish().at("start").history


def late(store: str = "numbers first", insert_later: bool = False) -> Run:
    """Transaction 1 is slow, and transaction 2 is fast. Between the two commits the subscriber reads a page."""
    machine = EARLY.again(store=store, insert_later=insert_later)
    run = both_decide(Script(machine).ask("a").ask("b")).deliver(Append, sender="A").deliver(Append, sender="B")
    for timer in ("insert:2", "insert:1", "commit:1") if insert_later else ("commit:2",):
        run.fire(STORE, timer)
    return run.deliver(Subscribe).deliver(Subscribed).deliver(ReadPage).deliver(PageRead).finish().at("start").history


def rolled_back() -> Run:
    """Two transactions want version 0 of one shelf. The second rolls back, and a later event stands after the hole."""
    machine = EARLY.again(store="holds at holes", commands=(*(Receive("shelf-1", 1),) * 2, Receive("shelf-2", 1)))
    run = both_decide(Script(machine).ask("a").ask("b")).deliver(Append, sender="A").fire("A", "answer")
    run.deliver(Append, sender="A").deliver(Append, sender="B").until(fired("N.roll"))
    return run.finish().ask("c").finish().at("start").history


def a_voucher() -> Run:
    """Ann sends one voucher twice, for two shelves. No version is wrong; the condition refuses the second append. It
    stands where both parcels are ordered."""
    run = Script(VOUCHERS).ask("a").ask("b").finish().ask("c").ask("d").finish()
    return run.at(fired("P.asked", client="d")).history


def restarts() -> Run:
    """Picker A crashes with a decision on its disk, and then the store crashes. The subscriber crashes before it hears
    that an event is applied, and when it is back, more new events come than its buffer has room for."""
    commands = (Receive("shelf-1", 12), Count("shelf-1", 12), *(Receive("shelf-2", 1),) * 3)
    run = Script(Shop(commands=commands)).ask("a").until(fired("P.decides")).crash("A").restart("A")
    run.until(fired("P.done")).crash(STORE).restart(STORE).until(fired("J.apply")).crash(SUBSCRIBER).lose(Applied)
    run.ask("b").until(fired("P.nothing")).restart(SUBSCRIBER).deliver(Subscribe)
    for client in "cde":
        run.ask(client).deliver(LoadStream).deliver(Loaded).deliver(Append).deliver(Pushed).deliver(Accepted)
    return run.finish().at("start").history


def _history(*events: Any) -> Run:
    """What happens to one stream: an event for a text, or an act."""
    acts = [Happen(event) if isinstance(event, str) else event for event in events]  # type: ignore[arg-type]
    return Script(ShelfHistory()).do(*acts).at("start").history


def snapshots() -> Run:
    """A snapshot is used, and then it is discarded: the code of today folds reserved bags otherwise."""
    return _history("received", "shipped", "reserved", "corrected", Load(), Snap(), "shipped", Load(), Deploy(), Load())


def old_events() -> Run:
    return _history("received", "2024: looked", "2024: shipped", "2024: exchanged", "shipped", Load())


def a_key_is_destroyed() -> Run:
    return _history("received", "shipped", Load(), Erase(ANN), Load(), "shipped")


GALLERY: Mapping[str, Callable[[], Run]] = {
    "Two pickers decide on one version, and one answer is lost": two_pickers,
    "A subscriber reads the past and goes live while a picker appends": goes_live,
    "A new event is lost on its way, and the subscriber reads again": a_push_is_lost,
    "An event appears below a position that its reader has passed": late,
    "A horizon with transaction and position shows every event": lambda: late("horizon and number", True),
    "A horizon with positions alone loses an event": lambda: late("horizon", True),
    "A reader that holds at holes waits for a rolled back transaction": rolled_back,
    "One voucher is sent for two shelves": a_voucher,
    "A picker, the store and the subscriber crash, one after the other": restarts,
    "A snapshot is kept, and then the code changes": snapshots,
    "Events of 2024 pass their upcasters": old_events,
    "A customer's key is destroyed, and the shelf stays as it is": a_key_is_destroyed,
}
"""A sentence -> a function that writes the run."""
