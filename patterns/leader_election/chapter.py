"""What the machines of this chapter share: one name, so that a replay code of any can be opened in any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from patterns.engine.simulation import Simulation

M = TypeVar("M", bound=type[Simulation])


ALGORITHMS: dict[str, type[Simulation]] = {}
"""Algorithm -> its machine."""


def algorithm(name: str) -> Callable[[M], M]:
    """Enter a machine as the one that runs this algorithm."""

    def enter(machine: M) -> M:
        machine.algorithm = name  # type: ignore[attr-defined]
        ALGORITHMS[name] = machine
        return machine

    return enter


class ElectionMachine(Simulation):
    """A simulation of one of the chapter's algorithms."""

    name = "leader_election"
    algorithm: ClassVar[str] = ""

    def __init__(self, *, algorithm: str = "", **network: Any) -> None:
        """`algorithm` may only be this machine's own: it is there for replay codes, which name it."""
        if algorithm not in ("", self.algorithm):
            raise ValueError(f"algorithm is {algorithm!r}; {type(self).__name__} runs {self.algorithm!r}")
        super().__init__(**network)

    @property
    def params(self) -> dict[str, Any]:
        return {"algorithm": self.algorithm, **super().params}

    def again(self, **params: Any) -> Any:
        """The same machine with other parameters, or the machine of the `algorithm` that they name."""
        name = params.pop("algorithm", "") or self.algorithm
        if name == self.algorithm:
            return type(self)(**params)
        if name not in ALGORITHMS:
            raise ValueError(f"algorithm is {name!r}; allowed are {', '.join(ALGORITHMS)}")
        return ALGORITHMS[name](**params)
