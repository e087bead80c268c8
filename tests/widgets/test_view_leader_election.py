"""The picture of an election says what the state says, on every step of every run of the gallery."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from patterns.engine.history import History
from patterns.engine.step import Step
from patterns.leader_election import leaders
from patterns.leader_election.lesson import GALLERY
from patterns.leader_election.properties import all_know
from widgets.chapters.leader_election.view import VIEW as view
from widgets.frames import Frames
from widgets.scene import Arc, Box, Disc, Label, Scene

SIDE_BY_SIDE = 590
"""The greatest width of two panels that stand beside each other in a card of 846 px."""


@cache
def gallery(title: str) -> History[Any, Any]:
    return GALLERY[title]()


def marks(scene: Scene, panel: int = 0) -> dict[str, Any]:
    return {mark.id: mark for mark in scene.panels[panel].marks}


def last(title: str) -> Step[Any, Any]:
    return gallery(title).steps[-1]


@pytest.mark.parametrize("title", GALLERY)
def test_two_panels_stand_side_by_side_and_hold_what_is_drawn_in_them(title: str) -> None:
    for step in gallery(title).steps:
        scene = view.scene_of(step)
        assert len(scene.panels) == 2
        assert sum(panel.width for panel in scene.panels) <= SIDE_BY_SIDE
        for panel in scene.panels:
            for mark in panel.marks:
                wide, high = (mark.w, mark.h) if isinstance(mark, Box) else (0, 0)
                assert 0 <= mark.x <= mark.x + wide <= panel.width, mark  # type: ignore[attr-defined]
                assert 0 <= mark.y <= mark.y + high <= panel.height, mark  # type: ignore[attr-defined]


@pytest.mark.parametrize("title", GALLERY)
def test_a_leader_has_two_rings_and_the_bar_names_it(title: str) -> None:
    for step in gallery(title).steps:
        scene, lead = view.scene_of(step), [leader.id for leader in leaders(step.state)]
        discs = [mark for mark in marks(scene).values() if isinstance(mark, Disc)]
        crowned = {disc.text for disc in discs if disc.role == "leader"}
        assert crowned == set(lead), f"step {step.number}"
        assert all("leader" in disc.caption for disc in discs if disc.role == "leader")
        assert scene.era is not None or title.startswith("Raft")
        if scene.era and not title.startswith("Raft"):
            assert all(name in scene.era.label for name in lead)
            assert (scene.era.role == "bad") == (len(lead) > 1)
            assert (scene.era.label == "no leader") == (not lead)


def test_under_a_partition_two_are_followed_in_two_colours() -> None:
    """Garcia-Molina 1982 assumes that no process is cut off. Here two are."""
    split = next(step for step in gallery("Bully: P1 and P2 are cut off").steps if len(leaders(step.state)) > 1)
    believed = [mark for mark in marks(view.scene_of(split), 1).values() if isinstance(mark, Box)]
    colours = {box.text: box.role for box in believed if box.text != "–"}
    assert {"P2", "P5"} <= set(colours)
    assert colours["P2"] != colours["P5"]
    assert any(mark.startswith("cut:") for mark in marks(view.scene_of(split)))


@pytest.mark.parametrize("title", ["Chang-Roberts: the best order", "Hirschberg-Sinclair: ids go both ways"])
def test_a_ring_has_a_link_from_each_to_the_next(title: str) -> None:
    step = last(title)
    links = {mark for mark in marks(view.scene_of(step)) if mark.startswith("link:")}
    assert links == {f"link:{name}" for name in step.state.names}


def test_an_id_on_its_way_round_the_ring_is_written_beside_its_arrow() -> None:
    """Chang and Roberts 1979: a message is an id."""
    for step in gallery("Chang-Roberts: the worst order").steps:
        shown = marks(view.scene_of(step))
        for packet in step.state.packets:
            if uid := getattr(packet.body, "uid", 0):
                assert str(uid) in "".join(mark.text for mark in shown.values() if mark.id == f"message:{packet.id}")


def test_the_lease_is_an_arc_that_runs_out() -> None:
    """Gray and Cheriton 1989: a lease is a lock for a time."""
    before: dict[str, float] = {}
    for step in gallery("Lease: a leader renews its lease").steps:
        arcs = {mark.id: mark.end for mark in marks(view.scene_of(step)).values() if isinstance(mark, Arc)}
        held = arcs.get("timer:lock:expire")
        assert (held is not None) == bool(step.state["lock"].holder)
        renewed = any(note.rule in ("L.grant", "L.renew") for note in step.notes)
        if held is not None and "timer:lock:expire" in before and not renewed:
            assert held <= before["timer:lock:expire"]
        if renewed:
            assert held == 1
        before = arcs


def test_the_storage_shows_its_highest_token_and_its_lines() -> None:
    """Kleppmann 2016: the storage remembers the highest token."""
    for step in gallery("Lease: a paused leader with fencing").steps:
        shown, storage = marks(view.scene_of(step), 1), step.state["storage"]
        assert shown["storage:highest"].text == f"highest token\t{storage.highest}"
        kept = [mark.text.partition("\t")[0] for mark in shown.values() if mark.id.startswith("line:")]
        assert kept == list(storage.content)


def test_without_fencing_the_lost_line_is_shown_as_lost() -> None:
    shown = marks(view.scene_of(last("Lease: a paused leader without fencing")), 1)
    lines = {mark.text: mark.role for mark in shown.values() if mark.id.startswith("line:")}
    assert [text for text in lines if "lost" in text] == ["A2.1\tlost"]
    assert lines["A2.1\tlost"] == "bad"


def test_raft_shows_term_and_vote_as_they_are_on_disk() -> None:
    """Raft 5.2: a server votes once in a term, and keeps its vote on disk."""
    for step in gallery("Raft: the leader is cut off").steps:
        shown = marks(view.scene_of(step), 1)
        for server in step.state.up:
            said = shown[f"does:{server.id}"]
            assert isinstance(said, Label)
            assert said.text == f"term {server.current_term}, " + (
                f"voted {server.voted_for}" if server.voted_for else "no vote"
            )


def test_a_property_of_the_end_is_checked_only_if_nothing_more_happens() -> None:
    history = gallery("Chang-Roberts: a lost message leaves no leader")
    frames = Frames(history.machine, view, (all_know,), {})
    verdicts = [frames.of(step)["always"][0] for step in history.steps]
    assert not any(verdicts[:-1])
    assert "nobody" in verdicts[-1]
