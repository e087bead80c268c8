"""Why something is refused, fails or turns back, as values. The words stand in `rules.py`."""

from __future__ import annotations

import msgspec

from patterns.engine.sentences import sentence_of
from patterns.engine.values import Value

from .rules import REASONS


class Reason(Value, cache_hash=True):
    """A kind of `REASONS`, and what its sentence names."""

    kind: str = ""
    """Empty for no reason."""
    of: str = ""
    """A row, a saga, a step or a service."""
    value: int = 0
    needed: int = 0

    def __bool__(self) -> bool:
        return bool(self.kind)

    def __str__(self) -> str:
        return sentence_of(REASONS[self.kind], msgspec.structs.asdict(self))


NO_REASON = Reason()
