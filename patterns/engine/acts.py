"""Machines of values, such as a ring, a shard map or an event store: all about one event stands in one place, its act.

    class Shelf(ValueMachine[Books, Lend | Return]):
        def missing(self, state: Books, event: Lend) -> str:
            return "" if event.title in state.here else f"{event.title} is not on the shelf"

        def titles(self, state: Books) -> Iterable[str]:
            return state.titles

        @act(Lend, "lend **{title}**", "lend", about="book:{title}", offers=titles, unless=[missing])
        def lend(self, state: Books, event: Lend) -> Happened[Books]:
            return state.without(event.title), [Note("lend", {"title": event.title})]

An act is a pure function from a state and an event to the next state and the rules that fired. Its refusals are small
named methods that return the reason, or nothing: menus and searches ask them alone, so a choice costs no step. A
subclass that overrides a refusal or an act by its name changes one rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, ClassVar, NamedTuple, TypeVar

import msgspec

from .machine import Choice, Machine, NotEnabled
from .sentences import sentence_of
from .step import E, Note, S

Handler = TypeVar("Handler", bound=Callable[..., Any])
Happened = tuple[S, Sequence[Note]]
"""What an act returns: the next state, and the rules that fired."""


class Act(NamedTuple):
    """What a machine knows of one type of event."""

    name: str
    """The method that does it."""
    kind: type[msgspec.Struct]
    label: str
    group: str
    about: str
    ask: str
    offers: Callable[[Any, Any], Iterable[Any]]
    unless: tuple[str, ...]
    """The methods that may refuse it."""


def act(
    kind: type[msgspec.Struct],
    label: str,
    group: str = "next",
    *,
    about: str = "",
    ask: str = "",
    offers: Callable[[Any, Any], Iterable[Any]] | None = None,
    unless: Sequence[Callable[..., str]] = (),
) -> Callable[[Handler], Handler]:
    """The method that does the events of this type: `(self, state, event) -> (state, notes)`.

        label   its words as a choice: a template, as in `sentences.py`, over the event's fields and `state`
        group   the menu that it stands in; `next` for what happens by itself
        about   the id of the mark that it belongs to, a template too: `node:{node}`; of an empty name none
        ask     the field that a learner may fill in, offered with the first choice of the type
        offers  `(self, state)` -> the values of which the events to choose from are made: of the first field, or a
                tuple for the first fields; an event without fields is always offered
        unless  `(self, state, event)` -> why it cannot happen, or nothing

    The first reason of `unless` counts.
    """

    def mark(handler: Handler) -> Handler:
        given = offers or (lambda machine, state: () if kind.__struct_fields__ else ((),))
        known = Act(handler.__name__, kind, label, group, about, ask, given, tuple(guard.__name__ for guard in unless))
        handler._act = known  # type: ignore[attr-defined]
        return handler

    return mark


class ValueMachine(Machine[S, E]):
    """A machine that knows its events by its acts. Choices are offered in the order in which the acts are written."""

    acts: ClassVar[Mapping[type, Act]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        found: list[Act] = [value._act for value in vars(cls).values() if hasattr(value, "_act")]
        cls.acts = {**cls.acts, **{known.kind: known for known in found}}
        if cls.acts:
            cls.events = reduce(or_, cls.acts)

    def why_not(self, state: S, event: E) -> str:
        """Why the event cannot happen in this state; empty when it can. Raises NotEnabled for an unknown event."""
        for guard in self._act_of(event).unless:
            if reason := getattr(self, guard)(state, event):
                return str(reason)
        return ""

    def apply(self, state: S, event: E) -> tuple[S, tuple[Note, ...]]:
        if reason := self.why_not(state, event):
            raise NotEnabled(f"{self.describe(state, event)}: {reason}")
        after, notes = getattr(self, self._act_of(event).name)(state, event)
        return after, tuple(notes)

    def choices(self, state: S) -> tuple[Choice[E], ...]:
        return tuple(
            Choice(
                event,
                self.describe(state, event),
                known.group,
                why_not=self.why_not(state, event),
                about=_about(known, state, event),
                ask="" if at else known.ask,
            )
            for known in self.acts.values()
            for at, event in enumerate(self._offered(known, state))
        )

    def enabled(self, state: S, group: str = "") -> Iterable[E]:
        return (
            event
            for known in self.acts.values()
            if group in ("", known.group)
            for event in self._offered(known, state)
            if not self.why_not(state, event)
        )

    def describe(self, state: S, event: E) -> str:
        return _filled(self._act_of(event).label, state, event)

    def _offered(self, known: Act, state: S) -> Iterator[E]:
        for given in known.offers(self, state):
            yield known.kind(*given if isinstance(given, tuple) else (given,))  # type: ignore[misc]

    def _act_of(self, event: E) -> Act:
        known = self.acts.get(type(event))
        if known is None:
            raise NotEnabled(f"{event!r} is not an event of {type(self).__name__}")
        return known


def _about(known: Act, state: Any, event: Any) -> tuple[str, ...]:
    mark = _filled(known.about, state, event)
    return (mark,) if mark and not mark.endswith(":") else ()


def _filled(template: str, state: Any, event: Any) -> str:
    return sentence_of(template, {"state": state, **msgspec.structs.asdict(event)})
