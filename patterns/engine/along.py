"""Properties of more than one state: each carries a memory along the run."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, NamedTuple

from .arguments import require_function
from .properties import Property, Reason
from .step import Note


class Transition(NamedTuple):
    """One step, as a property follows it."""

    before: Any
    event: Any
    after: Any
    notes: tuple[Note, ...]


class Broken(NamedTuple):
    """What `Along` remembers from the step that broke it on."""

    reason: str


class Along(Property):
    """Holds along a run. `begin(state)` is the memory at the start; `follow(memory, transition)` is the memory after a
    step, or `Broken(reason)`. Once broken it stays broken. A memory is an immutable value.
    """

    def __init__(
        self,
        name: str,
        begin: Callable[[Any], Hashable],
        follow: Callable[[Any, Transition], Hashable],
    ) -> None:
        super().__init__(name, begin=begin, follow=follow)
        self._begin = begin
        self._follow = follow

    def begin(self, state: Any) -> Hashable:
        return self._begin(state)

    def follow(self, memory: Hashable, before: Any, event: Any, after: Any, notes: tuple[Note, ...]) -> Hashable:
        if isinstance(memory, Broken):
            return memory
        return self._follow(memory, Transition(before, event, after, notes))

    def reason(self, memory: Hashable, state: Any) -> Reason:
        return memory.reason if isinstance(memory, Broken) else None


class AlwaysNext(Along):
    """Holds over every step: `wrong(before, after)` says why it does not, or is None. Once broken it stays broken."""

    def __init__(self, name: str, wrong: Callable[[Any, Any], Reason]) -> None:
        require_function("wrong", wrong)
        super().__init__(name, lambda state: None, lambda memory, step: memory)
        self.wrong = wrong

    def follow(self, memory: Hashable, before: Any, event: Any, after: Any, notes: tuple[Note, ...]) -> Hashable:
        if memory is None and (reason := self.wrong(before, after)):
            return Broken(reason)
        return memory


class NeverTwice(Along):
    """A claim made once in a run is never made again with another value (two leaders of one term, at any time).

    `claims(state, notes)` gives the (what, value) pairs that the step claims.
    """

    def __init__(
        self, name: str, claims: Callable[[Any, tuple[Note, ...]], Iterable[tuple[Hashable, Hashable]]]
    ) -> None:
        def follow(made: frozenset[tuple[Hashable, Hashable]], step: Transition) -> Hashable:
            new = frozenset(claims(step.after, step.notes))
            if new <= made:
                return made
            said = dict(made)
            for what, value in sorted(new, key=repr):
                if said.setdefault(what, value) != value:
                    return Broken(f"{what}: first {said[what]}, now {value}")
            return made | new

        require_function("claims", claims)
        super().__init__(name, lambda state: frozenset(claims(state, ())), follow)
