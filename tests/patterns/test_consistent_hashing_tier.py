"""The cache tier: its story, every run of small ones, random runs of larger ones, its parameters and codes."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import msgspec
import pytest

from patterns.consistent_hashing.events import Advance, Crash, Event, Join, Leave, Look, Place, Read, ReadAll, Reweight
from patterns.consistent_hashing.lesson import MILESTONES
from patterns.consistent_hashing.others import ROUTERS
from patterns.consistent_hashing.ring import Ring
from patterns.consistent_hashing.rules import RULES
from patterns.consistent_hashing.tier import CITIES, CacheTier
from patterns.engine.counterexample import Watch
from patterns.engine.explore import explore
from patterns.engine.history import History, ReplayError
from patterns.engine.machine import NotEnabled
from patterns.engine.params import ParameterError
from patterns.engine.step import Step

EVERY_POINT_IS_PLACED = MILESTONES[CacheTier]["every point is placed"]
FOUND = MILESTONES[CacheTier]["the lookup has found its nodes"]
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
    """The invariants that do not hold over a run, each with its reason."""
    found = {}
    for invariant in machine.always:
        watch = Watch(machine, (invariant,))
        memories = watch.begin(path[0].state)
        for step in path:
            if step.parent is not None:
                memories = watch.follow(memories, step.parent.state, step.event, step.state, step.notes)
            if broken := watch.broken(memories, step.state):
                found.setdefault(invariant.name, f"{invariant.name}: {broken[1]}")
    return list(found.values())


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
    history.run_until(FOUND, 20)
    history.apply(Join("D"))
    history.run_until(EVERY_POINT_IS_PLACED, 20)
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
    places = by_points.run_until(EVERY_POINT_IS_PLACED, 20)
    assert places is not None
    assert places.depth == 1 + 6
    at_once.apply(Join("D", 1.5, "r9"))
    one, other = by_points.state, at_once.state
    assert (one.router, one.held, one.known) == (other.router, other.held, other.known)
    assert {*one.last.all_moved} == {*other.last.moved} == {*other.last.all_moved}
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
    assert [node.name for node in history.state.joining.before] == ["B", "C"], "the change began without A"
    history.run_until(EVERY_POINT_IS_PLACED, 9)
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
            assert [point.position for point in points] == state.router.positions
            assert [point.node for point in points] == state.router.owners
            assert len({point[:2] for point in points}) == len(points)
            assert {arc.owner for arc in state.arcs()} <= set(loads)
            assert sum(state.shares().values()) == pytest.approx(1)
        else:
            assert state.points() == () == state.arcs()
            assert state.shares() == {}


# random runs


CONFIGURATIONS = {
    **{scheme: CacheTier(scheme=scheme) for scheme in sorted(ROUTERS)},
    "two copies": CacheTier(copies=2, vnodes=3),
    "three copies in racks": CacheTier(copies=3, nodes=RACKS, vnodes=2),
    "a small circle": CacheTier(bits=5, vnodes=3, warm=False),
    "many points": CacheTier(vnodes=160, hash="fnv1a-mixed", keys=[f"k{number}" for number in range(100)]),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_random_runs_keep_every_promise(name: str, seed: int) -> None:
    """The seed is in the test's name: the same run again."""
    tier = CONFIGURATIONS[name]
    history = random_run(tier, seed, 60)
    allowed = {  # what a scheme does not promise
        "modulo": "keys move only",
        "maglev": "keys move only",
        "jump": ("routers agree", "keys move only"),
    }.get(name, "nothing")
    assert [broken for broken in broken_in(tier, history.path) if not broken.startswith(allowed)] == []
    for before, step in pairwise(history.path):
        assert all(tier.say(note) for note in step.notes)
        assert hash(step.state) == hash(msgspec.structs.replace(step.state))
        usual = tier.usual(before.state)
        assert usual is None or tier.why_not(before.state, usual) == ""
    replayed = History.replay(tier, history.code)
    assert replayed.state == history.state
    assert replayed.code == history.code


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_what_cannot_happen_says_why_and_changes_nothing(name: str) -> None:
    tier = CONFIGURATIONS[name]
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


# every run of small tiers


@pytest.mark.parametrize("bits", [2, 3, 4])
@pytest.mark.parametrize("vnodes", [1, 2])
def test_every_run_of_a_small_tier_keeps_every_promise(bits: int, vnodes: int) -> None:
    """Two nodes and a third that comes, circles so small that points share positions."""
    tier = CacheTier(nodes="AB", keys=["k0", "k1", "k2"], bits=bits, vnodes=vnodes, pool="C", weights=[1, 2])
    seen = explore(tier)
    assert seen.complete
    assert seen.holds, str(seen)
    assert seen.states > 200


def test_every_run_with_copies_and_racks_keeps_every_promise() -> None:
    tier = CacheTier(nodes=RACKS, keys=["k0", "k1"], bits=3, vnodes=2, copies=2, pool="", weights=[1])
    seen = explore(tier)
    assert seen.complete
    assert seen.holds, str(seen)


# parameters and codes


def test_a_replay_code_of_many_keys_stays_short_and_asks_for_the_same_keys() -> None:
    keys = [f"zone/{number}" for number in range(600)]
    tier = CacheTier(keys=keys)
    history = History(tier)
    history.run([Join("D"), Place(), Place()])
    assert len(history.code) < 200
    assert History.replay(CacheTier(keys=keys), history.code).state == history.state
    with pytest.raises(ReplayError, match=r"600 keys, .* needs a machine that has its keys"):
        History.replay(CacheTier(keys=keys[1:]), history.code)


OLD_CODE = "consistent_hashing:m9SyNC8_JbV48uSFjoyLigwnL3RiAlPOQJ7RkuzUyuJJCysWVi4rAytjXZacX5CZWsw8kRkA:c308ca1c"


def test_a_code_from_before_parameters_were_declared_is_still_replayed() -> None:
    history = History.replay(CacheTier(), OLD_CODE)
    assert [step.event for step in history.path[1:]] == [Look("x"), Advance(), Advance()]
    assert [(node.name, node.weight, node.rack) for node in history.state.router.nodes] == [
        ("A", 1.0, "r1"), ("B", 2.0, "r1"), ("C", 1.0, "r2"),
    ]  # fmt: skip
    assert (history.state.keys, history.state.copies) == (("x", "y"), 3)


def test_a_code_of_the_usual_tier_names_no_parameter() -> None:
    assert msgspec.to_builtins(CacheTier().params) == {}
    assert msgspec.to_builtins(CacheTier(vnodes=2).params) == {"vnodes": 2}
    many = CacheTier(keys=[f"zone/{number}" for number in range(600)])
    assert many.again(vnodes=2).keys == many.keys


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
        ({"scheme": "md5"}, "scheme is 'md5'; allowed is .*'ring'"),
        ({"copies": 0}, "copies is 0; allowed is a whole number, at least 1"),
        ({"copies": 2, "scheme": "jump"}, "copies is 2; .* only the ring keeps more"),
        ({"nodes": []}, "nodes is .*; allowed is at least one node"),
        ({"nodes": [["A", -1]]}, r"nodes\[0\] is \['A', -1\]"),
        ({"nodes": 3}, "nodes is 3; allowed is "),
        ({"vnodes": 0}, "vnodes is 0; allowed is 1 to 1000"),
        ({"hash": "sha0"}, "hash is 'sha0'"),
        ({"bits": 65}, "bits is 65; allowed is 0 to 64"),
        ({"keys": 5}, "keys is 5; allowed is "),
        ({"keys": "7 keys, 0123abcd"}, "keys is '7 keys, 0123abcd'; .* needs a machine that has its keys"),
        ({"nods": 3}, "CacheTier has no parameter 'nods'"),
    ],
)
def test_a_parameter_out_of_range_is_refused(params: dict, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        CacheTier(**params)


def test_a_tier_that_its_router_refuses_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="'A' is given twice"):
        CacheTier(nodes=["A", "A"])
    with pytest.raises(ValueError, match="bits is 40; it is from 1 to the 32 that ketama gives"):
        CacheTier(hash="ketama", bits=40)
    with pytest.raises(ValueError, match="jump knows no weights"):
        CacheTier(nodes=[["A", 2.0]], scheme="jump")


@pytest.mark.parametrize(
    ("events", "event", "said"),
    [
        ([], Advance(), "no lookup is under way"),
        ([], Place(), "no node is joining"),
        ([], Join("A"), "A is a node already"),
        ([], Join(""), "name is ''"),
        ([], Join("D", 0.0), "weight is 0.0"),
        ([], Leave("Z"), "Z is not a node"),
        ([], Reweight("Z", 2.0), "Z is not a node"),
        ([], Reweight("A", 1.0), "A weighs 1 already"),
        ([], Reweight("A", -2.0), "weight is -2.0"),
        ([], Look("x", 4), "copies is 4; allowed is 0 to 3"),
        ([], Look("x", -1), "copies is -1"),
        ([Look("x")], Look("y"), "the lookup of x is not finished"),
        ([Look("x")], Join("D"), "the lookup of x is not finished"),
        ([Join("D")], Leave("A"), "D is still joining"),
        ([Join("D")], Join("E"), "D is still joining"),
        ([Crash("A"), Crash("B")], Crash("C"), "C is the last node"),
        ([], "read", "'read' is not an event of CacheTier"),
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
    tier = CacheTier(nodes=[f"n{number:02}" for number in range(100)], vnodes=100, keys=[f"k{n}" for n in range(600)])
    history = History(tier)
    history.run([Join("new"), ReadAll(), Look("k7"), Advance()])
    assert len(history.path) == 5
    assert history.state.last.node == history.state.owner("k7")
    assert len(history.state.points()) == 10_100
    assert len({point.node for point in history.state.points()}) == 101


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
