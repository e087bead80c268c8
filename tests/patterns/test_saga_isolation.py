"""Sagas have no isolation: what two of them do to each other, and what keeps them from it (MP 4.3).

`MP`: Richardson, "Microservices Patterns", 2018.
"""

from __future__ import annotations

import pytest

from patterns.engine.explore import explore
from patterns.engine.properties import Sometimes
from patterns.saga import ALWAYS
from patterns.saga.lesson import ANOMALIES, COUNTERMEASURES
from patterns.saga.lesson.gallery import shortest
from patterns.saga.properties import completes, no_dirty_reads, said
from patterns.saga.records import COMPLETED


@pytest.mark.parametrize("name", ANOMALIES)
def test_without_isolation_there_is_a_run_with_the_anomaly(name: str) -> None:
    """MP 4.3.1: lost updates, dirty reads."""
    history = shortest(name)
    assert history.step.depth == 0
    assert ANOMALIES[name].property.reason(None, history.branch[-1].state)
    assert not any(ANOMALIES[name].property.reason(None, step.state) for step in history.branch[:-1])


@pytest.mark.parametrize("name", COUNTERMEASURES)
def test_with_the_countermeasure_there_is_no_such_run(name: str) -> None:
    """MP 4.3.2: countermeasures for handling the lack of isolation."""
    found = COUNTERMEASURES[name].search()
    assert found.complete
    assert found.holds, found
    assert found.states > 30


@pytest.mark.parametrize("name", [name for name in COUNTERMEASURES if COUNTERMEASURES[name].against == "lost update"])
def test_and_sagas_still_get_somewhere(name: str) -> None:
    found = explore(COUNTERMEASURES[name].machine, (completes,), max_states=100_000)
    assert found.holds, found


@pytest.mark.parametrize("name", [name for name in COUNTERMEASURES if COUNTERMEASURES[name].against == "dirty read"])
def test_and_credit_that_is_free_for_good_is_used(name: str) -> None:
    """Where the delivery can be called back, both sagas complete in some run, and no dirty read is in any."""
    machine = COUNTERMEASURES[name].machine
    willing = machine.again(refuse=[])
    both = Sometimes("both complete", lambda world: all(COMPLETED in said(world, saga) for saga in ("A1", "B1")))
    found = explore(willing, (*ALWAYS, no_dirty_reads, both), max_states=100_000)
    assert found.complete
    assert found.holds, found


def test_every_anomaly_has_a_countermeasure() -> None:
    assert {each.against for each in COUNTERMEASURES.values()} == set(ANOMALIES)
