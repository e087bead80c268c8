"""Leases and fencing tokens, sentence by sentence.

Gray and Cheriton, "Leases", SOSP 1989; Kleppmann, "How to do distributed locking", 2016; Burrows, "The Chubby lock
service", OSDI 2006, section 2.4.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from patterns.engine.history import History
from patterns.engine.milestones import fired, when
from patterns.engine.params import ParameterError
from patterns.engine.script import Script
from patterns.engine.step import Note, Step
from patterns.engine.world import Crash, Cut, Delay, Duplicate, Fire, Pause, Restart
from patterns.leader_election import Holder, LeaseElection, LockServer, Storage, leaders
from patterns.leader_election.lease import UnfencedStorage
from patterns.leader_election.lease_messages import (
    Acquire,
    Busy,
    Granted,
    Read,
    Refused,
    Renew,
    Stored,
    Write,
    Written,
)
from patterns.leader_election.lesson import GALLERY
from patterns.leader_election.lesson.gallery import lease_with_drift
from patterns.leader_election.properties import acknowledged_writes_stay, one_leader, tokens_never_fall


def server(**fields: Any) -> LockServer:
    return LockServer(id="lock", term=200, **fields)


def holder(**fields: Any) -> Holder:
    return Holder(id="A", lock="lock", storage="storage", term=200, **fields)


def leader(**fields: Any) -> Holder:
    return holder(**{"role": "leader", "token": 3, "asked": 1, "knows": True, "content": ("B2.1",), **fields})


def storage(**fields: Any) -> Storage:
    return Storage(id="storage", **fields)


# The lock server


def test_each_grant_has_a_higher_token_than_any_before() -> None:
    """Kleppmann: a number that increases every time a client acquires the lock."""
    after, effects = server(last_token=7).after_message("A", Acquire(1))
    assert effects.sends == [("A", Granted(1, 8))]
    assert (after.holder, after.token, after.last_token) == ("A", 8, 8)
    assert effects.timers == {"expire": (200, 200)}


def test_while_one_holds_the_lease_no_other_gets_it() -> None:
    held = server(holder="A", token=1, last_token=1)
    after, effects = held.after_message("B", Acquire(4))
    assert effects.sends == [("B", Busy(4))]
    assert after == held


def test_when_the_lease_expires_another_holder_can_have_it() -> None:
    """Gray and Cheriton: a lease is a contract for a limited time."""
    free, _ = server(holder="A", token=1, last_token=1).after_timer("expire")
    assert (free.holder, free.token) == ("", 0)
    assert free.after_message("B", Acquire(1))[1].sends == [("B", Granted(1, 2))]


def test_a_renewal_keeps_the_token_and_starts_the_lease_anew() -> None:
    held = server(holder="A", token=1, last_token=1)
    after, effects = held.after_message("A", Renew(2, 1))
    assert effects.sends == [("A", Granted(2, 1))]
    assert effects.timers == {"expire": (200, 200)}
    assert after == held


@pytest.mark.parametrize("held", [server(last_token=1), server(holder="B", token=2, last_token=2)])
def test_a_lease_that_is_over_is_not_renewed(held: LockServer) -> None:
    assert held.after_message("A", Renew(2, 1))[1].sends == [("A", Busy(2))]


def test_a_holder_that_asks_again_after_a_crash_gets_a_new_token() -> None:
    """Its writes from before the crash may still be on their way; the old token fences them off."""
    held = server(holder="A", token=1, last_token=1)
    assert held.after_message("A", Acquire(5))[1].sends == [("A", Granted(5, 2))]


def test_after_a_crash_the_server_grants_nothing_for_a_whole_term() -> None:
    """Gray and Cheriton: it need not remember leases, if it waits for the longest; tokens it must remember."""
    back, effects = server(holder="A", token=3, last_token=3).crashed().after_restart()
    assert effects.timers == {"expire": (200, 200)}
    assert back.last_token == 3
    assert back.after_message("A", Acquire(1))[1].sends == [("A", Busy(1))]
    free, _ = back.after_timer("expire")
    assert free.after_message("A", Acquire(2))[1].sends == [("A", Granted(2, 4))]


# A holder


def test_a_holder_counts_its_lease_from_when_it_asked() -> None:
    """Gray and Cheriton, effective term: the server cannot have counted from earlier."""
    asking, _ = holder().after_timer("ask", now=100)
    after, effects = asking.after_message("lock", Granted(1, 7), now=130)
    assert (after.role, after.token) == ("leader", 7)
    assert effects.timers["lease"] == (170, 170)
    assert effects.sends == [("storage", Read(7))]


def test_a_holder_gives_up_earlier_if_its_clock_may_be_slow() -> None:
    """Gray and Cheriton, effective term: an allowance for clocks. The clock shows 30 ms: up to 31 have passed."""
    asking, _ = holder(drift=30).after_timer("ask", now=100)
    _, effects = asking.after_message("lock", Granted(1, 7), now=130)
    assert effects.timers["lease"] == (140 - 31, 140 - 31)


def test_a_lease_that_is_over_when_it_is_granted_makes_no_leader() -> None:
    asking, _ = holder().after_timer("ask", now=100)
    after, effects = asking.after_message("lock", Granted(1, 7), now=300)
    assert (after.role, effects.timers, effects.sends) == ("waiting", {}, [])
    almost, effects = asking.after_message("lock", Granted(1, 7), now=299)
    assert (almost.role, effects.timers["lease"], effects.timers["renew"]) == ("leader", (1, 1), (1, 1)), (
        "no timer of 0"
    )


@pytest.mark.parametrize("drift", [0, 10, 50, 70])
@pytest.mark.parametrize(("term", "retry"), [(200, 2), (7, 1)])
def test_with_clocks_as_slow_as_allowed_one_leads_at_a_time(drift: int, term: int, retry: int) -> None:
    """The leader is cut off from the lock. Rounding a slow clock down made the lease 1 ms too long in 4 seeds of 30."""
    for seed in range(16):
        slow = LeaseElection(
            drift=drift, term=term, retry=retry, latency=(0, 1), speed=dict.fromkeys("AB", 100 - drift), seed=seed
        )
        run = Script(slow).until(when(leaders))
        run.cut(leaders(run.world)[0].id, "lock").until(fired("L.expire")).until(fired("H.lead"))
        assert not broken_along(run.history), f"seed {seed}"


@pytest.mark.parametrize("late", [Granted(1, 7), Busy(1)])
def test_an_answer_to_an_earlier_request_does_not_count(late: Any) -> None:
    """`asked` is on disk, so an answer from before a crash does not count either."""
    asking = holder(asked=2, pending=True)
    assert asking.after_message("lock", late)[0] == asking
    back, _ = holder(asked=1, pending=True).crashed().after_restart()
    again, _ = back.after_timer("ask")
    assert again.asked == 2
    assert again.after_message("lock", late)[0] == again


def test_a_holder_stops_leading_when_its_lease_expires() -> None:
    after, effects = leader(writing="A3.1").after_timer("lease")
    assert (after.role, after.token, after.writing) == ("waiting", 0, "")
    assert effects.timers["work"] is None
    assert effects.timers["ask"] == (60, 60)


def test_a_leader_renews_its_lease_before_it_runs_out() -> None:
    asking, effects = leader().after_timer("renew", now=500)
    assert effects.sends == [("lock", Renew(2, 3))]
    after, effects = asking.after_message("lock", Granted(2, 3), now=520)
    assert effects.timers["lease"] == (180, 180)
    assert not effects.sends
    assert after.role == "leader"


def test_a_leader_writes_back_what_it_read_and_a_line_more() -> None:
    """Kleppmann's example: read the file, change it, write it back, each with the token."""
    after, effects = leader().after_timer("work")
    assert effects.sends == [("storage", Write(3, ("B2.1", "A3.1")))]
    again, effects = after.after_timer("work")
    assert again == after
    assert effects.sends == [("storage", Write(3, ("B2.1", "A3.1")))]
    done, effects = after.after_message("storage", Written(3, ("B2.1", "A3.1")))
    assert (done.content, done.writing, done.done) == (("B2.1", "A3.1"), "", 1)


def test_a_second_acknowledgement_of_a_line_does_not_count_for_the_next_line() -> None:
    """A leader that repeats a write gets two acknowledgements."""
    writing = leader(content=("B2.1", "A3.1"), writing="A3.2", done=1)
    after, effects = writing.after_message("storage", Written(3, ("B2.1", "A3.1")))
    assert after == writing
    assert [note.rule for note in effects.notes] == ["H.late"]


def test_a_leader_does_not_write_before_it_has_read() -> None:
    before = leader(knows=False, content=())
    assert before.after_timer("work")[1].sends == [("storage", Read(3))]
    after, _ = before.after_message("storage", Stored(3, ("B2.1",)))
    assert after.content == ("B2.1",)


def test_a_read_that_is_answered_twice_counts_once() -> None:
    """A second answer may be older: what the leader has written since would be lost."""
    after, _ = leader(content=("B2.1", "A3.1")).after_message("storage", Stored(3, ("B2.1",)))
    assert after.content == ("B2.1", "A3.1")


def test_a_leader_that_is_refused_stops_leading() -> None:
    after, effects = leader().after_message("storage", Refused(3, 4))
    assert after.role == "waiting"
    assert [note.rule for note in effects.notes] == ["H.fenced"]


@pytest.mark.parametrize("late", [Stored(2, ()), Written(2, ("A2.1",)), Refused(2, 3)])
def test_a_leader_ignores_answers_with_an_older_token(late: Any) -> None:
    assert leader().after_message("storage", late)[0] == leader()


# The storage


@pytest.mark.parametrize(("token", "taken"), [(2, False), (3, True), (4, True)])
def test_the_storage_refuses_a_token_older_than_any_it_has_seen(token: int, taken: bool) -> None:
    """Kleppmann: having processed a write with a higher token, it rejects the request with the lower one."""
    before = storage(highest=3, content=("B3.1",), written_with=3)
    after, effects = before.after_message("A", Write(token, ("A",)))
    if taken:
        assert effects.sends == [("A", Written(token, ("A",)))]
        assert (after.content, after.highest, after.written_with) == (("A",), token, token)
    else:
        assert effects.sends == [("A", Refused(token, 3))]
        assert after == before


def test_a_read_makes_its_token_known() -> None:
    """Chubby 2.4: the sequencer goes with every request. Else an old leader could write after a new one has read."""
    after, effects = storage(highest=2, content=("A2.1",)).after_message("B", Read(3))
    assert after.highest == 3
    assert effects.sends == [("B", Stored(3, ("A2.1",)))]
    assert after.after_message("A", Write(2, ("A2.1", "A2.2")))[1].sends == [("A", Refused(2, 3))]
    assert after.after_message("A", Read(2))[1].sends == [("A", Refused(2, 3))]


def test_the_storage_remembers_the_highest_token_over_a_crash() -> None:
    back, _ = storage(highest=3, content=("A3.1",), written_with=3).crashed().after_restart()
    assert (back.highest, back.content) == (3, ("A3.1",))


def test_without_fencing_the_storage_accepts_every_write() -> None:
    before = UnfencedStorage(id="storage", highest=3, content=("B3.1",), written_with=3)
    after, effects = before.after_message("A", Write(2, ("A2.1",)))
    assert (after.content, after.written_with) == (("A2.1",), 2)
    assert [note.rule for note in effects.notes] == ["S.stale"]


# All together


def broken_along(history: History[Any, Any]) -> dict[str, str]:
    """The invariants that the run breaks, each with its reason."""
    broken = {}
    for each in history.machine.always:
        memory = each.begin(history.branch[0].state)
        for before, step in pairwise(history.branch):
            memory = each.follow(memory, before.state, step.event, step.state, step.notes)
            if reason := each.reason(memory, step.state):
                broken.setdefault(each.name, reason)
    return broken


def notes_of(steps: list[Step[Any, Any]]) -> list[Note]:
    return [note for step in steps for note in step.notes]


def test_a_paused_leader_that_wakes_up_is_refused_by_the_storage() -> None:
    """Kleppmann, the figure with tokens 33 and 34."""
    history = GALLERY["Lease: a paused leader with fencing"]()
    (refused,) = [note for note in notes_of(history.branch) if note.rule == "S.refuse"]
    assert (refused.values["token"], refused.values["highest"]) == (1, 2)
    broken = broken_along(history)
    assert [*broken] == [one_leader.name]
    assert re.findall(r"\b[AB]\b", broken[one_leader.name]) == ["A", "B"]
    assert history.branch[-1].state["storage"].content == ("A2.1",)


def test_without_fencing_a_paused_leader_loses_anothers_write() -> None:
    """Kleppmann, the figure before: two clients, and the file is corrupted."""
    broken = broken_along(GALLERY["Lease: a paused leader without fencing"]())
    assert re.findall(r"[AB]\d\.\d", broken[acknowledged_writes_stay.name]) == ["A2.1", "B1.1"]
    assert tokens_never_fall.name in broken


@pytest.mark.parametrize("seed", range(5))
def test_with_a_slow_clock_two_lead_but_the_storage_is_safe(seed: int) -> None:
    broken = broken_along(lease_with_drift(seed=seed))
    assert list(broken) == [one_leader.name], f"seed {seed}"


def test_cut_off_from_the_lock_server_a_leader_stops_before_another_begins() -> None:
    history = History(LeaseElection())
    history.run_until(lambda step: bool(leaders(step.state)), 50)
    (first,) = leaders(history.state)
    history.apply(Cut((first.id,), ("lock",)))
    history.run_until(lambda step: not leaders(step.state), 50)
    assert history.state["lock"].holder == first.id, "the server waits a little longer"
    assert history.run_until(lambda step: bool(leaders(step.state)), 50)
    assert leaders(history.state)[0].id != first.id


def test_a_restarted_lock_server_never_gives_a_token_twice() -> None:
    history = History(LeaseElection())
    for _ in range(3):
        history.run_until(lambda step: bool(leaders(step.state)), 200)
        history.apply(Crash("lock"))
        history.run_until(lambda step: not leaders(step.state), 200)
        history.apply(Restart("lock"))
    tokens = [note.values["token"] for note in notes_of(history.branch) if note.rule == "L.grant"]
    assert tokens == sorted(set(tokens))
    assert len(tokens) == 3


def test_a_late_message_holds_up_the_later_messages_of_its_link() -> None:
    """First in, first out, as in one TCP connection: also where a message is delayed or doubled."""
    history = History(LeaseElection())
    history.run_until(lambda step: any(str(p.body).startswith("write") for p in step.state.packets), 50)
    (write,) = [packet for packet in history.state.packets if isinstance(packet.body, Write)]
    history.apply(Delay(write.id, 100))
    history.run_until(lambda step: sum(isinstance(p.body, Write) for p in step.state.packets) == 2, 50)
    history.apply(Duplicate(write.id))
    arrived = []
    while len(arrived) < 3:
        step = history.advance()
        assert step is not None
        assert step.parent is not None
        packet = step.parent.state.packet(getattr(step.event, "id", -1))
        if packet is not None and isinstance(packet.body, Write):
            arrived.append(packet.id)
    assert arrived == sorted(arrived)


def test_with_true_clocks_a_search_ends_no_lease_that_its_holder_may_believe() -> None:
    machine = LeaseElection(true_clocks=True)
    history = History(machine)
    history.run_until(lambda step: any(isinstance(p.body, Granted) for p in step.state.packets), 50)
    (granted,) = [packet for packet in history.state.packets if isinstance(packet.body, Granted)]
    assert machine.may_be_believed(history.state), "the answer is on its way"
    history.run_until(lambda step: bool(leaders(step.state)), 50)
    assert machine.may_be_believed(history.state)
    assert Fire("lock", "expire") not in machine.enabled(history.state)
    history.apply(Pause(granted.to))
    assert not machine.may_be_believed(history.state), "its clock goes on without it"
    assert Fire("lock", "expire") in machine.enabled(history.state)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"holders": 0}, "holders is 0; allowed is 1 to 9"),
        ({"term": 0}, "term is 0"),
        ({"retry": 0}, "retry is 0"),
        ({"writes": -1}, "writes is -1"),
        ({"drift": 100}, "drift is 100; allowed is 0 to 99 %"),
        ({"term": 50, "drift": 99}, "drift is 99; allowed is a drift that leaves the holder at least 2"),
        ({"fencing": "no"}, "fencing is 'no'; allowed is True or False"),
        ({"speed": {"A": 0}}, r"speed\['A'\] is 0"),
    ],
)
def test_a_bad_argument_is_refused_by_name(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        LeaseElection(**options)
