"""What clients ask and are answered: the same for every way of replication, so that one checker judges all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from patterns.engine import linearizable
from patterns.engine.clients import Clients, Misused, is_done
from patterns.engine.linearizable import seen
from patterns.engine.process import Message, Process
from patterns.engine.table import Table


class Read(linearizable.Read):
    serial: int = 0


class Write(linearizable.Write):
    """`value` None removes the line."""

    serial: int = 0
    # What the client has seen, where versions are kept apart.
    context: Table[int] = Table()


class Remove(Message):
    """Takes an item out of a set."""

    value: str
    serial: int = 0
    answers: ClassVar[bool] = False


class Count(Message):
    """Adds 1 to a counter."""

    serial: int = 0
    answers: ClassVar[bool] = False


Operation = Read | Write | Remove | Count


# What the clients see could have come from one register (Herlihy and Wing 1990).
one_copy = seen.linearizable(
    "Clients see one copy: their operations are linearizable", linearizable.Register(), is_done
)


def refuse(process: Process, rule: str, client: str, request: Operation, before: Any) -> None:
    """The request has the serial of another one of this client: it is an error."""
    process.note(rule, client=client, request=request, before=before)
    process.reply(client, Misused(request.serial))


class Replicated(Clients):
    """Replicas of one list."""

    view = "replication"

    @property
    def plans(self) -> Mapping[str, tuple[str, ...]]:
        return self.params.clients or {"X": ("milk", "eggs", "tea"), "Y": ("read", "read", "read")}

    def operation(self, asked: str, serial: int, context: Any) -> Operation:
        """What a plan asks: `read`, `remove beer`, `count`, `write nothing`, or a value to write."""
        if asked in ("read", "count"):
            return Read(serial) if asked == "read" else Count(serial)
        if asked.startswith("remove "):
            return Remove(asked.removeprefix("remove "), serial)
        return Write(None if asked == "write nothing" else asked, serial, context or Table())

    def reads(self, body: Any) -> bool:
        return isinstance(body, Read)
