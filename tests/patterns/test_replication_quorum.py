"""Quorums: the promises of overlap and their limits, repair, hints, and the table of verdicts."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.engine.clients import Done, Unknown
from patterns.engine.explore import explore
from patterns.engine.linearizable import Operation, Read, Register, Write, check
from patterns.engine.milestones import find, fired
from patterns.engine.params import ParameterError
from patterns.replication.client import one_copy
from patterns.replication.lesson import BUGS, GALLERY, measure
from patterns.replication.lesson.broken import READERS, CountsHalf
from patterns.replication.lesson.gallery import seen_then_not
from patterns.replication.machines import Quorum
from patterns.replication.quorum import Keeper, Version
from widgets.chapters.replication import charts


def keeper(n: int, kind: type[Keeper] = Keeper) -> Keeper:
    names = ("Ann", "Ben", "Cem", "Dan", "Eve")[:n]
    return kind(
        id="Ann",
        peers=names[1:],
        replicas=names,
        spares=(),
        read=0,
        write=0,
        repair="none",
        ask_first=False,
        patience=9,
    )


@pytest.mark.parametrize("n", range(1, 6))
def test_any_two_majorities_meet(n: int) -> None:
    """Gifford 1979: floor(n/2) + 1; rounding n/2 up is wrong for an even n (xline-kv/Xline#635)."""
    assert 2 * keeper(n).majority() > n
    assert (2 * keeper(n, CountsHalf).majority() > n) == (n % 2 == 1)


def test_the_highest_version_counts_and_not_the_most_frequent() -> None:
    """Dynamo 4.5."""
    old, new = Version(1, "Ann", "milk"), Version(2, "Ann", "tea")
    assert keeper(3).newest({"Ann": old, "Ben": old, "Cem": new}) == new


def test_versions_of_two_writers_have_one_order_everywhere() -> None:
    """The replica's name breaks ties (ai-memory#344: each peer its own winner)."""
    assert max(Version(1, "Ann", "x"), Version(1, "Ben", "a")) == Version(1, "Ben", "a")


def test_a_replica_keeps_the_newer_version_whatever_comes_first() -> None:
    """Dynamo 4.5: an older version never replaces a newer one."""
    from patterns.replication.quorum import Store

    old, new = Version(1, "Ann", "milk"), Version(2, "Ann", "tea")
    for order in ((old, new), (new, old), (new, new)):
        replica = keeper(3)
        for version in order:
            replica, effects = replica.after_message("Ben", Store("X1", version))
            assert effects.sends
        assert replica.version == new


# R + W > N, and yet (ABD 1995, section 3)

TABLE = {
    (w, r, repair): expected
    for (w, r), by in {
        (1, 1): "no no", (1, 2): "no no", (1, 3): "yes yes",
        (2, 1): "no no", (2, 2): "no yes", (2, 3): "yes yes",
        (3, 1): "no yes", (3, 2): "no yes", (3, 3): "yes yes",
    }.items()
    for repair, expected in zip(("none", "first"), by.split(), strict=True)
}  # fmt: skip
"""N = 3, one writer, two readers that read one after the other: whether all runs are linearizable."""


@pytest.mark.parametrize(("w", "r", "repair"), [key for key in TABLE if key[0] + key[1] != 5 or key[2] == "none"])
def test_whether_a_pair_of_quorums_is_linearizable(w: int, r: int, repair: Any) -> None:
    """Stale where R + W <= 3; a value seen and then not at W2R2, W3R2, and even W3R1; none at R = 3, and none anywhere
    in the overlap once a read writes back."""
    found = explore(Quorum(**READERS, w=w, r=r, repair=repair), [one_copy], max_states=20_000)
    assert found.counterexample is not None or found.complete
    assert (found.counterexample is None) == (TABLE[w, r, repair] == "yes"), found


def test_the_shortest_run_in_which_a_value_is_seen_and_then_not_has_seven_steps() -> None:
    """Eight events in a model where the client itself asks; here a coordinator's own answer costs no step."""
    broken = BUGS["a read does not write back"].found().counterexample
    assert len(broken.history.path) - 1 == 7
    assert "tea" in broken.reason


def test_two_reads_go_back_in_time_and_the_checker_says_so() -> None:
    history = seen_then_not()
    assert history.branch[-1].state.call("Y").reply.value == "tea"
    assert history.branch[-1].state.call("Z").reply.value is None
    again = seen_then_not("first")
    assert again.branch[-1].state.call("Z").reply.value == "tea"


def test_several_writers_need_to_ask_first() -> None:
    """A writer that does not ask gives a number that another writer has passed: its write is done, and lost."""
    two: dict[str, Any] = {**READERS, "clients": {"X": ("milk", "eggs"), "Z": ("tea", "read")}}
    machine = Quorum(**{**two, "ask": {"X": ("Ann",), "Z": ("Ben",)}})
    found = explore(machine, [one_copy], max_states=20_000).counterexample
    assert found is not None
    assert "tea" in found.reason


# A failed write is unknown


def test_a_time_out_leaves_the_outcome_unknown_and_a_later_read_may_see_it() -> None:
    """Dynamo 4.5; rethinkdb/docs#846."""
    history = GALLERY["Time is up, the outcome is unknown, and a later read sees it"]()
    step = find(history, fired("Q.unknown"))
    assert step is not None
    assert step.state.call("X").reply == Unknown(1)
    assert history.branch[-1].state.call("Y").reply.value == "tea"


def test_the_checker_leaves_a_time_out_open() -> None:
    """A pending write may have happened, or not."""
    write = Operation(client="X", input=Write(value="tea"), called=0)
    for value in ("tea", None):
        assert check([write, Operation(client="Y", input=Read(), called=1, returned=2, output=value)], Register())
    done = Operation(client="X", input=Write(value="tea"), called=0, returned=1)
    assert not check([done, Operation(client="Y", input=Read(), called=2, returned=3)], Register())


# Sloppy quorums and hints (Dynamo 4.6)


def test_a_sloppy_quorum_is_full_and_does_not_meet_the_read() -> None:
    history = GALLERY["A stand-in keeps a hint for a silent phone"]()
    step = find(history, fired("Q.answer", client="Y"))
    assert step is not None
    assert step.state.call("X").reply == Done(1, "tea")
    assert step.state.call("Y").reply == Done(1, None)
    assert step.state["Dan"].hints["Ben"].value == "tea"


def test_a_hint_goes_home_with_its_own_version_and_is_dropped() -> None:
    end = GALLERY["A stand-in keeps a hint for a silent phone"]().branch[-1].state
    assert end["Ben"].version == end["Ann"].version
    assert not end["Dan"].hints


def test_read_repair_brings_the_replica_up_to_date_with_the_version_as_it_was_written() -> None:
    """Dynamo 5."""
    end = GALLERY["A read repairs a phone that missed the write"]().branch[-1].state
    assert end["Cem"].version == end["Ann"].version == Version(1, "Ann", "tea")


# Staleness


@pytest.mark.parametrize(
    ("r", "w", "versions", "chance"),
    [(1, 1, 1, 0.333), (1, 1, 2, 0.556), (1, 1, 3, 0.704), (1, 1, 5, 0.868), (1, 2, 1, 0.667), (1, 2, 2, 0.889),
     (1, 2, 5, 0.996), (2, 1, 1, 0.667), (2, 2, 1, 1.0), (1, 3, 1, 1.0)],
)  # fmt: skip
def test_the_closed_form_gives_the_published_chances(r: int, w: int, versions: int, chance: float) -> None:
    """Bailis et al. 2012, 3.1, for N = 3."""
    assert charts.fresh(3, r, w, versions) == pytest.approx(chance, abs=5e-4)


@pytest.mark.parametrize(("r", "w"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_the_simulation_agrees_with_the_closed_form(r: int, w: int) -> None:
    chance, draws = charts.fresh(3, r, w), 20_000
    sigma = (chance * (1 - chance) / draws) ** 0.5
    assert abs(charts.drawn_fresh(3, r, w, draws) - chance) <= 3 * sigma


def test_the_wars_model_gives_the_published_figures_for_ssds() -> None:
    """Bailis et al. 2012, Table 4, LNKD-SSD, R = W = 1: 97.4 % at once, 99.9 % after 1.85 ms."""
    at_once, early, late = charts.wars([0, 0.8 * 1.85, 1.2 * 1.85], 1, 1)
    assert at_once == pytest.approx(0.974, abs=0.02)
    assert early < 0.999 <= late


# What each way costs and loses


def test_only_ways_that_wait_lose_nothing() -> None:
    found = {name: measure.outcome(machine) for name, machine in measure.WAYS.items()}
    assert found["asynchronous"][0] == 0
    gone = {name for name, (_, _, lost) in found.items() if lost}
    assert gone == {"asynchronous", "semi-synchronous"}
    assert found["semi-synchronous"][0] < found["synchronous"][0]


@pytest.mark.parametrize("name", ["primary, asynchronous", "chain, a tail suspected wrongly", "last write wins"])
def test_each_no_of_the_table_has_its_shortest_history_and_the_weaker_levels_that_a_run_breaks(name: str) -> None:
    """Each client asks a second time. A read may then miss what the same client wrote or read before."""
    states, history, weaker = measure.verdict(measure.CONFIGURATIONS[name])
    assert states > 1
    assert "cannot be placed" in history
    assert weaker == ["sequential", "causal", "monotonic reads", "read your writes"]


def test_without_write_back_a_client_reads_its_own_write_and_may_read_backwards() -> None:
    """Each client asks one phone, which has what it wrote; the second phone of a later quorum may be an older one."""
    _, _, weaker = measure.verdict(measure.CONFIGURATIONS["quorum, W = 2, R = 2, no write-back"])
    assert weaker == ["sequential", "causal", "monotonic reads"]


def test_a_linearizable_configuration_breaks_no_weaker_level() -> None:
    assert measure.verdict(measure.CONFIGURATIONS["chain, crashes noticed rightly"])[1:] == ("", [])


@pytest.mark.parametrize(
    ("given", "said"),
    [({"r": 4}, "r"), ({"w": 4}, "w"), ({"n": 5, "spares": 1}, "spares"), ({"repair": "never"}, "repair")],
)
def test_a_quorum_that_cannot_be_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=rf"^{said} is "):
        Quorum(**given)
