"""Predict, then see; write, and have it judged.

guess = predict(Question("How many keys move?", (Option(...), ...)))    a question, one button for each answer
guess.outcome                                                           later: the answer beside what happened
play(history, ask=[Question(..., at=fired("C.commit"))])               the same question, locking a step
check(EXERCISES["decide"], attempt)     an exercise, judged: a sentence and, if there is one, a run that goes wrong
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

import traitlets
from msgspec.structs import replace

from patterns.engine.exercise import Exercise, Told, Verdict
from patterns.engine.machine import Machine
from patterns.engine.properties import Property
from patterns.engine.step import Note
from patterns.engine.world import World
from widgets import progress
from widgets.assets import Shared
from widgets.fallback import show_text
from widgets.player import Player
from widgets.question import Question


class Words:
    """A few paragraphs that a notebook shows as a card and a terminal as text, with `**bold**` and code in backticks.

    Each paragraph is (sign, text); the sign says what kind it is, so that no colour has to.
    """

    def __init__(self, *paragraphs: tuple[str, str], tone: str = "quiet") -> None:
        self.paragraphs = paragraphs
        self.tone = tone

    @property
    def shown(self) -> dict[str, Any]:
        """The paragraphs and their tone, as an outcome in a page has them."""
        return {"said": [[sign, text] for sign, text in self.paragraphs], "tone": self.tone}

    def _repr_html_(self) -> str:
        edge = _EDGES[self.tone]
        parts = "".join(
            f'<p style="margin:0 0 .35em;white-space:pre-line"><b>{html.escape(sign)}</b> {_rich(text)}</p>'
            for sign, text in self.paragraphs
        )
        style = f"border-left:4px solid {edge};padding:.4em .9em .1em;max-width:46em"
        return f'<div class="dp-words" style="{style}">{parts}</div>'

    def __repr__(self) -> str:
        return "\n".join(f"{sign} {text}".replace("**", "").strip() for sign, text in self.paragraphs)


_EDGES = {
    "quiet": "var(--jp-border-color1, #8a919e)",
    "good": "var(--jp-success-color1, #1a7f4b)",
    "wrong": "var(--jp-warn-color1, #b45a09)",
}


def _rich(text: str) -> str:
    bold = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(text))
    return re.sub(r"`(.+?)`", r"<code>\1</code>", bold)


# Predict


class Prediction(Shared):
    """A question with one button for each answer. It keeps the answer; only `outcome` says which one is right."""

    script = "question"
    question = traitlets.Dict().tag(sync=True)
    taken = traitlets.Int(-1).tag(sync=True)
    """The place of the option that was taken; -1 before the answer."""

    def __init__(self, question: Question) -> None:
        self.asked = question
        shown = {"prompt": question.prompt, "options": [option.text for option in question.options]}
        super().__init__(question=shown)
        self.observe(self._keep, "taken")

    def _keep(self, _change: Any) -> None:
        if 0 <= self.taken < len(self.asked.options):
            progress.predicted(self.asked, self.asked.options[self.taken])

    def _ipython_display_(self) -> None:
        options = "".join(f"<li>{_rich(option.text)}</li>" for option in self.asked.options)
        show_text(f"<p>{_rich(self.asked.prompt)}</p><ol>{options}</ol>", self.bundle)

    @property
    def outcome(self) -> Outcome:
        """The learner's answer beside the right one, each with its reason; it opens when an option is taken."""
        return Outcome(self)

    @property
    def words(self) -> Words:
        """What the outcome says now."""
        return self.words_for(self.taken)

    def words_for(self, taken: int) -> Words:
        """What the outcome says if the option at this place is taken. Before an answer, -1, it gives nothing away."""
        if not 0 <= taken < len(self.asked.options):
            return Words(("○", "Answer the question above first. What happens opens here."))
        said, right = self.asked.options[taken], self.asked.right
        if said.right:
            return Words(("✓ As you said:", said.text), ("", said.because), tone="good")
        return Words(("You said:", said.text), ("", said.because), ("It is:", right.text), ("", right.because))


class Outcome(Shared):
    """What became of a prediction: it follows the question, wherever it is shown, and however often cells are run."""

    script = "outcome"
    said: traitlets.List[list[str]] = traitlets.List().tag(sync=True)
    tone = traitlets.Unicode().tag(sync=True)

    def __init__(self, prediction: Prediction) -> None:
        self.prediction = prediction
        super().__init__(**prediction.words.shown)
        prediction.observe(self._follow, "taken")

    def _ipython_display_(self) -> None:
        right = self.prediction.asked.right
        answer = f"<b>{_rich(right.text)}</b>. {_rich(right.because)}"
        show_text(f"<details><summary>The answer</summary><p>{answer}</p></details>", self.bundle)

    def _follow(self, _change: Any) -> None:
        shown = self.prediction.words.shown
        self.tone, self.said = shown["tone"], shown["said"]

    def __repr__(self) -> str:
        return repr(self.prediction.words)


def predict(question: Question) -> Prediction:
    """The question as buttons, for a notebook."""
    return Prediction(question)


# Write, and have it judged


class AsRight(Property):
    """Broken in each step of a run in which the learner's rule decides otherwise than the right one: there it is red.

    `right` is the machine with the right rule. It takes the same step from the same state.
    """

    def __init__(self, right: Machine[Any, Any]) -> None:
        super().__init__("your rule decides otherwise")
        self.right, start = right, right.start()
        self._kinds = {each.id: type(each) for each in start.processes} if isinstance(start, World) else {}

    def begin(self, state: Any) -> str:
        return ""

    def follow(self, memory: Any, before: Any, event: Any, after: Any, notes: tuple[Note, ...]) -> str:
        try:
            other, said = self.right.apply(self._of(before), event)
        except Exception:  # the learner's rule led where the right one never comes
            return ""
        if other == self._of(after):
            return ""
        should, does = ([note for note in a if note not in b] for a, b in ((said, notes), (notes, said)))
        if should:
            return f"the right rule gives: {self.right.say(should[0])}"
        return (
            f"the right rule does not do this: {self.right.say(does[0])}" if does else "the right rule does less here"
        )

    def reason(self, memory: Any, state: Any) -> str | None:
        return memory or None

    def _of(self, state: Any) -> Any:
        """The state, with the right rule in its processes."""
        if not self._kinds:
            return state
        processes = [self._kinds[each.id](**fields_of(each)) for each in state.processes]
        return replace(state, processes=tuple(processes))


def fields_of(process: Any) -> dict[str, Any]:
    return {name: getattr(process, name) for name in process.__struct_fields__}


class Judged:
    """What a judge says of an attempt; true when it is accepted.

    A notebook shows a card and below it the player, a terminal a few lines.
    """

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict

    def __bool__(self) -> bool:
        return self.verdict.accepted

    @property
    def words(self) -> Words:
        """The verdict, the smallest case that fails, and what to think about next."""
        said = self.verdict
        if not said.attempted:
            todo = said.hint or "Your function returns nothing yet. Write your code above, and run both cells again."
            return Words(("○", "Not attempted yet."), ("", todo))
        if said.accepted:
            right = ("✓", f"**Accepted**: {said.looked_at}.")
            return Words(right, *([("", said.hint)] if said.hint else []), tone="good")
        if said.undecided:
            return Words(("○", f"**Not decided**: {said.undecided}"))
        told, run = said.told or Told(""), said.then.removeprefix("In a run: ")
        parts = [("✗", f"**Not yet.** {told.asked if told.case else ''}".rstrip())]
        parts += [(sign, text) for sign, text in (("Expected:", told.expected), ("Yours:", told.yours)) if text]
        if said.hint:
            parts.append(("Hint:", said.hint))
        if said.history is not None:
            shows = f"The player below shows a run with your code, open at the step that matters. {_capital(run)}"
            parts.append(("▶", shows.strip()))
        elif run:
            parts.append(("▶", _capital(run)))
        return Words(*parts, tone="wrong")

    @cached_property
    def player(self) -> Player | None:
        """The smallest run that goes wrong, open in the player where it matters; None if no run goes wrong."""
        history, right = self.verdict.history, self.verdict.right
        if history is None:
            return None
        mine = () if right is None else (AsRight(right),)
        player = Player(history, always=(*mine, *history.machine.always))
        if mine and not history.step.depth:
            player.cursor = next((frame["n"] for frame in player.frames if frame["always"][0]), 0)
        return player

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.words, *([] if self.player is None else [self.player]))

    def __repr__(self) -> str:
        return repr(self.words)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def check(exercise: Exercise, attempt: Callable[..., Any]) -> Judged:
    """A learner's function, judged by its exercise: `check(EXERCISES["decide"], my_decide)`.

    The judge answers in words whatever the function does. An exception of the judge itself is raised.
    """
    verdict = exercise.judge(attempt)
    progress.tried(exercise, verdict)
    return Judged(verdict)
