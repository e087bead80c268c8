"""Whether a run can always still come to its end."""

from __future__ import annotations

from typing import Any

import pytest
from models.numbers import Count
from models.token import OneSender, Receiver, Token, TwoSenders, done

from patterns.engine.dead_ends import dead_end
from patterns.engine.process import on
from patterns.engine.world import Cut, Deliver, Drop


def test_an_end_that_is_always_reached_leaves_no_dead_end() -> None:
    assert dead_end(OneSender(budget={}), done) is None
    assert dead_end(TwoSenders(budget={"drop": 1}), done) is None, "the other token still comes"


def test_the_shortest_run_to_a_dead_end_is_found() -> None:
    """A message is lost that is never sent again. The run stands where no end can be reached any more."""
    stuck = dead_end(TwoSenders(budget={"drop": 2}), done)
    assert stuck is not None
    assert [type(step.event) for step in stuck.path[1:]] == [Drop, Drop]
    assert stuck.step is stuck.branch[-1]


def test_a_world_from_which_only_another_fault_leads_on_is_a_dead_end() -> None:
    """After the loss, R ends only if it crashes and restarts. No run may wait for a crash."""
    stuck = dead_end(OneSender(budget={"drop": 1, "crash": 1}), done)
    assert stuck is not None
    assert [step.event for step in stuck.path[1:]] == [Drop(0)]


def test_a_repair_leads_on_and_so_does_what_a_fault_had_already_taken() -> None:
    assert dead_end(OneSender(budget={"pause": 1}), done) is None, "R resumes"
    cut = dead_end(OneSender(budget={"cut": 1}), done)
    assert cut is not None, "the token is lost to the cut link"
    assert [type(step.event) for step in cut.path[1:]] == [Cut, Drop]


def test_where_nothing_ends_the_start_is_a_dead_end() -> None:
    stuck = dead_end(OneSender(budget={}), lambda world: False)
    assert stuck is not None
    assert stuck.step.depth == 0


class Failing(Receiver):
    @on(Token)
    def take(self, sender: str, token: Token) -> None:
        raise LookupError("no room")


class FailingReceiver(OneSender):
    def processes(self) -> Any:
        return (super().processes()[0], Failing("R"))


def test_a_search_that_is_cut_short_says_nothing_of_dead_ends() -> None:
    with pytest.raises(ValueError, match=r"the search was cut short by max_states = 1$"):
        dead_end(OneSender(budget={}), done, max_states=1)
    with pytest.raises(
        ValueError, match=r"cut short by .no handler fails. does not hold .* raises LookupError: no room"
    ):
        dead_end(FailingReceiver(budget={}), done)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"machine": OneSender()}, "budget is None; allowed is a budget of faults"),
        ({"machine": OneSender}, r"machine is <class .*>; allowed is a Simulation: write OneSender\(\)"),
        ({"machine": Count()}, "machine is .*; allowed is a Simulation"),
        ({"ended": None}, "ended is None; allowed is a function"),
        ({"max_states": -1}, "max_states is -1; allowed is a whole number, at least 1"),
        ({"max_states": None}, "max_states is None; allowed is a whole number"),
        ({"max_states": "x"}, "max_states is 'x'; allowed is a whole number"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments: dict[str, Any], said: str) -> None:
    """D16."""
    with pytest.raises(ValueError, match=said):
        dead_end(**{"machine": OneSender(budget={}), "ended": done, **arguments})


def test_a_token_that_comes_is_the_end() -> None:
    machine = OneSender(budget={})
    assert not done(machine.start())
    assert done(machine.apply(machine.start(), Deliver(0))[0])
