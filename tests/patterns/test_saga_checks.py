"""What sagas promise, in every run of small ones and in long random ones; and that broken ones are caught.

In a search a compensatable step may be given up at any moment, an answer to it or not: timeouts keep no promise.
A process that crashes after its write and before its messages left is a crash and a drop: where the budget has both,
such runs are among those searched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from patterns.engine.draw import draw, key_of
from patterns.engine.explore import explore
from patterns.engine.planted import ROUGH, planted
from patterns.engine.properties import AtRest, Sometimes
from patterns.engine.random_worlds import FAULTS, random_worlds
from patterns.engine.sentences import names
from patterns.saga import ALWAYS, PIVOT, RETRIABLE, Add, Move, SagaMachine, saga, step
from patterns.saga.database import LOCKING
from patterns.saga.definition import Saga, Step
from patterns.saga.lesson.broken import small
from patterns.saga.machines import STYLES
from patterns.saga.orchestrator import BackwardAfterCrash
from patterns.saga.properties import all_end, completes, gets_stuck, is_compensated, said
from patterns.saga.readings import instances

# Every run


@pytest.mark.parametrize(
    ("style", "faults", "options", "met"),
    [
        pytest.param("orchestrated", {"crash": 1, "drop": 1}, {}, (completes, is_compensated), id="order"),
        pytest.param(
            "orchestrated", {"crash": 1, "drop": 1}, {"refuse": ["approve"]}, (is_compensated,), id="refused"
        ),
        pytest.param(
            "orchestrated", {"crash": 1, "duplicate": 1}, {"sagas": ["short"], "refuse": ["charge"]},
            (is_compensated,), id="short, refused",
        ),
        pytest.param(
            "orchestrated", {"crash": 1, "drop": 1, "duplicate": 1}, {"sagas": ["one_way"]},
            (completes, is_compensated), id="one step of each kind",
        ),
        pytest.param(
            "orchestrated", {"crash": 1, "drop": 1, "duplicate": 1}, {"sagas": ["one_way"], "tries": 2},
            (completes, is_compensated), id="two tries",
        ),
        pytest.param("orchestrated", {"drop": 1}, {"sagas": ["trip"], "refuse": ["hotel"]}, (is_compensated,),
                     id="parallel branches"),
        pytest.param(
            "orchestrated", {"crash": 1},
            {"sagas": ["short"], "refuse": ["charge"], "fails": {"undo reserve": 1}, "alarm": 1},
            (is_compensated, gets_stuck), id="a compensation fails",
        ),
        pytest.param(
            "orchestrated", {}, {"sagas": ["short", "short"], "rows": {"stock": {"beans": 1}}, "timing": "quiet"},
            (completes, is_compensated), id="two sagas, one bean",
        ),
        pytest.param("choreographed", {"crash": 1, "drop": 1}, {}, (completes,), id="choreographed order"),
        pytest.param("choreographed", {"crash": 1}, {"refuse": ["approve"]}, (is_compensated,),
                     id="choreographed, refused"),
        pytest.param(
            "choreographed", {"crash": 1, "drop": 1, "duplicate": 1}, {"sagas": ["short"], "refuse": ["charge"]},
            (is_compensated,), id="choreographed short, refused",
        ),
        pytest.param(
            "choreographed", {}, {"sagas": ["trip"], "refuse": ["hotel"]}, (is_compensated,),
            id="choreographed parallel branches",
        ),
        pytest.param(
            "choreographed", {"crash": 1},
            {"sagas": ["short"], "refuse": ["charge"], "fails": {"undo reserve": 1}, "alarm": 1},
            (is_compensated, gets_stuck), id="choreographed, a compensation fails",
        ),
        pytest.param(
            "choreographed", {}, {"sagas": ["short", "short"], "rows": {"stock": {"beans": 1}}},
            (completes, is_compensated), id="choreographed, two sagas, one bean",
        ),
    ],
)  # fmt: skip
def test_in_every_run_a_saga_ends_whole_or_gone(
    style: str, faults: Mapping[str, int], options: dict[str, Any], met: tuple[Any, ...]
) -> None:
    """GMS 1: either all transactions of a saga complete, or compensations amend what was done."""
    found = explore(small(faults, style=style, **options), (*ALWAYS, *met), max_states=20_000)
    assert found.complete
    assert found.holds, found
    assert found.states > 40


@pytest.mark.parametrize("refuse", [[], ["b"], ["c"], ["b", "c"]], ids=str)
@pytest.mark.parametrize("style", STYLES)
def test_in_every_run_a_saga_of_two_roots_and_two_leaves_ends_when_all_of_it_has(style: str, refuse: list[str]) -> None:
    """GMS 8: parallel sagas; two may be refused at the same time."""
    move: Any = {"do": Move("left", "right", 1), "undo": Move("right", "left", 1)}
    fork = saga(
        "fork",
        step("a", at="S1", **move, after=()),
        step("b", at="S2", **move, after=()),
        step("c", at="S3", **move, after="a"),
    )
    machine = small(style=style, sagas=[fork], refuse=refuse)
    found = explore(machine, (*ALWAYS, is_compensated if refuse else completes), max_states=5_000)
    assert found.complete
    assert found.holds, found


def test_in_every_run_with_semantic_locks_all_marks_go() -> None:
    """MP 4.3.2: who sets a flag clears it, whichever way its saga ends."""
    for style in STYLES:
        machine = small({"crash": 1}, sagas=["short"], lock="refuse", style=style)
        found = explore(machine, (*ALWAYS, no_marks_left, completes), max_states=20_000)
        assert found.complete
        assert found.holds, found


def test_in_every_run_without_save_points_a_crash_turns_back_to_nothing() -> None:
    """GMS 4: a saga that was interrupted is compensated, its last step too if it may have been done."""
    for refuse in ([], ["approve"]):
        machine = planted(small({"crash": 1, "drop": 1}, refuse=refuse), orchestrator=BackwardAfterCrash)
        found = explore(machine, (*ALWAYS, is_compensated))
        assert found.complete
        assert found.holds, found


def _marks_left(world: Any) -> str | None:
    marked = [row for process in world.processes for row in getattr(process, "rows", ()) if row.pending]
    return None if world.down or not marked else f"marked are {names(marked)}"


no_marks_left = AtRest("no marks are left", _marks_left)


# Random worlds

WORLDS: Mapping[str, dict[str, Any]] = {
    "order": {},
    "trip": {"sagas": ["trip"]},
    "refused": {"sagas": ["order", "trip"], "refuse": ["approve", "B1.pay"]},
    "failing": {"fails": {"ship": 3, "undo charge": 2, "reserve": 2}, "refuse": ["A2.approve"]},
    "locks": {"sagas": ["order", "order"], "lock": "refuse", "refuse": ["B1.charge"]},
    "waiting": {"sagas": ["raise", "raise", "cancel", "create"], "lock": "wait", "refuse": ["C1.call back"]},
}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("style", STYLES)
def test_in_random_worlds_sagas_keep_their_promises_and_end_once_all_is_repaired(style: str, world: str) -> None:
    machine = SagaMachine(style=style, alarm=0, **WORLDS[world])
    runs = random_worlds(machine, range(12), 150, (*ALWAYS, all_end))
    assert runs.holds, runs


def some_saga(seed: int) -> Saga:
    """A saga of five compensatable steps at three services, written in any order; which waits for which is drawn."""
    order = sorted("vwxyz", key=lambda name: key_of(seed, "place", name))
    steps = [
        step(
            name,
            at=f"S{draw(1, 3, seed, 'at', name)}",
            do=Move("left", "right", 1),
            undo=Move("right", "left", 1),
            after=[other for other in "vwxyz" if other < name and draw(0, 2, seed, other, name) == 0],
        )
        for name in order
    ]
    return saga(f"saga{seed}", *steps)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("style", STYLES)
def test_whatever_the_graph_and_whichever_step_is_refused(style: str, seed: int) -> None:
    """GMS 8: parallel sagas."""
    definition = some_saga(seed)
    for refused in ([], *([name] for name in definition.names), list(definition.names[:2])):
        machine = SagaMachine(sagas=[definition], style=style, refuse=refused, alarm=0)
        runs = random_worlds(machine, (seed,), 60, (*ALWAYS, is_compensated if refused else completes))
        assert runs.holds, runs


def saga_of_all_kinds(seed: int) -> Saga:
    """Compensatable steps, after them all the pivot, retriable ones after it; which waits for which is drawn."""

    def some(names: str, after: list[str], **rest: Any) -> list[Step]:
        return [
            step(
                name,
                at=f"S{draw(1, 3, seed, 'at', name)}",
                after=after + [other for other in names if other < name and draw(0, 2, seed, other, name) == 0],
                **rest,
            )
            for name in names
        ]

    undone, forward = "uvw"[: draw(0, 3, seed, "compensatable")], "yz"[: draw(0, 2, seed, "retriable")]
    steps = some(undone, [], do=Move("left", "right", 1), undo=Move("right", "left", 1))
    steps += some("x", list(undone), do=Add("n", 1), kind=PIVOT)
    return saga(f"saga{seed}", *steps, *some(forward, ["x"], do=Add("n", 1), kind=RETRIABLE))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("style", STYLES)
def test_whatever_the_saga_whatever_is_refused_fails_or_is_marked(style: str, seed: int) -> None:
    definition = saga_of_all_kinds(seed)
    may_refuse = [each.name for each in definition.steps if each.kind != RETRIABLE]
    may_fail = [*definition.names, *(f"undo {each.name}" for each in definition.steps if each.undo)]
    machine = SagaMachine(
        sagas=[definition, definition],
        style=style,
        refuse=[name for name in may_refuse if draw(0, 3, seed, "refuse", name) == 0],
        fails={name: draw(0, 6, seed, "fails", name) for name in may_fail if draw(0, 3, seed, name) == 0},
        lock=LOCKING[seed % 3],
        alarm=draw(0, 5, seed, "alarm"),
        tries=draw(1, 3, seed, "tries"),
    )
    over = Sometimes(
        "all sagas have ended or are stuck",
        lambda world: all(said(world, each.saga) for each in instances(world)) and bool(instances(world)),
    )
    for faults in (FAULTS, ROUGH):
        runs = random_worlds(machine, (seed,), 200, (*ALWAYS, over), faults=faults)
        assert runs.holds, runs


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("style", STYLES)
def test_in_many_rough_random_worlds(style: str, world: str) -> None:
    machine = SagaMachine(style=style, alarm=0, **WORLDS[world])
    runs = random_worlds(machine, range(200), 300, (*ALWAYS, all_end), faults=ROUGH)
    assert runs.holds, runs


@pytest.mark.slow
@pytest.mark.parametrize(
    ("style", "faults", "options"),
    [
        ("orchestrated", {"crash": 2, "drop": 1, "duplicate": 1}, {"sagas": ["short"], "refuse": ["charge"]}),
        ("orchestrated", {"crash": 1}, {"sagas": ["one_way", "one_way"], "timing": "quiet"}),
        ("orchestrated", {"crash": 2, "drop": 1, "duplicate": 1}, {"sagas": ["one_way"]}),
        ("orchestrated", {"crash": 1, "drop": 1}, {"sagas": ["trip"], "refuse": ["hotel"]}),
        ("choreographed", {"crash": 2, "drop": 1, "duplicate": 1}, {"sagas": ["short"], "refuse": ["charge"]}),
        ("choreographed", {"crash": 1, "drop": 1}, {"refuse": ["approve"]}),
        ("choreographed", {"crash": 1}, {"sagas": ["trip"], "refuse": ["hotel"]}),
        ("choreographed", {"crash": 1}, {"sagas": ["one_way", "one_way"]}),
    ],
)
def test_in_every_run_of_larger_ones(style: str, faults: Mapping[str, int], options: dict[str, Any]) -> None:
    found = explore(small(faults, style=style, **options), ALWAYS)
    assert found.complete
    assert found.holds, found
