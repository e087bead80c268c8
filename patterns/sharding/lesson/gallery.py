"""Runs worth seeing. Each stands at its start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from patterns.engine.history import History
from patterns.engine.milestones import fired, on_its_way
from patterns.engine.script import Script
from patterns.sharding.gather import ScatterGather
from patterns.sharding.index import Go, SignUps
from patterns.sharding.messages import HandIn, Served, Shipped, TakeOver, TookOver, Undo
from patterns.sharding.query import Question
from patterns.sharding.resharding import OPERATOR, Resharding
from patterns.sharding.room import Ask, Join, ParcelRoom, Plan, Salt, Scan, Split

Run = History[Any, Any]
# Ann, Ben and Cem want keys of the slot that moves. Ann's last request names two slots.
ORDERS = (
    ("Ann", "hand in", "Cairo"),
    ("Ben", "collect", "Oslo"),
    ("Ben", "hand in", "Rome"),
    ("Cem", "look", "Cairo+Rome"),
    ("Ann", "look", "Lima+Cairo"),
)
PAGE, TOP = Question(1, limit=2), Question(2, "top", 1)
FAMOUS = {"America/Lima": 24}


def ended(run: Script) -> Run:
    return run.finish().at("start").history


def moving(**params: Any) -> Script:
    """A run in which the operator has begun to move the slot of Tokyo, Paris and Lagos."""
    return Script(Resharding(orders=ORDERS, **params)).ask(OPERATOR)


def by_range() -> Run:
    run = Script(ParcelRoom()).do(Ask("Europe/"), Split("America/Halifax"), Join("D"), Plan()).finish()
    return run.do(Scan(), Split("America/Chicago"), Scan(), Plan()).at("start").history


def by_slots(scheme: str = "slots") -> Run:
    run = Script(ParcelRoom(scheme=scheme, shards=12)).do(Ask("Europe/"), Join("D"))
    run = run.do(Ask("Europe/")) if scheme == "modulo" else run.do(Plan()).finish().do(Plan())
    return run.at("start").history


def famous() -> Run:
    run = Script(ParcelRoom(heat=FAMOUS)).do(Split("America/Lima"), Split("America/Toronto"), Join("D"))
    return run.do(Plan()).finish().at("start").history


def salted() -> Run:
    run = Script(ParcelRoom(scheme="slots", shards=12, heat=FAMOUS)).do(Ask("America/Lima"))
    return run.do(Salt("America/Lima"), Ask("America/Lima")).at("start").history


def move() -> Run:
    """Ann's write begins before the fence, and its answer is lost. Her router's second try reaches the new owner."""
    times = {"work": 20, "patience": 120, "ship_timeout": 200, "latency": (10, 10)}
    run = moving(**times).ask("Ann", to="R1").until(fired("M.change")).lose(Served).until(fired("M.on"))
    run.delay(50, TookOver).ask("Ben", to="R2").until(fired("R.done", client="Ben"))
    run.until(fired("R.done", client="Ann"))
    return ended(run.ask("Ben", to="R2").until(fired("R.moved")).until(fired("R.done")).ask("Ann", to="R2"))


def crashes() -> Run:
    """The source crashes after its fence. Its disk says how far it was, so it copies again and goes on."""
    run = moving(work=40).until(fired("M.fence")).delay(60, TakeOver).crash("A").ask("Ann", to="R1")
    run.until(fired("R.silent")).restart("A").until(fired("S.begin")).ask("Ann", to="R2").until(fired("S.runs"))
    return ended(run.until(on_its_way(Served)).duplicate(Served))


def misused() -> Run:
    """By mistake, Ann gives her second request the number of her first one. B has heard of that one from A."""
    run = moving().ask("Ann", to="R1").finish()
    return ended(run.ask("Ann", HandIn(1, "Oslo"), to="R2"))


def undone(late: bool = False) -> Run:
    run = moving().until(fired("M.on" if late else "M.import"))
    if late:
        run.lose(TookOver).ask(OPERATOR, Undo, to="A")
    else:
        run.delay(50, Shipped).ask(OPERATOR, Undo, to="B").until(fired("M.undo")).ask("Ann", to="R1")
    return ended(run)


def key_by_key() -> Run:
    run = moving(way="key by key").until(fired("M.key")).until(fired("M.key")).ask("Cem", to="R1")
    run.until(fired("S.TryAgain")).ask("Ben", to="R2").delay(60, Shipped).until(fired("R.askthere"))
    run.ask(OPERATOR, Undo, to="A")
    return ended(run)


def gathered(**params: Any) -> Run:
    run = Script(ScatterGather(**params))
    for _ in run.history.machine.params.questions:  # type: ignore[attr-defined]
        run.ask("Ann").finish()
    return run.at("start").history


def signed_up() -> Run:
    return Script(SignUps()).do(*map(Go, ("mike", "michael", "mike", "mike"))).at("start").history


GALLERY: Mapping[str, Callable[[], Run]] = {
    "By range, America is hot until its range is split and moved": by_range,
    "By hash slots, a new machine takes whole slots": by_slots,
    "By modulo, a new machine moves three of four keys": lambda: by_slots("modulo"),
    "A famous key stays hot when its range is split": famous,
    "Salt spreads a famous key over four slots": salted,
    "A slot moves while clients write": move,
    "The source crashes behind its fence, and the move goes on": crashes,
    "The operator undoes a move at the target": undone,
    "The operator undoes a move too late": lambda: undone(late=True),
    "A slot moves key by key, as in Redis": key_by_key,
    "Another request under a used number is refused, also after a move": misused,
    "Two questions wait for the slowest shard": lambda: gathered(questions=(PAGE, TOP)),
    "A slow leg is asked for again, at its copy": lambda: gathered(work=(10, 90, 10), hedge_after=30),
    "Two legs are slow, and the answer says what it lacks": lambda: gathered(work=(200, 200, 10)),
    "Two customers want one e-mail, and one gets it": signed_up,
}
