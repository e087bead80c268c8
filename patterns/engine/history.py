"""A history: a tree of steps with a cursor. Going back is moving the cursor; what-if is a branch; nothing is lost."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Generic

import msgspec

from .arguments import require_function, require_instance, require_whole
from .machine import Machine
from .params import refuse
from .step import E, S, Step

Depth = Annotated[int, msgspec.Meta(ge=0)]
Row = Annotated[int, msgspec.Meta(ge=1)]
LONGEST = 100_000
"""Steps that a replay code may stand for."""
LONGEST_CODE = 1 << 16
"""Characters that a replay code may have."""
LONGEST_ITEMS = 1 << 20
"""Bytes that a replay code may unpack to."""


class ReplayError(ValueError):
    """A replay code that has a fault; the message names the fault."""


class History(Generic[S, E]):
    """Every step taken of one machine, and where we stand."""

    def __init__(self, machine: Machine[S, E]) -> None:
        """Begins at the machine's start. Raises ParameterError unless `machine` is a Machine."""
        require_instance("machine", machine, Machine)
        self.machine = machine
        root: Step[S, E] = Step(0, 0, None, None, machine.start(), ())
        self.steps = [root]
        self._later: dict[int, list[Step[S, E]]] = {}  # children that are not the very next step, by parent
        self._path = [root]  # the current branch, root to leaf
        self._at = 0  # the cursor: an index into it

    # where we stand

    @property
    def step(self) -> Step[S, E]:
        return self._path[self._at]

    @property
    def state(self) -> S:
        return self._path[self._at].state

    @property
    def path(self) -> list[Step[S, E]]:
        """The steps from the root to the cursor."""
        return self._path[: self._at + 1]

    @property
    def branch(self) -> list[Step[S, E]]:
        """The steps of the current branch, from the root past the cursor to its leaf."""
        return list(self._path)

    @property
    def leaves(self) -> list[Step[S, E]]:
        """The last step of every branch, oldest branch first."""
        return [step for step in self.steps if not self.children(step)]

    def children(self, step: Step[S, E]) -> tuple[Step[S, E], ...]:
        """The steps that were taken from this one, oldest first."""
        following = self.steps[step.number + 1 : step.number + 2]
        first = [each for each in following if each.parent is step]
        return (*first, *self._later.get(step.number, ()))

    # taking steps

    def apply(self, event: E) -> Step[S, E]:
        """Let `event` happen now. Where it already happened in this place, that branch is followed instead.

        Raises NotEnabled when it cannot happen; the history is then as it was.
        """
        here = self._path[self._at]
        last = self.steps[-1]
        if here is not last:
            for child in self.children(here):
                if child.event == event:
                    return self.jump(child)
        state, notes = self.machine.apply(here.state, event)
        number, depth = last.number + 1, here.depth + 1
        # with one branch the two are equal, and one number is kept for both
        step = Step(number, number if depth == number else depth, here, event, state, notes)
        if here is not last:
            self._later.setdefault(here.number, []).append(step)
        self.steps.append(step)
        self._at += 1
        if self._at < len(self._path):
            del self._path[self._at :]
        self._path.append(step)
        return step

    def advance(self) -> Step[S, E] | None:
        """Let the usual next thing happen; None, and no step, when nothing happens by itself."""
        event = self.machine.usual(self._path[self._at].state)
        return None if event is None else self.apply(event)

    def run(self, events: Iterable[E]) -> Step[S, E]:
        """Apply the events in turn. At the first that cannot happen it raises NotEnabled; those before it happened."""
        if not isinstance(events, Iterable):
            refuse("events", events, "a list of events")
        for event in events:
            self.apply(event)
        return self.step

    def run_until(self, reached: Callable[[Step[S, E]], bool], bound: int) -> Step[S, E] | None:
        """Let usual things happen until a new step is `reached`; None when `bound` steps or a standstill came first."""
        require_function("reached", reached)
        require_whole("bound", bound)
        for _ in range(bound):
            step = self.advance()
            if step is None:
                return None
            if reached(step):
                return step
        return None

    # moving about

    def jump(self, to: Step[S, E] | int) -> Step[S, E]:
        """Put the cursor on a step, given itself or by number. The branch through it becomes the current one."""
        if not isinstance(to, Step | int):
            raise TypeError(f"to is {to!r}; allowed is a step of this history, or its number")
        number = to if isinstance(to, int) else to.number
        if not 0 <= number < len(self.steps):
            raise IndexError(f"step {number} does not exist: this history has steps 0 to {len(self.steps) - 1}")
        step = self.steps[number]
        if not isinstance(to, int) and step is not to:
            raise ValueError(f"{to!r} belongs to another history")
        if step.depth >= len(self._path) or self._path[step.depth] is not step:
            self._path = step.path
            while children := self.children(self._path[-1]):
                self._path.append(children[0])
        self._at = step.depth
        return step

    def back(self, steps: int = 1) -> Step[S, E]:
        """Go back; at the start, stay. Raises ParameterError unless `steps` is a whole number, at least 0."""
        require_whole("steps", steps, least=0)
        self._at = max(0, self._at - steps)
        return self.step

    def forward(self, steps: int = 1) -> Step[S, E]:
        """Go forward along the current branch; at its end, stay. Raises ParameterError as `back` does."""
        require_whole("steps", steps, least=0)
        self._at = min(len(self._path) - 1, self._at + steps)
        return self.step

    # replay codes: name : base64url(deflate(msgpack([params, items]))) : crc32 of all before [@ depth of the cursor]
    # An item is an event, or a number: that many usual events in a row.

    @property
    def code(self) -> str:
        """One short line that rebuilds the current branch, with the cursor: pattern, parameters, seed, events."""
        return self.code_of(self._path[-1]) + ("" if self._at == len(self._path) - 1 else f"@{self._at}")

    def code_of(self, leaf: Step[S, E]) -> str:
        """The replay code of the run from the root to `leaf`."""
        require_instance("leaf", leaf, Step)
        items: list[Any] = []
        for step in leaf.path[1:]:
            assert step.parent is not None
            if step.event != self.machine.usual(step.parent.state):
                items.append(step.event)
            elif items and isinstance(items[-1], int):
                items[-1] += 1
            else:
                items.append(1)
        packed = zlib.compress(msgspec.msgpack.encode([self.machine.params, items]), 9, wbits=-15)
        body = f"{self.machine.name}:{urlsafe_b64encode(packed).decode().rstrip('=')}"
        return f"{body}:{zlib.crc32(body.encode()):08x}"

    @classmethod
    def replay(cls, machine: Machine[S, E], code: str) -> History[S, E]:
        """The history that `code` stands for, on `machine` with the code's parameters.

        Raises ReplayError when the code is damaged, is of another pattern, or names events that cannot happen.
        """
        require_instance("machine", machine, Machine)
        require_instance("code", code, str)
        if len(code) > LONGEST_CODE:
            raise ReplayError(f"the replay code has {len(code):,} characters; allowed is up to {LONGEST_CODE:,}")
        code, _, at = code.strip().partition("@")
        body, _, crc = code.rpartition(":")
        name, _, payload = body.partition(":")
        if f"{zlib.crc32(body.encode()):08x}" != crc:
            raise ReplayError("the replay code is damaged: its check sum does not agree; copy the whole line again")
        if name != machine.name:
            raise ReplayError(f"this replay code is of {name!r}; it cannot be replayed in {machine.name!r}")
        try:
            packed = urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
            unpacking = zlib.decompressobj(wbits=-15)
            unpacked = unpacking.decompress(packed, LONGEST_ITEMS)
            if unpacking.unconsumed_tail:
                raise ReplayError(f"the replay code unpacks to more than {LONGEST_ITEMS:,} bytes")
            form = tuple[dict[str, Any], list[Row | machine.events]]  # type: ignore[name-defined]
            params, items = msgspec.msgpack.decode(unpacked, type=form)
            if (named := sum(item if isinstance(item, int) else 1 for item in items)) > LONGEST:
                raise ReplayError(f"the replay code names {named:,} steps; allowed is up to {LONGEST:,}")
            history = cls(machine.again(**params))
            for item in items:
                if not isinstance(item, int):
                    history.apply(item)
                    continue
                for _ in range(item):
                    if history.advance() is None:
                        raise ReplayError(f"nothing is left to happen after step {history.step.depth}")
            depth = msgspec.convert(at, Depth, strict=False) if at else history.step.depth
        except ReplayError:
            raise
        except Exception as problem:  # of a decoder, of the parameters, or of a handler of this machine
            raise ReplayError(f"the replay code cannot be replayed in this {machine.name!r}: {problem}") from problem
        if depth > history.step.depth:
            raise ReplayError(f"the replay code ends at step {history.step.depth}; it has no step {at}")
        history.jump(history.path[depth])
        return history
