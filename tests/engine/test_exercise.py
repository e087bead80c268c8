"""Learners' code is tried and never trusted: whatever it does, a verdict in words comes back."""

from __future__ import annotations

import sys
from asyncio import CancelledError
from typing import Any

import pytest
from models.replicas import A_WRITE_IS_ANSWERED, ANSWERED_IS_EVERYWHERE, OneRequest, Primary, Replicas

from patterns.engine.exercise import Endless, Exercise, Mistake, Told, Verdict
from patterns.engine.planted import RandomWorlds, Scripted, Search, planted
from patterns.engine.properties import Sometimes

CASES = [(number,) for number in range(1, 20)]


def double(number: int, *more: int) -> int:
    return 2 * number


def tell(case, right, answer) -> Told:
    return Told(f"double({case[0]})")


def verdict_on(function, mistakes=(), **others) -> Verdict:
    return Exercise("double", double, lambda: CASES, mistakes, tell, **others).judge(function)


def test_what_is_right_in_every_case_is_accepted() -> None:
    verdict = verdict_on(lambda number: number + number)
    assert verdict == Verdict(True, tried=19)
    assert bool(verdict) is True
    assert str(verdict) == "Accepted: right in all 19 cases tried."


def test_the_first_case_that_fails_is_told() -> None:
    verdict = verdict_on(lambda number: 2 * number if number < 5 else 0)
    assert verdict.failing == "The case: double(5). Expected: 10. Yours gives 0."
    assert verdict.headline == f"Not yet: {verdict.failing}"
    assert verdict.hint.startswith("Try this case by hand")
    assert not verdict


@pytest.mark.parametrize(
    "problem",
    [ZeroDivisionError("by zero"), SystemExit(3), KeyError("x"), RecursionError(), GeneratorExit(), CancelledError()],
)
def test_whatever_is_raised_becomes_words(problem: BaseException) -> None:
    def raises(number: int) -> int:
        raise problem

    verdict = verdict_on(raises)
    assert not verdict.accepted
    assert type(problem).__name__ in verdict.failing


class Untold:
    def __repr__(self) -> str:
        raise SystemExit

    def __eq__(self, other: object) -> bool:
        raise SystemExit


@pytest.mark.parametrize("given", ["x" * 20_000_000, Untold(), [Untold()]], ids=["20 MB", "no repr", "none in a list"])
def test_an_answer_that_cannot_be_shown_as_it_is_has_a_verdict_of_a_few_words(given: Any) -> None:
    verdict = verdict_on(lambda number: given)
    assert not verdict.accepted
    assert "The case: double(1). Expected: 2. Yours gives" in verdict.failing
    assert len(verdict.failing) + len(verdict.hint) < 2_000


@pytest.mark.parametrize(
    ("right", "given", "hint"),
    [
        (True, 1, "Your function gives 1, which is a whole number. Its answer must be a truth value (True or False)."),
        (True, "yes", "Your function gives 'yes', which is a text. Its answer must be a truth value (True or False)."),
        (
            7,
            True,
            "Your function gives True, which is a truth value (True or False). Its answer must be a whole number.",
        ),
        ((True, False), 1.0, "Your function gives 1.0, which is of type float. Its answer must be a list or a tuple."),
        (
            (True, False),
            (True, 0),
            "Your function gives 0, which is a whole number. Its answer must be a truth value (True or False).",
        ),
        (2, 2.0, "Your function gives 2.0, which is of type float. Its answer must be a whole number."),
        ((True, False), (False, True), "Try this case by hand, and compare each step with what your code does."),
    ],
)
def test_an_answer_of_another_type_is_wrong_and_the_hint_says_which_is_wanted(
    right: Any, given: Any, hint: str
) -> None:
    exercise = Exercise("f", lambda number: right, lambda: CASES, (), tell)
    verdict = exercise.judge(lambda number: given)
    assert (verdict.accepted, verdict.hint) == (False, hint)
    assert exercise.judge(lambda number: right).accepted
    assert Exercise("f", lambda number: (True, 1), lambda: CASES, (), tell).judge(lambda number: [True, 1]).accepted


def test_a_branch_without_an_answer_is_named() -> None:
    verdict = verdict_on(lambda number: 2 * number if number < 5 else None)
    assert verdict.hint == "In this case your function gives nothing. Does each of its branches return an answer?"


def test_an_interrupted_or_endless_call_ends_the_trial_and_says_so() -> None:
    calls = []

    def interrupted(number: int) -> int:
        calls.append(number)
        raise KeyboardInterrupt

    verdict = verdict_on(interrupted)
    assert calls == [1]
    assert "an interruption" in verdict.failing
    assert verdict.hint.startswith("A loop does not end")

    def endless(number: int) -> int:
        raise Endless("looked 900 times")

    assert verdict_on(endless).hint == verdict.hint


def test_the_exercise_as_it_was_given_is_not_attempted() -> None:
    def raises(number: int) -> int:
        raise NotImplementedError

    for given in (raises, lambda number: None, lambda number: ...):
        verdict = verdict_on(given)
        assert not verdict.attempted
        assert not verdict.accepted
        assert str(verdict) == "Not attempted yet."


def test_an_answer_to_some_cases_is_an_attempt() -> None:
    verdict = verdict_on(lambda number: 2 * number if number < 5 else None)
    assert verdict.attempted
    assert verdict.failing == "The case: double(5). Expected: 10. Yours gives None."


def test_a_value_that_is_no_function_gets_a_hint() -> None:
    assert "without calling it" in verdict_on(12).hint


def test_an_exercise_that_declares_no_more_than_a_solution_and_cases_names_the_arguments_of_the_case() -> None:
    verdict = Exercise("double", double, lambda: CASES).judge(lambda number: 7)
    assert verdict.failing == "The case: number is 1. Expected: 2. Yours gives 7."


def test_a_mistake_is_recognised_by_what_it_does() -> None:
    mistakes = [
        Mistake("square", "Add the number to itself.", lambda number: number * number),
        Mistake("one more", "It counts one too many.", lambda number: 2 * number + 1),
        Mistake("raises", "It stops.", lambda number: 1 // 0),
    ]
    for mistake in mistakes:
        verdict = verdict_on(mistake.function, mistakes=mistakes)
        assert (verdict.mistake, verdict.hint) == (mistake.name, mistake.hint)
    other = verdict_on(lambda number: -number, mistakes=mistakes)
    assert (other.mistake, other.hint.startswith("Try this case")) == ("", True)


def test_an_answer_that_cannot_be_compared_is_wrong() -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            raise ValueError("compares with nothing")

        __hash__ = None

    assert not verdict_on(lambda number: Odd())


def test_several_answers_may_be_right_and_a_call_may_get_more_than_the_case() -> None:
    verdict = verdict_on(
        lambda number, more: number * more,
        right=lambda number: (number * 2, number * 3),
        same=lambda right, given: given in right,
        prepare=lambda case: (*case, 3),
        what="numbers",
        remark=lambda rule: f"six: {rule(2, 3)}",
    )
    assert str(verdict) == "Accepted: right in all 19 numbers tried.\nsix: 6"


def test_a_call_that_recurses_too_deep_does_not_end_the_judge() -> None:
    def deeper(number: int) -> int:
        return deeper(number + 1)

    limit = sys.getrecursionlimit()
    assert "RecursionError" in verdict_on(deeper).failing
    assert sys.getrecursionlimit() == limit


# With machines: when is a write copied?


def put(rule: Any, machine: Any) -> Any:
    class Mine(Primary):
        def is_copied(self, value: int) -> bool:
            return bool(rule(sum((backup, value) in self.copied for backup in self.backups), len(self.backups)))

    return planted(machine, primary=Mine)


SMALL = OneRequest(backups=2, writes=1, budget={}, timing="quiet")
ONE_IS_ENOUGH = Mistake("one is enough", "All backups must have it.", lambda copied, backups: copied >= 1)
COPIED = Exercise(
    "copied",
    lambda copied, backups: copied == backups,
    lambda: [(copied, 3) for copied in range(4)],
    [ONE_IS_ENOUGH, Mistake("never", "Somebody waits.", lambda copied, backups: False)],
    lambda case, right, answer: Told(f"{case[0]} of {case[1]}"),
    put=put,
    searches=[Search(SMALL, (ANSWERED_IS_EVERYWHERE, A_WRITE_IS_ANSWERED))],
    otherwise=Scripted(SMALL, lambda run: run.ask("C1").finish(bound=9)),
)


def test_a_rule_is_accepted_after_every_run_was_looked_at_and_the_verdict_says_so() -> None:
    verdict = COPIED.judge(lambda copied, backups: copied == backups)
    assert verdict.accepted
    assert verdict.searches == 1
    assert verdict.states > 5
    assert verdict.headline == (
        f"Accepted: right in all 4 cases tried, and in every run of a small machine: {verdict.states:,} states."
    )


def test_a_wrong_rule_is_shown_in_a_shortest_run() -> None:
    verdict = COPIED.judge(ONE_IS_ENOUGH.function)
    assert verdict.mistake == "one is enough"
    assert verdict.failing.startswith("The case: 1 of 3. Expected: False. Yours gives True. In a run: C1 was told")
    assert verdict.history is not None
    assert ANSWERED_IS_EVERYWHERE.reason(None, verdict.history.state)


def test_a_rule_that_is_right_in_the_cases_only_is_refused() -> None:
    verdict = COPIED.judge(lambda copied, backups: copied >= min(backups, 3) - (backups == 2))
    assert not verdict.accepted
    assert verdict.failing.startswith("In a run: C1 was told")


def test_a_rule_that_raises_in_a_run_is_refused() -> None:
    verdict = COPIED.judge(lambda copied, backups: copied == {3: 3}[backups])
    assert not verdict.accepted
    assert "KeyError: 2" in verdict.failing


def test_what_never_happens_is_said_and_a_usual_run_shows_it() -> None:
    verdict = COPIED.judge(lambda copied, backups: False)
    assert verdict.mistake == "never"
    assert "states it never happens that a write is answered." in verdict.failing
    assert verdict.history is not None
    assert (verdict.history.step.depth, len(verdict.history.branch)) == (0, 11)


def test_a_search_that_was_cut_short_accepts_nothing() -> None:
    short = COPIED._replace(searches=[COPIED.searches[0]._replace(max_states=5)])
    verdict = short.judge(lambda copied, backups: copied == backups)
    assert verdict.attempted
    assert not verdict.accepted
    assert verdict.headline == (
        "Not decided: nothing wrong was found, but max_states = 5 cut a search short after 5 states."
    )


def test_an_interrupted_search_accepts_nothing() -> None:
    def interrupted(copied: int, backups: int) -> bool:
        if backups == 2:
            raise KeyboardInterrupt
        return copied == backups

    verdict = COPIED.judge(interrupted)
    assert not verdict.accepted
    assert "an interruption cut a search short" in verdict.headline


@pytest.mark.parametrize("first", range(1, 12))
def test_one_interruption_ends_the_judge_wherever_it_comes(first: int) -> None:
    calls = []

    def stopped(copied: int, backups: int) -> bool:
        calls.append(backups)
        if len(calls) >= first:
            raise KeyboardInterrupt
        return copied == backups

    verdict = COPIED._replace(searches=COPIED.searches * 3, otherwise=Scripted(Replicas(), lambda s: s.run())).judge(
        stopped
    )
    assert not verdict.accepted
    assert len(calls) == first


def test_an_endless_call_is_not_tried_again_in_a_search() -> None:
    calls = []

    def endless(copied: int, backups: int) -> bool:
        calls.append(backups)
        raise Endless("looked 900 times")

    assert "Endless" in COPIED.judge(endless).failing
    assert calls == [3]


def test_a_recognised_mistake_is_shown_where_it_says() -> None:
    shown = Scripted(
        Replicas(backups=3, writes=1, latency=(10, 10)),
        lambda run: run.ask("C1").delay(50, to="B3").finish(),
        (ANSWERED_IS_EVERYWHERE,),
    )
    exercise = COPIED._replace(mistakes=[ONE_IS_ENOUGH._replace(shown_by=shown)])
    history = exercise.judge(ONE_IS_ENOUGH.function).history
    assert history is not None
    assert history.machine.params == shown.machine.params


def test_a_rule_that_ends_the_program_is_refused_in_words_and_ends_nothing() -> None:
    def exits(copied: int, backups: int) -> bool:
        if backups == 2:
            sys.exit("enough")
        return copied == backups

    verdict = COPIED.judge(exits)
    assert not verdict.accepted
    assert "SystemExit: enough" in verdict.failing
    assert verdict.history is not None


def test_a_search_within_a_bound_accepts_nothing() -> None:
    bounded = COPIED._replace(searches=[COPIED.searches[0]._replace(within=lambda world: world.clock < 10)])
    verdict = bounded.judge(lambda copied, backups: copied == backups)
    assert not verdict.accepted


# A learner may write a class, and the runs of a machine may be random ones.


class Shape:
    def sides(self) -> int:
        raise NotImplementedError


class Square(Shape):
    def sides(self) -> int:
        return 4


def verdict_on_a_class(given: Any) -> Verdict:
    exercise = Exercise("shape", Square, lambda: CASES, (), tell, ask=lambda kind, case: kind().sides(), base=Shape)
    return exercise.judge(given)


def test_a_class_is_put_into_each_case_as_the_exercise_says() -> None:
    assert verdict_on_a_class(Square) == Verdict(True, tried=19)
    assert not verdict_on_a_class(Shape).attempted
    assert verdict_on_a_class(type("Triangle", (Shape,), {"sides": lambda self: 3})).failing.endswith("Yours gives 3.")


@pytest.mark.parametrize("given", [Square(), int, double])
def test_what_is_no_class_of_this_kind_gets_a_hint(given: Any) -> None:
    verdict = verdict_on_a_class(given)
    assert "`Shape`" in verdict.hint
    assert not verdict.accepted


def test_random_runs_are_counted_and_an_interruption_of_them_accepts_nothing() -> None:
    def verdict(reached: Any) -> Verdict:
        some = Sometimes("it is answered", reached)
        worlds = RandomWorlds(Replicas(), (some,), range(3), 20)
        return verdict_on(double, put=lambda rule, machine: machine, searches=[worlds])

    assert verdict(lambda world: True).runs == 3
    assert verdict(lambda world: True).looked_at.endswith("; and in 3 random runs of a larger machine")

    def stopped(world: Any) -> bool:
        raise KeyboardInterrupt

    assert (verdict(stopped).accepted, "an interruption" in verdict(stopped).undecided) == (False, True)
