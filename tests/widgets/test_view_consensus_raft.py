"""The picture of a Raft cluster says what the state says, on every step of runs with every kind of fault."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from patterns.consensus_raft import RaftCluster
from patterns.consensus_raft.lesson.milestones import MILESTONES
from patterns.consensus_raft.messages import Put, is_heartbeat
from patterns.engine.history import History
from patterns.engine.randomness import key_of, mix
from patterns.engine.world import Crash, Cut, Deliver, Drop, Request
from widgets.chapters.consensus_raft.view import VIEW as view
from widgets.chapters.consensus_raft.view import term_role
from widgets.scene import Box, Disc, Message, Scene

SEEDS = range(3)


@cache
def random_run(seed: int, steps: int = 120) -> History[Any, Any]:
    """A run in which every fifth step is any choice there is."""
    history = History(RaftCluster(seed=seed))
    key = key_of(seed, "any choice")
    for n in range(steps):
        offered = [choice for choice in history.machine.choices(history.state) if not choice.why_not]
        draw = mix(key, n)
        if draw % 5:
            history.advance()
        else:
            history.apply(offered[draw // 5 % len(offered)].event)
    return history


def elected(seed: int = 7) -> History[Any, Any]:
    history = History(RaftCluster(seed=seed))
    assert history.run_until(MILESTONES["a leader is elected"], 500)
    return history


def leader_of(history: History[Any, Any]) -> Any:
    return next(server for server in history.state.up if server.role == "leader")


def marks(scene: Scene, panel: str) -> dict[str, Any]:
    return {mark.id: mark for each in scene.panels if each.id == panel for mark in each.marks}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_view_is_total_and_its_ids_name_one_thing_each(seed: int) -> None:
    for step in random_run(seed).steps:
        scene = view.scene_of(step)
        for panel in scene.panels:
            ids = [mark.id for mark in panel.marks]
            assert len(ids) == len(set(ids)), f"seed {seed}, step {step.number}"
        view.facts_of(step.state)
        view.sends_of(step)
        view.costs_of(step)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_server_and_every_message_on_its_way_is_in_the_picture_and_nothing_else_is(seed: int) -> None:
    for step in random_run(seed).steps:
        shown = marks(view.scene_of(step), "processes")
        servers = {mark.id for mark in shown.values() if isinstance(mark, Disc)}
        messages = {mark.id for mark in shown.values() if isinstance(mark, Message)}
        assert servers == {f"process:{name}" for name in step.state.names}, f"seed {seed}, step {step.number}"
        assert messages == {f"message:{packet.id}" for packet in step.state.packets}, f"seed {seed}, step {step.number}"


@pytest.mark.parametrize("seed", SEEDS)
def test_choices_are_about_marks_that_are_in_the_picture(seed: int) -> None:
    history = random_run(seed)
    for step in history.steps[:: len(history.steps) // 12]:
        shown = marks(view.scene_of(step), "processes")
        for choice in history.machine.choices(step.state):
            assert all(mark in shown for mark in choice.about if not mark.startswith("client")), (seed, choice)


@pytest.mark.parametrize("seed", SEEDS)
def test_words_and_picture_tell_the_same_of_every_server(seed: int) -> None:
    for step in random_run(seed).steps:
        scene = view.scene_of(step)
        for server in step.state.processes:
            disc = marks(scene, "processes")[f"process:{server.id}"]
            down = server.id in step.state.down
            assert disc.sub == f"term {server.current_term}"
            assert disc.role == ("down" if down else server.role), "a role is a shape"
            assert disc.hue == ("" if down else term_role(server.current_term)), "a hue is a term"
            assert ("leader" in disc.caption) == (server.role == "leader" and not down)
            assert f"term {server.current_term}" in scene.panels[0].label
            cells = [
                m for m in marks(scene, "logs").values() if isinstance(m, Box) and m.id.startswith(f"cell:{server.id}:")
            ]
            held = [m for m in cells if m.text]
            assert len(held) == min(len(server.log), len(cells)) or len(server.log) > len(cells)
            for cell in held:
                index = int(cell.id.split(":")[2])
                assert cell.role == term_role(server.log[index - 1].term)
                assert (cell.tone == "solid") == (index <= server.commit_index)


def test_a_snapshot_stands_in_place_of_the_entries_that_it_replaces() -> None:
    from patterns.consensus_raft.lesson.snapshots import server_was_away

    seen = set()
    for step in server_was_away().branch:
        shown = marks(view.scene_of(step), "logs")
        for server in step.state.processes:
            entries = [mark for mark in shown if mark.startswith(f"cell:{server.id}:")]
            assert len(entries) == min(5, server.last_log_index) - server.before_log.index
            box = shown.get(f"snapshot:{server.id}")
            assert (box is not None) == (server.before_log.index > 0)
            if box:
                seen.add(box.text)
                value = server.snapshot.state_machine.store["x"]
                assert f"x = {value}" in box.title
                facts = [
                    fact.value for fact in view.facts_of(step.state) if (fact.who, fact.name) == (server.id, "snapshot")
                ]
                assert [f"x = {value}" in fact for fact in facts] == [True]
    assert seen == {"x=2"}


def test_a_message_moves_along_its_link_and_keeps_its_id_until_it_arrives() -> None:
    history = elected()
    packet = history.state.packets[-1]
    far = []
    while any(other.id == packet.id for other in history.state.packets):
        arrow = marks(view.scene_of(history.step), "processes")[f"message:{packet.id}"]
        far.append((arrow.x2 - arrow.x) ** 2 + (arrow.y2 - arrow.y) ** 2)
        history.advance()
    assert far == sorted(far)
    assert len(far) > 1


def test_heartbeats_that_change_nothing_are_quiet_and_a_command_is_not() -> None:
    history = elected()
    history.apply(Request("A", leader_of(history).id, Put(1, "x", 7)))
    assert not view.scene_of(history.step).quiet
    quiet = 0
    for _ in range(80):
        step = history.advance()
        assert step is not None
        if view.scene_of(step).quiet:
            quiet += 1
            before = step.parent.state
            packet = before.packet(step.event.id) if isinstance(step.event, Deliver) else None
            assert packet is None or is_heartbeat(packet.body)
            assert [p.log for p in before.processes] == [p.log for p in step.state.processes]
            assert [p.commit_index for p in before.processes] == [p.commit_index for p in step.state.processes]
    assert quiet > 10


def test_the_bar_of_terms_shows_an_election_then_normal_operation_as_in_figure_5() -> None:
    history = elected()
    eras = [view.scene_of(step).era for step in history.path]
    assert eras[0] is None
    assert {era.tone for era in eras[1:] if era} == {"soft", "solid"}
    last = eras[-1]
    assert last is not None
    assert last.label == f"term 1 · {leader_of(history).id}"


def test_a_cut_is_crossed_out_and_a_fault_is_marked_on_the_scrubber() -> None:
    history = elected()
    step = history.apply(Cut(("S1",), ("S2",)))
    assert "cut:S1:S2" in marks(view.scene_of(step), "processes")
    assert view.scene_of(step).fault
    step = history.apply(Crash("S3"))
    assert view.scene_of(step).fault
    assert marks(view.scene_of(step), "processes")["process:S3"].tone == "dashed"


def test_a_message_to_a_crashed_server_that_is_lost_is_no_fault_of_its_own() -> None:
    history = elected()
    packet = history.state.packets[0]
    dropped = history.apply(Drop(packet.id))
    assert view.scene_of(dropped).fault
    history.back()
    history.apply(Crash(packet.to))
    lost = history.run_until(lambda step: isinstance(step.event, Drop), 50)
    assert lost is not None
    assert not view.scene_of(lost).fault


def test_what_a_step_sends_is_said_with_all_it_goes_to_and_counted() -> None:
    history = elected()
    step = history.apply(Request("A", leader_of(history).id, Put(1, "x", 7)))
    (fact,) = view.sends_of(step)
    assert fact.where == "in flight"
    assert fact.value.count("S") == 4
    assert view.costs_of(step) == {"messages": 4, "disk writes": 1}


def test_two_leaders_of_one_term_are_an_era_of_their_own() -> None:
    from patterns.consensus_raft.lesson.gallery import lost_vote_after_crash

    run = lost_vote_after_crash()
    eras = [view.scene_of(step).era for step in run.branch]
    labels = [era.label for era in eras if era]
    assert labels[-1] == "term 1 · S1 and S2"
    assert eras[-1] is not None
    assert eras[-1].role == "bad"
    assert len({era.key for era in eras if era}) == len(set(labels))


def test_each_message_on_a_link_has_its_own_words_and_place() -> None:
    history = elected()
    leader = leader_of(history)
    history.apply(Request("A", leader.id, Put(1, "x", 10)))
    shown = marks(view.scene_of(history.step), "processes")
    links: dict[tuple[str, str], list[Message]] = {}
    for packet in history.state.packets:
        if packet.sender == leader.id:
            message = shown[f"message:{packet.id}"]
            assert isinstance(message, Message)
            links.setdefault((message.sender, message.to), []).append(message)
    assert {"append 1", "append 1-2"} <= {message.text for messages in links.values() for message in messages}
    assert all(a.part >= b.part for messages in links.values() for a, b in pairwise(messages)), "the older is ahead"


def test_a_log_too_long_for_words_shows_its_entries_terms() -> None:
    """Figure 7 of the paper shows terms alone."""
    from patterns.consensus_raft.lesson.gallery import FIGURE_7, figure_7

    world = figure_7().step
    shown = marks(view.scene_of(world), "logs")
    for name, of in zip(("S2", "S3", "S4", "S5"), "bdef", strict=True):
        cells = [cell.text for index in range(1, 13) if (cell := shown.get(f"cell:{name}:{index}"))]
        assert [int(text) for text in cells] == list(FIGURE_7[of])
