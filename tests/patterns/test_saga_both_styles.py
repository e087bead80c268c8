"""The two styles of one definition end alike: the same outcome, the same rows. And where they do not, and why.

`MP`: Richardson, "Microservices Patterns", 2018. Section 4.2 has the two styles.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from some_sagas import faults_of, saga_of_all_kinds

from patterns.engine.script import Script
from patterns.engine.world import World
from patterns.saga import Repair, SagaMachine
from patterns.saga.log import STUCK
from patterns.saga.machines import OPERATOR, ORCHESTRATED, STYLES
from patterns.saga.properties import all_ended, said
from patterns.saga.readings import instances, sums


class End(NamedTuple):
    told: list[str]
    """What the clients hear first."""
    last: list[str]
    """How the sagas end, once a human has repaired all that is stuck."""
    rows: dict[str, int]


def ends(sagas: list[Any], **options: Any) -> dict[str, End]:
    """How the same sagas end under the same faults, by style."""
    found = {}
    for style in STYLES:
        run = Script(SagaMachine(sagas=sagas, style=style, **options))
        for client in "AB"[: len(sagas)]:
            run.ask(client)
        told = [str(call.reply) for call in run.finish().world.calls]
        while not all_ended(run.world):
            run.ask(OPERATOR, Repair).finish()
        last = [f"{each.saga} {' '.join(said_at_last(run.world, each.saga))}" for each in instances(run.world)]
        found[style] = End(told, last, sums(run.world))
    return found


def said_at_last(world: World, saga: str) -> set[str]:
    return {*said(world, saga)} - {STUCK}


def test_the_two_styles_end_alike_whatever_the_saga_and_whatever_is_refused_or_fails() -> None:
    """Of parallel branches, one may be done in one style when the other is refused, and not yet in the other style. So
    only a sequence gets stuck alike."""
    heard = set()
    for seed in range(150):
        definition = saga_of_all_kinds(seed)
        found = ends([definition], **faults_of(seed, definition))
        one, other = found.values()
        assert one[1:] == other[1:], f"seed {seed}: {found}"
        if max(map(len, definition.generations)) == 1:
            assert one.told == other.told, f"seed {seed}: {found}"
            heard.update(one.told)
    assert heard == {"A1 completed", "A1 compensated", "A1 stuck"}


@pytest.mark.parametrize("tries", [1, 2, 3])
@pytest.mark.parametrize("lock", ["refuse", "wait"])
def test_in_either_style_two_pivots_behind_two_marks_come_to_an_end(lock: str, tries: int) -> None:
    """MP 4.3.2. Which saga turns back depends on times. That each ends, and that the rows fit, does not."""
    for told, _, rows in ends(["seat_first", "room_first"], lock=lock, tries=tries).values():
        completed = [each.endswith("completed") for each in told].count(True)
        assert all(each.endswith(("completed", "compensated")) for each in told), told
        assert (rows["airline.booked"], rows["lodging.taken"]) == (completed, completed)


def test_only_an_orchestrator_gives_up_on_a_service_that_is_down() -> None:
    """The difference: in a choreography no process waits for an answer. A saga whose service is down waits until the
    service is up. An orchestrator turns back, and calls a human when it cannot."""
    told = {}
    for style in STYLES:
        run = Script(SagaMachine(style=style)).crash("payment").ask("A").wait(20_000)
        before = [str(call.reply) for call in run.world.calls]
        run.restart("payment").finish()
        if style == ORCHESTRATED:
            run.ask(OPERATOR, Repair).finish()
        told[style] = (before, said_at_last(run.world, "A1"))
    assert told == {"orchestrated": (["A1 stuck"], {"compensated"}), "choreographed": (["None"], {"completed"})}
