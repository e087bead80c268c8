"""Concurrent histories to judge: from a register that truly is atomic, corrupted ones, and a checker by definition."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from random import Random
from typing import Any

from msgspec.structs import replace

from patterns.engine.linearizable import (
    CompareAndSwap,
    CompareAndSwapRegister,
    Model,
    Operation,
    Read,
    Recorder,
    Write,
)


def atomic_history(
    seed: int,
    operations: int = 1000,
    clients: int = 5,
    values: int | None = None,
    lost: float = 0.0,
    swaps: float = 0.0,
) -> tuple[Operation, ...]:
    """What clients see of a register whose operations take effect at one instant between call and return.

    At every tick a random client calls, has its operation take effect, or returns. Values are all different, or are
    drawn from so many; a share `lost` of the operations is never answered, half of them having taken effect, and their
    clients go on under new names, as processes do in Jepsen's histories.
    """
    random, history, model = Random(seed), Recorder(), CompareAndSwapRegister()
    state: Any = None
    called, names = 0, {client: f"c{client}" for client in range(clients)}
    under_way: dict[int, tuple[int, Any]] = {}
    answers: dict[int, Any] = {}
    while called < operations or under_way:
        client = random.randrange(clients)
        if client in answers:
            history.returned(under_way.pop(client)[0], answers.pop(client))
        elif client in under_way:
            is_lost = random.random() < lost
            if not is_lost or random.random() < 0.5:
                state, answers[client] = model.apply(state, under_way[client][1])
            if is_lost:
                answers.pop(client, None)
                del under_way[client]
                names[client] = f"{names[client]}'"
        elif called < operations:
            called += 1
            value = called if values is None else random.randrange(values)
            chance = random.random()
            asked = CompareAndSwap(random.randrange(values or called), value) if chance < swaps else Write(value)
            asked = Read() if chance > 0.5 + swaps / 2 else asked
            under_way[client] = (history.call(names[client], asked), asked)
    return history.operations


def with_one_read_corrupted(history: Sequence[Operation], seed: int) -> tuple[Operation, ...]:
    """The history with another value, of those written by then, in a read of its second half."""
    random = Random(seed)
    number = random.choice([n for n in range(len(history) // 2, len(history)) if isinstance(history[n].input, Read)])
    written = {one.input.value for one in history[:number] if isinstance(one.input, Write)} - {history[number].output}
    corrupted = replace(history[number], output=random.choice(sorted(written)))
    return (*history[:number], corrupted, *history[number + 1 :])


def is_linearizable_by_definition(history: Sequence[Operation], model: Model) -> bool:
    """Herlihy & Wing 1990, definition in 2.3, tried out: some completion, in some order that keeps what preceded what,
    is a run of the object. Of all subsets of pending operations every permutation is tried."""
    certain = [one for one in history if not one.failed and not one.pending]
    pending = [one for one in history if not one.failed and one.pending]
    return any(
        _is_run(order, model) and is_in_real_time_order(order)
        for chosen in range(1 << len(pending))
        for order in permutations(certain + [one for bit, one in enumerate(pending) if chosen >> bit & 1])
    )


def is_in_real_time_order(order: Sequence[Operation]) -> bool:
    return not any(later.precedes(one) for place, one in enumerate(order) for later in order[place + 1 :])


def is_witness(order: Sequence[Operation], history: Sequence[Operation], model: Model) -> bool:
    """Whether the order is a linearization of the history: it has every operation that returned, nothing twice and
    nothing else, keeps the real-time order, and is a run of the object."""
    chosen = [id(one) for one in order]
    possible = {id(one) for one in history if not one.failed}
    certain = {id(one) for one in history if not one.failed and not one.pending}
    return (
        len(chosen) == len(set(chosen))
        and certain <= set(chosen) <= possible
        and is_in_real_time_order(order)
        and _is_run(order, model)
    )


def _is_run(order: Sequence[Operation], model: Model) -> bool:
    state: Any = model.start
    for one in order:
        state, output = model.apply(state, one.input)
        if not one.pending and output != one.output:
            return False
    return True
