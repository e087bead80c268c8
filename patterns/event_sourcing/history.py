"""One stream, event by event: the state that folds over it, its snapshot, old events, and a key that is destroyed.

A machine of acts. Nothing runs at the same time here, so the number of a step is the version of the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from hashlib import sha512
from itertools import accumulate
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from patterns.engine.acts import Happened, ValueMachine, act
from patterns.engine.params import Params as AnyParams
from patterns.engine.properties import Always, Reason
from patterns.engine.sentences import rules_of
from patterns.engine.step import Note
from patterns.engine.table import Table
from patterns.engine.values import Value

from .keys import Keys
from .log import Log
from .shelf import CODEC, Corrected, Event, Received, Reserved, Shipped
from .snapshots import LAST_YEAR, TODAY, Loaded, Snapshot, load
from .store import NewEvent

STREAM, ANN = "shelf-1", "customer 7"
What = Literal["received", "shipped", "reserved", "corrected", "2024: shipped", "2024: exchanged", "2024: looked"]
FOLDS = {fold.name: fold for fold in (LAST_YEAR, TODAY)}
KEYS = Keys(Table(((ANN, sha512(ANN.encode()).digest()),)))
NEW: Mapping[str, Callable[[], Event]] = {
    "received": lambda: Received(12),
    "shipped": lambda: Shipped(3, KEYS.seal(ANN, "Ann")),
    "reserved": lambda: Reserved(2),
    "corrected": lambda: Corrected(-1, "torn bag"),
}
"""What makes each event. The first shipment needs the library of the keys, which a page in a browser may lack."""
OLD = {"2024: shipped": '{"boxes":1}', "2024: exchanged": '{"boxes":1}', "2024: looked": "{}"}


class Happen(msgspec.Struct, frozen=True, tag=True):
    """An event is appended."""

    what: What


class Load(msgspec.Struct, frozen=True, tag=True):
    """The shelf is loaded: from the snapshot, if it can be used, and the events after it."""


class Snap(msgspec.Struct, frozen=True, tag=True):
    """The state that was loaded is kept as a snapshot."""


class Deploy(msgspec.Struct, frozen=True, tag=True):
    """The code of today is deployed: a reserved bag is not free to ship."""


class Erase(msgspec.Struct, frozen=True, tag=True):
    """A subject's key is destroyed."""

    subject: str


class Story(Value):
    """The stream, its states, its snapshot and the last load."""

    log: Log
    fold: str = LAST_YEAR.name
    """The name of the code that runs."""
    loaded: Loaded | None = None
    """What the last load gave. The next event makes it old."""
    snapshot: Snapshot | None = None
    keys: Keys = Keys()

    def states(self) -> list[Any]:
        """The state after each version, from that of no event on: what a shelf was is never overwritten."""
        fold = FOLDS[self.fold]
        facts = [CODEC.facts([event]) for event in self.log.events]
        return list(accumulate(facts, lambda shelf, new: reduce(fold.evolve, new, shelf), initial=fold.empty))


@Always.named("a snapshot changes nothing but the time of a load")
def load_is_replay(story: Story) -> Reason:
    loaded, tail = story.loaded, story.log.tail(STREAM)
    right = story.states()[-1]
    if loaded is None or (loaded.state, loaded.version) == (right, tail):
        return None
    return f"the load gives {loaded.state.bags} bags at version {loaded.version}; a replay: {right.bags} at {tail}"


class ShelfHistory(ValueMachine[Story, Any]):
    name = "shelf_history"
    view = "event_sourcing"
    rules = rules_of(__package__, "history.toml")
    always = (load_is_replay,)

    class Params(AnyParams, frozen=True):
        most: Annotated[int, Meta(ge=1, le=99)] = 9
        """How many events the stream may have."""
        kinds: tuple[What, ...] = get_args(What)
        """The events that are offered."""

    params: Params

    def start(self) -> Story:
        return Story(Log(), keys=KEYS)

    def full(self, state: Story, event: Any) -> str:
        return "" if len(state.log.events) < self.params.most else f"the stream has {self.params.most} events"

    @act(Happen, "append **{what}**", offers=lambda machine, state: machine.params.kinds, unless=[full])
    def happen(self, state: Story, event: Happen) -> Happened[Story]:
        at, what = state.log.tail(STREAM) + 1, event.what.removeprefix("2024: ")
        old = OLD.get(event.what)
        new = NewEvent(f"x{at}", what, old) if old else CODEC.encode(f"x{at}", NEW[what]())
        log, answer = state.log.append(STREAM, [new], at - 1)
        after = replace(state, log=log, loaded=None)
        notes = [Note("H.event", {"what": event.what, "version": answer.version, "bags": after.states()[-1].bags})]
        if event.what in OLD:
            became = tuple(part.event.__struct_config__.tag for part in CODEC.decode(log.events[-1]))
            notes.append(Note("H.upcast", {"what": event.what, "became": became}))
        return after, notes

    @act(Load, "load the shelf", "load")
    def loads(self, state: Story, event: Load) -> Happened[Story]:
        loaded = self.load(state)
        values = {"read": loaded.read, "version": loaded.version, "bags": loaded.state.bags, "fold": state.fold}
        used = "H.tail" if loaded.from_snapshot else "H.stale" if state.snapshot else "H.replay"
        return replace(state, loaded=loaded), [Note(used, values)]

    def load(self, state: Story) -> Loaded:
        return load(state.log, STREAM, FOLDS[state.fold], state.snapshot)

    def nothing(self, state: Story, event: Any) -> str:
        return "" if state.loaded and state.loaded.version >= 0 else "load the shelf first"

    @act(Snap, "keep a snapshot", "load", unless=[nothing])
    def snap(self, state: Story, event: Snap) -> Happened[Story]:
        assert state.loaded is not None
        kept = Snapshot(state.fold, state.loaded.version, state.loaded.state)
        return replace(state, snapshot=kept), [Note("H.snap", {"version": kept.version, "fold": kept.fold})]

    def deployed(self, state: Story, event: Any) -> str:
        return "the code of today runs already" if state.fold == TODAY.name else ""

    @act(Deploy, "deploy the code of today", "deploy", unless=[deployed])
    def deploy(self, state: Story, event: Deploy) -> Happened[Story]:
        return replace(state, fold=TODAY.name, loaded=None), [Note("H.deploy", {"fold": TODAY.name})]

    @act(Erase, "destroy the key of **{subject}**", "erase", offers=lambda machine, state: state.keys.table.names)
    def erase(self, state: Story, event: Erase) -> Happened[Story]:
        values = {"subject": event.subject, "bags": state.states()[-1].bags}
        return replace(state, keys=state.keys.without(event.subject)), [Note("H.erase", values)]
