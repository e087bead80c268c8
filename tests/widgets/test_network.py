"""Cuts and messages between processes: a partition is one wall, and ways in a row go over the heads."""

from __future__ import annotations

from patterns.consensus_raft import RaftCluster
from patterns.engine.script import Script
from patterns.engine.world import World
from patterns.two_phase_commit import TwoPhaseCommit
from widgets.chapters.consensus_raft.view import RaftView
from widgets.chapters.two_phase_commit.view import CommitView
from widgets.kit import cuts
from widgets.scene import Line, Message


def drawn(world: World) -> list[str]:
    view = RaftView(world)
    return [mark.id for mark in cuts(world, view.ends, view.at) if isinstance(mark, Line)]


def test_a_partition_is_one_wall_between_its_sides() -> None:
    world = Script(RaftCluster()).cut_off("S1", "S2").world
    view = RaftView(world)
    (wall,) = cuts(world, view.ends, view.at)
    assert isinstance(wall, Line)
    assert (wall.id, wall.tone) == ("cut:S1,S2", "wall")
    across = [(wall.x2 - wall.x) * (y - wall.y) - (wall.y2 - wall.y) * (x - wall.x) for x, y in view.at.values()]
    assert {side > 0 for side in across[:2]} != {side > 0 for side in across[2:]}, "the seats are on both sides"
    assert len({side > 0 for side in across[:2]}) == len({side > 0 for side in across[2:]}) == 1


def test_what_no_straight_wall_can_part_is_crossed_out_link_by_link() -> None:
    assert len(drawn(Script(RaftCluster()).cut_off("S1", "S3").world)) == 6, "S2 sits between the two"
    assert drawn(Script(RaftCluster()).cut("S1", "S2").world) == ["cut:S1:S2"], "the others still link them"
    assert drawn(Script(RaftCluster()).cut("S1", "S2", one_way=True).world) == ["cut:S1:S2"]


def test_messages_in_a_row_go_over_the_heads_and_answers_lower() -> None:
    run = Script(TwoPhaseCommit(n=3)).ask("A")
    (panel,) = CommitView.scene_of(run.step).panels
    ways = sorted((mark for mark in panel.marks if isinstance(mark, Message)), key=lambda way: way.x2 - way.x)
    assert [way.bend for way in ways] == sorted(way.bend for way in ways), "the farther the higher"
    assert all(way.bend > 0 for way in ways)
