"""What sagas do to one another, and what keeps them from it.

`MP`: Richardson, "Microservices Patterns", 2018.
"""

from __future__ import annotations

import pytest

from patterns.engine.explore import explore
from patterns.engine.properties import Sometimes
from patterns.saga import ALWAYS
from patterns.saga.lesson.broken import COUNTERMEASURES
from patterns.saga.log import COMPLETED
from patterns.saga.properties import completes, no_dirty_reads, no_lost_updates, said


@pytest.mark.parametrize("name", COUNTERMEASURES)
def test_a_countermeasure_keeps_its_anomaly_out_of_every_run(name: str) -> None:
    """MP 4.3.2: countermeasures for handling the lack of isolation."""
    measure = COUNTERMEASURES[name]
    without, with_it = measure.found(), measure.clean()
    assert without.counterexample
    assert without.counterexample.property.name == measure.breaks.name
    assert with_it.complete
    assert with_it.holds, with_it
    assert with_it.states > 30


@pytest.mark.parametrize("name", [name for name, each in COUNTERMEASURES.items() if each.breaks is no_lost_updates])
def test_with_a_countermeasure_against_lost_updates_sagas_still_complete(name: str) -> None:
    found = explore(COUNTERMEASURES[name].search.machine, (completes,), max_states=100_000)
    assert found.holds, found


@pytest.mark.parametrize("name", [name for name, each in COUNTERMEASURES.items() if each.breaks is no_dirty_reads])
def test_credit_that_is_free_for_good_is_used(name: str) -> None:
    """Where the delivery can be called back, both sagas complete in some run, and no dirty read is in any."""
    willing = COUNTERMEASURES[name].search.machine.again(refuse=[])
    both = Sometimes("both complete", lambda world: all(COMPLETED in said(world, saga) for saga in ("A1", "B1")))
    found = explore(willing, (*ALWAYS, no_dirty_reads, both), max_states=100_000)
    assert found.complete
    assert found.holds, found
