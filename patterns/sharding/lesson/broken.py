"""One rule changed at a time: each is a bug that was shipped somewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from patterns.engine.milestones import fired
from patterns.engine.planted import Bug, Search, with_parts
from patterns.engine.properties import Property, Sometimes
from patterns.engine.script import Script
from patterns.engine.sentences import page_of
from patterns.engine.world import World
from patterns.sharding.gather import Gatherer, Holder, ScatterGather, right_answer
from patterns.sharding.hashes import murmur2, slot_of, token_of
from patterns.sharding.index import SignUps, unique
from patterns.sharding.maps import KafkaMap, RangeMap, SlotMap, TokenMap
from patterns.sharding.messages import AskThere, Entry, Hold, Look, Move, Moved, Reply, Ship, TakeOver
from patterns.sharding.plan import Planner
from patterns.sharding.properties import (
    map_never_back,
    maps_level,
    no_ping_pong,
    nothing_lost,
    one_for_an_epoch,
    one_owner,
)
from patterns.sharding.query import Question, leg
from patterns.sharding.resharding import OPERATOR, Resharding
from patterns.sharding.room import ParcelRoom, agreed, few_move, moves_pay, one_range, whole_scan
from patterns.sharding.router import Router
from patterns.sharding.shard import Shard, Stream

SENTENCES = page_of(__package__, "bugs.toml")
IN, OUT, LOOK = (("Ann", "hand in", "Cairo"),), (("Ann", "collect", "Cairo"),), (("Ben", "look", "Rome"),)
STOCK = (("Cairo", 2),)
# Two shards, one router, one slot, one write, a move. A timer fires only when no message is on its way.
SMALL = Resharding(
    routers=1, slots=1, stock=STOCK, orders=IN, undo=False, retries=False, timing="quiet", budget={}, move="Cairo"
)


def changed(kind: type, **rules: Any) -> type:
    """The class with other methods."""
    return type(f"Other{kind.__name__}", (kind,), rules)


# Of a move


def after_take_over(forgets: bool) -> dict[str, Any]:
    """As soon as the source tells the target to take over, it gives the slot away, or forgets it."""

    def ship(self: Shard, hold: Hold, stream: Stream, piece: Ship | TakeOver) -> None:
        Shard.ship(self, hold, stream, piece)
        if isinstance(piece, TakeOver):
            self.forget(hold.slot) if forgets else self.keep(replace(hold, role="given"))

    return {"ship": ship}


class KeepsAsk(Router):
    kept: tuple[tuple[int, str], ...] = ()

    def first_try(self, entry: Entry) -> tuple[str, bool]:
        to = dict(self.kept).get(entry.slot)
        return (to, True) if to else super().first_try(entry)

    def answer_arrives(self, shard: str, reply: Reply) -> None:
        if isinstance(reply, AskThere):
            self.kept = ((reply.slot, reply.to),)
        super().answer_arrives(shard, reply)


class ThereAndBack(Resharding):
    """Begins when the slot has moved from A to B and back, and R1 knows it. A MOVED of the first move is late."""

    def start(self) -> World:
        super().start()
        machine = with_parts(Resharding, router=self.router)(**{**_params(self), "budget": None})
        run = Script(machine).ask(OPERATOR).until(fired("M.told")).ask("Ann")
        run.until(fired("S.Moved")).delay(900, Moved).ask("Ben").until(fired("R.done"))
        run.ask(OPERATOR, Move(2, 0, "A"), to="B").until(fired("M.told")).ask("Ben").until(fired("R.moved"))
        return replace(run.world, budget=())


def _params(machine: Resharding) -> dict[str, Any]:
    return {field: getattr(machine.params, field) for field in machine.params.__struct_fields__}


def believes(kind: str) -> Callable[..., Any]:
    """Every answer of this kind changes the map."""

    def rule(self: Router, map: Any, request: Any, reply: Any) -> Any:
        if reply.kind == kind:
            map = {**map, request.slot: (reply.to, reply.epoch or map[request.slot][1])}
        return Router.on_reply(self, map, request, reply)

    return rule


def never_learns(self: Router, map: Any, request: Any, reply: Any) -> Any:
    return (map, (reply.to, False)) if reply.kind == "moved" else Router.on_reply(self, map, request, reply)


def reads_when_deposed(self: Shard, request: Any, slot: int) -> Any:
    reads = isinstance(request.order, Look) and any(row.slot == slot for row in self.rows)
    return None if reads else Shard.redirect(self, request, slot)


def back_to_owner(self: Shard, hold: Hold) -> Hold:
    return Hold(hold.slot, "owner", hold.epoch - 1) if hold.role in ("copying", "fenced") else hold


def ships_rows_only(self: Shard, row: Any, answer: Any) -> Any:
    return (row,) if row.parcels else (), (), (answer,)


def ships_no_answers(self: Shard, hold: Hold, rows: Any, gone: Any, answers: Any) -> None:
    Shard.append(self, hold, rows, gone, ())


def searched_on(self: SlotMap, key: str) -> int:
    found = re.search(r"\{([^}]+)\}", key.replace("{}", ""))
    return slot_of(found[1] if found else key, len(self.owners))


def unsigned(self: KafkaMap, key: str) -> int:
    return murmur2(key.encode())


def plain(self: TokenMap, key: str) -> int:
    return token_of(key, tail=int)


def end_included(self: RangeMap, shard: int, key: str) -> bool:
    return self.ranges[shard].holds(key) or key == self.ranges[shard].end


def next_known(self: ParcelRoom, state: Any, this: Any) -> str | None:
    return next((start for start in (*state.known, this.end) if start is None or start > this.start), None)


def whenever_fuller(self: Planner, weight: float, giver: float, taker: float, room: Any) -> bool:
    return giver > taker


def skips(self: Holder, question: Question, rows: Any) -> Any:
    return leg(question, rows)[question.offset :]


def only_its_top(self: Holder, question: Question, rows: Any) -> Any:
    return leg(question, rows)[: question.limit]


def its_mean(self: Holder, question: Question, rows: Any) -> Any:
    return ("sum", sum(row.parcels for row in rows) / len(rows)), ("count", 1)


def asks_all(self: SignUps, state: Any, customer: str, email: str) -> bool:
    return email not in state.rows.values()


def asked(scheme: str, *keys: str) -> dict[str, Any]:
    """A room of keys that a client can ask for."""
    return {"scheme": scheme, "keys": keys, "heat": dict.fromkeys(keys, 2), "machines": tuple("ABCDEFG")}


MEAN, TOP, PAGE = Question(1, "mean"), Question(1, "top", 1), Question(1, "page", 2, 1)
# Title -> what breaks, the shard or its other rules, and the bounds within which the small machine shows it.
MOVES: Mapping[str, tuple[Property, dict[str, Any], dict[str, Any]]] = {
    "no fence": (one_owner, {"fence": lambda self, hold: hold}, {}),
    "no drain": (nothing_lost, {"may_switch": lambda self, slot: True}, {"budget": {"crash": 1, "drop": 1}}),
    "no catch-up": (nothing_lost, {"committed": lambda *given: None}, {}),
    "a deletion is not shipped": (nothing_lost, {"change": ships_rows_only}, {"orders": OUT}),
    "changes out of order": (nothing_lost, {"may_apply": lambda self, hold, ship: True}, {"budget": {"duplicate": 1}}),
    "the answers stay behind": (nothing_lost, {"append": ships_no_answers}, {"budget": {"drop": 1}}),
    "the source is told first": (
        no_ping_pong,
        after_take_over(forgets=False),
        {},
    ),
    "cleaned before the switch": (
        nothing_lost,
        after_take_over(forgets=True),
        {"budget": {"crash": 1}},
    ),
    "no intent on disk": (one_owner, {"recovered": back_to_owner}, {"budget": {"crash": 1}}),
    "the deposed owner reads": (nothing_lost, {"redirect": reads_when_deposed}, {}),
}
TWO_MOVES = {**_params(SMALL), "orders": (*IN, *LOOK, *LOOK), "patience": 2_000}
ROUTERS: Mapping[str, tuple[Property | Sometimes, Any, Resharding]] = {
    "ASK is kept": (nothing_lost, KeepsAsk, SMALL.again(way="key by key", orders=(*LOOK, *IN))),
    "learns from ASK": (one_for_an_epoch, changed(Router, on_reply=believes("ask")), SMALL),
    "never learns": (maps_level, changed(Router, on_reply=never_learns), SMALL.again(orders=IN * 2)),
    "takes any map": (map_never_back, changed(Router, on_reply=believes("moved")), ThereAndBack(**TWO_MOVES)),
}
ROOMS: Mapping[str, tuple[Property, dict[str, Any], dict[str, Any]]] = {
    "modulo": (few_move, {"scheme": "modulo"}, {"scheme": "slots"}),
    "the end belongs to two ranges": (one_range, {"map_type": changed(RangeMap, holds=end_included)}, {"shards": 1}),
    "the scan goes on at the next start": (whole_scan, {"goes_on": next_known}, {"shards": 1}),
    "the sign bit counts": (agreed, {"map_type": changed(KafkaMap, number=unsigned)}, asked("kafka", "Oslo", "Rome")),
    "the tail is unsigned": (
        agreed,
        {"map_type": changed(TokenMap, token=plain)},
        asked("tokens", "Malmö", "東京"),
    ),
    "the next braces count": (agreed, {"map_type": changed(SlotMap, shard_of=searched_on)}, asked("slots", "a{}{b}")),
    "moves back": (moves_pay, {"planner": changed(Planner, pays=whenever_fuller)}, {"scheme": "slots"}),
}
QUERIES: Mapping[str, tuple[Question, dict[str, Any]]] = {
    "offset at each shard": (PAGE, {"holder": changed(Holder, leg=skips)}),
    "top of the tops": (TOP, {"holder": changed(Holder, leg=only_its_top)}),
    "mean of the means": (MEAN, {"holder": changed(Holder, leg=its_mean)}),
    "silent about what is missing": (PAGE, {"gatherer": changed(Gatherer, missing=lambda *given: ())}),
}


def _bug(title: str, breaks: Property | Sometimes, changes: Mapping[str, Any], *search: Any) -> Bug:
    return Bug(SENTENCES[title], changes, Search(search[0], (breaks,), *search[1:]), breaks)


BUGS: dict[str, Bug] = {}
for title, (broken, shard, bounds) in MOVES.items():
    BUGS[title] = _bug(title, broken, {"shard": changed(Shard, **shard)}, SMALL.again(**bounds))
for title, (never, router, machine) in ROUTERS.items():
    BUGS[title] = _bug(title, never, {"router": router}, machine)
for title, (wrong, changes, room) in ROOMS.items():
    BUGS[title] = _bug(title, wrong, changes, ParcelRoom(**room), lambda now: now.epoch < 4 and not now.salts)
for title, (question, parts) in QUERIES.items():
    BUGS[title] = _bug(title, right_answer, parts, ScatterGather(questions=(question,), budget={}))
BUGS["unique by asking all"] = _bug("unique by asking all", unique, {"may_claim": asks_all}, SignUps())
