"""Two exercises: `plan(load, machines, threshold)`, and what a router does with an answer, `on_reply`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import product
from typing import Any, get_args

from patterns.engine.exercise import Answer, Case, Exercise, Rule, Told, mistakes_of
from patterns.engine.planted import Scripted, Search, planted
from patterns.engine.properties import Sometimes
from patterns.engine.sentences import page_of
from patterns.sharding.plan import Move, Planner, fewest_moves, moved, plan
from patterns.sharding.resharding import OPERATOR
from patterns.sharding.room import Join, ParcelRoom, Plan, moves_pay
from patterns.sharding.router import Answered, Kind, Router, Tried, on_reply

from .broken import IN, LOOK, SMALL

# A plan


def plan_cases() -> Iterator[Case]:
    """(shards, machines with their capacities, threshold): equal shards, then weights, capacities, a drain."""
    for counts in ((2, 0), (1, 1), (3, 1), (3, 0), (4, 1), (2, 0, 0), (4, 1, 0), (1, 2, 0), (4, 4, 0), (5, 2, 2)):
        names = "ABC"[: len(counts)]
        on = [name for name, count in zip(names, counts, strict=True) for _ in range(count)]
        of = dict.fromkeys(names, 1)
        weights = ([1] * len(on), [1 + at % 3 for at in range(len(on))], [5, *[1] * (len(on) - 1)])
        rooms = (of, {**of, "B": 2}, {**of, "A": 0})
        for weigh, room, threshold in product(weights, rooms, (0.0, 0.5)):
            shards = tuple((f"s{at}", each) for at, each in enumerate(zip(on, weigh, strict=True), 1))
            yield shards, tuple(room.items()), threshold


def given(case: Case) -> Case:
    """The arguments of a call."""
    return dict(case[0]), dict(case[1]), case[2]


def plan_solution(load: Any, machines: Any, threshold: float) -> list[tuple[str, str]]:
    return [(move.shard, move.taker) for move in plan(dict(load), dict(machines), threshold)]


def fault(case: Case, moves: Any) -> tuple[str, str]:
    """The kind of fault that a plan has, as in `faults.toml`, and the fault in words; both empty for a right plan."""
    load, machines, threshold = given(case)
    counts = {name: sum(machine == name for machine, _ in load.values()) for name in machines}
    equal = len({weight for _, weight in load.values()}) == 1 and {*machines.values()} <= {0, 1} and not threshold
    most = fewest_moves(counts, machines) if equal else len(load)
    for shard, taker in moves:
        if shard not in load or not machines.get(taker):
            return "cannot move", f"{shard} cannot move to {taker}"
        if not Planner().worth(load, machines, threshold, shard, taker):
            return "not worth it", f"moving {shard} from {load[shard][0]} to {taker} is not worth it"
        load = moved(load, [Move(shard, load[shard][0], taker)])
    if len(moves) > most:
        return "too many moves", f"{len(moves)} moves, and {most} are enough"
    rest = plan(load, machines, threshold)
    return ("stops early", f"afterwards {rest[0].shard} should still move to {rest[0].taker}") if rest else ("", "")


def otherwise(change: Callable[[Any, Any, float], tuple[Any, Any, float]]) -> Rule:
    """The solution, of arguments that are misread."""
    return lambda load, machines, threshold: plan_solution(*change(load, machines, threshold))


def dealt(load: Any, machines: Any, threshold: float) -> list[tuple[str, str]]:
    open = [name for name in machines if machines[name]]
    return [(shard, open[at % len(open)]) for at, shard in enumerate(sorted(load, reverse=True))]


PLAN_MISTAKES = {
    "no moves": lambda *given: [],
    "all to one": lambda load, machines, threshold: [(shard, list(machines)[-1]) for shard in load],
    "stops early": lambda *given: plan_solution(*given)[:1],
    "counts shards": otherwise(lambda load, rooms, t: ({shard: (load[shard][0], 1) for shard in load}, rooms, t)),
    "one size for all": otherwise(lambda load, rooms, t: (load, {name: min(1, rooms[name]) for name in rooms}, t)),
    "forgets the drain": otherwise(lambda load, rooms, t: (load, {name: rooms[name] or 1 for name in rooms}, t)),
    "forgets the threshold": otherwise(lambda load, rooms, t: (load, rooms, 0.0)),
    "starts anew": dealt,
}


def _tell_plan(case: Case, right: Any, answer: Answer) -> Told:
    shards, machines, threshold = case
    load = ", ".join(f"{shard} on {machine} weighs {weight}" for shard, (machine, weight) in shards)
    room = ", ".join(f"{name} {capacity}" for name, capacity in machines)
    wrong = ""
    with suppress(Exception):  # of an answer of another shape
        wrong = "" if answer.problem else f": {fault(case, answer.value)[1]}"
    given = f"{load}; capacities {room}; threshold {threshold:g}"
    return Told(given, "a list of pairs (shard, machine)", f"{answer}{wrong}")


def _advise_plan(case: Case, moves: Any) -> str:
    """By the fault of the plan."""
    try:
        return str(page_of(__package__, "faults.toml")[fault(case, moves)[0]])
    except (TypeError, ValueError):  # of a value in the answer that is no pair of names
        return "Your answer must be a list of pairs: the shard, and the machine that it moves to."


def _planning(rule: Rule, machine: Any) -> Any:
    class Mine(Planner):
        def plan(self, load: Any, machines: Any, threshold: float = 0.0) -> list[Move]:
            return [Move(shard, load[shard][0], taker) for shard, taker in rule(dict(load), dict(machines), threshold)]

    return planted(machine, planner=Mine)


ROOM = ParcelRoom(scheme="slots", shards=4, keys=("Cairo", "Lima", "Oslo", "Rome"), machines=("A", "B"))
PLAN = Exercise(
    "plan",
    plan_solution,
    plan_cases,
    mistakes_of(__package__, "plan", PLAN_MISTAKES),
    _tell_plan,
    right=lambda *case: case,
    same=lambda case, moves: not fault(case, moves)[0],
    prepare=given,
    what="plans",
    advise=_advise_plan,
    put=_planning,
    searches=[Search(ROOM, (moves_pay,))],
    otherwise=Scripted(ParcelRoom(scheme="slots"), lambda run: run.do(Join("D"), Plan()).finish()),
)

# An answer arrives


def reply_cases() -> Iterator[Case]:
    """(map, request, reply): slot 0, owned by A or B, asked with ASKING or without."""
    replies = (
        *(Answered("moved", to, epoch) for to in "AB" for epoch in (1, 2, 3)),
        *(Answered("ask", to) for to in "AB"),
        *(Answered(kind) for kind in get_args(Kind) if kind not in ("moved", "ask")),
    )
    for owner, epoch, to, asking, reply in product("AB", (1, 2), "AB", (False, True), replies):
        if reply.to != to:
            yield ((0, (owner, epoch)),), Tried(0, to, asking), reply


def reply_solution(map: Any, request: Tried, reply: Answered) -> Any:
    return on_reply(dict(map), request, reply)


def right_replies(map: Any, request: Tried, reply: Answered) -> list[Any]:
    """After TRYAGAIN and silence, the same shard may be asked again as well."""
    after, next = reply_solution(map, request, reply)
    return [(after, next), *([(after, (request.to, request.asking))] if reply.kind in ("tryagain", "down") else [])]


def _wrong(change: Callable[[Any, Tried, Answered], Any], *kinds: str) -> Rule:
    """The solution, but for replies of these kinds."""
    return lambda map, request, reply: (change if reply.kind in kinds else on_reply)(map, request, reply)


def _stale(change: Callable[[Any, Tried, Answered], Any]) -> Rule:
    """The solution, but for a MOVED that is not newer than the map."""
    return lambda map, request, reply: (
        change if reply.kind == "moved" and reply.epoch <= map[request.slot][1] else on_reply
    )(map, request, reply)


def _learned(map: Any, request: Tried, reply: Answered) -> Any:
    return {**map, request.slot: (reply.to, reply.epoch or map[request.slot][1])}


def _follow(map: Any, request: Tried, reply: Answered) -> Any:
    return map, (reply.to, False)


REPLY_MISTAKES: Mapping[str, Rule | Sequence[Rule]] = {
    "ignores answers": lambda map, request, reply: (map, None if reply.kind == "ok" else (map[request.slot][0], False)),
    "the shard alone": lambda *given: (on_reply(*given)[0], (on_reply(*given)[1] or [None])[0]),
    "the line of the map": _wrong(lambda *given: (on_reply(*given)[0], on_reply(*given)[0][given[1].slot]), "moved"),
    "stops at an old MOVED": _stale(lambda map, request, reply: (map, None)),
    "asks there again": _stale(lambda map, request, reply: (map, (request.to, request.asking))),
    "believes an equal MOVED": _stale(
        lambda map, *rest: (
            _follow(_learned(map, *rest), *rest) if rest[1].epoch == map[rest[0].slot][1] else on_reply(map, *rest)
        )
    ),
    "keeps ASK": _wrong(lambda *given: (_learned(*given), (given[2].to, True)), "ask"),
    "no ASKING": _wrong(_follow, "ask"),
    "follows an old MOVED": _wrong(lambda *given: (on_reply(*given)[0], (given[2].to, False)), "moved"),
    "forgets MOVED": _wrong(_follow, "moved"),
    "believes any MOVED": _wrong(lambda *given: (_learned(*given), (given[2].to, False)), "moved"),
    "gives up": [
        _wrong(lambda map, request, reply: (map, None), *kinds)
        for kinds in (("tryagain", "down"), ("down",), ("tryagain",))
    ],
    "asks on": _wrong(lambda map, request, reply: (map, (request.to, request.asking)), "ok"),
}


def _tell_reply(case: Case, right: Any, answer: Answer) -> Told:
    (line,), request, reply = case
    said = " ".join(filter(None, [reply.kind.upper(), reply.to, f"epoch {reply.epoch}" if reply.epoch else ""]))
    asked = f"{request.to}{' with ASKING' if request.asking else ''}"
    return Told(f"the map has {line[1][0]}, epoch {line[1][1]}; {asked} answers {said}", str(right[0]))


def _routing(rule: Rule, machine: Any) -> Any:
    class Mine(Router):
        def on_reply(self, map: Any, request: Tried, reply: Answered) -> Any:
            return rule(dict(map), request, reply)

    return planted(machine, router=Mine)


answered = Sometimes(
    "all requests are answered", lambda world: len(world.calls) > 2 and not any(c.waits for c in world.calls)
)
ON_REPLY = Exercise(
    "on_reply",
    reply_solution,
    reply_cases,
    mistakes_of(__package__, "on_reply", REPLY_MISTAKES),
    _tell_reply,
    right=right_replies,
    same=lambda right, given: (dict(given[0]), given[1] and tuple(given[1])) in right,
    prepare=lambda case: (dict(case[0]), *case[1:]),
    what="answers",
    put=_routing,
    searches=[
        Search(SMALL.again(orders=(*IN, *LOOK)), (*SMALL.always, answered)),
        Search(SMALL.again(orders=(*IN, *LOOK), way="key by key"), (*SMALL.always, answered)),
    ],
    otherwise=Scripted(SMALL.again(budget=None), lambda run: run.ask(OPERATOR).ask("Ann").advance(24)),
)
EXERCISES: Mapping[str, Exercise] = {exercise.name: exercise for exercise in (PLAN, ON_REPLY)}
