"""What every chapter keeps, and the example chapter too. A new chapter joins by itself: its `lesson` is found here.

`pytest tests/test_chapters.py -k saga` is one chapter; the parts of a chapter stand in the order of its declaration.
"""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest
from drawn_runs import random_run

from patterns.engine.chapter import Chapter
from patterns.engine.exercise import equal
from patterns.engine.explore import Exploration
from patterns.engine.history import History
from patterns.engine.machine import Machine
from patterns.engine.milestones import find
from patterns.engine.sentences import page_of
from patterns.engine.simulation import Simulation
from patterns.glossary import GLOSSARY
from widgets import play
from widgets.declared import milestones_of, view_of
from widgets.exercise import check
from widgets.player import Player
from widgets.question import Question

ROOT = Path(__file__).resolve().parents[1]
EXPORTS = ("MACHINES", "MILESTONES", "GALLERY", "BUGS", "EXERCISES")


def _load(package: str) -> Chapter | str:
    """The declaration of a chapter, or the reason for a missing one."""
    try:
        lesson = import_module(f"{package}.lesson")
    except Exception as problem:
        return f"{package}.lesson cannot be imported: {type(problem).__name__}: {problem}"
    chapter = getattr(lesson, "CHAPTER", None)
    if not isinstance(chapter, Chapter):
        return f"{package}.lesson exports no CHAPTER; see patterns/README.md"
    missing = [name for name in EXPORTS if getattr(lesson, name, None) is not getattr(chapter, name.lower())]
    return f"{package}.lesson exports no {', '.join(missing)} of its CHAPTER" if missing else chapter


PACKAGES = {path.parent.name: f"patterns.{path.parent.name}" for path in sorted(ROOT.glob("patterns/*/lesson"))}
PACKAGES |= {path.parent.name: path.parent.name for path in sorted(ROOT.glob("tests/example_chapter/*/lesson"))}
LOADED = {name: _load(package) for name, package in PACKAGES.items()}
CHAPTERS = {name: chapter for name, chapter in LOADED.items() if isinstance(chapter, Chapter)}
NOTEBOOKS = {path.stem[3:]: path for path in sorted(ROOT.glob("notebooks/[0-9][0-9]_*.ipynb"))}
LONGEST = {"consensus_raft": 13, "cqrs": 13, "event_sourcing": 21, "leader_election": 16, "two_phase_commit": 22}
"""So many steps has the longest of the shortest runs that show a bug; 12 in the other chapters."""

each_chapter = pytest.mark.parametrize("name", CHAPTERS)
each_notebook = pytest.mark.parametrize("name", [name for name in CHAPTERS if name in NOTEBOOKS])


def each(part: str) -> Any:
    """The test runs for each entry of this part of each chapter."""
    pairs = [(name, title) for name, chapter in CHAPTERS.items() for title in getattr(chapter, part)]
    return pytest.mark.parametrize(("name", "title"), pairs, ids=[f"{name}: {title}" for name, title in pairs])


# What a chapter declares is built once.


@cache
def gallery_run(name: str, title: str) -> History[Any, Any]:
    return CHAPTERS[name].gallery[title]()


@cache
def found(name: str, title: str) -> Any:
    return CHAPTERS[name].bugs[title].found()


CLEAN: dict[Any, Any] = {}


def clean(name: str, title: str) -> Any:
    """What the search of a bug finds without it; bugs that are looked for in one place share it."""
    search: Any = CHAPTERS[name].bugs[title].search
    key = (type(search.machine), msgspec.json.encode(search.machine.params), repr(search[1:]))
    if key not in CLEAN:
        CLEAN[key] = CHAPTERS[name].bugs[title].clean()
    return CLEAN[key]


@cache
def drawn_run(machine: Machine[Any, Any], seed: int) -> History[Any, Any]:
    return random_run(machine, seed, 80)


def runs_of(name: str) -> Iterator[History[Any, Any]]:
    """The gallery, the runs that show the bugs, and random worlds, until the caller has seen enough."""
    chapter = CHAPTERS[name]
    yield from (gallery_run(name, title) for title in chapter.gallery)
    for title in chapter.bugs:
        if found(name, title).counterexample is not None:
            yield found(name, title).counterexample.history
    for seed in range(30):
        yield from (drawn_run(machine, seed) for machine in chapter.machines.values())


# The chapter


@pytest.mark.parametrize("name", LOADED)
def test_a_lesson_declares_its_chapter(name: str) -> None:
    chapter = LOADED[name]
    assert isinstance(chapter, Chapter), chapter
    assert chapter.name == name
    empty = [part for part in ("machines", "milestones", "gallery", "bugs", "exercises") if not getattr(chapter, part)]
    assert not empty
    assert all(title == exercise.name for title, exercise in chapter.exercises.items())


def test_every_machine_has_a_name_of_its_own() -> None:
    kinds = {type(machine) for chapter in CHAPTERS.values() for machine in chapter.machines.values()}
    names = sorted(kind.name for kind in kinds)
    assert len(names) == len({*names}), names


@each("machines")
def test_a_machine_is_built_again_from_its_parameters_and_its_replay_code(name: str, title: str) -> None:
    machine = CHAPTERS[name].machines[title]
    told = json.loads(msgspec.json.encode(machine.params))
    assert machine.again().params == type(machine)(**told).params == machine.params
    assert machine.view in ("", name)
    history = drawn_run(machine, 0)
    again = History.replay(type(machine)(), history.code)
    assert again.machine.params == machine.params
    assert again.state == history.state


@each_chapter
def test_each_rule_fires_somewhere(name: str) -> None:
    machines = CHAPTERS[name].machines.values()
    missing = {rule for machine in machines for rule in machine.rules}
    for history in runs_of(name):
        missing -= {note.rule for step in history.steps for note in step.notes}
        if not missing:
            return
    pytest.fail(f"these rules never fire: {', '.join(sorted(missing))}")


@each_chapter
def test_each_note_makes_a_whole_sentence(name: str) -> None:
    chapter = CHAPTERS[name]
    seen = [gallery_run(name, title) for title in chapter.gallery]
    seen += [drawn_run(machine, seed) for machine in chapter.machines.values() for seed in range(3)]
    for history in seen:
        for step in history.steps:
            for note in step.notes:
                said = history.machine.say(note)
                assert not re.search(r"[{}]|\bNone\b|\(\)", said), f"{note.rule}, step {step.number}: {said}"


@each_chapter
def test_each_milestone_is_met_somewhere(name: str) -> None:
    chapter = CHAPTERS[name]
    missing = {(kind, title) for kind, milestones in chapter.milestones.items() for title in milestones}
    for history in runs_of(name):
        for kind, title in [*missing]:
            if isinstance(history.machine, kind) and find(history, chapter.milestones[kind][title]):
                missing.remove((kind, title))
        if not missing:
            return
    pytest.fail(f"these are never met: {', '.join(sorted(f'{title} ({kind.__name__})' for kind, title in missing))}")


# The gallery


@each("gallery")
def test_a_gallery_run_replays_and_meets_milestones(name: str, title: str) -> None:
    history = gallery_run(name, title)
    assert len(history.branch) > 3
    again = History.replay(history.machine, history.code)
    assert (again.step.depth, again.state) == (history.step.depth, history.state)
    assert again.branch[-1].state == history.branch[-1].state
    milestones = CHAPTERS[name].milestones_of(history.machine)
    assert any(find(history, reached) for reached in milestones.values())


@each_chapter
def test_titles_are_sentences_that_start_with_a_capital_letter(name: str) -> None:
    for title in CHAPTERS[name].gallery:
        assert title[0].isupper(), title
        assert " " in title, title
        assert not title.endswith("."), title


# The bugs


@each("bugs")
def test_a_bug_is_found_and_breaks_what_it_says(name: str, title: str) -> None:
    bug, seen = CHAPTERS[name].bugs[title], found(name, title)
    broken = seen.counterexample
    if broken is None:  # it keeps something from ever happening
        assert isinstance(seen, Exploration), seen
        assert seen.complete, seen
        assert bug.breaks.name in seen.never, seen
        return
    assert broken.property.name == bug.breaks.name, broken
    assert len(broken.history.path) > 1
    if isinstance(seen, Exploration):
        assert len(broken.history.path) - 1 <= LONGEST.get(name, 12), "a run that a learner can step through"
    assert bug.sentence.endswith(".")


@each("bugs")
def test_without_its_bug_the_same_search_finds_nothing(name: str, title: str) -> None:
    assert clean(name, title).holds, clean(name, title)


@pytest.mark.parametrize(
    ("name", "title"),
    [(name, title) for name, chapter in CHAPTERS.items() for title, bug in chapter.bugs.items() if bug.random],
)
def test_random_worlds_find_a_bug_if_it_says_so(name: str, title: str) -> None:
    bug = CHAPTERS[name].bugs[title]
    broken = bug.random_runs().counterexample
    assert broken is not None
    assert broken.property.name == bug.breaks.name, broken


# The exercises


@each("exercises")
def test_an_exercise_accepts_its_solution(name: str, title: str) -> None:
    exercise = CHAPTERS[name].exercises[title]
    verdict = exercise.judge(exercise.solution)
    assert verdict.accepted, verdict
    assert verdict.tried > 3
    assert verdict.searches >= bool(exercise.put)


@pytest.mark.parametrize(
    ("name", "title", "at"),
    [
        (name, title, at)
        for name, chapter in CHAPTERS.items()
        for title, exercise in chapter.exercises.items()
        for at in range(len(exercise.mistakes))
    ],
)
def test_an_exercise_names_each_mistake(name: str, title: str, at: int) -> None:
    exercise = CHAPTERS[name].exercises[title]
    mistake = exercise.mistakes[at]
    judged = check(exercise, mistake.function)
    verdict = judged.verdict
    assert not judged
    assert (verdict.mistake, verdict.hint) == (mistake.name, mistake.hint)
    assert verdict.failing
    if exercise.put is not None:
        assert judged.player is not None


def blank(*arguments: Any) -> None:
    raise NotImplementedError


@each_chapter
def test_each_hint_of_the_page_is_that_of_a_mistake(name: str) -> None:
    page = page_of(f"{PACKAGES[name]}.lesson", "mistakes.toml")
    for title, exercise in CHAPTERS[name].exercises.items():
        assert page.pop(title) == {mistake.name: mistake.hint for mistake in exercise.mistakes}
    assert not page


def retyped(value: Any) -> Any:
    """An answer of the same value, with 1 for True and 2.0 for 2."""
    if isinstance(value, tuple | list):
        return type(value)(map(retyped, value)) if type(value) in (tuple, list) else value
    return int(value) if isinstance(value, bool) else float(value) if isinstance(value, int) else value


@each("exercises")
def test_an_exercise_refuses_a_right_number_of_another_type_with_a_hint_on_the_type(name: str, title: str) -> None:
    exercise = CHAPTERS[name].exercises[title]._replace(put=None)
    verdict = exercise.judge(lambda *case: retyped(exercise.solution(*case)))
    answers = (exercise.solution(*exercise.prepare(case)) for case in exercise.cases())
    numbers = not all(equal(answer, retyped(answer)) for answer in answers)
    assert (verdict.accepted, verdict.mistake) == (not numbers, "")
    assert ("Its answer must be" in verdict.hint) is numbers


@each("exercises")
def test_one_press_of_the_stop_button_ends_the_judge_of_an_exercise(name: str, title: str) -> None:
    exercise = CHAPTERS[name].exercises[title]
    for first in (1, len([*exercise.cases()]) + 1):  # in the first case, and in the first search
        calls, pressed = 0, 0

        def stopped(*case: Any, first: int = first) -> Any:
            nonlocal calls, pressed
            calls += 1
            if calls < first:
                return exercise.solution(*case)
            pressed += 1
            raise KeyboardInterrupt

        verdict = exercise.judge(stopped)
        assert pressed <= 1
        assert not (verdict.accepted and first == 1)


@each("exercises")
def test_an_exercise_answers_any_code_in_words(name: str, title: str) -> None:
    exercise = CHAPTERS[name].exercises[title]
    assert repr(check(exercise, blank)).startswith("○ Not attempted yet.")
    judged = check(exercise, lambda *arguments: 1 / 0)
    assert not judged
    assert "ZeroDivisionError" in repr(judged)
    assert "Traceback" not in repr(judged)


# The picture


@each("machines")
def test_the_view_is_total_on_random_runs_and_its_ids_name_one_thing_each(name: str, title: str) -> None:
    view = view_of(CHAPTERS[name].machines[title])
    for seed in range(3):
        history = drawn_run(CHAPTERS[name].machines[title], seed)
        kinds: dict[tuple[str, str], type] = {}
        for step in history.steps:
            scene = view.scene_of(step)
            for panel in scene.panels:
                ids = [mark.id for mark in panel.marks]
                assert len(ids) == len({*ids}), f"seed {seed}, step {step.number}"
                for mark in panel.marks:
                    kind = kinds.setdefault((panel.id, mark.id), type(mark))
                    assert kind is type(mark), f"seed {seed}, step {step.number}: {mark.id} becomes another thing"
        assert scene == view.scene_of(history.steps[-1]), "a scene is a pure function of its step"
    assert play(history).view is view


@each("machines")
def test_the_text_and_the_picture_say_the_same(name: str, title: str) -> None:
    machine = CHAPTERS[name].machines[title]
    view, history = view_of(machine), drawn_run(machine, 1)
    for step in history.steps:
        scene, where = view.scene_of(step), f"seed 1, step {step.number}"
        marks = {mark.id: mark for panel in scene.panels for mark in panel.marks}
        assert all(panel.label for panel in scene.panels), where
        facts = view.facts_of(step.state)
        assert len({(fact.who, fact.name) for fact in facts}) == len(facts), where
        assert all(cost >= 0 for cost in view.costs_of(step).values()), where
        for choice in machine.choices(step.state):
            assert not choice.about or {*choice.about} & {*marks}, f"{where}: {choice.label} is about nothing shown"
        if not isinstance(machine, Simulation):
            continue
        world, label = step.state, " ".join(panel.label for panel in scene.panels)
        drawn = {id for id in marks if id.startswith(("process:", "message:"))}
        there = {f"process:{who}" for who in world.names} | {f"message:{packet.id}" for packet in world.packets}
        assert drawn == there, where
        assert scene.lanes == world.names, where
        assert {fact.who for fact in facts} <= {*world.names}, where
        crashed = {who for who in world.names if "crashed" in f"{marks[f'process:{who}'].title}"}
        told = {who for who in world.names if re.search(rf"\b{who}(?![\w'])[^;,.:]*\bcrashed", label)}
        assert crashed == told == world.down, f"{where}: {label}"


@each("gallery")
def test_a_gallery_run_can_be_played(name: str, title: str) -> None:
    history = gallery_run(name, title)
    player = play(history)
    assert len(player.frames) == len(history.steps)
    assert {*milestones_of(history.machine)} <= {*player.head["until"]}
    notation = {text for text in shown_by(player) if PYTHON.search(text)}
    assert not notation, "a picture has words, not values as Python writes them"


PYTHON = re.compile(r"[A-Z]\w+\(\w+=|[(\[{]'|', '|frozenset|\b(None|True|False)\b")


def shown_by(player: Player) -> Iterator[str]:
    """What a player says: sentences, facts, choices, the words of marks."""
    yield from (word["label"] for word in player.words)
    for frame in player.frames:
        yield frame["event"]
        yield from (sentence for sentence, *_ in frame["say"])
        yield from (value for _, _, *values, _ in frame["facts"] for value in values)
        for panel in frame["panels"]:
            for mark in (*panel.get("set", ()), *panel.get("changed", {}).values()):
                yield from (mark[part] for part in ("text", "title", "sub", "caption") if mark.get(part))


# The notebook

TERM = re.compile(r"(?<!^- )(?<!^\| )\*\*([a-z][\w -]*)\*\*", re.MULTILINE)
"""A term is bold and begins with a small letter. It may be the first word of a longer term. A capital letter begins a
heading, a button or the name of a product; a product may also begin an item of a list or a row of a table."""


def prose(name: str) -> Iterator[str]:
    notebook = json.loads(NOTEBOOKS[name].read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            yield re.sub(r"^```.*?^```", "", "".join(cell["source"]), flags=re.MULTILINE | re.DOTALL)


def _is_known(term: str, known: set[str]) -> bool:
    return any(f"{each} ".startswith(f"{term} ") for each in known)


@each_notebook
def test_each_bold_term_is_in_the_glossary(name: str) -> None:
    known = {term.english.lower() for term in GLOSSARY}
    bold = {" ".join(term.split()) for text in prose(name) for term in TERM.findall(text)}
    unknown = {term for term in bold if not _is_known(term, known) and not _is_known(term.removesuffix("s"), known)}
    assert not unknown, "a term goes into patterns/glossary.md; for emphasis alone write *so*"


@pytest.mark.parametrize("name", [path.parent.name for path in sorted(ROOT.glob("widgets/chapters/*/questions.toml"))])
def test_the_notebook_asks_each_question_of_the_page(name: str) -> None:
    questions = import_module(f"widgets.chapters.{name}.questions")
    cells = NOTEBOOKS.get(name, ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
    for question in page_of(f"widgets.chapters.{name}", "questions.toml"):
        assert isinstance(getattr(questions, question), Question)
        assert re.search(rf"\bask\.{question}\b", cells), question


def code_of_exercises(name: str) -> list[str]:
    notebook = json.loads(NOTEBOOKS[name].read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if "exercise" in cell["metadata"].get("tags", ())]


def written(source: str, function: str) -> Callable[..., Any]:
    scope: dict[str, Any] = {}
    exec(source, scope)
    return scope[function]


@pytest.mark.parametrize(
    ("name", "title"),
    [(name, title) for name, chapter in CHAPTERS.items() if name in NOTEBOOKS for title in chapter.exercises],
)
def test_the_notebook_has_the_exercise_and_the_page_of_solutions_solves_it(name: str, title: str) -> None:
    exercise = CHAPTERS[name].exercises[title]
    [given] = [source for source in code_of_exercises(name) if f"\ndef {title}(" in f"\n{source}"]
    assert repr(check(exercise, written(given, title))).startswith("○ Not attempted yet.")
    solutions = runpy.run_path(str(ROOT / "notebooks" / "solutions" / f"{name}.py"))
    judged = check(exercise, solutions[title])
    assert judged, repr(judged)


@pytest.mark.parametrize("name", [name for name, package in PACKAGES.items() if package.startswith("patterns.")])
def test_every_chapter_has_a_notebook(name: str) -> None:
    assert name in NOTEBOOKS
