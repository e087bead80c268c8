"""A history is rebuilt from one line, and a text that is not a code is refused: tests on a lift."""

from __future__ import annotations

import string
import zlib
from base64 import urlsafe_b64encode
from time import process_time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models.lift import Board, Down, Escalator, Lift, Up, after

from patterns.engine.history import History, ReplayError
from patterns.engine.machine import Choice

# Replay codes


def test_a_replay_code_rebuilds_the_branch_the_parameters_and_the_place() -> None:
    history = after(Up(), Board("安"), Up(), Up(), Down(), machine=Lift(floors=6))
    history.back(2)
    again = History.replay(Lift(), history.code)
    assert again.machine.params == Lift.Params(floors=6)
    assert [step.state for step in again.branch] == [step.state for step in history.branch]
    assert again.step.depth == 3
    assert again.code == history.code


def test_a_code_of_another_branch_is_had_without_going_there() -> None:
    history = after(Up(), Up())
    leaf = history.step
    history.jump(0)
    history.apply(Board("Ann"))
    assert History.replay(Lift(), history.code_of(leaf)).state == leaf.state
    assert history.step.event == Board("Ann")


def test_a_long_run_of_usual_things_has_a_short_code() -> None:
    history = after(machine=Lift(floors=10_000))
    history.run_until(lambda step: step.state[0] == 9_999, 10_000)
    assert len(history.code) < 60
    assert History.replay(Lift(), history.code).state == (9_999, ())


def test_a_code_may_have_spaces_around_it() -> None:
    assert History.replay(Lift(), f"  {after(Up()).code}\n").state == (1, ())


def test_a_code_of_another_pattern_is_refused() -> None:
    with pytest.raises(ReplayError, match="this replay code is of 'lift'; it cannot be replayed in 'escalator'"):
        History.replay(Escalator(), after(Up()).code)


DAMAGED = after(Up(), Board("Ann"), Up(), Down()).code


@pytest.mark.parametrize("place", range(len(DAMAGED)))
def test_a_code_with_one_character_lost_is_refused(place: int) -> None:
    with pytest.raises(ReplayError, match="damaged"):
        History.replay(Lift(), DAMAGED[:place] + DAMAGED[place + 1 :])


@pytest.mark.parametrize("place", range(len(DAMAGED)))
def test_a_code_with_one_character_changed_is_refused(place: int) -> None:
    for character in set(string.printable) - {DAMAGED[place]}:
        damaged = DAMAGED[:place] + character + DAMAGED[place + 1 :]
        with pytest.raises(ReplayError):
            History.replay(Lift(), damaged)


def test_a_code_with_its_place_changed_is_of_the_same_run_still() -> None:
    history = after(Up(), Up(), Down())
    code = history.code
    assert [History.replay(Lift(), f"{code}@{depth}").branch[-1].state for depth in range(4)] == [(1, ())] * 4


@pytest.mark.parametrize("code", ["", ":", "@", "lift", "lift:", "lift::00000000", "lift:x", "你好", "lift:AAAA:1@2"])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(ReplayError, match="damaged"):
        History.replay(Lift(), code)


@given(code=st.text())
@settings(deadline=None)
def test_no_text_at_all_does_anything_but_be_refused(code: str) -> None:
    with pytest.raises(ReplayError):
        History.replay(Lift(), code)


@pytest.mark.parametrize("place", ["4", "99", "-1", "x", "1.5", "1@1"])
def test_a_place_that_the_run_does_not_have_is_refused(place: str) -> None:
    with pytest.raises(ReplayError):
        History.replay(Lift(), f"{after(Up(), Up(), Up()).code}@{place}")


def forged(*items: Any, params: Any = None) -> str:
    """A replay code of a lift with these items and a right check sum."""
    packed = zlib.compress(msgspec.msgpack.encode([params or {}, items]), 9, wbits=-15)
    body = f"lift:{urlsafe_b64encode(packed).decode().rstrip('=')}"
    return f"{body}:{zlib.crc32(body.encode()):08x}"


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ((10**9,), "the replay code names 1,000,000,000 steps; allowed is up to 100,000"),
        ((10**6,) * 9, "the replay code names 9,000,000 steps"),
        ((-5,), "cannot be replayed in this 'lift': Expected `int` >= 1"),
        ((0,), "cannot be replayed in this 'lift': Expected `int` >= 1"),
        (("x",), "cannot be replayed in this 'lift'"),
    ],
)
def test_a_forged_replay_code_is_refused_at_once(items: tuple[Any, ...], said: str) -> None:
    """D16."""
    assert History.replay(Lift(), forged(1, 1)).step.depth == 2
    with pytest.raises(ReplayError, match=said):
        History.replay(Lift(), forged(*items))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (forged(10**15), "names 1,000,000,000,000,000 steps"),
        (forged(*[1] * 200_000), "names 200,000 steps; allowed is up to 100,000"),
        (forged("x" * (60 << 20)), "has [0-9,]+ characters; allowed is up to 65,536"),
        (forged("x" * (40 << 20)), "unpacks to more than 1,048,576 bytes"),
    ],
    ids=["a count", "many counts", "a long code", "a short code of much"],
)
def test_a_replay_code_that_costs_much_is_refused_at_little_cost(code: str, said: str) -> None:
    """Each of these took seconds and gigabytes."""
    began = process_time()
    with pytest.raises(ReplayError, match=said):
        History.replay(Lift(), code)
    assert process_time() - began < 0.5


class Breaking(Lift):
    def apply(self, state: tuple[int, tuple[str, ...]], event: Up | Down | Board) -> Any:
        raise LookupError("the rope is gone")


def test_a_code_that_lets_a_handler_fail_is_refused_with_the_reason() -> None:
    with pytest.raises(ReplayError, match="cannot be replayed in this 'lift': the rope is gone"):
        History.replay(Breaking(), after(Up()).code)


@pytest.mark.parametrize(
    ("machine", "code", "said"),
    [
        (Lift, "", r"allowed is a Machine: write Lift\(\)"),
        (None, "", "machine is None; allowed is a Machine"),
        (Lift(), None, "code is None; allowed is a str"),
    ],
)
def test_replay_refuses_wrong_arguments_by_name(machine: Any, code: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        History.replay(machine, code)


class Cellar(Lift):
    """The same lift with floors below the ground: it can do what a Lift cannot."""

    def apply(self, state: tuple[int, tuple[str, ...]], event: Up | Down | Board) -> Any:
        return ((state[0] - 1, state[1]), ()) if isinstance(event, Down) else super().apply(state, event)


class Glass(Lift):
    """A lift whose parameters a Lift does not know."""

    class Params(Lift.Params, frozen=True):
        panes: int = 3

    params: Params


def test_a_code_with_events_that_cannot_happen_is_refused_with_the_reason() -> None:
    with pytest.raises(ReplayError, match="there is no floor -1"):
        History.replay(Lift(), after(Down(), machine=Cellar()).code)


def test_a_code_with_more_usual_steps_than_happen_is_refused_with_the_place() -> None:
    code = after(Up(), Up(), machine=Lift(floors=3)).code

    class Stuck(Lift):
        def choices(self, state: tuple[int, tuple[str, ...]]) -> tuple[Choice[Up | Down | Board], ...]:
            return super().choices(state) if state[0] == 0 else ()

    with pytest.raises(ReplayError, match="nothing is left to happen after step 1"):
        History.replay(Stuck(), code)


def test_a_code_with_parameters_that_the_pattern_does_not_have_is_refused() -> None:
    with pytest.raises(ReplayError, match="panes"):
        History.replay(Lift(), after(Up(), machine=Glass()).code)
