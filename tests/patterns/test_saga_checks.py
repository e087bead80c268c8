"""What sagas promise, in every run of small ones and in long random ones; and that broken ones are caught.

In a search a compensatable step may be given up at any moment, an answer to it or not: timeouts keep no promise.
A process that crashes after its write and before its messages left is a crash and a drop: where the budget has both,
such runs are among those searched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
from some_sagas import faults_of, saga_of_all_kinds, some_saga

from patterns.engine.dead_ends import Backwards, dead_end
from patterns.engine.explore import Exploration, explore
from patterns.engine.planted import MANY_FAULTS, planted
from patterns.engine.properties import AtRest, Sometimes
from patterns.engine.random_worlds import FAULTS, random_worlds
from patterns.engine.sentences import names
from patterns.engine.world import Request
from patterns.saga import ALWAYS, Cancel, Move, SagaMachine, saga, step
from patterns.saga.database import LOCKING
from patterns.saga.lesson.broken import small
from patterns.saga.machines import STYLES
from patterns.saga.orchestrator import BackwardAfterCrash, Orchestrator
from patterns.saga.properties import all_end, all_told, completes, gets_stuck, is_compensated
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
    found = every_run(small(faults, style=style, **options), met)
    assert found.states > 40


def every_run(machine: SagaMachine, met: tuple[Any, ...] = (), max_states: int = 20_000) -> Exploration:
    """All runs of a machine: no promise is broken, and from each state all can still end and each client be told."""
    search = Backwards(machine, all_told, max_states, (*ALWAYS, *met))
    search.run()
    found = search.result()
    assert found.complete
    assert found.holds, found
    assert search.dead_end() is None
    return found


PIVOTS: Mapping[str, dict[str, Any]] = {
    "a pivot fails for ever": {"fails": {"approve": 99}},
    "a pivot fails for ever, two tries": {"fails": {"approve": 99}, "tries": 2},
    "a pivot has an alarm": {"fails": {"approve": 1}, "tries": 2, "alarm": 2},
    "a step after the pivot fails for ever": {"sagas": ["one_way"], "fails": {"ship": 99}, "alarm": 2},
    "two pivots behind two marks": {"sagas": ["seat_first", "room_first"], "lock": "wait"},
    "two pivots behind two marks, two tries": {"sagas": ["seat_first", "room_first"], "lock": "wait", "tries": 2},
    "two that raise a limit wait": {"sagas": ["raise", "raise"], "lock": "wait"},
}


@pytest.mark.parametrize("name", PIVOTS)
@pytest.mark.parametrize("style", STYLES)
def test_in_every_run_no_saga_waits_for_ever(style: str, name: str) -> None:
    """Richardson 4.3.2: a service that lets sagas wait must end deadlocks."""
    options = {"timing": "quiet", **PIVOTS[name]}
    every_run(small({} if "lock" in options else {"drop": 1}, style=style, **options))


class Cancels(SagaMachine):
    """Z may cancel A1 at any moment."""

    def requests(self, world: Any) -> Iterator[Request[Any]]:
        yield from super().requests(world)
        if world.call("Z") is None and instances(world):
            yield Request("Z", self.front(self.definitions[0]), Cancel(1, "A1"))


@pytest.mark.parametrize("style", STYLES)
def test_in_every_run_with_a_client_that_cancels_a_saga_ends_whole_or_gone(style: str) -> None:
    """temporalio/sdk-java#305."""
    params = small({"drop": 1}, style=style, sagas=["one_way"]).params
    every_run(Cancels(**msgspec.to_builtins(params)), (completes,))


class NeverAsksForTheLastTime(Orchestrator):
    """It waits for its pivot as long as the service answers that nothing was done."""

    def is_final(self, command: Any, tries: int) -> bool:
        return False


def test_a_search_for_dead_ends_sees_who_waits_for_ever_with_a_timer_running() -> None:
    """No state is wrong, and none is at rest: `every_saga_ends` alone is blind to it."""
    options = PIVOTS["two pivots behind two marks"]
    machine = planted(small(timing="quiet", **options), orchestrator=NeverAsksForTheLastTime)
    assert explore(machine, ALWAYS).holds
    stuck = dead_end(machine, all_told)
    assert stuck is not None
    assert len(stuck.path) == 5, "each has its first row: 4 steps"


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
    every_run(machine, (is_compensated if refuse else completes,), max_states=5_000)


def test_in_every_run_with_semantic_locks_all_marks_go() -> None:
    """MP 4.3.2: who sets a flag clears it, whichever way its saga ends."""
    for style in STYLES:
        machine = small({"crash": 1}, sagas=["short"], lock="refuse", style=style)
        every_run(machine, (no_marks_left, completes))


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


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("style", STYLES)
def test_whatever_the_graph_and_whichever_step_is_refused(style: str, seed: int) -> None:
    """GMS 8: parallel sagas."""
    definition = some_saga(seed)
    for refused in ([], *([name] for name in definition.names), list(definition.names[:2])):
        machine = SagaMachine(sagas=[definition], style=style, refuse=refused, alarm=0)
        runs = random_worlds(machine, (seed,), 60, (*ALWAYS, is_compensated if refused else completes))
        assert runs.holds, runs


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("style", STYLES)
def test_whatever_the_saga_whatever_is_refused_fails_or_is_marked(style: str, seed: int) -> None:
    definition = saga_of_all_kinds(seed)
    options = {**faults_of(seed, definition), "lock": LOCKING[seed % 3]}
    machine = SagaMachine(sagas=[definition, definition], style=style, **options)
    over = Sometimes("all sagas have ended or are stuck", all_told)
    for faults in (FAULTS, MANY_FAULTS):
        runs = random_worlds(machine, (seed,), 200, (*ALWAYS, over), faults=faults)
        assert runs.holds, runs


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("style", STYLES)
def test_in_many_rough_random_worlds(style: str, world: str) -> None:
    machine = SagaMachine(style=style, alarm=0, **WORLDS[world])
    runs = random_worlds(machine, range(200), 300, (*ALWAYS, all_end), faults=MANY_FAULTS)
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
