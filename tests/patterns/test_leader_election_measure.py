"""How many messages elections take, counted and computed."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest

from patterns.engine.params import ParameterError
from patterns.leader_election import BullyElection, ChangRobertsElection, HirschbergSinclairElection
from patterns.leader_election.lesson.measure import MEASURED, cost, costs, harmonic, messages


@pytest.mark.parametrize("n", range(2, 7))
def test_over_all_orders_chang_roberts_takes_what_the_paper_says(n: int) -> None:
    """Chang and Roberts 1979: at least 2n - 1, at most n(n+1)/2, and on average exactly n times the nth harmonic."""
    counts = [messages(ChangRobertsElection(ids=(n, *rest)))["Candidacy"] for rest in permutations(range(1, n))]
    assert min(counts) == 2 * n - 1
    assert max(counts) == n * (n + 1) // 2
    assert Fraction(sum(counts), len(counts)) == n * sum(Fraction(1, k) for k in range(1, n + 1))


@pytest.mark.parametrize("n", [16, 64])
def test_rising_and_falling_orders_are_the_extremes_of_large_rings(n: int) -> None:
    up = tuple(range(1, n + 1))
    assert messages(ChangRobertsElection(ids=up))["Candidacy"] == 2 * n - 1
    assert messages(ChangRobertsElection(ids=up[::-1]))["Candidacy"] == n * (n + 1) // 2


def test_the_announcement_is_one_lap_more() -> None:
    assert messages(ChangRobertsElection(ids=(2, 1, 3)))["Elected"] == 3


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 8, 16, 32, 64])
def test_hirschberg_sinclair_stays_below_its_bound_and_above_the_least(n: int) -> None:
    """8n + 8 ceil(n log n): Hirschberg and Sinclair 1980, as Franklin cites it (CACM 25(5), 1982)."""
    found = cost("hirschberg_sinclair", n, trials=120 if n <= 6 else 10)
    least, bound = (curve(n) for curve in MEASURED["hirschberg_sinclair"].curves.values())
    assert least == found.best
    assert found.best <= found.average <= found.worst <= bound


def test_in_large_rings_hirschberg_sinclair_takes_fewer_than_chang_roberts_at_worst() -> None:
    """The point of going both ways; in small rings and on average it takes more."""
    assert cost("hirschberg_sinclair", 64, 5).worst < cost("chang_roberts", 64, 5).worst
    assert cost("hirschberg_sinclair", 8, 5).average > cost("chang_roberts", 8, 5).average


def test_the_bound_of_hirschberg_sinclair_is_below_the_worst_of_chang_roberts_from_127_processes_on() -> None:
    """The notebook says so."""
    bound = MEASURED["hirschberg_sinclair"].curves["bound: 8n + 8⌈n log₂ n⌉"]
    worst = MEASURED["chang_roberts"].curves["worst: n(n + 1)/2"]
    assert [n for n in range(2, 400) if bound(n) < worst(n)] == [*range(127, 400)]


@pytest.mark.parametrize("n", [2, 3, 5, 8, 16])
def test_the_bully_takes_what_is_computed(n: int) -> None:
    """CDKB 15.3: n - 2 announcements at best, O(n^2) messages when the lowest notices."""
    found = cost("bully", n)
    best, average, worst = (curve(n) for curve in MEASURED["bully"].curves.values())
    assert (found.best, found.worst) == (best, worst)
    assert found.average == pytest.approx(average)


def test_raft_takes_one_round_where_one_candidate_is_first() -> None:
    """Raft 5.2: a request and a vote for each other server; split votes take more."""
    for n in (3, 5, 7):
        found = cost("raft", n)
        assert found.best == MEASURED["raft"].curves["one candidate: 2(n - 1)"](n)
        assert found.worst > found.best


def test_costs_are_one_point_for_each_n() -> None:
    assert [point.n for point in costs("chang_roberts", (2, 4, 8), trials=3)] == [2, 4, 8]
    assert harmonic(4) == pytest.approx(25 / 12)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lease", 3), "algorithm is 'lease'; allowed is one of bully"),
        ((None, 3), "algorithm is None; allowed is one of bully"),
        (([], 3), r"algorithm is \[\]; allowed is one of bully"),
        (("bully", 1), "n is 1; allowed is a whole number, at least 2"),
        (("bully", "3"), "n is '3'; allowed is a whole number, at least 2"),
        (("bully", 3, 0), "trials is 0; allowed is a whole number, at least 1"),
    ],
)
def test_a_bad_argument_is_refused_by_name(arguments: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        cost(*arguments)


def test_a_run_that_does_not_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patterns.leader_election.lesson.measure.BOUND", 100)
    with pytest.raises(ValueError, match="BullyElection goes on after 100 steps"):
        messages(BullyElection(heartbeat=50))
    assert messages(HirschbergSinclairElection(ids=(1, 2)))["Elected"] == 2
