"""Four exercises: the two halves of a decider, what the store makes of a batch, and how far a reader may go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from inspect import signature
from itertools import product
from typing import Any

from patterns.engine.exercise import Answer, Case, Exercise, Rule, Told, mistakes_of
from patterns.engine.planted import Properties, Scripted, Search, planted
from patterns.event_sourcing.event_store import EventStore, NumbersFirst
from patterns.event_sourcing.picker import Picker
from patterns.event_sourcing.properties import ALWAYS, accepted
from patterns.event_sourcing.shelf import (
    Command,
    Corrected,
    Count,
    Declined,
    Event,
    Receive,
    Received,
    Reserve,
    Reserved,
    Shelf,
    Ship,
    Shipped,
    decide,
    evolve,
)
from patterns.event_sourcing.store import ANY, APPEND, CONFLICT, SAME, STREAM_EXISTS, Expected, Recorded, judge

from .broken import HELD, LOSSY, ONE_SHELF, SMALL, WRITERS

ALL: Properties = (*HELD, accepted)
SHELF = Search(WRITERS.again(commands=(Receive("shelf-1", 1), Reserve("shelf-1", 1), Ship("shelf-1", 1, "Ann"))), ALL)
AS_USUAL = Scripted(WRITERS.again(budget=None), lambda run: run.ask("a").finish().ask("b").finish())


def _tell(names: Iterable[str], case: Case, right: Any, answer: Answer) -> Told:
    """A failing case in words: each argument by its name."""
    given = ", ".join(map("{} is {!r}".format, names, case))
    fits = " or ".join(map(str, right)) if isinstance(right, range) else repr(right)
    why = "a text that says why not, such as " if isinstance(right, str) and "command" in names else ""
    return Told(given, f"{why}{fits}")


# The decider: state and event -> state; state and command -> events

FACTS: Sequence[Event] = (Received(12), Shipped(3, "Ann"), Reserved(2), Corrected(-1, "torn"), Corrected(2, "found"))
COMMANDS: Sequence[Command] = (
    Receive("shelf-1", 12),
    *(Ship("shelf-1", bags, "Ann") for bags in (1, 4, 5)),
    *(Reserve("shelf-1", bags) for bags in (1, 4, 5)),
    *(Count("shelf-1", found) for found in (0, 3, 4)),
)


def _twice(second: Sequence[Any]) -> Iterator[Case]:
    """Each case two times, the second time in the other order: a rule that looks at anything else answers otherwise."""
    once = list(product((4, 5, 12, 0), second))
    yield from (*once, *reversed(once))


def evolve_solution(bags: int, event: Event) -> int:
    return evolve(Shelf(bags), event).bags


def decide_solution(bags: int, command: Command) -> list[Event] | str:
    try:
        return list(decide(Shelf(bags), command))
    except Declined as why:
        return str(why)


def _other(kind: type, rule: Rule) -> Rule:
    """The solution, but for events or commands of this kind."""
    right = evolve_solution if issubclass(kind, Received | Shipped | Reserved | Corrected) else decide_solution
    return lambda bags, what: rule(bags, what) if isinstance(what, kind) else right(bags, what)


def _with(changed: Callable[[Any], Any]) -> Rule:
    """The right answers, changed."""
    return lambda bags, command: changed(decide_solution(bags, command))


def _declining(answer: Any) -> Rule:
    return _with(lambda right: answer if isinstance(right, str) else right)


NO_BRANCH: Sequence[Rule] = (lambda bags, event: None, lambda bags, event: bags - event.bags)
EVOLVE_MISTAKES = {
    "reserved is free": _other(Reserved, lambda bags, event: bags),
    "ignores a correction": _other(Corrected, lambda bags, event: bags),
    "a correction is a total": _other(Corrected, lambda bags, event: event.by),
    "the last event is the state": _other(Received, lambda bags, event: event.bags),
    "adds what left": _other(Shipped, lambda bags, event: bags + event.bags),
    "no branch for a correction": [_other(Corrected, answer) for answer in NO_BRANCH],
    "subtracts a correction": _other(Corrected, lambda bags, event: bags - event.by),
    "stops at zero": lambda b, e: evolve_solution(b, e) if isinstance(e, Corrected) else max(0, evolve_solution(b, e)),
}
DECIDE_MISTAKES = {
    "ships what is not there": _other(Ship, lambda bags, command: [Shipped(command.bags, command.to)]),
    "keeps the last bag": _other(Ship, lambda bags, command: decide_solution(bags - 1, command)),
    "ships a part": _other(Ship, lambda bags, command: [Shipped(min(bags, command.bags), command.to)]),
    "reserves what is not there": _other(Reserve, lambda bags, command: [Reserved(command.bags)]),
    "the count as the difference": _other(Count, lambda bags, c: [Corrected(c.found, "counted")] * (c.found != bags)),
    "corrects by nothing": _other(Count, lambda bags, command: [Corrected(command.found - bags, "counted")]),
    "the difference turned round": _other(Count, lambda bags, c: [Corrected(bags - c.found, "")] * (c.found != bags)),
    "declines with nothing": [_declining(None), _declining([])],
    "raises a reason": _with(lambda right: right if isinstance(right, list) else int(right)),  # raises ValueError
    "one event, and no list": _with(lambda right: right[0] if isinstance(right, list) and right else right),
}


def _folding(rule: Rule, machine: Any) -> Any:
    class Mine(Picker):
        def evolve(self, shelf: Shelf, event: Event) -> Shelf:
            return Shelf(rule(shelf.bags, event))

    return planted(machine, picker=Mine)


def _deciding(rule: Rule, machine: Any) -> Any:
    class Mine(Picker):
        def decide(self, shelf: Shelf, command: Command) -> tuple[Event, ...]:
            answer = rule(shelf.bags, command)
            if isinstance(answer, str):
                raise Declined(answer)
            return tuple(answer)

    return planted(machine, picker=Mine)


def _same(right: Any, given: Any) -> bool:
    """Any text declines, and corrects: the words are the learner's."""
    return {type(right), type(given)} == {str} or bool(right == given) or bool(_wordless(right) == _wordless(given))


def _wordless(events: Any) -> Any:
    return [Corrected(each.by, "") if isinstance(each, Corrected) else each for each in events]


# What the store makes of a batch


def append_cases() -> Iterator[Case]:
    """Streams of up to three events, batches of one or two, every expected version."""
    ids = ("a", "b", "c")
    streams = [stream for n in range(4) for stream in product(ids, repeat=n)]
    batches = [(one,) for one in ids] + [(one, two) for one in ids for two in ids if one != two]
    yield from product(streams, batches, (*range(-1, 4), ANY, STREAM_EXISTS))


def _version_first(stored: Sequence[str], ids: Sequence[str], expected: Expected) -> str:
    exact = isinstance(expected, int)
    fits = expected == len(stored) - 1 if exact else bool(stored) or expected == ANY
    return (APPEND if exact else judge(stored, ids, expected)) if fits else CONFLICT


APPEND_MISTAKES = {
    "version first": _version_first,
    "an id is known anywhere": lambda s, ids, e: SAME if all(id in s for id in ids) else judge(s, ids, e),
    "row by row": lambda s, ids, e: SAME if any(id in s for id in ids) and e == ANY else judge(s, ids, e),
    "any is never a retry": lambda s, ids, e: APPEND if e == ANY or (e == STREAM_EXISTS and s) else judge(s, ids, e),
    "the first id only": lambda s, ids, e: judge(s, ids[:1], e),
    "a version only": lambda s, i, e: APPEND if e == len(s) - 1 else CONFLICT,
    "part of a batch is known": lambda s, i, e: APPEND if s and isinstance(e, str) and {*i} - {*s} else judge(s, i, e),
    "versions from 1": lambda s, i, e: judge(s, i, e - 1) if isinstance(e, int) else judge(s, i, e),
    "a text for a version": lambda s, i, e: judge(s, i, e + 0),  # raises TypeError where e is a text
    "only at the end": lambda s, i, e: SAME if s[-len(i) :] == i and e != len(s) - 1 else _version_first(s, i, e),
}


def _judging(rule: Rule, machine: Any) -> Any:
    class Mine(EventStore):
        def judge(self, stored: Sequence[str], ids: Sequence[str], expected: Expected) -> str:
            return str(rule(tuple(stored), tuple(ids), expected))

    return planted(machine, event_store=Mine)


# How far a reader may go


def safe_cases() -> Iterator[Case]:
    """(visible positions, positions in flight): each of 1 to 4 is visible, in flight, or a hole for ever."""
    for fates in product("vfh", repeat=4):
        yield tuple(tuple(at for at, fate in enumerate(fates, 1) if fate == which) for which in "vf")


def safe_solution(visible: Sequence[int], in_flight: Sequence[int]) -> int:
    return min(in_flight) - 1 if in_flight else max(visible, default=0)


def _safe(visible: Sequence[int], in_flight: Sequence[int]) -> range:
    """All answers that show every event that can be shown, and lose none."""
    return range(max(_below(visible, in_flight), default=0), safe_solution(visible, in_flight) + 1)


def _below(visible: Sequence[int], in_flight: Sequence[int]) -> list[int]:
    return [at for at in visible if at < min(in_flight, default=9)]


SAFE_MISTAKES = {
    "the highest visible": [lambda v, f: max(v, default=0), lambda v, f: max(v)],
    "up to the first hole": lambda visible, in_flight: next(at for at in range(6) if at + 1 not in visible),
    "one too far": lambda visible, in_flight: min(in_flight) if in_flight else max(visible, default=0),
    "forgets the empty case": [
        *(lambda v, f: min(f) - 1, lambda v, f: min(f) - 1 if f else max(v), lambda v, f: max(_below(v, f))),
        *(lambda v, f: max(_below(v, f)) if f else max(v, default=0), lambda v, f: min(f) - 1 if f else 0),
    ],
    "nothing while a writer is open": lambda visible, in_flight: 0 if in_flight else max(visible, default=0),
}


def _showing(rule: Rule, machine: Any) -> Any:
    class Mine(NumbersFirst):
        def shown(self) -> list[Recorded]:
            in_flight = tuple(each.position for each in self.open.values())
            upto = rule(tuple(event.position for event in self.log.events), in_flight)
            return [event for event in self.log.events if event.position <= upto]

    return planted(machine, event_store=Mine)


def _made(name: str, solution: Rule, cases: Any, mistakes: Any, put: Any, *searches: Search, **more: Any) -> Exercise:
    named, told = mistakes_of(__package__, name, mistakes), partial(_tell, signature(solution).parameters)
    return Exercise(name, solution, cases, named, told, put=put, searches=searches, otherwise=AS_USUAL, **more)


ANY_WORDS: Any = {"same": _same, "alike": _same}
IN_RANGE: Any = {"right": _safe, "same": range.__contains__}
READERS = [Search(machine, HELD) for machine in (SMALL, ONE_SHELF)]
ALL_FOUR = (
    _made("evolve", evolve_solution, lambda: _twice(FACTS), EVOLVE_MISTAKES, _folding, SHELF),
    _made("decide", decide_solution, lambda: _twice(COMMANDS), DECIDE_MISTAKES, _deciding, SHELF, **ANY_WORDS),
    _made("append", judge, append_cases, APPEND_MISTAKES, _judging, Search(LOSSY, ALWAYS)),
    _made("safe_up_to", safe_solution, safe_cases, SAFE_MISTAKES, _showing, *READERS, **IN_RANGE),
)
EXERCISES: Mapping[str, Exercise] = {each.name: each for each in ALL_FOUR}
