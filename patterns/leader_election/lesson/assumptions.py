"""What each algorithm assumes, how to break it here, and what happens then: the table in `assumptions.md`."""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple


class Assumption(NamedTuple):
    """One assumption of an algorithm."""

    algorithm: str
    assumes: str
    broken_by: str
    """What breaks it in the simulator."""
    then: str
    """What happens then."""
    run: str
    """The title in the gallery of a run that shows it; may be empty."""


class Assumptions(tuple[Assumption, ...]):
    """The assumptions, and a table of them where a notebook shows it."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        rows = [f"| {' | '.join(each[:4])} |" for each in self]
        return "\n".join(("| Algorithm | assumes | broken by | then |", "|:--|:--|:--|:--|", *rows))


_PAGE = files(__package__).joinpath("assumptions.md").read_text(encoding="utf-8")
_ROWS = [line.strip("|").split("|") for line in _PAGE.splitlines() if line.startswith("| ")][1:]
ASSUMPTIONS = Assumptions(Assumption(*(cell.strip() for cell in row)) for row in _ROWS)
"""For safety Raft assumes only that the disk keeps what is written there."""
