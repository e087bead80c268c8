"""The read side on a SQLite file: projectors as objects, and as OS processes of which one is killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL

import pytest

from patterns.cqrs.lesson.real import RealShop, killed_between, query_costs, rebuilt, waits_for_orders
from patterns.cqrs.sqlite_models import Projectors, SqliteProjector, Waited, position_of, version_of, wait_for


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[RealShop]:
    shop = RealShop(tmp_path / "shop.sqlite")
    shop.receive("mocha", 9)
    yield shop
    shop.close()


def project(shop: RealShop, *models: str, limit: int = 100) -> None:
    for model in models:
        projector = SqliteProjector(shop.store.path, model, limit=limit)
        while projector.step():
            pass
        projector.close()


def test_each_read_model_is_a_table_made_for_its_query(shop: RealShop) -> None:
    shop.order("ann", "mocha", 2)
    shop.order("bob", "mocha")
    project(shop, "orders", "shelf", "sellers")
    assert shop.rows("orders") == [("ann", "ann-1", "mocha", 2), ("bob", "bob-2", "mocha", 1)]
    assert shop.rows("shelf") == [("mocha", 6)]
    assert shop.rows("sellers") == [("mocha", 3)]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_the_size_of_a_page_changes_no_row(shop: RealShop, limit: int) -> None:
    for _ in range(4):
        shop.order("ann", "mocha")
    project(shop, "sellers", "shelf", limit=limit)
    assert (shop.rows("sellers"), shop.rows("shelf")) == ([("mocha", 4)], [("mocha", 5)])
    assert position_of(shop.database, "sellers") == position_of(shop.database, "shelf") == 5


def test_the_checkpoint_moves_over_events_that_the_table_does_not_want(shop: RealShop) -> None:
    project(shop, "sellers")
    assert (shop.rows("sellers"), position_of(shop.database, "sellers")) == ([], 1)


def test_a_write_from_an_old_checkpoint_is_refused_and_changes_nothing(shop: RealShop) -> None:
    """Compare and set: of two instances that read the same page, one writes."""
    shop.order("ann", "mocha")
    one, two = (SqliteProjector(shop.store.path, "sellers") for _ in range(2))
    page = shop.store.page()
    assert one.write(0, page.events[1:], page.to)
    assert not two.write(0, page.events[1:], page.to)
    assert shop.rows("sellers") == [("mocha", 1)]
    one.close()
    two.close()


def test_two_versions_of_a_read_model_have_two_checkpoints(shop: RealShop) -> None:
    project(shop, "sellers")
    second = SqliteProjector(shop.store.path, "sellers", version=2)
    assert (second.checkpoint, position_of(shop.database, "sellers", 1)) == (0, 1)
    second.close()


@pytest.mark.parametrize("through", [0, 1, 2])
def test_a_checkpoint_never_falls_and_a_write_moves_it(shop: RealShop, through: int) -> None:
    shop.order("ann", "mocha")
    project(shop, "sellers")
    projector = SqliteProjector(shop.store.path, "sellers")
    assert not projector.write(2, shop.store.page().events, through)
    assert (projector.checkpoint, shop.rows("sellers")) == (2, [("mocha", 1)])
    projector.close()


def test_queries_read_a_new_version_from_the_write_on_in_which_it_is_level(shop: RealShop) -> None:
    """C9 and C10: events that come during a rebuild are neither missed nor doubled."""
    shop.order("ann", "mocha", 2)
    shop.order("ann", "mocha")
    project(shop, "sellers")
    second = SqliteProjector(shop.store.path, "sellers", limit=1, version=2)
    assert second.step()
    assert (second.checkpoint, version_of(shop.database, "sellers"), shop.rows("sellers")) == (2, 1, [("mocha", 3)])
    shop.order("bob", "mocha")
    project(shop, "sellers")
    assert second.step()
    assert (second.checkpoint, version_of(shop.database, "sellers")) == (3, 1), "the old version is at 4"
    assert second.step()
    assert (second.checkpoint, version_of(shop.database, "sellers")) == (4, 2)
    assert shop.rows("sellers") == [("mocha", 4, 3)]
    second.close()


def test_a_rebuild_beside_the_live_version_counts_each_order_once(tmp_path: Path) -> None:
    moments = rebuilt(tmp_path / "rebuilt.sqlite", orders=100)
    before = [moment for moment in moments if moment.live == 1]
    after = moments[len(before) :]
    assert {moment.live for moment in after} == {2}
    assert all((moment.new or 0) <= moment.old <= moment.store for moment in before)
    assert after[1].old == after[-1].old < after[-1].store - 5, "the old version stops at the switch, the orders go on"
    shop = RealShop(tmp_path / "rebuilt.sqlite")
    assert shop.rows("sellers") == [("mocha", moments[-1].store, moments[-1].store)]
    shop.close()


def test_a_query_that_waits_in_vain_says_where_the_read_model_stands(shop: RealShop) -> None:
    project(shop, "orders")
    wanted = shop.order("ann", "mocha")
    waited = wait_for(shop.database, "orders", wanted, deadline_ms=20)
    assert (waited.fresh, waited.position) == (False, 1)
    assert waited.ms >= 20
    project(shop, "orders")
    assert wait_for(shop.database, "orders", wanted, deadline_ms=0)[:2] == Waited(True, wanted, 0)[:2]


def test_before_a_projector_has_started_its_checkpoint_is_0(shop: RealShop) -> None:
    assert position_of(shop.database, "orders") == 0


def test_an_unknown_read_model_or_order_of_writes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="model is 'names'"):
        SqliteProjector(tmp_path / "f.sqlite", "names")
    with pytest.raises(ValueError, match="commit 'rows'"):
        SqliteProjector(tmp_path / "f.sqlite", "orders", "rows")  # type: ignore[arg-type]


def test_a_projector_process_that_is_killed_inside_its_transaction_counts_each_order_once(tmp_path: Path) -> None:
    killed, restarted = killed_between(tmp_path / "one.sqlite", "one transaction")
    assert (killed.rows, killed.checkpoint) == ([("mocha", 1)], 1)
    assert (restarted.rows, restarted.checkpoint) == ([("mocha", 2)], 2)


def test_a_projector_process_that_is_killed_between_two_transactions_counts_an_order_twice(tmp_path: Path) -> None:
    killed, restarted = killed_between(tmp_path / "two.sqlite", "row first")
    assert (killed.rows, killed.checkpoint) == ([("mocha", 2)], 1)
    assert (restarted.rows, restarted.checkpoint) == ([("mocha", 3)], 2)


def test_checkpoint_first_loses_the_order_of_a_process_that_is_killed(tmp_path: Path) -> None:
    shop = RealShop(tmp_path / "lost.sqlite")
    with Projectors(tmp_path / "lost.sqlite", "orders") as projectors:
        projectors.start("sellers", "checkpoint first", die_at=1)
        position = shop.order("ann", "mocha")
        assert projectors.died("sellers") == SIGKILL
    project(shop, "sellers")
    assert (shop.rows("sellers"), position_of(shop.database, "sellers")) == ([], position)
    shop.close()


def test_each_query_for_its_own_order_is_answered_with_it(tmp_path: Path) -> None:
    waits = waits_for_orders(tmp_path / "waits.sqlite", orders=10)
    assert len(waits) == 10
    assert all(wait.fresh for wait in waits)


def test_a_query_on_the_events_reads_the_whole_history(tmp_path: Path) -> None:
    short, long = query_costs(tmp_path, lengths=(10, 2_000), times=3)
    assert (short.events, long.events) == (10, 2_000)
    assert long.events_ms > 5 * long.model_ms
