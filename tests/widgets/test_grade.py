"""The grader judges each exercise of a notebook by itself, whatever the notebook's code does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import which
from types import ModuleType
from typing import Any

import msgspec
import nbformat
import pytest

from patterns.engine.exercise import Rule
from patterns.saga.lesson import EXERCISES
from widgets import grade as grading
from widgets.cells import Cell, code_cells, needed
from widgets.exercise import check
from widgets.grade import Grades, grade
from widgets.grading import process
from widgets.grading.messages import Graded, Status
from widgets.progress import chapter_of

ROOT = Path(__file__).resolve().parents[2]
STUBBORN = """
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass"""


def notebook(folder: Path, *sources: str) -> Path:
    """A notebook of these code cells."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbformat.write(made, folder / "made.ipynb")
    return folder / "made.ipynb"


def solved(chapter: str, folder: Path) -> Path:
    """The chapter's notebook with the reference solutions in its exercise cells."""
    page = (ROOT / "notebooks" / "solutions" / f"{chapter}.py").read_text(encoding="utf-8")
    found = nbformat.read(next(ROOT.glob(f"notebooks/??_{chapter}.ipynb")), as_version=4)
    for cell in found.cells:
        if "exercise" in cell.metadata.get("tags", ()):
            cell.source = page
    nbformat.write(found, folder / "solved.ipynb")
    return folder / "solved.ipynb"


def by_name(grades: Grades) -> dict[str, Graded]:
    return {each.exercise: each for each in grades.exercises}


# Whole notebooks


def test_the_reference_solutions_are_accepted(tmp_path: Path) -> None:
    grades = grade(solved("event_sourcing", tmp_path))
    assert not grades.cells
    assert {(each.chapter, each.status) for each in grades.exercises} == {("event_sourcing", "accepted")}
    assert grades.accepted == len(grades.exercises) == 4
    assert all(each.tried and each.cell for each in grades.exercises)


def test_the_command_grades_an_untouched_notebook_as_not_attempted() -> None:
    command = [sys.executable, "-m", "widgets.grade", "notebooks/08_event_sourcing.ipynb"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    said = json.loads(run.stdout)
    assert [each["exercise"] for each in said["exercises"]] == ["evolve", "decide", "append", "safe_up_to"]
    assert {each["status"] for each in said["exercises"]} == {"not attempted"}
    assert (said["accepted"], said["cells"], run.stderr) == (0, [], "")


def test_each_exercise_is_judged_although_others_raise_or_do_not_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE", 0.3)
    answers = notebook(
        tmp_path,
        "from patterns.event_sourcing.lesson import EXERCISES\n"
        "from patterns.saga.lesson import EXERCISES as SAGA\nfrom widgets.exercise import check\nprint('{')",
        "def evolve(bags, event):\n    return",
        "def decide(bags, command):\n    return 'no",
        f"def append(stored, ids, expected):{STUBBORN}",
        "def safe_up_to(visible, in_flight):\n    while True: pass",
        'display(check(EXERCISES["decide"], decide))\ncheck(EXERCISES["evolve"], evolve)',
        'check(EXERCISES["append"], append)',
        'check(EXERCISES["safe_up_to"], safe_up_to)',
        "import os\ndef compensate_next(after, log): os._exit(3)",
        "%time check(SAGA['compensate_next'], compensate_next)",
    )
    graded = by_name(grades := grade(answers, seconds=1))
    assert {name: (each.status, each.mistake) for name, each in graded.items()} == {
        "evolve": ("not attempted", ""),
        "decide": ("error", ""),
        "append": ("refused", "did not end"),
        "safe_up_to": ("refused", "did not end"),
        "compensate_next": ("refused", ""),
        "what_to_do": ("not attempted", ""),
    }
    assert [each.cell for each in grades.cells] == [3, 6]
    assert "cell 3: SyntaxError" in graded["decide"].failing
    assert "cell 6: NameError" in graded["decide"].failing
    assert graded["compensate_next"].failing == "the process ended with exit code 3"
    assert graded["append"].failing == "no answer after 1 seconds"


def test_a_notebook_is_graded_on_all_exercises_of_its_chapter_and_only_needed_cells_run(tmp_path: Path) -> None:
    answers = notebook(
        tmp_path,
        "from patterns.saga.lesson import EXERCISES\nfrom widgets.exercise import check",
        "open('ran', 'w').close()",
        "easy = EXERCISES['what_to_do']._replace(cases=lambda: [], put=None)\n"
        "check(easy, lambda *all: 'apply')\ncheck(EXERCISES['what_to_do'], lambda *all: 'apply')",
    )
    graded = {(each.chapter, each.exercise): each for each in grade(answers).exercises}
    assert graded["saga", "compensate_next"].status == "not attempted"
    assert graded["saga", "compensate_next"].hint == "No cell of the notebook checks it."
    judged = graded["saga", "what_to_do"]
    assert (judged.status, judged.mistake) == ("refused", "no table"), "an exercise made easy is another exercise"
    assert "the service is asked for" in judged.failing
    assert judged.hint
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.ipynb"], "missing.ipynb cannot be read: No such file"),
        ([str(ROOT / "README.md")], "README.md is not a notebook"),
        (["missing.ipynb", "--seconds", "0"], "seconds is 0; allowed is more than 0"),
        (["missing.ipynb", "--seconds", "nan"], "seconds is nan; allowed is more than 0"),
        ([], "NOTEBOOK"),
    ],
)
def test_a_wrong_argument_is_refused_with_code_2_and_a_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        grading.main(arguments)
    assert exit.value.code == 2
    assert said in capsys.readouterr().err


def test_an_exercise_belongs_to_the_chapter_that_declares_this_very_exercise() -> None:
    exercise = EXERCISES["what_to_do"]
    assert chapter_of(exercise) == "saga"
    assert chapter_of(exercise._replace(cases=lambda: [])) == "own"


# Which cells are needed


def cells(folder: Path, *sources: str) -> list[Cell]:
    return code_cells(notebook(folder, *sources))


@pytest.mark.parametrize(
    ("source", "binds", "uses"),
    [
        ("import a.b, c as d\nfrom e import f", {"a", "d", "f"}, set()),
        ("def g(x):\n    y = x + h\n    return [z + k for z in y]", {"g"}, {"h", "k"}),
        ("def g():\n    global n\n    n = m", {"g", "n"}, {"m"}),
        ("class C(B):\n    size = width", {"C"}, {"B", "width"}),
        ("for i in await runs:\n    pass", {"i"}, {"runs"}),
        ("%time x = y", {"x"}, {"y"}),
        ("%%capture\n%cd x\na = b", {"a"}, {"b", "get_ipython"}),
        ("from e import *", {"*"}, set()),
        ("run.append(3)\ntable[1] = 2\nself.rule = rule", {"run", "table", "self"}, {"run", "table", "self", "rule"}),
    ],
)
def test_a_cell_tells_which_names_it_binds_and_uses(
    source: str, binds: set[str], uses: set[str], tmp_path: Path
) -> None:
    (cell,) = cells(tmp_path, source)
    assert (cell.binds, cell.uses) == (binds, uses)


def test_the_needed_cells_are_those_that_bind_a_name_in_use_later(tmp_path: Path) -> None:
    found = cells(tmp_path, "a = 1", "b = a", "c = 2", "def f(): return b", "f", "f = 3", "d = f(")
    assert [cell.number for cell in needed(found, [found[4]])] == [1, 2, 4, 5]
    assert found[6].problem.startswith("SyntaxError")
    assert found[6].problem.endswith("(line 1)")


def test_of_the_cells_that_give_a_name_a_new_value_only_the_last_is_needed_and_what_changes_it_afterwards(
    tmp_path: Path,
) -> None:
    made = ["from runs import first", "run = first()", "run.step()", "from runs import other\nrun = other()"]
    changed = ["run.step()", "if maybe:\n    run = None", "def look():\n    return run", "look()", "run, last = 1, 2"]
    found = cells(tmp_path, *made, *changed)
    assert [cell.number for cell in needed(found, [found[7]])] == [4, 5, 6, 7, 8]
    assert [cell.number for cell in needed(found, [found[2]])] == [1, 2, 3]


def test_a_call_is_found_by_the_name_of_its_function_and_a_cell_splits_into_statements(tmp_path: Path) -> None:
    direct, through, other = cells(tmp_path, "show(check(1))", "if x:\n    y.check(1)\ny", "check\ncheckers(1)")
    assert [cell.calls("check") for cell in (direct, through, other)] == [True, True, False]
    assert through.statements == ["if x:\n    y.check(1)", "y"]


# The README's examples for other graders

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXERCISE = EXERCISES["compensate_next"]


def example(begins: str) -> str:
    """The Python of the README that begins so."""
    [found] = [each for each in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if each.startswith(begins)]
    return str(found)


def run_nbgrader(attempt: Rule) -> None:
    exec(example("judged = "), {"EXERCISES": EXERCISES, "check": check, "compensate_next": attempt})


def run_otter(attempt: Rule) -> None:
    """With Otter's decorator, which only marks a test."""
    module = ModuleType("otter.test_files")
    module.test_case = lambda: lambda test: test  # type: ignore[attr-defined]
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "otter.test_files", module)
        exec(example("from otter"), names)
    names[f"test_{names['name']}"](attempt)


@pytest.mark.parametrize("run", [run_nbgrader, run_otter])
def test_an_example_for_another_grader_passes_the_solution_and_fails_a_wrong_answer_with_its_hint(
    run: Callable[[Rule], None],
) -> None:
    run(EXERCISE.solution)
    wrong = EXERCISE.mistakes[0]
    with pytest.raises(AssertionError) as failed:
        run(wrong.function)
    assert wrong.hint in str(failed.value)


@pytest.mark.skipif(which("jq") is None, reason="jq is not installed")
@pytest.mark.parametrize(("status", "code"), [("accepted", 0), ("refused", 1)])
def test_the_example_for_a_ci_job_asks_for_all_exercises(status: Status, code: int) -> None:
    """It ends with code 1 unless each exercise is accepted."""
    [(path, filters)] = re.findall(r"`python -m widgets\.grade (\S+) \| jq -e '(.*?)'`", README)
    assert (ROOT / path).is_file()
    exercises = [Graded(name, "saga", each) for name, each in (("one", "accepted"), ("two", status))]
    given = msgspec.json.encode(Grades("made.ipynb", 1, exercises, []))
    assert subprocess.run(["jq", "-e", filters], input=given, capture_output=True, check=False).returncode == code
