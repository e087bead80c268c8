"""One rule changed at a time: each is a bug that was shipped somewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from patterns.engine.milestones import fired
from patterns.engine.planted import Bug, Search, with_parts
from patterns.engine.properties import Property, Sometimes
from patterns.engine.script import Script
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
from patterns.sharding.ranges import RangeCache
from patterns.sharding.resharding import OPERATOR, Resharding
from patterns.sharding.room import ParcelRoom, agreed, few_move, moves_pay, one_range, whole_scan
from patterns.sharding.router import Router
from patterns.sharding.shard import Shard, Stream

IN, OUT, LOOK = (("Ann", "hand in", "Cairo"),), (("Ann", "collect", "Cairo"),), (("Ben", "look", "Rome"),)
STOCK = (("Cairo", 2),)
SMALL = Resharding(
    routers=1, slots=1, stock=STOCK, orders=IN, undo=False, retries=False, timing="quiet", budget={}, move="Cairo"
)
"""Two shards, one router, one slot, one write, a move. A timer fires only when no message is on its way."""


def changed(kind: type, **rules: Any) -> type:
    """The class with other methods."""
    return type(f"Other{kind.__name__}", (kind,), rules)


# Of a move


class ToldFirst(Shard):
    def ship(self, hold: Hold, stream: Stream, piece: Ship | TakeOver) -> None:
        super().ship(hold, stream, piece)
        if isinstance(piece, TakeOver):
            self.keep(replace(hold, role="given"))


class CleansFirst(Shard):
    def ship(self, hold: Hold, stream: Stream, piece: Ship | TakeOver) -> None:
        super().ship(hold, stream, piece)
        if isinstance(piece, TakeOver):
            self.forget(hold.slot)


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
    """Begins when the slot has moved from A to B and back to A. R1 knows it. A MOVED of the first move is still late."""

    def start(self) -> World:
        super().start()
        machine = with_parts(Resharding, router=self.router)(**{**_params(self), "budget": None})
        run = Script(machine).ask(OPERATOR).until(fired("M.told")).ask("Ann")
        run.until(fired("S.Moved")).delay(900, Moved).ask("Ben").until(fired("R.done"))
        run.ask(OPERATOR, Move(2, 0, "A"), to="B").until(fired("M.told")).ask("Ben").until(fired("R.moved"))
        return replace(run.world, budget=())  # type: ignore[no-any-return]


def _params(machine: Resharding) -> dict[str, Any]:
    return {field: getattr(machine.params, field) for field in machine.params.__struct_fields__}


def _move(sentence: str, breaks: Property | Sometimes, rules: Mapping[str, Any] | type, **bounds: Any) -> Bug:
    """A shard with other rules, found in a small machine within these bounds."""
    shard = rules if isinstance(rules, type) else changed(Shard, **rules)
    return Bug(sentence, {"shard": shard}, Search(SMALL.again(**bounds), (breaks,)), breaks)


def _route(sentence: str, breaks: Property | Sometimes, router: Any, machine: Resharding) -> Bug:
    """A router with another rule: a class, or a function in place of `on_reply`."""
    kind = router if isinstance(router, type) else changed(Router, on_reply=router)
    return Bug(sentence, {"router": kind}, Search(machine, (breaks,)), breaks)


def _room(sentence: str, breaks: Property, changes: Mapping[str, Any], **room: Any) -> Bug:
    return Bug(
        sentence,
        changes,
        Search(ParcelRoom(**room), (breaks,), within=lambda room: room.epoch < 4 and not room.salts),
        breaks,
    )


def _query(sentence: str, question: Question, **changes: Any) -> Bug:
    search = Search(ScatterGather(questions=(question,), budget={}), (right_answer,))
    return Bug(sentence, changes, search, right_answer)


def learns_from_ask(self: Router, map: Any, request: Any, reply: Any) -> Any:
    if reply.kind == "ask":
        map = {**map, request.slot: (reply.to, map[request.slot][1])}
    return Router.on_reply(self, map, request, reply)


def never_learns(self: Router, map: Any, request: Any, reply: Any) -> Any:
    return (map, (reply.to, False)) if reply.kind == "moved" else Router.on_reply(self, map, request, reply)


def takes_any_map(self: Router, map: Any, request: Any, reply: Any) -> Any:
    if reply.kind == "moved":
        map = {**map, request.slot: (reply.to, reply.epoch)}
    return Router.on_reply(self, map, request, reply)


def reads_when_deposed(self: Shard, request: Any, slot: int) -> Any:
    reads = isinstance(request.order, Look) and any(row.slot == slot for row in self.rows)
    return None if reads else Shard.redirect(self, request, slot)


def back_to_owner(self: Shard, hold: Hold) -> Hold:
    return Hold(hold.slot, "owner", hold.epoch - 1) if hold.role in ("copying", "fenced") else hold


def tag_searched_on(self: SlotMap, key: str) -> int:
    found = re.search(r"\{([^}]+)\}", key)
    return slot_of((found[1] if found else key).replace("{", ""), len(self.owners))


def next_start(pieces: Any, this: Any) -> str | None:
    return min((piece.start for piece, _ in pieces if piece.start > this.start), default=this.end)


def end_included(self: RangeMap, shard: int, key: str) -> bool:
    return self.ranges[shard].holds(key) or key == self.ranges[shard].end


MEAN, TOP, PAGE = Question(1, "mean"), Question(1, "top", 1), Question(1, "page", 2, 1)
FOREIGN = {"São Paulo": 2, "東京": 2, "Zürich": 2}
BUGS: Mapping[str, Bug] = {
    "no fence": _move(
        "The source accepts writes until it hears that the target owns the slot.", one_owner, {"fence": lambda s, h: h}
    ),
    "no drain": _move(
        "The target takes over while a write that began before the fence still runs at the source.",
        nothing_lost,
        {"may_switch": lambda self, slot: True},
    ),
    "no catch-up": _move(
        "Changes that are made during the copy are not shipped.", nothing_lost, {"committed": lambda *given: None}
    ),
    "a deletion is not shipped": _move(
        "Changes are shipped as rows, and a deletion leaves no row: the copy brings the parcels back.",
        nothing_lost,
        {"change": lambda self, row, answer: ((row,) if row.parcels else (), (), (answer,))},
        orders=OUT,
    ),
    "changes out of order": _move(
        "The target applies any piece that arrives: a late duplicate of the copy overwrites a change.",
        nothing_lost,
        {"may_apply": lambda self, hold, ship: hold.life == ship.life},
        budget={"duplicate": 1},
    ),
    "the answers stay behind": _move(
        "The table of answered requests does not move with the slot: a retry is done twice.",
        nothing_lost,
        {"append": lambda self, hold, rows, gone, answers: Shard.append(self, hold, rows, gone, ())},
        budget={"drop": 1},
    ),
    "the source is told first": _move(
        "The source sends clients to the target before the target owns the slot, and the target sends them back.",
        no_ping_pong,
        ToldFirst,
    ),
    "cleaned before the switch": _move(
        "The source deletes its rows when it tells the target to take over, and crashes.",
        nothing_lost,
        CleansFirst,
        budget={"crash": 1},
    ),
    "no intent on disk": _move(
        "A crash makes the source forget the move: it owns the slot again, and the target takes over.",
        one_owner,
        {"recovered": back_to_owner},
        budget={"crash": 1},
    ),
    "the deposed owner reads": _move(
        "A shard that is no longer the owner answers reads as long as it has rows.",
        nothing_lost,
        {"redirect": reads_when_deposed},
    ),
    "ASK is kept": _route(
        "A router keeps the target of an ASK and sends it the next requests for the slot, with ASKING.",
        nothing_lost,
        KeepsAsk,
        SMALL.again(way="key by key", orders=(*LOOK, *IN)),
    ),
    "learns from ASK": _route(
        "A router changes its map when it is told ASK.", one_for_an_epoch, learns_from_ask, SMALL
    ),
    "never learns": _route(
        "A router follows MOVED and does not change its map.", maps_level, never_learns, SMALL.again(orders=IN * 2)
    ),
    "takes any map": _route(
        "A router believes every MOVED, also one that is older than its map.",
        map_never_back,
        takes_any_map,
        ThereAndBack(**{**_params(SMALL), "orders": (*IN, *LOOK, *LOOK), "patience": 2_000}),
    ),
    "modulo": _room(
        "A key's machine is its hash modulo the number of machines.", few_move, {"scheme": "modulo"}, scheme="slots"
    ),
    "the end belongs to two ranges": _room(
        "A range holds its end too, where the next one starts.",
        one_range,
        {"map_type": changed(RangeMap, holds=end_included)},
        shards=1,
    ),
    "the scan goes on at the next start": _room(
        "After a range, a scan goes on where the next range that it knows starts, which may be older.",
        whole_scan,
        {"cache": changed(RangeCache, after=staticmethod(next_start))},
        shards=1,
    ),
    "the sign bit counts": _room(
        "A producer takes the remainder of the unsigned hash. With eight partitions nobody notices.",
        agreed,
        {"map_type": changed(KafkaMap, number=lambda self, key: murmur2(key.encode()))},
        scheme="kafka",
        machines=tuple("ABCDEFG"),
        heat={"Oslo": 2, "Rome": 2},
        keys=("Oslo", "Rome"),
    ),
    "the tail is unsigned": _room(
        "A client reads the last bytes of a key as unsigned: keys beyond ASCII get another token.",
        agreed,
        {"map_type": changed(TokenMap, token=lambda self, key: token_of(key, tail=int))},
        scheme="tokens",
        heat=FOREIGN,
        keys=tuple(FOREIGN),
    ),
    "the tag is searched on": _room(
        "If the first braces are empty, a client takes the next ones as the tag.",
        agreed,
        {"map_type": changed(SlotMap, shard_of=tag_searched_on)},
        scheme="slots",
        heat={"Asia{}{Tokyo}": 2},
        keys=("Asia{}{Tokyo}",),
    ),
    "moves back": _room(
        "The planner moves a shard from the fuller machine to the emptier one, whether that pays or not.",
        moves_pay,
        {"planner": changed(Planner, pays=lambda self, weight, giver, taker, room: giver > taker)},
        scheme="slots",
    ),
    "offset at each shard": _query(
        "Each shard skips the offset by itself, and the router skips it again.",
        PAGE,
        holder=changed(Holder, leg=lambda self, question, rows: leg(question, rows)[question.offset :]),
    ),
    "top of the tops": _query(
        "Each shard gives only its own top senders, though a sender's parcels lie on several shards.",
        TOP,
        holder=changed(Holder, leg=lambda self, question, rows: leg(question, rows)[: question.limit]),
    ),
    "mean of the means": _query(
        "Each shard gives its mean, and the router takes the mean of them.",
        MEAN,
        holder=changed(
            Holder, leg=lambda self, question, rows: (("sum", sum(r.parcels for r in rows) / len(rows)), ("count", 1))
        ),
    ),
    "silent about what is missing": _query(
        "An answer without a shard's part does not say so.", PAGE, gatherer=changed(Gatherer, missing=lambda *given: ())
    ),
    "unique by asking all": Bug(
        "A customer asks every shard whether the e-mail is free, and then writes its row.",
        {"may_claim": lambda self, state, customer, email: email not in state.rows.values()},
        Search(SignUps(), (unique,)),
        unique,
    ),
}
"""Title -> bug."""
