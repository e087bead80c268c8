"""One exercise: `may_take(number, seen)`, whether a station takes a token that arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from patterns.engine.exercise import Answer, Case, Exercise, Told, mistakes_of
from patterns.engine.planted import Scripted, planted
from token_ring.station import Station

from .broken import SEARCH, SMALL


def cases() -> Iterator[Case]:
    """(number, seen), small ones first."""
    return ((number, seen) for number in range(1, 8) for seen in range(8))


def solution(number: int, seen: int) -> bool:
    """Each pass has a higher number, so a token whose number was seen is a duplicate."""
    return number > seen


MISTAKES = mistakes_of(
    __package__,
    "may_take",
    {
        "takes it twice": lambda n, seen: n >= seen,
        "takes any": lambda n, seen: True,
        "only the next": lambda n, seen: n == seen + 1,
        "takes none": lambda n, seen: False,
    },
)


def tell(case: Case, right: Any, answer: Answer) -> Told:
    number, seen = case
    return Told(f"token {number} arrives, and {seen} is the highest number seen")


def put(rule: Callable[[int, int], Any], machine: Any) -> Any:
    class Mine(Station):
        def may_take(self, number: int) -> bool:
            return bool(rule(number, self.seen))

    return planted(machine, station=Mine)


EXERCISES: Mapping[str, Exercise] = {
    "may_take": Exercise(
        "may_take",
        solution,
        cases,
        MISTAKES,
        tell,
        put=put,
        searches=[SEARCH],
        otherwise=Scripted(SMALL, lambda run: run.ask("B").finish()),
    ),
}
