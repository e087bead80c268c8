"""What a learner is asked and told: one right answer, no punishment, words instead of tracebacks."""

from __future__ import annotations

import pytest
import traitlets

from patterns.consistent_hashing.tier import CacheTier
from patterns.engine.history import History
from patterns.engine.judge import Verdict, not_attempted
from widgets.exercise import Judged, Words, check, predict
from widgets.player import Player
from widgets.question import Option, Question

UP = Option("it goes **up**", "there is nothing above it", right=True)
DOWN = Option("it goes down", "that is what stones do")
QUESTION = Question("Which way?", (DOWN, UP))


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


def test_a_question_nobody_answered_is_answered_without_a_word_of_blame() -> None:
    assert repr(predict(QUESTION).outcome) == "It is: it goes up\nthere is nothing above it"


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


def test_a_page_cannot_take_an_answer_that_is_no_number() -> None:
    with pytest.raises(traitlets.TraitError):
        predict(QUESTION).taken = "up"  # type: ignore[assignment]


def test_words_from_a_learners_code_are_text_and_never_markup() -> None:
    shown = Words(("✕", "your code gives `<b>x</b>`, **not** <script>"))._repr_html_()
    assert "<code>&lt;b&gt;x&lt;/b&gt;</code>" in shown
    assert "<b>not</b> &lt;script&gt;" in shown


def test_an_exercise_that_is_not_attempted_is_no_failure() -> None:
    judged = check(lambda attempt: not_attempted(), ...)
    assert repr(judged).splitlines()[0] == "○ Not attempted yet."
    assert not judged
    assert judged.player is None


def test_an_accepted_attempt_is_told_over_how_many_cases() -> None:
    judged = Judged(Verdict(accepted=True, tried=1_234, hint="It is short, too."))
    assert judged
    assert repr(judged) == "✓ Accepted: right in all 1,234 cases tried.\nIt is short, too."
    assert judged.player is None


def test_a_refused_attempt_gets_the_smallest_failing_case_and_a_hint() -> None:
    judged = Judged(Verdict(accepted=False, tried=7, failing="for [] your code stops", hint="Think of **none**."))
    assert repr(judged) == "✕ Not yet. for [] your code stops\nHint: Think of none."
    assert judged.player is None


def test_the_run_that_shows_a_mistake_opens_in_the_player_where_it_matters() -> None:
    history = History(CacheTier(nodes=["A", "B"], keys=["x"]))
    history.advance()
    history.advance()
    history.back()
    judged = Judged(Verdict(accepted=False, failing="it is lost", history=history))
    assert "There is a run that shows it" in repr(judged)
    assert isinstance(judged.player, Player)
    assert judged.player.step is history.step
    assert judged.player is judged.player


@pytest.mark.parametrize("wrong", [True, False], ids=["a run goes wrong", "none does"])
def test_a_notebook_shows_the_verdict_and_under_it_the_run(wrong: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr("IPython.display.display", lambda *things: shown.extend(things))
    history = History(CacheTier(nodes=["A", "B"], keys=["x"]))
    judged = Judged(Verdict(accepted=not wrong, failing="it is lost", history=history if wrong else None))
    judged._ipython_display_()
    assert repr(shown[0]) == repr(judged)
    assert shown[1:] == ([judged.player] if wrong else [])
