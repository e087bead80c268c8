"""The default view: a process that nobody drew can be played at once, with its declared fields."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from patterns.consensus_raft import RaftCluster
from patterns.consensus_raft.messages import Get, NotLeader
from patterns.engine.history import History
from patterns.engine.machine import Machine
from patterns.engine.process import Message, Process, durable, on, on_request, on_timer
from patterns.engine.randomness import key_of, mix
from patterns.engine.simulation import Simulation
from patterns.engine.step import Rule
from patterns.engine.world import Call, Crash, Cut, Fire, Pause, Request, Restart, WorldEvent
from patterns.leader_election import LeaseElection
from patterns.saga import SagaMachine
from patterns.two_phase_commit import TwoPhaseCommit
from patterns.workshop import MUTEX, PAXOS, usual_run
from patterns.workshop.mutex import Mutex
from patterns.workshop.paxos import Paxos
from widgets import play
from widgets.frames import Frames
from widgets.kit import DeclaredView, ProcessView, shown
from widgets.player import Player
from widgets.scene import Arc, Box, Disc, Fact, Scene
from widgets.scene import Message as Sent


class Ask(Message):
    """A client asks for the lamp to be lit."""


class Ping(Message):
    count: int


class Pong(Message):
    count: int


class Lamp(Process):
    """Pings its peer; counts what came back on disk, and remembers in memory that it waits."""

    peer: str
    answered: int = durable(0)
    waiting_for: frozenset[str] = frozenset()
    lit: bool = False

    def on_start(self) -> None:
        self.set_timer("ping", 20)

    @on_timer("ping")
    def ping(self) -> None:
        self.waiting_for = frozenset({self.peer})
        self.note("K.1", peer=self.peer)
        self.send(self.peer, Ping(self.answered + 1))
        self.set_timer("again", 50, about=self.peer)

    @on_timer("again")
    def again(self, peer: str) -> None:
        self.ping()

    @on(Ping)
    def answer(self, sender: str, ping: Ping) -> None:
        self.send(sender, Pong(ping.count))

    @on(Pong)
    def count(self, sender: str, pong: Pong) -> None:
        self.answered, self.waiting_for = pong.count, frozenset()
        self.cancel_timer("again", about=sender)
        self.set_timer("ping", 20)

    @on_request(Ask)
    def light(self, client: str, ask: Ask) -> None:
        self.lit = True
        self.reply(client, "lit")


class Lamps(Simulation):
    name = "lamps"
    rules = {"K.1": Rule("{who} pings {peer}", "this test")}
    events = WorldEvent | Request[Ask]

    def processes(self) -> list[Process]:
        return [Lamp(id="A", peer="B"), Lamp(id="B", peer="C"), Lamp(id="C", peer="A")]

    def requests(self, world: Any) -> list[Request[Ask]]:
        return [Request("X", "A", Ask())]


def run(*events: Any) -> History[Any, Any]:
    history = History(Lamps(latency=(5, 5)))
    history.run(events)
    return history


def marks(scene: Scene, panel: str) -> dict[str, Any]:
    return {mark.id: mark for each in scene.panels if each.id == panel for mark in each.marks}


def test_a_machine_without_a_view_is_played_with_what_its_processes_declare() -> None:
    player = play(Lamps())
    assert isinstance(player, Player)
    assert player.view is DeclaredView
    assert player.head["title"] == "lamps"
    assert [panel["id"] for panel in player.frames[0]["panels"]] == ["processes", "kept"]
    assert player.head["lanes"] == ["A", "B", "C"]


def test_a_machine_without_a_view_and_without_processes_is_refused_in_words() -> None:
    class Stone(Machine[int, Any]):
        name = "stone"
        rules = {}
        events = int

        def start(self) -> int:
            return 0

        def apply(self, state: int, event: Any) -> Any:
            return state, ()

        def choices(self, state: int) -> Any:
            return ()

    with pytest.raises(TypeError, match="Stone has no view"):
        play(Stone())


@pytest.mark.parametrize("seed", range(3))
def test_the_default_view_is_total_and_shows_every_process_message_and_timer(seed: int) -> None:
    history = History(Lamps(seed=seed))
    key = key_of(seed, "any choice")
    for n in range(80):
        offered = [choice for choice in history.machine.choices(history.state) if not choice.why_not]
        if not (mix(key, n) % 3 and history.advance()):
            history.apply(offered[mix(key, n) // 3 % len(offered)].event)
    for step in history.steps:
        scene, world = ProcessView.scene_of(step), step.state
        for panel in scene.panels:
            assert len({mark.id for mark in panel.marks}) == len(panel.marks), f"seed {seed}, step {step.number}"
        drawn = marks(scene, "processes").values()
        assert {mark.id for mark in drawn if isinstance(mark, Disc)} == {f"process:{name}" for name in world.names}
        assert {mark.id for mark in drawn if mark.id.startswith("message:")} == {
            f"message:{packet.id}" for packet in world.packets
        }
        assert {mark.id for mark in drawn if isinstance(mark, Arc)} == {
            f"timer:{timer.process}:{timer.name}" for timer in world.timers if timer.due > timer.set
        }
        facts = ProcessView.facts_of(world)
        assert len({(fact.who, fact.name) for fact in facts}) == len(facts)


def test_every_field_is_a_fact_where_it_is_kept_and_settings_are_none() -> None:
    step = run(Fire("A", "ping")).step
    assert [fact for fact in ProcessView.facts_of(step.state) if fact.who == "A"] == [
        Fact("A", "answered", "0", "disk"),
        Fact("A", "waiting for", "B", "memory"),
        Fact("A", "lit", "no", "memory"),
    ]


def test_a_field_says_its_value_and_in_its_title_what_it_was_before_the_step() -> None:
    kept = marks(ProcessView.scene_of(run(Fire("A", "ping")).step), "kept")
    box = kept["memory:A:waiting for"]
    assert box.text.endswith("\tB"), "a name that has no room is cut, its value is not"
    assert box.title == "A: waiting for is B, it was –"
    assert kept["disk:A:answered"].text.endswith("\t0")
    assert box.tone == kept["disk:A:answered"].tone == "row", "what changed is found by the player"


def test_a_crash_empties_the_memory_and_leaves_the_disk() -> None:
    history = run(Request("X", "A", Ask()))
    assert "memory:A:lit" in marks(ProcessView.scene_of(history.step), "kept")
    history.apply(Crash("A"))
    kept = marks(ProcessView.scene_of(history.step), "kept")
    assert "memory:A:lit" not in kept
    assert kept["memory:A"].role == "down"
    assert kept["disk:A:answered"].text.endswith("\t0")
    history.apply(Pause("B"))
    after = ProcessView.scene_of(history.step)
    assert marks(after, "kept")["gone:A"].text == "empty"
    discs = marks(after, "processes")
    assert (discs["process:A"].caption, discs["process:A"].role) == ("crashed", "down")
    assert discs["process:B"].caption == "❚❚ paused"
    assert ProcessView.facts_of(history.state)[1] == Fact("A", "memory", "crashed", "memory")
    history.apply(Restart("A"))
    assert "gone:A" not in marks(ProcessView.scene_of(history.step), "kept")


def test_a_timer_with_a_subject_is_an_arc_of_its_own() -> None:
    world = run(Fire("A", "ping"), Fire("B", "ping")).step
    shown = marks(ProcessView.scene_of(world), "processes")
    assert shown["timer:A:again:B"].title == "A's again timer for B: 50 ms left"
    assert shown["timer:A:again:B"].end == 1


def test_a_message_has_the_colour_of_its_kind_and_its_values_as_words() -> None:
    step = run(Fire("A", "ping"), Fire("B", "ping")).step
    sent = [mark for mark in marks(ProcessView.scene_of(step), "processes").values() if isinstance(mark, Sent)]
    assert [(mark.sender, mark.to, mark.text) for mark in sent] == [("A", "B", "ping 1"), ("B", "C", "ping 1")]
    assert len({mark.role for mark in sent}) == 1


def test_a_cut_is_crossed_out_and_marked_as_a_fault() -> None:
    scene = ProcessView.scene_of(run(Cut(("A",), ("B",))).step)
    assert marks(scene, "processes")["cutsign:A:B"].text == "✕"
    assert scene.fault


def test_a_client_and_its_answer_stand_below_the_processes() -> None:
    scene = ProcessView.scene_of(run(Request("X", "A", Ask())).step)
    assert marks(scene, "processes")["client:X"].text.endswith("lit")


@pytest.mark.parametrize(
    ("who", "inside", "beside"),
    [
        ("S1", "S1", ""),
        ("shipping", "shipping", ""),
        ("lock server", "lock", "server"),
        ("coordinator", "", "coordinator"),
    ],
)
def test_a_name_that_is_wider_than_its_disc_takes_two_lines_or_stands_beside_it(
    who: str, inside: str, beside: str
) -> None:
    world = RaftCluster(servers=1).start()
    [server] = world.processes
    view = ProcessView(replace(world, processes=(replace(server, id=who),), timers=()))
    [disc] = view.process(view.world[who])
    assert (disc.text, disc.sub) == (inside, beside)
    assert who in disc.title


def test_of_many_calls_those_that_wait_and_the_latest_are_shown_and_the_others_counted() -> None:
    world = RaftCluster(clients=4).start()
    calls = [Call(client, "S1", Get(1, "x"), asked) for asked, client in enumerate("ABCD")]
    answered = [replace(call, reply=NotLeader(1, None), replied=9) if call.client in "CD" else call for call in calls]
    view = ProcessView(replace(world, calls=tuple(answered)))
    assert [label.id for label in view.calls()] == ["client:A", "client:B", "clients:more"]
    assert view.calls()[-1].text == "and 2 more"
    assert view.calls()[-1].title.startswith("C → S1")
    all_answered = ProcessView(replace(world, calls=tuple(replace(call, reply=1, replied=9) for call in calls)))
    assert [label.id for label in all_answered.calls()] == ["client:C", "client:D", "clients:more"]


def test_columns_that_have_no_room_are_counted() -> None:
    class Many(Lamps):
        def processes(self) -> list[Process]:
            return [Lamp(id=f"P{n}", peer="P1") for n in range(1, 8)]

    kept = marks(ProcessView.scene_of(History(Many()).step), "kept")
    assert kept["more"].text == "and 1 more"
    assert sum(isinstance(mark, Box) and mark.id.startswith("name:") for mark in kept.values()) == 6


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (False, "no"),
        ((), "–"),
        (frozenset({"b", "a"}), "a, b"),
        ((("x", 1),), "x: 1"),
        (Ping(3), "Ping(count=3)"),
    ],
)
def test_a_value_is_shown_in_a_few_words(value: Any, words: str) -> None:
    assert shown(value) == words


@pytest.mark.parametrize("machine", [RaftCluster, LeaseElection, TwoPhaseCommit, SagaMachine])
def test_the_default_view_draws_the_processes_of_every_chapter(machine: type[Simulation]) -> None:
    history = History(machine())
    key = key_of(1, machine.name)
    for n in range(40):
        offered = [choice for choice in history.machine.choices(history.state) if not choice.why_not]
        if not (mix(key, n) % 3 and history.advance()):
            history.apply(offered[mix(key, n) // 3 % len(offered)].event)
    frames = Frames(history.machine, ProcessView, (), {})
    for step in history.steps:
        frames.of(step)  # refuses two marks of one id


@pytest.mark.parametrize(("task", "machine"), [(MUTEX, Mutex(clients=2)), (PAXOS, Paxos())], ids=["mutex", "paxos"])
def test_in_three_columns_several_values_stand_below_their_name_and_none_is_cut(task: Any, machine: Any) -> None:
    steps = usual_run(machine, task.solution).branch
    kept = [marks(DeclaredView.scene_of(step), "kept") for step in steps]
    assert not [mark.text for each in kept for mark in each.values() if "…" in getattr(mark, "text", "")]
    names = [{id for id in each if id.endswith(":name")} for each in kept]
    assert names[0]
    assert all(each == names[0] for each in names), "nothing moves from one step to the next"
