"""The bully algorithm, sentence by sentence.

`CDKB`: Coulouris, Dollimore, Kindberg, Blair, "Distributed Systems: Concepts and Design", 5th edition, section 15.3;
Garcia-Molina, "Elections in a Distributed Computing System", IEEE Transactions on Computers C-31(1), 1982.
"""

from __future__ import annotations

from typing import Any

import pytest

from patterns.engine.history import History, ReplayError
from patterns.engine.machine import NotEnabled
from patterns.engine.world import Crash, Cut, Deliver, Fire, Heal, Restart
from patterns.leader_election import (
    GALLERY,
    Answer,
    Bully,
    BullyElection,
    ChangRobertsElection,
    Coordinator,
    Election,
    Heartbeat,
    LeaseElection,
    agreed_leader,
    leaders,
)
from patterns.leader_election.properties import highest_alive_leads


def process(rank: int, n: int = 4, **fields: Any) -> Bully:
    return Bully(id=f"P{rank}", rank=rank, ranks=tuple(range(1, n + 1)), **fields)


def test_who_begins_asks_all_that_have_a_higher_id() -> None:
    """CDKB 15.3: an election message goes to every process with a higher identifier."""
    after, effects = process(2, starts=True).after_timer("start")
    assert effects.sends == [("P3", Election()), ("P4", Election())]
    assert after.role == "candidate"
    assert effects.timers["answer"] == (30, 30)


def test_the_highest_asks_nobody_and_coordinates_at_once() -> None:
    """CDKB 15.3: the process that knows it has the highest identifier elects itself and tells the lower ones."""
    after, effects = process(4, starts=True).after_timer("start")
    assert effects.sends == [("P1", Coordinator()), ("P2", Coordinator()), ("P3", Coordinator())]
    assert (after.role, after.leader) == ("leader", "P4")


def test_who_gets_an_election_message_answers_and_begins_one_itself() -> None:
    """CDKB 15.3: it sends back an answer and begins another election ..."""
    after, effects = process(3).after_message("P1", Election())
    assert effects.sends == [("P1", Answer()), ("P4", Election())]
    assert after.role == "candidate"


def test_unless_it_has_begun_one_already() -> None:
    """CDKB 15.3: ... unless it has begun one already. It answers all the same."""
    after, effects = process(3, role="candidate").after_message("P1", Election())
    assert effects.sends == [("P1", Answer())]
    assert after == process(3, role="candidate")


def test_after_an_answer_it_waits_for_the_coordinator() -> None:
    """CDKB 15.3: an answer came, so it waits a further period for a coordinator message."""
    after, effects = process(2, role="candidate").after_message("P3", Answer())
    assert after.answered
    assert not effects.sends
    assert effects.timers == {"answer": None, "coordinator": (60, 60)}


def test_when_none_answers_it_leads() -> None:
    """CDKB 15.3: no answer within the time T: it considers itself the coordinator and tells all lower ones."""
    after, effects = process(3, role="candidate").after_timer("answer")
    assert effects.sends == [("P1", Coordinator()), ("P2", Coordinator())]
    assert after.role == "leader"


def test_when_no_coordinator_is_announced_it_begins_again() -> None:
    """CDKB 15.3: no coordinator message in the further period: it begins another election."""
    after, effects = process(3, role="candidate", answered=True).after_timer("coordinator")
    assert effects.sends == [("P4", Election())]
    assert (after.role, after.answered) == ("candidate", False)


@pytest.mark.parametrize("role", ["follower", "candidate", "leader"])
def test_who_gets_a_coordinator_message_follows(role: str) -> None:
    """CDKB 15.3: it treats the sender as the coordinator."""
    after, effects = process(2, role=role, heartbeat=50).after_message("P4", Coordinator())
    assert (after.role, after.leader) == ("follower", "P4")
    assert effects.timers["answer"] is None
    assert effects.timers["heartbeat"] is None
    assert effects.timers["leader"] == (180, 180)


def test_a_process_that_comes_back_begins_an_election_whoever_leads() -> None:
    """CDKB 15.3: a restarted process begins an election; if it is the highest, it bullies the coordinator out."""
    after, effects = process(4, leader="P3").crashed().after_restart()
    assert [note.rule for note in effects.notes] == ["B.back", "B.top"]
    assert after.role == "leader"


def test_a_silent_coordinator_is_noticed_by_its_heartbeats() -> None:
    """Garcia-Molina 1982, procedure Timeout: a coordinator not heard of for long is taken for crashed."""
    history = History(BullyElection(n=3, starts=(3,)))
    history.run_until(lambda step: bool(agreed_leader(step.state)), 100)
    history.apply(Crash("P3"))
    noticed = history.run_until(lambda step: any(note.rule == "B.silent" for note in step.notes), 100)
    assert noticed is not None
    assert history.run_until(lambda step: agreed_leader(step.state) == "P2", 100)


def test_heartbeats_of_the_own_leader_only_put_off_an_election() -> None:
    """Garcia-Molina 1982, procedure Check: two that coordinate find one another, and an election ends it."""
    follower = process(1, leader="P3", heartbeat=50)
    assert follower.after_message("P3", Heartbeat())[1].timers == {"leader": (180, 180)}
    after, effects = follower.after_message("P4", Heartbeat())
    assert after.role == "candidate"
    assert [note.rule for note in effects.notes] == ["B.other", "B.ask"]
    busy = process(1, role="candidate", heartbeat=50)
    assert busy.after_message("P4", Heartbeat())[0] == busy


def test_answers_that_come_late_change_nothing() -> None:
    for late in (process(2), process(2, role="leader", leader="P2"), process(2, role="candidate", answered=True)):
        after, effects = late.after_message("P4", Answer())
        assert after == late
        assert [note.rule for note in effects.notes] == ["B.late"]


def test_under_a_partition_both_sides_elect() -> None:
    """It assumes that silence is a crash (Garcia-Molina 1982, assumptions): a partition breaks that."""
    history = History(BullyElection(n=5, starts=(5,)))
    history.run_until(lambda step: bool(agreed_leader(step.state)), 100)
    history.apply(Cut(("P1", "P2"), ("P3", "P4", "P5")))
    assert history.run_until(lambda step: len(leaders(step.state)) == 2, 200)
    assert [leader.id for leader in leaders(history.state)] == ["P2", "P5"]
    history.apply(Heal())
    assert history.run_until(lambda step: agreed_leader(step.state) == "P5", 200)


def test_a_recovery_at_the_wrong_moment_leaves_one_with_the_wrong_leader() -> None:
    """CDKB 15.3 warns of it: a process replaced while another announces itself, and the messages' order decides."""
    history = GALLERY["bully: a recovery in the wrong moment"]()
    end = history.branch[-1].state
    assert [member.leader for member in end.processes] == ["P2", "P3", "P3"]
    assert highest_alive_leads.reason(None, end) == "P1 follows P2, but P3 is alive and has the highest id"


def test_who_crashes_for_good_is_not_brought_back() -> None:
    history = History(BullyElection(n=3, crash_stop=True))
    history.apply(Crash("P3"))
    with pytest.raises(NotEnabled, match="P3 has crashed for good"):
        history.apply(Restart("P3"))
    assert not list(history.machine.repairs(history.state))


def test_in_a_synchronous_search_no_timer_runs_out_while_a_message_is_on_its_way() -> None:
    machine = BullyElection(n=3, heartbeat=0, synchronous=True, starts=(1, 2))
    start = machine.start()
    after, _ = machine.apply(start, Fire("P1", "start"))
    assert Fire("P2", "start") in machine.enabled(after), "that it begins is no timeout"
    assert Fire("P1", "answer") not in machine.enabled(after)
    assert any(isinstance(event, Deliver) for event in machine.enabled(after))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n": 0}, "n is 0; allowed are 1 to 512"),
        ({"n": 3, "starts": (4,)}, "starts has 4; ids go from 1 to 3"),
        ({"timeout": -1}, "timeout is -1 ms"),
        ({"heartbeat": -5}, "heartbeat -5 ms"),
        ({"algorithm": "lease"}, "algorithm is 'lease'; BullyElection runs 'bully'"),
        ({"latency": (3, 1)}, "latency is 3..1 ms"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        BullyElection(**options)


def test_a_replay_code_of_one_algorithm_opens_in_the_machine_of_another() -> None:
    """One chapter, one name: the code says which algorithm it is of."""
    for run in GALLERY.values():
        history = run()
        history.jump(history.branch[-1])
        again = History.replay(ChangRobertsElection(), history.code)
        assert again.state == history.state
        assert type(again.machine) is type(history.machine)


def test_a_replay_code_of_no_algorithm_is_refused() -> None:
    with pytest.raises(ValueError, match="algorithm is 'paxos'; allowed are bully, chang_roberts"):
        LeaseElection().again(algorithm="paxos")
    code = History(LeaseElection()).code
    with pytest.raises(ReplayError, match="damaged"):
        History.replay(BullyElection(), code[:-1] + "!")
