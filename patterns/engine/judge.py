"""What is made of a learner's own code: tried, never trusted, and answered in words instead of a traceback.

A function is tried on cases beside a reference (`judge`); a subclass of a machine is searched exhaustively
(`judge_machine`). Both give a `Verdict`. An exercise that is not attempted yet is no failure: its notebook stays green.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from .counterexample import FAILS, Counterexample
from .explore import explore
from .history import History
from .machine import Machine
from .properties import Property, Sometimes

Case = tuple[Any, ...]
"""The arguments of one call. They are immutable, so that no try can spoil the next."""


class Verdict(NamedTuple):
    """What came of trying a learner's code."""

    accepted: bool
    attempted: bool = True
    tried: int = 0
    """How many cases, or states of a machine, were tried."""
    hint: str = ""
    """What to think about next: tied to the mistake where it is recognised. With `accepted`, a remark."""
    mistake: str = ""
    """The name of the recognised usual mistake; empty when it is none of them."""
    failing: str = ""
    """The smallest case that fails, in words."""
    history: History[Any, Any] | None = None
    """A run that shows it, to be opened in the player; the cursor stands where it matters."""
    what: str = "cases"
    """What `tried` counts, in the plural."""

    def __bool__(self) -> bool:
        return self.accepted

    @property
    def headline(self) -> str:
        """The verdict in a line."""
        if not self.attempted:
            return "Not attempted yet."
        if self.accepted:
            return f"Accepted: right in all {self.tried:,} {self.what} tried."
        return f"Not yet: {self.failing}"

    def __str__(self) -> str:
        return "\n".join(line for line in (self.headline, self.hint) if line)


def not_attempted(what_to_do: str = "") -> Verdict:
    """The verdict on an exercise as it was given."""
    return Verdict(accepted=False, attempted=False, hint=what_to_do)


class Answer(NamedTuple):
    """What a call gave: a value, or an exception in words."""

    value: Any = None
    problem: str = ""
    """The exception, as `IndexError: list index out of range`; empty when there was none."""
    blank: bool = False
    """The exercise as it was given: it raises NotImplementedError, or returns None or `...`."""

    @property
    def endless(self) -> bool:
        return self.problem.startswith(("Endless", "an interruption"))

    def __str__(self) -> str:
        return f"stops with {self.problem}" if self.problem else f"gives {self.value!r}"


BY_HAND = "Try this case by hand, and compare each step with what your code does."
ENDLESS = "A loop does not end: say what gets smaller, or nearer, in each round, and whether it does in this case."


class Endless(Exception):
    """A call did far more work than the task needs: most likely its loop does not end."""


def answer_of(function: Callable[..., Any], case: Case) -> Answer:
    """Call a learner's function. Whatever it raises becomes an answer, an interrupted endless loop too."""
    try:
        value = function(*case)
    except NotImplementedError:
        return Answer(blank=True)
    except KeyboardInterrupt:
        return Answer(problem="an interruption: does its loop end?")
    except FAILS as problem:
        return Answer(problem=f"{type(problem).__name__}: {problem}".rstrip(": "))
    return Answer(value, blank=value is None or value is ...)


class Mistake(NamedTuple):
    """A usual mistake: a function that makes it, and the hint for who makes it too."""

    name: str
    hint: str
    function: Callable[..., Any]


def judge(
    function: Callable[..., Any],
    reference: Callable[..., Any],
    cases: Iterable[Case],
    *,
    tell: Callable[[Case, Any, Answer], str],
    mistakes: Sequence[Mistake] = (),
    show: Callable[[Case], History[Any, Any] | None] = lambda case: None,
    prepare: Callable[[Case], Case] = lambda case: case,
    what: str = "cases",
    same: Callable[[Any, Any], bool] = lambda right, given: bool(right == given),
) -> Verdict:
    """Try `function` on `cases`, smallest first, against `reference`.

    `tell(case, right, answer)` puts a failing case in words, and `show(case)` may give a run of it for the player.
    `prepare(case)` gives the arguments of one call, where they are more than the case: a sequence that counts looks.
    A mistake is recognised by what it does: the one of `mistakes` whose answers are the learner's, right and wrong.
    """
    if not callable(function):
        return Verdict(False, hint="Give the function itself: its name, without calling it.", failing=f"{function!r}")
    cases = list(cases)
    answers: list[Answer] = []
    for case in cases:
        answers.append(answer_of(function, prepare(case)))
        if answers[-1].endless:
            break  # one is enough
    if all(answer.blank for answer in answers):
        return not_attempted()
    right = [reference(*case) for case in cases[: len(answers)]]
    wrong = [at for at, answer in enumerate(answers) if not _agrees(right[at], answer, same)]
    if not wrong:
        return Verdict(True, tried=len(cases), what=what)
    first = wrong[0]
    some = wrong[:300]  # the smallest: enough to tell one mistake from another
    mistake = _recognised(mistakes, [cases[at] for at in some], [answers[at] for at in some], prepare)
    return Verdict(
        accepted=False,
        tried=len(answers),
        hint=mistake.hint if mistake else ENDLESS if answers[first].endless else BY_HAND,
        mistake=mistake.name if mistake else "",
        failing=tell(cases[first], right[first], answers[first]),
        history=show(cases[first]),
        what=what,
    )


def _agrees(right: Any, answer: Answer, same: Callable[[Any, Any], bool]) -> bool:
    if answer.problem or answer.blank:
        return False
    try:
        return same(right, answer.value)
    except Exception:
        return False


def _recognised(
    mistakes: Sequence[Mistake], cases: Sequence[Case], answers: Sequence[Answer], prepare: Callable[[Case], Case]
) -> Mistake | None:
    """The mistake that gives most of the learner's wrong answers, if it gives nine of ten."""
    best, most = None, 0.9
    for mistake in mistakes:
        made = [answer_of(mistake.function, prepare(case)) for case in cases]
        alike = sum(map(_alike, made, answers)) / len(cases)
        if alike >= most and (best is None or alike > most):
            best, most = mistake, alike
    return best


def _alike(one: Answer, other: Answer) -> bool:
    if one.problem or other.problem:  # the kind of exception tells a mistake; its wording differs
        return one.problem.partition(":")[0] == other.problem.partition(":")[0]
    try:
        return one.blank == other.blank and bool(one.value == other.value)
    except Exception:
        return False


def judge_machine(
    machine: Machine[Any, Any],
    properties: Iterable[Property | Sometimes] | None = None,
    *,
    hint: Callable[[Counterexample], str] = lambda found: "",
    max_states: int = 100_000,
) -> Verdict:
    """Search every run of a learner's machine; its verdict has the shortest run that breaks a property.

    A handler that raises NotImplementedError is not attempted yet. `hint` says what to think about for what was found.
    """
    found = explore(machine, properties, max_states=max_states)
    if found.holds:
        return Verdict(True, tried=found.states, what="states")
    if found.counterexample is None:
        failing = f"in all {found.states:,} states it never happens: {found.never[0]}" if found.never else str(found)
        return Verdict(False, tried=found.states, failing=failing, what="states")
    broken = found.counterexample
    if "NotImplementedError" in broken.reason:
        return not_attempted()
    failing = f"{broken.property.name} does not hold: {broken.reason}"
    return Verdict(False, True, found.states, hint(broken), "", failing, broken.history, "states")
