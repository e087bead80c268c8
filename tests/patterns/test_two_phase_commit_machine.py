"""The machine, and the readings of its states: participants in doubt, blocked transactions, refused parameters."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from patterns.engine.counterexample import Watch
from patterns.engine.machine import NotEnabled
from patterns.engine.milestones import fired
from patterns.engine.params import ParameterError
from patterns.engine.process import Process
from patterns.engine.script import Script
from patterns.engine.table import Table
from patterns.engine.world import Crash, Cut, Deliver, Drop, Heal, Request, Restart
from patterns.two_phase_commit import PROTOCOLS, Branch, Done, Move, Participant, TwoPhaseCommit, blocked, in_doubt
from patterns.two_phase_commit.lesson import GALLERY
from patterns.two_phase_commit.lesson.milestones import all_ended
from patterns.two_phase_commit.properties import ALWAYS, agreement

ANN = Move("P1", "ann", -40)


# What can be read off a state


def test_who_is_in_doubt_and_since_when_is_read_off_the_state() -> None:
    """From its yes to the decision: the uncertainty period (BHG 7.3)."""
    run = Script(TwoPhaseCommit(n=2, latency=(10, 10))).ask("A")
    assert in_doubt(run.world) == ()
    run.until(fired("P.yes"))
    run.until(fired("P.yes"))
    assert in_doubt(run.world) == (("P1", "T1", 10), ("P2", "T1", 10))
    assert not blocked(run.world), "the coordinator is up"
    run.do(Crash("C"))
    assert blocked(run.world) == ("T1",)


def test_who_waits_for_a_lock_is_not_in_doubt() -> None:
    """BHG 7.3: the uncertainty period begins with its yes; before it a process may abort alone."""
    steps = GALLERY["Two transfers wait for each other, and one is aborted"]().branch
    waits = next(step.state for step in steps if len(step.state["P1"].branches) == 2)
    assert [branch.state for branch in waits["P1"].branches.values()] == ["in doubt", "waiting"]
    assert [doubt.txn for doubt in in_doubt(waits) if doubt.participant == "P1"] == ["T1"]


def test_a_cut_between_all_that_are_in_doubt_and_the_coordinator_blocks_as_its_crash_does() -> None:
    """BHG 7.4: blocked until the failure is repaired, of a site or of the network. One link is enough."""
    run = Script(TwoPhaseCommit(n=2)).ask("A")
    run.until(fired("P.yes"))
    run.until(fired("P.yes"))
    run.do(Cut(("C",), ("P1",)))
    assert blocked(run.world) == ()
    run.do(Cut(("C",), ("P2",)))
    assert blocked(run.world) == ("T1",)
    run.do(Heal())
    assert blocked(run.world) == ()


def test_nobody_is_blocked_while_one_knows() -> None:
    """BHG 7.4: cooperative termination."""
    history = GALLERY["The coordinator crashes, and one bank knows the decision"]()
    assert not any(blocked(step.state) for step in history.branch)
    assert any(blocked(step.state) for step in GALLERY["No bank knows the decision, and asking does not help"]().branch)


def test_since_when_somebody_waits_makes_no_two_states_of_one() -> None:
    """For a search: no rule reads it."""
    machine = TwoPhaseCommit(n=2)
    world = Script(machine).ask("A").world
    early, late = (
        msgspec.structs.replace(
            world,
            processes=tuple(
                msgspec.structs.replace(process, branches=Table((("T1", Branch("T1", (ANN,), (), "in doubt", since)),)))
                if isinstance(process, Participant)
                else process
                for process in world.processes
            ),
        )
        for since in (5, 9)
    )
    assert early != late
    assert machine.key(early) == machine.key(late)


# The machine


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"n": 0}, "n is 0; allowed is 1 to 9"),
        ({"n": "3"}, "n is '3'; allowed is 1 to 9"),
        ({"protocol": "four_phase"}, "protocol is 'four_phase'; allowed is 'basic', 'presumed_abort'"),
        ({"balance": -1}, "balance is -1; allowed is a whole number, at least 0"),
        ({"doubt_timeout": 0}, "doubt_timeout is 0; allowed is a whole number, at least 1 ms"),
        ({"cooperative": "no"}, "cooperative is 'no'; allowed is True or False"),
        (
            {"transfers": [{"zoe": 0}]},
            r"transfers\[0\] is {'zoe': 0}; allowed is an amount for each of some of ann, bob",
        ),
        ({"transfers": [{}]}, r"transfers\[0\] is {}; allowed is an amount for each"),
        ({"transfers": [{"ann": 5}]}, r"transfers\[0\] is {'ann': 5}; allowed is amounts that add up to 0"),
        ({"transfers": [{"ann": 0}] * 27}, "allowed is up to 26 transfers, one for each client"),
        ({"transfers": [("ann", -40)]}, "allowed is a mapping from a text to a whole number"),
        ({"transfers": [{"ann": -4.5, "bob": 4.5}]}, r"transfers\[0\]\['ann'\] is -4.5; allowed is a whole number"),
        ({"protocol": "three_phase", "cooperative": False}, "cooperative is False; allowed is True"),
    ],
)
def test_an_invalid_parameter_is_refused_with_the_reason(params: dict[str, Any], why: str) -> None:
    with pytest.raises(ParameterError, match=why):
        TwoPhaseCommit(**params)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_every_machine_commits_where_nothing_fails(protocol: str, n: int) -> None:
    end = Script(TwoPhaseCommit(n=n, protocol=protocol, seed=3)).ask("A").finish().world
    assert all_ended(end)
    assert end.calls[0].reply == Done("T1", end.calls[0].body.moves, "commit")


def test_the_clients_of_the_machine_ask_once_each_and_again_while_they_wait() -> None:
    machine = TwoPhaseCommit()
    run = Script(machine).ask("A")
    assert [request.client for request in machine.requests(run.world)] == ["A", "B"]
    assert [request.client for request in TwoPhaseCommit(retries=False).requests(run.world)] == ["B"]
    run.finish()
    assert [request.client for request in machine.requests(run.world)] == ["B"]


def test_a_client_takes_no_answer_to_another_request_for_its_own() -> None:
    machine = TwoPhaseCommit()
    call = Script(machine).ask("A").world.calls[0]
    moves = call.body.moves
    assert machine.answers(call, Done("T1", moves[::-1], "commit"))
    assert not machine.answers(call, Done("T2", moves, "commit"))
    other = tuple(replace(move, amount=-move.amount) for move in moves)
    assert not machine.answers(call, Done("T1", other, "commit")), "a late answer about another transfer of this name"


def test_who_has_crashed_for_good_does_not_come_back() -> None:
    """The failures that three phases are made for (Skeen 1981): a site that stops."""
    run = Script(TwoPhaseCommit(crash_stop=True)).ask("A")
    run.do(Crash("C"))
    assert run.history.machine.why_not(run.world, Restart("C")) == "C has crashed for good"  # type: ignore[attr-defined]
    with pytest.raises(NotEnabled, match="crashed for good"):
        run.history.apply(Restart("C"))
    assert list(run.history.machine.repairs(run.world)) == []


def test_process_fields_and_messages_go_over_a_command_line_and_a_wire() -> None:
    """The runtime starts each process with its fields as JSON."""
    for protocol in PROTOCOLS:
        for process in TwoPhaseCommit(protocol=protocol).processes():
            assert isinstance(process, Process)
            fields = {field: getattr(process, field) for field in process.kept_fields}
            assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(fields)), type(process)) == process


BROKEN = {
    "Three phases: a cut separates two of the banks",
    "The coordinator's disk fails, and a bank in doubt asks",
    "An operator decides for a bank in doubt by hand",
}
"""Runs of the gallery that show agreement broken."""


def test_with_no_fault_the_properties_hold_all_along() -> None:
    """AC1 to AC5 (BHG 7.3), on every state of every run of the gallery but those that show agreement broken."""
    for title, run in GALLERY.items():
        history = run()
        watch = Watch(history.machine, ALWAYS)
        memories = watch.begin(history.state)
        broken = None
        for before, step in pairwise(history.branch):
            memories = watch.follow(memories, before.state, step.event, step.state, step.notes)
            broken = broken or watch.broken(memories, step.state)
        assert (broken[0] if broken else None) is (agreement if title in BROKEN else None), (title, broken)


def test_a_lost_question_is_no_vote() -> None:
    """AC3: commit only if all voted yes."""
    run = Script(TwoPhaseCommit(n=2)).ask("A")
    lost = next(packet for packet in run.world.packets if packet.to == "P2")
    run.do(Drop(lost.id))
    run.until(fired("C.abort"))
    end = run.finish().world
    assert [dict(end[name].balances) for name in ("P1", "P2")] == [{"ann": 100}, {"bob": 100}]
    assert isinstance(run.history.branch[1].event, Request)
    assert any(isinstance(step.event, Deliver) for step in run.history.branch[2:])
