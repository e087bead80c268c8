"""Primary and backups, and the chain: the papers' sentences, published scenarios, and every run of small machines."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from patterns.engine.clients import Done, NotHere, is_done
from patterns.engine.explore import explore
from patterns.engine.history import History
from patterns.engine.milestones import find, fired, when
from patterns.engine.randomness import key_of, mix
from patterns.engine.script import Script
from patterns.engine.step import Step
from patterns.engine.world import Request
from patterns.replication import Chain, PrimaryBackup
from patterns.replication.chain import Forward, Processed
from patterns.replication.client import Read, Write, one_copy
from patterns.replication.configuration import SERVICE, Change, Suspect
from patterns.replication.lesson import BUGS, GALLERY
from patterns.replication.lesson.broken import CRASHES, CutsAtTheWatermark
from patterns.replication.lesson.gallery import acknowledged_and_gone, old_tail
from patterns.replication.primary import EndOf, Entry, Got, Log, Replica, Ship, Where, ends_of, last_common
from patterns.replication.properties import inprocess_requests, kept, survives, update_propagation


def first(history: History[Any, Any], rule: str, **values: Any) -> Step[Any, Any]:
    step = find(history, fired(rule, **values))
    assert step is not None
    return step


def values(log: Log) -> list[str | None]:
    return [entry.value for entry in log]


# PacificA


def test_a_synchronous_primary_answers_when_the_whole_set_has_the_write() -> None:
    """PacificA 2.1: the primary acknowledges after all replicas of the configuration have."""
    step = first(GALLERY["The primary ships a write, and acknowledges when the set has it"](), "PB.ack")
    assert [values(step.state[name].log) for name in ("Ann", "Ben", "Cem")] == [["milk"]] * 3
    assert step.parent is not None
    assert not is_done(step.parent.state.call("X"))


def test_a_member_is_out_by_the_services_word_before_the_primary_acknowledges_without_it() -> None:
    """PacificA 2.2; elastic/elasticsearch#22327."""
    step = first(GALLERY["A silent backup: the set may shrink"](), "PB.ack")
    assert step.state[SERVICE].members == ("Ann", "Ben")
    assert values(step.state["Cem"].log) == []


def test_only_a_member_of_the_set_takes_over() -> None:
    """PacificA 2.3."""
    run = Script(PrimaryBackup()).cut_off("Ben").ask("X").until(fired("PB.ack")).settle()
    run.ask("M", Suspect("Ann"), to=SERVICE)
    assert run.world[SERVICE].members == ("Cem",)


def test_the_last_member_is_never_out() -> None:
    run = Script(PrimaryBackup(n=2, suspicions=5)).ask("M", Suspect("Ann"), to=SERVICE)
    run.ask("M", Suspect("Ben"), to=SERVICE)
    assert run.world[SERVICE].members == ("Ben",)


def test_a_change_of_an_older_epoch_does_not_count() -> None:
    """PacificA 2.2: a reconfiguration carries the version it replaces."""
    service = PrimaryBackup().processes()[-1]
    after, effects = service.after_message("Ann", Change(0, "Ben", "out"))
    assert after == service
    assert [type(body).__name__ for _, body in effects.sends] == ["View"]


def test_shipments_of_a_deposed_primary_are_rejected() -> None:
    """Given Ben in epoch 2, when Ann ships in epoch 1, then Ben keeps its log (redis#1073; valkey#974)."""
    ben = Replica(
        id="Ben", service=SERVICE, peers=("Ann",), mode="sync", timeout=60, epoch=2, members=("Ben",), following=2
    )
    after, effects = ben.after_message("Ann", Ship(1, 0, (Entry(1, "milk", "X", 1),), 0, 0))
    assert (after, effects.sends) == (ben, [])


def test_a_new_primary_that_missed_its_note_hears_of_it_when_the_monitor_reports_again() -> None:
    """A monitor that wrongly suspects the primary: the link to the next one is cut while the service sends the view."""
    machine = PrimaryBackup(suspicions=1)
    run = Script(machine).cut(SERVICE, "Ben").ask("M", Suspect("Ann"), to=SERVICE).settle()
    assert not any(process.leads for process in run.world.processes[:3]), "Ann steps down, and Ben knows nothing"
    again = Request("M", SERVICE, Suspect("Ann"))
    assert [each for each in machine.requests(run.world) if each.client == "M"] == [again]
    run.heal().ask("M", Suspect("Ann"), to=SERVICE)
    assert not any(each.client == "M" for each in machine.requests(run.world)), "the view is on its way"
    run.until(fired("PB.lead", who="Ben")).ask("X", to="Ben").until(fired("PB.ack"))
    assert run.world[SERVICE].epoch == 2, "what is reported again begins no epoch"


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_deposed_primary_that_hears_of_the_new_epoch_by_a_shipment_steps_down(mode: str) -> None:
    """PacificA 2.3: in an epoch only its primary ships. Timers of the last epoch would ship in the new one's name."""
    run = Script(PrimaryBackup(mode=mode)).ask("X", to="Ann").cut(SERVICE, "Ann")
    run.ask("M", Suspect("Ann"), to=SERVICE).until(fired("PB.lead", who="Ben")).deliver(Ship, "Ben", "Ann")
    ann = run.world["Ann"]
    assert (ann.epoch, ann.waiting, ann.joining) == (2, (), ())
    assert run.world.call("X").reply == (Done(1, "milk") if mode == "async" else NotHere(1, "Ben"))
    assert not [timer for timer in run.world.timers if timer.process == "Ann"]


def test_a_retry_is_not_written_twice() -> None:
    history = GALLERY["The primary restarts, and a retry is not written twice"]()
    first(history, "PB.again")
    assert values(history.branch[-1].state["Ann"].log) == ["milk"]
    assert history.branch[-1].state.call("X").reply == Done(1, "milk")


def test_a_deposed_primary_sends_its_clients_on_and_claims_nothing() -> None:
    """A write that waits at a deposed primary is unknown (patroni#1412)."""
    step = first(GALLERY["A deposed primary comes back with an entry of its own"](), "PB.deposed")
    assert step.state.call("X").reply == NotHere(2, "Ben")


# Acknowledged and gone


@pytest.mark.parametrize(("mode", "has", "gone"), [("async", "", True), ("semi", "Cem", True), ("semi", "Ben", False)])
def test_what_a_mode_loses(mode: str, has: str, gone: bool) -> None:
    """An acknowledged write is lost where the next primary lacks it (orchestrator#1312)."""
    end = acknowledged_and_gone(mode, has).branch[-1].state
    assert end.call("X").reply == Done(1, "milk")
    assert (end.call("Y").reply == Done(1, None)) is gone


def test_a_semi_synchronous_primary_without_backups_answers_alone() -> None:
    """It falls back to one copy when the set is only itself."""
    run = Script(PrimaryBackup(n=2, mode="semi")).cut_off("Ben").ask("M", Suspect("Ben"), to=SERVICE).settle()
    assert is_done(run.ask("X", Write, to="Ann").world.call("X"))


# KIP-101 and KIP-279: where a log is cut


@pytest.mark.parametrize(
    ("mine", "theirs", "common"),
    [
        (((0, 2),), ((0, 2),), 2),
        (((0, 1), (1, 2)), ((0, 2),), 1),  # KIP-101, scenario 2
        (((0, 2), (2, 4)), ((0, 1), (1, 3)), 1),  # KIP-279: epochs 1 and 2 are each known to one of them only
        ((), ((0, 2),), 0),
        (((0, 5),), ((0, 3),), 3),
    ],
)
def test_two_logs_agree_up_to_the_end_of_their_last_common_epoch(mine: Any, theirs: Any, common: int) -> None:
    assert last_common(mine, theirs) == common


def _replica(name: str, log: Log, watermark: int, kind: type[Replica] = Replica) -> Replica:
    other = "Ann" if name == "Ben" else "Ben"
    return kind(
        id=name, service=SERVICE, peers=(other,), mode="sync", timeout=60,
        epoch=1, members=("Ben", "Ann"), log=log, watermark=watermark, following=name == "Ben",
    )  # fmt: skip


M1, M2, M3 = Entry(0, "m1", "X", 1), Entry(0, "m2", "X", 2), Entry(1, "m3", "Y", 1)


def _returned(log: Log, leader: Log, watermark: int, kind: type[Replica]) -> Log:
    """The log of Ann, which restarts, after Ben has told where the logs part, and has shipped the rest."""
    ann, _ = _replica("Ann", log, watermark, kind).after_restart()
    ben = _replica("Ben", leader, len(leader))
    ben, told = ben.after_message("Ann", Where(1, ends_of(ann.log)))
    [(_, answer)] = told.sends
    assert isinstance(answer, EndOf)
    ann, asked = ann.after_message("Ben", answer)
    ben, shipped = ben.after_message("Ann", asked.sends[0][1])
    for _, ship in shipped.sends:
        ann, _ = ann.after_message("Ben", ship)
    return ann.log


def test_kip_101_scenario_2_logs_are_equal_by_epoch() -> None:
    """Ann has m1, m2 of epoch 0, Ben leads epoch 1 with m1, m3. By the watermark, 2, Ann would keep m2 for ever."""
    assert _returned((M1, M2), (M1, M3), 2, Replica) == (M1, M3)

    class KeepsTheWatermark(Replica):
        def cut(self, common: int) -> int:
            return self.watermark

    assert _returned((M1, M2), (M1, M3), 2, KeepsTheWatermark) != (M1, M3)


def test_kip_101_scenario_1_nothing_acknowledged_is_missing() -> None:
    """Ann restarts before it hears that m2 is committed, and Ben dies before Ann fetches it: m2 is lost."""
    for kind, left in ((Replica, ["m1", "m2"]), (CutsAtTheWatermark, ["m1"])):
        ann, _ = _replica("Ann", (M1, M2), 1, kind).after_restart()
        assert values(ann.log) == left


# The chain (van Renesse and Schneider 2004)


def test_the_tail_answers_and_every_server_has_the_update_by_then() -> None:
    """Section 2."""
    step = first(GALLERY["An update walks down the chain, and the tail answers"](), "CH.answer")
    assert [values(step.state[name].hist) for name in ("Ann", "Ben", "Cem")] == [["milk"]] * 3


def test_after_a_middle_server_is_out_the_rest_of_sent_is_sent_again_before_anything_new() -> None:
    """Section 3, failure of other servers."""
    history = GALLERY["A middle server crashes with an update on its way"]()
    [note] = [note for note in first(history, "CH.resend").notes if note.rule == "CH.resend"]
    assert values(note.values["values"]) == ["milk"]
    assert values(history.branch[-1].state["Cem"].hist) == ["milk"]


def test_what_is_sent_again_is_taken_once() -> None:
    """Section 3: a server ignores an update that it has."""
    cem = Chain(spare=False).processes()[2]
    taken, _ = cem.after_message("Ben", Forward(0, (M1,)))
    again, _ = taken.after_message("Ben", Forward(0, (M1, M2)))
    assert values(again.hist) == ["m1", "m2"]


def test_the_new_tail_processes_what_it_has_in_sent() -> None:
    """Section 3, failure of the tail: Pending shrinks."""
    history = GALLERY["The tail crashes, and its predecessor answers"]()
    step = first(history, "CH.tail")
    assert step.state["Ben"].sent == ()
    assert is_done(step.state.call("X"))


def test_a_new_tail_does_not_answer_before_it_has_the_history() -> None:
    """Section 3, extending a chain: the new tail first gets all of Hist."""
    run = Script(Chain(n=2)).ask("X").until(fired("CH.answer")).settle()
    run.ask("M", to=SERVICE).until(when(lambda world: world["Cem"].epoch == 2))
    run.ask("Y", Read(1), to="Cem")
    assert isinstance(run.world.call("Y").reply, NotHere)
    run.settle().ask("Y", Read(1), to="Cem")
    assert run.world.call("Y").reply == Done(1, "milk")


def test_an_acknowledgement_counts_only_from_the_successor() -> None:
    ann = Chain(spare=False).processes()[0]
    wrote, _ = ann.after_request("X", Write("milk", 1))
    assert wrote.after_message("Cem", Processed(1))[0] == wrote
    assert wrote.after_message("Ben", Processed(1))[0].acked == 1


@pytest.mark.parametrize(("guard", "answer"), [("none", Done(1, "milk")), ("ask", NotHere(1, "Ben"))])
def test_a_suspected_tail_that_is_up_answers_with_an_old_value_unless_it_asks(guard: str, answer: Any) -> None:
    """Section 1 assumes fail-stop: here the monitor was wrong."""
    call = old_tail(guard).branch[-1].state.call("Y")
    assert call.reply == answer if guard == "none" else not is_done(call)


# Every run


def test_every_run_of_three_servers_two_updates_and_a_crash_keeps_the_invariants() -> None:
    """Section 3. An abstraction of a chain has 150 states here (each failure and its repair are one step). This machine
    has 1,918: the crash, the report, the new epoch at each server, and the lost messages are steps of their own.
    """
    chain = Chain(patience=False, spare=False, clients={"X": ("milk", "eggs")}, suspicions=1, budget={"crash": 1})
    found = explore(chain)
    assert found.holds, found
    assert found.states == 1_918


def test_every_run_of_a_pair_with_a_crash_keeps_acknowledged_writes_in_the_set() -> None:
    found = explore(CRASHES, [kept, survives, one_copy], max_states=20_000)
    assert found.holds, found


@pytest.mark.parametrize(
    ("title", "steps"),
    [
        ("Sent is not sent again", 11),
        ("an update is taken twice", 8),
        ("the head answers", 2),
        ("the new tail is silent", 9),
        ("an old tail answers queries", 4),
        ("cuts at the watermark", 5),
        ("a deposed primary is not fenced", 6),
    ],
)
def test_the_shortest_run_that_shows_a_bug(title: str, steps: int) -> None:
    """A search goes level by level, so that no shorter run shows it."""
    assert len(BUGS[title].found().counterexample.history.path) - 1 == steps


@pytest.mark.parametrize("seed", range(8))
def test_after_random_faults_are_repaired_all_members_have_one_log(seed: int) -> None:
    """Liveness. The faults: one replica crashes or is cut off at a time, and comes back."""
    run = Script(PrimaryBackup(seed=seed, clients={"X": tuple(f"w{n}" for n in range(60))}))
    for nth in range(12):
        draw = mix(key_of(seed, "world"), nth)
        name = ("Ann", "Ben", "Cem")[draw % 3]
        run.crash(name) if draw % 2 else run.cut_off(name)
        for _ in range(draw // 6 % 5):
            run.do(*[request for request in run.history.machine.requests(run.world) if request.client == "X"][:1])
            for _ in range(6):
                run.history.advance()
        run.restart(name) if draw % 2 else run.heal()
    for _ in range(3):  # a write brings back a replica that was left out
        run.finish()
        leader = next(each.id for each in run.world.processes if isinstance(each, Replica) and each.leads)
        run.ask("X", Write, to=leader)
    run.finish()
    assert is_done(run.world.call("X")), f"seed {seed}"
    assert run.world[SERVICE].members[0] == leader
    assert len({run.world[name].log for name in run.world[SERVICE].members}) == 1, f"seed {seed}"


def test_a_shipment_with_a_gap_is_asked_for_again() -> None:
    cem = replace(_replica("Ann", (), 0), id="Cem", following=1)
    after, effects = cem.after_message("Ben", Ship(1, 2, (M3,), 0, 0))
    assert after.log == ()
    assert effects.sends == [("Ben", Got(1, 0, wants=True))]


def test_the_invariants_of_the_chain_fail_where_they_should() -> None:
    """A check that cannot fail proves nothing."""
    assert BUGS["an update is taken twice"].found().counterexample.property is update_propagation
    world = Chain(spare=False).start()
    ann = replace(world["Ann"], hist=(M1,), acked=1)
    wrong = inprocess_requests.wrong(replace(world, processes=(ann, *world.processes[1:])))
    assert wrong is not None
    assert "m1" in wrong
