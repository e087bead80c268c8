"""A history keeps every step taken, and moves about in them: tests on a lift."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from models.lift import EVENTS, Board, Down, Lift, Up, after, everything, floors

from patterns.engine.history import History
from patterns.engine.machine import NotEnabled
from patterns.engine.step import Note, Step

# Taking steps


def test_a_history_begins_with_one_step_that_nothing_led_to() -> None:
    root = after().step
    assert (root.number, root.depth, root.parent, root.event, root.notes) == (0, 0, None, None, ())
    assert root.state == Lift().start()


def test_a_step_holds_the_event_the_state_it_led_to_and_the_rules_that_fired() -> None:
    step = after(Up()).step
    assert (step.event, step.state, step.depth) == (Up(), (1, ()), 1)
    assert step.notes == (Note("moved", {"was": 0, "floor": 1}),)


def test_an_event_that_cannot_happen_leaves_the_history_as_it_was() -> None:
    history = after(Board("Ann"), Up(), Up())
    history.back()
    before = everything(history)
    with pytest.raises(NotEnabled, match="Ann is in the lift"):
        history.apply(Board("Ann"))
    assert everything(history) == before


def test_of_events_in_a_row_those_before_the_refused_one_happened() -> None:
    history = after()
    with pytest.raises(NotEnabled, match="no floor 4"):
        history.run([Up()] * 5)
    assert floors(history.path) == [0, 1, 2, 3]


def test_left_alone_the_usual_thing_happens_until_nothing_does() -> None:
    history = after(machine=Lift(floors=3))
    assert [history.advance() is not None for _ in range(3)] == [True, True, False]
    assert floors(history.steps) == [0, 1, 2]


# Moving about


def test_going_back_and_forward_moves_along_the_branch_and_stops_at_its_ends() -> None:
    history = after(Up(), Up(), Down())
    assert history.back(2).depth == 1
    assert history.forward().depth == 2
    assert history.back(99).depth == 0
    assert history.forward(99).depth == 3
    assert len(history.steps) == 4


@pytest.mark.parametrize("move", [History.back, History.forward])
def test_a_negative_number_of_steps_is_refused(move: Callable[[History[Any, Any], int], Any]) -> None:
    history = after(Up(), Up())
    with pytest.raises(ValueError, match="steps is -1; allowed is a whole number, at least 0"):
        move(history, -1)
    assert history.step.depth == 2


@pytest.mark.parametrize("steps", [1.5, "1", None, True])
@pytest.mark.parametrize("move", [History.back, History.forward])
def test_a_refused_move_leaves_the_history_as_it_was(move: Callable[[History[Any, Any], Any], Any], steps: Any) -> None:
    """D10: the cursor must not stand between two steps."""
    history = after(Up(), Up())
    with pytest.raises(TypeError, match=f"steps is {steps!r}; allowed is a whole number, at least 0"):
        move(history, steps)
    assert history.step.depth == 2
    assert history.advance() is not None


def test_another_event_in_a_place_passed_before_makes_a_branch_and_keeps_the_old_one() -> None:
    history = after(Up(), Up(), Up())
    history.back(2)
    history.apply(Down())
    assert floors(history.branch) == [0, 1, 0]
    assert [floors(leaf.path) for leaf in history.leaves] == [[0, 1, 2, 3], [0, 1, 0]]


def test_the_same_event_in_the_same_place_follows_the_branch_that_exists() -> None:
    history = after(Up(), Up())
    first = history.step
    history.back(2)
    history.apply(Board("Ann"))
    history.jump(0)
    history.run([Up(), Up()])
    assert history.step is first
    assert len(history.steps) == 4


def test_following_a_branch_keeps_what_comes_after_it() -> None:
    history = after(Up(), Up(), Up())
    history.jump(0)
    history.apply(Up())
    assert floors(history.branch) == [0, 1, 2, 3]
    assert history.forward(9).state == (3, ())


def test_a_jump_into_another_branch_makes_it_the_current_one_to_its_end() -> None:
    history = after(Up(), Up(), Up())
    history.jump(1)
    history.apply(Down())
    assert floors(history.jump(2).path) == [0, 1, 2]
    assert floors(history.branch) == [0, 1, 2, 3]


@pytest.mark.parametrize("number", [-1, 3, 99])
def test_a_jump_to_a_step_that_does_not_exist_is_refused(number: int) -> None:
    history = after(Up(), Up())
    with pytest.raises(IndexError, match=f"step {number} does not exist: this history has steps 0 to 2"):
        history.jump(number)
    assert history.step.number == 2


def test_a_jump_to_a_step_of_another_history_is_refused() -> None:
    with pytest.raises(ValueError, match="belongs to another history"):
        after(Up()).jump(after(Up()).step)


def test_a_jump_to_what_is_no_step_is_refused() -> None:
    with pytest.raises(TypeError, match="to is 'x'; allowed is a step of this history, or its number"):
        after(Up()).jump("x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("machine", "said"),
    [(None, "machine is None; allowed is a Machine$"), (Lift, r"allowed is a Machine: write Lift\(\)$")],
)
def test_a_history_of_no_machine_is_refused_and_forgotten_parentheses_are_named(machine: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        History(machine)


def test_a_run_of_no_events_and_a_code_of_no_step_are_refused() -> None:
    with pytest.raises(TypeError, match="events is 5; allowed is a list of events"):
        after().run(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="leaf is 3; allowed is a Step"):
        after(Up()).code_of(3)  # type: ignore[arg-type]


# Running until


def at_floor(floor: int) -> Callable[[Step[Any, Any]], bool]:
    return lambda step: step.state[0] == floor


def test_a_run_stops_at_the_first_new_step_that_is_as_wanted() -> None:
    history = after()
    step = history.run_until(at_floor(2), 100)
    assert step is history.step
    assert floors(history.path) == [0, 1, 2]


def test_a_run_takes_no_more_steps_than_its_bound() -> None:
    history = after(machine=Lift(floors=100))
    assert history.run_until(at_floor(50), 10) is None
    assert history.step.depth == 10
    assert history.run_until(at_floor(20), 10) is history.step


def test_a_run_ends_where_nothing_happens_any_more() -> None:
    history = after()
    assert history.run_until(at_floor(9), 100) is None
    assert history.step.state == (3, ())


@pytest.mark.parametrize("bound", [0, -1, 2.5, "10"])
def test_a_bound_that_is_no_number_of_steps_is_refused(bound: Any) -> None:
    with pytest.raises(ValueError, match=f"bound is {bound!r}; allowed is a whole number, at least 1"):
        after().run_until(at_floor(1), bound)


class Anything(RuleBasedStateMachine):
    """Any moves in any order, beside a model: the paths taken, in order, and where we stand in which."""

    @initialize(floors=st.integers(1, 4))
    def begin(self, floors: int) -> None:
        self.lift = Lift(floors=floors)
        self.history = History(self.lift)
        self.taken: list[tuple[Any, ...]] = [()]
        self.branch: tuple[Any, ...] = ()
        self.at = 0

    def state_after(self, events: tuple[Any, ...]) -> Any:
        state = self.lift.start()
        for event in events:
            state, _ = self.lift.apply(state, event)
        return state

    def go(self, path: tuple[Any, ...]) -> None:
        """Stand at the end of a path; unless it is part of the current branch, its oldest continuation is current."""
        if self.branch[: len(path)] != path:
            self.branch = path
            while longer := [p for p in self.taken if len(p) == len(self.branch) + 1 and p[:-1] == self.branch]:
                self.branch = longer[0]
        self.at = len(path)

    @rule(event=EVENTS)
    def apply(self, event: Any) -> None:
        here = self.branch[: self.at]
        before = everything(self.history)
        try:
            self.lift.apply(self.state_after(here), event)
        except NotEnabled:
            with pytest.raises(NotEnabled):
                self.history.apply(event)
            assert everything(self.history) == before
            return
        self.history.apply(event)
        if (*here, event) not in self.taken:
            self.taken.append((*here, event))
        self.go((*here, event))

    @rule()
    def advance(self) -> None:
        event = self.lift.usual(self.history.state)
        assert (self.history.advance() is None) == (event is None)
        if event is not None:
            self.history.back()
            self.apply(event)

    @rule(steps=st.integers(0, 5))
    def back(self, steps: int) -> None:
        self.history.back(steps)
        self.at = max(0, self.at - steps)

    @rule(steps=st.integers(0, 5))
    def forward(self, steps: int) -> None:
        self.history.forward(steps)
        self.at = min(len(self.branch), self.at + steps)

    @rule(data=st.data())
    def jump(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.taken) - 1))
        self.history.jump(number if data.draw(st.booleans()) else self.history.steps[number])
        self.go(self.taken[number])

    @rule()
    def replay_every_branch(self) -> None:
        for leaf in self.history.leaves:
            again = History.replay(Lift(), self.history.code_of(leaf))
            assert [step.state for step in again.branch] == [step.state for step in leaf.path]
        assert History.replay(Lift(), self.history.code).path[-1].state == self.history.state

    @invariant()
    def the_history_is_as_the_model_says(self) -> None:
        assert [tuple(s.event for s in step.path[1:]) for step in self.history.steps] == self.taken
        assert [step.number for step in self.history.steps] == list(range(len(self.taken)))
        assert tuple(step.event for step in self.history.branch[1:]) == self.branch
        assert self.history.path == self.history.branch[: self.at + 1]
        assert self.history.step is self.history.path[-1]
        assert self.history.state == self.state_after(self.branch[: self.at])
        ends = [path for path in self.taken if not any(p[:-1] == path for p in self.taken if p)]
        assert [tuple(s.event for s in leaf.path[1:]) for leaf in self.history.leaves] == ends


Anything.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAnyMovesInAnyOrder = Anything.TestCase


def test_a_long_history_is_freed_while_its_last_step_is_still_held() -> None:
    """A chain of 100,000 steps, freed from its end: no recursion as deep as the run."""
    history = after(machine=Lift(floors=100_001))
    for _ in range(100_000):
        history.advance()
    leaf = history.step
    del history
    assert leaf.depth == 100_000
    del leaf
