"""What the chapter's questions say of its runs is what happens in them."""

from __future__ import annotations

from typing import Any

from locked import locked

from patterns.engine.step import Step
from patterns.sharding.lesson import BUGS, GALLERY
from widgets.chapters.sharding import questions as ask
from widgets.question import Question

MOVE = "A slot moves while clients write"


def where(question: Question, title: str = MOVE) -> Step[Any, Any]:
    return locked(GALLERY[title](), question)


def rules(step: Step[Any, Any]) -> list[str]:
    return [note.rule for note in step.notes]


def role(step: Step[Any, Any], shard: str) -> str:
    return next((hold.role for hold in step.state[shard].holds if hold.slot == 0), "")


def test_the_change_commits_at_a_before_b_owns_the_slot_and_is_shipped_after_the_copy() -> None:
    step = where(ask.CHANGED)
    assert rules(step) == ["S.commit", "M.change"]
    assert role(step, "B") == "importing"


def test_b_owns_the_slot_and_a_does_not_know_it_when_a_says_ask() -> None:
    step = where(ask.ASKED)
    assert (role(step, "A"), role(step, "B")) == ("fenced", "owner")
    assert step.state["R2"].map == step.parent.state["R2"].map


def test_b_has_anns_first_answer_when_the_second_try_arrives() -> None:
    step = where(ask.RETRY)
    assert rules(step) == ["S.again"]
    assert [row.parcels for row in step.state["B"].rows if row.key == "Cairo"] == [3]


def test_salt_turns_one_question_for_a_key_into_four() -> None:
    run = GALLERY["Salt spreads a famous key over four slots"]()
    asked = [note.values["shards"] for step in run.branch for note in step.notes if note.rule == "K.ask"]
    assert asked == [1, 4]


def test_without_the_drain_no_fault_is_needed_to_lose_a_write() -> None:
    path = BUGS["no drain"].found().counterexample.history.path
    kinds = {type(step.event).__name__ for step in path[1:]}
    assert kinds == {"Request", "Deliver", "Fire"}
    assert rules(path[-1])[0] == "S.commit"
