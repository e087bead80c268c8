"""Three-phase commit, sentence by sentence.

Skeen, "Nonblocking Commit Protocols", 1981; Bernstein, Hadzilacos, Goodman 1987 (`BHG`), section 7.5.
"""

from __future__ import annotations

from itertools import chain, combinations
from typing import Any

import pytest

from patterns.engine.milestones import fired, when
from patterns.engine.script import Script
from patterns.engine.table import Table
from patterns.two_phase_commit import Done, Move, Open, Prepare, Transfer, TwoPhaseCommit, blocked, in_doubt, outcomes
from patterns.two_phase_commit import coordinator as coordinator_of
from patterns.two_phase_commit.lesson import BUGS, GALLERY
from patterns.two_phase_commit.log import Aborted, Account, Collecting, Committed, Prepared, Ready
from patterns.two_phase_commit.messages import (
    Abort,
    Commit,
    Inquiry,
    PreCommit,
    PreCommitted,
    StateReport,
    StateRequest,
    Voted,
)
from patterns.two_phase_commit.three_phase import ThreePhaseCoordinator, ThreePhaseParticipant

ALL = ("P1", "P2", "P3")
MOVES = (Move("P1", "ann", -40), Move("P2", "bob", 40))
ASK = Prepare("T1", (Move("P1", "ann", -40),), ALL)
YES = Prepared("T1", "C", ALL, (Account("ann", 60),))
ABORTS = [("C", Abort("T1")), ("P2", Abort("T1")), ("P3", Abort("T1"))]
COMMITS = [("C", Commit("T1")), ("P2", Commit("T1")), ("P3", Commit("T1"))]


def coordinator(*open: Open, **fields: Any) -> ThreePhaseCoordinator:
    return ThreePhaseCoordinator(id="C", open=Table(tuple((each.txn, each) for each in open)), **fields)


def uncertain() -> ThreePhaseParticipant:
    bank = ThreePhaseParticipant(id="P1", accounts=(Account("ann", 100),))
    return bank.after_message("C", ASK)[0]


def committable() -> ThreePhaseParticipant:
    return uncertain().after_message("C", PreCommit("T1"))[0]


def leading(bank: ThreePhaseParticipant) -> ThreePhaseParticipant:
    """It has heard nothing for so long that it takes the coordinator's place."""
    for _ in range(3):
        if bank.polls:
            return bank
        bank, _ = bank.after_timer("doubt:T1")
    pytest.fail("it takes the coordinator's place in the end")


def reports(bank: ThreePhaseParticipant, **states: Any) -> tuple[ThreePhaseParticipant, Any]:
    """The reports of others arrive; then its time is up."""
    for sender, state in states.items():
        bank, _ = bank.after_message(sender, StateReport("T1", state))
    return bank.after_timer("doubt:T1")


# All goes well


def test_when_all_voted_yes_they_are_told_so_before_anything_is_decided() -> None:
    """BHG 7.5, step 3: PRE-COMMIT."""
    voting = Open(
        "T1",
        ("A",),
        ALL,
        votes=Table(
            (
                ("P1", "yes"),
                ("P2", "yes"),
            )
        ),
    )
    after, effects = coordinator(voting, log=(Collecting("T1", ALL),)).after_message("P3", Voted("T1", "yes"))
    assert effects.sends == [(name, PreCommit("T1")) for name in ALL]
    assert effects.replies == []
    assert after.open["T1"].phase == "pre-committing"
    assert after.log == (Collecting("T1", ALL),)


def test_who_is_told_so_is_committable_and_says_so() -> None:
    """BHG 7.5, step 4: it knows that all voted yes."""
    after, effects = uncertain().after_message("C", PreCommit("T1"))
    assert after.branches["T1"].state == "committable"
    assert after.log[-1] == Ready("T1")
    assert effects.sends == [("C", PreCommitted("T1"))]
    assert after.accounts == (Account("ann", 100),), "it has not committed"


def test_who_has_not_voted_does_not_take_it_for_granted_that_all_have() -> None:
    """BHG 7.5: all voted yes, so what says so to one that still waits for a lock is not for it."""
    bank, _ = uncertain().after_message("C", Prepare("T2", (Move("P1", "ann", -1),), ALL))
    after, effects = bank.after_message("C", PreCommit("T2"))
    assert (after, effects.sends, [note.rule for note in effects.notes]) == (bank, [], ["P.late"])


def test_an_acknowledgement_that_comes_twice_counts_once() -> None:
    """A network may double a message."""
    waiting = Open("T1", ("A",), ALL, "pre-committing", missing=frozenset({"P3"}))
    after, effects = coordinator(waiting).after_message("P1", PreCommitted("T1"))
    assert (after, [note.rule for note in effects.notes]) == (coordinator(waiting), ["C.late"])


def test_when_all_know_it_is_committed() -> None:
    """BHG 7.5, step 5."""
    waiting = Open("T1", ("A",), ALL, "pre-committing", missing=frozenset({"P3"}), moves=MOVES)
    after, effects = coordinator(waiting).after_message("P3", PreCommitted("T1"))
    assert effects.sends == [(name, Commit("T1")) for name in ALL]
    assert effects.replies == [("A", Done("T1", MOVES, "commit"))]
    assert after.open == Table()


def test_the_coordinator_does_not_wait_for_the_crashed() -> None:
    """BHG 7.5, timeout actions: a participant that does not acknowledge has failed; all others are committable."""
    waiting = Open("T1", ("A",), ALL, "pre-committing", missing=frozenset({"P3"}))
    after, effects = coordinator(waiting).after_timer("pre-commits:T1")
    assert [note.rule for note in effects.notes] == ["3.enough", "C.commit", "C.forced"]
    assert isinstance(after.log[-1], Committed)


# The coordinator is silent


def test_who_stands_first_in_line_takes_the_coordinators_place() -> None:
    """BHG 7.5: the processes that are up elect a new coordinator, which asks for their states."""
    after, effects = uncertain().after_timer("doubt:T1")
    assert after.suspects == {"C"}
    assert effects.sends == [(name, StateRequest("T1")) for name in ("C", "P2", "P3")]


def test_who_stands_behind_gives_those_before_it_their_time() -> None:
    """BHG 7.5: it takes its turn only when they are silent too."""
    after, effects = second_in_line().after_timer("doubt:T1")
    assert (after.suspects, effects.sends) == ({"C"}, [])
    after, effects = after.after_timer("doubt:T1")
    assert after.suspects == {"C", "P1"}
    assert [to for to, _ in effects.sends] == ["C", "P1", "P3"]


@pytest.mark.parametrize(
    ("bank", "state"),
    [(uncertain(), "uncertain"), (committable(), "committable")],
    ids=["uncertain", "committable"],
)
def test_a_bank_that_is_asked_reports_its_state(bank: ThreePhaseParticipant, state: Any) -> None:
    """BHG 7.5: STATE-REQ."""
    _after, effects = bank.after_message("P3", StateRequest("T1"))
    assert effects.sends == [("P3", StateReport("T1", state))]


def second_in_line() -> ThreePhaseParticipant:
    bank = ThreePhaseParticipant(id="P2", accounts=(Account("bob", 100),))
    return bank.after_message("C", Prepare("T1", (Move("P2", "bob", 40),), ALL))[0]


def test_a_backup_gives_way_only_to_those_before_it_in_line() -> None:
    """BHG 7.5: one coordinator at a time. If each of two gave way to the other, neither would ever decide."""
    bank = leading(second_in_line())
    after, effects = bank.after_message("P1", StateRequest("T1"))
    assert (after.polls, effects.timers) == (Table(), {"doubt:T1": (90, 90)}), "it waits anew"
    after, effects = bank.after_message("P3", StateRequest("T1"))
    assert (after.polls, effects.timers) == (bank.polls, {}), "it goes on"
    assert effects.sends == [("P3", StateReport("T1", "uncertain"))]


def test_who_has_not_voted_has_aborted_when_it_says_so() -> None:
    """BHG 7.5: a process that has not voted is in the state aborted."""
    bank = ThreePhaseParticipant(id="P1", accounts=(Account("ann", 100),))
    after, effects = bank.after_message("P2", StateRequest("T1"))
    assert after.log == (Aborted("T1"),)
    assert effects.sends == [("P2", StateReport("T1", "aborted"))]


@pytest.mark.parametrize(
    ("own", "others", "sends", "rule"),
    [
        (uncertain(), {"P2": "aborted", "P3": "uncertain"}, ABORTS, "3.TR1"),
        (committable(), {"P2": "aborted", "P3": "uncertain"}, ABORTS, "3.TR1"),
        (uncertain(), {"P2": "committed", "P3": "uncertain"}, COMMITS, "3.TR2"),
        (committable(), {"P2": "committed", "P3": "committable"}, COMMITS, "3.TR2"),
        (uncertain(), {"P2": "uncertain", "P3": "uncertain"}, ABORTS, "3.TR3"),
        (uncertain(), {"P2": "uncertain"}, ABORTS, "3.TR3"),
        (uncertain(), {}, ABORTS, "3.TR3"),
        (committable(), {"P2": "committable"}, COMMITS, "3.TR4"),
    ],
    ids=["TR1", "TR1 before TR4", "TR2", "TR2 committable", "TR3", "TR3 of two", "TR3 alone", "TR4 of two"],
)
def test_the_termination_rules(own: Any, others: dict[str, Any], sends: list[Any], rule: str) -> None:
    """BHG 7.5, TR1 to TR4: by what those that are up report."""
    after, effects = reports(leading(own), **others)
    assert effects.sends == sends
    assert effects.notes[0].rule == rule
    assert after.logged_outcome("T1") == ("commit" if sends == COMMITS else "abort")


def test_before_it_commits_all_that_are_up_are_made_committable() -> None:
    """BHG 7.5, TR4: first PRE-COMMIT to the uncertain ones, and only then COMMIT."""
    bank, effects = reports(leading(committable()), P2="uncertain")
    assert effects.sends == [("P2", PreCommit("T1"))]
    assert bank.logged_outcome("T1") is None
    after, effects = bank.after_message("P2", PreCommitted("T1"))
    assert effects.sends == COMMITS
    assert after.logged_outcome("T1") == "commit"


def test_the_coordinators_own_state_counts_when_it_reports() -> None:
    """An operational coordinator is one of those that are up."""
    _after, effects = reports(leading(uncertain()), C="committed", P2="uncertain")
    assert effects.notes[0].rule == "3.TR2"


def test_a_coordinator_that_was_only_slow_gives_up_when_another_takes_its_place() -> None:
    """Two must not lead. While it collects votes it has not decided, and may abort (BHG 7.4, timeout actions)."""
    voting = Open("T1", ("A",), ALL, votes=Table((("P1", "yes"),)))
    after, effects = coordinator(voting).after_message("P1", StateRequest("T1"))
    assert after.log == (Aborted("T1", ALL),)
    assert effects.sends == [*((name, Abort("T1")) for name in ALL), ("P1", StateReport("T1", "aborted"))]
    _late, effects = after.after_message("P2", Voted("T1", "yes"))
    assert [note.rule for note in effects.notes] == ["C.late"]


def test_a_coordinator_asked_by_one_that_was_down_goes_on() -> None:
    """BHG 7.5, recovery: a process that was down only asks."""
    voting = Open("T1", ("A",), ALL, votes=Table((("P1", "yes"),)))
    after, effects = coordinator(voting).after_message("P1", StateRequest("T1", True))
    assert (after, effects.sends) == (coordinator(voting), [("P1", StateReport("T1", "uncertain"))])


def test_a_coordinator_that_has_told_all_goes_on_too() -> None:
    """A process that asks it hears `committable`, and commits as it does."""
    told = Open("T1", ("A",), ALL, "pre-committing", missing=frozenset({"P3"}))
    after, effects = coordinator(told).after_message("P1", StateRequest("T1"))
    assert (after, effects.sends) == (coordinator(told), [("P1", StateReport("T1", "committable"))])


@pytest.mark.parametrize("message", [PreCommit("T1"), StateRequest("T1")])
def test_who_hears_of_another_that_leads_does_not_lead_itself(message: Any) -> None:
    """BHG 7.5: one coordinator at a time; what it was told before may be true no more."""
    bank = leading(uncertain())
    assert bank.polls
    after, _ = bank.after_message("C", message)
    assert after.polls == Table()
    late, effects = after.after_message("P2", StateReport("T1", "uncertain"))
    assert (late, [note.rule for note in effects.notes]) == (after, ["P.late"])


def test_who_was_down_and_only_asks_takes_nobodys_place() -> None:
    """BHG 7.5, recovery: else one that asks for ever would keep all others from deciding."""
    bank = leading(uncertain())
    after, effects = bank.after_message("P2", StateRequest("T1", True))
    assert (after, effects.sends) == (bank, [("P2", StateReport("T1", "uncertain"))])


# After a crash


def test_who_was_down_asks_and_does_not_decide() -> None:
    """BHG 7.5, recovery: the others may have decided, and crashed since."""
    bank, effects = uncertain().crashed().after_restart()
    assert effects.sends == [(name, StateRequest("T1", True)) for name in ("C", "P2", "P3")]
    assert bank.locks != ()
    after, effects = bank.after_timer("doubt:T1")
    assert after.logged_outcome("T1") is None
    assert effects.notes[0].rule == "3.blocked"
    assert effects.notes[0].values["others"] == ("C", "P2", "P3")
    assert effects.sends == [(name, StateRequest("T1", True)) for name in ("C", "P2", "P3")], "it asks again"


def test_who_was_down_does_not_count_for_those_that_were_not() -> None:
    """BHG 7.5: only those that never failed take part in the termination protocol."""
    bank, _ = leading(uncertain()).after_message("P2", StateReport("T1", "committable", recovered=True))
    after, effects = bank.after_timer("doubt:T1")
    assert effects.notes[0].rule == "3.TR3"
    assert effects.notes[0].values["uncertain"] == ("P1",)
    assert effects.notes[0].values["committable"] == (), "P2 is committable, but does not count"
    assert after.logged_outcome("T1") == "abort"


def test_who_was_down_is_not_waited_for_before_a_commit() -> None:
    """BHG 7.5, TR4: PRE-COMMIT goes to those that are up and uncertain; a process that was down is sent only the
    decision."""
    bank, _ = leading(committable()).after_message("P2", StateReport("T1", "uncertain"))
    bank, _ = bank.after_message("P3", StateReport("T1", "uncertain", recovered=True))
    bank, effects = bank.after_timer("doubt:T1")
    assert effects.sends == [("P2", PreCommit("T1"))]
    _after, effects = bank.after_message("P2", PreCommitted("T1"))
    assert effects.sends == COMMITS


def test_who_was_down_and_may_not_decide_asks_again_only_when_its_time_is_up() -> None:
    """BHG 7.5, recovery: it asks until it hears of a decision, but not without a pause."""
    bank, _ = uncertain().crashed().after_restart()
    for sender in ("C", "P2"):
        bank, _ = bank.after_message(sender, StateReport("T1", "committable"))
    bank, effects = bank.after_message("P3", StateReport("T1", "committable"))
    assert [note.rule for note in effects.notes] == ["3.heard", "3.blocked"]
    assert effects.notes[1].values["others"] == ("C", "P2", "P3")
    assert effects.sends == []
    _after, effects = bank.after_timer("doubt:T1")
    assert effects.sends == [(name, StateRequest("T1", True)) for name in ("C", "P2", "P3")]


def test_who_was_down_stands_in_no_line() -> None:
    """BHG 7.5, recovery: while another leads it waits; when nothing comes of that it asks all, and suspects nobody."""
    bank, _ = uncertain().crashed().after_restart()
    bank, effects = bank.after_message("P2", StateRequest("T1"))
    assert bank.polls == Table()
    assert effects.timers == {"doubt:T1": (90, 90)}, "it waits anew"
    bank, effects = bank.after_timer("doubt:T1")
    assert effects.sends == [(name, StateRequest("T1", True)) for name in ("C", "P2", "P3")]
    assert bank.suspects == frozenset()


def test_when_all_were_down_and_all_are_back_they_decide() -> None:
    """BHG 7.5, total failure: the process that failed last is among them."""
    bank, _ = committable().crashed().after_restart()
    for sender in ("P2", "P3", "C"):
        assert bank.logged_outcome("T1") is None
        bank, effects = bank.after_message(sender, StateReport("T1", "uncertain", recovered=True))
    assert effects.sends == [("P2", PreCommit("T1")), ("P3", PreCommit("T1"))]


def test_a_coordinator_that_comes_back_asks_what_was_decided_without_it() -> None:
    """BHG 7.5, recovery."""
    after, effects = coordinator(log=(Collecting("T1", ALL),)).crashed().after_restart()
    assert effects.sends == [(name, Inquiry("T1")) for name in ALL]
    assert effects.timers == {"recover:T1": (60, 60)}
    _, effects = after.after_timer("recover:T1")
    assert effects.sends == [(name, Inquiry("T1")) for name in ALL]
    assert effects.timers == {"recover:T1": (60, 60)}, "until it hears of a decision"
    waits, effects = after.after_request("A", Transfer("T1", MOVES))
    assert (effects.sends, effects.replies) == ([], [])
    after, effects = waits.after_message("P2", Commit("T1"))
    assert isinstance(after.log[-1], Committed)
    assert effects.replies == [("A", Done("T1", MOVES, "commit"))]


def test_a_coordinator_that_had_decided_asks_nothing() -> None:
    """BHG 7.5, recovery: who knows the decision has nothing to ask; others ask it."""
    log = (Collecting("T1", ALL), Committed("T1", ALL))
    after, effects = coordinator(log=log).crashed().after_restart()
    assert (after.open, effects.sends, effects.timers) == (Table(), [], {})
    _, effects = after.after_message("P1", StateRequest("T1"))
    assert effects.sends == [("P1", StateReport("T1", "committed"))]


# Runs


@pytest.mark.parametrize("back", [False, True], ids=["C stays down", "C restarts"])
@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_whichever_pre_commits_arrive_the_backups_decide_within_three_timeouts(n: int, back: bool) -> None:
    """Skeen 1981, BHG 7.5: nobody waits for C. C has crashed while it sent pre-commits; they reach any set of banks."""
    amounts = dict.fromkeys(("cho", "dan", "eve")[: n - 2], 0) | {"ann": -10, "bob": 10}
    banks = tuple(f"P{at}" for at in range(1, n + 1))
    for reached in chain.from_iterable(combinations(banks, many) for many in range(n + 1)):
        for seed in range(2):
            machine = TwoPhaseCommit(n=n, protocol="three_phase", transfers=(amounts,), seed=seed)
            run = Script(machine).ask("A").until(fired("3.pre"))
            for name in reached:
                run.deliver(PreCommit, to=name)
            run.crash("C").lose(PreCommit)
            crashed = run.world.clock
            if back:
                run.restart("C")
            run.until(when(lambda world: not in_doubt(world) and not coordinator_of(world).open))
            assert run.world.clock - crashed < 3 * 90 + 15, (reached, seed)
            known = set(outcomes(run.world, "T1").values())
            assert known == {"commit" if reached else "abort"}, (reached, seed)


def test_two_backups_that_give_way_to_each_other_poll_again_and_again() -> None:
    """The broken rule, in the same run: six polls for one decision, and more with other latencies."""

    def polls(history: Any) -> int:
        return sum(note.rule == "3.poll" for step in history.branch for note in step.notes)

    bug = BUGS["three phases, and backups depose each other"]
    assert (polls(bug.found().history), polls(bug.clean().history)) == (6, 2)
    other = bug.search._replace(machine=bug.machine.again(seed=8)).run()
    assert polls(other.history) >= 30


@pytest.mark.parametrize(
    ("title", "outcome"),
    [
        ("Three phases: the coordinator crashes, and a backup commits", "commit"),
        ("Three phases: the coordinator crashes, and a backup aborts", "abort"),
    ],
)
def test_a_crash_of_the_coordinator_blocks_nobody(title: str, outcome: str) -> None:
    """Skeen 1981: nonblocking. All decide while the coordinator is down."""
    history = GALLERY[title]()
    down = [step.state for step in history.branch if "C" in step.state.down]
    assert not in_doubt(down[-1])
    assert [outcomes(down[-1], "T1")[name] for name in ALL] == [outcome] * 3
    assert set(outcomes(history.branch[-1].state, "T1").values()) == {outcome}
    assert not any(blocked(state) for state in down), "one that is in doubt may take the coordinator's place"


def test_a_partition_makes_two_sides_decide_differently_and_no_repair_mends_it() -> None:
    """BHG 7.5: the protocol assumes that there are no communication failures."""
    end = GALLERY["Three phases: a cut separates two of the banks"]().branch[-1].state
    assert end.cuts == frozenset()
    assert outcomes(end, "T1") == {"C": "commit", "P1": "commit", "P2": "abort", "P3": "abort"}
    assert sum(sum(end[name].balances.values()) for name in ALL) == 260, "ann has paid, nobody has received"
