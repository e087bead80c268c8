"""Two exercises: how an event changes a row and its checkpoint, and what a page answers.

def project(row, checkpoint, position, event): ...
def answer(model_position, wanted, waited_ms, deadline_ms): ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from patterns.cqrs.facts import fact_of
from patterns.cqrs.machine import PAGE, PHONE
from patterns.cqrs.messages import Apply, Show
from patterns.cqrs.models import ReadModel, Row
from patterns.cqrs.page import Page
from patterns.cqrs.properties import all_level, counted_once, model_is_fold
from patterns.engine.exercise import Answer, Case, Exercise, Rule, Told, mistakes_of
from patterns.engine.planted import AnyMachine, Scripted, Search, planted
from patterns.engine.process import on, on_timer
from patterns.engine.script import Script
from patterns.engine.table import Table

from .broken import CRASH, EVERY, SMALL, TWO, InParallel

# An event changes a row and its checkpoint

BAGS = {1: 2, 2: 1, 3: 4, 4: 1}
"""The events of the exercise: position -> bags that were ordered."""


def project_cases() -> Iterator[Case]:
    """(row, checkpoint, position, bags), small ones first: every state that a projector can be in, every next event."""
    states = [(sum(BAGS[each] for each in range(1, at + 1)), at) for at in range(len(BAGS) + 1)]
    yield from ((row, at, position, BAGS[position]) for (row, at), position in product(states, BAGS))


def project_solution(row: int, checkpoint: int, position: int, event: int) -> tuple[int, int]:
    """Only the event directly after the checkpoint is applied: an earlier one was counted, a later one must wait."""
    return (row + event, position) if position == checkpoint + 1 else (row, checkpoint)


PROJECT_MISTAKES = mistakes_of(
    __package__,
    "project",
    {
        "counts a duplicate": lambda row, at, position, event: (
            (row + event, max(at, position)) if position <= at + 1 else (row, at)
        ),
        "jumps over a gap": lambda row, at, position, event: (row + event, position) if position > at else (row, at),
        "adds whatever comes": [
            lambda row, at, position, event: (row + event, position),
            lambda row, at, position, event: (row + event, at + 1),
            lambda row, at, position, event: (row + event, max(at, position)),
        ],
        "one position behind": lambda row, at, position, event: (
            (row + event, position) if position == at else (row, at)
        ),
        "nothing for other events": lambda row, at, position, event: (
            (row + event, position) if position == at + 1 else None
        ),
        "the checkpoint over a gap": lambda row, at, position, event: (
            (row + event, position) if position == at + 1 else (row, max(at, position))
        ),
        "the event for the sum": lambda row, at, position, event: (
            (event, position) if position == at + 1 else (row, at)
        ),
        "moves the checkpoint alone": lambda row, at, position, event: (row, position if position == at + 1 else at),
        "forgets the checkpoint": lambda row, at, position, event: (
            (row + event, at) if position == at + 1 else (row, at)
        ),
        "applies nothing": lambda row, at, position, event: (row, at),
        "counts orders": lambda row, at, position, event: (row + 1, position) if position == at + 1 else (row, at),
        "the checkpoint first": lambda row, at, position, event: (
            (position, row + event) if position == at + 1 else (at, row)
        ),
        "moves by one": lambda row, at, position, event: (row + event, at + 1) if position > at else (row, at),
    },
)


def _tell_projection(case: Case, right: Any, answer: Answer) -> Told:
    row, checkpoint, position, bags = case
    return Told(
        f"the row says {row}, the checkpoint {checkpoint}, and event {position} arrives, with "
        f"{bags} {'bag' if bags == 1 else 'bags'}"
    )


def _projecting(rule: Rule, machine: AnyMachine) -> AnyMachine:
    class Mine(Page):
        """The bestsellers, with the learner's `project`: one row, and one checkpoint."""

        @on(Apply)
        def write(self, projector: str, apply: Apply) -> None:
            model, key = apply.model, self.key(apply.model, apply.version)
            was = self.checkpoints[key]
            value, at = next((row.value for row in self.tables[key].rows.values()), 0), was
            for event in apply.events:
                fact, before = fact_of(event), (value, at)
                value, at = rule(*before, event.position, fact.bags)
                if (value, at) != before:
                    self.tables = self.tables.put(key, ReadModel(Table(((fact.coffee, Row(value, at)),))))
            at = at if apply.events else max(at, apply.through)
            self.checkpoints = self.checkpoints.put(key, at)
            self.note("R.write", model=model, version=apply.version, after=was, through=at)
            if at != was:
                self.tell(projector, model, apply.version)

    return planted(machine, page=Mine, projector=InParallel)


SELLERS = TWO.again(models=("sellers",))

# What a page answers

SHOW, WAIT, STALE = "show", "wait", "say stale"


def answer_cases() -> Iterator[Case]:
    """(model_position, wanted, waited_ms, deadline_ms), small ones first."""
    for position, wanted, waited in product(range(5), range(5), (0, 50, 199, 200, 201)):
        yield position, wanted, waited, 200


def answer_solution(model_position: int, wanted: int, waited_ms: int, deadline_ms: int) -> str:
    """If the wanted position is there, show the model. Else wait until the deadline; then show it as stale."""
    if model_position >= wanted:
        return SHOW
    return WAIT if waited_ms < deadline_ms else STALE


def _late(waited: int, deadline: int) -> str:
    return WAIT if waited < deadline else STALE


ANSWER_MISTAKES = mistakes_of(
    __package__,
    "answer",
    {
        "more instead of at least": lambda at, wanted, waited, deadline: (
            SHOW if at > wanted else _late(waited, deadline)
        ),
        "exactly this position": lambda at, wanted, waited, deadline: SHOW if at == wanted else _late(waited, deadline),
        "hangs at the deadline": lambda at, wanted, waited, deadline: SHOW if at >= wanted else WAIT,
        "shows at the deadline": lambda at, wanted, waited, deadline: (
            SHOW if at >= wanted or waited >= deadline else WAIT
        ),
        "a moment too long": lambda at, wanted, waited, deadline: (
            SHOW if at >= wanted else WAIT if waited <= deadline else STALE
        ),
        "the wrong way round": lambda at, wanted, waited, deadline: SHOW if at <= wanted else _late(waited, deadline),
        "another word": lambda at, wanted, waited, deadline: (
            SHOW if at >= wanted else WAIT if waited < deadline else "stale"
        ),
        "never waits": lambda at, wanted, waited, deadline: SHOW,
        "stale at once": lambda at, wanted, waited, deadline: SHOW if at >= wanted else STALE,
        "waits for the deadline": lambda at, wanted, waited, deadline: (
            WAIT if waited < deadline else SHOW if at >= wanted else STALE
        ),
        "looks at the clock first": lambda at, wanted, waited, deadline: (
            STALE if waited >= deadline else SHOW if at >= wanted else WAIT
        ),
    },
)


def _tell_answer(case: Case, right: Any, answer: Answer) -> Told:
    at, wanted, waited, deadline = case
    return Told(f"the read model stands at {at}, the phone wants {wanted}, and has waited {waited} of {deadline} ms")


def _answering(rule: Rule, machine: AnyMachine) -> AnyMachine:
    class Mine(Page):
        """The page with the learner's `answer`."""

        def is_fresh(self, model: str, wanted: int) -> bool:
            return bool(rule(self.checkpoint(model), wanted, 0, self.deadline) == SHOW)

        def show(self, client: str, show: Show) -> None:
            if rule(self.checkpoint(show.model), show.wanted, 0, self.deadline) == STALE:
                self.answer(client, show, stale=True)
            else:
                super().show(client, show)

        @on_timer("deadline")
        def too_late(self, client: str) -> None:
            show = self.waiting[client]
            said = rule(self.checkpoint(show.model), show.wanted, self.deadline, self.deadline)
            if said != WAIT:
                self.answer(client, show, stale=said == STALE)

    return planted(machine, page=Mine)


def _too_late(run: Script) -> None:
    """The projector is paused, and the deadline of Ann's query passes."""
    run.pause("orders").ask("ann").ask(f"ann{PHONE}").fire(PAGE, f"deadline:ann{PHONE}")


EXERCISES: Mapping[str, Exercise] = {
    "project": Exercise(
        "project",
        project_solution,
        project_cases,
        PROJECT_MISTAKES,
        _tell_projection,
        put=_projecting,
        searches=[
            Search(machine, (counted_once, model_is_fold, all_level))
            for machine in (SELLERS, CRASH.again(models=("sellers",)))
        ],
        otherwise=Scripted(SELLERS, lambda run: run.ask("ann").ask("bob").settle()),
    ),
    "answer": Exercise(
        "answer",
        answer_solution,
        answer_cases,
        ANSWER_MISTAKES,
        _tell_answer,
        put=_answering,
        searches=[Search(SMALL, EVERY)],
        otherwise=Scripted(SMALL.again(budget=None), _too_late),
    ),
}
