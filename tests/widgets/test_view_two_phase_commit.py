"""The picture of atomic commitment says what the state says, on every step of every run of the gallery."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from patterns.engine.history import History
from patterns.engine.randomness import key_of, mix
from patterns.engine.script import Script
from patterns.engine.step import Step
from patterns.engine.world import Crash, World
from patterns.two_phase_commit import (
    PROTOCOLS,
    Coordinator,
    TwoPhaseCommit,
    blocked,
    coordinator,
    in_doubt,
    outcomes,
    participants,
    transactions,
)
from patterns.two_phase_commit.lesson.broken import BUGS
from patterns.two_phase_commit.lesson.gallery import GALLERY, begun
from widgets.chapters.two_phase_commit.view import VIEW as view
from widgets.frames import Frames
from widgets.kit import wide
from widgets.scene import Box, Disc, Era, Label, Message, Panel, Scene

RUNS = [(protocol, 3) for protocol in PROTOCOLS] + [("basic", 1), ("presumed_abort", 2), ("basic", 5), ("basic", 9)]
WIDTH, HEIGHT = 554, 364
"""The room for a picture of four processes in a card of 850 x 590 px."""
SMALL, NORMAL = 7.0, 7.6
"""Pixels that a letter of a label takes at most."""


scene_of = cache(view.scene_of)


COMMITS = "All banks vote yes"


@cache
def gallery(title: str) -> History[Any, Any]:
    return GALLERY[title]()


@cache
def random_run(protocol: str, n: int = 3, seed: int = 0) -> History[Any, Any]:
    return anything(TwoPhaseCommit(protocol=protocol, n=n, seed=seed), seed)


def anything(machine: TwoPhaseCommit, seed: int, steps: int = 120) -> History[Any, Any]:
    """A run in which every fourth step is any choice there is: crashes, cuts, pauses, lost and doubled messages."""
    history = History(machine)
    key = key_of(seed, machine.params.protocol, machine.params.n)
    for nth in range(steps):
        offered = [choice for choice in history.machine.choices(history.state) if not choice.why_not]
        draw = mix(key, nth)
        if draw % 4 and history.advance():
            continue
        history.apply(offered[draw // 4 % len(offered)].event)
    return history


def marks(scene: Scene, panel: int = 0) -> dict[str, Any]:
    return {mark.id: mark for mark in scene.panels[panel].marks}


def boxes(scene: Scene, prefix: str) -> list[str]:
    """The texts of the boxes of this kind, top to bottom."""
    found = [mark for id, mark in marks(scene).items() if id.startswith(prefix)]
    return [mark.text.replace("\t", " ") for mark in sorted(found, key=lambda mark: (mark.y, mark.x))]


def step_at(title: str, rule: str) -> Step[Any, Any]:
    """The first step of a run in which this rule fired."""
    return next(step for step in gallery(title).branch if any(note.rule == rule for note in step.notes))


# Total, and in order


@pytest.mark.parametrize(("protocol", "n"), RUNS)
def test_the_view_is_total_and_its_ids_name_one_thing_each(protocol: str, n: int) -> None:
    for step in random_run(protocol, n).steps:
        for panel in scene_of(step).panels:
            ids = [mark.id for mark in panel.marks]
            assert len(ids) == len(set(ids)), f"seed 0, step {step.number}"
        facts = view.facts_of(step.state)
        assert len({(fact.who, fact.name) for fact in facts}) == len(facts), f"seed 0, step {step.number}"
        assert {fact.where for fact in facts} <= {"disk", "memory"}
        view.sends_of(step)
        assert all(cost >= 0 for cost in view.costs_of(step).values())


@pytest.mark.parametrize("title", BUGS)
def test_the_view_is_total_where_a_rule_is_broken(title: str) -> None:
    machine = BUGS[title].machine
    history = anything(machine.again(budget=None), seed=1)
    for step in history.steps:
        for panel in scene_of(step).panels:
            assert panel.label
            assert len({mark.id for mark in panel.marks}) == len(panel.marks), f"seed 1, step {step.number}"
        assert view.facts_of(step.state)


@pytest.mark.parametrize(("protocol", "n"), RUNS)
def test_every_process_and_every_message_on_its_way_is_in_the_picture_and_nothing_else_is(
    protocol: str, n: int
) -> None:
    for step in random_run(protocol, n).steps:
        shown = marks(scene_of(step)).values()
        processes = {mark.id for mark in shown if isinstance(mark, Disc)}
        messages = {mark.id for mark in shown if isinstance(mark, Message)}
        assert processes == {f"process:{name}" for name in step.state.names}, f"seed 0, step {step.number}"
        assert messages == {f"message:{packet.id}" for packet in step.state.packets}, f"seed 0, step {step.number}"


@pytest.mark.parametrize(("protocol", "n"), RUNS)
def test_nothing_is_drawn_outside_its_panel_and_no_words_are_cut(protocol: str, n: int) -> None:
    for step in random_run(protocol, n).steps[::3]:
        for panel in scene_of(step).panels:
            outside(panel, f"seed 0, step {step.number}")


@pytest.mark.parametrize("title", GALLERY)
def test_the_picture_has_the_room_of_a_card_and_holds_what_is_drawn_in_it(title: str) -> None:
    for step in gallery(title).steps:
        scene = scene_of(step)
        assert [(panel.width <= WIDTH, panel.height <= HEIGHT) for panel in scene.panels] == [(True, True)]
        for panel in scene.panels:
            outside(panel, f"step {step.number}")


def outside(panel: Panel, where: str) -> None:
    """Fail if a mark leaves the panel, or a text its box."""
    for mark in panel.marks:
        left, right, top, low = mark.x, mark.x, mark.y, mark.y  # type: ignore[attr-defined]
        if isinstance(mark, Box):
            right, low = mark.x + mark.w, mark.y + mark.h
            assert wide(mark.text.replace("\t", "")) <= mark.w, (mark, where)
        elif isinstance(mark, Disc):
            left, right, top, low = mark.x - mark.r, mark.x + mark.r, mark.y - mark.r, mark.y + mark.r
        elif isinstance(mark, Label):
            long = len(mark.text) * (SMALL if mark.size == "small" else NORMAL) * (1 if mark.strong else 0.92)
            left -= {"start": 0, "middle": long / 2, "end": long}[mark.anchor]
            right = left + long
        assert 0 <= left <= right <= panel.width, (mark, where)
        assert 0 <= top <= low <= panel.height, (mark, where)


@pytest.mark.parametrize(("protocol", "n"), RUNS)
def test_every_choice_is_about_something_in_the_picture(protocol: str, n: int) -> None:
    history = random_run(protocol, n)
    for step in history.steps[::8]:
        shown = marks(scene_of(step))
        for choice in history.machine.choices(step.state):
            assert not choice.about or any(mark in shown for mark in choice.about), (
                choice,
                f"seed 0, step {step.number}",
            )


@pytest.mark.parametrize("title", GALLERY)
def test_a_crash_of_anybody_who_is_up_is_offered_at_every_step_on_its_disc_and_on_its_column(title: str) -> None:
    history = gallery(title)
    for step in history.steps:
        scene = scene_of(step)
        offered = {
            mark
            for choice in history.machine.choices(step.state)
            if isinstance(choice.event, Crash) and not choice.why_not
            for mark in choice.about
        }
        assert offered == {f"process:{process.id}" for process in step.state.up}
        for name in step.state.names:
            assert f"process:{name}" in marks(scene)
            column = {mark.id: mark.of for mark in marks(scene).values()}
            assert {column[part] for part in (f"disk:{name}", f"memory:{name}")} == {f"process:{name}"}


def test_a_message_that_arrives_is_the_moment_on_its_receivers_line() -> None:
    step = step_at(COMMITS, "P.yes")
    moment = scene_of(step).moment
    assert moment is not None
    assert (moment.kind, moment.sender, moment.label, moment.role) == ("deliver", "C", "prepare T1", "c1")
    assert scene_of(step).lanes == ("C", "P1", "P2")


# Who is in doubt


@pytest.mark.parametrize("title", GALLERY)
def test_a_participant_in_doubt_has_a_dashed_ring_and_says_for_how_long(title: str) -> None:
    """BHG 7.4: from its yes until it knows the decision a process is uncertain."""
    for step in gallery(title).steps:
        world, scene = step.state, scene_of(step)
        doubts = {doubt.participant: world.clock - doubt.since for doubt in reversed(in_doubt(world))}
        for process in participants(world):
            disc = marks(scene)[f"process:{process.id}"]
            if process.id not in doubts:
                assert disc.role != "candidate", f"step {step.number}"
                assert "doubt" not in disc.caption
                continue
            assert disc.caption.removeprefix("❚❚ ") in (
                f"in doubt {doubts[process.id]} ms",
                f"ready {doubts[process.id]} ms",
            ), f"step {step.number}"
            assert (disc.role == "candidate") == ("in doubt" in disc.caption)
            assert "in doubt" in disc.title or "ready to commit" in disc.title


def test_a_doubt_of_seconds_is_said_in_seconds() -> None:
    run = begun().history
    run.run_until(lambda step: len(in_doubt(step.state)) == 3, 100)
    run.apply(Crash("C"))
    run.run_until(lambda step: step.state.clock > 2_000, 2_000)
    assert marks(scene_of(run.step))["process:P1"].caption in ("in doubt 2.0 s", "in doubt 1.9 s")


@pytest.mark.parametrize("title", GALLERY)
def test_the_disc_and_the_sentence_say_what_was_decided(title: str) -> None:
    for step in gallery(title).steps:
        world, scene = step.state, scene_of(step)
        for txn in transactions(world):
            for name, outcome in outcomes(world, txn).items():
                past = "committed" if outcome == "commit" else "aborted"
                said = marks(scene)[f"process:{name}"].title
                assert f"{past} {txn}" in said or f"{txn} is {past}" in said, f"step {step.number}"


def test_in_three_phases_who_knows_that_all_voted_yes_is_ready_and_one_leads() -> None:
    """BHG 7.5: between uncertain and committed a process is committable; a backup takes the coordinator's place."""
    scene = scene_of(step_at("Three phases: the coordinator crashes, and a backup commits", "3.poll"))
    said = {name: marks(scene)[f"process:{name}"].caption for name in ("C", "P1", "P2", "P3")}
    words = {name: re.sub(r" \d+ ms", "", caption) for name, caption in said.items()}
    assert words == {"C": "crashed", "P1": "in doubt", "P2": "ready", "P3": "in doubt"}
    assert [text[:8] for text in boxes(scene, "poll:")] == ["leads T1"]
    assert "ready T1" in boxes(scene, "record:P2:")


# What is on disk, what in memory


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_logs_locks_and_balances_are_those_of_the_state(protocol: str) -> None:
    for step in random_run(protocol).steps:
        world, scene = step.state, scene_of(step)
        for process in participants(world):
            where = f"seed 0, step {step.number}, {process.id}"
            account = marks(scene)[f"account:{process.id}:{process.accounts[0].name}"]
            assert account.text.endswith(str(process.accounts[0].balance)), where
            shown = sum(1 for mark in marks(scene) if mark.startswith(f"record:{process.id}:"))
            room = 5 - len(process.accounts)
            log = len(process.log) if len(process.log) <= room else room - 1
            memory = len(process.buffer) + len(process.branches.values()) + len(process.locks)
            if memory <= 3:
                assert shown == log + len(process.buffer), where
            locks = [mark for id, mark in marks(scene).items() if id.startswith(f"lock:{process.id}:")]
            assert memory > 3 or len(locks) == len(process.locks), where


@pytest.mark.parametrize("title", GALLERY)
def test_a_crash_empties_the_memory_and_leaves_the_disk(title: str) -> None:
    for step in gallery(title).steps:
        if not isinstance(step.event, Crash) or step.parent is None:
            continue
        who, before, after = step.event.process, marks(scene_of(step.parent)), marks(scene_of(step))
        disk = after[f"disk:{who}"]
        for id, mark in before.items():
            if mark.of == f"process:{who}" and isinstance(mark, Box) and not id.startswith("memory"):
                assert (after.get(id) == mark) if mark.y >= disk.y else (id not in after), id


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_while_a_process_is_down_its_memory_is_empty(protocol: str) -> None:
    for step in random_run(protocol).steps:
        scene = marks(scene_of(step))
        for name in step.state.down:
            frame, disk = scene[f"memory:{name}"], scene[f"disk:{name}"]
            inside = [m for m in scene.values() if m.of == f"process:{name}" and frame.y < m.y < disk.y]
            assert not inside, f"seed 0, step {step.number}"
            assert (scene[f"gone:{name}"].text, frame.role) == ("empty", "down")


def test_a_lazy_record_moves_from_memory_to_disk_and_stays_told_from_a_forced_one() -> None:
    """Mohan, Lindsay, Obermarck 1986, 2: an end record is written, not forced."""
    seen: list[tuple[str, str]] = []
    for step in gallery("The coordinator crashes after its decision").branch:
        shown = marks(scene_of(step))
        if end := shown.get("record:C:end T1:1"):
            where = "disk" if end.y > shown["disk:C"].y else "memory"
            if (where, end.tone, end.text) not in seen:
                seen.append((where, end.tone, end.text))
    assert seen == [("memory", "dashed", "end T1"), ("disk", "row", "end T1\tlazy")]


@pytest.mark.parametrize(("protocol", "how"), [("basic", ""), ("presumed_abort", "\tlazy")])
def test_an_abort_and_the_next_vote_written_at_once_are_told_apart(protocol: str, how: str) -> None:
    """Mohan, Lindsay, Obermarck 1986, section 3: presumed abort forces no abort record; a prepare record always is."""
    machine = TwoPhaseCommit(n=2, protocol=protocol, transfers=({"ann": -140, "bob": 140}, {"bob": -30, "ann": 30}))
    run = Script(machine).ask("A").history
    run.apply(list(machine.enabled(run.state, "request"))[-1])
    run.run_until(lambda step: [note.rule for note in step.notes][-1:] == ["P.yes"] and len(step.notes) > 2, 100)
    shown = marks(scene_of(run.step))
    assert shown["record:P2:abort T1:1"].text == f"abort T1{how}"
    assert shown["record:P2:prepare T2:1"].text == "prepare T2"


def test_presumed_commit_a_participant_reads_what_is_not_on_its_disk_yet() -> None:
    """Mohan, Lindsay, Obermarck 1986, section 4: a participant does not force its commit record."""
    scene = scene_of(step_at("Presumed commit: a bank forgets, and the answer is commit", "P.commit"))
    shown = marks(scene)
    (who,) = [id.split(":")[1] for id in shown if id.startswith("reads:")]
    disk, read = boxes(scene, f"account:{who}:"), boxes(scene, f"reads:{who}:")
    assert disk != read
    assert shown[f"record:{who}:commit T1:1"].tone == "dashed"
    assert shown[f"record:{who}:prepare T1:1"].tone == "row"


def test_accounts_have_the_balances_that_are_on_disk() -> None:
    assert boxes(scene_of(gallery(COMMITS).branch[0]), "account:") == ["ann 100", "bob 100"]
    assert boxes(scene_of(gallery(COMMITS).branch[-1]), "account:") == ["ann 60", "bob 140"]


def test_votes_are_collected_in_the_coordinators_memory_and_a_no_is_told_from_a_yes() -> None:
    votes = [text for step in gallery(COMMITS).branch for text in boxes(scene_of(step), "open:C:T1")]
    assert list(dict.fromkeys(votes)) == [
        "T1 votes · ·",
        *sorted({each for each in votes if "✓" in each}),
        *acks(votes),
    ]
    assert any(text.count("✓") == 1 for text in votes)
    asked = step_at("One bank votes no", "P.no")
    assert marks(scene_of(asked))[f"process:{asked.notes[0].values['who']}"].caption == "abort"


def acks(texts: list[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if "acks" in text))


def test_who_waits_for_a_lock_is_in_memory_beside_who_holds_it() -> None:
    """BHG 3: a deadlock of two transactions, seen."""
    step = gallery("Two transfers wait for each other, and one is aborted").branch[-1]
    while len([b for p in participants(step.state) for b in p.branches.values()]) < 4:
        assert step.parent is not None
        step = step.parent
    scene = scene_of(step)
    assert sorted(boxes(scene, "lock:")) == ["lock ann T1", "lock bob T2"]
    assert boxes(scene, "branch:P1:") == ["T1 in doubt", "T2 waits"]
    assert boxes(scene, "branch:P2:") == ["T1 waits", "T2 in doubt"]
    assert marks(scene)["branch:P1:T2"].title == "P1: T2 waits for T1"
    assert {marks(scene)[f"lock:P{n}:{row}"].role for n, row in ((1, "ann:T1"), (2, "bob:T2"))} == {"c1", "c2"}


def test_two_transactions_on_their_way_have_their_names_and_colours() -> None:
    step = step_at("The coordinator crashes after its decision", "C.commit")
    lines = [mark for mark in marks(scene_of(step)).values() if mark.id.startswith("message:")]
    assert {(line.text, line.role) for line in lines} >= {("commit T1", "c1"), ("prepare T2", "c2")}


def test_one_transaction_alone_needs_no_name_on_its_messages() -> None:
    step = step_at(COMMITS, "C.commit")
    lines = [mark for mark in marks(scene_of(step)).values() if mark.id.startswith("message:")]
    assert {line.text for line in lines} == {"commit"}


# The bar, and what it cost


def eras(title: str) -> list[Era]:
    return [era for step in gallery(title).branch if (era := scene_of(step).era) is not None]


def test_the_bar_goes_from_voting_over_the_decision_to_the_end() -> None:
    labels = list(dict.fromkeys(era.label for era in eras(COMMITS)))
    assert labels == ["T1 voting", "T1 commit", "T1 committed"]


@pytest.mark.parametrize("title", GALLERY)
def test_the_bar_is_red_while_two_disagree_and_dashed_while_all_are_blocked(title: str) -> None:
    """BHG 7.4: blocked is who must wait for a repair. Skeen 1981: with a third phase nobody is."""
    for step in gallery(title).branch:
        era, world = scene_of(step).era, step.state
        split = any(len(set(outcomes(world, txn).values())) > 1 for txn in transactions(world))
        assert (era is not None and era.role == "bad") == split, f"step {step.number}"
        if era is not None and split:
            assert "split" in era.label
        elif era is not None and blocked(world):
            assert era.label.endswith("blocked")
            assert era.tone == "dashed"
        beside = {mark.text for id, mark in marks(scene_of(step)).items() if id.startswith("blocked:")}
        assert beside == {f"{txn} is blocked" for txn in blocked(world)}, f"step {step.number}"
        assert all(f"{txn} is blocked" in scene_of(step).panels[0].label for txn in blocked(world))


def test_a_partition_splits_three_phases_and_the_bar_says_who() -> None:
    era = eras("Three phases: a cut separates two of the banks")[-1]
    assert era.label == "T1 split: C committed, P1 committed, P2 aborted, P3 aborted"
    assert era.role == "bad"


@pytest.mark.parametrize("title", GALLERY)
def test_the_time_in_doubt_is_added_up_over_all_participants(title: str) -> None:
    branch = gallery(title).branch
    total = sum(view.costs_of(step)["ms in doubt"] for step in branch)
    again = sum(
        (after.state.clock - before.state.clock)
        for before, after in pairwise(branch)
        for process in participants(before.state)
        if process.id not in before.state.down
        for branch_ in process.branches.values()
        if branch_.state != "waiting"
    )
    assert total == again > 0


def test_facts_say_what_is_kept_where() -> None:
    world: World = step_at("The coordinator crashes after its decision", "P.wait").state
    facts = {(fact.who, fact.name): (fact.value, fact.where) for fact in view.facts_of(world)}
    waiter = next(p for p in participants(world) if any(b.state == "waiting" for b in p.branches.values()))
    assert facts["P1", "log"] == ("prepared T1", "disk")
    assert facts["P1", "ann"] == ("100", "disk")
    assert facts[waiter.id, "T2"] == ("waits for T1", "memory")
    assert facts["P1", "locked"] == ("ann by T1", "memory")
    assert facts["C", "T1"] == ("voting", "memory")
    assert isinstance(coordinator(world), Coordinator)


@pytest.mark.parametrize("title", GALLERY)
def test_every_run_of_the_gallery_becomes_frames(title: str) -> None:
    history = gallery(title)
    frames = Frames(history.machine, view, (), {})
    for step in history.steps:
        assert frames.of(step)["panels"]


@pytest.mark.parametrize("title", ["One bank votes no", "Read-only: a bank takes no part in the second phase"])
def test_who_need_not_be_told_the_decision_is_not_said_to_have_acknowledged_it(title: str) -> None:
    """BHG 7.4: a participant that voted no has aborted by itself; MLO 3: one that only read is left out of the second
    phase."""
    seen = set()
    for step in GALLERY[title]().steps:
        there = {mark.id: mark for panel in view.scene_of(step).panels for mark in panel.marks}
        for open in step.state["C"].open.values():
            for name in [name for name, vote in open.votes if vote in ("no", "read-only") and open.outcome]:
                box = there.get(f"open:C:{open.txn}")
                if box is not None:
                    seen.add(name)
                    assert f"{name} has acknowledged" not in box.title, f"step {step.number}"
                    assert f"{name} voted" in box.title
    assert seen
