"""What a step does to its service's database: small frozen values, applied purely to rows; a database may refuse.

`Move` and `Add` commute: in whatever order they come, the end is the same (Richardson, "Microservices Patterns", 2018,
4.3.2, commutative updates). `Overwrite` does not commute: its saga computed the new value from an old one, and an
update that came in between is lost. `Reread` is the same with a second look before it writes.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from patterns.engine.values import Value

from .reasons import Reason


class Row(Value, cache_hash=True):
    """A row of a service's database: a key and a whole number."""

    key: str
    value: int
    pending: str = ""
    """The saga that has marked it as not final, its semantic lock; empty for none."""
    version: int = 0
    """How often it was written."""


Rows = tuple[Row, ...]


class ActionBase(Value, tag=True, cache_hash=True):
    """A local transaction of one service. Raises TypeError for rows and amounts of a wrong kind."""

    def __post_init__(self) -> None:
        for key, amount in self.adds:
            if not isinstance(key, str) or not key:
                raise TypeError(f"{type(self).__name__} names the row {key!r}; the name of a row is a text")
            if not isinstance(amount, int):
                raise TypeError(f"{type(self).__name__} has the amount {amount!r}; allowed are whole numbers")

    @property
    def adds(self) -> tuple[tuple[str, int], ...]:
        """(row, amount that it adds if its saga runs alone) for each row that it reads or writes."""
        return ()

    @property
    def touches(self) -> tuple[str, ...]:
        """The keys of the rows that it reads or writes."""
        return tuple(key for key, _ in self.adds)


class Move(ActionBase):
    """Take `amount`, 1 or more, from one row and add it to another; refused where the first has less. It keeps the sum.

    Raises ValueError for an amount below 1, and for one row twice; TypeError for other than names and a whole number.
    """

    source: str
    to: str
    amount: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.amount < 1:
            raise ValueError(
                f"amount is {self.amount}; allowed are whole numbers from 1: the other way is another Move"
            )
        if self.source == self.to:
            raise ValueError(f"source and to are both {self.source!r}; it moves from one row to another")

    @property
    def adds(self) -> tuple[tuple[str, int], ...]:
        return ((self.source, -self.amount if isinstance(self.amount, int) else self.amount), (self.to, self.amount))


class OnRow(ActionBase):
    """What changes one row."""

    key: str
    amount: int

    @property
    def adds(self) -> tuple[tuple[str, int], ...]:
        return ((self.key, self.amount),)


class Add(OnRow):
    """Add `amount`, which may be negative, to a row; refused where it would fall below 0."""


class Look(ActionBase):
    """Read a row, for a later step of the same saga at the same service to use."""

    key: str

    @property
    def adds(self) -> tuple[tuple[str, int], ...]:
        return ((self.key, 0),)


class Overwrite(OnRow):
    """Write what the saga saw of the row plus `amount`, whatever the row holds by now."""


class Reread(Overwrite):
    """As `Overwrite`, but it reads the row again first, and is refused where it was written since it was seen."""


class Nothing(ActionBase):
    """Nothing: the compensation of a step that only looked."""


Action = Move | Add | Look | Overwrite | Reread | Nothing


class Seen(NamedTuple):
    """What a saga saw of a row; of none, where the key is empty."""

    key: str = ""
    value: int = 0
    version: int = 0


NOT_SEEN = Seen()


class Applied(NamedTuple):
    """What an action led to."""

    rows: Rows
    seen: Seen = NOT_SEEN
    """For a `Look`: what it saw."""


class Refusal(NamedTuple):
    """Why the database refuses an action: a business reason. Nothing was changed."""

    reason: Reason


def apply(action: Action, rows: Rows, seen: Seen = NOT_SEEN) -> Applied | Refusal:
    """The rows after the action, or why it is refused. `seen` is what the saga saw of the row it overwrites.

    Raises ValueError for a key that the database does not have.
    """
    at = {row.key: row for row in rows}
    for key in action.touches:
        if key not in at:
            raise ValueError(f"{action} names the row {key!r}; the database has {', '.join(at) or 'none'}")
    match action:
        case Move(source, to, amount):
            if at[source].value < amount:
                return Refusal(Reason("short", source, at[source].value, amount))
            return Applied(_written(_written(rows, source, at[source].value - amount), to, at[to].value + amount))
        case Add(key, amount):
            if at[key].value + amount < 0:
                return Refusal(Reason("short", key, at[key].value, -amount))
            return Applied(_written(rows, key, at[key].value + amount))
        case Look(key):
            return Applied(rows, Seen(key, at[key].value, at[key].version))
        case Reread(key) if at[key].version != seen.version:
            return Refusal(Reason("changed", key))
        case Overwrite(key, amount):
            return Applied(_written(rows, key, seen.value + amount))
    return Applied(rows)


def _written(rows: Rows, key: str, value: int) -> Rows:
    return tuple(replace(row, value=value, version=row.version + 1) if row.key == key else row for row in rows)


def locked(rows: Rows, action: Action, saga: str) -> Rows:
    """The rows, those that the action touches marked as pending for the saga."""
    return tuple(replace(row, pending=saga) if row.key in action.touches else row for row in rows)


def released(rows: Rows, saga: str) -> Rows:
    """The rows without the marks of this saga."""
    return tuple(replace(row, pending="") if row.pending == saga else row for row in rows)


def holder(rows: Rows, action: Action, saga: str) -> str:
    """Another saga that has marked a row which the action touches; empty for none."""
    return next((row.pending for row in rows if row.key in action.touches and row.pending not in ("", saga)), "")
