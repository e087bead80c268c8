"""The replicated state machine: a key-value store, and for each client what became of its last request.

Every server executes the same entries in the same order and so holds the same value of this (section 2). The sessions
are part of it: that is how a new leader knows what an old one has executed (section 8).
"""

from __future__ import annotations

from patterns.engine.table import Table
from patterns.engine.values import Value

from .messages import Add, Command, Put

LEAST, MOST = -(1 << 53), 1 << 53
"""The values that a key can have. A sum beyond them ends there, on every server alike: no message, no disk and no page
could hold it as it is."""


class Session(Value):
    """The last request of a client that was executed, and the answer."""

    request: Put | Add
    value: int | None

    @property
    def serial(self) -> int:
        return self.request.serial


class StateMachine(Value):
    store: Table[int] = Table()
    """Key -> value."""
    sessions: Table[Session] = Table()
    """Client -> its session."""

    def execute(self, command: Command) -> StateMachine:
        """The state machine after the command. Its answer is then in the client's session."""
        match command.request:
            case Put(_, key, value):
                result = value
            case Add(_, key, by):
                result = max(LEAST, min((self.store.get(key) or 0) + by, MOST))
        return StateMachine(
            self.store.put(key, result), self.sessions.put(command.client, Session(command.request, result))
        )
