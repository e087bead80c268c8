"""Where no player can live, something useful stands in its place."""

from __future__ import annotations

import re
from base64 import b64decode
from importlib import import_module
from typing import Any
from xml.etree import ElementTree

import pytest

from patterns.engine.script import Script
from patterns.two_phase_commit import TwoPhaseCommit
from widgets import play
from widgets.exercise import predict
from widgets.fallback import PAGES, words_for
from widgets.player import Player
from widgets.question import Option, Question
from widgets.scene import Disc, Label


def shown(widget: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a cell displays."""
    found: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda thing, **_: found.append(thing))
    widget._ipython_display_()
    return found


def test_above_a_player_stands_what_its_step_says_and_how_to_get_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    player = Player(Script(TwoPhaseCommit()).ask("A").history)
    words, bundle = shown(player, monkeypatch)
    assert "Two-phase commit, step 1 of 1" in words.data
    assert "Run this cell" in words.data
    assert "application/vnd.jupyter.widget-view+json" in bundle


@pytest.mark.parametrize("chapter", ["consistent_hashing", "consensus_raft", "two_phase_commit"])
def test_the_still_picture_has_every_process_and_a_shape_for_every_mark(chapter: str) -> None:
    run = next(iter(import_module(f"patterns.{chapter}.lesson").CHAPTER.gallery.values()))()
    player = Player(run, at=len(run.branch) // 2)
    found = re.search(r"base64,([^\"]+)", words_for(player))
    assert found is not None
    drawn = [part.tag.rpartition("}")[2] for part in ElementTree.fromstring(b64decode(found[1])).iter()]
    texts = {part.text for part in ElementTree.fromstring(b64decode(found[1])).iter() if part.text}
    marks = [mark for panel in player.view.scene_of(player.step).panels for mark in panel.marks]
    assert {mark.text for mark in marks if isinstance(mark, Disc) and mark.text} <= texts
    assert len(drawn) - drawn.count("text") > sum(not isinstance(mark, Label) for mark in marks)


def test_above_a_question_stand_its_words_and_above_its_outcome_the_answer_folded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guess = predict(Question("What **now**?", (Option("up", "it goes up", right=True), Option("down", "a slip"))))
    words, bundle = shown(guess, monkeypatch)
    assert words.data == '<div class="dp-still"><p>What <b>now</b>?</p><ol><li>up</li><li>down</li></ol></div>'
    assert "application/vnd.jupyter.widget-view+json" in bundle
    words, bundle = shown(guess.outcome, monkeypatch)
    assert "<details><summary>The answer</summary><p><b>up</b>. it goes up</p></details>" in words.data
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_an_export_with_pages_holds_no_widget_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PAGES, "1")
    guess = predict(Question("What now?", (Option("up", "it goes up", right=True), Option("down", "a slip"))))
    assert [type(each).__name__ for each in shown(guess, monkeypatch)] == ["HTML"]
    (page,) = shown(play(TwoPhaseCommit(), controls=True), monkeypatch)
    assert page["text/html"].startswith("<iframe srcdoc="), "and of a player with controls its run"


def test_an_export_can_hold_the_whole_page_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PAGES, "1")
    player = Player(Script(TwoPhaseCommit()).ask("A").history)
    (page,) = shown(player, monkeypatch)
    assert page["text/html"].startswith("<iframe srcdoc=")
    assert "&lt;!doctype html&gt;" in page["text/html"]
