"""A teacher's report: the progress files of a class as tables.

    python -m widgets.report FOLDER                  # tables in the terminal
    python -m widgets.report FOLDER --csv            # a row for each learner and chapter
    python -m widgets.report FOLDER --csv questions  # a row for each question; so also: --csv mistakes

FOLDER has a file for each learner (`ann.jsonl`) or a folder for each learner with `progress.jsonl` anywhere in it
(`ann/notebooks/progress.jsonl`). Learners hand these files in: nothing sends them. A learner can edit the file, so the
report shows where a class stands. It proves no grade.

An unreadable file or line is named on stderr, and all others count. The exit code is 0 if there was a file
to report on, and 2 for a wrong argument.
"""

from __future__ import annotations

import argparse
import csv
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from widgets.progress import NAME, Line, Standing, questions_in, read, standings

MOST = 10
"""How many of the hardest questions and of the commonest mistakes the terminal shows."""
WIDEST = 48
"""Letters of a question or an answer in the terminal. A CSV file has them all."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would calculate a cell that begins so."""

Row = tuple[Any, ...]


class Worked(NamedTuple):
    """How far a learner is in a chapter that the learner has begun."""

    learner: str
    chapter: str
    answered: int
    right: int
    """First answers that are right."""
    last_question: str
    """`right` or `wrong`; empty if it is not answered."""
    accepted: int
    exercises: int
    attempts: int
    done: str
    """`yes` or `no`."""
    last_worked_on: str


class Asked(NamedTuple):
    """A question, and the first answers of all learners."""

    chapter: str
    question: str
    prompt: str
    answered: int
    right: int
    commonest_wrong: str
    """The wrong option that most learners took; empty if all were right."""


class Mistake(NamedTuple):
    """A usual mistake in an exercise."""

    chapter: str
    exercise: str
    mistake: str
    learners: int
    attempts: int


class Report:
    """The progress of a class: the files below a folder.

    Raises ValueError if the folder does not exist, or has no file of progress.
    """

    def __init__(self, folder: str | Path) -> None:
        root = Path(folder)
        if not root.is_dir():
            raise ValueError(f"{folder} is not a folder")
        self.problems: list[str] = []
        lines = defaultdict[str, list[Line]](list)
        for learner, file in files_in(root):
            kept, shown = read(file), file.relative_to(root)
            lines[learner] += kept.lines
            if kept.problem:
                self.problems.append(f"{shown} cannot be read ({kept.problem})")
            elif kept.unreadable:
                numbers = ", ".join(map(str, kept.unreadable[:MOST])) + ", ..." * (len(kept.unreadable) > MOST)
                rest = "the other lines count" if kept.lines else "no line of the file counts"
                self.problems.append(f"{shown}: unreadable lines: {numbers}; {rest}")
        if not lines:
            raise ValueError(f"{folder} has no progress: it needs a file LEARNER.jsonl or LEARNER/{NAME}")
        self.learners: dict[str, dict[str, Standing]] = {
            learner: {each.chapter: each for each in standings(sorted(lines[learner], key=lambda line: line.moment))}
            for learner in sorted(lines)
        }

    @property
    def chapters(self) -> list[str]:
        """The chapters that anyone has begun, by name."""
        return sorted({chapter for begun in self.learners.values() for chapter in begun})

    @property
    def questions(self) -> list[Asked]:
        """All questions that were answered, the hardest first: those with the smallest share of right first answers."""
        answers = defaultdict[tuple[str, str], list[Any]](list)
        for standing in self._standings():
            for name, answer in standing.answers.items():
                answers[standing.chapter, name].append(answer)
        found = []
        for (chapter, name), given in answers.items():
            wrong = Counter(answer.answer for answer in given if not answer.right)
            commonest = wrong.most_common(1)[0][0] if wrong else ""
            right = sum(answer.right for answer in given)
            found.append(Asked(chapter, name, given[0].prompt, len(given), right, commonest))
        return sorted(found, key=lambda each: (each.right / each.answered, -each.answered, each.chapter, each.question))

    @property
    def mistakes(self) -> list[Mistake]:
        """The usual mistakes that the judges named, first the one that most learners made."""
        made = defaultdict[tuple[str, str, str], list[int]](list)
        for standing in self._standings():
            for name, attempts in standing.exercises.items():
                for mistake, count in Counter(attempts.mistakes).items():
                    made[standing.chapter, name, mistake].append(count)
        found = [Mistake(*key, len(counts), sum(counts)) for key, counts in made.items()]
        return sorted(found, key=lambda each: (-each.learners, -each.attempts, each[:3]))

    def _standings(self) -> Iterator[Standing]:
        return (standing for begun in self.learners.values() for standing in begun.values())

    # in a terminal

    def __str__(self) -> str:
        chapters = self.chapters
        tables: list[tuple[str, list[str], Sequence[Row]]] = [
            (
                "Learners: first answers right / answered, exercises accepted / all, ✓ for a chapter that is done",
                ["learner", *(chapter.replace("_", "\n") for chapter in chapters)],
                [(name, *(_cell(begun.get(chapter)) for chapter in chapters)) for name, begun in self.learners.items()],
            ),
            (
                "What a chapter changed: right answers to its first question and to its last, which has the same form",
                ["chapter", "first", "last"],
                list(self._changes()),
            ),
            (
                "Hardest questions: right first answers, and the wrong answer that most learners gave",
                ["chapter", "question", "right", "asked", "commonest wrong answer"],
                [
                    (each.chapter, each.question, f"{each.right}/{each.answered}", each.prompt, each.commonest_wrong)
                    for each in self.questions[:MOST]
                    if each.right < each.answered
                ],
            ),
            (
                "Commonest mistakes in exercises",
                ["chapter", "exercise", "mistake", "learners", "attempts"],
                self.mistakes[:MOST],
            ),
        ]
        return "\n\n".join(_table(*table) for table in tables if table[2])

    def _changes(self) -> Iterator[Row]:
        for chapter in self.chapters:
            if asked := questions_in(chapter):
                begun = [all_of[chapter].answers for all_of in self.learners.values() if chapter in all_of]
                ends = ([given[name].right for given in begun if name in given] for name in (asked[0], asked[-1]))
                yield chapter, *(f"{sum(right)}/{len(right)}" for right in ends)

    # as CSV

    @property
    def rows(self) -> list[Worked]:
        """A row for each learner and each chapter that the learner has begun."""
        return [
            Worked(
                learner,
                chapter,
                len(each.answers),
                each.right,
                "" if each.post_test is None else "right" if each.post_test.right else "wrong",
                each.accepted,
                each.all_exercises,
                sum(attempts.tries for attempts in each.exercises.values()),
                "yes" if each.done else "no",
                each.last.isoformat(),
            )
            for learner, begun in self.learners.items()
            for chapter, each in begun.items()
        ]


def files_in(root: Path) -> Iterator[tuple[str, Path]]:
    """(learner, file of progress) below a folder; a learner may have several."""
    for file in sorted(root.rglob("*.jsonl")):
        first, *deeper = file.relative_to(root).parts
        if any(part.startswith(".") for part in (first, *deeper)):
            continue
        if not deeper:
            yield (root.resolve().name if first == NAME else file.stem), file
        elif file.name == NAME:
            yield first, file


def _cell(standing: Standing | None) -> str:
    if standing is None:
        return ""
    done = " ✓" if standing.done else ""
    return f"{standing.right}/{len(standing.answers)} {standing.accepted}/{standing.all_exercises}{done}"


def _table(title: str, heads: Sequence[str], rows: Iterable[Row]) -> str:
    """A table for a terminal. A head may have several lines."""
    texts = [[_shown(value) for value in row] for row in rows]
    deep = max(head.count("\n") for head in heads)
    padded = [[""] * (deep - head.count("\n")) + head.split("\n") for head in heads]
    lines = [*map(list, zip(*padded, strict=True)), *texts]
    wide = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["─" * size for size in wide]
    lines.insert(deep + 1, rule)
    body = ("  ".join(text.ljust(size) for text, size in zip(line, wide, strict=True)).rstrip() for line in lines)
    return "\n".join([title, "", *body])


def _shown(value: Any) -> str:
    """A value in one line of a terminal. The files come from others, and may have anything in them."""
    text = _printable(str(value))
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def _write_csv(heads: Sequence[str], rows: Iterable[Row]) -> None:
    """The heads stand there also if there is no row."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(heads)
    for row in rows:
        writer.writerow(f"'{value}" if str(value).startswith(FORMULA) else value for value in row)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: see the top of this page."""
    parser = argparse.ArgumentParser("python -m widgets.report", description="The progress of a class, as tables.")
    parser.add_argument("folder", metavar="FOLDER", help=f"has files LEARNER.jsonl, or folders LEARNER with {NAME}")
    kinds = ("learners", "questions", "mistakes")
    parser.add_argument("--csv", nargs="?", const="learners", choices=kinds, help="CSV of: %(choices)s")
    given = parser.parse_args(arguments)
    try:
        report = Report(given.folder)
    except ValueError as refused:
        parser.error(str(refused))
    for problem in report.problems:
        print(_printable(problem), file=sys.stderr)
    if given.csv == "learners":
        _write_csv(Worked._fields, report.rows)
    elif given.csv == "questions":
        _write_csv(Asked._fields, report.questions)
    elif given.csv == "mistakes":
        _write_csv(Mistake._fields, report.mistakes)
    else:
        print(report)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it in silence
    main()
