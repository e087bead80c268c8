"""The messages between the lock server, the holders and the storage."""

from __future__ import annotations

from patterns.engine.process import Message
from patterns.engine.sentences import names

Content = tuple[str, ...]
"""The stored lines: a file that is read as a whole and written back as a whole."""


class Acquire(Message, frozen=True):
    """Asks for the lease. `asked` numbers a holder's requests, so that each answer belongs to one of them."""

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
    """Answers a read."""

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
    """The lines in words."""
    return names(content) or "nothing"
