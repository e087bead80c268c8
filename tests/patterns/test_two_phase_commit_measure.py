"""Messages and log records, counted in runs, are those published.

Mohan, Lindsay, Obermarck 1986 (`MLO`), Table I for commits, sections 2 to 4 for aborts; Bernstein, Hadzilacos, Goodman
1987 (`BHG`), section 7.5 for three-phase commit.
"""

from __future__ import annotations

from typing import Any

import pytest

from patterns.two_phase_commit import PROTOCOLS
from patterns.two_phase_commit.lesson.measure import (
    PUBLISHED,
    SCENARIOS,
    Cost,
    blocked_time,
    blocked_times,
    count,
    published_total,
)

WITH_READERS = {"presumed_abort": "read_only"}


@pytest.mark.parametrize(("protocol", "case", "role"), PUBLISHED)
def test_what_is_counted_is_what_is_published(protocol: str, case: Any, role: str) -> None:
    """For 1 to 5 participants, of whom none or one only reads; an abort needs two that write."""
    published = PUBLISHED[protocol, case, role]  # type: ignore[index]
    compared = 0
    for n in range(1, 6):
        for readers in (0, 1) if protocol in WITH_READERS else (0,):
            writers = n - readers
            if writers < (2 if case == "abort" or readers else 1):
                continue
            counted = count(WITH_READERS[protocol] if readers else protocol, case, n, readers)
            cost = counted.get(role)  # type: ignore[call-overload]
            if role == "coordinator":
                told_nothing = 1 if case == "abort" else 0  # a participant that voted no
                messages = published.to_each_writer * writers - told_nothing + published.to_each_reader * readers
            else:
                messages = published.to_each_writer
            if role == "reader" and not readers:
                assert cost is None
                continue
            assert cost == Cost(messages, published.records, published.forced), (n, readers)
            compared += 1
    assert compared >= 3


def test_a_transaction_that_only_reads_has_no_second_phase() -> None:
    """MLO, Table I: a message to each reader and its vote, and no record."""
    for n in range(1, 6):
        counted = count("read_only", "commit", n, n)
        assert counted == {"coordinator": Cost(n, 0, 0), "reader": Cost(1, 0, 0), "total": Cost(2 * n, 0, 0)}


@pytest.mark.parametrize("case", ["commit", "abort"])
def test_the_totals_of_what_is_published_are_those_counted(case: Any) -> None:
    """The strokes of the chart beside its bars: for every protocol of which the sources say all."""
    compared = 0
    for protocol in PROTOCOLS:
        for n, readers in ((2, 0), (4, 0), (4, 1)):
            if readers and protocol not in WITH_READERS.values():
                continue
            total = count(protocol, case, n, readers)["total"]
            messages, forced = published_total(protocol, case, n, readers)
            compared += messages is not None
            assert messages in (None, total.messages), (protocol, n, readers)
            assert forced in (None, total.forced), (protocol, n, readers)
    assert compared >= 6


def test_three_phases_take_five_messages_for_each_participant() -> None:
    """BHG 7.5. Two phases take four, and three where the decision is not acknowledged (BHG 7.4)."""
    for n in range(1, 6):
        assert count("three_phase", "commit", n)["total"].messages == 5 * n
        assert published_total("three_phase", "commit", n) == (5 * n, None)
        assert count("basic", "commit", n)["total"].messages == 4 * n
        assert count("presumed_commit", "commit", n)["total"].messages == 3 * n


def test_presumptions_save_what_is_presumed() -> None:
    """MLO 3 and 4: presumed abort makes aborts cheaper and commits no dearer; presumed commit makes commits cheaper."""
    by = {
        (protocol, case): count(protocol, case, 4)["total"]  # type: ignore[arg-type]
        for protocol in ("basic", "presumed_abort", "presumed_commit", "three_phase")
        for case in ("commit", "abort")
    }
    assert by["presumed_abort", "commit"] == by["basic", "commit"]
    for saved in range(3):
        assert by["presumed_abort", "abort"][saved] <= by["basic", "abort"][saved]
        assert by["presumed_abort", "abort"][saved] < by["presumed_commit", "abort"][saved]
    assert by["presumed_commit", "commit"].messages < by["basic", "commit"].messages
    assert by["presumed_commit", "commit"].forced < by["basic", "commit"].forced
    assert by["three_phase", "commit"].forced > by["basic", "commit"].forced


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("four_phase", "commit", 2), "protocol is 'four_phase'"),
        (("basic", "maybe", 2), "case is 'maybe'"),
        (("basic", "commit", 0), "n is 0"),
        (("basic", "abort", 1), "2 that write to abort"),
        (("basic", "commit", 3, 1), "readers is 1; allowed in basic is 0"),
        (("read_only", "commit", 2, 1), "none that write, or 2 and more"),
    ],
)
def test_what_cannot_be_counted_is_refused(arguments: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        count(*arguments)


def test_nothing_is_published_of_what_does_not_exist() -> None:
    with pytest.raises(ValueError, match="protocol is 'four_phase'"):
        published_total("four_phase", "commit", 3)


# Blocking


def test_when_nobody_knows_all_are_blocked_until_the_repair() -> None:
    """BHG 7.4: the time in doubt grows with the time to repair."""
    times = [blocked_time(repair) for repair in (100, 400, 800)]
    assert [each.resolved >= each.repair for each in times] == [True] * 3
    assert times[0].in_doubt < times[1].in_doubt < times[2].in_doubt
    assert times[2].in_doubt > 700


@pytest.mark.parametrize("scenario", SCENARIOS[1:])
def test_where_one_knows_or_with_three_phases_the_repair_does_not_matter(scenario: str) -> None:
    """BHG 7.4, cooperative termination; 7.5, nonblocking."""
    quick, late = blocked_time(400, scenario), blocked_time(1_000, scenario)
    assert quick.in_doubt == late.in_doubt < 400
    assert (quick.repair, late.repair) == (400, 1_000)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_doubt_that_is_measured_is_the_longest(scenario: str) -> None:
    """The last participant to learn the decision was in doubt since before the crash."""
    found = blocked_time(400, scenario)
    assert found.in_doubt >= found.resolved > 0


def test_the_charts_points_are_those_of_all_scenarios() -> None:
    points = blocked_times((0, 200))
    assert [point.scenario for point in points] == [scenario for scenario in SCENARIOS for _ in range(2)]
    with pytest.raises(ValueError, match="scenario is 'four phases'"):
        blocked_time(0, "four phases")
    with pytest.raises(ValueError, match="repair is -1;"):
        blocked_time(-1)
