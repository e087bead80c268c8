"""Tables of a real file beside a picture: they show the rows that are there, and no others."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from patterns.event_sourcing.lesson import GALLERY
from patterns.event_sourcing.properties import store_of
from widgets.chapters.event_sourcing import charts
from widgets.tables import MOST, Tables


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE sold (coffee TEXT, body TEXT)")
        db.execute("CREATE TABLE empty (x)")
        db.executemany("INSERT INTO sold VALUES (?, ?)", [(f"bag|{nth}", '{"a": 1}') for nth in range(MOST + 3)])
        db.commit()
    return file


def test_a_table_shows_its_columns_and_its_last_rows(path: Path) -> None:
    shown = Tables(path)
    lines = shown._repr_markdown_().splitlines()
    assert lines[:4] == [f"**sold**, the last {MOST} of {MOST + 3} rows", "", "| coffee | body |", "|:--|:--|"]
    assert lines[4] == '| bag\\|3 | `{"a": 1}` |'
    assert len(lines[4:]) == MOST
    assert "empty" not in shown.tables
    assert repr(shown).count("\n") == MOST - 1


def test_an_unknown_table_is_refused_with_the_tables_that_are_there(path: Path) -> None:
    with pytest.raises(ValueError, match="there are sold, empty"):
        Tables(path, "names")


def test_a_run_on_file_has_the_events_of_the_picture_in_their_order() -> None:
    run = GALLERY["Two pickers decide on one version, and one answer is lost"]()
    columns, rows = Tables(charts.on_file(run)).tables["events"]
    drawn = [(e.position, e.stream, e.version, e.id) for e in store_of(run.branch[-1].state).log.events]
    assert columns[:4] == ["position", "stream", "version", "id"]
    assert [row[:4] for row in rows] == drawn
