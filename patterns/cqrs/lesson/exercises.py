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
from patterns.cqrs.messages import Apply, Feed, Show
from patterns.cqrs.models import ReadModel, Row
from patterns.cqrs.page import Page
from patterns.cqrs.projector import Projector
from patterns.cqrs.properties import ALWAYS, all_level, counted_once, model_is_fold, reads_own_writes, stale_is_stale
from patterns.engine.exercise import Answer, Case, Exercise, Mistake, Rule
from patterns.engine.planted import AnyMachine, Scripted, Search, planted
from patterns.engine.process import on, on_timer
from patterns.engine.script import Script
from patterns.engine.table import Table

from .broken import SMALL, TWO

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


PROJECT_MISTAKES = (
    Mistake(
        "counts a duplicate",
        "Your projector adds an event that it had before. Compare its position with the checkpoint: an event at or "
        "below the checkpoint is counted already.",
        lambda row, checkpoint, position, event: (
            (row + event, max(checkpoint, position)) if position <= checkpoint + 1 else (row, checkpoint)
        ),
    ),
    Mistake(
        "jumps over a gap",
        "Your projector takes an event although the one before it has not come. The checkpoint then says that the "
        "missing event was counted, and it never will be. Wait for it: change nothing.",
        lambda row, checkpoint, position, event: (row + event, position) if position > checkpoint else (row, checkpoint),
    ),
    Mistake(
        "adds whatever comes",
        "Your projector adds every event that arrives. Compare its position with the checkpoint first.",
        lambda row, checkpoint, position, event: (row + event, position),
    ),
    Mistake(
        "moves the checkpoint alone",
        "Your projector moves the checkpoint and leaves the row: the event is never counted. Change both together.",
        lambda row, checkpoint, position, event: (row, position) if position == checkpoint + 1 else (row, checkpoint),
    ),
    Mistake(
        "forgets the checkpoint",
        "Your projector changes the row and leaves the checkpoint: after a crash the event is counted again. "
        "Change both together.",
        lambda row, checkpoint, position, event: (
            (row + event, checkpoint) if position == checkpoint + 1 else (row, checkpoint)
        ),
    ),
    Mistake(
        "applies nothing",
        "Your projector changes nothing, so the read model stays empty for ever.",
        lambda row, checkpoint, position, event: (row, checkpoint),
    ),
)


def _tell_projection(case: Case, right: Any, answer: Answer) -> str:
    row, checkpoint, position, bags = case
    return (
        f"The row says {row}, the checkpoint {checkpoint}, and event {position} with {bags} bags arrives: the next "
        f"(row, checkpoint) is {right}; yours {answer}."
    )


class EventByEvent(Projector):
    """Sends each event by itself, in any order: what is right is decided in the database."""

    @on(Feed)
    def write(self, shop: str, feed: Feed) -> None:
        of = (self.model, self.version, feed.after)
        for events in [(event,) for event in feed.events] or [()]:
            self.ask(self.page, Apply(*of, events, feed.through))


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
                    self.tables = self.tables.put(key, ReadModel(Table().put(fact.coffee, Row(value, at))))
            at = at if apply.events else max(at, apply.through)
            self.checkpoints = self.checkpoints.put(key, at)
            self.note("R.write", model=model, version=apply.version, after=was, through=at)
            if at != was:
                self.tell(projector, model, apply.version)

    return planted(machine, page=Mine, projector=EventByEvent)


SELLERS = TWO.again(models=("sellers",), budget={"crash": 1})

# What a page answers

SHOW, WAIT, STALE = "show", "wait", "say stale"


def answer_cases() -> Iterator[Case]:
    """(model_position, wanted, waited_ms, deadline_ms), small ones first."""
    for position, wanted, waited in product(range(5), range(5), (0, 50, 199, 200, 201)):
        yield position, wanted, waited, 200


def answer_solution(model_position: int, wanted: int, waited_ms: int, deadline_ms: int) -> str:
    """What was wanted is there: show it. Else wait, until the deadline; then show it as stale."""
    if model_position >= wanted:
        return SHOW
    return WAIT if waited_ms < deadline_ms else STALE


ANSWER_MISTAKES = (
    Mistake(
        "strict instead of at least",
        "Your page waits although the read model stands exactly at the wanted position, so it has the event. "
        "At or above is enough.",
        lambda at, wanted, waited, deadline: SHOW if at > wanted else WAIT if waited < deadline else STALE,
    ),
    Mistake(
        "waits for exactly this position",
        "Your page shows the list only at the wanted position itself. A read model that is further on has the event, "
        "too.",
        lambda at, wanted, waited, deadline: SHOW if at == wanted else WAIT if waited < deadline else STALE,
    ),
    Mistake(
        "hangs at the deadline",
        "Your page waits for ever if the projector does not come. When the deadline is over, say that the answer is "
        "stale.",
        lambda at, wanted, waited, deadline: SHOW if at >= wanted else WAIT,
    ),
    Mistake(
        "shows at the deadline",
        "Your page shows the old list at the deadline as if it were right. Say that it is stale.",
        lambda at, wanted, waited, deadline: SHOW if at >= wanted or waited >= deadline else WAIT,
    ),
    Mistake(
        "never waits",
        "Your page shows the table as it is. The customer has just ordered, and does not find her order.",
        lambda at, wanted, waited, deadline: SHOW,
    ),
    Mistake(
        "stale at once",
        "Your page gives up at once. The projector is most often only some milliseconds behind: wait until the "
        "deadline.",
        lambda at, wanted, waited, deadline: SHOW if at >= wanted else STALE,
    ),
    Mistake(
        "looks at the clock first",
        "Your page calls an answer stale although the read model has the event. Look at the position first.",
        lambda at, wanted, waited, deadline: STALE if waited >= deadline else SHOW if at >= wanted else WAIT,
    ),
)


def _tell_answer(case: Case, right: Any, answer: Answer) -> str:
    at, wanted, waited, deadline = case
    return (
        f"The read model stands at {at}, the phone wants {wanted}, and has waited {waited} of {deadline} ms: "
        f"the page must {right}; yours {answer}."
    )


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
        searches=[Search(SELLERS, (counted_once, model_is_fold, all_level))],
        otherwise=Scripted(SELLERS, lambda run: run.ask("ann").ask("bob").settle()),
    ),
    "answer": Exercise(
        "answer",
        answer_solution,
        answer_cases,
        ANSWER_MISTAKES,
        _tell_answer,
        put=_answering,
        searches=[Search(TWO, (reads_own_writes, stale_is_stale, *ALWAYS, all_level))],
        otherwise=Scripted(SMALL.again(budget=None), _too_late),
    ),
}
