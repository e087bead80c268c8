"""Where no player can live, something useful stands in its place."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.engine.script import Script
from patterns.two_phase_commit import TwoPhaseCommit
from widgets.fallback import PAGES
from widgets.player import Player


def shown(player: Player, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a cell displays."""
    found: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda thing, **_: found.append(thing))
    player._ipython_display_()
    return found


def test_above_a_player_stands_what_its_step_says_and_how_to_get_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    player = Player(Script(TwoPhaseCommit()).ask("A").history)
    words, bundle = shown(player, monkeypatch)
    assert "Two-phase commit, step 1 of 1" in words.data
    assert "Run this cell" in words.data
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_an_export_can_hold_the_whole_page_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PAGES, "1")
    player = Player(Script(TwoPhaseCommit()).ask("A").history)
    (page,) = shown(player, monkeypatch)
    assert page.data.startswith("<iframe srcdoc=")
    assert "&lt;!doctype html&gt;" in page.data
