"""Elections on a ring, sentence by sentence.

`CR`: Chang and Roberts, CACM 22(5), 1979. `HS`: Hirschberg and Sinclair, CACM 23(11), 1980.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from typing import Any

import pytest
from models.chang_roberts import ChangRoberts as Published

from patterns.engine.explore import explore
from patterns.engine.params import ParameterError
from patterns.engine.planted import with_parts
from patterns.engine.world import Deliver, World
from patterns.leader_election import (
    ChangRoberts,
    ChangRobertsElection,
    HirschbergSinclair,
    HirschbergSinclairElection,
    agreed_leader,
    leaders,
)
from patterns.leader_election.lesson import GALLERY
from patterns.leader_election.ring import CLOCKWISE, COUNTERCLOCKWISE, Candidacy, Elected, From, Reply


def cr(uid: int = 5, **fields: Any) -> ChangRoberts:
    return ChangRoberts(id=f"P{uid}", uid=uid, right="R", left="L", **{"begun": True, "role": "candidate", **fields})


def hs(uid: int = 5, **fields: Any) -> HirschbergSinclair:
    given = {"begun": True, "role": "candidate", **fields}
    return HirschbergSinclair(id=f"P{uid}", uid=uid, right="R", left="L", **given)


# Chang and Roberts


def test_a_process_that_begins_sends_its_id_to_its_neighbour() -> None:
    after, effects = cr(begun=False, role="follower").after_timer("begin")
    assert effects.sends == [("R", Candidacy(5))]
    assert after.role == "candidate"


def test_a_higher_id_is_passed_on_and_ends_the_candidacy() -> None:
    after, effects = cr().after_message("L", Candidacy(7))
    assert effects.sends == [("R", Candidacy(7))]
    assert after.role == "follower"


@pytest.mark.parametrize("role", ["candidate", "follower", "leader"])
def test_a_process_swallows_a_lower_id_even_if_it_has_lost_or_won(role: str) -> None:
    before = cr(role=role)
    after, effects = before.after_message("L", Candidacy(3))
    assert not effects.sends
    assert after == before


def test_the_own_id_back_is_the_victory() -> None:
    after, effects = cr().after_message("L", Candidacy(5))
    assert (after.role, after.leader) == ("leader", "P5")
    assert effects.sends == [("R", Elected("P5"))]


def test_a_process_that_does_not_stand_passes_every_id_on() -> None:
    relay = cr(initiator=False, role="follower")
    for uid in (3, 7):
        after, effects = relay.after_message("L", Candidacy(uid))
        assert effects.sends == [("R", Candidacy(uid))]
        assert after == relay


def test_a_message_wakes_a_process_that_has_not_begun() -> None:
    after, effects = cr(begun=False, role="follower").after_message("L", Candidacy(3))
    assert effects.sends == [("R", Candidacy(5))]
    assert effects.timers["begin"] is None
    assert after.begun


def test_the_announcement_goes_round_once() -> None:
    after, effects = cr(role="follower").after_message("L", Elected("P9"))
    assert after.leader == "P9"
    assert effects.sends == [("R", Elected("P9"))]
    assert not after.after_message("L", Elected("P9"))[1].sends
    winner = cr(role="leader", leader="P5")
    assert not winner.after_message("L", Elected("P5"))[1].sends


# Hirschberg and Sinclair


def test_a_candidate_asks_both_ways() -> None:
    """HS, sendboth."""
    _, effects = hs(begun=False, role="follower").after_timer("begin")
    assert effects.sends == [("R", From(5, 0, 1, CLOCKWISE)), ("L", From(5, 0, 1, COUNTERCLOCKWISE))]


def test_a_lower_id_gets_a_no() -> None:
    """HS: value < myvalue: sendecho no."""
    before = hs()
    after, effects = before.after_message("L", From(3, 0, 4, CLOCKWISE))
    assert effects.sends == [("L", Reply(3, False, COUNTERCLOCKWISE))]
    assert after == before


def test_a_higher_id_goes_on_until_it_has_come_far_enough() -> None:
    """HS: value > myvalue: status lost; num + 1 < maxnum: sendpass, else sendecho ok."""
    after, effects = hs().after_message("R", From(7, 2, 4, COUNTERCLOCKWISE))
    assert effects.sends == [("L", From(7, 3, 4, COUNTERCLOCKWISE))]
    assert after.role == "follower"
    _, effects = hs().after_message("R", From(7, 3, 4, COUNTERCLOCKWISE))
    assert effects.sends == [("R", Reply(7, True, CLOCKWISE))]


def test_replies_to_others_are_passed_on() -> None:
    _, effects = hs().after_message("L", Reply(7, True, CLOCKWISE))
    assert effects.sends == [("R", Reply(7, True, CLOCKWISE))]


def test_with_ok_from_both_sides_it_asks_twice_as_far() -> None:
    half, effects = hs(maxnum=4).after_message("L", Reply(5, True, CLOCKWISE))
    assert not effects.sends
    after, effects = half.after_message("R", Reply(5, True, COUNTERCLOCKWISE))
    assert after.maxnum == 8
    assert effects.sends == [("R", From(5, 0, 8, CLOCKWISE)), ("L", From(5, 0, 8, COUNTERCLOCKWISE))]


def test_the_same_reply_twice_counts_once() -> None:
    half, _ = hs(maxnum=4).after_message("L", Reply(5, True, CLOCKWISE))
    after, effects = half.after_message("L", Reply(5, True, CLOCKWISE))
    assert (after, effects.sends) == (half, [])


def test_a_no_from_either_side_ends_the_candidacy() -> None:
    half, _ = hs().after_message("L", Reply(5, True, CLOCKWISE))
    after, effects = half.after_message("R", Reply(5, False, COUNTERCLOCKWISE))
    assert not effects.sends
    assert after.role == "follower"
    assert not after.after_message("R", Reply(5, True, COUNTERCLOCKWISE))[1].sends


def test_the_own_id_round_the_ring_is_the_victory_and_counts_once() -> None:
    """HS: value = myvalue: status won. The copy that went the other way round comes, too."""
    won, effects = hs().after_message("L", From(5, 2, 4, CLOCKWISE))
    assert won.role == "leader"
    assert effects.sends == [("R", Elected("P5"))]
    after, effects = won.after_message("R", From(5, 2, 4, COUNTERCLOCKWISE))
    assert after == won
    assert not effects.sends


# Both


@pytest.mark.parametrize("machine", [ChangRobertsElection, HirschbergSinclairElection])
@pytest.mark.parametrize("ids", [(1,), (1, 2), (2, 3, 1), (3, 1, 5, 2, 4)], ids=str)
def test_the_highest_is_elected_on_rings_of_any_size(machine: Any, ids: tuple[int, ...]) -> None:
    elections = machine(ids=ids)
    world = elections.start()
    while (event := elections.usual(world)) is not None:
        world, _ = elections.apply(world, event)
    assert agreed_leader(world) == f"P{max(ids)}"


def test_the_highest_id_that_stands_wins() -> None:
    elections = ChangRobertsElection(ids=(3, 1, 5, 2, 4), initiators=(1, 2))
    world = elections.start()
    while (event := elections.usual(world)) is not None:
        world, _ = elections.apply(world, event)
    assert agreed_leader(world) == "P2"


def test_equal_ids_make_two_leaders() -> None:
    """CR and HS assume distinct ids. In the end each of the two follows the other."""
    steps = GALLERY["Chang-Roberts: equal ids elect two leaders"]().branch
    assert ["P3", "P3'"] in [[leader.id for leader in leaders(step.state)] for step in steps]
    assert [steps[-1].state[name].leader for name in ("P3", "P3'")] == ["P3'", "P3"]


def test_a_lost_message_leaves_the_ring_without_a_leader() -> None:
    """Neither assumes that a message may be lost, and neither sends one again."""
    end = GALLERY["Chang-Roberts: a lost message leaves no leader"]().branch[-1].state
    assert not leaders(end)
    assert not end.packets
    assert not end.timers


@pytest.mark.parametrize("n", [3, 4])
def test_in_every_run_of_every_ring_chang_roberts_elects_the_highest(n: int) -> None:
    for ids in permutations(range(1, n)):
        found = explore(ChangRobertsElection(ids=(n, *ids), budget={}))
        assert found.complete, ids
        assert found.holds, ids


def test_in_every_run_of_three_hirschberg_sinclair_elects_the_highest() -> None:
    """One ring is enough: the other order of three is its mirror image, and the algorithm goes both ways."""
    found = explore(HirschbergSinclairElection(ids=(1, 2, 3), budget={}))
    assert found.complete
    assert found.holds


CHOICES = tuple(product((False, True), repeat=3))
"""Who of three initiates."""


class AsPublished(ChangRoberts):
    """The specification's variant: a process that has lost passes on lower ids too, and the winner tells nobody."""

    def passes_on(self, uid: int) -> bool:
        return uid > self.uid or self.role == "follower"

    def announce(self) -> None:
        pass


class AsPublishedElection(with_parts(ChangRobertsElection, process=AsPublished)):  # type: ignore[misc]
    """In the specification a message waits for a node until the node has begun. There may be no initiator."""

    class Params(ChangRobertsElection.Params, frozen=True):
        def __post_init__(self) -> None:
            """Allows `initiators=()`."""

    def enabled(self, world: World, group: str = "") -> Iterator[Any]:
        for event in super().enabled(world, group):
            packet = world.packet(event.id) if isinstance(event, Deliver) else None
            if packet is None or world[packet.to].begun:
                yield event


def test_the_state_count_agrees_with_the_published_specification() -> None:
    """github.com/tlaplus/Examples, specifications/chang_roberts: TLC finds 137 distinct states at depth 10 for three
    nodes, over all choices of initiators.

    These are the very processes of this module, run as the specification has them: with its three differences above,
    and its ids mirrored, for there the smallest wins.
    """
    ids = (3, 2, 1)
    subsets = [[uid for uid, stands in zip(ids, flags, strict=True) if stands] for flags in CHOICES]
    found = explore([AsPublishedElection(ids=ids, initiators=subset, budget={}) for subset in subsets], ())
    published = explore([Published(initiators=flags) for flags in CHOICES])
    assert (published.states, published.depth) == (137, 10)
    assert (found.states, found.depth) == (137, 10)
    assert found.generated == published.generated


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ids": ()}, r"ids is \(\); allowed is 1 to 512 ids"),
        ({"ids": (1, 0)}, r"ids\[1\] is 0"),
        ({"ids": (1, float("nan"))}, r"ids\[1\] is nan"),
        ({"ids": (1, 2), "initiators": (3,)}, r"initiators is \(3,\); allowed is None, or one or more of the ids"),
        ({"initiators": ()}, r"initiators is \(\); allowed is None, or one or more of the ids"),
    ],
)
def test_a_bad_argument_is_refused_by_name(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        ChangRobertsElection(**options)
