"""How a transaction stands with a process, as a shape, a sign and a word: what discs, captions and rows say.

A transaction has a colour, as a term has in Raft, and nothing else has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from patterns.engine.world import World
from patterns.two_phase_commit import Branch, Coordinator, Open, Participant, Prepare
from patterns.two_phase_commit.coordinator import client_name
from patterns.two_phase_commit.log import Records, outcome_in
from patterns.two_phase_commit.messages import (
    Abort,
    Ack,
    Commit,
    InDoubt,
    Inquiry,
    Outcome,
    PreCommit,
    PreCommitted,
    StateReport,
    StateRequest,
    Voted,
    past,
)
from patterns.two_phase_commit.readings import prepared_undecided
from widgets.scene import Role, Tone


class Look(NamedTuple):
    """How a disc looks whose process stands so: a shape, which the transaction gives its colour."""

    word: str
    sign: str
    role: Role
    tone: Tone = "outline"


IDLE = Look("", "", "follower")
CRASHED = Look("crashed", "✕", "down", "dashed")
WAITS = Look("waits", "…", "follower")
IN_DOUBT = Look("in doubt", "?", "candidate")
READY = Look("ready", "◆", "follower")
VOTING = Look("voting", "…", "follower")
ASKING = Look("asks", "?", "candidate")
COMMIT = Look("commit", "✓", "follower", "solid")
ABORT = Look("abort", "↶", "follower")

BRANCH = {"waiting": WAITS, "in doubt": IN_DOUBT, "committable": READY}
PHASE = {"voting": VOTING, "pre-committing": READY, "committing": COMMIT, "aborting": ABORT, "recovering": ASKING}
OUTCOME = {"commit": COMMIT, "abort": ABORT}


class Stand(NamedTuple):
    """How one transaction stands with one process."""

    txn: str
    look: Look
    line: str
    """In a few words."""
    words: str
    """In a part of a sentence, after the process's name."""


def role_of(txn: str) -> Role:
    """The colour of a transaction, by its number; they come round again after eight."""
    digits = "".join(each for each in client_name(txn) if each.isdigit())
    return f"c{(int(digits or 1) - 1) % 8 + 1}"


MESSAGES: Mapping[type, str] = {
    Prepare: "prepare",
    Voted: "{vote}",
    Commit: "commit",
    Abort: "abort",
    Ack: "ack",
    InDoubt: "unknown",
    PreCommit: "pre-commit",
    PreCommitted: "ready",
    StateRequest: "state?",
    StateReport: "{state}",
}
"""In a word or two. An inquiry has its own words."""
GLYPHS: Mapping[str, tuple[type, ...]] = {
    "?": (Prepare, Inquiry, InDoubt, StateRequest),
    "{vote}": (Voted,),
    "commit": (Commit,),
    "no": (Abort,),
    "a": (Ack, PreCommitted),
}
ANSWERS = (Voted, Ack, PreCommitted, InDoubt, StateReport)


# Where everybody stands


def stands(world: World, process: Any) -> list[Stand]:
    """How each transaction stands with a process: those that are open there, then those it has decided, the last
    decided first."""
    down = process.id in world.down
    if down:
        found = [_promised(txn) for txn in prepared_undecided(process)] if isinstance(process, Participant) else []
    elif isinstance(process, Coordinator):
        found = [_open(open) for open in process.open.values()]
    else:
        found = [_branch(world, process, branch) for branch in process.branches.values()]
    known = {stand.txn for stand in found}
    decided: dict[str, Outcome] = {}
    for record in (*process.log, *process.buffer):
        txn = record.txn
        outcome = process.outcome_of(txn) if isinstance(process, Coordinator) else outcome_in((record,))
        if outcome and txn not in known:
            decided[txn] = outcome
    return found + [_decided(txn, outcome, down) for txn, outcome in reversed(decided.items())]


def pressing(world: World, process: Any) -> Stand | None:
    """How the transaction stands that presses most, or was decided last."""
    found = stands(world, process)
    order = (IN_DOUBT, READY, ASKING, VOTING, WAITS)
    return next((stand for look in order for stand in found if stand.look == look), found[0] if found else None)


def duration(ms: int) -> str:
    """As short as a box."""
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def _branch(world: World, process: Participant, branch: Branch) -> Stand:
    txn, look = branch.txn, BRANCH[branch.state]
    ms = f"for {max(0, world.clock - branch.since):,} ms"
    words = {
        "waiting": f"lets {txn} wait for {', '.join(process.in_the_way(branch))} {ms}",
        "in doubt": f"has voted yes on {txn} and is in doubt {ms}",
        "committable": f"is ready to commit {txn}, undecided {ms}",
    }[branch.state]
    return Stand(txn, look, f"{look.sign} {txn} {look.word}", words)


def _open(open: Open) -> Stand:
    txn, of, look = open.txn, len(open.asked), PHASE[open.phase]
    told = of - len(open.missing)
    match open.phase:
        case "voting":
            words = f"has {len(open.votes)} of {of} votes on {txn}"
            return Stand(txn, look, f"{txn} votes {len(open.votes)}/{of}", words)
        case "pre-committing":
            words = f"asks for pre-commits of {txn}, has {told} of {of}"
            return Stand(txn, look, f"◆ {txn} ready {told}/{of}", words)
        case "recovering":
            return Stand(txn, look, f"? {txn} asks all", f"asks what became of {txn}")
    outcome: Outcome = "commit" if open.phase == "committing" else "abort"
    waits = f"waits for {', '.join(sorted(open.missing))} to acknowledge"
    return Stand(txn, look, f"{look.sign} {txn} {look.word}", f"has {past(outcome)} {txn} and {waits}")


def _decided(txn: str, outcome: Outcome, down: bool) -> Stand:
    look = OUTCOME[outcome]
    if down:
        return Stand(txn, look, f"{look.sign} {txn} on disk", f"has on disk that {txn} is {past(outcome)}")
    return Stand(txn, look, f"{look.sign} {txn} {look.word}", f"has {past(outcome)} {txn}")


def _promised(txn: str) -> Stand:
    return Stand(txn, IN_DOUBT, f"? {txn} on disk", f"has its yes on {txn} on disk, and no decision")


# Boxes

_RECORDS = {"Collecting": "collect", "Prepared": "prepare", "Committed": "commit", "Aborted": "abort"}


def record_in_short(record: Records) -> str:
    kind = type(record).__name__
    return f"{_RECORDS.get(kind, kind.lower())} {record.txn}"


def waits_for(process: Participant, branch: Branch) -> str:
    """The transactions that it waits for, if it waits."""
    return f"waits for {', '.join(process.in_the_way(branch))}" if branch.state == "waiting" else ""
