"""The page of solutions with one part changed, as a learner may have written it: each usual mistake gets its hint.

That the page itself is accepted, and the notebook's cell not attempted, stands in `tests/test_chapters.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from patterns.engine.exercise import Exercise
from widgets.exercise import Judged, check
from widgets.player import Player

SOLUTIONS = Path(__file__).resolve().parents[2] / "notebooks" / "solutions"

DECIDE = 'if timed_out or "no" in votes.values():'
COMMIT = 'return "commit" if len(votes) == len(asked) else "wait"'
LEFT = 'return [txn for kind, txn in log if kind == "prepared" and txn not in decided]'
NEXT = "return [step for step in standing if not any(step in after[later] for later in standing)]"
STANDING = 'if what == "started" and step not in gone'
UNDO = 'return "apply" if mine.get(False) == "done" else "do nothing"'
OWNER = "points[low % len(points)]"
LOG = "theirs >= (server.last_log_term, server.last_log_index)"
MAJORITY = "2 * holders > len(match)"
TAKEN = "return bags - event.bags"
STANDS = "stored[expected + 1 : expected + 1 + len(ids)] == ids"
SAFE = "min(in_flight) - 1 if in_flight else max(visible, default=0)"
LATE = 'return "wait" if waited_ms < deadline_ms else "say stale"'

WRONG: dict[str, list[tuple[str, str, str, str]]] = {
    "consistent_hashing": [
        ("lookup", OWNER, "points[low]", "no wrap"),
        ("lookup", OWNER, "points[min(low, len(points) - 1)]", "no wrap: the last point"),
        ("lookup", OWNER, "points[low - 1]", "off by one: the point before"),
        (
            "lookup",
            "points[middle][0] < position",
            "points[middle][0] <= position",
            "off by one: a point's own position",
        ),
        ("lookup", "len(points)][1]", "len(points)]", "point instead of node"),
        ("place_all", ">= capacity", "> capacity", "one too many"),
        ("place_all", "(at + 1) % len(points)", "at + 1", "no wrap"),
        ("place_all", "(at + 1) % len(points)", "(at - 1) % len(points)", "counter-clockwise"),
    ],
    "leader_election": [
        ("on_election", "return True, not electing", "return not electing, not electing", "silent in an election"),
        ("on_election", "return True, not electing", "return True, False", "no election"),
        ("on_election", "return True, not electing", "return True, True", "begins again"),
        ("may_pass", "return token >= highest", "return token > highest", "each token once"),
        ("may_pass", "return token >= highest", "return token <= highest", "the other way round"),
        ("may_pass", "return token >= highest", "return True", "no fence"),
    ],
    "consensus_raft": [
        ("grant", "not in (None, request.candidate_id)", "is not None", "refuses the repeated request"),
        ("grant", "server.voted_for not in (None, request.candidate_id)", "False", "votes twice"),
        ("grant", "theirs >= (server", "theirs > (server", "more, not at least as much"),
        ("grant", LOG, "theirs[1] >= server.last_log_index", "only the length"),
        ("commit_index", "terms[index - 1] == current_term and ", "", "counts old terms"),
        ("commit_index", MAJORITY, "holders == len(match)", "all must have it"),
        ("commit_index", MAJORITY, "2 * holders >= len(match) - 1", "half is no majority"),
    ],
    "two_phase_commit": [
        ("decide", DECIDE, 'if "no" in votes.values():', "waits for ever"),
        ("decide", DECIDE, "if timed_out:", "no veto"),
        ("decide", COMMIT, 'return "commit" if votes else "wait"', "the first vote"),
        ("decide", COMMIT, 'return "commit" if len(votes) == len(asked) else "abort"', "does not wait"),
        ("to_ask", LEFT, "return []", "nothing"),
        ("to_ask", LEFT, 'return [txn for kind, txn in log if kind == "prepared"]', "all prepared"),
    ],
    "saga": [
        ("compensate_next", NEXT, "return standing[:1]", "the first first"),
        ("compensate_next", NEXT, "return standing", "all at once"),
        ("compensate_next", NEXT, "return []", "never"),
        ("compensate_next", STANDING, 'if what == "done" and step not in gone', "forgets the step under way"),
        ("compensate_next", 'in ("refused", "undone")', 'in ("undone",)', "undoes what was refused"),
        ("compensate_next", 'in ("refused", "undone")', 'in ("refused",)', "undoes it again"),
        ("what_to_do", 'return "do nothing" if True in mine else "apply"', 'return "apply"', "after its compensation"),
        ("what_to_do", UNDO, 'return "apply"', "undoes what was not done"),
        ("what_to_do", "if undo in mine", "if not undo and undo in mine", "undoes twice"),
        ("what_to_do", "if undo in mine", "if mine", "one key for both"),
        ("what_to_do", "if (of, name) == (saga, step)", "if name == step", "any saga"),
        ("what_to_do", "if (of, name) == (saga, step)", "if of == saga", "any step"),
    ],
    "event_sourcing": [
        ("evolve", TAKEN, f"{TAKEN} * isinstance(event, Shipped)", "reserved is free"),
        ("evolve", "return bags + event.by", "return bags", "ignores a correction"),
        ("evolve", "return bags + event.by", "return event.by", "a correction is a total"),
        ("decide", "command.bags > bags", "False", "ships what is not there"),
        ("decide", "command.found - bags", "command.found", "the count as the difference"),
        ("decide", "[] if command.found == bags else ", "", "corrects by nothing"),
        ("append", STANDS, "False", "version first"),
        ("append", STANDS, "stored[-len(ids) :] == ids", "only at the end"),
        ("append", 'return "same" if all(known) else "conflict"', 'return "same"', "row by row"),
        ("safe_up_to", SAFE, "max(visible, default=0)", "the highest visible"),
        ("safe_up_to", "min(in_flight) - 1", "min(in_flight)", "one too far"),
    ],
    "cqrs": [
        ("project", "position != checkpoint + 1", "position > checkpoint + 1", "counts a duplicate"),
        ("project", "position != checkpoint + 1", "position <= checkpoint", "jumps over a gap"),
        ("project", "return row + event, position", "return row, position", "moves the checkpoint alone"),
        ("project", "return row + event, position", "return row + event, checkpoint", "forgets the checkpoint"),
        ("answer", "model_position >= wanted", "model_position > wanted", "more instead of at least"),
        ("answer", "model_position >= wanted", "model_position == wanted", "exactly this position"),
        ("answer", LATE, 'return "wait"', "hangs at the deadline"),
        ("answer", LATE, LATE.replace("say stale", "show"), "shows at the deadline"),
    ],
}
"""Chapter -> (function, what stands in the solution, what stands there instead, the name of the mistake)."""


def exercise(chapter: str, function: str) -> Exercise:
    found: Exercise = import_module(f"patterns.{chapter}.lesson").EXERCISES[function]
    return found


def written(source: str, function: str) -> Callable[..., Any]:
    scope: dict[str, Any] = {}
    exec(source, scope)
    return scope[function]


def changed(chapter: str, function: str, was: str, becomes: str) -> Judged:
    """The verdict on the solution with one part changed."""
    source = (SOLUTIONS / f"{chapter}.py").read_text(encoding="utf-8")
    assert source.count(was) == 1, was
    return check(exercise(chapter, function), written(source.replace(was, becomes), function))


@pytest.mark.parametrize(
    ("chapter", "function", "was", "becomes", "mistake"),
    [(chapter, *wrong) for chapter, all_wrong in WRONG.items() for wrong in all_wrong],
)
def test_a_usual_mistake_is_refused_with_its_own_hint_and_a_run_to_step(
    chapter: str, function: str, was: str, becomes: str, mistake: str
) -> None:
    judged = changed(chapter, function, was, becomes)
    assert not judged
    assert judged.verdict.mistake == mistake
    assert judged.verdict.hint
    if exercise(chapter, function).put is not None:
        assert isinstance(judged.player, Player)


def test_a_leader_that_counts_old_terms_opens_in_the_player_where_figure_8_breaks() -> None:
    judged = changed("consensus_raft", "commit_index", "terms[index - 1] == current_term and ", "")
    player = judged.player
    assert isinstance(player, Player)
    assert player.step is player.history.step
    broken = [reason for reason in player.frames[player.step.number]["always"] if reason]
    assert broken, "an invariant does not hold at the step it opens at"


def test_a_wrong_lookup_opens_in_the_player_as_the_walk_it_should_be() -> None:
    player = changed("consistent_hashing", "lookup", OWNER, "points[low]").player
    assert isinstance(player, Player)
    assert player.step.notes[0].rule == "wrap"


def test_waiting_for_all_votes_after_a_no_is_slower_and_right() -> None:
    """BHG 7.4: the coordinator may abort at the first no; nothing says that it must."""

    def decide(votes: dict[str, str], asked: tuple[str, ...], timed_out: bool) -> str:
        if len(votes) < len(asked):
            return "abort" if timed_out else "wait"
        return "abort" if "no" in votes.values() else "commit"

    judged = check(exercise("two_phase_commit", "decide"), decide)
    assert judged, repr(judged)


def test_a_mistake_that_takes_two_transactions_at_once_is_refused_in_words() -> None:
    """The search runs one transaction; the cases have up to three."""
    to_ask = exercise("two_phase_commit", "to_ask")
    judged = check(to_ask, lambda log: [txn for kind, txn in log[-1:] if kind == "prepared"])
    assert not judged
    assert judged.verdict.mistake == "only the last record"
    assert "prepared T1, prepared T2" in judged.verdict.failing


@pytest.mark.parametrize(
    ("function", "answer"),
    [("compensate_next", 3), ("compensate_next", "charge"), ("what_to_do", "skip"), ("what_to_do", True)],
)
def test_an_answer_of_the_wrong_kind_is_refused_in_words(function: str, answer: Any) -> None:
    judged = check(exercise("saga", function), lambda *arguments: answer)
    assert not judged
    assert judged.verdict.hint
    assert isinstance(judged.player, Player)
