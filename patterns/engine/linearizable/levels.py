"""Weaker promises than linearizability: sequential and causal consistency, and the four session guarantees.

For the history of one register whose writes all have values of their own. `None` is the value before any write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations, product
from typing import Any

from .models import Read, Register, Write
from .operations import Operation, validated
from .verdict import check


def levels(operations: Iterable[Operation]) -> Mapping[str, bool]:
    """Level -> whether this history has it, the strongest first.

    Sequential: Lamport 1979. Causal: Ahamad et al. 1995. Sessions: Terry et al. 1994. Raises ValueError if two writes
    have one value.
    """
    ops = validated(operations)
    values = [op.input.value for op in ops if isinstance(op.input, Write)]
    if len({*values}) < len(values):
        raise ValueError(f"operations write {values}; allowed are values that differ")
    known = _Sessions(ops)
    return {
        "linearizable": bool(check(ops, Register())),
        "sequential": known.sequential(),
        "causal": known.causal(),
        "monotonic reads": not any(known.older(later, first) for first, later in known.pairs(Read, Read)),
        "read your writes": not any(known.older(seen, own) for own, seen in known.pairs(Write, Read)),
        "monotonic writes": known.never_against(known.pairs(Write, Write)),
        "writes follow reads": known.never_against(known.pairs(Read, Write)),
    }


class _Sessions:
    """What each client did, in its order; a write that is pending may have happened."""

    def __init__(self, ops: list[Operation]) -> None:
        done = [op for op in ops if not op.pending or isinstance(op.input, Write)]
        self.of = {client: [op for op in done if op.client == client] for client in {op.client: 0 for op in done}}
        self.after = self._causes(done)

    def pairs(self, one: type, other: type) -> list[tuple[Any, Any]]:
        """The values of two operations of one client, of these kinds, the first before the second."""
        both = [pair for session in self.of.values() for pair in combinations(session, 2)]
        return [(value(a), value(b)) for a, b in both if isinstance(a.input, one) and isinstance(b.input, other)]

    def _causes(self, done: list[Operation]) -> set[tuple[int, int]]:
        """The causal order: program order, and from a write to its reads, closed."""
        after = {(id(a), id(b)) for session in self.of.values() for a, b in combinations(session, 2)}
        writes = [op for op in done if isinstance(op.input, Write)]
        reads = [op for op in done if isinstance(op.input, Read)]
        after |= {(id(w), id(r)) for w in writes for r in reads if r.output == w.input.value}
        for middle in map(id, done):
            before, behind = [a for a, b in after if b == middle], [b for a, b in after if a == middle]
            after |= {(a, b) for a in before for b in behind}
        self.writes, self.reads = {op.input.value: id(op) for op in writes}, reads
        return after

    def older(self, one: Any, other: Any) -> bool:
        """Whether one value was written before the other, by cause."""
        return one != other and (one is None or (self.writes.get(one), self.writes.get(other)) in self.after)

    def sequential(self) -> bool:
        sessions = list(self.of.values())
        seen, stack = set(), [((0,) * len(sessions), None)]
        while stack:
            at, held = state = stack.pop()
            if state in seen:
                continue
            seen.add(state)
            left = [(i, s[at[i]]) for i, s in enumerate(sessions) if at[i] < len(s)]
            if all(op.pending for _, op in left):
                return True
            for i, op in left:
                if isinstance(op.input, Write) or op.output == held:
                    stack.append(
                        ((*at[:i], at[i] + 1, *at[i + 1 :]), value(op) if isinstance(op.input, Write) else held)
                    )
        return False

    def causal(self) -> bool:
        """No cycle, and no read misses a write that lies causally between the one that it saw and itself."""
        if any(a == b for a, b in self.after):
            return False
        pairs = product(self.reads, self.writes.items())
        return not any((w, id(read)) in self.after and self.older(read.output, value) for read, (value, w) in pairs)

    def never_against(self, order: list[tuple[Any, Any]]) -> bool:
        """No client sees the second of a pair and later the first, or what is older."""
        return not any(
            seen == second and (later == first or self.older(later, first))
            for (first, second), (seen, later) in product(order, self.pairs(Read, Read))
        )


def value(op: Operation) -> Any:
    """The value that an operation wrote or read."""
    return op.input.value if isinstance(op.input, Write) else op.output
