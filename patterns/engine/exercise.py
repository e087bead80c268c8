"""A learner's own code is tried, never trusted, and answered in words instead of a traceback.

An exercise declares a solution, cases, the usual mistakes with their hints, and small machines in which the learner's
rule is put. From that follow the judge, the card in a notebook, the tests and the page of solutions.

    EXERCISES = {"decide": Exercise("decide", decide_solution, decide_cases, DECIDE_MISTAKES, tell_decision, ...)}
    EXERCISES["decide"].judge(my_decide)        # a Verdict

A learner may also write a whole class, such as a process. The exercise then names its `base`, and says by `ask` how a
case is put to the class.

An exercise that is not attempted yet is no failure: its notebook stays green. Code is accepted only if all cases are
right and every search looked at every run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from inspect import signature
from typing import Any, NamedTuple

from .answers import LONGEST_TEXT, brief, cut, kind_of, odd_number, other_type, same_answer
from .answers import Answer as Answer  # what an exercise tells
from .answers import answer_of as answer_of
from .answers import equal as equal
from .counterexample import FAILS, Counterexample
from .counterexample import Endless as Endless  # what a case may raise
from .explore import INTERRUPTED, Exploration
from .history import History
from .planted import AnyMachine, Looks, RandomWorlds, Scripted
from .properties import NoFailure
from .random_worlds import RandomRuns
from .sentences import page_of

Case = tuple[Any, ...]
"""The arguments of one call. They are immutable, so that no try can spoil the next."""
Rule = Callable[..., Any]
"""A function that a learner writes, or a class."""

BY_HAND = "Try this case by hand, and compare each step with what your code does."
ENDLESS = "A loop does not end: say what gets smaller, or nearer, in each round, and whether it does in this case."
NOTHING = "In this case your function gives nothing. Does each of its branches return an answer?"
UNWRITTEN = "In this case your class comes to a method that is not written yet: it raises NotImplementedError."
STOPPED = "you stopped the judge before it had tried everything."
ERRORS = {
    "KeyError": "Your code asks a dictionary for a key that it does not have. `.get(key, 0)` gives 0 for such a key.",
    "IndexError": "Your code reads past the end of a list. Compare the index with the length of the list in this case.",
    "ZeroDivisionError": "Your code divides by 0. Find the value that is 0 in this case, and decide about it first.",
    "TypeError": "Your code does something that Python cannot do with these values. The error names their types.",
}
"""What to think about after an exception, by its name."""
ERRORS_OF_A_CLASS = {
    "AttributeError": "A field of a process needs its type, such as `acks: int = 0`. Compare the names, too.",
    "TypeError": "The error says what is wrong. A field holds values that never change: a tuple, a frozenset. "
    "Each message needs a handler, with `@on(...)` above it.",
}
"""The same, after an exception in a learner's class."""
TELLING = 300
"""Wrong cases, the smallest: enough to tell one mistake from another."""
SHOWING = 2_000
"""States: where a case is wrong already, a search only looks for a short run that shows it."""


class Told(NamedTuple):
    """A case that fails, in words. If an exercise gives only `case`, the judge adds both answers."""

    case: str
    expected: str = ""
    yours: str = ""
    """It begins with a verb: `gives 3`, `stops with IndexError`."""

    @property
    def asked(self) -> str:
        return f"The case: {self.case}{'' if self.case.endswith(('.', '?')) else '.'}"

    def __str__(self) -> str:
        answers = [f"Expected: {self.expected}."] * bool(self.expected) + [f"Yours {self.yours}."] * bool(self.yours)
        return " ".join([self.asked, *answers])


class Verdict(NamedTuple):
    """What came of trying a learner's code."""

    accepted: bool
    attempted: bool = True
    tried: int = 0
    """How many cases were tried."""
    what: str = "cases"
    """What `tried` counts, in the plural."""
    searches: int = 0
    """How many machines were searched, every run of each."""
    states: int = 0
    """How many states they have."""
    runs: int = 0
    """How many random runs of larger machines were looked at."""
    hint: str = ""
    """What to think about next: tied to the mistake where it is recognised. With `accepted`, a remark."""
    mistake: str = ""
    """The name of the recognised usual mistake; empty if the answer fits none of them."""
    told: Told | None = None
    """The smallest case that fails, in words."""
    then: str = ""
    """In words: the promise that a run breaks, or an event that happens in no run."""
    undecided: str = ""
    """Why nothing is decided: what cut a search short. Nothing wrong was found before that."""
    history: History[Any, Any] | None = None
    """A run that shows it, to be opened in the player; the cursor stands where it matters."""
    right: AnyMachine | None = None
    """The machine of that run with the right rule in it."""

    def __bool__(self) -> bool:
        return self.accepted

    @property
    def failing(self) -> str:
        """The smallest case that fails, and the promise that a run breaks, in a line; empty if nothing fails."""
        return " ".join(filter(None, [str(self.told or ""), self.then]))

    @property
    def looked_at(self) -> str:
        """The things tried, in words. The verdict claims no more."""
        machines = "a small machine" if self.searches == 1 else f"{self.searches} small machines"
        runs = f", and in every run of {machines}: {self.states:,} states" if self.searches else ""
        runs += f"; and in {self.runs:,} random runs of a larger machine" if self.runs else ""
        return f"right in all {self.tried:,} {self.what} tried{runs}"

    @property
    def headline(self) -> str:
        """The verdict in a line."""
        if not self.attempted:
            return "Not attempted yet."
        if self.accepted:
            return f"Accepted: {self.looked_at}."
        return f"Not decided: {self.undecided}" if self.undecided else f"Not yet: {self.failing}"

    def __str__(self) -> str:
        return "\n".join(line for line in (self.headline, self.hint) if line)


class Mistake(NamedTuple):
    """A usual mistake: a function that makes it, and the hint for a learner who makes it too."""

    name: str
    hint: str
    function: Rule
    shown_by: Looks | None = None
    """Where a short run shows what the mistake leads to: the search of a planted bug, a scripted run."""


def mistakes_of(
    package: str,
    exercise: str,
    rules: Mapping[str, Rule | Sequence[Rule]],
    shown_by: Mapping[str, Looks] | None = None,
    page: str = "mistakes.toml",
) -> tuple[Mistake, ...]:
    """The usual mistakes of an exercise: `rules` has the functions that make each, the page in the package its hint.

    A page in another language has the same mistakes.
    """
    hints, shown_by = page_of(package, page)[exercise], shown_by or {}
    return tuple(
        Mistake(name, hints[name], rule, shown_by.get(name))
        for name, given in rules.items()
        for rule in ([given] if callable(given) else given)
    )


class Exercise(NamedTuple):
    """A function that a learner writes, and all that is needed to judge it."""

    name: str
    """The name of the function."""
    solution: Rule
    cases: Callable[[], Iterable[Case]]
    """Smallest first."""
    mistakes: Sequence[Mistake] = ()
    """Of two that answer alike in all that is wrong, the first is named."""
    tell: Callable[[Case, Any, Answer], Told] | None = None
    """`tell(case, right, answer)`: a failing case in words. None: the arguments by their names."""
    same: Callable[[Any, Any], bool] = equal
    """`same(right, given)`: whether an answer is right."""
    alike: Callable[[Any, Any], bool] = equal
    """`alike(one, other)`: whether two wrong answers come of the same mistake; lists in another order may."""
    right: Rule | None = None
    """What `same` compares with, where it is more than the solution's answer: all the answers that are right."""
    prepare: Callable[[Case], Case] = lambda case: case
    """The arguments of one call, where they are more than the case: a sequence that counts looks, a dictionary."""
    ask: Callable[[Rule, Case], Any] = lambda rule, case: rule(*case)
    """`ask(rule, case)`: what the learner's code answers, where a case is more than the arguments of one call."""
    base: type | None = None
    """The class that the learner's class extends; None if the learner writes a function."""
    what: str = "cases"
    show: Callable[[Case], History[Any, Any] | None] = lambda case: None
    """A run of a failing case, for the player."""
    put: Callable[[Rule, AnyMachine], AnyMachine] | None = None
    """The machine with the learner's rule in it: `lambda rule, machine: planted(machine, storage=checking(rule))`."""
    searches: Sequence[Looks] = ()
    """Every run of these machines is looked at, with the rule put in. Of scripted and random runs, some are."""
    otherwise: Scripted | None = None
    """What to show, with the rule put in, where a case is wrong and no search finds a run that goes wrong."""
    advise: Callable[[Case, Any], str] = lambda case, given: BY_HAND
    """`advise(case, given)`: what to think about after a wrong answer that no usual mistake gives."""
    remark: Callable[[Rule], str] = lambda rule: ""
    """What to say of a rule that is accepted."""

    def judge(self, rule: Rule) -> Verdict:
        """Try a learner's function on the cases, then in every run of the machines. An interruption ends it."""
        if self.base and not (isinstance(rule, type) and issubclass(rule, self.base)):
            hint = f"Give the class itself: its name, without calling it. The class must extend `{self.base.__name__}`."
            return Verdict(False, hint=hint, told=Told(f"you gave {brief(rule)}"))
        if not callable(rule):
            hint = "Give the function itself: its name, without calling it."
            return Verdict(False, hint=hint, told=Told(f"you gave {brief(rule)}"))
        try:
            return self._judged(rule)
        except KeyboardInterrupt:
            return Verdict(False, undecided=STOPPED)

    def _judged(self, rule: Rule) -> Verdict:
        verdict, mistake, endless = self._tried(rule)
        if verdict.attempted and not endless and self.put is not None:
            verdict = self._searched(rule, verdict, mistake)
        return verdict._replace(hint=self.remark(rule)) if verdict.accepted else verdict

    def _tried(self, rule: Rule) -> tuple[Verdict, Mistake | None, bool]:
        """The verdict on the cases, the mistake that is recognised, and whether a call did not end."""
        cases, answers = list(self.cases()), list[Answer]()
        for case in cases:
            answers.append(self._made(rule, case))
            if answers[-1].endless:
                break  # one is enough
        if all(answer.blank for answer in answers):
            hint = "Write the methods of your class above, and run both cells again." if self.base else ""
            return Verdict(False, attempted=False, hint=hint), None, False
        told = [self.ask(self.solution, self.prepare(case)) for case in cases[: len(answers)]]
        right = [self.right(*case) for case in cases[: len(answers)]] if self.right else told
        wrong = [at for at, answer in enumerate(answers) if not self._agrees(right[at], told[at], answer)]
        if not wrong:
            return Verdict(True, tried=len(cases), what=self.what), None, False
        first, some = wrong[0], wrong[:TELLING]
        fine = [at for at in range(len(answers)) if at not in {*wrong}][:TELLING]
        mistake = self._recognised(
            [(cases[at], answers[at]) for at in some], [(cases[at], right[at], told[at]) for at in fine]
        )
        verdict = Verdict(
            accepted=False,
            tried=len(answers),
            what=self.what,
            hint=mistake.hint if mistake else self._hint(cases[first], told[first], answers[first]),
            mistake=mistake.name if mistake else "",
            told=self._words(cases[first], right[first], answers[first]),
            history=self.show(cases[first]),
        )
        return verdict, mistake, answers[-1].endless

    def _hint(self, case: Case, right: Any, answer: Answer) -> str:
        """What to think about after a wrong answer that no usual mistake gives."""
        if answer.endless:
            return ENDLESS
        if answer.blank:
            return UNWRITTEN if self.base else NOTHING
        if answer.problem:
            errors = {**ERRORS, **ERRORS_OF_A_CLASS} if self.base else ERRORS
            return errors.get(answer.problem.partition(":")[0], BY_HAND)
        other = other_type(right, answer.value)
        if other is None:
            return self.advise(case, answer.value)
        wanted, given = other
        return f"Your function gives {brief(given)}, which is {kind_of(given)}. Its answer must be {kind_of(wanted)}."

    def _words(self, case: Case, right: Any, answer: Answer) -> Told:
        told = Told(", ".join(map("{} is {!r}".format, signature(self.solution).parameters, case)))
        if self.tell:
            with suppress(*FAILS):  # of a value in the answer, when it is compared or shown
                told = self.tell(case, right, answer)
        every = (told.case, told.expected or repr(right), told.yours or str(answer))
        return Told(*(cut(words, 3 * LONGEST_TEXT) for words in every))

    def _agrees(self, right: Any, told: Any, answer: Answer) -> bool:
        if answer.problem or answer.blank:
            return False
        try:
            return self.same(right, answer.value) and not odd_number(told, answer.value)
        except FAILS:
            return False

    def _recognised(
        self, wrong: Sequence[tuple[Case, Answer]], fine: Sequence[tuple[Case, Any, Any]]
    ) -> Mistake | None:
        """The mistake behind the first wrong answer, which is shown; of several the one behind most of the others.

        A mistake that errs where the learner does not is another one.
        """
        best, most = None, 0
        for mistake in self.mistakes:
            made = partial(self._made, mistake.function)
            alike = [same_answer(made(case), answer, self.alike) for case, answer in wrong]
            more = alike[0] and sum(alike) > most
            if more and all(self._agrees(right, told, made(case)) for case, right, told in fine):
                best, most = mistake, sum(alike)
        return best

    def _made(self, rule: Rule, case: Case) -> Answer:
        prepared = self.prepare(case)
        return answer_of(lambda: self.ask(rule, prepared), ())

    def _searched(self, rule: Rule, verdict: Verdict, mistake: Mistake | None) -> Verdict:
        """The verdict on the cases, with what all runs of the machines say: what goes wrong, in a shortest run."""
        first = [mistake.shown_by] if mistake and mistake.shown_by else []
        searches = self.searches if verdict.accepted else _shorter(self.searches)
        undecided = ""
        for look in (*first, *searches):
            found = look.run(self._with(rule, look.machine))
            if found.counterexample is not None:
                return _in_a_run(verdict, found.counterexample)._replace(right=self._right(look.machine))
            if isinstance(found, Exploration):
                if found.complete_within and found.never:
                    then = f"In {found.states:,} states it never happens that {found.never[0]}."
                    return self._refused(rule, verdict, then)
                if not found.complete:
                    undecided = undecided or found.cut_by or "a bound (`within`)"
                verdict = verdict._replace(searches=verdict.searches + 1, states=verdict.states + found.states)
            elif isinstance(found, RandomRuns):
                undecided = undecided or found.cut_by
                verdict = verdict._replace(runs=verdict.runs + found.runs)
            # after an interruption no further search, nor a run that shows what is wrong
            if getattr(found, "cut_by", "") == INTERRUPTED:
                break
        if not verdict.accepted and undecided != INTERRUPTED:
            return self._refused(rule, verdict)
        if undecided:
            if not verdict.accepted:
                return verdict
            why = f"nothing wrong was found, but {undecided} cut a search short after {verdict.states:,} states."
            return verdict._replace(accepted=False, undecided=why)
        return verdict

    def _refused(self, rule: Rule, verdict: Verdict, then: str = "") -> Verdict:
        history, right = verdict.history, None
        if self.otherwise is not None:
            history = self.otherwise.run(self._with(rule, self.otherwise.machine)).history
            right = self._right(self.otherwise.machine)
        return verdict._replace(accepted=False, then=then, history=history, right=right)

    def _right(self, machine: AnyMachine) -> AnyMachine | None:
        """The machine with the right rule in it. A learner's class may have other fields: it has no right twin."""
        return None if self.base else self._with(self.solution, machine)

    def _with(self, rule: Rule, machine: AnyMachine) -> AnyMachine:
        assert self.put is not None
        return self.put(rule, machine)


def _shorter(looks: Iterable[Any]) -> list[Looks]:
    """Searches that end soon. Random runs are left out: they are long, and show little."""
    short = [look for look in looks if not isinstance(look, RandomWorlds)]
    return [
        look._replace(max_states=min(look.max_states, SHOWING)) if hasattr(look, "max_states") else look
        for look in short
    ]


def _in_a_run(verdict: Verdict, broken: Counterexample) -> Verdict:
    known = isinstance(broken.property, NoFailure) and verdict.told
    then = "" if known else f"In a run: {broken.reason}."
    return verdict._replace(accepted=False, then=then, history=broken.history)
