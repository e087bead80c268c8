"""The one idea: a machine is `(state, event) -> (state, notes)`, and says each step in words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, ClassVar, Generic, Self

import msgspec

from .params import Params as AnyParams
from .params import parse
from .properties import Property
from .sentences import sentence_of
from .step import E, Note, Rule, S, Step


class NotEnabled(ValueError):
    """The event cannot happen in this state; the message says why. Nothing was changed."""


class Choice(msgspec.Struct, Generic[E], frozen=True):
    """Something that can happen next, or that can do nothing now, with the reason."""

    event: E
    label: str
    """In words, as short as a button: `deliver **vote refused** S5 -> S1`."""
    group: str = "next"
    """`next`: happens by itself. Any other word is a menu of its own: `crash`, `cut`, `request`, `add`, ..."""
    when: str = ""
    """When it is due, in words: `12 ms`. Empty where time plays no part."""
    why_not: str = ""
    """Why it can do nothing now; empty when it can be chosen."""
    about: tuple[str, ...] = ()
    """The ids of the marks in the picture it belongs to: a click there offers it."""
    ask: str = ""
    """The event's text field that the learner may fill in before choosing; empty for none."""
    likely: bool = False
    """It concerns the process that leads: menus mark it, and have it first."""


class Machine(ABC, Generic[S, E]):
    """A pattern that can be stepped. Subclasses give the class attributes and the three abstract methods.

    Its parameters are declared in a struct `Params`; a subclass that adds some repeats `params: Params` for checkers.
    """

    Params: ClassVar[type[AnyParams]] = AnyParams
    params: AnyParams
    """The parameters that this machine was built with."""
    name: ClassVar[str] = ""
    """Names the machine in replay codes. Two machines of one chapter have two names. Empty: the name of its class."""
    view: ClassVar[Any] = ""
    """The chapter whose picture it has, as in `widgets/chapters/<view>`, or a view itself. Empty: the default view."""
    rules: ClassVar[Mapping[str, Rule]] = {}
    """Rule -> its sentence and its source. Without any, a note is shown as its rule and its values."""
    events: ClassVar[Any]
    """The union of the event types, for decoding replay codes."""
    always: tuple[Property, ...] = ()
    """The invariants shown beside the picture and checked on every state."""
    milestones: Mapping[str, Callable[[Step[Any, Any]], bool]] = {}
    """What a run can be told to run until: `"a leader is elected" -> predicate on a step`. A chapter's machines leave
    this empty: theirs stand in its lesson."""

    def __init__(self, **given: Any) -> None:
        """Raises ParameterError, a ValueError and a TypeError, for a parameter that its `Params` do not allow."""
        self.params = parse(self.Params, given, type(self).__name__)
        self.name = self.name or type(self).__name__  # type: ignore[misc]

    def again(self, **changes: Any) -> Self:
        """The same machine with these parameters changed."""
        return type(self)(**{**msgspec.to_builtins(self.params), **changes})

    @abstractmethod
    def start(self) -> S:
        """The state before anything happened."""

    @abstractmethod
    def apply(self, state: S, event: E) -> tuple[S, tuple[Note, ...]]:
        """The next state and the rules that fired. Raises NotEnabled, with the reason, when the event cannot happen."""

    @abstractmethod
    def choices(self, state: S) -> tuple[Choice[E], ...]:
        """Everything that can happen next, in a fixed order, what cannot with its reason."""

    def usual(self, state: S) -> E | None:
        """What happens next when nobody interferes; None when nothing does."""
        return next((c.event for c in self.choices(state) if c.group == "next" and not c.why_not), None)

    def describe(self, state: S, event: E) -> str:
        """The event in a few words, as it is about to happen in this state."""
        return next((c.label for c in self.choices(state) if c.event == event), type(event).__name__)

    # For searches (explore.py). A machine with large states or many choices overrides these for speed.

    def for_search(self) -> Self:
        """A machine that does the same and may remember what it has computed: a search applies many equal events."""
        return self

    def key(self, state: S) -> Hashable:
        """What a search tells states apart by: equal keys have the same future. The state itself, unless overridden."""
        return state

    def enabled(self, state: S, group: str = "") -> Iterable[E]:
        """The events that can happen, without words; of one group of choices only, if it is given."""
        return (c.event for c in self.choices(state) if not c.why_not and group in ("", c.group))

    def repairs(self, state: S) -> Iterable[E]:
        """The events that undo the faults of this state, to see whether it recovers."""
        return ()

    def signature(self, state: S, event: E) -> Hashable:
        """The event in terms that still mean the same after an earlier event is left out."""
        return event

    def find_event(self, state: S, signature: Hashable) -> E | None:
        """The event with this signature in this state, or None."""
        return signature  # type: ignore[return-value]

    def rule_of(self, note: Note) -> Rule:
        """The rule that fired. In a machine without a table of rules its sentence lists the note's values."""
        if self.rules:
            if note.rule not in self.rules:
                raise KeyError(f"{note.rule!r} is noted, and is missing in {type(self).__name__}.rules")
            return self.rules[note.rule]
        listed = ", ".join(f"{name} {{{name}}}" for name in note.values if name != "who")
        return Rule(f"**{{who}}** {note.rule}{listed and ': '}{listed}", "")

    def say(self, note: Note) -> str:
        """The rule's sentence with the note's values in it, put into words by `sentences.py`."""
        return sentence_of(self.rule_of(note).sentence, note.values)
