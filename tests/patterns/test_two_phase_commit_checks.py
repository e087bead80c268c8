"""What atomic commitment promises: AC1 to AC5 of Bernstein, Hadzilacos, Goodman 1987 (`BHG`), section 7.3.

Every run of small machines with every schedule, losses, and crashes at any step; long random runs of larger ones; the
specification that the processes refine; and planted bugs, which the same checks must catch.

A handler's write and its messages are one step. A crash after the write and before the messages left is the crash and
the loss of the messages: so the searches that crash have losses in their budget, too.

More of both, some minutes: pytest -m slow tests/patterns/test_two_phase_commit_checks.py
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import pytest

from patterns.engine.dead_ends import Backwards, dead_end
from patterns.engine.explore import explore
from patterns.engine.planted import MANY_FAULTS, planted
from patterns.engine.process import on
from patterns.engine.properties import Always, Property
from patterns.engine.random_worlds import FAULTS, random_worlds
from patterns.engine.table import Table
from patterns.engine.world import World
from patterns.two_phase_commit import PROTOCOLS, TwoPhaseCommit, blocked, coordinator, in_doubt, refinement
from patterns.two_phase_commit.lesson import BUGS
from patterns.two_phase_commit.lesson.broken import SMALL, TRANSFER, TakesSilenceForYes
from patterns.two_phase_commit.messages import InDoubt, Inquiry, Outcome
from patterns.two_phase_commit.presumed import PresumedAbortCoordinator
from patterns.two_phase_commit.properties import (
    ALWAYS,
    agreement,
    committed_somewhere,
    given_up,
    no_duel,
    only_if_all_voted_yes,
    settled,
)
from patterns.two_phase_commit.readings import is_spent
from patterns.two_phase_commit.refinement import refines
from patterns.two_phase_commit.specification import TwoPhase

TWO = (TRANSFER,)
THREE = ({"ann": -40, "bob": 20, "cho": 20},)
ONE_READS = ({"ann": -40, "bob": 40, "cho": 0},)
BOTH_WAYS = ({"ann": -40, "bob": 40}, {"bob": -30, "ann": 30})
REFUSED = ({"ann": -140, "bob": 140},)
TWO_PHASES = tuple(name for name in PROTOCOLS if name != "three_phase")


def small(protocol: str, budget: Mapping[str, int], transfers: Sequence[Mapping[str, int]], **options: Any) -> Any:
    n = len({name for transfer in transfers for name in transfer})
    settings = {"n": n, "protocol": protocol, "transfers": transfers, "retries": False, **options}
    return TwoPhaseCommit(**settings, budget=budget)


# Every run

QUIET = {"crash": 1, "drop": 1}
HALT = {"crash": 2, "drop": 2}
COPY = {"duplicate": 1, "drop": 1}
EVERY_RUN = {
    # any order, any timer at any moment, and no fault
    "basic, asynchronous": (small("basic", {}, TWO, timing="asynchronous", cooperative=False), 607),
    "presumed commit, asynchronous": (small("presumed_commit", {}, TWO, timing="asynchronous"), 4_348),
    # a crash and a restart at any step, and a loss
    "basic, a crash": (small("basic", {"crash": 1}, TWO, timing="quiet"), 687),
    "basic, a loss": (small("basic", {"drop": 1}, TWO, timing="quiet"), 144),
    "basic, a crash, a loss": (small("basic", QUIET, TWO, timing="quiet"), 4_056),
    "presumed abort, a crash, a loss": (small("presumed_abort", QUIET, TWO, timing="quiet"), 3_118),
    "presumed commit, a crash, a loss": (small("presumed_commit", QUIET, TWO, timing="quiet"), 3_858),
    "presumed commit, refused, a crash, a loss": (small("presumed_commit", QUIET, REFUSED, timing="quiet"), 1_980),
    # three participants, one of whom only reads
    "read-only, two losses": (small("read_only", {"drop": 2}, ONE_READS, timing="quiet"), 973),
    # a message comes twice
    "basic, a copy, a loss": (small("basic", COPY, TWO, timing="quiet"), 709),
    "presumed abort, read-only, a copy, a loss": (small("read_only", COPY, ONE_READS, timing="quiet"), 1_408),
    "presumed commit, a copy, a crash": (
        small("presumed_commit", {"duplicate": 1, "crash": 1}, TWO, timing="quiet"),
        4_342,
    ),
    # two transfers that want each other's rows
    "basic, a deadlock": (small("basic", {}, BOTH_WAYS, timing="quiet"), 1_052),
    # two of three crash for good, in the middle of sending
    "three phases, two crash for good": (
        small("three_phase", HALT, TWO, timing="synchronous", crash_stop=True),
        2_152,
    ),
    # no process has crashed: one that seems to have was only slow, and two lead at a time
    "three phases, patient": (small("three_phase", {}, TWO, timing="patient"), 2_850),
    "three phases, a crash, a repair": (small("three_phase", {"crash": 1}, TWO, timing="synchronous"), 3_052),
}
"""Search of seconds -> the machine, and how many states it has."""


@pytest.mark.parametrize("title", EVERY_RUN)
def test_in_every_run_all_promises_are_kept(title: str) -> None:
    found = every_run(title).result()
    assert found.complete, found
    assert found.holds, found
    assert found.states == EVERY_RUN[title][1]


@cache
def every_run(title: str) -> Backwards:
    """One search for both: the properties of each state, and the states that follow it."""
    search = Backwards(EVERY_RUN[title][0], ended, 40_000, (*ALWAYS, settled))
    search.run()
    return search


def ended(world: World) -> bool:
    """Nobody that is up is in doubt, and a coordinator that is up has nothing left to do."""
    return not in_doubt(world) and ("C" in world.down or not coordinator(world).open)


@pytest.mark.parametrize("title", EVERY_RUN)
def test_from_every_state_all_can_still_decide_without_luck(title: str) -> None:
    """AC5: once no more fails, all decide. Three phases even while those that crashed never come back: nonblocking (BHG
    7.5). A process that asks for ever without an answer is never at rest, so no property of single states would show
    it."""
    stuck = every_run(title).dead_end()
    assert stuck is None, [step.event for step in stuck.branch]


def test_two_phases_block_for_good_when_the_coordinator_never_comes_back() -> None:
    """BHG 7.4: a crash of the coordinator, where all have voted yes, is enough."""
    machine = small("basic", {"crash": 1}, TWO, timing="synchronous", crash_stop=True)
    stuck = dead_end(machine, lambda world: not in_doubt(world))
    assert stuck is not None
    assert stuck.state.down == {"C"}
    assert stuck.run_until(lambda step: bool(blocked(step.state)), 100)


def test_a_coordinator_that_never_presumes_leaves_somebody_in_doubt_for_ever() -> None:
    """MLO 2: who knows nothing must answer all the same."""

    class NeverPresumes(PresumedAbortCoordinator):
        @on(Inquiry)
        def answer_inquiry(self, participant: str, message: Inquiry) -> None:
            self.send(participant, InDoubt(message.txn))

    machine = planted(SMALL.again(protocol="presumed_abort", budget={"crash": 1}), coordinator=NeverPresumes)
    assert dead_end(machine, ended) is not None


LARGER = {
    "basic, asynchronous, cooperative": (small("basic", {}, TWO, timing="asynchronous"), 4_795),
    "basic, two of four crash for good": (small("basic", HALT, THREE, timing="synchronous", crash_stop=True), 6_743),
    "read-only, a crash, a loss": (small("read_only", QUIET, ONE_READS, timing="quiet"), None),
    "basic, two crashes, two losses": (small("basic", HALT, TWO, timing="quiet"), None),
    "presumed commit, two crashes, two losses": (small("presumed_commit", HALT, TWO, timing="quiet"), None),
    "three phases, a crash in the middle of sending, a repair": (
        small("three_phase", {"crash": 1, "drop": 2}, TWO, timing="synchronous"),
        8_457,
    ),
    "three phases, patient, two crash for good": (
        small("three_phase", {"crash": 2}, TWO, timing="patient", crash_stop=True),
        26_197,
    ),
    "three phases, all crash and are repaired": (
        small("three_phase", {"crash": 3}, TWO, timing="synchronous"),
        None,
    ),
    "three phases, two of four crash for good": (
        small("three_phase", HALT, THREE, timing="synchronous", crash_stop=True),
        None,
    ),
}
"""Searches of minutes. None: at most 150,000 states are."""


@pytest.mark.slow
@pytest.mark.parametrize("title", LARGER)
def test_in_every_run_of_a_larger_machine_too(title: str) -> None:
    machine, states = LARGER[title]
    found = explore(machine, (*ALWAYS, settled), max_states=150_000)
    assert found.counterexample is None, found
    assert states is None or (found.complete and found.states == states)


def test_a_search_meets_what_it_is_about() -> None:
    """Else nothing would be proved: it sees commits, aborts, doubt after a crash, and the end of it."""
    seen = explore(small("basic", QUIET, TWO, timing="quiet"), (settled, committed_somewhere, given_up))
    assert seen.holds, seen
    back_in_doubt = Always(
        "nobody comes back in doubt",
        lambda world: next(
            (f"{p.id}" for p in world.processes for b in getattr(p, "branches", Table()).values() if b.recovered), None
        ),
    )
    assert explore(small("basic", QUIET, TWO, timing="quiet"), (back_in_doubt,)).counterexample is not None


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_a_search_leaves_out_changes_nothing(protocol: str) -> None:
    """A message is spent when its receiver, now or after a crash, stays as it is and sends nothing."""
    tried = 0

    class SpentMessagesDoNothing(Property):
        def follow(self, memory: Any, before: Any, event: Any, after: World, notes: Any) -> Any:
            nonlocal tried
            for packet in after.packets:
                if is_spent(after, packet):
                    tried += 1
                    up = after[packet.to]
                    back, _ = up.crashed().after_restart()
                    for process in (back,) if packet.to in after.down else (up, back):
                        moved, effects = process.after_message(packet.sender, packet.body)
                        if moved != process or effects.sends or effects.timers or effects.replies:
                            return f"{packet} does something to {process}"
            return memory

        def reason(self, memory: Any, state: Any) -> Any:
            return memory

    machine = TwoPhaseCommit(protocol=protocol, transfers=EIGHT)
    runs = random_worlds(machine, range(12), 150, (SpentMessagesDoNothing("spent"),), faults=MANY_FAULTS)
    assert runs.holds, runs
    assert tried > 20


# The specification


@pytest.mark.parametrize(
    ("machine", "n"),
    [
        pytest.param(small("basic", {}, TWO, timing="asynchronous", cooperative=False), 2, id="basic, asynchronous"),
        pytest.param(small("basic", {}, REFUSED, timing="asynchronous", cooperative=False), 2, id="basic, refused"),
        pytest.param(small("basic", {"drop": 1}, THREE, timing="quiet", cooperative=False), 3, id="basic, a loss"),
        pytest.param(
            small("presumed_abort", {"drop": 1}, THREE, timing="quiet", cooperative=False), 3, id="presumed abort"
        ),
        pytest.param(
            small("presumed_commit", {"drop": 1}, THREE, timing="quiet", cooperative=False), 3, id="presumed commit"
        ),
    ],
)
def test_every_step_is_a_step_of_twophase_or_two_or_none(machine: TwoPhaseCommit, n: int) -> None:
    """Gray and Lamport, "Consensus on Transaction Commit", 2006: TwoPhase. What maps to what: see `refinement`."""
    found = explore(machine, (refines(n),), max_states=40_000)
    assert found.complete, found
    assert found.holds, found


def test_twophase_with_three_resource_managers_has_the_states_its_authors_report() -> None:
    """github.com/tlaplus/Examples, specifications/transaction_commit: 288 distinct states, depth 11."""
    found = explore(TwoPhase(3))
    assert (found.complete, found.holds, found.states, found.depth) == (True, True, 288, 11)


def test_two_steps_are_needed_and_no_more_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that counts the last vote also decides: the bound is met, and kept."""
    monkeypatch.setattr(refinement, "MOST_AT_ONCE", 1)
    found = explore(small("basic", {}, TWO, timing="quiet", cooperative=False), (refines(2),)).counterexample
    assert found is not None
    assert found.reason == "one step does 2 of the specification: TMRcvPrepared of P2, TMCommit"


def test_what_is_no_twophase_is_told_from_it() -> None:
    """A coordinator that commits too early; and cooperative termination, which the specification does not have."""
    lossy = SMALL.again(budget={"drop": 1})
    early = explore(planted(lossy, coordinator=TakesSilenceForYes, cooperative=False), (refines(2),))
    assert early.counterexample is not None
    assert "does not allow TMCommit" in early.counterexample.reason
    helped = explore(lossy, (refines(2),))
    assert helped.counterexample is not None
    assert "does not allow RMRcvAbortMsg" in helped.counterexample.reason


# Planted bugs


@pytest.mark.parametrize(
    ("title", "said", "unsaid"),
    [
        ("the vote is not forced", "The promise is **only in its memory**", "before the yes leaves"),
        ("locks are forgotten in a crash", "It locks nothing again", "It locks ann again"),
        ("sent before it is logged", "C decides: commit T1**", "on C's disk"),
        ("vetoes after reading", "it has no record of a vote", "has not voted"),
        ("presumed abort forgets a commit", "C remembers nothing of T1", "commit T1**. It may forget"),
        (
            "three phases, of which a backup skips one",
            "P1 decides: commit T1**. Committable: P1; uncertain: P2",
            "**P1 decides: abort",
        ),
    ],
)
def test_a_broken_rule_is_not_told_as_if_it_were_kept(title: str, said: str, unsaid: str) -> None:
    found = BUGS[title].found().counterexample
    assert found is not None
    history = found.history
    told = " ".join(history.machine.say(note) for step in history.branch for note in step.notes)
    assert said in told
    assert unsaid not in told


class Forgets(NamedTuple):
    """A protocol whose coordinator forgets what it does not presume, before all have acknowledged it."""

    protocol: str
    outcome: Outcome
    transfers: Sequence[Mapping[str, int]]
    budget: Mapping[str, int]


@pytest.mark.parametrize(
    "forgets",
    [
        Forgets("basic", "commit", TWO, {"drop": 1}),
        Forgets("presumed_abort", "commit", TWO, {"drop": 1}),
        Forgets("presumed_commit", "abort", REFUSED, {"drop": 1}),
    ],
    ids=lambda forgets: f"{forgets.protocol}, {forgets.outcome}",
)
def test_what_is_not_presumed_must_not_be_forgotten_before_all_know_it(forgets: Forgets) -> None:
    """MLO 2 to 4: an inquiry is answered with the presumption, which differs from the decision."""
    kind = PROTOCOLS[forgets.protocol].coordinator

    class TooSoon(kind):  # type: ignore[valid-type, misc]
        def awaits_acks(self, outcome: Outcome) -> bool:
            return super().awaits_acks(outcome) and outcome != forgets.outcome

    bounds = SMALL.again(protocol=forgets.protocol, transfers=forgets.transfers, budget=forgets.budget)
    found = explore(planted(bounds, coordinator=TooSoon))
    assert found.counterexample is not None, found
    assert found.counterexample.property in (agreement, only_if_all_voted_yes), found


@pytest.mark.parametrize("protocol", ["presumed_abort", "presumed_commit"])
def test_what_is_presumed_may_not_be_its_opposite(protocol: str) -> None:
    """MLO 3 and 4: what is forgotten at once is what is presumed."""
    kind = PROTOCOLS[protocol].coordinator

    class Opposite(kind):  # type: ignore[valid-type, misc]
        presumes = "commit" if kind.presumes == "abort" else "abort"

    found = explore(planted(SMALL.again(protocol=protocol, budget=QUIET), coordinator=Opposite))
    assert found.counterexample is not None, found
    assert found.counterexample.property in (agreement, only_if_all_voted_yes), found


def test_three_phases_hold_where_nothing_is_cut() -> None:
    """BHG 7.5: it is the partition that breaks it."""
    bug = BUGS["three phases under a partition"]
    found = bug.search.run(bug.machine.again(budget={"crash": 1}))
    assert found.complete, found
    assert found.holds, found


# Random worlds

EIGHT = (
    {"ann": -40, "bob": 20, "cho": 20},
    {"bob": -30, "cho": 30},
    {"cho": -150, "ann": 150},
    {"ann": -10, "bob": 10},
    {"cho": 0, "ann": 0},
    {"bob": -50, "ann": 50},
    {"ann": -120, "cho": 120},
    {"bob": -5, "ann": 5},
)
CROWD = (
    {"cho": -1, "dan": 1},
    {"ann": -4, "bob": 2, "cho": 2},
    {"bob": -3, "cho": 3},
    {"dan": -1, "ann": 1},
    {"bob": -3, "dan": 3},
    {"cho": -1, "ann": 1},
)
"""Many that want each other's rows: a participant waits for its lock, and the coordinator for its vote."""
CRASHES = {"request": 0.1, "crash": 0.05, "restart": 0.1}
"""What three-phase commit must bear: crashes, with every message on time."""
WORLDS = {
    **{f"{name}, all faults": (TwoPhaseCommit(protocol=name, transfers=EIGHT), FAULTS) for name in TWO_PHASES},
    **{f"{name}, rough": (TwoPhaseCommit(protocol=name, transfers=EIGHT), MANY_FAULTS) for name in TWO_PHASES},
    "basic, nobody asks another": (TwoPhaseCommit(transfers=EIGHT, cooperative=False), MANY_FAULTS),
    "three_phase, crashes": (TwoPhaseCommit(protocol="three_phase", transfers=EIGHT), CRASHES),
    "three_phase, all wait for one another": (
        TwoPhaseCommit(n=4, protocol="three_phase", transfers=CROWD),
        {"request": 0.3},
    ),
}


@pytest.mark.parametrize("title", WORLDS)
def test_in_random_worlds_all_promises_are_kept_and_in_the_end_all_decide(title: str) -> None:
    """AC1 to AC4 after every step; AC5 once all faults are repaired. A failure names its seed."""
    machine, faults = WORLDS[title]
    runs = random_worlds(machine, range(6), 250, (*ALWAYS, settled, no_duel), faults=faults)
    assert runs.holds, runs


@pytest.mark.slow
@pytest.mark.parametrize("title", WORLDS)
def test_in_many_random_worlds(title: str) -> None:
    machine, faults = WORLDS[title]
    runs = random_worlds(machine, range(1_000, 1_150), 300, (*ALWAYS, settled, no_duel), faults=faults)
    assert runs.holds, runs
