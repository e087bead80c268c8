"""Learners' code is tried and never trusted: whatever it does, what comes back is words."""

from __future__ import annotations

import sys

import msgspec
import pytest

from patterns.engine.judge import Endless, Mistake, Verdict, judge, judge_machine, not_attempted
from patterns.engine.machine import Choice, Machine, NotEnabled
from patterns.engine.properties import Always
from patterns.engine.random_worlds import random_worlds
from patterns.engine.step import Note, Rule

CASES = [(number,) for number in range(1, 20)]


def double(number: int) -> int:
    return 2 * number


def tell(case, right, answer) -> str:
    return f"double({case[0]}) is {right}; yours {answer}"


def verdict_on(function, **others) -> Verdict:
    return judge(function, double, CASES, tell=tell, **others)


def test_what_is_right_in_every_case_is_accepted() -> None:
    verdict = verdict_on(lambda number: number + number)
    assert verdict == Verdict(True, tried=19)
    assert bool(verdict) is True
    assert str(verdict) == "Accepted: right in all 19 cases tried."


def test_the_first_case_that_fails_is_told() -> None:
    verdict = verdict_on(lambda number: 2 * number if number < 5 else 0)
    assert verdict.failing == "double(5) is 10; yours gives 0"
    assert verdict.headline == "Not yet: double(5) is 10; yours gives 0"
    assert verdict.hint.startswith("Try this case by hand")
    assert not verdict


@pytest.mark.parametrize("problem", [ZeroDivisionError("by zero"), SystemExit(3), KeyError("x"), RecursionError()])
def test_whatever_is_raised_becomes_words(problem: BaseException) -> None:
    def raises(number: int) -> int:
        raise problem

    verdict = verdict_on(raises)
    assert not verdict.accepted
    assert type(problem).__name__ in verdict.failing


def test_an_interrupted_or_endless_call_ends_the_trial_and_says_so() -> None:
    calls = []

    def interrupted(number: int) -> int:
        calls.append(number)
        raise KeyboardInterrupt

    def endless(number: int) -> int:
        raise Endless("a million rounds")

    assert "does its loop end?" in verdict_on(interrupted).failing
    assert calls == [1]
    assert "A loop does not end" in verdict_on(endless).hint


@pytest.mark.parametrize("blank", [lambda n: None, lambda n: ..., lambda n: (_ for _ in ()).throw(NotImplementedError)])
def test_a_blank_is_not_attempted_and_no_failure(blank) -> None:
    assert verdict_on(blank) == not_attempted()
    assert str(not_attempted()) == "Not attempted yet."


def test_a_blank_in_some_cases_only_is_a_wrong_answer() -> None:
    verdict = verdict_on(lambda number: None if number == 7 else 2 * number)
    assert verdict.attempted
    assert verdict.failing == "double(7) is 14; yours gives None"


def test_a_mistake_is_recognised_by_what_it_does() -> None:
    square = Mistake("square", "You multiply it by itself.", lambda number: number * number)
    plus = Mistake("plus two", "You add two.", lambda number: number + 2)
    again = verdict_on(lambda number: number**2, mistakes=[plus, square])
    assert (again.mistake, again.hint) == ("square", "You multiply it by itself.")
    assert verdict_on(lambda number: -number, mistakes=[plus, square]).mistake == ""


def test_answers_that_cannot_be_compared_are_wrong_answers() -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            raise ValueError("no")

    assert not verdict_on(lambda number: Odd()).accepted


def test_what_is_no_function_is_named() -> None:
    verdict = verdict_on(double(3))
    assert not verdict.accepted
    assert "without calling it" in verdict.hint


class Add(msgspec.Struct, frozen=True, tag="add"):
    pass


class Counter(Machine[int, Add]):
    """Counts to five."""

    name = "counter"
    rules = {"add": Rule("now {value}", "")}
    events = Add
    always = (Always("stays below four", lambda state: f"it is {state}" if state >= 4 else None),)

    def start(self) -> int:
        return 0

    def apply(self, state: int, event: Add) -> tuple[int, tuple[Note, ...]]:
        if state == self.last():
            raise NotEnabled("it is full")
        return state + 1, (Note("add", {"value": state + 1}),)

    def choices(self, state: int) -> tuple[Choice[Add], ...]:
        return (Choice(Add(), "add one", why_not="it is full" if state == self.last() else ""),)

    def last(self) -> int:
        return 5


class Small(Counter):
    def last(self) -> int:
        return 3


class Blank(Counter):
    def apply(self, state: int, event: Add) -> tuple[int, tuple[Note, ...]]:
        raise NotImplementedError


class Exits(Counter):
    def apply(self, state: int, event: Add) -> tuple[int, tuple[Note, ...]]:
        if state == 2:
            sys.exit("enough")
        return super().apply(state, event)


def test_a_rule_that_ends_the_program_is_refused_in_words_and_ends_nothing() -> None:
    found = judge_machine(Exits())
    assert not found.accepted
    assert "SystemExit: enough" in found.failing
    assert found.history is not None
    assert found.history.state == 2
    assert not random_worlds(Exits(), range(1)).holds


def test_a_machine_is_judged_by_every_run_of_it() -> None:
    right = judge_machine(Small())
    assert right.accepted
    assert right.headline == "Accepted: right in all 4 states tried."
    wrong = judge_machine(Counter(), hint=lambda found: f"think of {found.property.name}")
    assert not wrong.accepted
    assert wrong.failing == "stays below four does not hold: it is 4"
    assert wrong.hint == "think of stays below four"
    assert wrong.history is not None
    assert wrong.history.state == 4
    assert judge_machine(Blank()) == not_attempted()
