"""Event sourcing: the state is a fold of events, and events are only ever appended."""

from .codec import Unreadable
from .shop import Shop
from .sqlite_store import SqliteStore
from .store import NO_STREAM, NewEvent, OtherContent, WrongVersion

__all__ = ["NO_STREAM", "NewEvent", "OtherContent", "Shop", "SqliteStore", "Unreadable", "WrongVersion"]
