"""A machine of values does what its acts say, and refuses what they refuse: tests on a library of two books."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
import pytest

from patterns.engine.acts import Happened, ValueMachine, act
from patterns.engine.explore import explore
from patterns.engine.history import History
from patterns.engine.machine import Choice, NotEnabled
from patterns.engine.step import Note, Rule


class Close(msgspec.Struct, frozen=True, tag=True):
    pass


class Lend(msgspec.Struct, frozen=True, tag=True):
    title: str
    to: str = "Ann"


class Return(msgspec.Struct, frozen=True, tag=True):
    title: str


class Stroll(msgspec.Struct, frozen=True, tag=True):
    pass


class Books(msgspec.Struct, frozen=True):
    here: tuple[str, ...]
    lent: tuple[str, ...] = ()
    closed: bool = False
    last: str = ""


class Library(ValueMachine[Books, Close | Lend | Return]):
    name = "library"
    rules: ClassVar = {
        "close": Rule("The library closes.", ""),
        "lend": Rule("Lends {title} to {to}.", ""),
        "return": Rule("{title} is back.", ""),
    }

    def start(self) -> Books:
        return Books(("Emma", "Ulysses"))

    def library_closed(self, state: Books, event: Any) -> str:
        return "the library is closed" if state.closed else ""

    def book_missing(self, state: Books, event: Lend) -> str:
        return "" if event.title in state.here else f"{event.title} is not here"

    def titles(self, state: Books) -> list[str]:
        return sorted(state.here + state.lent)

    @act(Close, "close, after **{state.last:names|nothing}**", about="book:{state.last}", unless=[library_closed])
    def close(self, state: Books, event: Close) -> Happened[Books]:
        return Books(state.here, state.lent, True, state.last), [Note("close", {})]

    @act(
        Lend,
        "lend **{title}** to {to}",
        "lend",
        about="book:{title}",
        ask="to",
        offers=titles,
        unless=[library_closed, book_missing],
    )
    def lend(self, state: Books, event: Lend) -> Happened[Books]:
        here = tuple(title for title in state.here if title != event.title)
        after = Books(here, (*state.lent, event.title), last=event.title)
        return after, [Note("lend", msgspec.structs.asdict(event))]

    @act(Return, "return **{title}**", "return")
    def take_back(self, state: Books, event: Return) -> Happened[Books]:
        lent = tuple(title for title in state.lent if title != event.title)
        return Books((*state.here, event.title), lent, state.closed, event.title), [Note("return", {})]


def test_choices_come_in_the_order_of_the_acts_with_words_group_marks_and_reasons() -> None:
    library = Library()
    assert library.choices(library.start()) == (
        Choice(Close(), "close, after **nothing**"),
        Choice(Lend("Emma"), "lend **Emma** to Ann", "lend", about=("book:Emma",), ask="to"),
        Choice(Lend("Ulysses"), "lend **Ulysses** to Ann", "lend", about=("book:Ulysses",)),
    )
    after, _ = library.apply(library.start(), Lend("Emma", "Bob"))
    close, emma, ulysses = library.choices(after)
    assert (close.label, close.about) == ("close, after **Emma**", ("book:Emma",))
    assert emma.why_not == "Emma is not here"
    assert ulysses.why_not == ""


def test_an_act_gives_the_next_state_and_its_notes() -> None:
    after, notes = Library().apply(Library().start(), Lend("Emma", "Bob"))
    assert after == Books(("Ulysses",), ("Emma",), last="Emma")
    assert notes == (Note("lend", {"title": "Emma", "to": "Bob"}),)
    assert Library().say(notes[0]) == "Lends Emma to Bob."


def test_a_refused_event_is_named_with_the_first_reason_and_changes_nothing() -> None:
    history = History(Library())
    history.run([Lend("Emma"), Close()])
    with pytest.raises(NotEnabled, match=r"^lend \*\*Emma\*\* to Ann: the library is closed$"):
        history.apply(Lend("Emma"))
    assert history.step.event == Close()
    history.apply(Return("Emma"))  # an act without refusals always happens


def test_an_event_that_no_act_does_is_refused() -> None:
    with pytest.raises(NotEnabled, match=r"Stroll\(\) is not an event of Library"):
        Library().apply(Library().start(), Stroll())  # type: ignore[arg-type]
    with pytest.raises(NotEnabled, match="None is not an event of Library"):
        Library().why_not(Library().start(), None)  # type: ignore[arg-type]


def test_a_search_is_offered_what_the_choices_offer() -> None:
    library, closed = Library(), Books(("Emma",), ("Ulysses",), True)
    for state in (library.start(), Books(("Emma",), ("Ulysses",)), closed):
        possible = [choice for choice in library.choices(state) if not choice.why_not]
        assert list(library.enabled(state)) == [choice.event for choice in possible]
        lent = [choice.event for choice in possible if choice.group == "lend"]
        assert list(library.enabled(state, "lend")) == lent
    assert list(library.enabled(closed)) == []
    seen = explore(library)
    assert seen.complete
    # of two books: five ways to have lent some in an order, each open or closed, and the one lent last is known
    assert (seen.states, seen.depth) == (10, 4)


def test_the_events_of_a_machine_are_those_of_its_acts_so_that_its_runs_can_be_replayed() -> None:
    assert Library.events == Close | Lend | Return
    history = History(Library())
    history.run([Lend("Emma", "Bob"), Return("Emma"), Close()])
    assert History.replay(Library(), history.code).state == history.state


def test_a_subclass_that_overrides_a_refusal_or_an_act_by_name_changes_one_rule() -> None:
    class Generous(Library):
        def book_missing(self, state: Books, event: Lend) -> str:
            return ""

        def close(self, state: Books, event: Close) -> Happened[Books]:
            return state, [Note("close", {})]

    history = History(Generous())
    history.run([Lend("Emma"), Lend("Emma"), Close()])
    assert history.state.lent == ("Emma", "Emma")
    assert not history.state.closed
    assert Library().why_not(history.state, Lend("Emma")) == "Emma is not here"
    assert Generous.acts == Library.acts


def test_a_subclass_may_add_an_act() -> None:
    class Park(Library):
        @act(Stroll, "stroll in the park")
        def stroll(self, state: Books, event: Stroll) -> Happened[Books]:
            return state, []

    assert Park.events == Close | Lend | Return | Stroll
    assert Park().apply(Park().start(), Stroll()) == (Park().start(), ())  # type: ignore[arg-type]
    assert Stroll not in Library.acts
