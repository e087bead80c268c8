"""The figures of a story come from its runs, and its questions say of them what is so."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from patterns.engine.params import ParameterError
from patterns.engine.planted import first_broken
from patterns.engine.script import Script
from patterns.engine.world import Drop
from patterns.leader_election.lesson.gallery import lease_paused, lease_unfenced
from patterns.leader_election.properties import acknowledged_writes_stay, leaders
from patterns.replication.configuration import SERVICE, Suspect
from patterns.replication.properties import values_of
from patterns.two_phase_commit.lesson.measure import count
from widgets.course import counted, questions, stories
from widgets.course.concept_map import COURSE
from widgets.course.stories import CRASH, MACHINE, ORDER, TOLD, WRITE, Story
from widgets.question import Question

STORIES = {"order": ORDER, "write": WRITE, "crash": CRASH, "machine": MACHINE}
NOT_COUNTED = {
    ("order", "two_phase_commit"): {"half"},
    ("order", "event_sourcing"): {"locked", "half"},
    ("crash", "ring"): {"silent", "rounds", "two"},
    ("machine", "modulo"): {"lines"},
    ("machine", "ring"): {"lines"},
    ("machine", "slots"): {"misses"},
}
"""The columns in which a way has nothing to count: rows without locks, a rule without a map, slots without a cache."""
LINES = [(story, way) for story, ways in TOLD.items() for way in ways]


@pytest.mark.parametrize(("story", "way"), LINES, ids=lambda value: value)
def test_a_way_has_a_figure_for_each_column_a_sentence_and_a_run_to_play(story: str, way: str) -> None:
    it = STORIES[story]
    told = it.told(way)
    assert set(told.figures) == set(it.page.columns) - NOT_COUNTED.get((story, way), set())
    for sentence in it.lost(way):
        assert "{" not in sentence
        assert sentence.endswith(".")
    assert it.page.ways[way].chapter in COURSE.patterns
    player = it.play(way)
    assert player.step.depth == told.begins.depth
    assert len(player.history.branch) == len(told.run.branch)
    assert str(player.head["title"]).lower() not in str(player.head["subtitle"]).lower().split(", ")


def test_what_is_done_in_a_player_does_not_change_the_figures() -> None:
    player = ORDER.play("saga")
    steps = len(ORDER.told("saga").run.steps)
    player.history.jump(0)
    player.history.apply(player.history.machine.choices(player.history.state)[0].event)
    assert len(ORDER.told("saga").run.steps) == steps


@pytest.mark.parametrize("story", STORIES)
def test_a_page_has_words_for_each_way_and_no_figure_of_a_run(story: str) -> None:
    page = STORIES[story].page
    assert list(page.ways) == list(TOLD[story])
    for way in page.ways.values():
        parameters = re.sub(
            r"\{[^}]*\}|1,000 ms away|[Tt]wo of three|\b(?:1|19|20)\d\d\b.*|chapter 1|third", "", way.lost + way.source
        )
        assert not re.search(r"\d", parameters), parameters


# What is counted, beside what is known


def test_the_messages_of_two_phase_commit_are_those_of_the_published_table() -> None:
    total = count("basic", "commit", 3)["total"]
    figures = ORDER.told("two_phase_commit").figures
    assert (figures["messages"], figures["disk"]) == (total.messages, total.forced) == (12, 7)
    assert (figures["rounds"], figures["wait"]) == (2, 20)  # the questions, the votes; the client is told with them


def test_a_saga_asks_one_service_after_the_other() -> None:
    one, two = (ORDER.told(way).figures for way in ("saga", "saga at once"))
    assert (one["rounds"], one["messages"]) == (2 * 3, 2 * 3)
    assert two["rounds"] == 2 * 2
    assert one["locked"] == two["locked"] == 0
    assert one["half"] > two["half"] > 0


def test_only_locks_make_readers_wait_and_only_sagas_show_half() -> None:
    counted_in = {way: ORDER.told(way).figures for way in TOLD["order"]}
    assert {way: each["locked"] > 0 for way, each in counted_in.items() if "locked" in each} == {
        "two_phase_commit": True,
        "saga": False,
        "saga at once": False,
    }
    assert {way: each["half"] > 0 for way, each in counted_in.items() if "half" in each} == {
        "saga": True,
        "saga at once": True,
    }


def test_rows_stay_locked_as_long_as_one_bank_is_away_or_the_coordinator_down() -> None:
    facts = ORDER.told("two_phase_commit").facts
    assert facts["locked_far"] == ORDER.told("two_phase_commit").figures["locked"] + stories.FAR
    assert facts["doubt"] >= facts["down"] > 0.9 * stories.FAR


def test_the_kills_can_lose_a_write_where_the_primary_does_not_wait() -> None:
    assert WRITE.told("asynchronous").facts["gone"] > 100
    assert WRITE.told("semi-synchronous").facts["gone"] > 0
    assert all(WRITE.told(way).facts["gone"] == 0 for way in ("synchronous", "chain", "quorum", "raft"))


def test_a_leader_that_crashed_is_replaced_except_on_a_ring() -> None:
    silent = {way: CRASH.told(way).figures.get("silent") for way in TOLD["crash"]}
    assert silent["ring"] is None
    assert CRASH.told("ring").facts["timers"] == 0
    assert all(silent[way] for way in ("bully", "lease", "raft"))


def test_without_a_token_a_write_is_lost_that_fencing_keeps() -> None:
    """What the line of the lease says by `if the storage checks the token`."""
    assert first_broken(lease_paused(), (acknowledged_writes_stay,)) is None
    assert first_broken(lease_unfenced(), (acknowledged_writes_stay,)) is not None
    assert CRASH.told("lease").facts["refused"] == 1


def test_a_ring_and_slots_move_keys_to_the_new_machine_alone() -> None:
    figures = {way: MACHINE.told(way).figures for way in TOLD["machine"]}
    assert (figures["ring"]["sideways"], figures["slots"]["sideways"]) == (0, 0)
    for way in ("ring", "slots"):
        assert figures[way]["moved"] == pytest.approx(500, rel=0.2)
    assert figures["modulo"]["moved"] == pytest.approx(1_500, rel=0.05)


# What notebook 10 says of the runs

CELLS = nbformat.read(Path(__file__).parents[2] / "notebooks" / "10_same_story.ipynb", as_version=4).cells
PROSE = "\n".join(cell.source for cell in CELLS if cell.cell_type == "markdown")
WORDS = {"four": 4, "six": 6}


def said(sentence: str) -> list[int]:
    """The numbers that the notebook says where the groups of a pattern stand, in figures or in words."""
    [found] = re.finditer(sentence, PROSE)
    return [WORDS.get(number) or int(number.replace(",", "")) for number in found.groups()]


def test_the_notebook_opens_as_many_runs_as_it_says() -> None:
    opened = [cell for cell in CELLS if cell.cell_type == "code" and ".play(" in cell.source]
    assert said(r"open (\d+) runs") == [len(opened)]


def test_each_way_to_write_sends_as_many_messages_as_the_notebook_says() -> None:
    ways, messages = said(r"All (\w+) ways send (\w+) messages")
    assert [WRITE.told(way).figures["messages"] for way in TOLD["write"]] == [messages] * ways


def test_the_notebook_says_how_often_a_leader_is_killed_and_for_how_long_one_is_cut_off() -> None:
    assert said(r"killed at (\d+) moments") == [stories.KILLS]
    assert said(r"cut off for ([\d,]+) ms") == [stories.FAR]


def test_a_synchronous_primary_and_a_chain_wait_for_all_and_a_chain_writes_nothing_to_a_disk() -> None:
    figures = {way: WRITE.told(way).figures for way in TOLD["write"]}
    assert {way for way in figures if figures[way]["copies"] == 3} == {"synchronous", "chain"}
    assert {way for way in figures if figures[way]["slow"] > figures[way]["wait"]} == {"synchronous", "chain"}
    assert {way for way in figures if figures[way]["disk"] == 0} == {"chain"}


def test_ann_has_answered_at_step_1_and_ben_leads_without_milk_when_she_crashes_there() -> None:
    told = WRITE.told("asynchronous")
    assert counted.answer(told.run, "X").depth == 1
    run = Script(told.run.machine).ask("X", to="Ann").crash("Ann").ask("M", Suspect("Ann"), to=SERVICE).finish()
    assert run.world["Ben"].members == ("Ben", "Cem")
    assert "milk" not in values_of(run.world["Ben"])


def test_p4_waits_20_ms_for_the_leader_that_crashed_and_leads() -> None:
    told = CRASH.told("bully")
    after = told.run.branch[told.begins.depth :]
    [asks] = [step for step in after if any(note.rule == "B.ask" and note.values["who"] == "P4" for note in step.notes)]
    [leads] = [step for step in after if any(note.rule == "B.lead" for note in step.notes)]
    assert leads.state.clock - asks.state.clock == 20
    assert [process.id for process in leaders(leads.state)] == ["P4"]
    assert any(isinstance(step.event, Drop) for step in told.run.branch[asks.depth : leads.depth])


def test_the_runs_of_a_new_machine_have_as_many_keys_and_points_as_the_notebook_says() -> None:
    assert said(r"hold ([\d,]+) keys") == [len(stories.KEYS)]
    keys, points = said(r"The runs have (\d+) keys[\s\S]*places its (\w+) points")
    one, each = (MACHINE.told(way).run for way in ("modulo", "ring"))
    assert {len(one.branch[0].state.keys), len(each.branch[0].state.keys)} == {keys}
    assert sum(type(step.event).__name__ == "Place" for step in each.branch) == points
    assert sum(type(step.event).__name__ == "Join" for step in one.branch) == 1


def test_a_source_that_names_a_chapter_names_the_chapter_that_its_line_links() -> None:
    ways = [way for story in STORIES.values() for way in story.page.ways.values() if "chapter" in way.source]
    assert ways
    for way in ways:
        assert f"chapter {COURSE.number(way.chapter)}'s" in way.source


# Counters


def test_messages_in_a_row_are_counted_along_the_causes_and_not_before_the_beginning() -> None:
    told = ORDER.told("saga")
    answer = counted.answer(told.run, "A")
    counts = [counted.in_a_row(step) for step in told.run.branch[: answer.depth + 1]]
    assert counts[-1] == 6
    assert all(later - earlier <= 1 for earlier, later in pairwise(counts))
    assert counted.in_a_row(answer, after=answer) == 0
    assert counted.in_a_row(answer, after=told.run.branch[answer.depth - 2]) == 2


def test_costs_of_two_stretches_add_up() -> None:
    run = ORDER.told("two_phase_commit").run
    middle = run.branch[6]
    parts = counted.costs(run, None, middle), counted.costs(run, middle)
    assert {name: parts[0][name] + parts[1][name] for name in counted.costs(run)} == counted.costs(run)


def test_an_answer_that_never_comes_is_an_error_that_names_the_client() -> None:
    with pytest.raises(ValueError, match="Z gets no answer in a run of 13 steps"):
        counted.answer(ORDER.told("two_phase_commit").run, "Z")


def test_the_time_of_a_state_is_that_between_two_clocks() -> None:
    run = ORDER.told("two_phase_commit").run
    assert counted.ms_while(run, lambda world: True) == run.branch[-1].state.clock
    assert counted.ms_while(run, lambda world: False) == 0


def test_an_unknown_way_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ParameterError, match="two_phase_commit, saga"):
        ORDER.told("three_phase_commit")


# The table


@pytest.mark.parametrize("story", STORIES)
def test_a_table_has_a_line_for_each_way_with_bars_as_long_as_their_figures(story: str) -> None:
    it = STORIES[story]
    assert [row[0] for row in it.rows.rows] == [way.title for way in it.page.ways.values()]
    page = it._repr_html_()
    assert page.count("Could be lost:") == len(it.page.ways)
    cells = iter(re.findall(r"<td>([\d,]+|-)(?:<div class=\"bar\" style=\"width:(\d+)%\">)?", page))
    figures = [it.told(way).figures for way in it.page.ways]
    for each in figures:
        for column in it.page.columns:
            most, (text, wide) = max(other.get(column, 0) for other in figures), next(cells)
            assert text == (f"{each[column]:,}" if column in each else "-")
            assert column not in each or int(wide) == round(100 * each[column] / most if most else 0)


# The questions


def right(question: Question) -> str:
    return question.right.text


def test_the_right_answers_are_what_the_runs_show() -> None:
    same = {way: told.figures["far"] == told.figures["wait"] for way in TOLD["order"] for told in [ORDER.told(way)]}
    assert [way for way in same if same[way]] == ["event_sourcing"]
    assert right(questions.ORDER).startswith("event sourcing")

    good = {
        way
        for way in TOLD["write"]
        if not WRITE.told(way).facts["gone"] and WRITE.told(way).figures["slow"] == WRITE.told(way).figures["wait"]
    }
    assert good == {"quorum", "raft"}
    assert right(questions.WRITE).startswith("a majority")

    raft = CRASH.told("raft")
    assert stories.FAR / 2 < raft.figures["two"] < stories.FAR
    assert len({*raft.facts["terms"]}) == 2
    assert right(questions.CRASH) == "for most of that time, in two terms"

    assert MACHINE.told("modulo").figures["sideways"] == pytest.approx(1_000, rel=0.05)
    assert right(questions.MACHINE).startswith("about 1,000")


def test_a_story_is_told_once() -> None:
    fresh = Story("machine")
    assert fresh.told("ring") is fresh.told("ring")
