"""The vote rule and the commit rule as exercises, and the game: solutions are accepted, usual mistakes refused with the
right hint, and the untouched exercise is not attempted yet."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.consensus_raft import RequestVote
from patterns.consensus_raft.lesson.broken import VoteNotDurable
from patterns.consensus_raft.lesson.directing import Director
from patterns.consensus_raft.lesson.exercises import (
    COMMIT_MISTAKES,
    VOTE_MISTAKES,
    Voter,
    commit_solution,
    judge_commit,
    judge_vote,
    vote_solution,
)
from patterns.consensus_raft.lesson.game import admit, game, referee
from patterns.engine.counterexample import Watch
from patterns.engine.history import History
from patterns.engine.machine import NotEnabled
from patterns.engine.world import Fire


def untouched(*given: Any) -> Any: ...


def unfinished(*given: Any) -> Any:
    raise NotImplementedError


@pytest.mark.parametrize("judge", [judge_vote, judge_commit])
@pytest.mark.parametrize("exercise", [untouched, unfinished])
def test_an_untouched_exercise_is_not_attempted_yet(judge: Any, exercise: Any) -> None:
    verdict = judge(exercise)
    assert not verdict.accepted
    assert not verdict.attempted
    assert str(verdict).startswith("Not attempted yet")


@pytest.mark.parametrize(("judge", "solution"), [(judge_vote, vote_solution), (judge_commit, commit_solution)])
def test_the_solution_is_accepted_in_every_state_tried(judge: Any, solution: Any) -> None:
    verdict = judge(solution)
    assert verdict.accepted, str(verdict)
    assert (verdict.what, verdict.tried > 2_000) == ("states", True)


@pytest.mark.parametrize("mistake", VOTE_MISTAKES, ids=lambda mistake: mistake.name)
def test_a_usual_mistake_in_the_vote_rule_is_named_and_shown_in_a_run(mistake: Any) -> None:
    """RequestVote rules 1 and 2 (5.1, 5.2, 5.4.1)."""
    verdict = judge_vote(mistake.function)
    assert verdict.attempted
    assert not verdict.accepted
    assert (verdict.mistake, verdict.hint) == (mistake.name, mistake.hint)
    assert verdict.history is not None
    assert verdict.history.step is verdict.history.branch[-1], "it stands at the bad step"


@pytest.mark.parametrize("mistake", COMMIT_MISTAKES, ids=lambda mistake: mistake.name)
def test_a_usual_mistake_in_the_commit_rule_is_named_and_shown_in_a_run(mistake: Any) -> None:
    """Leaders 4 (5.3, 5.4.2)."""
    verdict = judge_commit(mistake.function)
    assert not verdict.accepted
    assert (verdict.mistake, verdict.hint) == (mistake.name, mistake.hint)
    assert verdict.history is not None


def test_who_counts_old_entries_is_shown_figure_8() -> None:
    """5.4.2."""
    counts_old = next(mistake for mistake in COMMIT_MISTAKES if mistake.name == "counts old terms")
    history = judge_commit(counts_old.function).history
    assert history is not None
    watch = Watch(history.machine, history.machine.always)
    memories = watch.begin(history.steps[0].state)
    for step in history.path[1:]:
        assert step.parent is not None
        memories = watch.follow(memories, step.parent.state, step.event, step.state, step.notes)
    found = watch.broken(memories, history.state)
    assert found is not None
    assert found[0].name.startswith("Leader Completeness")


@pytest.mark.parametrize("mistake", ["votes twice", "always"])
def test_who_votes_twice_is_shown_two_leaders_of_one_term(mistake: str) -> None:
    """5.2."""
    function = next(each.function for each in VOTE_MISTAKES if each.name == mistake)
    verdict = judge_vote(function)
    assert "the leader of term 1: first" in verdict.failing


@pytest.mark.parametrize("mistake", ["no log check", "index before term", "only the length"])
def test_who_compares_logs_wrongly_is_shown_a_committed_entry_that_is_lost(mistake: str) -> None:
    """5.4.1."""
    function = next(each.function for each in VOTE_MISTAKES if each.name == mistake)
    assert "was committed in term" in judge_vote(function).failing


def test_another_right_way_is_as_good() -> None:
    """The highest index that a majority holds is the lower median of match; logs' terms never fall (5.3)."""

    def by_median(current_term: int, commit_index: int, terms: tuple[int, ...], match: tuple[int, ...]) -> int:
        index = sorted(match)[(len(match) - 1) // 2]
        return index if index > commit_index and terms[index - 1] == current_term else commit_index

    assert judge_commit(by_median).accepted


def test_a_rule_that_raises_is_answered_in_words() -> None:
    def raises(server: Voter, request: RequestVote) -> bool:
        return bool(server.last_log_terms > 0)  # type: ignore[attr-defined]

    verdict = judge_vote(raises)
    assert not verdict.accepted
    assert "AttributeError" in verdict.failing


def test_a_commit_rule_that_leaves_the_log_is_answered_in_words() -> None:
    verdict = judge_commit(lambda current_term, commit_index, terms, match: len(terms) + 1)
    assert not verdict.accepted
    assert verdict.history is not None


def test_what_is_no_function_is_refused_in_words() -> None:
    verdict = judge_vote(True)  # type: ignore[arg-type]
    assert not verdict.accepted
    assert "Give the function itself" in verdict.hint


# The game


def test_the_game_cannot_be_won_in_term_1() -> None:
    """Election Safety (5.2), by a search of every run: 3 servers, 2 crashes, any loss, 1 term."""
    found = admit()
    assert found.complete, str(found)
    assert found.counterexample is None, str(found)


def test_the_referee_sees_two_leaders_of_one_term_where_votes_are_not_durable() -> None:
    found = admit(VoteNotDurable).counterexample
    assert found is not None
    ruling = referee(found.history)
    assert ruling.won
    assert str(ruling).startswith("You made it: term 1 has two leaders")
    assert ruling.step is found.history.step


def test_the_referee_sees_two_leaders_one_after_the_other() -> None:
    """At most one leader can be elected in a term, at any time (Figure 3)."""
    run = Director(game(VoteNotDurable))
    run.stand("S1", "S3")
    run.crash("S1", "S3")
    run.restart("S1", "S3")
    run.stand("S2", "S3")
    assert [server.id for server in run.world.up if server.role == "leader"] == ["S2"]
    ruling = referee(run.history)
    assert ruling.won
    assert "S1 and S2" in str(ruling)


def test_the_referee_says_how_close_a_game_came() -> None:
    run = Director(game())
    for candidate in ("S1", "S2", "S3"):
        run.times_out(candidate)
    ruling = referee(run.history)
    assert not ruling.won
    assert "3 candidates or leaders in one term, at step 3" in str(ruling)
    assert "2 of 2 crashes and 1 of 1 drops are left" in str(ruling)


def test_the_game_allows_no_third_crash() -> None:
    run = Director(game())
    run.crash("S1", "S2")
    before = run.history.step
    with pytest.raises(NotEnabled, match="the budget has no crash left"):
        run.crash("S3")
    assert run.history.step is before


def test_the_referee_looks_at_every_branch() -> None:
    found = admit(VoteNotDurable).counterexample
    assert found is not None
    history: History[Any, Any] = found.history
    history.jump(0)
    history.apply(Fire("S3", "election"))
    assert referee(history).won
