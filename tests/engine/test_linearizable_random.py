"""The checker against the definition, on histories nobody chose."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from models.append_list import Append, AppendList
from models.concurrent_clients import atomic_history, is_linearizable_by_definition, is_witness, with_one_read_corrupted
from msgspec.structs import replace

from patterns.engine.linearizable import (
    CompareAndSwap,
    CompareAndSwapRegister,
    Get,
    KeyValueStore,
    Model,
    Operation,
    Put,
    PutIf,
    Read,
    Write,
    check,
)
from patterns.engine.linearizable.search import search
from patterns.engine.linearizable.shrink import _Shrinker, _until_it_fails

few = st.integers(0, 2)
ASKED: dict[str, tuple[Model, st.SearchStrategy[Any]]] = {
    "register": (
        CompareAndSwapRegister(0),
        st.just(Read()) | st.builds(Write, few) | st.builds(CompareAndSwap, few, few),
    ),
    "store": (
        KeyValueStore(),
        st.builds(Get, st.sampled_from("xy"))
        | st.builds(Put, st.sampled_from("xy"), few)
        | st.builds(PutIf, st.sampled_from("xy"), few | st.none(), few),
    ),
    "list": (AppendList(), st.just(Read()) | st.builds(Append, few)),
}


def answers(asked: Any) -> st.SearchStrategy[Any]:
    match asked:
        case Read():
            return few
        case Get():
            return few | st.none()
        case CompareAndSwap() | PutIf():
            return st.booleans()
    return st.none()


@st.composite
def histories(draw: st.DrawFn, name: str) -> list[Operation]:
    """Up to six operations of as many clients: any intervals, any answers, some pending, some failed."""
    operations = []
    for number in range(draw(st.integers(1, 6))):
        asked = draw(ASKED[name][1])
        called, lasts = draw(st.integers(0, 6)), draw(st.integers(0, 4))
        outcome = draw(st.sampled_from(["returned"] * 6 + ["pending", "failed"]))
        answer = (
            answers(asked) if name != "list" or not isinstance(asked, Read) else st.lists(few, max_size=2).map(tuple)
        )
        operations.append(
            Operation(
                client=f"c{number}",
                input=asked,
                called=called,
                returned=None if outcome == "pending" else called + lasts,
                output=draw(answer) if outcome == "returned" else None,
                failed=outcome == "failed",
            )
        )
    return operations


@pytest.mark.parametrize("name", ASKED)
@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_the_checker_agrees_with_the_definition(name: str, data: st.DataObject) -> None:
    """Herlihy & Wing 1990, 2.3, all completions and permutations tried (Wing & Gong 1993 prune the same search)."""
    model = ASKED[name][0]
    history = data.draw(histories(name))
    verdict = check(history, model)
    assert bool(verdict) is is_linearizable_by_definition(history, model)
    if verdict:
        assert is_witness(verdict.order, history, model)
    else:
        assert verdict.counterexample is not None
        assert str(verdict)
        shown = verdict.counterexample
        if shown.since is None:
            assert not is_linearizable_by_definition(shown.operations, model), "what is shown fails by itself"
            for one in shown.operations:
                kept = [other for other in shown.operations if other is not one]
                unseen = not any(not other.precedes(one) and model.saw(other, one) for other in kept)
                assert not unseen or is_linearizable_by_definition(kept, model), f"{one} could be left out"


@pytest.mark.parametrize("name", ASKED)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_what_nobody_left_has_seen_may_be_left_out(name: str, data: st.DataObject) -> None:
    """The promise of `Model.saw`, on which counterexamples stand: taking it away does no harm to a good history."""
    model = ASKED[name][0]
    history = [one for one in data.draw(histories(name)) if not one.failed]
    for number, one in enumerate(history):
        kept = history[:number] + history[number + 1 :]
        if not any(not other.precedes(one) and model.saw(other, one) for other in kept) and check(history, model):
            assert check(kept, model)


@pytest.mark.parametrize("lost", [0.0, 0.02])
@pytest.mark.parametrize("values", [None, 5])
@pytest.mark.parametrize("seed", range(3))
def test_an_atomic_register_is_always_accepted(seed: int, values: int | None, lost: float) -> None:
    history = atomic_history(seed, 300, values=values, lost=lost, swaps=0.2 if values else 0.0)
    verdict = check(history, CompareAndSwapRegister())
    assert verdict, str(verdict)
    assert is_witness(verdict.order, history, CompareAndSwapRegister())


@pytest.mark.parametrize("seed", range(10))
def test_one_corrupted_read_of_a_thousand_operations_is_found_and_shown_in_a_few(seed: int) -> None:
    """All values differ, so an old value read late cannot be explained away unless the write overlapped the read."""
    model = CompareAndSwapRegister()
    history = with_one_read_corrupted(atomic_history(seed), seed)
    verdict = check(history, model)
    assert not verdict
    assert verdict.counterexample is not None
    shown = verdict.counterexample.operations
    assert len(shown) <= 5
    assert not is_linearizable_by_definition(shown, model)


@st.composite
def corrupted(draw: st.DrawFn) -> list[Operation]:
    """Seven operations of three clients of an atomic register, where one read may have had another answer."""
    history = list(atomic_history(draw(st.integers(0, 10**6)), 7, clients=3, values=3))
    reads = [number for number, one in enumerate(history) if isinstance(one.input, Read)]
    assume(reads)
    number = draw(st.sampled_from(reads))
    history[number] = replace(history[number], output=draw(few | st.none()))
    return history


@settings(max_examples=200, deadline=None)
@given(history=corrupted())
def test_a_corrupted_history_is_refused_exactly_when_the_definition_refuses_it(history: list[Operation]) -> None:
    model = CompareAndSwapRegister()
    assert bool(check(history, model)) is is_linearizable_by_definition(history, model)


@settings(max_examples=200, deadline=None)
@given(history=corrupted())
def test_where_the_past_is_summed_up_nothing_it_can_have_left_lets_the_rest_go_on(history: list[Operation]) -> None:
    """What it can have left: where a read, called after all that returned by then, can return it by definition."""
    model = CompareAndSwapRegister()
    outcome = search(history, model, [model.start])
    if outcome.end is not None:
        return
    beginning, failed = _until_it_fails(history, model, outcome)
    found = _Shrinker(model, beginning, failed).with_the_past_summed_up()
    assert found is not None
    for start in found.starts:
        assert not is_linearizable_by_definition(found.operations, CompareAndSwapRegister(start))
    if found.since is not None:
        assert all(one.pending or one.called > found.since for one in found.operations), "who overlaps it may be part"
        past = [one for one in beginning if one.called <= found.since]
        past = [one if (one.returned or 0) <= found.since else replace(one, returned=None, output=None) for one in past]
        last = Operation(client="last", input=Read(), called=found.since + 1, returned=found.since + 2)
        for state in found.starts:
            assert is_linearizable_by_definition([*past, replace(last, output=state)], model)
