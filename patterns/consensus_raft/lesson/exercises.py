"""The exercises of this chapter: `judge_vote(grant)` and `judge_commit(commit_index)`, each with its solution."""

from .commit_exercise import COMMIT_MISTAKES, commit_solution, judge_commit
from .vote_exercise import VOTE_MISTAKES, Voter, judge_vote, vote_solution

__all__ = [
    "COMMIT_MISTAKES",
    "VOTE_MISTAKES",
    "Voter",
    "commit_solution",
    "judge_commit",
    "judge_vote",
    "vote_solution",
]
