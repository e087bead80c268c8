"""Weaker levels of consistency: classic histories, each with the levels that it has."""

from __future__ import annotations

import pytest

from patterns.engine.linearizable import Operation, Read, Write
from patterns.engine.linearizable.levels import levels


def history(*lines: str) -> list[Operation]:
    """One line for each client, such as `X: w1 r2`: what happens at one place of the lines happens before the next.
    `-` is a place without an operation, `w1?` a write without an answer, `r0` a read of nothing."""
    operations = []
    for line in lines:
        client, _, asked = line.partition(": ")
        for at, word in enumerate(asked.split()):
            value, pending = word[1:].rstrip("?"), word.endswith("?")
            returned = None if pending else 10 * at + 5
            if word[0] == "w":
                operations.append(Operation(client=client, input=Write(value=value), called=10 * at, returned=returned))
            elif word[0] == "r":
                output = None if value == "0" else value
                operations.append(
                    Operation(client=client, input=Read(), called=10 * at, returned=returned, output=output)
                )
    return operations


ALL = [
    "linearizable",
    "sequential",
    "causal",
    "monotonic reads",
    "read your writes",
    "monotonic writes",
    "writes follow reads",
]


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        pytest.param(["X: w1 - r1", "Y: - r1 -"], [], id="one copy"),
        pytest.param(["X: w1 -", "Y: - r0"], ["linearizable"], id="a stale read by another client is sequential"),
        pytest.param(
            ["X: w1 -", "Y: w2 -", "A: - r1 r2", "B: - r2 r1"],
            ["linearizable", "sequential"],
            id="two readers see two writes in opposite orders: causal (Ahamad et al. 1995)",
        ),
        pytest.param(
            ["X: w1 - -", "Y: - r1 r0"],
            ["linearizable", "sequential", "causal", "monotonic reads"],
            id="a client's reads go back",
        ),
        pytest.param(
            ["X: w1 r0"],
            ["linearizable", "sequential", "causal", "read your writes"],
            id="a client misses its own write",
        ),
        pytest.param(
            ["X: w1 w2 - -", "Y: - - r2 r1"],
            ["linearizable", "sequential", "causal", "monotonic reads", "monotonic writes"],
            id="writes of one client are seen in the wrong order",
        ),
        pytest.param(
            ["X: w1 - - -", "Y: r1 w2 - -", "Z: - - r2 r1"],
            ["linearizable", "sequential", "causal", "monotonic reads", "writes follow reads"],
            id="an answer is seen, and then what it answered",
        ),
        pytest.param(["X: w1? -", "Y: - r1"], [], id="a pending write may have happened"),
        pytest.param(["X: w1? -", "Y: - r0"], [], id="a pending write may not have happened"),
    ],
)
def test_the_levels_of_a_history(lines: list[str], missing: list[str]) -> None:
    """Lamport 1979; Terry et al. 1994, section 3."""
    found = levels(history(*lines))
    assert [*found] == ALL
    assert [level for level, has in found.items() if not has] == missing


def test_writes_of_one_value_are_refused() -> None:
    with pytest.raises(ValueError, match="allowed are values that differ"):
        levels(history("X: w1 w1"))
