"""The messages between the lock server, the holders and the storage."""

from __future__ import annotations

from patterns.engine.process import Message

Content = tuple[str, ...]
"""The stored lines: a file that is read as a whole and written back as a whole."""


class Acquire(Message):
    """Asks for the lease. `asked` numbers a holder's requests, so that each answer belongs to one of them."""

    asked: int


class Renew(Message):
    asked: int
    token: int


class Granted(Message):
    asked: int
    token: int


class Busy(Message):
    asked: int


class Read(Message):
    token: int


class WithContent(Message):
    """The storage's content: as it was read, as it is to be, or as it was written."""

    token: int
    content: Content

    @property
    def last(self) -> str:
        """The last line."""
        return self.content[-1]


class Stored(WithContent):
    """Answers a read."""


class Write(WithContent):
    """Replaces the whole content."""


class Written(WithContent):
    """Answers a write."""


class Refused(Message):
    token: int
    highest: int
