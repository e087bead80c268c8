"""What a player takes from a chapter's declaration: the view, the milestones, the machines beside the one it plays."""

from __future__ import annotations

import pytest
from token_ring import TokenRing

from patterns.engine.counterexample import Counterexample
from patterns.engine.explore import explore
from patterns.engine.history import History, ReplayError
from patterns.engine.milestones import fired
from patterns.engine.properties import Always, NoFailure
from patterns.leader_election import BullyElection, LeaseElection
from patterns.leader_election.lesson import CHAPTER
from patterns.two_phase_commit.lesson import CHAPTER as TRANSACTIONS
from widgets import play
from widgets.chapters.leader_election.view import VIEW
from widgets.declared import machines_of, milestones_of, view_of
from widgets.kit import ProcessView
from widgets.player import BROKEN, Player


class Mine(BullyElection):
    """A learner's subclass: what is declared for its base is its own, too."""

    milestones = {"an answer comes": fired("B.answer")}


def test_the_view_and_the_milestones_are_those_of_the_machines_chapter() -> None:
    machine = BullyElection()
    assert view_of(machine) is VIEW
    assert milestones_of(machine) == CHAPTER.milestones_of(machine)
    assert play(machine).head["until"] == [*CHAPTER.milestones_of(machine), BROKEN]


def test_a_subclass_has_the_milestones_of_its_base_and_its_own() -> None:
    found = milestones_of(Mine())
    assert found == {**CHAPTER.milestones_of(BullyElection()), **Mine.milestones}
    assert "an answer comes" in found


def test_a_replay_code_of_another_machine_of_the_chapter_is_opened_with_its_view_and_milestones() -> None:
    player = play(BullyElection())
    assert isinstance(player, Player)
    assert {type(each) for each in machines_of(player.history.machine)} >= {BullyElection, LeaseElection}
    lease = History(LeaseElection())
    lease.advance()
    player.replay(lease.code)
    assert isinstance(player.history.machine, LeaseElection)
    assert player.head["name"] == LeaseElection.name
    assert player.head["lanes"] == list(lease.state.names)
    assert set(CHAPTER.milestones_of(lease.machine)) <= set(player.head["until"])


def test_a_replay_code_of_another_chapter_is_refused_and_keeps_the_run() -> None:
    from patterns.consensus_raft import RaftCluster

    player = play(BullyElection())
    assert isinstance(player, Player)
    history = player.history
    with pytest.raises(ReplayError, match="this replay code is of 'consensus_raft'"):
        player.replay(History(RaftCluster()).code)
    assert player.history is history


def test_what_a_search_found_is_played_and_a_search_that_found_nothing_is_refused_in_words() -> None:
    bug = TRANSACTIONS.bugs["commits without all votes"]
    found = bug.found()
    assert play(found).history is found.counterexample.history
    with pytest.raises(ValueError, match="the search found no run that breaks a promise"):
        play(bug.clean())


def test_a_machine_of_no_chapter_may_name_its_view_itself() -> None:
    class Own(ProcessView):
        title = "My ring"

    class Viewed(TokenRing):
        view = Own

    machine = Viewed(laps=1)
    assert view_of(machine) is Own
    assert machines_of(machine) == ()
    assert play(machine).head["title"] == "My ring"


def test_a_counterexample_is_played_with_the_property_that_it_breaks() -> None:
    never = Always("P2 never enters", lambda world: "P2 is inside" if world["P2"].inside else None)
    found = explore(TokenRing(laps=1, budget={}), [never])
    player = play(found)
    assert player.head["always"] == [*(each.name for each in TokenRing.always), never.name]
    assert player.frames[player.step.number]["always"][-1] == "P2 is inside"
    assert play(found, always=()).head["always"] == []
    failed = found._replace(counterexample=Counterexample(NoFailure(), "", found.counterexample.history))
    assert NoFailure().name not in play(failed).head["always"]  # no state shows it
