"""CQRS, sentence by sentence. C1 to C23 are the chapter's list of rules; sources stand with the rules in rules.toml.

Reports 3, 4 and 5 are failures that were reported from practice, reduced to a scenario.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from patterns.cqrs import Cqrs
from patterns.cqrs.facts import Order, Ordered, Received, decide, fact_of, fold, recorded_as
from patterns.cqrs.lesson.broken import CRASH, InParallel
from patterns.cqrs.lesson.gallery import GALLERY, crashed, looks, rebuilt
from patterns.cqrs.machine import OPERATOR, PAGE, PHONE, SHOP
from patterns.cqrs.messages import Accepted, Apply, At, Conflict, Declined, Feed, Fetch, Rebuild, Repair, Show, Shown
from patterns.cqrs.properties import (
    ALWAYS,
    all_level,
    level,
    model_is_fold,
    no_letter_twice,
    ordered_and_level,
    page_of,
    shop_of,
)
from patterns.engine.milestones import find, fired, messages, when
from patterns.engine.params import ParameterError
from patterns.engine.planted import Search, planted
from patterns.engine.random_worlds import random_worlds
from patterns.engine.script import Script


def rows(run: Any, table: str) -> dict[str, Any]:
    """The rows of a read model where the run stands."""
    return {key: row.value for key, row in page_of(run.world).tables[table].rows}


def at(run: Any, table: str) -> int:
    return int(page_of(run.world).checkpoints[table])


def reply(run: Any, client: str) -> Any:
    return run.world.call(client).reply


def one(*models: str, **params: Any) -> Script:
    """A machine with these read models, in which each message takes 10 ms."""
    return Script(Cqrs(models=models, latency=(10, 10), **params))


def caught_up(run: Script) -> Script:
    return run.until(when(lambda world: ordered_and_level(world) and not world.packets))


# The write side


def test_the_state_of_a_shelf_is_the_fold_of_its_events() -> None:
    facts = [Received("mocha", 5), Ordered("mocha", 2, "ann", "ann-1"), Received("mocha", 1)]
    assert fold(facts) == 4
    assert [fact_of(recorded_as("e", fact)) for fact in facts] == facts


def test_a_command_is_decided_on_the_bags_that_are_left() -> None:
    order = Order("ann-1", "ann", "mocha", 3)
    assert decide(3, order) == (Ordered("mocha", 3, "ann", "ann-1"),)
    assert decide(2, order) == ()


def test_a_command_returns_the_position_and_the_version_of_its_event() -> None:
    """C13: two numbers. Positions count the whole store, versions count one stream."""
    run = one("orders", coffees=("mocha", "java")).ask("ann").ask("bob")
    assert reply(run, "ann") == Accepted("ann-1", position=3, version=1)
    assert reply(run, "bob") == Accepted("bob-1", position=4, version=1)


def test_a_command_that_decides_nothing_has_no_position() -> None:
    """C16."""
    run = one("orders", bags=1).ask("ann").ask("bob")
    assert reply(run, "bob") == Declined("bob-1", left=0)
    assert [event.id for event in shop_of(run.world).log.events] == ["stock-mocha", "ann-1"]


def test_a_repeated_command_gets_the_answer_of_the_first_time() -> None:
    """C17: also if it would be decided otherwise now."""
    run = one("orders", bags=1).ask("ann").ask("bob").ask("ann")
    assert reply(run, "ann") == Accepted("ann-1", position=2, version=1)
    run.ask("bob")
    assert reply(run, "bob") == Declined("bob-1", left=0)
    assert len(shop_of(run.world).log.events) == 2


def test_an_id_that_names_another_command_is_refused() -> None:
    run = one("orders").ask("ann").ask("bob", Order("ann-1", "bob", "mocha"), to=SHOP)
    assert reply(run, "bob") == Conflict("ann-1")
    assert len(shop_of(run.world).log.events) == 2


def test_a_payment_command_that_is_delivered_again_is_carried_out_once() -> None:
    """Report 4, microsoftarchive/cqrs-journey#266: the command was handled, its deletion from the queue failed. It is
    delivered again, here after a crash."""
    run = one("orders").ask("ann")
    first = reply(run, "ann")
    run.crash(SHOP).restart(SHOP).ask("ann")
    assert reply(run, "ann") == first
    assert [event.id for event in shop_of(run.world).log.events].count("ann-1") == 1


def test_a_query_sends_no_message_to_the_write_side() -> None:
    """C23: while the shop is down, every read model still answers."""
    run = looks(caught_up(one("orders").ask("ann")).crash(SHOP), 2)
    assert reply(run, f"ann{PHONE}") == Shown("orders", "ann", ("ann-1",), position=2, wanted=2)
    assert not messages(run.world, to=SHOP)


# Rows and checkpoint


def test_a_row_and_its_checkpoint_change_in_one_step() -> None:
    """C1."""
    run = one("sellers").ask("ann").until(fired("R.write"))
    assert (rows(run, "sellers.1"), at(run, "sellers.1")) == ({"mocha": 1}, 2)


@pytest.mark.parametrize(
    ("commit", "numbered", "sold"),
    [
        ("one transaction", False, 1),
        ("row first", False, 2),
        ("checkpoint first", False, None),
        ("row first", True, 1),
    ],
)
def test_what_a_crash_between_row_and_checkpoint_leaves(commit: str, numbered: bool, sold: int | None) -> None:
    """C2 and C3, and report 3, proophessor-do-symfony#17: in one transaction the row is there once, without an error
    and without a repair by hand."""
    history = crashed(commit=commit, numbered=numbered)
    page = page_of(history.branch[-1].state)
    row = page.tables["sellers.1"].rows.get("mocha")
    assert (row.value if row else None) == sold
    assert page.checkpoints["sellers.1"] == 2


def test_a_write_from_an_old_checkpoint_is_refused_and_changes_nothing() -> None:
    """C5: compare and set. A paused instance writes after another one has taken its place."""
    run = one("sellers", instances=2).ask("ann").deliver(Feed, to="sellers").deliver(Feed, to="sellers'")
    run.pause("sellers'").deliver(Apply, sender="sellers")
    before = page_of(run.world)
    run.deliver(Apply, sender="sellers'")
    assert page_of(run.world) == before
    assert find(run.history, fired("R.refuse", projector="sellers'", after=1, checkpoint=2))
    assert messages(run.world, At, to="sellers'", checkpoint=2)


def test_each_read_model_has_its_own_checkpoint() -> None:
    """C6."""
    run = one("orders", "sellers").ask("ann").deliver(Feed, to="orders").deliver(Apply, sender="orders")
    assert (at(run, "orders.1"), at(run, "sellers.1")) == (2, 1)


def test_a_projector_that_restarts_goes_on_from_the_checkpoint_in_the_database() -> None:
    run = one("sellers").ask("ann").deliver(Feed).crash("sellers").settle().restart("sellers")
    run.until(fired("P.fetch"))
    assert messages(run.world, Fetch, sender="sellers", after=2)
    assert rows(run, "sellers.1") == {"mocha": 1}


def test_the_checkpoint_moves_over_events_that_the_model_does_not_want() -> None:
    """C18: what was looked at counts, and no more."""
    run = one("orders", coffees=("mocha", "java"), limit=1)
    assert (at(run, "orders.1"), rows(run, "orders.1")) == (2, {})
    run.ask("ann").ask("bob").until(fired("R.write"))
    assert at(run, "orders.1") == 3


def test_parallel_writes_commit_only_the_contiguous_prefix() -> None:
    """C4, Eventuous#54 and #174: a write that comes before the one in front of it is refused, and asked for again."""
    machine = planted(Cqrs(models=("orders",), coffees=("mocha", "java", "mocha")), projector=InParallel)
    run = Script(machine).ask("ann").deliver(Feed).ask("bob").ask("cho").deliver(Apply).deliver(At)
    run.deliver(Fetch).deliver(Feed).deliver(Apply, through=5)
    assert (rows(run, "orders.1"), at(run, "orders.1")) == ({"ann": ("ann-1",)}, 3)
    caught_up(run)
    assert rows(run, "orders.1") == {"ann": ("ann-1",), "bob": ("bob-1",), "cho": ("cho-1",)}
    found = random_worlds(machine, range(6), 100, (*ALWAYS, all_level))
    assert found.counterexample is None, found


def test_a_reactor_that_crashes_anywhere_sends_each_letter_once() -> None:
    """C20, commanded#176: it keeps the last event that it handled with its effect, in one write. That a process
    manager ends and forgets, also after a restart, is chapter 7."""
    found = Search(CRASH.again(models=("mail",)), (no_letter_twice, model_is_fold, all_level)).run()
    assert found.counterexample is None
    assert found.complete


# Readers


def test_two_read_models_on_one_page_stand_at_two_positions_unless_it_asks_for_one() -> None:
    """C22: each answer says where it stands; with one wanted position, both contain it."""
    history = GALLERY["One page shows two read models, at two positions"]()
    shown = [note.values["shown"] for step in history.branch for note in step.notes if note.rule == "R.show"]
    assert [(each.model, each.position) for each in shown] == [("orders", 2), ("sellers", 1), ("sellers", 2)]
    assert [each.value for each in shown] == [("ann-1",), None, 1]


def test_a_query_that_wants_nothing_is_answered_at_once() -> None:
    run = looks(one("orders").ask("ann"))
    assert reply(run, f"ann{PHONE}") == Shown("orders", "ann", None, position=1)


def test_a_query_waits_for_the_position_of_its_own_command_only() -> None:
    """C13: later orders of others do not delay it."""
    run = looks(one("orders").ask("ann").ask("bob"), 2)
    assert run.world.call(f"ann{PHONE}").waits
    run.until(fired("R.show"))
    assert reply(run, f"ann{PHONE}") == Shown("orders", "ann", ("ann-1",), position=2, wanted=2)
    assert not level(run.world)


def test_a_query_waits_for_the_read_model_that_answers_it() -> None:
    """C14: another projector is further, and this does not help."""
    run = one("orders", "sellers").ask("ann").deliver(Feed, to="sellers").deliver(Apply, sender="sellers")
    assert at(run, "sellers.1") == 2
    assert looks(run, 2).world.call(f"ann{PHONE}").waits


def test_a_query_for_a_position_that_is_applied_does_not_wait() -> None:
    """C15."""
    run = looks(caught_up(one("orders").ask("ann")), 2)
    assert reply(run, f"ann{PHONE}").stale is False


def test_a_query_ends_at_its_deadline_as_stale_with_the_position_that_it_shows() -> None:
    """C15."""
    run = looks(one("orders", deadline=50).pause("orders").ask("ann"), 2)
    asked = run.world.clock
    run.until(fired("R.stale"))
    assert run.world.clock - asked == 50
    assert reply(run, f"ann{PHONE}") == Shown("orders", "ann", None, position=1, wanted=2, stale=True)


def test_a_skipped_event_counts_as_applied_and_a_parked_one_does_not() -> None:
    """C15: the list of orders ignores the stock's event. Ann's is parked, and her query ends as stale."""
    run = one("orders", unreadable={"orders": ("ann-1",)}).ask("ann").until(fired("R.park"))
    assert at(run, "orders.1") == 2
    assert looks(run, 1).world.call(f"ann{PHONE}").waits is False
    assert looks(run, 2).world.call(f"ann{PHONE}").waits
    run.until(fired("R.stale"))
    assert reply(run, f"ann{PHONE}").stale


# An event that cannot be read


def parked() -> Script:
    run = one("shelf", coffees=("mocha", "mocha", "java"), unreadable={"shelf": ("ann-1",)})
    return run.ask("ann").ask("bob").ask("cho").until(fired("R.write", through=5))


def test_everything_later_of_its_stream_is_parked_behind_a_poison_event() -> None:
    """C7: other streams go on."""
    run = parked()
    assert [event.id for event in page_of(run.world).tables["shelf.1"].parked] == ["ann-1", "bob-1"]
    assert rows(run, "shelf.1") == {"mocha": 5, "java": 4}


def test_repaired_events_are_applied_in_their_order() -> None:
    run = parked().ask(OPERATOR, Repair).until(fired("R.replay"))
    assert page_of(run.world).tables["shelf.1"].parked == ()
    assert rows(run, "shelf.1") == {"mocha": 3, "java": 4}
    assert find(run.history, fired("R.replay", positions=(3, 4)))


def test_a_projector_tries_to_read_an_event_a_bounded_number_of_times() -> None:
    """C7: each wait is twice as long as the one before. C8: the rest of the log is read afterwards."""
    history = GALLERY["An event cannot be read at the third try either"]()
    waits = [note.values["wait"] for step in history.branch for note in step.notes if note.rule == "P.fails"]
    assert waits == [20, 40]
    assert page_of(history.branch[-1].state).checkpoints["shelf.1"] == 5


# A new version


def test_a_rebuild_misses_and_doubles_nothing_that_comes_meanwhile() -> None:
    """C9."""
    end = rebuilt().branch[-1].state
    assert {key: row.value for key, row in page_of(end).tables["orders.2"].rows} == {
        "ann": ("ann-1 mocha",),
        "bob": ("bob-1 java",),
        "cho": ("cho-1 mocha",),
    }


def test_queries_read_the_new_version_from_the_write_on_in_which_it_is_level() -> None:
    """C10: in the step of the switch both versions stand at the same position, or the new one is further."""
    history = rebuilt()
    step = find(history, fired("R.switch"))
    assert step is not None
    assert step.parent is not None
    before, after = page_of(step.parent.state), page_of(step.state)
    assert (before.live["orders"], after.live["orders"]) == (1, 2)
    assert after.checkpoints["orders.2"] >= before.checkpoints["orders.1"]


def test_a_rebuild_goes_on_from_its_checkpoint_after_a_crash() -> None:
    """Emmett's case of this name."""
    run = caught_up(one("orders", rebuild="orders", limit=1).ask("ann").ask("bob")).ask(OPERATOR, Rebuild)
    run.until(fired("R.write", version=2, through=2)).crash("orders2").settle().restart("orders2")
    run.until(fired("P.fetch"))
    assert messages(run.world, Fetch, sender="orders2", after=2)
    run.until(fired("R.switch"))
    assert rows(run, "orders.2") == {"ann": ("ann-1 mocha",), "bob": ("bob-1 mocha",)}


def test_a_replay_sends_no_letter_and_the_next_new_order_does() -> None:
    """C11, C12 and report 5, envato/event_sourcery#183."""
    run = caught_up(one("orders", "mail", rebuild="orders").ask("ann"))
    assert page_of(run.world).letters == ("ann-1",)
    run.ask(OPERATOR, Rebuild).until(fired("R.switch"))
    assert page_of(run.world).letters == ("ann-1",)
    caught_up(run.ask("bob"))
    assert page_of(run.world).letters == ("ann-1", "bob-1")


def test_a_new_mailer_goes_on_where_the_old_one_ends() -> None:
    """C11: bound at the old mark."""
    end = GALLERY["A new mailer goes on where the old one ends"]().branch[-1].state
    assert page_of(end).letters == ("ann-1", "bob-1")
    assert [process.runs for process in end.processes if process.id.startswith("mail")] == [False, True]


# Random worlds, and parameters


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"models": ("orders", "mail"), "rebuild": "orders", "limit": 2},
        {"models": ("orders", "shelf"), "unreadable": {"shelf": ("ann-1",)}, "coffees": ("mocha", "mocha", "java")},
        {"models": ("orders",), "instances": 2, "coffees": ("mocha", "java")},
    ],
    ids=["three models", "a rebuild", "a poison event", "two instances"],
)
def test_under_random_faults_everything_holds_and_all_get_level_again(params: dict[str, Any]) -> None:
    poisoned = "unreadable" in params
    found = random_worlds(Cqrs(**params), range(8), 120, ALWAYS if poisoned else (*ALWAYS, all_level))
    assert found.counterexample is None, found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"coffees": ("tea",)}, "coffees[0] is 'tea'; allowed is mocha, java, kona"),
        ({"coffees": ("mocha",) * 6}, "up to 5 customers"),
        ({"models": ()}, "models is ()"),
        ({"models": ("orders",), "rebuild": "shelf"}, "a read model is 'shelf'; allowed is one of models"),
        ({"models": ("orders",), "unreadable": {"mail": ("ann-1",)}}, "a read model is 'mail'"),
        ({"commit": "never"}, "commit is 'never'"),
        ({"limit": 0}, "limit is 0"),
    ],
)
def test_a_bad_parameter_is_refused_with_what_is_allowed(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError) as problem:
        Cqrs(**given)
    assert said in str(problem.value)


def test_the_page_answers_a_query_about_a_counter() -> None:
    run = caught_up(one("shelf").ask("ann"))
    run.ask(f"ann{PHONE}", Show("shelf", "mocha"), to=PAGE)
    assert reply(run, f"ann{PHONE}") == Shown("shelf", "mocha", 4, position=2)


def test_an_answer_to_an_earlier_query_answers_no_later_one() -> None:
    call = replace(looks(one("orders").ask("ann"), 2).world.call(f"ann{PHONE}"))
    assert not Cqrs().answers(call, Shown("orders", "ann", None, position=1, wanted=0))
    assert Cqrs().answers(call, Shown("orders", "ann", None, position=2, wanted=2))
