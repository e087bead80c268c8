"""A teacher sees where a class stands from the learners' files, whatever these files have in them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from widgets import report
from widgets.chapters.saga import questions as ask
from widgets.progress import NAME, Line, Predicted, Tried, write
from widgets.question import Question
from widgets.report import Mistake, Report

START = datetime(2026, 3, 1, tzinfo=UTC)


def answered(question: Question, option: int, minute: int = 0) -> Predicted:
    taken, when = question.options[option], START + timedelta(minutes=minute)
    return Predicted(when, "saga", question.name, question.prompt, taken.text, taken.right)


def tried(mistake: str, minute: int = 0) -> Tried:
    verdict = "refused" if mistake else "accepted"
    return Tried(START + timedelta(minutes=minute), "saga", "what_to_do", verdict, mistake)  # type: ignore[arg-type]


def hand_in(file: Path, *lines: Line) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    for line in lines:
        write(file, line)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A class of three: Ann has two files, in two folders; Ben and Chen have one each."""
    hand_in(tmp_path / "ann" / "week 1" / NAME, answered(ask.TAKEN_BACK, 0, 5), tried("undoes twice", 6))
    hand_in(tmp_path / "ann" / "week 0" / NAME, answered(ask.TAKEN_BACK, 1, 1))
    hand_in(tmp_path / "ben.jsonl", answered(ask.TAKEN_BACK, 0), tried("undoes twice"), tried("undoes twice"))
    hand_in(tmp_path / "ben.jsonl", answered(ask.SEAT, 0), tried(""))
    hand_in(tmp_path / "chen" / NAME, answered(ask.TAKEN_BACK, 0), tried("after its compensation"))
    return tmp_path


def test_a_learner_is_a_file_or_a_folder_and_the_earliest_answer_of_all_files_counts(folder: Path) -> None:
    (folder / ".trash").mkdir()
    hand_in(folder / ".trash" / NAME, answered(ask.SEAT, 0))
    found = Report(folder)
    assert list(found.learners) == ["ann", "ben", "chen"]
    assert found.learners["ann"]["saga"].answers["TAKEN_BACK"].right


def test_the_hardest_question_comes_first_with_the_commonest_wrong_answer(folder: Path) -> None:
    hardest, second = Report(folder).questions
    wrong = {hardest.question: hardest.commonest_wrong, second.question: second.commonest_wrong}
    assert (hardest.question, hardest.right, hardest.answered) == ("SEAT", int(ask.SEAT.options[0].right), 1)
    assert (second.question, second.right, second.answered) == ("TAKEN_BACK", 1, 3)
    assert wrong["TAKEN_BACK"] == ask.TAKEN_BACK.options[0].text


def test_a_mistake_of_more_learners_comes_first(folder: Path) -> None:
    assert Report(folder).mistakes == [
        Mistake("saga", "what_to_do", "undoes twice", learners=2, attempts=3),
        Mistake("saga", "what_to_do", "after its compensation", learners=1, attempts=1),
    ]


def test_the_terminal_has_a_row_for_each_learner_and_one_for_each_chapter(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report.main([str(folder)])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["ann", "1/1", "0/2"] in lines
    assert ["ben", f"{int(ask.SEAT.options[0].right)}/2", "1/2"] in lines
    assert ["saga", "1/3", f"{int(ask.SEAT.options[0].right)}/1"] in lines, "the first question, and the last"


def test_the_csv_has_a_row_for_each_learner_and_chapter(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report.main([str(folder), "--csv"])
    ann, ben, _ = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (ann["learner"], ann["chapter"], ann["answered"], ann["right"]) == ("ann", "saga", "1", "1")
    assert (ben["accepted"], ben["exercises"], ben["attempts"], ben["done"]) == ("1", "2", "3", "no")
    report.main([str(folder), "--csv", "mistakes"])
    assert next(csv.DictReader(io.StringIO(capsys.readouterr().out)))["mistake"] == "undoes twice"


@pytest.mark.parametrize(
    ("table", "first", "rows"), [("learners", "learner", 1), ("questions", "chapter", 1), ("mistakes", "chapter", 0)]
)
def test_a_csv_has_its_heads_also_where_there_is_no_row(
    table: str, first: str, rows: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(tmp_path / "ann.jsonl", answered(ask.SEAT, 0))
    report.main([str(tmp_path), "--csv", table])
    heads, *others = csv.reader(io.StringIO(capsys.readouterr().out))
    assert (heads[0], len(others)) == (first, rows)
    assert all(len(each) == len(heads) for each in others)


def test_a_damaged_file_is_named_and_the_others_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "dora.jsonl").write_bytes(b"\xff\n{}\n")
    (folder / "eve.jsonl").mkdir()
    with (folder / "ben.jsonl").open("ab") as file:
        file.write(b'{"what":"pred')
    report.main([str(folder)])
    said = capsys.readouterr()
    assert "ben.jsonl: unreadable lines: 6; the other lines count" in said.err
    assert "dora.jsonl: unreadable lines: 1, 2; no line of the file counts" in said.err
    assert "eve.jsonl cannot be read" in said.err
    assert "ann " in said.out


def test_a_file_cannot_write_into_the_terminal_or_calculate_in_a_spreadsheet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = Predicted(START, "=cmd", "\x1b[2J", "?\n", "@SUM(A1)", False)
    hand_in(tmp_path / "eve.jsonl", evil)
    report.main([str(tmp_path)])
    assert "\x1b" not in capsys.readouterr().out
    report.main([str(tmp_path), "--csv", "questions"])
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["chapter"], row["commonest_wrong"]) == ("'=cmd", "'@SUM(A1)")


@pytest.mark.parametrize(
    ("arguments", "said"), [(["missing"], "missing is not a folder"), (["."], ". has no progress: it needs a file")]
)
def test_a_folder_without_progress_is_refused_with_code_2_and_a_sentence(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit:
        report.main(arguments)
    assert exit.value.code == 2
    assert said in capsys.readouterr().err
