"""What the three tasks share: a learner's process class is put into situations alone, and then into small machines.

    @cases.put("P1's client asks.", "What does P1 send?")
    def asks(P1: Alone) -> str:
        return P1.ask("A", Enter()).said

A case is one process, driven by hand. Its answer is one that every right process gives, however it is written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import signature
from types import FrameType
from typing import Any, NamedTuple, Self

from patterns.engine.counterexample import Counterexample
from patterns.engine.dead_ends import Backwards
from patterns.engine.exercise import Answer, Case, Endless, Exercise, Told, mistakes_of
from patterns.engine.explore import INTERRUPTED, Exploration
from patterns.engine.history import History
from patterns.engine.planted import AnyMachine, Looks, Properties, Scripted, planted
from patterns.engine.process import Effects, Process
from patterns.engine.properties import Always, Sometimes
from patterns.engine.script import Script
from patterns.engine.sentences import counted, names
from patterns.engine.simulation import Simulation
from patterns.engine.world import World

AFTER = 24
"""Steps shown after a state from which the end cannot be reached."""
PATIENCE = 400
"""Steps: a right process needs fewer than 100."""
LINES = 20_000
"""Lines of Python that one handler may run: a right one runs fewer than 200."""


class Bounded(Process):
    """A process of a learner. Where a handler notes nothing, the receipt is noted, so that each step has a sentence.

    A handler that runs more than `LINES` lines raises Endless: its loop does not end."""

    def receive(self, sender: str, message: Any) -> None:
        super().receive(sender, message)
        if self._effects is not None and not self._effects.notes:
            self.note("receive", sender=sender, message=str(message))

    def after_start(self, now: int = 0) -> tuple[Self, Effects]:
        with _few_lines():
            return super().after_start(now)

    def after_restart(self, now: int = 0) -> tuple[Self, Effects]:
        with _few_lines():
            return super().after_restart(now)

    def after_message(self, sender: str, message: Any, now: int = 0) -> tuple[Self, Effects]:
        with _few_lines():
            return super().after_message(sender, message, now)

    def after_timer(self, name: str, now: int = 0) -> tuple[Self, Effects]:
        with _few_lines():
            return super().after_timer(name, now)

    def after_request(self, client: str, message: Any, now: int = 0) -> tuple[Self, Effects]:
        with _few_lines():
            return super().after_request(client, message, now)


@contextmanager
def _few_lines() -> Iterator[None]:
    left, outer = LINES, sys.gettrace()

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        left -= event == "line"
        if left < 0:
            raise Endless(f"a handler ran {LINES:,} lines and did not end")
        return count

    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(outer)


class Alone:
    """One process, driven by hand. Each method does what its name says, and gives the same object back."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.sent: list[tuple[str, Any]] = []
        """What the last event made it send: (to, message)."""
        self.ever: list[tuple[str, Any]] = []
        """All that it has sent."""
        self.timers: set[str] = set()
        """The timers that run."""
        self._after(process.after_start())

    def _after(self, moved: tuple[Process, Effects]) -> Self:
        self.process, effects = moved
        self.sent = effects.sends
        self.ever += self.sent
        for name, span in effects.timers.items():
            (self.timers.discard if span is None else self.timers.add)(name)
        return self

    def ask(self, client: str, request: Any) -> Self:
        return self._after(self.process.after_request(client, request))

    def receive(self, sender: str, message: Any) -> Self:
        return self._after(self.process.after_message(sender, message))

    def fire(self, timer: str) -> Self:
        """The timer runs out, if it is set."""
        if timer in self.timers:
            self.timers.discard(timer)
            return self._after(self.process.after_timer(timer))
        self.sent = []
        return self

    def restart(self) -> Self:
        """It crashes and restarts."""
        self.timers.clear()
        return self._after(self.process.crashed().after_restart())

    def messages(self, kind: type) -> list[Any]:
        """The messages of this type that the last event made it send."""
        return [message for _, message in self.sent if isinstance(message, kind)]

    @property
    def said(self) -> str:
        """What it just sent, and to which processes: `Ask to P2 and P3`."""
        return self.listed(lambda message: type(message).__name__)

    @property
    def told(self) -> str:
        """The same, with what stands in the messages."""
        return self.listed(in_words)

    def listed(self, of: Callable[[Any], str]) -> str:
        whats = sorted({of(message) for _, message in self.sent})
        to = {what: sorted(to for to, message in self.sent if of(message) == what) for what in whats}
        return "; ".join(f"{what} to {names(each)}" for what, each in to.items()) or "nothing"


def in_words(message: Any) -> str:
    """The message with the name of its kind: `Heard: fire was new`, `Promise 7`."""
    kind, words = type(message).__name__, str(message)
    return words if words.startswith(kind) else f"{kind}: {words}"


class Situation(NamedTuple):
    """A case: events at one process, and a question about it then."""

    happens: str
    question: str
    answer: Callable[..., str]
    """Its arguments are processes. The name of an argument is the name of the process."""

    def __str__(self) -> str:
        return f"{self.happens} {self.question}"


class Situations:
    """The cases of a task, in the order of its rules."""

    def __init__(self, build: Callable[[type[Any], str], Process]) -> None:
        self.build = build
        self.all: list[Situation] = []

    def put(self, happens: str, question: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
        """The function below gives the answer in this situation."""

        def kept(answer: Callable[..., str]) -> Callable[..., str]:
            self.all.append(Situation(happens, question, answer))
            return answer

        return kept

    def __call__(self) -> Iterator[Case]:
        return ((each,) for each in self.all)

    def ask(self, kind: Any, case: Case) -> str:
        """The answer of a learner's class."""
        function: Callable[..., str] = case[0].answer
        return function(*(Alone(self.build(kind, name)) for name in signature(function).parameters))


def tell(case: Case, right: Any, answer: Answer) -> Told:
    yours = str(answer) if answer.problem else f"gives {answer.value}"
    return Told(str(case[0]), str(right), "is not written yet" if answer.blank else yours)


class Live(NamedTuple):
    """All runs of a small machine: from every state, the end can still be reached without another fault."""

    machine: Simulation
    properties: Properties
    ended: Sometimes
    max_states: int = 100_000

    def run(self, machine: AnyMachine | None = None, /) -> Exploration:
        machine = machine or self.machine
        assert isinstance(machine, Simulation)
        search = Backwards(machine, self.ended.reached, self.max_states, self.properties)
        try:
            search.run()
        except KeyboardInterrupt:
            search.cut_by = INTERRUPTED
        result = search.result()
        if result.cut_by or (stuck := search.dead_end()) is None:
            return result
        at = stuck.step
        for _ in range(AFTER):
            stuck.advance()
        stuck.jump(at)
        reason = f"from here, without another fault, it can never happen that {self.ended.name}"
        return result._replace(counterexample=Counterexample(_never(self.ended), reason, stuck))


def _never(ended: Sometimes) -> Always:
    return Always(f"it can still happen that {ended.name}", lambda world: None)


everyone_answered = Sometimes("every client is answered", lambda world: not any(call.waits for call in world.calls))


def ends_within(most: int) -> Always:
    """The processes do not send for ever: `most` is the number of messages and timers in a whole run."""

    return Always(f"a run has at most {most} messages and timers", lambda world: too_many(world, most))


def too_many(world: World, most: int) -> str | None:
    """What to say if the run has more messages and timers than that; each one counts when it is sent or set."""
    if world.next_id <= most:
        return None
    return f"{counted(world.next_id, 'message')} and timers, and the run goes on: does one cause another for ever?"


def usual_run(machine: Simulation, process: type[Process], ms: int = 400) -> History[World, Any]:
    """A run with this process in the machine: clients ask all that is offered, and `ms` pass. It stands at its start.

    If the process raises an exception, the run ends before that.
    """

    def script(run: Script) -> None:
        run.do(*machine.requests(run.world)).wait(ms)

    return Scripted(machine, script).run(planted(machine, process=process)).history


def task(
    name: str,
    base: type[Process],
    solution: type[Process],
    cases: Situations,
    mistakes: Mapping[str, type[Process]],
    searches: Sequence[Looks],
    shown_by: Mapping[str, Looks] | None = None,
) -> Exercise:
    """The exercise of a task: its machines have a part `process`, which becomes the learner's class."""
    return Exercise(
        name,
        solution,
        cases,
        mistakes_of("patterns.workshop", name, mistakes, shown_by),
        tell,
        ask=cases.ask,
        base=base,
        what="situations of one process",
        put=lambda rule, machine: planted(machine, process=rule),
        searches=searches,
    )
