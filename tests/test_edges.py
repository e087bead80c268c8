"""Every parameter of every machine of every chapter, at the edges of what `Params` allows.

A value is refused by its name, or the machine runs: it starts, nothing raises, time goes on, each event has words, the
replay code brings the run back, and without a fault everything ends that is not declared here.

In seconds: the first machine of each kind. Each machine: pytest -m slow tests/test_edges.py
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from drawn_runs import random_run
from fair_runs import CHAPTERS, MOST_ROUNDS, ROUND, Run
from msgspec import inspect as types
from msgspec.structs import fields

from patterns.cqrs import Cqrs
from patterns.cqrs.properties import level
from patterns.engine.history import History
from patterns.engine.machine import Machine
from patterns.engine.params import ParameterError
from patterns.engine.simulation import Simulation

LARGE = 200
"""Stands for a number without an upper bound: longer than each time-out is by default."""
STEPS = 50
MOST_STEPS = 3_000
MANY = 30
"""A machine with more processes than this is only started: all its choices in words are a hundred thousand lines."""
STILL = 300
"""Steps of the usual run while the clock shows the same ms."""

MACHINES: Mapping[str, Machine[Any, Any]] = {
    f"{name}: {title}": machine for name, chapter in CHAPTERS.items() for title, machine in chapter.machines.items()
}
FIRST = {type(machine): title for title, machine in reversed(MACHINES.items())}
"""Kind of machine -> the first machine of the kind."""

ENDLESS: Mapping[str, str] = {
    "latency (200, 200)": "each message takes longer than a time-out",
    "latency (0, 200)": "many messages take longer than a time-out",
    "election_timeout (1, 1)": "no vote arrives before the next election",
    "election_timeout (1, 200)": "many elections begin before a vote arrives",
    "election_timeout (200, 200)": "all servers stand at the same moment, again and again",
    "clients {'': ()}": "no client asks",
    "clients {'x': ()}": "no client asks",
    "transfers ()": "no client asks",
    "questions ()": "no client asks",
    "coffees ()": "no customer orders",
    "bags 0": "each order is declined",
    "drift 99": "a lease is shorter than a round trip",
    "term 2": "a lease is shorter than a round trip",
    "writes 0": "a leader writes no line",
    "syncs 0": "the replicas never compare their rows",
}
"""Settings under which a machine may run without an end -> why."""


def edges(kind: types.Type, now: Any = None) -> Iterator[Any]:
    """The values at the edges of a type. `now` is the present value of the parameter."""
    match kind:
        case types.Metadata(type=inner):
            yield from edges(inner, now)
        case types.IntType(ge=low, le=high):
            low = -1 if low is None else low
            yield from (low, low + 1, LARGE if high is None else high)
        case types.FloatType():
            yield from (0.001, 1000.0)
        case types.BoolType():
            yield from (False, True)
        case types.StrType():
            yield from ("", "x")
        case types.NoneType():
            yield None
        case types.LiteralType(values=values):
            yield from values
        case types.UnionType(types=several):
            for each in several:
                yield from edges(each, now)
        case types.TupleType(item_types=several):
            ends = [list(edges(each)) for each in several]
            yield from (tuple(each[0] for each in ends), tuple(each[-1] for each in ends))
            yield (*(each[0] for each in ends[:-1]), ends[-1][-1])
        case types.VarTupleType(item_type=inner):
            yield ()
            yield from ((each,) for each in edges(inner))
            if now:
                yield from (now[:1], now[:1] * 2, now * 20, now[::-1])
        case types.DictType(key_type=key, value_type=value):
            yield {}
            yield from ({name: each} for name in edges(key) for each in edges(value))
        case types.StructType() | types.AnyType():
            pass  # no edges
        case _:
            raise NotImplementedError(f"edges of {kind}")


def values_of(machine: Machine[Any, Any], parameter: str) -> list[Any]:
    """The edges of the parameter, each once; 1 and True are two."""
    kind = next(field.type for field in fields(machine.params) if field.name == parameter)
    found = edges(types.type_info(kind), getattr(machine.params, parameter))
    return list({repr(value): value for value in found}.values())


def built(machine: Machine[Any, Any], parameter: str, value: Any) -> Machine[Any, Any] | None:
    """The machine with this value, started once; None if the value is refused by the parameter's name."""
    try:
        changed = machine.again(**{parameter: value})
        changed.start()
    except ValueError as problem:
        names = [parameter.removesuffix("s"), *(field.name for field in fields(machine.params)), "name", "a read model"]
        if any(str(problem).startswith(name) for name in names):
            return None
        raise
    return changed


def runs(machine: Machine[Any, Any]) -> None:
    """Every fourth step is any choice there is. Each event has words, and the replay code brings the run back."""
    history = random_run(machine, 0, STEPS)
    for step in history.branch[1:]:
        assert step.parent is not None
        assert machine.describe(step.parent.state, step.event)
        assert all(machine.say(note) for note in step.notes)
    assert History.replay(machine, history.code).state == history.state


def goes_on(machine: Simulation) -> None:
    """In the usual run without requests the clock moves on."""
    world, since = machine.start(), 0
    for _ in range(2 * STILL):
        event = machine.usual(world)
        if event is None:
            return
        after, _ = machine.apply(world, event)
        since = 0 if after.clock > world.clock else since + 1
        assert since < STILL, f"time stands still at {after.clock} ms"
        world = after


def ends(machine: Simulation) -> str:
    """Why the run without a fault does not end; empty if it ends."""
    run = Run(machine, machine.start())
    run.ask()
    for _ in range(MOST_STEPS):
        if run.has_ended():
            return ""
        if run.world.clock > MOST_ROUNDS * ROUND or run.rounds > MOST_ROUNDS:
            break
        if not run.advance():
            return f"at rest before the end after {run.world.clock} ms"
    return f"not ended after {run.world.clock} ms"


def fault_at(machine: Machine[Any, Any], parameter: str, value: Any) -> str:
    """The fault of the machine with this value; empty if it has none."""
    what = f"{parameter} {value!r}"
    try:
        changed = built(machine, parameter, value)
        if changed is None or (isinstance(changed, Simulation) and len(changed.start().processes) > MANY):
            return ""
        runs(changed)
        if isinstance(changed, Simulation):
            goes_on(changed)
            if (why := ends(changed)) and what not in ENDLESS:
                return f"{what}: {why}"
    except Exception as problem:
        return f"{what}: {type(problem).__name__}: {problem}"
    return ""


def cases_of(title: str) -> list[tuple[str, Any]]:
    machine = MACHINES[title]
    return [(field.name, value) for field in fields(machine.params) for value in values_of(machine, field.name)]


@pytest.mark.parametrize("title", FIRST.values())
def test_a_machine_runs_at_an_edge_of_its_parameters_or_refuses_it_by_name(title: str) -> None:
    cases = cases_of(title)
    assert len(cases) >= len(fields(MACHINES[title].params))
    seen = [fault_at(MACHINES[title], *case) for case in cases[3::13]]
    assert not any(seen), "\n".join(filter(None, seen))


@pytest.mark.slow
@pytest.mark.parametrize("title", MACHINES)
def test_a_machine_runs_at_each_edge_of_its_parameters_or_refuses_it_by_name(title: str) -> None:
    seen = [fault_at(MACHINES[title], *case) for case in cases_of(title)]
    print(f"{title}: {len(seen)} values of {len(fields(MACHINES[title].params))} parameters")
    assert not any(seen), "\n".join(filter(None, seen))


@pytest.mark.parametrize(
    ("chapter", "kind", "given", "why"),
    [
        ("sharding", "Resharding", {"orders": [("", "collect", "Oslo")]}, "allowed is a text that is not empty"),
        ("replication", "AntiEntropy", {"puts": [("Zoe", "milk", "2")]}, r"puts\[0\]\[0\] is 'Zoe'; allowed is 'Ann'"),
        ("cqrs", "Cqrs", {"models": ["orders", "orders"]}, "models is .* allowed is each read model once"),
    ],
)
def test_a_value_that_made_a_run_fail_is_refused_by_name(chapter: str, kind: str, given: Any, why: str) -> None:
    machine = next(each for each in CHAPTERS[chapter].machines.values() if type(each).__name__ == kind)
    with pytest.raises(ParameterError, match=why):
        machine.again(**given)


def test_a_directory_has_one_place_for_each_key_so_no_key_is_salted() -> None:
    room = next(each for each in CHAPTERS["sharding"].machines.values() if type(each).__name__ == "ParcelRoom")
    directory = room.again(scheme="directory", heat={"Africa/Cairo": 9})
    [salt] = [each for each in directory.choices(directory.start()) if type(each.event).__name__ == "Salt"]
    assert salt.why_not == "a directory has one place for each key"


def test_a_shop_without_an_order_is_level() -> None:
    assert level(Cqrs(coffees=()).start())
