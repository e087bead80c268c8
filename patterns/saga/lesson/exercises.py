"""Two exercises: what to compensate next, and what to make of a request that may have come before.

def compensate_next(after, log): ...
def what_to_do(table, saga, step, undo): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, product
from types import MappingProxyType
from typing import Any

from patterns.engine.exercise import Answer, Case, Exercise, Rule, Told, mistakes_of
from patterns.engine.planted import AnyMachine, Scripted, Search, planted
from patterns.saga.database import ANSWER_AGAIN, APPLY, DO_NOTHING, NOTHING_TO_UNDO
from patterns.saga.log import DONE, REFUSED, STARTED, UNDONE, Progress, records_of
from patterns.saga.machines import SagaMachine
from patterns.saga.orchestrator import Orchestrator, Service
from patterns.saga.properties import ALWAYS

from .broken import small

After = Mapping[str, tuple[str, ...]]
Log = tuple[tuple[str, str], ...]
Table = tuple[tuple[str, str, bool, str], ...]
IdempotenceRule = Callable[[Table, str, str, bool], Any]


# What to compensate next

GRAPHS: tuple[After, ...] = tuple(
    MappingProxyType(graph)  # a learner's function may not change it
    for graph in (
        {"reserve": (), "charge": ("reserve",)},
        {"reserve": (), "charge": ("reserve",), "pack": ("charge",)},
        {"hold": (), "flight": ("hold",), "hotel": ("hold",)},
        {"hold": (), "flight": ("hold",), "hotel": ("hold",), "insure": ("flight", "hotel")},
    )
)
"""Sagas as step -> the steps that it comes after: two sequences, and two with parallel branches."""


def compensation_cases() -> Iterator[Case]:
    """(after, log): the graph, and a log of a saga that has turned back, short ones first."""
    cases = [(graph, log) for graph in GRAPHS for log in _logs(graph)]
    return iter(sorted(cases, key=lambda case: (len(case[1]), len(case[0]))))


def _logs(after: After) -> Iterator[Log]:
    """Logs that can be: steps begun in an order that the graph allows, some of them done, some undone from the end."""
    for size in range(len(after) + 1):
        for begun in combinations(after, size):
            inner = {before for name in begun for before in after[name]}
            last = [name for name in begun if name not in inner]
            if inner <= {*begun}:
                for ends in product((DONE, REFUSED, ""), repeat=len(last)):  # the empty one: no answer
                    ended = {**dict.fromkeys(inner, DONE), **dict(zip(last, ends, strict=True))}
                    log = [(STARTED, name) for name in begun]
                    log += [(end, name) for end in (DONE, REFUSED) for name in begun if ended[name] == end]
                    yield from _undone(after, tuple(log))


def _undone(after: After, log: Log) -> Iterator[Log]:
    """The log, and the logs after each further step is undone."""
    yield log
    if left := compensation_solution(after, log):
        yield from _undone(after, (*log, (UNDONE, left[-1])))


def compensation_solution(after: After, log: Log) -> list[str]:
    """Of all that was begun, and neither refused nor undone, what nothing else that is left builds on."""
    return _ends_of(after, _left(log, REFUSED, UNDONE))


def _left(log: Log, *ends: str) -> list[str]:
    """The steps that were started, and have none of these ends."""
    gone = {step for what, step in log if what in ends}
    return [step for what, step in log if what == STARTED and step not in gone]


def _ends_of(after: After, left: list[str]) -> list[str]:
    return [step for step in left if not any(step in after[later] for later in left)]


def _ending(end: str) -> list[Rule]:
    """The solution, and the last step alone, where a step has only one end."""
    return [lambda after, log: _ends_of(after, _left(log, end)), lambda after, log: _left(log, end)[-1:]]


COMPENSATION_MISTAKES = mistakes_of(
    __package__,
    "compensate_next",
    {
        "the first first": lambda after, log: _left(log, REFUSED, UNDONE)[:1],
        "looks at the last line": lambda after, log: [log[-1][1]],
        "all at once": lambda after, log: _left(log, REFUSED, UNDONE),
        "forgets the step under way": [
            lambda after, log: _ends_of(after, [name for name in _left(log, REFUSED, UNDONE) if (DONE, name) in log]),
            lambda after, log: [name for name in reversed(_left(log, REFUSED, UNDONE)) if (DONE, name) in log],
            lambda after, log: [name for name in reversed(_left(log, REFUSED, UNDONE)) if (DONE, name) in log][:1],
        ],
        "only what is done": [
            lambda after, log, end=end: [name for what, name in reversed(log) if what == DONE][:end] for end in (9, 1)
        ],
        "lists a step twice": lambda after, log: [
            name for what, name in reversed(log) if what in (STARTED, DONE) and name in _left(log, REFUSED, UNDONE)
        ],
        "the line that came last": lambda after, log: [
            name for what, name in log if what in (STARTED, DONE) and name in _left(log, REFUSED, UNDONE)
        ][-1:],
        "undoes what was refused": _ending(UNDONE),
        "undoes it again": _ending(REFUSED),
        "undoes what never ran": [
            lambda after, log: _ends_of(after, [n for n in after if not {(REFUSED, n), (UNDONE, n)} & {*log}]),
            lambda after, log: [*after],
            lambda after, log: [*after][-1:],
        ],
        "never": lambda after, log: [],
    },
)


def _some_of(right: list[str], given: Any) -> bool:
    given = list(given)
    return {*given} <= {*right} and bool(given) == bool(right) and len({*given}) == len(given)


def _compensating(rule: Rule, machine: AnyMachine) -> AnyMachine:
    class Mine(Orchestrator):
        """The orchestrator with the learner's order of compensations."""

        def next_compensations(self, at: Progress) -> tuple[str, ...]:
            after = MappingProxyType({step.name: step.after for step in at.definition.steps})
            told = (STARTED, DONE, REFUSED, UNDONE)
            log = tuple((each.what, each.step) for each in records_of(self.log, at.saga) if each.what in told)
            return tuple(name for name in rule(after, log) if name in after)

    return planted(machine, orchestrator=Mine)


def _tell_compensations(case: Case, right: Any, answer: Answer) -> Told:
    after, log = case
    graph = ", ".join(f"{step} after {' and '.join(before)}" for step, before in after.items() if before)
    told = ", ".join(f"{step} {what}" for what, step in log) or "nothing"
    return Told(f"{graph}; the log has {told}")


# An idempotent step


def idempotence_cases() -> Iterator[Case]:
    """(table, saga, step, undo): every table of up to three lines that can be, and a request of A1's reserve."""
    others: Table = (("A1", "charge", False, DONE), ("B1", "reserve", False, DONE), ("B1", "reserve", True, UNDONE))
    own: tuple[Table, ...] = (
        (),
        (("A1", "reserve", False, DONE),),
        (("A1", "reserve", False, REFUSED),),
        (("A1", "reserve", True, NOTHING_TO_UNDO),),
        (("A1", "reserve", False, DONE), ("A1", "reserve", True, UNDONE)),
        (("A1", "reserve", False, REFUSED), ("A1", "reserve", True, NOTHING_TO_UNDO)),
    )
    cases = [
        ((*some, *mine), "A1", "reserve", undo)
        for size in range(len(others) + 1)
        for some in combinations(others, size)
        for mine in own
        for undo in (False, True)
    ]
    return iter(sorted(cases, key=lambda case: len(case[0])))


def idempotence_solution(table: Table, saga: str, step: str, undo: bool) -> str:
    """Answer again what was handled; do nothing for a request after its compensation, or a compensation of nothing."""
    done = compensated = False
    for its_saga, its_step, its_undo, outcome in table:
        if (its_saga, its_step) == (saga, step):
            if its_undo == undo:
                return "answer again"
            done = done or outcome == "done"
            compensated = compensated or its_undo
    if undo:
        return "apply" if done else "do nothing"
    return "do nothing" if compensated else "apply"


def _by_key(key: Callable[[str, str, bool], Any]) -> IdempotenceRule:
    """The solution with another key for what counts as the same request."""

    def rule(table: Table, saga: str, step: str, undo: bool) -> str:
        asked = (saga, step, undo)
        keyed = tuple((*asked, o) if key(s, n, u) == key(*asked) else (s, n, u, o) for s, n, u, o in table)
        return idempotence_solution(keyed, *asked)

    return rule


def _by_owner(same: Callable[[str, str], bool]) -> IdempotenceRule:
    """The solution, looking at all lines whose (saga, step) is the `same` to it, requests and compensations."""

    def rule(table: Table, saga: str, step: str, undo: bool) -> str:
        keyed = tuple((saga, step, u, o) if same(s, n) else (s, n, u, o) for s, n, u, o in table)
        return idempotence_solution(keyed, saga, step, undo)

    return rule


def _instead(wrong: str, given: str, when: Callable[[Table, bool], bool] = lambda table, undo: True) -> IdempotenceRule:
    """The solution, with one answer given for another."""

    def rule(table: Table, saga: str, step: str, undo: bool) -> str:
        right = idempotence_solution(table, saga, step, undo)
        return given if right == wrong and when(table, undo) else right

    return rule


def _refused(table: Table) -> bool:
    return ("A1", "reserve", False, REFUSED) in table


IDEMPOTENCE_MISTAKES = mistakes_of(
    __package__,
    "what_to_do",
    {
        "applies a refused one again": _instead(ANSWER_AGAIN, APPLY, lambda table, undo: not undo and _refused(table)),
        "after its compensation": _instead("do nothing", "apply", lambda table, undo: not undo),
        "undoes what was not done": _instead("do nothing", "apply", lambda table, undo: undo),
        "undoes a refused step": [
            _instead(DO_NOTHING, APPLY, lambda table, undo: undo and _refused(table)),
            _instead(DO_NOTHING, APPLY, lambda table, undo: not undo or _refused(table)),
        ],
        "no answer": _instead(ANSWER_AGAIN, DO_NOTHING),
        "no answer, and two cases missing": lambda table, *asked: (
            DO_NOTHING if asked in [row[:3] for row in table] else APPLY
        ),
        "undoes twice": [
            _instead(ANSWER_AGAIN, APPLY, lambda table, undo: undo),
            lambda t, s, n, undo: idempotence_solution(tuple(row for row in t if not (undo and row[2])), s, n, undo),
        ],
        "one key for both": _by_key(lambda saga, step, undo: (saga, step)),
        "any saga": [_by_key(lambda saga, step, undo: (step, undo)), _by_owner(lambda saga, step: step == "reserve")],
        "any step": [_by_key(lambda saga, step, undo: (saga, undo)), _by_owner(lambda saga, step: saga == "A1")],
        "once and for all": lambda table, *asked: ANSWER_AGAIN if asked in [row[:3] for row in table] else APPLY,
        "no table": lambda table, saga, step, undo: "apply",
        "nothing": lambda table, saga, step, undo: "do nothing",
    },
)


def _idempotent(rule: Rule, machine: AnyMachine) -> AnyMachine:
    class Mine(Service):
        """The service with the learner's rule."""

        def decision(self, saga: str, step: str, undo: bool) -> str:
            table = tuple((each.saga, each.step, each.undo, each.outcome) for each in self.handled)
            decision = rule(table, saga, step, undo)
            if decision not in (APPLY, ANSWER_AGAIN, DO_NOTHING):
                raise ValueError(f"what_to_do gave {decision!r}")
            return str(decision)

    return planted(machine, service=Mine)


def _tell_idempotence(case: Case, right: Any, answer: Answer) -> Told:
    table, saga, step, undo = case
    lines = ", ".join(f"{'undo ' if u else ''}{n} of {s}: {outcome}" for s, n, u, outcome in table) or "nothing"
    asked = f"{'undo ' if undo else ''}{step} of {saga}"
    return Told(f"the table has {lines}; the service is asked for {asked}")


SHORT: Mapping[str, Any] = {
    "sagas": ["short"],
    "rows": {"stock": {"reserved": 5}, "payment": {"shop": 90}},  # enough to undo what was never done
}

EXERCISES = {
    # Of several steps that may be undone now, any number will do, but one at least.
    "compensate_next": Exercise(
        "compensate_next",
        compensation_solution,
        compensation_cases,
        COMPENSATION_MISTAKES,
        _tell_compensations,
        same=_some_of,
        alike=lambda one, other: sorted(one) == sorted(other),
        put=_compensating,
        searches=[
            Search(small({"crash": 1}, refuse=["approve"]), ALWAYS),
            Search(small(sagas=["trip"], refuse=["hotel"]), ALWAYS),
        ],
        otherwise=Scripted(SagaMachine(refuse=["approve"]), lambda run: run.ask("A").finish(bound=60)),
    ),
    "what_to_do": Exercise(
        "what_to_do",
        idempotence_solution,
        idempotence_cases,
        IDEMPOTENCE_MISTAKES,
        _tell_idempotence,
        put=_idempotent,
        searches=[
            Search(small({"duplicate": 1}, **SHORT), ALWAYS),
            Search(small({"drop": 1}, tries=2, refuse=["charge"], **SHORT), ALWAYS),
        ],
        otherwise=Scripted(SagaMachine(refuse=["charge"], **SHORT), lambda run: run.ask("A").finish(bound=60)),
    ),
}
"""The name of the learner's function -> exercise."""
