"""A learner's progress: answers and attempts in one readable file beside the notebooks, which is never sent anywhere.

    progress()      # a table by chapter: predictions, exercises, the last question
    done()          # {"saga", "sharding"}: the exercises are accepted, and the last question is answered
    keep(False)     # switch it off for this folder; keep() switches it on again
    forget()        # delete the file

The file `progress.jsonl` stands in the current directory, which is the folder of the notebook. Each answer and each
attempt is a line of JSON at the end of the file. Two kernels may write at the same time, and a damaged line leaves the
other lines whole. Only a learner at work adds lines. A script adds none. A notebook that is run by nbmake, nbconvert or
nbgrader adds none either.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from patterns.engine.params import refuse
from patterns.engine.sentences import counted
from widgets.question import Option, Question, questions_of
from widgets.results import Rows

if TYPE_CHECKING:
    from patterns.engine.exercise import Exercise, Verdict

try:
    from fcntl import LOCK_EX, flock
except ImportError:  # Windows has no such module; in a web page the module has no locks
    HAS_LOCKS = False
else:
    HAS_LOCKS = True

NAME = "progress.jsonl"
OWN = "own"
"""The chapter of a question or an exercise that a notebook defines by itself."""
HERE = Path()
_unsaid = True  # that the file cannot be written, is said once


# Lines


class _Line(msgspec.Struct, frozen=True, tag_field="what"):
    when: datetime

    @property
    def moment(self) -> datetime:
        """`when`, in UTC if the file says no time zone."""
        return self.when if self.when.tzinfo else self.when.replace(tzinfo=UTC)


class Predicted(_Line, frozen=True, tag="predicted"):
    """An option that the learner took."""

    chapter: str
    question: str
    """The name of the question in its chapter."""
    prompt: str
    answer: str
    right: bool


Outcome = Literal["accepted", "refused", "undecided"]


class Tried(_Line, frozen=True, tag="tried"):
    """An attempt at an exercise, with the judge's verdict."""

    chapter: str
    exercise: str
    verdict: Outcome
    mistake: str = ""
    """The name of the usual mistake, if the judge recognised one."""


class Switched(_Line, frozen=True, tag="switched"):
    """From here on answers and attempts are kept, or are not kept."""

    on: bool


Line = Predicted | Tried | Switched
_decoder = msgspec.json.Decoder(Line)


class Kept(NamedTuple):
    """What a file of progress has."""

    lines: tuple[Line, ...] = ()
    unreadable: tuple[int, ...] = ()
    """The numbers of damaged lines, from 1. They stay in the file and count for nothing."""
    problem: str = ""
    """Why the file cannot be read, if it is there and cannot."""

    @property
    def on(self) -> bool:
        """Whether new lines are kept."""
        return next((line.on for line in reversed(self.lines) if isinstance(line, Switched)), True)


def read(file: Path) -> Kept:
    """The lines of a file of progress; if the file is missing or unreadable, no lines."""
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return Kept()
    except OSError as problem:
        return Kept(problem=problem.strerror or str(problem))
    lines, unreadable = list[Line](), list[int]()
    for number, line in enumerate(text.splitlines(), 1):
        try:
            lines.append(_decoder.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            if line.strip():
                unreadable.append(number)
    return Kept(tuple(lines), tuple(unreadable))


def write(file: Path, line: Line) -> None:
    """Add a line at the end of a file of progress. Raises OSError."""
    with file.open("ab+") as open_file:
        if HAS_LOCKS:
            with suppress(OSError):  # some network drives have no locks
                flock(open_file, LOCK_EX)
        if end := open_file.seek(0, os.SEEK_END):
            open_file.seek(end - 1)
        torn = bool(end) and open_file.read(1) != b"\n"  # a kernel was killed, or the disk was full
        open_file.write(b"\n" * torn + msgspec.json.encode(line) + b"\n")


# What adds lines


def predicted(question: Question, option: Option) -> None:
    """Keep the option that the learner took."""
    name, chapter = question.name or question.prompt, question.chapter or OWN
    _add(Predicted(_now(), chapter, name, question.prompt, option.text, option.right))


def tried(exercise: Exercise, verdict: Verdict) -> None:
    """Keep the verdict on an attempt at an exercise; nothing if it was not attempted."""
    if verdict.attempted:
        said: Outcome = "accepted" if verdict.accepted else "undecided" if verdict.undecided else "refused"
        _add(Tried(_now(), chapter_of(exercise), exercise.name, said, verdict.mistake))


def chapter_of(exercise: Exercise) -> str:
    """The chapter that declares this very exercise; `own` for one that a notebook makes, also from a chapter's."""
    package, _, module = getattr(exercise.solution, "__module__", "").partition(".")
    chapter = module.partition(".")[0]
    declared = exercises_in(chapter).get(exercise.name) if package == "patterns" else None
    return chapter if declared is exercise else OWN


def learner_at_work() -> bool:
    """Whether the kernel works for a person: on a click, or on a cell of a front end that could ask for input.

    nbclient, which runs notebooks for nbmake, nbconvert and nbgrader, says that nobody can answer.
    """
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    kernel: Any = getattr(get_ipython(), "kernel", None)
    if not hasattr(kernel, "get_parent"):
        return False
    request = kernel.get_parent() or {}  # without an argument: JupyterLite's kernel takes none
    kind, content = request.get("header", {}).get("msg_type"), request.get("content", {})
    return kind == "comm_msg" or bool(kind == "execute_request" and content.get("allow_stdin"))


def _add(line: Line) -> None:
    if not learner_at_work():
        return
    global _unsaid
    file = (HERE / NAME).absolute()
    try:
        if isinstance(line, Switched) or read(file).on:
            write(file, line)
    except OSError as problem:
        if _unsaid:
            print(f"Your progress is not kept: {file} cannot be written ({problem.strerror}). Everything else works.")
        _unsaid = False


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


# What a learner asks for


def keep(on: bool = True) -> None:
    """Keep progress in this folder, or with `keep(False)` stop keeping it, in each notebook of the folder.

    Raises OSError if the file cannot be written, ParameterError for anything but True and False.
    """
    if not isinstance(on, bool):
        refuse("on", on, "True or False")
    write(HERE / NAME, Switched(_now(), on))


def forget() -> None:
    """Delete the progress kept in this folder. If it is switched off, it stays off: one line says so.

    Raises OSError if the file cannot be deleted.
    """
    file = HERE / NAME
    on = read(file).on
    file.unlink(missing_ok=True)
    if not on:
        keep(False)


def done(folder: str | Path = HERE) -> set[str]:
    """The chapters that are done: each exercise is accepted, and the last question is answered, right or not."""
    return {standing.chapter for standing in standings(read(Path(folder) / NAME).lines) if standing.done}


def progress(folder: str | Path = HERE) -> Progress:
    """The progress kept in this folder, as a table by chapter."""
    return Progress(Path(folder) / NAME)


# What the lines come to


class Attempts(msgspec.Struct):
    """What came of an exercise so far."""

    tries: int = 0
    """Attempts up to the first accepted one."""
    accepted: bool = False
    mistakes: list[str] = []
    """The usual mistakes that the judge named, one for each such attempt."""

    def add(self, line: Tried) -> None:
        if self.accepted:
            return
        self.tries += 1
        self.accepted = line.verdict == "accepted"
        if line.mistake:
            self.mistakes.append(line.mistake)


class Standing(msgspec.Struct):
    """How far a learner is in a chapter."""

    chapter: str
    answers: dict[str, Predicted] = {}
    """Question -> the first answer."""
    exercises: dict[str, Attempts] = {}
    last: datetime = datetime.min.replace(tzinfo=UTC)

    def add(self, line: Predicted | Tried) -> None:
        self.last = max(self.last, line.moment)
        if isinstance(line, Predicted):
            self.answers.setdefault(line.question, line)
        else:
            self.exercises.setdefault(line.exercise, Attempts()).add(line)

    @property
    def right(self) -> int:
        """How many first answers are right."""
        return sum(answer.right for answer in self.answers.values())

    @property
    def accepted(self) -> int:
        return sum(attempts.accepted for attempts in self.exercises.values())

    @property
    def all_exercises(self) -> int:
        """How many exercises the chapter has; of a notebook's own exercises those that were attempted."""
        return len(exercises_in(self.chapter) or self.exercises)

    @property
    def post_test(self) -> Predicted | None:
        """The first answer to the last question of the chapter, which has the form of its first question."""
        asked = questions_in(self.chapter)
        return self.answers.get(asked[-1]) if asked else None

    @property
    def done(self) -> bool:
        """Whether all exercises are accepted, and the last question is answered, if the chapter asks any."""
        if questions_in(self.chapter) and self.post_test is None:
            return False
        accepted = {name for name, attempts in self.exercises.items() if attempts.accepted}
        declared = exercises_in(self.chapter).keys()
        return bool(declared) and accepted >= declared


def standings(lines: Iterable[Line]) -> list[Standing]:
    """How far a learner is in each chapter, in the order of the first line of each."""
    found = dict[str, Standing]()
    for line in lines:
        if not isinstance(line, Switched):
            found.setdefault(line.chapter, Standing(line.chapter)).add(line)
    return list(found.values())


@cache
def chapters() -> tuple[str, ...]:
    """The names of the chapters that there are."""
    return tuple(each.name for each in iter_modules(import_module("widgets.chapters").__path__) if each.ispkg)


@cache
def exercises_in(chapter: str) -> Mapping[str, Exercise]:
    """The exercises of a chapter, or of the workshop's tasks, by name; none of an unknown chapter."""
    if all(each.name != chapter for each in iter_modules(import_module("patterns").__path__) if each.ispkg):
        return {}
    lesson = f"patterns.{chapter}.lesson"
    declared = import_module(lesson if find_spec(lesson) else f"patterns.{chapter}")
    found: Mapping[str, Exercise] = getattr(declared, "EXERCISES", {})
    return found


@cache
def questions_in(chapter: str) -> tuple[str, ...]:
    """The names of a chapter's questions, in the order in which they are asked; none of an unknown chapter."""
    if chapter not in chapters():
        return ()
    return tuple(questions_of(f"widgets.chapters.{chapter}"))


class Progress:
    """A file of progress as a table by chapter."""

    def __init__(self, file: Path) -> None:
        self.file, self.kept = file, read(file)
        self.chapters = standings(self.kept.lines)

    @property
    def remarks(self) -> list[str]:
        """Sentences below the table: nothing is kept yet, progress is switched off, a line is damaged."""
        nothing = "Nothing is kept yet: no question is answered, and no exercise is attempted."
        said = [] if self.chapters or self.kept.problem else [nothing]
        if self.kept.problem:
            said.append(f"{self.file} cannot be read ({self.kept.problem}).")
        elif not os.access(self.file if self.file.exists() else self.file.parent, os.W_OK):
            said.append(f"{self.file} cannot be written: new answers are not kept.")
        if not self.kept.on:
            said.append("Progress is switched off: keep() switches it on.")
        if damaged := self.kept.unreadable:
            numbers = ", ".join(map(str, damaged))
            one = len(damaged) == 1
            said.append(
                f"{self.file.name}: {counted(len(damaged), 'line')} ({numbers}) cannot be read. "
                f"{'It stays' if one else 'They stay'} in the file, and all other lines count."
            )
        return said

    @property
    def table(self) -> Rows:
        """A row for each chapter that was begun."""
        heads = ("chapter", "first answers right", "exercises accepted", "last question", "last worked on", "done")
        return Rows(heads, map(_row, self.chapters))

    def _repr_markdown_(self) -> str:
        return "\n\n".join([*([self.table._repr_markdown_()] if self.chapters else []), *self.remarks])

    def __repr__(self) -> str:
        return "\n".join([*([repr(self.table)] if self.chapters else []), *self.remarks])


def _row(each: Standing) -> tuple[str, ...]:
    asked, post = questions_in(each.chapter), each.post_test
    answers = f"{each.right} of {len(each.answers)}"
    if len(asked) > len(each.answers):
        answers += f"; {len(asked) - len(each.answers)} not answered yet"
    return (
        each.chapter.replace("_", " "),
        answers,
        f"{each.accepted} of {each.all_exercises}" if each.all_exercises else "",
        "" if not asked else "not answered yet" if post is None else "right" if post.right else "wrong",
        f"{each.last.astimezone():%Y-%m-%d}",
        "✓" if each.done else "",
    )
