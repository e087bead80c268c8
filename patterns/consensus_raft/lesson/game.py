"""A game: with two crashes and one lost message, make two leaders of one term - or admit that it cannot be done.

history = History(game())          # play it in the player
print(referee(history))            # did any branch get there?
print(admit())                     # what a search of all runs says, and within which bounds
"""

from __future__ import annotations

from typing import Any, NamedTuple

from patterns.consensus_raft.cluster import RaftCluster
from patterns.consensus_raft.properties import election_safety
from patterns.consensus_raft.state import ServerState
from patterns.engine.explore import Exploration
from patterns.engine.history import History
from patterns.engine.planted import Search
from patterns.engine.step import Step
from patterns.engine.world import World

from .small import SmallCluster

CRASHES, DROPS = 2, 1
GAME_SEARCH = Search(SmallCluster(budget={"crash": CRASHES}), (election_safety,))
"""The game as a search looks at it: the same servers and crashes, elections of term 1 only, no heartbeats.

Any number of messages may be lost: a search need not deliver a message. So it covers all of the game that happens in
term 1. It says nothing of later terms. (The paper argues for any number of terms that no term has two leaders, 5.2.)
"""


def game(seed: int = 0) -> RaftCluster:
    """Three servers, two crashes, one drop. Which message arrives next, and which timer runs out, is free."""
    return RaftCluster(servers=3, clients=0, budget={"crash": CRASHES, "drop": DROPS}, seed=seed)


class Ruling(NamedTuple):
    """The referee's decision on a game."""

    won: bool
    step: Step[World[ServerState], Any] | None
    """The first step with two leaders of one term; without one, the step that came closest."""
    words: str

    def __str__(self) -> str:
        return self.words


def referee(history: History[World[ServerState], Any]) -> Ruling:
    """Whether some branch of the history has two leaders of one term, at the same time or one after the other."""
    for leaf in history.leaves:
        leaders: dict[int, str] = {}
        for step in leaf.path:
            for server in step.state.processes:
                if server.role != "leader":
                    continue
                first = leaders.setdefault(server.current_term, server.id)
                if first != server.id:
                    words = f"You made it: term {server.current_term} has two leaders, {first} and {server.id}."
                    return Ruling(True, step, words)
    closest = max(history.steps, key=lambda step: _in_one_term(step.state))
    crashes, drops = (history.state.left(fault) for fault in ("crash", "drop"))
    words = (
        f"Not in these {len(history.steps) - 1} steps. The closest you came: {_in_one_term(closest.state)} candidates "
        f"or leaders in one term, at step {closest.number}. Where you stand, {crashes} of {CRASHES} crashes and "
        f"{drops} of {DROPS} drops are left."
    )
    return Ruling(False, closest, words)


def _in_one_term(world: World[ServerState]) -> int:
    """The most servers that stand for election or lead in the same term."""
    terms = [server.current_term for server in world.processes if server.role != "follower"]
    return max((terms.count(term) for term in terms), default=0)


def admit() -> Exploration:
    """Search every run of the game within the bounds of `GAME_SEARCH` for two leaders of one term."""
    return GAME_SEARCH.run()
