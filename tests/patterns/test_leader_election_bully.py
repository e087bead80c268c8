"""The bully algorithm, sentence by sentence.

`CDKB`: Coulouris, Dollimore, Kindberg, Blair, "Distributed Systems: Concepts and Design", 5th edition, section 15.3;
Garcia-Molina, "Elections in a Distributed Computing System", IEEE Transactions on Computers C-31(1), 1982.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace

from patterns.engine.history import History
from patterns.engine.machine import NotEnabled
from patterns.engine.params import ParameterError
from patterns.engine.world import Crash, Cut, Deliver, Fire, Heal, Restart
from patterns.leader_election import Bully, BullyElection, agreed_leader, leaders
from patterns.leader_election.bully import Answer, Coordinator, Election, Heartbeat
from patterns.leader_election.lesson import GALLERY
from patterns.leader_election.properties import highest_alive_leads, one_coordinator


def process(rank: int, n: int = 4, **fields: Any) -> Bully:
    return Bully(id=f"P{rank}", rank=rank, ranks=tuple(range(1, n + 1)), **fields)


def test_a_process_that_begins_asks_all_that_have_a_higher_id() -> None:
    """CDKB 15.3: an election message goes to every process with a higher identifier."""
    after, effects = process(2, starts=True).after_timer("start")
    assert effects.sends == [("P3", Election()), ("P4", Election())]
    assert after.role == "candidate"
    assert effects.timers["answer"] == (30, 30)


def test_the_highest_does_not_ask_and_coordinates_at_once() -> None:
    """CDKB 15.3: the process that knows it has the highest identifier elects itself and tells the lower ones."""
    after, effects = process(4, starts=True).after_timer("start")
    assert effects.sends == [("P1", Coordinator()), ("P2", Coordinator()), ("P3", Coordinator())]
    assert (after.role, after.leader) == ("leader", "P4")


def test_a_process_that_gets_an_election_message_answers_and_begins_one_itself() -> None:
    """CDKB 15.3: it sends back an answer and begins another election ..."""
    after, effects = process(3).after_message("P1", Election())
    assert effects.sends == [("P1", Answer()), ("P4", Election())]
    assert after.role == "candidate"


def test_a_candidate_that_gets_an_election_message_only_answers() -> None:
    """CDKB 15.3: ... unless it has begun one already. It answers all the same."""
    after, effects = process(3, role="candidate").after_message("P1", Election())
    assert effects.sends == [("P1", Answer())]
    assert after == process(3, role="candidate")


def test_a_candidate_that_gets_an_answer_waits_for_the_coordinator() -> None:
    """CDKB 15.3: an answer came, so it waits a further period for a coordinator message."""
    after, effects = process(2, role="candidate").after_message("P3", Answer())
    assert after.answered
    assert not effects.sends
    assert effects.timers == {"answer": None, "coordinator": (60, 60)}


def test_a_candidate_without_answers_leads() -> None:
    """CDKB 15.3: no answer within the time T: it considers itself the coordinator and tells all lower ones."""
    after, effects = process(3, role="candidate").after_timer("answer")
    assert effects.sends == [("P1", Coordinator()), ("P2", Coordinator())]
    assert after.role == "leader"


def test_a_candidate_that_hears_of_no_coordinator_begins_again() -> None:
    """CDKB 15.3: no coordinator message in the further period: it begins another election."""
    after, effects = process(3, role="candidate", answered=True).after_timer("coordinator")
    assert effects.sends == [("P4", Election())]
    assert (after.role, after.answered) == ("candidate", False)


@pytest.mark.parametrize("role", ["follower", "candidate", "leader"])
def test_a_process_that_gets_a_coordinator_message_follows(role: str) -> None:
    """CDKB 15.3: it treats the sender as the coordinator."""
    after, effects = process(2, role=role, heartbeat=50).after_message("P4", Coordinator())
    assert (after.role, after.leader) == ("follower", "P4")
    assert effects.timers["answer"] is None
    assert effects.timers["heartbeat"] is None
    assert effects.timers["leader"] == (180, 180)


def test_a_process_that_comes_back_begins_an_election_even_if_another_leads() -> None:
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
    leader = process(1, role="leader", leader="P1", heartbeat=50)
    assert [note.rule for note in leader.after_message("P4", Heartbeat())[1].notes] == ["B.rival", "B.ask"]
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
    history = GALLERY["Bully: a process comes back at the wrong moment"]()
    end = history.branch[-1].state
    assert [member.leader for member in end.processes] == ["P2", "P3", "P3"]
    assert re.findall(r"P\d", str(highest_alive_leads.reason(None, end))) == ["P1", "P2", "P3"]


def test_a_process_that_crashed_for_good_does_not_restart() -> None:
    history = History(BullyElection(n=3, crash_stop=True))
    history.apply(Crash("P3"))
    with pytest.raises(NotEnabled, match="P3 has crashed for good"):
        history.apply(Restart("P3"))
    assert not list(history.machine.repairs(history.state))


def test_in_a_quiet_search_no_timer_fires_while_a_message_is_on_its_way() -> None:
    machine = BullyElection(n=3, heartbeat=0, timing="quiet", starts=(1, 2))
    start = machine.start()
    after, _ = machine.apply(start, Fire("P1", "start"))
    assert Fire("P2", "start") in machine.enabled(after), "the start of an election is not a timeout"
    assert Fire("P1", "answer") not in machine.enabled(after)
    assert any(isinstance(event, Deliver) for event in machine.enabled(after))


def test_only_a_message_that_says_who_leads_excuses_two_leaders() -> None:
    """An answer of the higher one on its way is no announcement."""
    history = History(BullyElection(n=3, starts=(1, 2), heartbeat=0))
    history.run_until(lambda step: any(isinstance(packet.body, Answer) for packet in step.state.packets), 20)
    (answer,) = [packet for packet in history.state.packets if isinstance(packet.body, Answer)]
    two = [replace(member, role="leader") if member.rank < 3 else member for member in history.state.processes]
    world = replace(history.state, processes=tuple(two), packets=(answer,))
    assert one_coordinator.reason(None, world) is not None
    announced = replace(answer, body=Coordinator())
    assert one_coordinator.reason(None, replace(world, packets=(announced,))) is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n": 0}, "n is 0; allowed is 1 to 512"),
        ({"n": "3"}, "n is '3'; allowed is 1 to 512"),
        ({"n": 3, "starts": (4,)}, r"starts is \(4,\); allowed is ids from 1 to 3"),
        ({"starts": (float("nan"),)}, r"starts\[0\] is nan"),
        ({"starts": 1}, "starts is 1; allowed is a list"),
        ({"timeout": -1}, "timeout is -1; allowed is a whole number, at least 0 ms"),
        ({"heartbeat": 2.5}, "heartbeat is 2.5"),
        ({"algorithm": "lease"}, "BullyElection has no parameter 'algorithm'"),
    ],
)
def test_a_bad_argument_is_refused_by_name(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        BullyElection(**options)
