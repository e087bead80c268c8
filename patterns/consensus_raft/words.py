"""Names and numbers as a sentence has them."""

from __future__ import annotations

from collections.abc import Sequence


def conjoined(names: Sequence[str]) -> str:
    """
    >>> conjoined(["S1", "S2", "S3"])
    'S1, S2 and S3'
    """
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), *names[-1:]])


def counted(number: int, one: str, many: str) -> str:
    """
    >>> counted(2, "entry", "entries")
    '2 entries'
    """
    return f"{number} {one if number == 1 else many}"


def a(role: str) -> str:
    """A role with its article: there is one leader."""
    return f"the {role}" if role == "leader" else f"a {role}"
