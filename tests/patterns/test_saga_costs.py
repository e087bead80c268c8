"""What a saga costs in messages and forced writes, beside what is counted by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from patterns.engine.script import Script
from patterns.engine.trace import sent, written
from patterns.saga import Move, SagaMachine, saga, step
from patterns.saga.definition import Saga
from patterns.saga.messages import Ack

Curve = Callable[[int], int]


def chain(steps: int) -> Saga:
    """A saga of so many steps in a row, each at a service of its own."""
    there, back = Move("left", "right", 1), Move("right", "left", 1)
    return saga(f"chain{steps}", *(step(f"T{n}", at=f"S{n}", do=there, undo=back) for n in range(1, steps + 1)))


def cost(style: str, steps: int, refused: bool) -> tuple[int, int, int]:
    """Messages, acknowledgements, and forced writes of one saga; if `refused`, its last step is refused."""
    machine = SagaMachine(sagas=(chain(steps),), style=style, refuse=(f"T{steps}",) if refused else ())
    branch = Script(machine).ask("A").finish().history.branch
    kinds = Counter(isinstance(packet.body, Ack) for each in branch for packet in sent(each))
    return kinds[False], kinds[True], sum(bool(written(each)) for each in branch)


@pytest.mark.parametrize(
    ("style", "refused", "messages", "writes"),
    [
        # A command and its answer for each step; a write of the service for each, and of the orchestrator one more.
        ("orchestrated", False, lambda n: 2 * n, lambda n: 2 * n + 1),
        # The last step is refused, and n - 1 steps are undone.
        ("orchestrated", True, lambda n: 4 * n - 2, lambda n: 4 * n - 1),
        # An event for each step. It is written where it is taken in, and again when it is acknowledged.
        ("choreographed", False, lambda n: n, lambda n: 2 * n + 1),
        # n - 1 events forward, the refusal to all others, and n - 2 events back.
        ("choreographed", True, lambda n: 3 * n - 4, lambda n: 6 * n - 7),
    ],
)
def test_messages_and_writes_are_those_counted_by_hand(
    style: str, refused: bool, messages: Curve, writes: Curve
) -> None:
    """Richardson 2018, 4.2: events go straight to the next service, not by way of an orchestrator."""
    for steps in range(2, 8):
        acks = 0 if style == "orchestrated" else messages(steps)
        assert cost(style, steps, refused) == (messages(steps), acks, writes(steps)), steps
