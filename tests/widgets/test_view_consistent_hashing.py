"""The picture of a cache tier: total, stable, within its frame, and telling what the state and the words tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patterns.consistent_hashing.events import Advance, Crash, Event, Join, Leave, Look, Place, Read, ReadAll, Reweight
from patterns.consistent_hashing.lesson.broken import NoWrap, PointsNotNodes
from patterns.consistent_hashing.others import ROUTERS
from patterns.consistent_hashing.state import Tier
from patterns.consistent_hashing.tier import CacheTier
from patterns.engine.history import History
from patterns.engine.planted import with_parts
from patterns.engine.step import Step
from widgets import play
from widgets.chapters.consistent_hashing.captions import percent
from widgets.chapters.consistent_hashing.cast import tags_of
from widgets.chapters.consistent_hashing.view import VIEW as view
from widgets.scene import Arc, Box, Disc, Label, Line, Mark, Panel, Scene, Ticks, View

Run = History[Tier, Event]

MANY = [f"key-{number}" for number in range(400)]
TIERS: Mapping[str, dict[str, Any]] = {
    "as usual": {},
    "a cold one": {"warm": False, "nodes": ["A"], "stepwise": 2},
    "racks and copies": {"nodes": [["A", 1, "r1"], ["B", 2, "r1"], ["C", 1, "r2"]], "copies": 3, "vnodes": 5},
    "a circle of eight positions": {"bits": 3, "vnodes": 3, "copies": 2, "keys": ["x", "y", "z"]},
    "many points": {"vnodes": 160, "keys": MANY},
    "many nodes": {"nodes": [f"n{at:03d}" for at in range(40)], "vnodes": 20, "keys": MANY},
    "long names": {
        "nodes": ["cache-eu-west-1a", "cache-eu-west-1b", "10.0.0.12:11211"],
        "pool": ["a newcomer by name"],
    },
    "no key": {"keys": []},
    **{f"{scheme}, few keys": {"scheme": scheme} for scheme in ROUTERS if scheme != "ring"},
    "modulo, many keys": {"scheme": "modulo", "keys": MANY, "nodes": list("ABCDEFGHIJK")},
    "jump, many nodes": {"scheme": "jump", "nodes": [f"n{at}" for at in range(160)], "keys": MANY},
}


def run_of(*events: Event, **params: Any) -> Run:
    history = Run(CacheTier(**params))
    history.run(events)
    return history


def marks_of(step: Step[Tier, Event], panel: str = "where") -> dict[str, Mark]:
    scene = view.scene_of(step)
    return {mark.id: mark for part in scene.panels if part.id == panel for mark in part.marks}


def label_of(step: Step[Tier, Event], panel: str = "where") -> str:
    return next(part.label for part in view.scene_of(step).panels if part.id == panel)


def said(step: Step[Tier, Event]) -> str:
    """What the words beside the picture say of a step."""
    return " ".join(CacheTier().say(note) for note in step.notes)


@st.composite
def runs(draw: st.DrawFn) -> tuple[str, Run]:
    """A run of one of the tiers in which things happen at random, the unusual among them."""
    name = draw(st.sampled_from(sorted(TIERS)))
    history: Run = History(CacheTier(**TIERS[name]))
    for pick in draw(st.lists(st.integers(0, 999), min_size=1, max_size=10)):
        enabled = [choice.event for choice in history.machine.choices(history.state) if not choice.why_not]
        usual = history.machine.usual(history.state)
        odd: list[Event] = [Read("a key nobody knows"), ReadAll()]
        options = odd + enabled + [event for event in (usual,) if event] * 8
        history.apply(options[pick % len(options)])
    return name, history


# the picture of whatever can happen


def test_the_module_is_a_view() -> None:
    shown: View = view
    assert shown.title == "Consistent hashing"


@settings(max_examples=40)
@given(runs())
def test_every_step_of_every_run_has_a_picture_with_unique_ids_words_and_bounds(run: tuple[str, Run]) -> None:
    name, history = run
    for step in history.steps:
        scene = view.scene_of(step)
        assert scene == view.scene_of(step), f"{name}: the same step, the same picture"
        assert [panel.id for panel in scene.panels] == ["where", "load"]
        for panel in scene.panels:
            ids = [mark.id for mark in panel.marks]
            assert len(ids) == len(set(ids)), f"{name}, step {step.depth}: {sorted(ids)}"
            assert panel.label.endswith("."), panel.label
            assert len(ids) <= 260, f"{name}: {len(ids)} marks in {panel.id}"
            for mark in panel.marks:
                problem = outside(mark, panel)
                assert not problem, f"{name}, step {step.depth} ({step.event}): {problem}"
        assert view.facts_of(step.state)
        assert all(cost > 0 for cost in view.costs_of(step).values())


def outside(mark: Mark, panel: Panel) -> str:
    """What of a mark is cut off by its panel's edge, or too small to be read; empty when nothing is."""
    if isinstance(mark, Label):
        size = {"small": 12, "normal": 13, "large": 17}[mark.size]
        wide = len(mark.text) * size * (0.6 if mark.strong else 0.55)
        if mark.id in ("over", "big") and panel.title.endswith("clockwise") and wide > 172:
            return f"{mark.text!r} is too long for the middle of the ring"
        left = mark.x - {"start": 0, "middle": wide / 2, "end": wide}[mark.anchor]
        box = (left, mark.y - size, left + wide, mark.y + 3)
    elif isinstance(mark, Disc):
        box = (mark.x - mark.r, mark.y - mark.r, mark.x + mark.r, mark.y + mark.r)
        if mark.text and 1.6 * mark.r / (0.58 * len(mark.text)) < 12:  # the size that stage.js fits it with
            return f"{mark.text!r} is too small in a disc of {mark.r}"
    elif isinstance(mark, Box):
        box = (mark.x, mark.y, mark.x + mark.w, mark.y + mark.h)
    elif isinstance(mark, Line):
        box = (min(mark.x, mark.x2), min(mark.y, mark.y2), max(mark.x, mark.x2), max(mark.y, mark.y2))
    elif isinstance(mark, Arc | Ticks):
        reach = mark.r + mark.wide / 2 if isinstance(mark, Arc) else max(mark.r, mark.r2)
        box = (mark.x - reach, mark.y - reach, mark.x + reach, mark.y + reach)
    else:
        return f"a mark of an unknown kind: {mark}"
    left, top, right, bottom = box
    fits = left >= -1 and top >= -1 and right <= panel.width + 1 and bottom <= panel.height + 1
    return "" if fits else f"{mark.id} {mark.text!r} reaches {box} of {panel.width} x {panel.height}"


@settings(max_examples=20)
@given(runs())
def test_what_stays_keeps_its_id_and_each_node_its_colour(run: tuple[str, Run]) -> None:
    name, history = run
    for step in history.steps[1:]:
        assert step.parent is not None
        before, after = marks_of(step.parent), marks_of(step)
        points = {f"point:{p.node}#{p.number}" for p in step.parent.state.points()} & {
            f"point:{p.node}#{p.number}" for p in step.state.points()
        }
        if len(step.parent.state.points()) <= 40 >= len(step.state.points()):
            assert points <= before.keys() & after.keys(), name
        for panel in ("where", "load"):
            was, now = marks_of(step.parent, panel), marks_of(step, panel)
            for key in was.keys() & now.keys():
                assert type(was[key]) is type(now[key]), f"{name}: {key} is another kind of mark"
                if key.startswith(("node:", "arc:", "point:", "slot:")):
                    assert was[key].role == now[key].role, f"{name}: {key} changed its colour"


@settings(max_examples=20)
@given(runs())
def test_a_click_reaches_every_node_and_says_what_it_is(run: tuple[str, Run]) -> None:
    """The ids that the machine's choices are about are those of marks, which have names for a screen reader."""
    name, history = run
    nodes = history.state.router.names
    if len(nodes) + bool(history.state.joining) > 12:
        return
    load = marks_of(history.step, "load")
    about = {mark for choice in history.machine.choices(history.state) for mark in choice.about}
    for node in nodes:
        assert f"node:{node}" in about & load.keys(), name
    for marks in (marks_of(history.step), load):
        for mark in marks.values():
            if mark.id in about or mark.of in about:
                assert mark.title, f"{name}: {mark.id} can be clicked and has no name"
            assert not mark.of or mark.of in load, f"{name}: {mark.id} is a part of {mark.of}, which is nowhere"


# the picture and the words say the same


@pytest.mark.parametrize("key", ["Paris", "Rome", "Lima", "a key nobody knows"])
@pytest.mark.parametrize("vnodes", [4, 160])
def test_the_owner_that_is_told_is_the_owner_that_is_lit(key: str, vnodes: int) -> None:
    """Karger et al. 1997, section 4: a key belongs to the first point clockwise from it."""
    history = run_of(Look(key), Advance(), vnodes=vnodes)
    step, owner = history.step, history.state.owner(key)
    assert f"**{owner}** owns {key}" in said(step)
    lit = [mark for mark in marks_of(step).values() if isinstance(mark, Disc) and mark.heavy]
    assert [mark.of for mark in lit] == [f"node:{owner}"]
    assert f"owner {owner}" in label_of(step)
    assert marks_of(step)["big"].text == f"→ {owner}"
    told = {mark.id for mark in marks_of(step, "load").values() if mark.text.endswith("owner")}
    assert told == {f"load:{owner}"}


def test_the_walk_goes_clockwise_from_the_key_to_the_point_it_has_reached() -> None:
    history = run_of(Look("Paris"))
    turn = history.state.turn(history.state.position("Paris"))
    begun = marks_of(history.step)["walk"]
    assert isinstance(begun, Arc)
    assert begun.start == begun.end == turn
    for _ in range(2):
        history = run_of(Look("Paris", copies=3), Advance())
    reached = marks_of(history.step)["walk"]
    assert isinstance(reached, Arc)
    assert history.state.walk is not None
    assert reached.start == turn
    assert reached.end % 1 == pytest.approx(history.state.points()[history.state.walk.visits[-1][0]].turn)
    assert turn <= reached.end <= turn + 1


def test_points_that_a_walk_skips_are_dashed_and_those_it_takes_are_heavy() -> None:
    """Dynamo 2007, 4.3: copies are for distinct machines, so further points of a chosen node are skipped."""
    history = run_of(Look("Lima", copies=3))
    outcomes: dict[str, str] = {}
    while history.state.busy:
        step = history.apply(Advance())
        assert step.state.walk is not None
        at, outcome = step.state.walk.visits[-1]
        point = step.state.points()[at]
        outcomes[f"point:{point.node}#{point.number}"] = outcome
        drawn = {mark.id: mark for mark in marks_of(step).values() if isinstance(mark, Disc) and mark.id in outcomes}
        assert {key: (mark.tone == "dashed", mark.heavy) for key, mark in drawn.items()} == {
            key: (outcome != "taken", outcome == "taken") for key, outcome in outcomes.items()
        }
    assert sorted(set(outcomes.values())) == ["same node", "taken"], "this walk skips a point, or the test is empty"


def test_every_copy_is_named_beside_the_load_of_its_node() -> None:
    history = run_of(Look("Paris"), copies=3)
    while history.state.busy:
        history.advance()
    load = marks_of(history.step, "load")
    first, second, third = history.state.homes("Paris")
    ends = [load[f"load:{node}"].text.split(" · ")[1] for node in (first, second, third)]
    assert ends == ["owner", "2nd", "3rd"]


def test_each_point_of_a_joining_node_lights_what_it_moves_and_the_last_one_all_of_it() -> None:
    history = run_of(Join("D"))
    moved = 0
    while history.state.joining:
        step = history.apply(Place())
        last = step.state.last
        moved += len(last.moved)
        if step.state.joining:
            assert lit_keys(step) == len(last.moved)
            assert len(lit_ranges(step)) == len(last.moves)
            assert marks_of(step)["big"].text == f"{len(last.moved)} key{'s' * (len(last.moved) != 1)}"
    assert lit_keys(history.step) == moved > 0
    assert marks_of(history.step)["big"].text == f"{moved} keys moved"
    assert f"took {moved} of 42 keys" in said(history.step)
    assert f"{moved} keys moved" in label_of(history.step)


def lit_keys(step: Step[Tier, Event]) -> int:
    mark = marks_of(step).get("moved-keys")
    return len(mark.at) if isinstance(mark, Ticks) else 0


def lit_ranges(step: Step[Tier, Event]) -> list[Mark]:
    return [mark for key, mark in marks_of(step).items() if key.startswith("moved:")]


@pytest.mark.parametrize("event", [Leave("B"), Crash("B"), Reweight("B", 2.0)])
def test_a_change_is_compared_with_the_ideal_and_with_modulo(event: Event) -> None:
    step = run_of(event).step
    last, load = step.state.last, marks_of(step, "load")
    numbers = {key.removeprefix("is:"): mark.text for key, mark in load.items() if key.startswith("is:")}
    expected = {"moved": str(len(last.moved)), "ideal": f"{last.ideal:.0f}", "mod N": str(last.modulo)}
    if isinstance(event, Reweight):
        del expected["mod N"]  # it knows no weights
    assert numbers == expected
    assert f"{len(last.moved)} of 42 keys move" in said(step)
    bars = {mark.id: mark.w for mark in load.values() if isinstance(mark, Box)}
    if last.modulo and "mod N" in expected:
        assert bars["bar:moved"] / bars["bar:mod N"] == pytest.approx(len(last.moved) / last.modulo, abs=0.01)


def test_the_points_of_a_node_that_left_are_seen_once_more_dashed() -> None:
    history = run_of(Crash("B"))
    ghosts = {key for key, mark in marks_of(history.step).items() if key.startswith("point:B#")}
    assert len(ghosts) == 4
    assert all(marks_of(history.step)[key].tone == "dashed" for key in ghosts)
    history.apply(ReadAll())
    assert not ghosts & marks_of(history.step).keys()


def test_reading_every_key_is_told_in_hits_and_misses_the_same_everywhere() -> None:
    step = run_of(Crash("B"), ReadAll()).step
    last, load = step.state.last, marks_of(step, "load")
    assert last.misses > 0
    assert (load["is:hits"].text, load["is:misses"].text) == (str(last.hits), str(last.misses))
    assert f"**{last.hits} hit** and **{last.misses} miss**" in said(step)
    assert f"{last.hits} hits, {last.misses} misses" in label_of(step)
    assert marks_of(step)["big"].text == f"{percent(last.hits, 42)} hits"
    assert view.costs_of(step) == {"reads": 42, "misses": last.misses}


@pytest.mark.parametrize("params", [{}, {"scheme": "modulo"}, {"scheme": "rendezvous", "keys": MANY}])
def test_bars_are_as_long_as_loads_and_filled_as_far_as_keys_are_cached(params: dict[str, Any]) -> None:
    step = run_of(Crash("B"), **params).step
    loads, cold, load = step.state.loads(), step.state.cold(), marks_of(step, "load")
    longest = max(loads, key=loads.__getitem__)
    whole, warm = (load.get(f"{name}:{longest}") for name in ("node", "warm"))
    assert isinstance(whole, Box)
    scale = whole.w / loads[longest]
    for name, keys in loads.items():
        bar, filled = load[f"node:{name}"], load.get(f"warm:{name}")
        assert isinstance(bar, Box)
        assert bar.w == pytest.approx(max(2, keys * scale), abs=0.05)
        cached = keys - sum(step.state.owner(key) == name for key in cold)
        assert (filled.w if isinstance(filled, Box) else 0) == pytest.approx(cached * scale, abs=0.05)
        assert load[f"load:{name}"].text == f"{keys:,}"
        assert f"{name} {keys:,}" in label_of(step, "load")
    assert cold
    assert warm is None or isinstance(warm, Box)


def test_keys_that_no_cache_holds_are_hollow_and_the_legend_says_so() -> None:
    step = run_of(Crash("B")).step
    marks, cold = marks_of(step), set(step.state.cold())
    hollow = {
        key.removeprefix("key:") for key, mark in marks.items() if key.startswith("key:") and mark.tone == "outline"
    }
    assert hollow == cold != set()
    assert marks["unlit"].text == "hollow: not cached"
    assert "unlit" not in marks_of(run_of().step)


@pytest.mark.parametrize("scheme", [scheme for scheme in ROUTERS if scheme != "ring"])
def test_other_schemes_show_every_key_in_the_slot_of_its_owner(scheme: str) -> None:
    history = run_of(Join("D"), scheme=scheme)
    step, marks = history.step, marks_of(history.step)
    for key in step.state.keys:
        dot, slot = marks[f"key:{key}"], marks[f"slot:{step.state.owner(key)}"]
        assert isinstance(dot, Disc)
        assert isinstance(slot, Box)
        assert slot.x <= dot.x <= slot.x + slot.w
        assert slot.y <= dot.y <= slot.y + slot.h
    lit = {key for key, mark in marks.items() if mark.role == "accent" and key.startswith("key:")}
    assert lit == {f"key:{move.key}" for move in step.state.last.moved}


def test_a_key_that_other_schemes_look_up_has_an_arrow_to_its_slot() -> None:
    step = run_of(Look("Paris"), scheme="modulo").step
    arrow, slot = marks_of(step)["to"], marks_of(step)[f"slot:{step.state.owner('Paris')}"]
    assert isinstance(arrow, Line)
    assert isinstance(slot, Box)
    assert slot.x < arrow.x2 < slot.x + slot.w
    assert f"goes to {step.state.owner('Paris')}" in label_of(step)


# the story of a run


def test_the_strip_tells_the_phases_of_the_run() -> None:
    history = run_of(Look("Paris"), Advance(), Join("D"), *[Place()] * 4, ReadAll(), Crash("B"), ReadAll())
    eras = [view.scene_of(step).era for step in history.steps]
    labels = [era.label for era in eras if era]
    assert labels == ["3 machines"] * 3 + ["D joins"] * 5 + ["4 machines", "B crashes", "3 machines"]
    assert [view.scene_of(step).fault for step in history.steps].index(True) == 9


def test_facts_are_of_every_node_or_of_the_tier_where_there_are_many() -> None:
    facts = view.facts_of(run_of(Look("Paris"), Advance()).state)
    assert {fact.who for fact in facts} == {"A", "B", "C", "Paris"}
    assert {fact.where for fact in facts if fact.name == "cached"} == {"memory"}
    crowd = view.facts_of(run_of(**TIERS["many nodes"]).state)
    assert {fact.who for fact in crowd} == {"the tier"}


@pytest.mark.parametrize(
    ("names", "tags"),
    [
        (("A", "B"), ["A", "B"]),
        (("cache-1", "cache-2", "cache-10"), ["1", "2", "10"]),
        (("node042", "node7"), ["042", "7"]),
        (("10.0.0.1:80", "10.0.0.2:80"), ["1", "2"]),
        (("alice", "bob"), ["1", "bob"]),
        (("node1234", "A"), ["1", "A"]),
    ],
)
def test_a_node_has_a_tag_of_at_most_three_signs(names: tuple[str, ...], tags: list[str]) -> None:
    assert [tags_of(names)[name] for name in names] == tags


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=30, unique=True))
def test_tags_tell_nodes_apart(names: list[str]) -> None:
    tags = tags_of(tuple(names))
    assert len(set(tags.values())) == len(names)
    assert all(1 <= len(tag) <= 3 for tag in tags.values())


def test_a_share_is_all_or_nothing_only_when_it_is() -> None:
    assert [percent(part, 1000) for part in (0, 1, 8, 500, 995, 999, 1000)] == [
        "0 %", "0.1 %", "0.8 %", "50 %", "99.5 %", "99.9 %", "100 %",
    ]  # fmt: skip
    assert (percent(1, 10**6), percent(10**6 - 1, 10**6), percent(0, 0)) == ("<0.1 %", ">99.9 %", "100 %")


# crowds, and what is sent


CROWD: dict[str, Any] = {
    "nodes": [f"n{at:03d}" for at in range(100)],
    "vnodes": 100,
    "keys": [f"key-{at}" for at in range(10_000)],
}


@pytest.fixture(scope="module")
def crowd() -> Run:
    return run_of(Look("key-7"), Advance(), Join("n100"), ReadAll(), Leave("n007"), ReadAll(), **CROWD)


def test_a_hundred_nodes_of_a_hundred_points_are_a_picture_of_few_marks(crowd: Run) -> None:
    for step in crowd.steps:
        for panel in view.scene_of(step).panels:
            assert len(panel.marks) < 80, panel.id
            assert len(msgspec.json.encode(panel.marks)) < 16_000, panel.id
            ticks = [len(mark.at) for mark in panel.marks if isinstance(mark, Ticks)]
            assert sum(ticks) < 1_000


def test_a_crowded_ring_is_sampled_so_that_each_colour_has_its_share() -> None:
    step = run_of(vnodes=160).step
    shares = step.state.shares()
    drawn = {key: mark for key, mark in marks_of(step).items() if key.startswith("share:")}
    total = sum(len(mark.at) for mark in drawn.values() if isinstance(mark, Ticks))
    for name, share in shares.items():
        mark = drawn[f"share:{name}"]
        assert isinstance(mark, Ticks)
        assert len(mark.at) / total == pytest.approx(share, abs=0.12)
        owners = [owner_at(step.state, turn) for turn in mark.at]
        assert set(owners) == {name}


def owner_at(state: Tier, turn: float) -> str:
    arcs = state.arcs()
    return next((arc.owner for arc in arcs if turn <= state.turn(arc.end)), arcs[0].owner)


def test_a_crowd_names_the_fullest_and_the_emptiest_and_counts_every_node(crowd: Run) -> None:
    for step in crowd.steps:
        loads, load = step.state.loads(), marks_of(step, "load")
        assert sum(int(mark.text) for key, mark in load.items() if key.startswith("in:")) == len(loads)
        most, least = max(loads.values()), min(loads.values())
        assert re.match(rf"fullest n\d+: {most},", load["fullest"].text)
        assert re.match(rf"emptiest n\d+: {least},", load["emptiest"].text)


def test_the_node_that_joins_a_crowd_lights_its_ranges_all_round(crowd: Run) -> None:
    step = crowd.steps[3]
    ranges = marks_of(step)["moved"]
    assert isinstance(ranges, Ticks)
    assert 80 <= len(ranges.at) <= len(step.state.last.moves)
    assert marks_of(step)["big"].text == f"{len(step.state.last.moved)} keys moved"


def fifty(history: Run) -> Run:
    keys = cycle(history.state.keys[::7])
    while len(history.steps) <= 50:
        if history.advance() is None:
            history.apply(Look(next(keys)))
    return history


def joins(history: Run) -> Run:
    for number in range(50 - len(history.steps) + 1):
        history.apply(Join(f"late-{number}"))
    return history


def histories() -> Iterator[Any]:
    story = (Look("key-7"), Advance(), Join("D"), *[Place()] * 4, ReadAll(), Crash("B"), ReadAll())
    yield pytest.param(lambda: fifty(run_of(*story, keys=MANY[:600])), id="four nodes, 600 keys")
    yield pytest.param(lambda: fifty(run_of(*story)), id="four nodes, 42 keys")
    yield pytest.param(lambda: joins(run_of(scheme="modulo", keys=MANY)), id="modulo, a node a step")
    yield pytest.param(lambda: joins(run_of(**CROWD | {"keys": MANY})), id="a hundred nodes and one more a step")


@pytest.mark.parametrize("made", list(histories()))
def test_the_page_of_fifty_steps_is_small(made: Any, tmp_path: Any) -> None:
    history = made()
    assert len(history.steps) == 51
    size = play(history).save(tmp_path / "run.html").stat().st_size
    assert size < 150_000, f"{size:,} bytes"


def test_a_ring_with_a_rule_broken_still_has_a_picture() -> None:
    """What the exercises break: no wrap at the top, a point that is passed over, two copies on one machine."""

    for broken in (NoWrap, PointsNotNodes):
        tier = with_parts(CacheTier, ring_type=broken)(copies=2)
        history: Run = History(tier)
        for key in tier.featured:
            history.apply(Look(key))
            while history.state.busy:
                history.advance()
        history.run([Join("D"), *[Place()] * 4, ReadAll(), Leave("A")])
        for step in history.steps:
            scene = view.scene_of(step)
            assert isinstance(scene, Scene)
