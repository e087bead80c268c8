"""The vote rule and the commit rule as exercises: which run a mistake is shown in. And the game."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.consensus_raft.lesson import EXERCISES
from patterns.consensus_raft.lesson.broken import VoteNotDurable
from patterns.consensus_raft.lesson.gallery import stand
from patterns.consensus_raft.lesson.game import GAME_SEARCH, admit, game, referee
from patterns.consensus_raft.properties import election_safety
from patterns.engine.exercise import Verdict
from patterns.engine.history import History
from patterns.engine.planted import first_broken, planted
from patterns.engine.script import Script, Unreached
from patterns.engine.world import Fire


def judged(exercise: str, mistake: str) -> Verdict:
    """The verdict on this usual mistake."""
    found = EXERCISES[exercise]
    return found.judge(next(each.function for each in found.mistakes if each.name == mistake))


def test_a_rule_that_counts_old_entries_is_shown_figure_8() -> None:
    """5.4.2."""
    history = judged("commit_index", "counts old terms").history
    assert history is not None
    here = history.step
    broken = first_broken(history, history.machine.always)
    assert broken is not None
    assert broken.property.name.startswith("Leader Completeness")
    assert history.step is here, "it stands at the bad step"


@pytest.mark.parametrize("mistake", ["votes twice", "always"])
def test_a_rule_that_votes_twice_is_shown_two_leaders_of_one_term(mistake: str) -> None:
    """5.2."""
    history = judged("grant", mistake).history
    assert history is not None
    broken = first_broken(history, (election_safety,))
    assert broken is not None


@pytest.mark.parametrize("mistake", ["no log check", "index before term", "only the length"])
def test_a_rule_that_compares_logs_wrongly_is_shown_a_committed_entry_that_is_lost(mistake: str) -> None:
    """5.4.1."""
    assert "was committed in term" in judged("grant", mistake).failing


def test_another_right_way_is_as_good() -> None:
    """The highest index that a majority holds is the lower median of match; logs' terms never fall (5.3)."""

    def by_median(current_term: int, commit_index: int, terms: tuple[int, ...], match: tuple[int, ...]) -> int:
        index = sorted(match)[(len(match) - 1) // 2]
        return index if index > commit_index and terms[index - 1] == current_term else commit_index

    assert EXERCISES["commit_index"].judge(by_median).accepted


def test_a_commit_rule_that_leaves_the_log_is_answered_in_words() -> None:
    verdict = EXERCISES["commit_index"].judge(lambda current_term, commit_index, terms, match: len(terms) + 1)
    assert not verdict.accepted
    assert verdict.history is not None


# The game


def test_the_game_cannot_be_won_in_term_1() -> None:
    """Election Safety (5.2), by a search of every run: 3 servers, 2 crashes, any loss, 1 term."""
    found = admit()
    assert found.complete, str(found)
    assert found.counterexample is None, str(found)


def test_the_referee_sees_two_leaders_of_one_term_where_votes_are_not_durable() -> None:
    found = GAME_SEARCH.run(planted(GAME_SEARCH.machine, server=VoteNotDurable)).counterexample
    assert found is not None
    ruling = referee(found.history)
    assert ruling.won
    assert str(ruling).startswith("You made it: term 1 has two leaders")
    assert ruling.step is found.history.step


def test_the_referee_sees_two_leaders_one_after_the_other() -> None:
    """At most one leader can be elected in a term, at any time (Figure 3)."""
    run = Script(planted(game(), server=VoteNotDurable))
    stand(run, "S1", "S3")
    run.crash("S1", "S3")
    run.restart("S1", "S3")
    stand(run, "S2", "S3")
    assert [server.id for server in run.world.up if server.role == "leader"] == ["S2"]
    ruling = referee(run.history)
    assert ruling.won
    assert "S1 and S2" in str(ruling)


def test_the_referee_says_how_close_a_game_came() -> None:
    run = Script(game())
    for candidate in ("S1", "S2", "S3"):
        run.fire(candidate, "election")
    ruling = referee(run.history)
    assert not ruling.won
    assert "3 candidates or leaders in one term, at step 3" in str(ruling)
    assert "2 of 2 crashes and 1 of 1 drops are left" in str(ruling)


def test_the_game_allows_no_third_crash() -> None:
    run = Script(game())
    run.crash("S1", "S2")
    before = run.history.step
    with pytest.raises(Unreached, match="the budget has no crash left"):
        run.crash("S3")
    assert run.history.step is before


def test_the_referee_looks_at_every_branch() -> None:
    found = GAME_SEARCH.run(planted(GAME_SEARCH.machine, server=VoteNotDurable)).counterexample
    assert found is not None
    history: History[Any, Any] = found.history
    history.jump(0)
    history.apply(Fire("S3", "election"))
    assert referee(history).won
