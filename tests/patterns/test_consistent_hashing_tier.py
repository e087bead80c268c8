"""The cache tier: its story, every run of small ones, random runs of larger ones, and bugs that must be caught."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import msgspec
import numpy as np
import pytest

from patterns.consistent_hashing import (
    CITIES,
    ROUTERS,
    RULES,
    Advance,
    CacheTier,
    Crash,
    Event,
    Join,
    Leave,
    Look,
    Place,
    Read,
    ReadAll,
    Reweight,
    Ring,
    RouterError,
)
from patterns.consistent_hashing.lesson.broken import (
    InsertionOrderTier,
    NamedByNumberTier,
    NoWrapTier,
    PointsNotNodesTier,
    RacksForgottenTier,
    StrictlyAfterTier,
)
from patterns.engine.explore import explore
from patterns.engine.history import History, ReplayError
from patterns.engine.machine import NotEnabled
from patterns.engine.step import Step

RACKS = [["A", 1, "r1"], ["B", 1, "r1"], ["C", 1, "r2"]]


def told(history: History) -> str:
    """A run as its narration."""
    machine = history.machine
    lines = []
    for before, step in pairwise(history.path):
        lines.append(machine.describe(before.state, step.event))
        lines += [f"    {machine.say(note)} [{RULES[note.rule].source}]" for note in step.notes]
    return "\n".join(lines).replace("**", "") + "\n"


def broken_in(machine: CacheTier, path: list[Step]) -> list[str]:
    """The names of the invariants that do not hold over a run, with the reason."""
    found = []
    for rule in machine.always:
        memory = rule.begin(path[0].state)
        reason = rule.reason(memory, path[0].state)
        for before, step in pairwise(path):
            memory = rule.follow(memory, before.state, step.event, step.state, step.notes)
            reason = reason or rule.reason(memory, step.state)
        if reason:
            found.append(f"{rule.name}: {reason}")
    return found


def random_run(machine: CacheTier, seed: int, steps: int) -> History:
    """A run that chooses among all that can happen, evenly."""
    random, history = Random(seed), History(machine)
    for _ in range(steps):
        enabled = [choice.event for choice in machine.choices(history.state) if not choice.why_not]
        history.apply(random.choice(enabled))
    return history


# the story


def test_a_tier_of_three_grows_to_four_without_going_cold(golden) -> None:
    """Karger et al. 1997, section 1: the motivation. The whole narration, word for word."""
    tier = CacheTier()
    history = History(tier)
    history.run([Look("Paris"), Advance(), Look("Tokyo", 3)])
    history.run_until(tier.milestones["the lookup has found its nodes"], 20)
    history.apply(Join("D"))
    history.run_until(tier.milestones["every point is placed"], 20)
    history.run([Read("Paris"), ReadAll(), Crash("B"), ReadAll(), Leave("A"), ReadAll(), Reweight("C", 2.0)])
    golden("consistent_hashing_story", told(history))
    assert broken_in(tier, history.path) == []


@pytest.mark.parametrize("scheme", sorted(ROUTERS))
def test_the_share_of_the_tier_that_goes_cold_is_the_share_of_keys_that_moved(scheme: str) -> None:
    keys = [f"user:{number}" for number in range(2000)]
    tier = CacheTier(keys=keys, scheme=scheme, vnodes=160)
    history = History(tier)
    history.apply(Join("D"))
    moved = len(history.state.last.moved)
    history.apply(ReadAll())
    assert history.state.last.misses == moved
    cold = moved / len(keys)
    assert cold == pytest.approx(3 / 4, abs=0.05) if scheme == "modulo" else cold < 0.33
    history.apply(ReadAll())
    assert history.state.last.misses == 0


def test_a_planned_leave_misses_nothing_and_a_crash_misses_what_the_node_held() -> None:
    for event, lost in ((Leave("B"), False), (Crash("B"), True)):
        history = History(CacheTier())
        held = len(history.state.cached()["B"])
        history.run([event, ReadAll()])
        assert history.state.last.misses == (held if lost else 0)


def test_with_two_copies_a_crash_misses_nothing() -> None:
    """Dynamo 4.3: the next node of the preference list has the key already."""
    for node in "ABC":
        history = History(CacheTier(copies=2, vnodes=8))
        history.run([Crash(node), ReadAll()])
        assert history.state.last.misses == 0
        assert history.state.last.hits == len(CITIES)


def test_a_join_point_by_point_ends_where_a_join_at_once_does() -> None:
    by_points, at_once = History(CacheTier(stepwise=8)), History(CacheTier(stepwise=0))
    by_points.apply(Join("D", 1.5, "r9"))
    places = by_points.run_until(CacheTier.milestones["every point is placed"], 20)
    assert places is not None
    assert places.depth == 1 + 6
    at_once.apply(Join("D", 1.5, "r9"))
    one, other = by_points.state, at_once.state
    assert (one.router, one.held, one.joined) == (other.router, other.held, other.joined)
    assert one.last.moved_so_far == len(other.last.moved) == other.last.moved_so_far
    assert (one.last.ideal, one.last.modulo) == (other.last.ideal, other.last.modulo)


def test_each_placed_point_takes_its_arc_and_keys_from_the_former_owner() -> None:
    """Dynamo 2007, 4.2."""
    tier = CacheTier()
    history = History(tier)
    history.apply(Join("D"))
    while history.state.joining:
        before = history.state
        after = history.apply(Place()).state
        assert isinstance(after.router, Ring)
        point = [point for point in after.points() if point not in before.points()]
        assert [(new.node, new.number) for new in point] == [("D", before.joining.placed)]
        for move in after.last.moves:
            assert move.taker == "D"
            assert move.end == point[0].position
        for key in before.keys:
            lies = any(move.holds(before.position(key)) for move in after.last.moves)
            assert (before.owner(key) != after.owner(key)) == lies
        assert {moved.key for moved in after.last.moved} == {
            key for key in before.keys if before.owner(key) != after.owner(key)
        }


def test_a_crash_in_the_middle_of_a_join() -> None:
    """Of another node: the join goes on. Of the joining one: it is over."""
    history = History(CacheTier())
    history.run([Join("D"), Place(), Crash("A")])
    assert history.state.joining is not None
    history.run_until(CacheTier.milestones["every point is placed"], 9)
    assert history.state.router.names == ("B", "C", "D")
    history.run([Join("E"), Place(), Place(), Crash("E")])
    assert history.state.joining is None
    assert history.state.router.names == ("B", "C", "D")


def test_what_a_picture_needs_agrees_with_itself() -> None:
    for scheme in ROUTERS:
        state = random_run(CacheTier(scheme=scheme), 3, 25).state
        loads = state.loads()
        assert sum(loads.values()) == len(state.keys)
        assert loads == {name: sum(state.owner(key) == name for key in state.keys) for name in state.router.names}
        assert set(state.turns()) == set(state.keys)
        assert all(0 <= turn < 1 for turn in state.turns().values())
        if isinstance(state.router, Ring):
            points = state.points()
            assert [point.position for point in points] == state.router.positions.tolist()
            assert [point.node for point in points] == [state.router.names[owner] for owner in state.router.owners]
            assert len({point[:2] for point in points}) == len(points)
            assert {arc.owner for arc in state.arcs()} <= set(loads)
            assert sum(state.shares().values()) == pytest.approx(1)
        else:
            assert state.points() == () == state.arcs()
            assert state.shares() == {}


# random runs


CONFIGURATIONS = [
    *(CacheTier(scheme=scheme) for scheme in sorted(ROUTERS)),
    CacheTier(copies=2, vnodes=3),
    CacheTier(copies=3, nodes=RACKS, vnodes=2),
    CacheTier(bits=5, vnodes=3, warm=False),
    CacheTier(vnodes=160, hash="md5", keys=[f"k{number}" for number in range(100)]),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("tier", CONFIGURATIONS, ids=lambda tier: f"{tier.scheme} {tier.params}")
def test_random_runs_keep_every_promise(tier: CacheTier, seed: int) -> None:
    """The seed is in the test's name: the same run again."""
    history = random_run(tier, seed, 60)
    allowed = {  # what a scheme does not promise
        "modulo": "a change moves only",
        "maglev": "a change moves only",
        "jump": ("routers agree", "a change moves only"),
    }.get(tier.scheme, "nothing")
    assert [broken for broken in broken_in(tier, history.path) if not broken.startswith(allowed)] == []
    for before, step in pairwise(history.path):
        assert all(tier.say(note) for note in step.notes)
        assert hash(step.state) == hash(msgspec.structs.replace(step.state))
        usual = tier.usual(before.state)
        assert usual is None or tier.why_not(before.state, usual) == ""
    replayed = History.replay(tier, history.code)
    assert replayed.state == history.state
    assert replayed.code == history.code


@pytest.mark.parametrize("tier", CONFIGURATIONS, ids=lambda tier: f"{tier.scheme} {tier.params}")
def test_what_cannot_happen_says_why_and_changes_nothing(tier: CacheTier) -> None:
    history = random_run(tier, 11, 30)
    refused = 0
    for step in history.path:
        for choice in tier.choices(step.state):
            assert choice.label
            if not choice.why_not:
                tier.apply(step.state, choice.event)
                continue
            refused += 1
            with pytest.raises(NotEnabled) as problem:
                tier.apply(step.state, choice.event)
            assert choice.why_not in str(problem.value)
    assert refused > 0


def test_every_rule_is_hit_somewhere() -> None:
    hit = set()
    for tier in CONFIGURATIONS:
        for seed in range(3):
            hit |= {note.rule for step in random_run(tier, seed, 60).steps for note in step.notes}
    racks = CacheTier(
        nodes=[["A", 1, "r"], ["B", 1, "r"], ["C", 1, "s"]], copies=3, vnodes=1, keys=["a", "b", "c", "d"]
    )
    for seed in range(5):
        hit |= {note.rule for step in random_run(racks, seed, 40).steps for note in step.notes}
    assert hit == set(RULES)


# every run of small tiers


@pytest.mark.parametrize("bits", [2, 3, 4])
@pytest.mark.parametrize("vnodes", [1, 2])
def test_every_run_of_a_small_tier_keeps_every_promise(bits: int, vnodes: int) -> None:
    """Two nodes and a third that comes, circles so small that points share positions."""
    tier = CacheTier(["A", "B"], ["k0", "k1", "k2"], bits=bits, vnodes=vnodes, pool=["C"], weights=[1, 2])
    seen = explore(tier)
    assert seen.complete
    assert seen.holds, str(seen)
    assert seen.states > 200


def test_every_run_with_copies_and_racks_keeps_every_promise() -> None:
    tier = CacheTier(RACKS, ["k0", "k1"], bits=3, vnodes=2, copies=2, pool=[], weights=[1])
    seen = explore(tier)
    assert seen.complete
    assert seen.holds, str(seen)


# planted bugs

SMALL = {"keys": ["k0", "k1", "k2"], "nodes": ["A", "B"], "bits": 3, "vnodes": 2, "pool": ["C"], "weights": [1]}
BUGS = [
    (NoWrapTier, {}, "a key's owner is the first point clockwise"),
    (StrictlyAfterTier, {}, "a key's owner is the first point clockwise"),
    (InsertionOrderTier, {}, "routers agree, whatever order they learned the nodes in"),
    (NamedByNumberTier, {}, "a change moves only keys to or from the changed node"),
    (PointsNotNodesTier, {"copies": 2, "vnodes": 3}, "copies are on distinct nodes"),
    (RacksForgottenTier, {"copies": 2, "nodes": RACKS}, "no rack has two copies while another has none"),
]


@pytest.mark.parametrize(("broken", "other", "promise"), BUGS, ids=lambda value: getattr(value, "__name__", None))
def test_a_tier_with_one_rule_changed_is_caught_by_the_search(broken, other, promise: str) -> None:
    found = explore(broken(**{**SMALL, **other})).counterexample
    assert found is not None
    assert found.property.name == promise
    assert len(found.history.path) <= 5, "the shortest run"
    right = CacheTier(**{**SMALL, **other})
    assert explore(right, max_states=5000).counterexample is None, "and the rule as it is holds in the same small world"


@pytest.mark.parametrize(("broken", "other", "promise"), BUGS, ids=lambda value: getattr(value, "__name__", None))
def test_a_tier_with_one_rule_changed_is_caught_by_random_runs(broken, other, promise: str) -> None:
    settings = {"bits": 6, **({"nodes": RACKS} if "nodes" in other else {}), "copies": other.get("copies", 1)}
    tiers = [(seed, broken(keys=CITIES[:20], **settings)) for seed in range(20)]
    assert any(promise in text for seed, tier in tiers for text in broken_in(tier, random_run(tier, seed, 40).path))


def test_modulo_is_caught_by_the_same_search() -> None:
    found = explore(CacheTier(["A", "B"], ["k0", "k1", "k2"], scheme="modulo", pool=["C"])).counterexample
    assert found is not None
    assert found.property.name == "a change moves only keys to or from the changed node"


# parameters and codes


def test_a_replay_code_of_many_keys_stays_short_and_asks_for_the_same_keys() -> None:
    keys = [f"zone/{number}" for number in range(600)]
    tier = CacheTier(keys=keys)
    history = History(tier)
    history.run([Join("D"), Place(), Place()])
    assert len(history.code) < 200
    assert History.replay(CacheTier(keys=keys), history.code).state == history.state
    with pytest.raises(ReplayError, match=r"600 keys, .* replay it on a machine that has them"):
        History.replay(CacheTier(keys=keys[1:]), history.code)


def test_parameters_are_json_and_build_the_same_machine() -> None:
    for tier in (CacheTier(), CacheTier(RACKS, ["a", "b"], vnodes=2, bits=8, copies=2, pool=["X"], warm=False)):
        params = msgspec.json.decode(msgspec.json.encode(tier.params))
        assert type(tier)(**params).start() == tier.start()
        assert tier.again(**params).params == tier.params
    assert CacheTier().params == {}


def test_a_key_nobody_listed_can_be_read_and_looked_up() -> None:
    history = History(CacheTier())
    history.apply(Read("Atlantis"))
    assert history.state.last.misses == 1
    assert "Atlantis" in history.state.keys
    history.apply(Read("Atlantis"))
    assert history.state.last.hits == 1
    history.apply(Look("El Dorado"))
    assert "El Dorado" not in history.state.keys


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"scheme": "md5"}, "scheme is 'md5'; it is one of ring"),
        ({"copies": 0}, "copies is 0"),
        ({"copies": 2, "scheme": "jump"}, "only the ring knows more"),
        ({"nodes": []}, "no nodes"),
        ({"nodes": ["A", "A"]}, "'A' is given twice"),
        ({"nodes": [["A", -1]]}, "weight is -1"),
        ({"vnodes": 0}, "vnodes is 0"),
        ({"hash": "sha0"}, "hash is 'sha0'"),
        ({"keys": 5}, "keys is 5; allowed are names"),
    ],
)
def test_a_tier_that_cannot_be_is_refused(params: dict, said: str) -> None:
    with pytest.raises(RouterError, match=said):
        CacheTier(**params)


@pytest.mark.parametrize(
    ("events", "event", "said"),
    [
        ([], Advance(), "no lookup is under way"),
        ([], Place(), "no node is joining"),
        ([], Join("A"), "A is a node already"),
        ([], Join(""), "name is ''"),
        ([], Join("D", 0.0), "weight is 0.0"),
        ([], Leave("Z"), "Z is no node"),
        ([], Reweight("Z", 2.0), "Z is no node"),
        ([], Reweight("A", 1.0), "A weighs 1 already"),
        ([], Reweight("A", -2.0), "weight is -2.0"),
        ([], Look("x", 4), "there are 3 nodes, too few for 4"),
        ([], Look("x", -1), "copies is -1"),
        ([Look("x")], Look("y"), "the lookup of x is not finished"),
        ([Look("x")], Join("D"), "the lookup of x is not finished"),
        ([Join("D")], Leave("A"), "D is still joining"),
        ([Join("D")], Join("E"), "D is still joining"),
        ([Crash("A"), Crash("B")], Crash("C"), "C is the last node"),
        ([], "read", "'read' is nothing that can happen in a cache tier"),
    ],
)
def test_an_event_that_cannot_happen_is_refused_with_the_reason(events: list[Event], event: Event, said: str) -> None:
    history = History(CacheTier())
    history.run(events)
    before = history.state
    with pytest.raises(NotEnabled, match=said):
        history.apply(event)
    assert history.state is before


def test_the_crowded_ring_of_a_hundred_nodes_steps_in_a_blink() -> None:
    """100 nodes x 100 points: a step's own work is far below what anybody notices; counted, not timed."""
    tier = CacheTier([f"n{number:02}" for number in range(100)], vnodes=100, keys=[f"k{n}" for n in range(600)])
    history = History(tier)
    history.run([Join("new"), ReadAll(), Look("k7"), Advance()])
    assert len(history.path) == 5
    assert history.state.last.node == history.state.owner("k7")
    assert len(history.state.points()) == 10_100
    assert np.unique([point.node for point in history.state.points()]).size == 101


def test_only_a_ring_makes_promises_about_a_circle_and_copies() -> None:
    named = {scheme: [rule.name for rule in CacheTier(scheme=scheme).always] for scheme in ("ring", "modulo")}
    assert set(named["ring"]) - set(named["modulo"]) == {
        "a key's owner is the first point clockwise",
        "copies are on distinct nodes",
        "no rack has two copies while another has none",
    }


def test_a_tier_left_alone_looks_each_featured_key_up_once_and_rests() -> None:
    tier = CacheTier()
    history = History(tier)
    while history.advance():
        assert history.step.depth < 100
    looked = [step.event.key for step in history.path if isinstance(step.event, Look)]
    assert looked == list(tier.featured)


@pytest.mark.parametrize("event", [Look(""), Read("")])
def test_a_key_that_is_empty_is_refused(event: Event) -> None:
    history = History(CacheTier())
    with pytest.raises(NotEnabled, match="the key is empty"):
        history.apply(event)
    assert len(history.steps) == 1


def test_what_is_lost_in_a_crash_was_dropped_by_nobody() -> None:
    history = History(CacheTier())
    assert [note.rule for note in history.apply(Crash("A")).notes] == ["crash", "ideal"]
