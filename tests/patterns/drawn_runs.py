"""Runs that a seed draws, for the checks that every machine of every chapter keeps."""

from __future__ import annotations

from typing import Any

from patterns.engine.history import History
from patterns.engine.machine import Machine
from patterns.engine.randomness import key_of, mix


def random_run(machine: Machine[Any, Any], seed: int, steps: int) -> History[Any, Any]:
    """A run in which every fourth step is any choice there is: faults, requests, messages out of order."""
    history = History(machine)
    for nth in range(steps):
        draw = mix(key_of(seed, machine.name), nth)
        if draw % 4 and history.advance():
            continue
        offered = [choice.event for choice in machine.choices(history.state) if not choice.why_not]
        if not offered:
            break
        history.apply(offered[draw // 4 % len(offered)])
    return history
