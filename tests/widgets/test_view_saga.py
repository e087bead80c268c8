"""The picture of sagas says what logs and databases say, on every step of random worlds and of the gallery."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from patterns.engine.history import History
from patterns.engine.randomness import key_of, mix
from patterns.engine.script import Script
from patterns.engine.step import Step
from patterns.engine.world import Crash, World
from patterns.saga import COMPENSATABLE, SagaMachine
from patterns.saga.choreography import Peer
from patterns.saga.examples import DEFINITIONS
from patterns.saga.lesson import GALLERY
from patterns.saga.lesson.side_by_side import SideBySide
from patterns.saga.machines import CHOREOGRAPHED
from patterns.saga.readings import observer, step_states, steps_in_effect
from widgets.chapters.saga.groups import groups, shown
from widgets.chapters.saga.view import VIEW as view
from widgets.frames import Frames
from widgets.kit import wide
from widgets.player import Player
from widgets.scene import Box, Label, Line, Panel, Scene

WIDTH = 554
"""So wide is a picture at most in a card of 850 px."""
PROSE = 0.55  # a letter's width in parts of its size, in a label, which is not bold

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
def test_the_picture_has_the_width_of_a_card_and_nothing_is_outside_of_it(name: str) -> None:
    for step, scene in every(name):
        assert len(scene.panels) == len(groups(step.state))
        assert all(panel.width <= WIDTH for panel in scene.panels)
        for panel in scene.panels:
            for mark in panel.marks:
                where = f"seed 0, step {step.number}: {mark}"
                across, high = (mark.w, mark.h) if isinstance(mark, Box) else (0, 0)
                assert 0 <= mark.x <= mark.x + across <= panel.width, where  # type: ignore[attr-defined]
                assert 0 <= mark.y <= mark.y + high <= panel.height, where  # type: ignore[attr-defined]
                if isinstance(mark, Label):
                    size = {"small": 12, "normal": 13, "large": 17}[mark.size]
                    long = PROSE * size * len(mark.text) * {"start": 1, "middle": 0.5, "end": 0}[mark.anchor]
                    assert mark.x + long <= panel.width + 2, where


@pytest.mark.parametrize("name", WORLDS)
def test_words_in_a_box_fit_into_it(name: str) -> None:
    for step, scene in every(name):
        for panel in scene.panels:
            for box in boxes(panel):
                assert wide(box.text.replace("\t", "")) <= box.w, f"seed 0, step {step.number}: {box}"


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
                bars = {name for name in definition.names if f"effect:{instance.saga}:{name}" in there}
                assert bars == steps_in_effect(step.state, instance.saga), f"seed 0, step {step.number}"
                for each, stage in step_states(step.state, instance).items():
                    box = there[f"step:{instance.saga}:{each}"]
                    assert (box.tone == "solid") == (stage.state == "done" and stage.undo != "undone")
                    assert ("✓" in box.text) == (stage.state == "done")
                    undo = there.get(f"undo:{instance.saga}:{each}")
                    if undo is None and definition[each].kind == COMPENSATABLE:  # a slim path has a sign instead
                        assert ("↩" in box.text) == (stage.undo not in ("", "stuck"))
                    assert undo is None or ("↩" in undo.text) == (stage.undo not in ("", "stuck"))


def test_every_state_of_a_step_and_of_a_compensation_is_somewhere_in_the_gallery() -> None:
    found = {
        part
        for title in GALLERY
        for step in gallery(title).steps
        for group in groups(step.state)
        for _, instance in shown(group)
        if instance
        for stage in step_states(step.state, instance).values()
        for part in (f"state {stage.state}", f"undo {stage.undo}")
    }
    states = {"waiting", "asked", "done", "refused", "unknown", "never", "stuck"}
    undos = {"", "due", "turn", "undone", "stuck"}
    assert found == {f"state {each}" for each in states} | {f"undo {each}" for each in undos}


@pytest.mark.parametrize("sagas", [("order",), ("trip",), ("cancel", "create")])
def test_before_a_saga_begins_every_step_is_drawn_and_waits(sagas: tuple[str, ...]) -> None:
    machine = SagaMachine(sagas=sagas)
    scene = view.scene_of(History(machine).step)
    steps = {mark.id: mark for panel in scene.panels for mark in panel.marks if mark.id.startswith("step:")}
    assert set(steps) == {f"step:{each}:{name}" for each in sagas for name in DEFINITIONS[each].names}
    assert {(mark.tone, "✓" in mark.text, "→" in mark.text) for mark in steps.values()} == {("dashed", False, False)}


def test_steps_go_from_left_to_right_and_branches_stand_one_under_the_other() -> None:
    """Garcia-Molina and Salem 1987, section 8: parallel sagas."""
    there = marks(view.scene_of(gallery("Parallel branches all succeed").steps[0]))
    at = {name: there[f"step:trip:{name}"] for name in ("hold", "flight", "hotel", "pay", "tickets")}
    assert at["hold"].x < at["flight"].x == at["hotel"].x < at["pay"].x < at["tickets"].x
    assert at["flight"].y + at["flight"].h < at["hotel"].y


def test_a_step_done_whose_answer_is_lost_stands_in_the_database_and_not_in_the_log() -> None:
    crash = next(step for step in gallery("The orchestrator crashes").steps if isinstance(step.event, Crash))
    there = marks(view.scene_of(crash))
    assert there["step:A1:charge"].text == "charge\t→ asked"
    assert "effect:A1:charge" in there


def test_the_point_of_no_return_is_dashed_until_it_is_passed() -> None:
    """Richardson 2018, 4.3: the pivot."""
    passed = fired("Everything succeeds", "O.pivot")
    assert passed.parent is not None
    before, after = (marks(view.scene_of(step))["pivot:A1"] for step in (passed.parent, passed))
    assert isinstance(before, Line)
    assert (before.tone, after.tone) == ("dashed", "outline")
    assert before.x == before.x2 > marks(view.scene_of(passed))["step:A1:approve"].x


def test_the_bar_of_eras_says_where_a_saga_turns_back_and_is_red_only_where_one_is_stuck() -> None:
    labels = [
        (era.label, era.role) for step in gallery("The order is not approved").steps if (era := view.scene_of(step).era)
    ]
    assert list(dict.fromkeys(labels)) == [("forward", "c1"), ("compensating", "c1"), ("compensated", "c1")]
    forward = [era.label for step in gallery("Everything succeeds").steps if (era := view.scene_of(step).era)]
    assert list(dict.fromkeys(forward)) == ["forward", "past the pivot", "completed"]
    stuck = fired("A compensation is stuck", "O.stuck")
    era = view.scene_of(stuck).era
    assert era is not None
    assert (era.label, era.role) == ("stuck", "bad")


def test_two_sagas_have_two_colours_and_are_named() -> None:
    there = marks(view.scene_of(gallery("Two sagas raise one limit").steps[2]))
    first, second = there["saga:A1"], there["saga:B1"]
    assert first.role != second.role
    assert (first.text, second.text) == ("A1 raise", "B1 raise")


# Services


def test_a_row_says_its_value() -> None:
    there = marks(view.scene_of(fired("Everything succeeds", "S.do")))
    assert there["row:stock:beans"].text == "beans\t2"
    assert there["row:payment:ann"].text == "ann\t100"


def test_a_row_that_is_written_with_what_it_was_shows_that_it_was_written() -> None:
    """Richardson 2018, 4.3.1: a lost update. The second writes what the first wrote, from the same reading."""
    run = gallery("Two sagas raise one limit")
    rows = [marks(view.scene_of(step))["row:accounts:limit"] for step in run.steps]
    assert list(dict.fromkeys(row.text for row in rows)) == ["limit\t100", "limit\t150"]
    assert [row.role for row in rows].count("accent") == 1, "the write that lost the other one"


def test_a_marked_row_names_who_marked_it() -> None:
    """Richardson 2018, 4.3.2: a semantic lock."""
    for step in gallery("No dirty read happens: a semantic lock refuses").steps:
        there = marks(view.scene_of(step))
        for service in groups(step.state)[0].services:
            for row in service.rows:
                box = there[f"row:{service.id}:{row.key}"]
                assert (f"· {row.pending}\t" in box.text) == bool(row.pending)
                assert (box.tone == "soft") == bool(row.pending)


def test_a_crash_wipes_the_orchestrators_memory_and_leaves_its_log() -> None:
    crash = next(step for step in gallery("The orchestrator crashes").steps if isinstance(step.event, Crash))
    assert crash.parent is not None
    before, after = marks(view.scene_of(crash.parent)), marks(view.scene_of(crash))
    waiting = {id for id in before if id.startswith("waiting:")}
    assert waiting
    assert not waiting & set(after)
    assert after["memory:0"].text == "empty"
    log = {id for id in before if id.startswith("record:")}
    assert log == {id for id in after if id.startswith("record:")}
    assert after["process:orchestrator"].role == after["memory"].role == "down"


def test_what_a_service_has_handled_stands_under_its_rows() -> None:
    """Helland, CIDR 2007, section 4: a service that remembers its handled requests can be asked twice."""
    last = gallery("A compensation overtakes its request").steps[-1]
    assert marks(view.scene_of(last))["handled:payment:0"].text == "charge – –"
    undone = gallery("The order is not approved").steps[-1]
    assert marks(view.scene_of(undone))["handled:payment:0"].text == "charge ✓ ↩"
    two = gallery("No update is lost: a semantic lock makes wait").steps[-1]
    assert marks(view.scene_of(two))["handled:risk:0"].text == "A1 check ✓", "of two sagas, it says which"


def test_the_log_shows_its_lines() -> None:
    for step in gallery("The order is not approved").steps:
        boss, there = step.state["orchestrator"], marks(view.scene_of(step))
        shown_lines = {int(id.partition(":")[2]) for id in there if id.startswith("record:")}
        assert shown_lines == set(range(len(boss.log))[-max(8, len(shown_lines)) :]), f"step {step.number}"


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
        whole = "; ".join(observer(step.state)) or "nothing half done"
        said = " ".join(there[f"reader:{at}"].text for at in range(4) if f"reader:{at}" in there)
        assert there["reader:0"].title == whole
        whole = whole.replace("what is seen may be", "all may be")  # shorter, in the picture
        assert said == whole or whole.startswith(said.removesuffix("…").rstrip())


# Both styles


def test_both_styles_stand_in_one_picture_under_one_scrubber() -> None:
    for step in both().steps:
        scene = view.scene_of(step)
        assert [panel.id for panel in scene.panels] == ["orchestration", "choreography"]
        left, right = ({mark.id: mark.text for mark in panel.marks} for panel in scene.panels)
        assert {"process:orchestrator", "process:stock"} <= {*left}
        assert right["process:stock'"] == "stock'", "the twins are told apart in the picture"
        assert not {*left} & {*right}
        log, waiting = step.state["orchestrator"].log, [row for each in step.state.processes for row in outbox(each)]
        assert ("empty" in left["log:orchestration"]) == (not log)
        assert ("empty" in right["log:choreography"]) == (not waiting)
    last = marks(view.scene_of(both().steps[-1]))
    assert last["phase:A1"].text == last["phase:A1'"].text == "↩ compensated"
    assert last["saga:A1"].role == last["saga:A1'"].role


def outbox(process: Any) -> tuple[Any, ...]:
    return process.outbox if isinstance(process, Peer) else ()


def test_acknowledgements_can_be_hidden_and_nothing_else() -> None:
    quiet = [step for step in gallery("Choreographed: everything succeeds").steps if view.scene_of(step).quiet]
    assert quiet
    assert {note.rule for step in quiet for note in step.notes} == {"C.acked"}
    player = Player(gallery("Choreographed: everything succeeds"), view)
    assert player.head["quiet"] == "acknowledgements"


def test_the_label_of_each_panel_says_what_is_drawn() -> None:
    step = fired("The order is not approved", "S.undo")
    (panel,) = view.scene_of(step).panels
    assert "A1, order, is compensating" in panel.label
    assert "approve is refused" in panel.label
    assert "payment is up and has ann 100, shop 0" in panel.label


def test_the_facts_of_a_service_say_how_often_it_failed() -> None:
    failing = next(step for step in gallery("Shipping fails for a while").steps if step.state["shipping"].failed)
    facts = {(fact.who, fact.name): fact.value for fact in view.facts_of(failing.state)}
    assert facts["shipping", "failed so far"] == "ship 1 time"
