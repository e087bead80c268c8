"""Predict, then see; write, and have it judged."""

from __future__ import annotations

import msgspec


class Option(msgspec.Struct, frozen=True):
    """A plausible answer; `because` says what it rests on: for a wrong one, the misconception."""

    text: str
    because: str
    right: bool = False


class Question(msgspec.Struct, frozen=True):
    """A prediction that locks a step until it is made. A wrong one is never punished: it stands beside the outcome."""

    prompt: str
    options: tuple[Option, ...]

    def __post_init__(self) -> None:
        if sum(option.right for option in self.options) != 1 or len(self.options) < 2:
            raise ValueError(f"{self.prompt!r} needs two or more options, exactly one of them right")
