"""Processes: fields, handlers, effects that are recorded and not done, what a crash leaves."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import msgspec
import pytest
from models.ping_pong import Ball, Player

from patterns.engine.process import Message, Process, durable, on, on_request, on_timer, setting


class Ask(Message):
    what: str


class Server(Process):
    peers: tuple[str, ...]
    period: int = setting(50)
    term: int = durable(0)
    log: tuple[str, ...] = durable(())
    role: str = "follower"
    votes: frozenset[str] = frozenset()
    limit: ClassVar[int] = 3

    def on_start(self) -> None:
        self.set_timer("election", 150, 300)

    @on_timer("election")
    def start_election(self) -> None:
        self.term += 1
        self.role = "candidate"
        self.votes = frozenset({self.id})
        self.note("E.1", term=self.term)
        for peer in self.peers:
            self.send(peer, Ask("vote"))

    @on(Ask)
    def answer(self, sender: str, ask: Ask) -> None:
        self.cancel_timer("election")
        self.votes |= {sender}

    @on_request(Ask)
    def append(self, client: str, ask: Ask) -> None:
        self.log = (*self.log, ask.what)
        self.reply(client, f"{self.now}: {ask.what}")


SERVER = Server("S1", ("S2", "S3"))


# Handlers record, drivers do


def test_a_handler_records_its_effects_in_order_and_does_none_of_them() -> None:
    """A process is a deterministic automaton whose sends are outputs (Lynch 1996, chapter 8: I/O automata)."""
    after, effects = SERVER.after_timer("election", now=7)
    assert effects.sends == [("S2", Ask("vote")), ("S3", Ask("vote"))]
    assert [(note.rule, note.values) for note in effects.notes] == [("E.1", {"term": 1, "who": "S1"})]
    assert effects.timers == {}
    assert after.term == 1


def test_the_process_before_is_left_as_it_was() -> None:
    after, _ = SERVER.after_timer("election")
    assert (SERVER.term, SERVER.role, SERVER.votes) == (0, "follower", frozenset())
    assert (after.term, after.role, after.votes) == (1, "candidate", frozenset({"S1"}))


def test_where_nothing_changed_it_is_the_same_process() -> None:
    after, _ = SERVER.after_start()
    assert after is SERVER


def test_the_last_word_on_a_timer_counts() -> None:
    assert SERVER.after_start()[1].timers == {"election": (150, 300)}
    assert SERVER.after_message("S2", Ask("?"))[1].timers == {"election": None}


def test_a_client_is_answered_with_the_clock_of_the_process() -> None:
    after, effects = SERVER.after_request("C1", Ask("x"), now=12)
    assert effects.replies == [("C1", "12: x")]
    assert after.log == ("x",)


def test_nothing_can_be_sent_while_no_handler_runs() -> None:
    with pytest.raises(RuntimeError, match="S1 can act only while a handler runs"):
        SERVER.send("S2", Ask("vote"))


# Values


def test_processes_are_equal_and_hash_alike_by_value() -> None:
    assert Server("S1", ("S2", "S3")) == SERVER
    assert hash(Server("S1", ("S2", "S3"))) == hash(SERVER)
    assert SERVER.after_timer("election")[0] != SERVER
    assert Player("A", "B", True) != Player("A", "B", False)


def test_a_subclass_with_the_same_fields_is_another_process() -> None:
    class Other(Server):
        pass

    assert Other("S1", ("S2", "S3")) != SERVER


def test_it_shows_its_fields_and_nothing_of_the_machinery() -> None:
    assert repr(Player("A", "B", True)) == "Player(id='A', peer='B', serves=True, hits=0, warm=False)"


@pytest.mark.parametrize("value", [[1], {1}, {"a": 1}, ([],), object.__new__(type("Thing", (), {}))])
def test_a_value_that_could_change_in_place_is_refused_by_the_field_s_name(value: object) -> None:
    class Careless(Process):
        items: Any = ()

        @on_timer("go")
        def go(self) -> None:
            self.items = value

    with pytest.raises(TypeError, match=r"Careless\.items holds the .* immutable values only"):
        Careless("S1").after_timer("go")


def test_a_mutable_default_is_refused_when_the_class_is_written() -> None:
    with pytest.raises(TypeError, match=r"Careless\.items holds the list"):

        class Careless(Process):
            items: list[int] = []


def test_a_value_with_no_fields_of_its_own_is_taken() -> None:
    class Careful(Process):
        thing: object = None

        @on_timer("go")
        def go(self) -> None:
            self.thing = (1, "a", None, frozenset({2}), Ask("x"), 1.5, b"", True)

    assert Careful("S1").after_timer("go")[0].thing[1] == "a"  # type: ignore[index]


# Crash and disk


def test_a_crash_leaves_the_disk_and_what_the_process_was_built_with() -> None:
    """Stable storage survives a crash, all else is lost (Cachin, Guerraoui, Rodrigues 2011, section 2.2, recovery)."""
    server = Server("S1", ("S2", "S3"), period=20, term=4, log=("x",), role="leader", votes=frozenset({"S2"}))
    assert server.crashed() == Server("S1", ("S2", "S3"), period=20, term=4, log=("x",))


def test_the_class_knows_its_durable_fields() -> None:
    assert Server.durable_fields == ("term", "log")
    assert Server.kept_fields == ("id", "peers", "period", "term", "log")


def test_the_disk_survives_its_own_encoding() -> None:
    server = Server("S1", ("S2", "S3"), term=4, log=("x", "y"), role="leader")
    for codec in (msgspec.json, msgspec.msgpack):
        disk = codec.decode(codec.encode(server.disk), type=Server.disk_type())
        assert SERVER.with_disk(disk) == server.crashed()


def test_what_was_written_is_what_differs_on_disk() -> None:
    after, _ = SERVER.after_timer("election")
    assert after.written_since(SERVER) == ("term",)
    assert after.after_message("S2", Ask("?"))[0].written_since(after) == ()


def test_a_field_defined_anew_in_a_subclass_is_on_disk_only_if_the_subclass_says_so() -> None:
    class Forgetful(Server):
        term: int = 0

    class Careful(Server):
        role: str = durable("follower")

    assert Forgetful.durable_fields == ("log",)
    assert Forgetful("S1", (), term=3).crashed().term == 0
    assert Careful.durable_fields == ("term", "log", "role")


def test_a_field_overridden_without_its_type_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.term overrides a field: give its type again"):

        class Wrong(Server):
            term = 3


# Which handler


def test_a_subclass_takes_over_a_handler_by_its_name() -> None:
    """A planted bug, or a learner's version, is a subclass that overrides one method."""

    class Shy(Server):
        def start_election(self) -> None:
            self.role = "shy"

    after, effects = Shy("S1", ("S2",)).after_timer("election")
    assert (after.role, effects.sends) == ("shy", [])


def test_every_message_comes_through_receive() -> None:
    class Guarded(Server):
        def receive(self, sender: str, message: Any) -> None:
            self.term = 9
            super().receive(sender, message)

    after, _ = Guarded("S1", ()).after_message("S2", Ask("?"))
    assert (after.term, after.votes) == (9, frozenset({"S2"}))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda s: s.after_message("S2", Ball(1)), "Server S1 has no handler for Ball.*it handles Ask"),
        (lambda s: s.after_timer("lunch"), "Server S1 has no handler for 'lunch'; it handles 'election'"),
        (lambda s: s.after_request("C1", 7), "Server S1 has no handler for 7; it handles Ask"),
    ],
)
def test_what_no_handler_expects_is_an_error(call: Any, sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        call(SERVER)


def test_a_message_whose_cell_was_run_again_names_the_cell_to_run() -> None:
    class Ask(Message):
        """Another class of the same name, as after a second run of a notebook's cell."""

    with pytest.raises(TypeError, match="Ask was defined again after Server: run the cell of Server again"):
        SERVER.after_request("C1", Ask())


@pytest.mark.parametrize("span", [(-1, 5), (10, 5)])
def test_a_timer_runs_for_a_span_that_can_be(span: tuple[int, int]) -> None:
    class Wrong(Server):
        def on_start(self) -> None:
            self.set_timer("election", *span)

    with pytest.raises(ValueError, match=rf"timer 'election' of S1 is set to {span[0]}..{span[1]} ms"):
        Wrong("S1", ()).after_start()


def test_a_timer_without_a_handler_is_refused_when_it_is_set() -> None:
    class Wrong(Server):
        def on_start(self) -> None:
            self.set_timer("elction", 5)

    with pytest.raises(ValueError, match=r"Wrong has no @on_timer\('elction'\); it has 'election'"):
        Wrong("S1", ()).after_start()


def test_a_copy_made_by_others_is_a_process_too() -> None:
    assert copy.copy(SERVER) == SERVER


def test_a_message_is_told_in_its_own_words() -> None:
    class Moved(Message, frozen=True):
        count: int
        to: tuple[str, ...]
        words = "{count:key|keys} to {to:names}"

    assert str(Moved(1, ("A", "B"))) == "1 key to A and B"
    assert [field.name for field in msgspec.structs.fields(Moved)] == ["count", "to"]
