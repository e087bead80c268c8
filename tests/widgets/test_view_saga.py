"""The picture of sagas says what logs and databases say, on every step of random worlds and of the gallery."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from patterns.engine.draw import key_of, mix
from patterns.engine.history import History
from patterns.engine.script import Script
from patterns.engine.step import Step
from patterns.engine.world import Crash, World
from patterns.saga import COMPENSATABLE, SagaMachine
from patterns.saga.choreography import Peer
from patterns.saga.lesson import GALLERY
from patterns.saga.lesson.side_by_side import SideBySide
from patterns.saga.machines import CHOREOGRAPHED
from patterns.saga.readings import observer, stages, steps_standing
from widgets.chapters.saga.view import VIEW as view
from widgets.chapters.saga.words import groups, shown
from widgets.frames import Frames
from widgets.player import Player
from widgets.scene import Box, Label, Line, Panel, Scene

SIDE_BY_SIDE = 625
"""So wide are two panels at most that stand side by side in a card of 825 px (player.css: 0.84 of it, and a gap)."""
EM, PROSE = 0.58, 0.55  # a letter's width in parts of its size: in a box, as in stage.js; in a label, which is not bold

WORLDS: Mapping[str, Any] = {
    "orchestrated": lambda seed: SagaMachine(clients=2, seed=seed),
    "orchestrated, refused": lambda seed: SagaMachine(
        refuse=("approve",), fails={"undo charge": 2}, alarm=2, seed=seed
    ),
    "parallel": lambda seed: SagaMachine(sagas=("trip",), clients=2, refuse=("A1.hotel",), lock="wait", seed=seed),
    "two definitions": lambda seed: SagaMachine(sagas=("cancel", "create"), lock="refuse", seed=seed),
    "choreographed": lambda seed: SagaMachine(style=CHOREOGRAPHED, clients=2, refuse=("B1.approve",), seed=seed),
    "choreographed, parallel": lambda seed: SagaMachine(
        sagas=("trip",), style=CHOREOGRAPHED, refuse=("hotel",), seed=seed
    ),
    "side by side": lambda seed: SideBySide(refuse=("approve",), fails={"undo charge": 1}, clients=2, seed=seed),
}


@cache
def gallery(title: str) -> History[World, Any]:
    return GALLERY[title]()


@cache
def random_run(name: str, seed: int = 0, steps: int = 70) -> History[World, Any]:
    """A run in which every third step is any choice there is: requests, crashes, cuts, lost and doubled messages."""
    history: History[World, Any] = History(WORLDS[name](seed))
    key = key_of(seed, "any choice")
    for n in range(steps):
        offered = [choice for choice in history.machine.choices(history.state) if not choice.why_not]
        draw = mix(key, n)
        if draw % 3 and history.advance():
            continue
        history.apply(offered[draw // 3 % len(offered)].event)
    return history


@cache
def both(**options: Any) -> History[World, Any]:
    return Script(SideBySide(refuse=("approve",), **options)).ask("A").finish().at("start").history


def marks(scene: Scene) -> dict[str, Any]:
    return {mark.id: mark for panel in scene.panels for mark in panel.marks}


@cache
def every(name: str) -> tuple[tuple[Step[World, Any], Scene], ...]:
    """Each step of a random run with its picture."""
    return tuple((step, view.scene_of(step)) for step in random_run(name).steps)


def fired(title: str, rule: str) -> Step[World, Any]:
    return next(step for step in gallery(title).steps if any(note.rule == rule for note in step.notes))


# Whatever happens


@pytest.mark.parametrize("name", WORLDS)
def test_the_view_is_total_and_its_ids_name_one_thing_each(name: str) -> None:
    history = random_run(name)
    frames = Frames(history.machine, view, history.machine.always, {})
    for step in history.steps:
        frames.of(step)  # refuses two marks of one id
        ids = [mark.id for panel in view.scene_of(step).panels for mark in panel.marks]
        assert len(ids) == len(set(ids)), f"seed 0, step {step.number}"
        assert view.facts_of(step.state)


@pytest.mark.parametrize("name", WORLDS)
def test_every_process_every_row_and_every_message_on_its_way_is_in_the_picture(name: str) -> None:
    for step, scene in every(name):
        there, world = marks(scene), step.state
        assert {id for id in there if id.startswith("process:")} == {f"process:{each}" for each in world.names}
        assert {id for id in there if id.startswith("message:")} == {f"message:{each.id}" for each in world.packets}
        rows = {f"row:{each.id}:{row.key}" for each in world.processes for row in getattr(each, "rows", ())}
        assert {id for id in there if id.startswith("row:")} == rows, f"seed 0, step {step.number}"


@pytest.mark.parametrize("name", WORLDS)
def test_every_choice_is_about_something_in_the_picture(name: str) -> None:
    """The crash of any process is a click on its mark, at every step."""
    history = random_run(name)
    for step in history.steps[::6]:
        there = marks(view.scene_of(step))
        for choice in history.machine.choices(step.state):
            assert not choice.about or any(mark in there for mark in choice.about), (choice, step.number)
            if isinstance(choice.event, Crash):
                assert choice.about == (f"process:{choice.event.process}",)


def boxes(panel: Panel) -> list[Box]:
    return [mark for mark in panel.marks if isinstance(mark, Box)]


@pytest.mark.parametrize("name", WORLDS)
def test_two_panels_stand_side_by_side_and_nothing_is_outside_of_them(name: str) -> None:
    for step, scene in every(name):
        assert len(scene.panels) == 2
        assert sum(panel.width for panel in scene.panels) <= SIDE_BY_SIDE
        for panel in scene.panels:
            for mark in panel.marks:
                where = f"seed 0, step {step.number}: {mark}"
                wide, high = (mark.w, mark.h) if isinstance(mark, Box) else (0, 0)
                assert 0 <= mark.x <= mark.x + wide <= panel.width, where  # type: ignore[attr-defined]
                assert 0 <= mark.y <= mark.y + high <= panel.height, where  # type: ignore[attr-defined]
                if isinstance(mark, Label):
                    size = {"small": 12, "normal": 13, "large": 17}[mark.size]
                    long = PROSE * size * len(mark.text) * {"start": 1, "middle": 0.5, "end": 0}[mark.anchor]
                    assert mark.x + long <= panel.width + 2, where


@pytest.mark.parametrize("name", WORLDS)
def test_words_in_a_box_fit_into_it_at_eleven_pixels(name: str) -> None:
    for step, scene in every(name):
        for panel in scene.panels:
            for box in boxes(panel):
                assert EM * 11 * len(box.text) <= box.w, f"seed 0, step {step.number}: {box}"


@pytest.mark.parametrize("name", WORLDS)
def test_boxes_do_not_cover_one_another_but_for_frames_and_timers(name: str) -> None:
    for step, scene in every(name):
        for panel in scene.panels:
            solid = [box for box in boxes(panel) if not box.id.startswith(("disk:", "timer:")) and box.id != "memory"]
            for one, other in combinations(solid, 2):
                apart = (
                    one.x + one.w <= other.x
                    or other.x + other.w <= one.x
                    or one.y + one.h <= other.y
                    or other.y + other.h <= one.y
                )
                assert apart, f"seed 0, step {step.number}: {one} covers {other}"


# A saga as a path


@pytest.mark.parametrize("name", WORLDS)
def test_a_box_says_what_the_logs_say_and_a_bar_what_the_database_says(name: str) -> None:
    for step, scene in every(name):
        there = marks(scene)
        for group in groups(step.state):
            for definition, instance in shown(group):
                if instance is None:
                    continue
                bars = {name for name in definition.names if f"stands:{instance.saga}:{name}" in there}
                assert bars == steps_standing(step.state, instance.saga), f"seed 0, step {step.number}"
                for each, stage in stages(step.state, instance).items():
                    word = there.get(f"word:{instance.saga}:{each}")
                    solid = there[f"step:{instance.saga}:{each}"].tone == "solid"
                    assert solid == (stage.state == "done" and stage.undo != "undone")
                    assert ("✓" in word.text if word else False) == (stage.state == "done")
                    undo = there.get(f"undo:{instance.saga}:{each}")
                    assert (undo is not None) == (definition[each].kind == COMPENSATABLE)
                    assert undo is None or ("↩" in undo.text) == (stage.undo not in ("", "stuck"))


def test_every_state_of_a_step_and_of_a_compensation_is_somewhere_in_the_gallery() -> None:
    found = {
        part
        for title in GALLERY
        for step in gallery(title).steps
        for group in groups(step.state)
        for _, instance in shown(group)
        if instance
        for stage in stages(step.state, instance).values()
        for part in (f"state {stage.state}", f"undo {stage.undo}")
    }
    states = {"waiting", "asked", "done", "refused", "unknown", "never"}
    undos = {"", "due", "turn", "undone", "stuck"}
    assert found == {f"state {each}" for each in states} | {f"undo {each}" for each in undos}


def test_steps_go_from_left_to_right_and_branches_stand_one_under_the_other() -> None:
    """Garcia-Molina and Salem 1987, section 8: parallel sagas."""
    there = marks(view.scene_of(gallery("Parallel branches all succeed").steps[0]))
    at = {name: there[f"step:trip:{name}"] for name in ("hold", "flight", "hotel", "pay", "tickets")}
    assert at["hold"].x < at["flight"].x == at["hotel"].x < at["pay"].x < at["tickets"].x
    assert at["flight"].y + at["flight"].h < at["hotel"].y


def test_a_step_done_whose_answer_is_lost_stands_in_the_database_and_not_in_the_log() -> None:
    crash = next(step for step in gallery("The orchestrator crashes").steps if isinstance(step.event, Crash))
    there = marks(view.scene_of(crash))
    assert there["word:A1:charge"].text == "… asked"
    assert "stands:A1:charge" in there


def test_the_point_of_no_return_is_dashed_until_it_is_passed() -> None:
    """Richardson 2018, 4.3: the pivot."""
    passed = fired("Everything succeeds", "O.pivot")
    assert passed.parent is not None
    before, after = (marks(view.scene_of(step))["pivot:A1"] for step in (passed.parent, passed))
    assert isinstance(before, Line)
    assert (before.tone, after.tone) == ("dashed", "outline")
    assert before.x == before.x2 > marks(view.scene_of(passed))["step:A1:approve"].x


def test_the_bar_of_eras_goes_red_where_a_saga_turns_back() -> None:
    labels = [
        (era.label, era.role) for step in gallery("The order is not approved").steps if (era := view.scene_of(step).era)
    ]
    assert list(dict.fromkeys(labels)) == [("forward", "c1"), ("compensating", "bad"), ("compensated", "good")]
    forward = [era.label for step in gallery("Everything succeeds").steps if (era := view.scene_of(step).era)]
    assert list(dict.fromkeys(forward)) == ["forward", "past the pivot", "completed"]
    stuck = fired("A compensation is stuck", "O.stuck")
    assert view.scene_of(stuck).era.label == "stuck"  # type: ignore[union-attr]


def test_two_sagas_have_two_colours_and_are_named() -> None:
    there = marks(view.scene_of(gallery("An update is lost").steps[2]))
    first, second = there["saga:A1"], there["saga:B1"]
    assert first.role != second.role
    assert (first.text, second.text) == ("A1 raise", "B1 raise")


# Services


def test_a_row_that_changes_shows_what_it_was() -> None:
    step = fired("Everything succeeds", "S.do")
    there = marks(view.scene_of(step))
    assert there["row:stock:beans"].text == "beans 3 → 2"
    assert there["row:stock:beans"].tone == "solid"
    assert there["row:payment:ann"].text == "ann 100"


def test_a_row_that_is_written_with_what_it_was_shows_that_it_was_written() -> None:
    """Richardson 2018, 4.3.1: a lost update. The second writes what the first wrote, from the same reading."""
    run = gallery("An update is lost")
    texts = [marks(view.scene_of(step))["row:accounts:limit"].text for step in run.steps]
    assert [text for text in texts if "→" in text] == ["limit 100 → 150", "limit 150 → 150"]


def test_a_marked_row_names_who_marked_it() -> None:
    """Richardson 2018, 4.3.2: a semantic lock."""
    for step in gallery("No dirty read happens: a semantic lock refuses").steps:
        there = marks(view.scene_of(step))
        for service in groups(step.state)[0].services:
            for row in service.rows:
                box = there[f"row:{service.id}:{row.key}"]
                assert box.text.endswith(f"· {row.pending}") == bool(row.pending)


def test_a_crash_wipes_the_orchestrators_memory_and_leaves_its_log() -> None:
    crash = next(step for step in gallery("The orchestrator crashes").steps if isinstance(step.event, Crash))
    assert crash.parent is not None
    before, after = marks(view.scene_of(crash.parent)), marks(view.scene_of(crash))
    waiting = {id for id in before if id.startswith("waiting:")}
    assert waiting
    assert not waiting & set(after)
    assert after["memory:1"].text == "wiped"
    log = {id for id in before if id.startswith("record:")}
    assert log == {id for id in after if id.startswith("record:")}
    assert after["process:orchestrator"].tone == "dashed"


def test_what_a_service_has_handled_stands_under_its_rows() -> None:
    """Helland, CIDR 2007, section 4: who remembers what it has handled can be asked twice."""
    last = gallery("A compensation overtakes its request").steps[-1]
    assert marks(view.scene_of(last))["handled:payment:0"].text == "A1 charge – –"
    undone = gallery("The order is not approved").steps[-1]
    assert marks(view.scene_of(undone))["handled:payment:0"].text == "A1 charge ✓ ↩"


def test_the_log_shows_its_last_lines_and_what_is_new() -> None:
    for step in gallery("The order is not approved").steps[1:]:
        boss, there = step.state["orchestrator"], marks(view.scene_of(step))
        assert step.parent is not None
        old = len(step.parent.state["orchestrator"].log)
        shown_lines = {int(id.partition(":")[2]) for id in there if id.startswith("record:")}
        assert shown_lines == set(range(len(boss.log))), f"step {step.number}"
        new = {at for at in shown_lines if there[f"record:{at}"].tone == "solid"}
        assert new == set(range(old, len(boss.log)))


def test_an_event_stands_in_the_outbox_until_it_is_acknowledged() -> None:
    """Richardson 2018, 3.3.7: transactional outbox."""
    for step in gallery("Choreographed: an event is lost").steps:
        there = marks(view.scene_of(step))
        rows = {
            f"outgoing:{each.id}:{row.event.number}"
            for each in step.state.processes
            if isinstance(each, Peer)
            for row in each.outbox
        }
        assert {id for id in there if id.startswith("outgoing:")} == rows, f"step {step.number}"


def test_what_a_reader_of_all_databases_sees_is_in_words() -> None:
    """Garcia-Molina and Salem 1987, section 1: others see a saga half done."""
    for step in gallery("The card is declined").steps:
        there = marks(view.scene_of(step))
        said = " ".join(there[f"reader:{at}"].text for at in range(4) if f"reader:{at}" in there)
        assert said == ("; ".join(observer(step.state)) or "nothing half done")


# Both styles


def test_both_styles_stand_side_by_side_under_one_scrubber() -> None:
    for step in both().steps:
        scene = view.scene_of(step)
        assert [panel.title for panel in scene.panels] == ["Orchestration", "Choreography"]
        left, right = ({mark.id for mark in panel.marks} for panel in scene.panels)
        assert {"process:orchestrator", "process:stock"} <= left
        assert "process:stock'" in right
        assert not left & right
        kept = sum(id.startswith("record:") for id in left), sum(id.startswith("outgoing:") for id in right)
        waiting = [row for each in step.state.processes if isinstance(each, Peer) for row in each.outbox]
        assert kept == (min(10, len(step.state["orchestrator"].log)), len(waiting)), f"step {step.number}"
    last = marks(view.scene_of(both().steps[-1]))
    assert last["phase:A1"].text == last["phase:A1'"].text == "↩ compensated"
    assert last["saga:A1"].role == last["saga:A1'"].role


def test_acknowledgements_can_be_hidden_and_nothing_else() -> None:
    quiet = [step for step in gallery("Choreographed: everything succeeds").steps if view.scene_of(step).quiet]
    assert quiet
    assert {note.rule for step in quiet for note in step.notes} == {"C.acked"}
    player = Player(gallery("Choreographed: everything succeeds"), view)
    assert player.head["quiet"] == "acknowledgements"


def test_the_label_of_each_panel_says_what_is_drawn() -> None:
    step = fired("The order is not approved", "S.undo")
    paths, services = view.scene_of(step).panels
    assert "A1, order, is compensating" in paths.label
    assert "approve is refused" in paths.label
    assert "payment is up and has ann 100, shop 0" in services.label


def test_the_facts_of_a_service_say_how_often_it_failed() -> None:
    failing = next(step for step in gallery("Shipping fails for a while").steps if step.state["shipping"].failed)
    facts = {(fact.who, fact.name): fact.value for fact in view.facts_of(failing.state)}
    assert facts["shipping", "failed so far"] == "ship 1 times"
