"""No notebook gives the answer to a question away before the question comes.

What is held: no sentence of the text and no title in the code before a question has most of the words that only its
right option has; in most questions of a chapter the right option is not the longest; the outcome of a prediction stands
below the run that shows it, and never in the cell of a player with locked questions.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from widgets.question import Question

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
CHECKED = ("08_event_sourcing",)
"""The notebooks that keep these rules."""
COMMON = re.compile(
    "the|and|for|its|are|has|had|have|not|but|that|this|they|them|then|than|does|did|was|were|will|with|from|into|only|"
    "one|two|all|any|can|may|must|more|who|what|when|where|which|there|here|their|because|asks?|until|each|other|"
    "itself|himself|herself|been|being|also|too|yet|still|before|after|again|would"
)
MOST = 0.7
"""Of the key words: a sentence that has so many of them gives the answer away."""


class Asked(NamedTuple):
    """A question of a notebook, and what a learner has read when it comes."""

    notebook: str
    name: str
    question: Question
    sentences: tuple[str, ...]
    titles: tuple[str, ...]


def stems(text: str) -> set[str]:
    """The words that carry meaning, cut so that `aborts` is `abort` and `aborted` too."""
    words = re.findall(r"[a-z0-9]+", text.lower().replace("'", ""))
    return {word[:5] for word in words if len(word) > 2 and not COMMON.fullmatch(word)}


def key_words(question: Question) -> set[str]:
    """The words of the right option that stand neither in the question nor in another option."""
    others = " ".join([question.prompt, *(option.text for option in question.options if not option.right)])
    return stems(question.right.text) - stems(others)


def titles_in(code: str) -> list[str]:
    """The texts in the code of a cell that are more than a word: titles of runs and bugs, subtitles."""
    found = [
        node.value
        for node in ast.walk(compile(code, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT))
        if isinstance(node, ast.Constant)
    ]
    return [text for text in found if isinstance(text, str) and " " in text]


def sentences_of(markdown: str) -> list[str]:
    plain = re.sub(r"\]\([^)]*\)|[*_`#|]", " ", markdown)
    return [sentence for sentence in re.split(r"(?<=[.!?:])\s+|\n\s*\n|\n\s*\d+\. ", plain) if sentence.strip()]


def cells_of(name: str) -> list[Any]:
    cells: list[Any] = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return cells


def questions_of(name: str) -> list[Asked]:
    """The questions of a notebook in the order of its cells."""
    ask = import_module(f"widgets.chapters.{name[3:]}.questions")
    found, sentences, titles = [], list[str](), list[str]()
    for cell in cells_of(name):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            sentences += sentences_of(source)
            continue
        asked = re.findall(r"\bask\.([A-Z][A-Z0-9_]*)", source)
        titles += titles_in(source)
        found += [Asked(name, each, getattr(ask, each), tuple(sentences), tuple(titles)) for each in asked]
    return found


def giveaways(asked: Asked) -> Iterator[str]:
    """The sentences and titles before a question that answer it."""
    keys = key_words(asked.question)
    if not keys:
        return  # told from the other options by its order or by a word like `not`: nothing to look for
    for sentence in asked.sentences:
        if len(keys) > 1 and len(keys & stems(sentence)) >= MOST * len(keys):
            yield sentence
    for title in asked.titles:
        if 2 * len(keys & stems(title)) >= len(keys):
            yield title


ASKED = [asked for name in CHECKED for asked in questions_of(name)]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked.notebook[:2]}-{asked.name}")
def test_nothing_before_a_question_has_the_words_of_its_answer(asked: Asked) -> None:
    assert not list(giveaways(asked)), f"{asked.question.right.text!r}, by {sorted(key_words(asked.question))}"


@pytest.mark.parametrize("name", CHECKED)
def test_the_longest_option_is_seldom_the_right_one(name: str) -> None:
    longest = [
        asked.name
        for asked in questions_of(name)
        if max(asked.question.options, key=lambda option: len(option.text)) is asked.question.right
    ]
    assert 2 * len(longest) <= len(questions_of(name)), longest


@pytest.mark.parametrize("name", CHECKED)
def test_an_outcome_stands_below_the_run_that_shows_it(name: str) -> None:
    for cell in cells_of(name):
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and ".outcome" in source and "play(" in source:
            assert "ask=" not in source, f"{cell['id']}: the outcome answers while questions are still locked"
            assert source.index("play(") < source.index(".outcome"), cell["id"]


def test_a_sentence_that_answers_a_question_is_found() -> None:
    given = Asked("", "", ASKED[0].question, (f"You see: {ASKED[0].question.right.text}.",), ())
    assert list(giveaways(given))
