"""A run as a script: usual steps until something happens, and in between what the script says.

run = Script(TwoPhaseCommit())
run.ask("A").until(fired("C.commit")).crash("C").lose(Commit, to="P2").until(blocked).restart("C").finish()
run.at(fired("C.commit")).history
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from .choices import is_lost
from .history import History
from .machine import Machine, NotEnabled
from .milestones import Reached, find, messages
from .simulation import Simulation
from .step import Step
from .world import (
    Crash,
    Cut,
    Delay,
    Deliver,
    Drop,
    Duplicate,
    Fire,
    Heal,
    Pause,
    Request,
    Restart,
    Resume,
    Timer,
    agenda,
)

LONG = 2_000
"""Steps: more than any scripted run has."""


class Unreached(RuntimeError):
    """A script asks for something that cannot happen where its run stands."""


class Script:
    """Writes the history of a machine. Every method returns the script, and raises Unreached if it cannot be done."""

    def __init__(self, machine: Machine[Any, Any]) -> None:
        self.history: History[Any, Any] = History(machine)

    @property
    def step(self) -> Step[Any, Any]:
        """Where the run stands."""
        return self.history.step

    @property
    def world(self) -> Any:
        """The state where the run stands."""
        return self.history.state

    def do(self, *events: Any) -> Self:
        """These events happen, one after the other."""
        for event in events:
            try:
                self.history.apply(event)
            except NotEnabled as problem:
                raise self._unreached(f"{event!r} cannot happen: {problem}") from problem
        return self

    # what usually happens

    def advance(self, steps: int = 1) -> Self:
        """The usual next steps happen."""
        for _ in range(steps):
            if self.history.advance() is None:
                raise self._unreached("nothing is left to happen")
        return self

    def until(self, reached: Reached, bound: int = LONG) -> Self:
        """Usual steps happen until a new step is reached."""
        if self.history.run_until(lambda step: bool(reached(step)), bound) is None:
            raise self._unreached(f"what the run should reach does not happen within {bound:,} steps")
        return self

    def wait(self, ms: int) -> Self:
        """All that is due within this time happens; a paused process does nothing."""
        end = self.world.clock + ms
        while (due := next(self._due(), None)) is not None and due <= end:
            self.advance()
        return self

    def _due(self) -> Iterator[int]:
        for item in agenda(self.world):
            if (item.process if isinstance(item, Timer) else item.to) not in self.world.paused:
                yield item.due

    def settle(self, bound: int = LONG) -> Self:
        """All messages on their way arrive, or are lost where the link is cut or the receiver is down. No timer fires.

        A receiver that is paused gets its messages all the same: resume it first.
        """
        for _ in range(bound):
            if not self.world.packets:
                return self
            packet = self.world.packets[0]
            self.do(Drop(packet.id) if is_lost(self.world, packet) else Deliver(packet.id))
        raise self._unreached(f"after {bound:,} steps messages are still on their way")

    def finish(self, bound: int = LONG, late: Mapping[str, int] | None = None) -> Self:
        """Usual steps happen until nothing is left to happen. Each message to a process of `late` takes so many ms
        longer."""
        slowed: set[int] = set()
        for _ in range(bound):
            for packet in self.world.packets if late else ():
                if late and late.get(packet.to) and packet.id not in slowed:
                    slowed.add(packet.id)
                    self.do(Delay(packet.id, late[packet.to]))
            if self.history.advance() is None:
                return self
        raise self._unreached(f"the run does not end within {bound:,} steps")

    # clients and timers

    def ask(self, client: str, body: Any = None, to: str = "") -> Self:
        """A client makes the first request offered that fits: with this body, or of this type, to this process.

        A body for a process may be one that is not offered.
        """
        machine = self.history.machine
        assert isinstance(machine, Simulation)
        for request in machine.requests(self.world):
            fits = body is None or (isinstance(request.body, body) if isinstance(body, type) else request.body == body)
            if fits and request.client == client and to in ("", request.to):
                return self.do(request)
        if body is None or isinstance(body, type) or not to:
            raise self._unreached(f"no such request of {client} is offered")
        return self.do(Request(client, to, body))

    def fire(self, process: str, timer: str) -> Self:
        """A timer fires now."""
        return self.do(Fire(process, timer))

    # messages: of this type, this sender, this receiver, with these fields; what is left out can be any

    def deliver(self, kind: type | None = None, sender: str = "", to: str = "", **fields: Any) -> Self:
        """Such a message arrives: the one that was sent first."""
        return self.do(Deliver(self._packets(kind, sender, to, fields)[0]))

    def overtake(self, kind: type | None = None, sender: str = "", to: str = "", **fields: Any) -> Self:
        """Such a message arrives: the one that was sent last."""
        return self.do(Deliver(self._packets(kind, sender, to, fields)[-1]))

    def duplicate(self, kind: type | None = None, sender: str = "", to: str = "", **fields: Any) -> Self:
        """The first such message is on its way twice."""
        return self.do(Duplicate(self._packets(kind, sender, to, fields)[0]))

    def delay(self, ms: int, kind: type | None = None, sender: str = "", to: str = "", **fields: Any) -> Self:
        """The first such message takes so much longer."""
        return self.do(Delay(self._packets(kind, sender, to, fields)[0], ms))

    def lose(self, kind: type | None = None, sender: str = "", to: str = "", **fields: Any) -> Self:
        """All such messages are lost; there may be none."""
        return self.do(*[Drop(packet.id) for packet in messages(self.world, kind, sender, to, **fields)])

    def _packets(self, kind: type | None, sender: str, to: str, fields: Mapping[str, Any]) -> list[int]:
        found = [packet.id for packet in messages(self.world, kind, sender, to, **fields)]
        if not found:
            what = "message" if kind is None else kind.__name__
            like = "".join(f", {name} {value!r}" for name, value in fields.items())
            raise self._unreached(f"no {what} from {sender or 'anyone'} to {to or 'anyone'}{like} is on its way")
        return found

    # processes and links

    def crash(self, *names: str) -> Self:
        return self.do(*map(Crash, names))

    def restart(self, *names: str) -> Self:
        return self.do(*map(Restart, names))

    def pause(self, *names: str) -> Self:
        return self.do(*map(Pause, names))

    def resume(self, *names: str) -> Self:
        return self.do(*map(Resume, names))

    def cut_off(self, *names: str) -> Self:
        """Cut all links between these processes and the others."""
        return self.do(Cut(names, tuple(name for name in self.world.names if name not in names)))

    def cut(self, a: str | tuple[str, ...], b: str | tuple[str, ...], one_way: bool = False) -> Self:
        """Cut the links between two processes or groups; `one_way` only those from `a` to `b`."""
        return self.do(Cut(_group(a), _group(b), one_way))

    def heal(self) -> Self:
        return self.do(Heal())

    # where the history stands

    def at(self, where: Reached | Step[Any, Any] | Literal["start", "end"]) -> Self:
        """Stand at the first step of this branch that is reached, at this step, at the start or at the end."""
        step = find(self.history, where) if callable(where) else self._ends(where)
        if step is None:
            raise self._unreached("no step of the run is the one to stand at")
        self.history.jump(step)
        return self

    def _ends(self, where: Step[Any, Any] | Literal["start", "end"]) -> Step[Any, Any]:
        if isinstance(where, Step):
            return where
        return self.history.branch[0 if where == "start" else -1]

    def _unreached(self, problem: str) -> Unreached:
        return Unreached(f"{problem}; {type(self.history.machine).__name__} stands at {self.step!r}")


def _group(side: str | tuple[str, ...]) -> tuple[str, ...]:
    return (side,) if isinstance(side, str) else side
