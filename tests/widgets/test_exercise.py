"""What a learner is asked and told: one right answer, no punishment, words instead of tracebacks."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import traitlets

from patterns.engine.exercise import Exercise, Mistake, Told, Verdict
from patterns.engine.history import History
from patterns.engine.process import Process
from patterns.engine.simulation import Simulation
from patterns.engine.world import Crash
from widgets.exercise import Judged, Words, check, predict
from widgets.player import Player
from widgets.question import Option, Question

UP = Option("it goes **up**", "there is nothing above it", right=True)
DOWN = Option("it goes down", "that is what stones do")
QUESTION = Question("Which way?", (DOWN, UP))

DOUBLE = Exercise(
    "double",
    solution=lambda n: 2 * n,
    cases=lambda: [(n,) for n in range(20)],
    mistakes=[Mistake("adds two", "Compare 3 and **6**.", lambda n: n + 2)],
    tell=lambda case, right, answer: Told(f"double {case[0]}"),
)


class Quiet(Simulation):
    """Two processes that do nothing."""

    name = "quiet"
    rules = {}

    def processes(self) -> list[Process]:
        return [Process(id="A"), Process(id="B")]


def crashed() -> History[Any, Any]:
    """A run of three steps, the cursor in the middle."""
    history = History(Quiet())
    history.run([Crash("A"), Crash("B")])
    history.back()
    return history


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((UP,), id="one option"),
        pytest.param((DOWN, DOWN), id="none right"),
        pytest.param((UP, UP), id="two right"),
    ],
)
def test_a_question_has_two_or_more_answers_and_exactly_one_is_right(options: tuple[Option, ...]) -> None:
    with pytest.raises(ValueError, match=r"'Which way\?' needs two or more options, exactly one of them right"):
        Question("Which way?", options)


def test_the_page_is_not_told_which_answer_is_right() -> None:
    assert predict(QUESTION).get_state()["question"] == {
        "prompt": "Which way?",
        "options": ["it goes down", "it goes **up**"],
    }


def test_an_outcome_stays_closed_until_an_option_is_taken_and_then_opens_wherever_it_is_shown() -> None:
    guess = predict(QUESTION)
    outcome = guess.outcome
    assert "it goes up" not in repr(outcome) + str(outcome.get_state()), "Run All gives nothing away"
    guess.taken = 0
    assert outcome.said[0] == ["You said:", "it goes down"]
    guess.taken = 1
    assert (outcome.tone, outcome.said[0]) == ("good", ["✓ As you said:", "it goes **up**"])


def test_a_wrong_guess_stands_beside_the_outcome_each_with_its_reason() -> None:
    guess = predict(QUESTION)
    guess.taken = 0
    assert repr(guess.outcome).splitlines() == [
        "You said: it goes down",
        "that is what stones do",
        "It is: it goes up",
        "there is nothing above it",
    ]
    assert guess.outcome.tone == "quiet"


def test_a_right_guess_is_told_so_by_a_sign_and_not_by_colour_alone() -> None:
    guess = predict(QUESTION)
    guess.taken = 1
    assert repr(guess.outcome) == "✓ As you said: it goes up\nthere is nothing above it"
    assert guess.outcome.tone == "good"


def test_what_an_outcome_would_say_is_known_without_answering() -> None:
    guess = predict(QUESTION)
    assert [guess.words_for(taken).paragraphs[0][1] for taken in (0, 1)] == ["it goes down", "it goes **up**"]
    assert guess.words_for(1).shown["tone"] == "good"
    assert guess.taken == -1


def test_a_page_cannot_take_an_answer_that_is_no_number() -> None:
    with pytest.raises(traitlets.TraitError):
        predict(QUESTION).taken = "up"  # type: ignore[assignment]


def test_words_from_a_learners_code_are_text_and_never_markup() -> None:
    shown = Words(("✗", "your code gives `<b>x</b>`, **not** <script>"))._repr_html_()
    assert "<code>&lt;b&gt;x&lt;/b&gt;</code>" in shown
    assert "<b>not</b> &lt;script&gt;" in shown


def unwritten(n: int) -> int:
    raise NotImplementedError


def test_an_exercise_that_is_not_attempted_is_no_failure() -> None:
    judged = check(DOUBLE, unwritten)
    assert repr(judged).splitlines()[0] == "○ Not attempted yet."
    assert not judged
    assert judged.player is None


def test_an_attempt_is_judged_by_its_exercise() -> None:
    assert repr(check(DOUBLE, lambda n: n * 2)) == "✓ Accepted: right in all 20 cases tried."
    said = repr(check(DOUBLE, lambda n: n + 2))
    assert said == "✗ Not yet. The case: double 0.\nExpected: 0\nYours: gives 2\nHint: Compare 3 and 6."


def test_an_accepted_attempt_is_told_over_how_many_cases_and_states() -> None:
    judged = Judged(Verdict(accepted=True, tried=1_234, searches=2, states=5_000, hint="It is short, too."))
    assert judged
    accepted = "✓ Accepted: right in all 1,234 cases tried, and in every run of 2 small machines: 5,000 states."
    assert repr(judged) == f"{accepted}\nIt is short, too."
    assert judged.player is None


def test_an_attempt_whose_search_was_cut_short_is_neither_accepted_nor_refused() -> None:
    judged = Judged(Verdict(accepted=False, undecided="the bound of 10 states cut a search short."))
    assert repr(judged) == "○ Not decided: the bound of 10 states cut a search short."
    assert not judged


def test_a_refused_attempt_gets_the_smallest_failing_case_and_a_hint() -> None:
    judged = Judged(Verdict(accepted=False, tried=7, told=Told("[]", yours="stops"), hint="Think of **none**."))
    assert repr(judged) == "✗ Not yet. The case: [].\nYours: stops\nHint: Think of none."
    assert judged.player is None


def test_the_run_that_shows_a_mistake_opens_in_the_player_where_it_matters() -> None:
    history = crashed()
    judged = Judged(Verdict(accepted=False, told=Told("one write"), history=history))
    assert "a run with your code" in repr(judged)
    assert isinstance(judged.player, Player)
    assert judged.player.step is history.step
    assert judged.player is judged.player


@pytest.mark.parametrize("wrong", [True, False], ids=["a run goes wrong", "none does"])
def test_a_notebook_shows_the_verdict_and_under_it_the_run(wrong: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr("IPython.display.display", lambda *things: shown.extend(things))
    history = crashed()
    judged = Judged(Verdict(accepted=not wrong, told=Told("one write"), history=history if wrong else None))
    judged._ipython_display_()
    assert repr(shown[0]) == repr(judged)
    assert shown[1:] == ([judged.player] if wrong else [])


@pytest.mark.parametrize(
    ("chapter", "exercise", "mistake", "said"),
    [
        ("consensus_raft", "grant", "votes twice", "**S1 refuses to vote for S3** in term 1"),
        ("two_phase_commit", "decide", "majority", "the right rule does not do this: **C decides: commit T1**"),
        ("event_sourcing", "decide", "ships what is not there", "**A declines**"),
    ],
)
def test_a_step_in_which_the_learners_rule_decides_otherwise_is_red_and_says_what_the_right_rule_gives(
    chapter: str, exercise: str, mistake: str, said: str
) -> None:
    """Of the run under a verdict: without it the narration defends the mistake."""
    task = import_module(f"patterns.{chapter}.lesson").CHAPTER.exercises[exercise]
    wrong = next(each.function for each in task.mistakes if each.name == mistake)
    player = check(task, wrong).player
    assert player is not None
    assert player.head["always"][0] == "your rule decides otherwise"
    red = [frame for frame in player.frames if frame["always"][0]]
    assert red
    assert said in red[0]["always"][0]
    assert len(red) < len(player.frames) / 2, "and in no other step"


def test_a_run_in_which_no_promise_breaks_is_open_where_the_learners_rule_first_decides_otherwise() -> None:
    task = import_module("patterns.saga.lesson").CHAPTER.exercises["what_to_do"]
    nothing = next(each.function for each in task.mistakes if each.name == "nothing")
    player = check(task, nothing).player
    assert player is not None
    assert player.frames[player.cursor]["always"][0].startswith("the right rule gives: **stock does reserve**")
    assert player.step.number == player.cursor
