"""What the lock server, the holders and the storage send one another."""

from __future__ import annotations

from patterns.engine.process import Message

Content = tuple[str, ...]
"""What is stored: a file of lines, read as a whole and written back as a whole."""


class Acquire(Message, frozen=True):
    """`asked` numbers a holder's requests, so that an answer is taken for no other."""

    asked: int
    words = "acquire"


class Renew(Message, frozen=True):
    asked: int
    token: int
    words = "renew, token {token}"


class Granted(Message, frozen=True):
    asked: int
    token: int
    words = "granted, token {token}"


class Busy(Message, frozen=True):
    asked: int
    words = "busy"


class Read(Message, frozen=True):
    token: int
    words = "read, token {token}"


class Stored(Message, frozen=True):
    """The answer to a read."""

    token: int
    content: Content

    def __str__(self) -> str:
        return f"stored: {lines(self.content)}"


class Write(Message, frozen=True):
    token: int
    content: Content

    def __str__(self) -> str:
        return f"write {self.content[-1]}, token {self.token}"


class Written(Message, frozen=True):
    token: int
    content: Content

    def __str__(self) -> str:
        return f"written {self.content[-1]}"


class Refused(Message, frozen=True):
    token: int
    highest: int
    words = "refused: {highest} is in use"


def lines(content: Content) -> str:
    """In words."""
    return ", ".join(content) or "nothing"
