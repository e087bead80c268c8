"""A learner's progress is kept in a file beside the notebooks, for the learner alone, and nothing of it is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from patterns.engine.exercise import Verdict
from patterns.engine.params import ParameterError
from patterns.saga.lesson import EXERCISES
from widgets import play, progress
from widgets.chapters.saga import questions as ask
from widgets.exercise import check, predict
from widgets.question import Option, Question

ACCEPTED, REFUSED = Verdict(True), Verdict(False, mistake="never")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a learner is at work."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress, "learner_at_work", lambda: True)
    return tmp_path


def answer(question: Question, *, right: bool) -> None:
    progress.predicted(question, next(option for option in question.options if option.right is right))


def kept(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / progress.NAME).read_text(encoding="utf-8").splitlines()]


def only(folder: Path) -> progress.Standing:
    (standing,) = progress.standings(progress.read(folder / progress.NAME).lines)
    return standing


# What is kept


def test_an_option_taken_by_its_button_is_kept_with_its_chapter(folder: Path) -> None:
    predict(ask.TAKEN_BACK).taken = 1
    (line,) = kept(folder)
    assert (line["chapter"], line["question"], line["right"]) == ("saga", "TAKEN_BACK", True)
    assert line["answer"] == ask.TAKEN_BACK.options[1].text


def test_an_option_taken_in_the_player_is_kept(folder: Path) -> None:
    from patterns.saga.lesson import GALLERY

    player = play(next(iter(GALLERY.values()))(), ask={1: ask.SEEN, 2: ask.LOCKED})
    player.answers = {"1": 0}
    player.answers = {"1": 0, "2": 1}
    assert [line["question"] for line in kept(folder)] == ["SEEN", "LOCKED"]


def test_an_attempt_is_kept_with_the_mistake_that_the_judge_names(folder: Path) -> None:
    check(EXERCISES["what_to_do"], lambda table, saga, step, undo: "apply")
    (line,) = kept(folder)
    assert (line["chapter"], line["exercise"], line["verdict"]) == ("saga", "what_to_do", "refused")
    assert line["mistake"] in {mistake.name for mistake in EXERCISES["what_to_do"].mistakes}


def test_an_exercise_that_is_not_attempted_leaves_no_file(folder: Path) -> None:
    check(EXERCISES["what_to_do"], lambda table, saga, step, undo: ...)
    assert not list(folder.iterdir())


def test_the_first_answer_counts_and_later_ones_are_kept(folder: Path) -> None:
    answer(ask.SEAT, right=False)
    answer(ask.SEAT, right=True)
    assert len(kept(folder)) == 2
    assert only(folder).right == 0


def test_tries_count_up_to_the_first_accepted_one(folder: Path) -> None:
    for verdict in (REFUSED, REFUSED, ACCEPTED, REFUSED):
        progress.tried(EXERCISES["what_to_do"], verdict)
    attempts = only(folder).exercises["what_to_do"]
    assert (attempts.tries, attempts.accepted, attempts.mistakes) == (3, True, ["never", "never"])


def test_a_chapter_is_done_when_its_exercises_are_accepted_and_its_last_question_is_answered(folder: Path) -> None:
    for exercise in EXERCISES.values():
        progress.tried(exercise, ACCEPTED)
    assert progress.done() == set()
    answer(ask.SEAT, right=False)
    assert progress.done() == {"saga"}
    assert progress.done(folder / "elsewhere") == set()


def test_a_question_and_an_exercise_of_a_notebook_are_kept_in_a_chapter_of_its_own(folder: Path) -> None:
    answer(Question("Is it?", (Option("yes", "", right=True), Option("no", ""))), right=True)
    (line,) = kept(folder)
    assert (line["chapter"], line["question"]) == ("own", "Is it?")
    progress.tried(EXERCISES["what_to_do"]._replace(solution=lambda *all: "apply"), ACCEPTED)
    assert only(folder).accepted == 1
    assert progress.done() == set()


def test_an_exercise_made_easy_does_not_count_as_the_chapters(folder: Path) -> None:
    answer(ask.SEAT, right=True)
    for exercise in EXERCISES.values():
        progress.tried(exercise._replace(cases=lambda: [], put=None), ACCEPTED)
    assert [line["chapter"] for line in kept(folder)] == ["saga", "own", "own"]
    assert progress.done() == set()


@pytest.mark.parametrize("chapter", ["own", "engine", "glossary", "os", "..", ""])
def test_a_name_that_is_no_chapter_has_neither_exercises_nor_questions(chapter: str) -> None:
    assert not progress.exercises_in(chapter)
    assert not progress.questions_in(chapter)


@pytest.mark.parametrize("chapter", progress.chapters())
def test_every_chapter_names_its_exercises_and_its_last_question(chapter: str) -> None:
    exercises = progress.exercises_in(chapter).values()
    assert {progress.chapter_of(each) for each in exercises} == {chapter}
    found = [path for path in Path(__file__).parents[2].glob("notebooks/*.ipynb") if path.stem.endswith(chapter)]
    notebook = found[0].read_text(encoding="utf-8")
    asked = [name for name in progress.questions_in(chapter) if f"ask.{name})" in notebook]
    assert max(asked, key=lambda name: notebook.rindex(f"ask.{name})")) == progress.questions_in(chapter)[-1]


# For the learner alone


def test_a_script_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answer(ask.SEAT, right=True)
    assert not list(tmp_path.iterdir())


class JupyterLiteKernel:
    """As pyodide-kernel 0.8.6 has it."""

    def __init__(self, message: str, **content: bool) -> None:
        self.request = {"header": {"msg_type": message}, "content": content}

    def get_parent(self) -> dict[str, Any]:
        return self.request


@pytest.mark.parametrize(
    ("kernel", "at_work"),
    [
        (JupyterLiteKernel("comm_msg"), True),
        (JupyterLiteKernel("execute_request", allow_stdin=True), True),
        (JupyterLiteKernel("execute_request", allow_stdin=False), False),
        (JupyterLiteKernel("kernel_info_request"), False),
        (object(), False),
    ],
)
def test_a_learner_is_at_work_in_jupyterlite_too(kernel: Any, at_work: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: SimpleNamespace(kernel=kernel))
    assert progress.learner_at_work() is at_work


CELL = """
from widgets.chapters.saga import questions as ask
from widgets.exercise import predict
guess = predict(ask.SEAT)
guess.taken = 0
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    home = tmp_path_factory.mktemp("home")
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(home), env=os.environ | {"IPYTHONDIR": str(home)})
    yield client, home
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_kernel_keeps_the_cells_and_clicks_of_a_person_and_no_cell_that_a_program_runs(
    kernel: tuple[Any, Path],
) -> None:
    client, home = kernel
    client.execute_interactive(CELL, allow_stdin=False, timeout=60, output_hook=lambda message: None)
    assert not (home / progress.NAME).exists(), "nbclient sends its cells so"
    client.execute_interactive(CELL, allow_stdin=True, timeout=60, output_hook=lambda message: None)
    assert len(kept(home)) == 1
    shown = client.execute("print(guess.model_id)", allow_stdin=False)
    model = next(text for text in printed(client, shown))
    state = {"method": "update", "state": {"taken": 1}, "buffer_paths": []}
    clicked = client.session.msg("comm_msg", {"comm_id": model, "data": state})
    client.shell_channel.send(clicked)
    list(printed(client, clicked["header"]["msg_id"]))
    assert [line["answer"] for line in kept(home)] == [ask.SEAT.options[at].text for at in (0, 1)]


def printed(client: Any, request: str) -> Iterator[str]:
    """What a request prints, until the kernel has done it."""
    while True:
        try:
            message = client.get_iopub_msg(timeout=60)
        except Empty:
            pytest.fail("the kernel does not answer")
        if message["parent_header"].get("msg_id") == request:
            if message["msg_type"] == "stream":
                yield message["content"]["text"].strip()
            if message["content"].get("execution_state") == "idle":
                return


def test_a_learner_switches_it_off_and_on_and_deletes_it(folder: Path) -> None:
    answer(ask.SEAT, right=True)
    progress.keep(False)
    answer(ask.TAKEN_BACK, right=True)
    assert list(only(folder).answers) == ["SEAT"]
    progress.forget()
    answer(ask.TAKEN_BACK, right=True)
    assert not progress.progress().chapters, "it stays off"
    progress.keep()
    answer(ask.TAKEN_BACK, right=True)
    assert list(only(folder).answers) == ["TAKEN_BACK"]
    progress.forget()
    assert not list(folder.iterdir())


@pytest.mark.parametrize("on", ["off", "on", 0, 1, None])
def test_a_switch_that_is_neither_true_nor_false_is_refused_and_writes_nothing(on: Any, folder: Path) -> None:
    with pytest.raises(ParameterError, match=f"on is {on!r}; allowed is True or False"):
        progress.keep(on)
    assert not list(folder.iterdir())


# Nothing is lost


def write_many(file: Path, name: str) -> None:
    for number in range(200):
        answered = datetime(2026, 1, 1, tzinfo=UTC)
        progress.write(file, progress.Predicted(answered, "saga", f"{name}{number}", "A?", "yes" * 500, True))


def test_two_kernels_that_write_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    file, context = tmp_path / progress.NAME, get_context("fork")
    kernels = [context.Process(target=write_many, args=(file, name)) for name in "AB"]
    for each in kernels:
        each.start()
    for each in kernels:
        each.join()
    found = progress.read(file)
    assert not found.unreadable
    assert len(only(tmp_path).answers) == 400


def test_damaged_lines_stay_in_the_file_and_are_named_and_all_others_count(folder: Path) -> None:
    file = folder / progress.NAME
    answer(ask.SEAT, right=True)
    whole = file.read_bytes()
    file.write_bytes(b"\xff\x00 no text\n" + b'{"what":"predicted"}\n' + b"[" * 100_000 + b"\n" + whole + whole[:40])
    answer(ask.TAKEN_BACK, right=True)
    assert progress.read(file).unreadable == (1, 2, 3, 5)
    assert list(only(folder).answers) == ["SEAT", "TAKEN_BACK"]
    assert whole[:40] + b"\n" in file.read_bytes()
    assert "4 lines (1, 2, 3, 5) cannot be read" in repr(progress.progress())


def test_a_file_that_cannot_be_written_is_said_once(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_unsaid", True)
    (folder / progress.NAME).mkdir()  # as root one may write into a read-only folder
    answer(ask.SEAT, right=True)
    answer(ask.TAKEN_BACK, right=True)
    said = capsys.readouterr().out
    assert said.count("Your progress is not kept") == 1
    assert str(folder / progress.NAME) in said
    assert "cannot be read" in repr(progress.progress())
    assert progress.done() == set()


# What is shown


def test_the_table_has_a_row_for_each_chapter_that_was_begun(folder: Path) -> None:
    answer(ask.TAKEN_BACK, right=True)
    answer(ask.SEAT, right=False)
    progress.tried(EXERCISES["what_to_do"], ACCEPTED)
    shown = progress.progress()
    (row,) = shown.table.rows
    others = len(progress.questions_in("saga")) - 2
    assert row[:4] == ("saga", f"1 of 2; {others} not answered yet", "1 of 2", "wrong")
    assert "| saga |" in shown._repr_markdown_()
    assert repr(shown).splitlines()[1].startswith("saga ")


def test_an_empty_folder_has_no_table_and_a_sentence(folder: Path) -> None:
    assert repr(progress.progress()).startswith("Nothing is kept yet")
    assert "|" not in progress.progress()._repr_markdown_()
    assert not list(folder.iterdir())


@pytest.mark.parametrize("module", ["None", "types.ModuleType('fcntl')"], ids=["no module", "a module without locks"])
def test_a_line_is_kept_where_python_cannot_lock_a_file(module: str, tmp_path: Path) -> None:
    """Windows has no `fcntl`. Pyodide has one without `flock`."""
    code = (
        f"import sys, types; sys.modules['fcntl'] = {module}; "
        "from datetime import UTC, datetime; from pathlib import Path; from widgets import progress; "
        "progress.write(Path('kept'), progress.Predicted(datetime.now(UTC), 'saga', 'LOST', 'A?', 'yes', True))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert len((tmp_path / "kept").read_text("utf-8").splitlines()) == 1
