"""A slot moves while clients write: each step, each crash, each redirect. Questions to all shards; sign-ups."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from cutover import STEPS, Cutover, cutover_properties

from patterns.engine.clients import Misused
from patterns.engine.explore import explore
from patterns.engine.history import History
from patterns.engine.milestones import find, fired
from patterns.engine.planted import MANY_FAULTS, Search, first_broken, planted
from patterns.engine.properties import Sometimes
from patterns.engine.random_worlds import random_worlds
from patterns.engine.script import Script, Unreached
from patterns.engine.world import Crash, Restart
from patterns.sharding.gather import ScatterGather
from patterns.sharding.index import Go, SignUps
from patterns.sharding.lesson.broken import BUGS, SMALL
from patterns.sharding.lesson.gallery import GALLERY
from patterns.sharding.lesson.measure import longest_write
from patterns.sharding.messages import CrossSlotRefused, Done, HandIn, Look, Moved, Served, Undo
from patterns.sharding.properties import ALWAYS, no_ping_pong, nothing_lost, routers, shards
from patterns.sharding.query import Question
from patterns.sharding.resharding import OPERATOR, Resharding

WAYS = ("stream", "key by key")


def begun(**params: Any) -> Script:
    """The operator moves slot 0 from A to B, and Ann hands in at Cairo."""
    orders = (("Ann", "hand in", "Cairo"),)
    return Script(Resharding(orders=orders, **params)).ask(OPERATOR).ask("Ann", to="R1")


def parcels(world: Any) -> dict[str, int]:
    """All parcels in the slots that their shard owns."""
    return {
        row.key: row.parcels for shard in shards(world) for row in shard.rows if shard.hold(row.slot).role == "owner"
    }


# The order of a cutover


def test_the_right_order_has_86_states_and_loses_no_write() -> None:
    """The notes count 60 states on an abstraction of their own. Here two writes have names, and may begin at B too:
    86 states, of which 55 remain if the names of the writes do not count."""
    machine = Cutover()
    found = explore(machine, cutover_properties(machine))
    assert found.holds
    assert (found.states, found.depth) == (86, 11)


@pytest.mark.parametrize(
    ("steps", "events"),
    [
        pytest.param(("copy", "ship", "on"), 5, id="no fence"),
        pytest.param(("copy", "fence", "drain", "on"), 6, id="no catch-up"),
        pytest.param(("copy", "ship", "fence", "ship", "on"), 7, id="no drain"),
        pytest.param(("copy", "ship", "fence", "drain", "on"), 7, id="no second shipment"),
        pytest.param(("copy", "ship", "on", "fence", "drain", "ship"), 3, id="on before the fence"),
    ],
)
def test_a_step_left_out_breaks_the_cutover_in_as_many_events_as_known(steps: Any, events: int) -> None:
    machine = Cutover(steps=steps)
    broken = explore(machine, cutover_properties(machine)).counterexample
    assert broken is not None
    assert len(broken.history.path) - 1 == events
    assert steps != STEPS


# Every run of a small move


@pytest.mark.parametrize(
    ("params", "states"),
    [
        ({}, 256),
        ({"budget": {"crash": 1}}, 3_633),
        ({"budget": {"drop": 1}}, 777),
        ({"undo": True}, 2_261),
        ({"way": "stop and copy", "undo": True}, 1_318),
        ({"way": "key by key"}, None),
        ({"way": "key by key", "budget": {"crash": 1}}, None),
    ],
    ids=str,
)
def test_every_run_of_one_write_and_one_move_keeps_all_promises(params: Any, states: int | None) -> None:
    found = Search(SMALL.again(**params), ALWAYS).run()
    assert found.holds, found
    assert states in (None, found.states)


@pytest.mark.parametrize("way", WAYS)
def test_random_worlds_of_three_shards_keep_all_promises(way: str) -> None:
    orders = (
        ("Ann", "hand in", "Cairo"),
        ("Ben", "collect", "Cairo"),
        ("Ann", "hand in", "Oslo"),
        ("Ben", "look", "Cairo+Rome"),
        ("Ann", "look", "Cairo+Oslo"),
        ("Ben", "hand in", "Cairo"),
    )
    found = random_worlds(Resharding(way=way, shards=3, orders=orders), range(25), 120, faults=MANY_FAULTS)
    assert found.holds, found


# A crash at each step


@cache
def standard(way: str) -> History[Any, Any]:
    return begun(way=way).finish().history


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", ["A", "B"])
def test_a_crash_at_any_step_loses_nothing_doubles_nothing_and_the_move_ends(way: str, who: str) -> None:
    """S11; valkey, half-migrated-slot.tcl: after each half step the key stays readable, and the move can end."""
    for depth in range(len(standard(way).branch)):
        run = begun(way=way)
        run.advance(min(depth, len(standard(way).branch) - 3)).do(Crash(who)).wait(40).do(Restart(who)).finish()
        world = run.world
        assert world.call("Ann").reply == Done(1, 3), f"crash at step {depth}"
        assert parcels(world) == {"Cairo": 3, "Oslo": 1, "Lima": 3}, f"crash at step {depth}"
        assert world["B"].hold(0).role == "owner", f"crash at step {depth}"
        assert first_broken(run.history, [each for each in ALWAYS if not isinstance(each, Sometimes)]) is None
    assert depth > 10


@pytest.mark.parametrize("side", ["A", "B"])
def test_a_move_is_undone_at_either_side_until_the_switch_and_nothing_is_lost(side: str) -> None:
    ended = set()
    for depth in range(1, len(standard("stream").branch) - 2):
        run = begun().advance(depth)
        try:
            run.ask(OPERATOR, Undo, to=side)
        except Unreached:  # this side does not know the move yet, or any more
            continue
        run.finish()
        owner = next(shard for shard in shards(run.world) if shard.hold(0).role == "owner")
        ended.add(owner.id)
        assert parcels(run.world) == {"Cairo": 3, "Oslo": 1, "Lima": 3}
        assert first_broken(run.history, ALWAYS) is None
    assert ended == {"A", "B"}


# Redirects


def test_ask_changes_no_map_and_moved_changes_it_once() -> None:
    """Redis Cluster specification, "MOVED redirection" and "ASK redirection"."""
    move = GALLERY["A slot moves while clients write"]()
    asked, told = find(move, fired("R.askthere")), find(move, fired("R.moved", who="R2"))
    assert asked is not None
    assert told is not None
    assert (asked.state["R2"].entry(0).owner, asked.state["R2"].entry(0).epoch) == ("A", 1)
    assert (told.state["R2"].entry(0).owner, told.state["R2"].entry(0).epoch) == ("B", 2)
    learned = [step for step in move.branch if any(note.rule == "R.moved" for note in step.notes)]
    assert len(learned) == len(routers(move.branch[-1].state))


def test_a_retry_across_the_move_is_answered_and_not_done_again() -> None:
    """buildbuddy pull request 12143: the table of answered requests moves with the shard."""
    move = GALLERY["A slot moves while clients write"]()
    again = find(move, fired("S.again", who="B"))
    assert again is not None
    assert again.state["B"].parcels("Cairo") == 3


def test_a_late_copy_of_an_older_request_is_not_done_after_a_newer_one() -> None:
    machine = Resharding(orders=(("Ann", "hand in", "Cairo"), ("Ann", "collect", "Cairo")))
    run = Script(machine).ask("Ann", to="R1").duplicate().delay(500).until(fired("R.done")).ask("Ann", to="R1").finish()
    assert run.world["A"].parcels("Cairo") == 0


def test_a_router_that_was_told_moved_asks_the_right_shard_at_once_the_next_time() -> None:
    """redis/ioredis, `test/functional/cluster/moved.ts`, first and third case: of two servers, one answers MOVED to the
    first request and must not be asked again.
    """
    machine = Resharding(routers=1)
    router = machine.processes()[-1]
    asked = []
    for serial in (1, 2):
        router, effects = router.after_request("Ann", HandIn(serial, "Cairo"))
        while effects.sends:
            [shard] = [to for to, _ in effects.sends]
            asked.append((serial, shard))
            answer = Moved("Ann", serial, 0, "B", 2) if shard == "A" else Served("Ann", serial, 3)
            router, effects = router.after_message(shard, answer)
    assert asked == [(1, "A"), (1, "B"), (2, "B")]
    assert effects.replies == [("Ann", Done(2, 3))]


def test_a_router_follows_moved_to_a_shard_that_is_not_on_its_map() -> None:
    """redis/ioredis, `moved.ts`, second case: the server that MOVED names was unknown."""
    router = Resharding(routers=1).processes()[-1]
    router, _ = router.after_request("Ann", HandIn(1, "Cairo"))
    router, effects = router.after_message("A", Moved("Ann", 1, 0, "Z", 7))
    assert [shard for shard, _ in effects.sends] == ["Z"]
    assert (router.entry(0).owner, router.entry(0).epoch) == ("Z", 7)


@pytest.mark.parametrize("way", [*WAYS, "stop and copy"])
def test_a_key_names_one_request_also_after_the_move(way: str) -> None:
    """The same request is answered as the first time, another one under its number is refused: at B, too."""
    run = begun(way=way).finish()
    for order, reply in (
        (HandIn(1, "Cairo"), Done(1, 3)),
        (HandIn(1, "Oslo"), Misused(1)),
        (Look(1, ("Cairo",)), Misused(1)),
    ):
        run.ask("Ann", order, to="R2").finish()
        assert run.world.call("Ann").reply == reply
    assert parcels(run.world) == {"Cairo": 3, "Oslo": 1, "Lima": 3}


def test_only_stop_and_copy_lets_a_writer_wait_for_the_whole_copy() -> None:
    """A copy of 300 ms more or 300 ms less: with a fence at its end, the longest write does not depend on it."""
    waits = {way: (longest_write(way, 300), longest_write(way, 600)) for way in ("stop and copy", "stream")}
    assert waits["stream"][0] == waits["stream"][1] < 100
    assert waits["stop and copy"][0] > 300
    assert waits["stop and copy"][1] - waits["stop and copy"][0] == pytest.approx(300, abs=60)


def test_keys_of_two_slots_are_refused_in_one_request() -> None:
    """Redis answers CROSSSLOT."""
    run = Script(Resharding()).ask("Ann", Look(1, ("Cairo", "Lima")), to="R1")
    assert run.world.call("Ann").reply == CrossSlotRefused(1, (0, 1))


def test_keys_on_two_sides_of_a_move_are_tried_again_until_they_are_together() -> None:
    """Redis answers TRYAGAIN while some of the keys are here and some there."""
    run = Script(Resharding(way="key by key")).ask(OPERATOR).until(fired("M.key", key="Oslo"))
    run.ask("Ben", Look(1, ("Cairo", "Oslo")), to="R1").until(fired("S.TryAgain")).finish()
    assert run.world.call("Ben").reply == Done(1, 3)


def test_no_shard_and_its_peer_send_a_client_to_each_other_if_the_target_is_told_first() -> None:
    """redis issue 7116, given a slot whose keys have all moved: told to the source first, both redirect."""
    wrong = BUGS["the source is told first"]
    counterexample = wrong.found().counterexample
    assert counterexample.property is no_ping_pong
    assert re.findall(r"\b[A-Z]\b", counterexample.reason) == ["A", "B", "B", "A"]
    assert wrong.clean().holds


def test_a_kept_ask_loses_an_acknowledged_write_when_the_key_arrives() -> None:
    """Tried on Redis 7.0.15 and Valkey 9.1.2: MIGRATE ... REPLACE overwrites what was written with ASKING."""
    machine = planted(
        SMALL.again(budget=None, way="key by key", orders=(("Ben", "look", "Rome"), ("Ann", "hand in", "Cairo"))),
        **BUGS["ASK is kept"].changes,
    )
    run = Script(machine).ask(OPERATOR).until(fired("M.key")).ask("Ben").delay(300, sender="A", to="B")
    run.until(fired("R.done", client="Ben")).ask("Ann").until(fired("R.done", client="Ann"))
    assert run.world.call("Ann").reply == Done(1, 1), "acknowledged, by a shard that does not have the 2 parcels"
    run.finish()
    assert run.world["B"].parcels("Cairo") == 2, "Ann's parcel is gone"
    assert first_broken(run.history, [nothing_lost]) is not None


# Questions to all shards, and one e-mail for one customer


def asked(question: Question, **params: Any) -> Any:
    run = Script(ScatterGather(questions=(question,), **params)).ask("Ann").finish()
    return run.world.call("Ann")


def test_an_answer_waits_for_the_slowest_leg_and_a_hedge_cuts_the_wait() -> None:
    slow, hedged = (asked(Question(1), work=(10, 90, 10), hedges=hedges) for hedges in (0, 1))
    assert slow.reply.items == hedged.reply.items
    assert slow.replied - slow.asked >= 90 > hedged.replied - hedged.asked


def test_second_requests_stay_within_their_budget_and_a_partial_answer_says_so() -> None:
    for hedges, missing in ((0, ("A", "B")), (1, ("B",)), (2, ("B",))):  # B's copy is at A, which is slow too
        run = Script(ScatterGather(work=(200, 200, 10), hedges=hedges)).ask("Ann").finish()
        sent = sum(note.rule == "G.hedge" for step in run.history.branch for note in step.notes)
        assert sent == hedges
        assert run.world.call("Ann").reply.missing == missing


def test_a_senders_parcels_on_several_shards_count_together() -> None:
    """opensearch sql issue 5770: a top of local tops reports a wrong winner."""
    assert asked(Question(1, "top", 1)).reply.items == (("ben", 7),)


def test_the_global_index_lags_between_two_writes_and_the_local_one_asks_every_shard() -> None:
    machine = SignUps()
    run = Script(machine).do(Go("mike"), Go("mike"))
    assert machine.find(run.world, "mike@x", "local") == (3, ("mike",))
    assert machine.find(run.world, "mike@x", "global") == (1, ())
    run.do(Go("mike"))
    assert machine.find(run.world, "mike@x", "global") == (1, ("mike",))
    assert explore(machine).holds


def test_a_bad_parameter_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match="shards is 9"):
        Resharding(shards=9)
    with pytest.raises(ValueError, match="way is 'fast'"):
        Resharding(way="fast")
