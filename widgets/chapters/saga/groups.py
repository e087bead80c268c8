"""What the pictures of sagas share: the groups a world may hold, colours of sagas, messages in a word or two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from patterns.engine.world import World
from patterns.saga.choreography import Peer
from patterns.saga.database import Database
from patterns.saga.definition import Saga
from patterns.saga.log import BEGUN, DONE, ENDED, REFUSED, STUCK, UNDONE, Instance
from patterns.saga.messages import Ack, Do, Done, Event, Failed, Refused, Release, Released, Undo, Undone
from patterns.saga.orchestrator import Orchestrator
from patterns.saga.readings import instances
from widgets.scene import Role

MOST = 2
"""As many sagas are drawn as a path each."""

SIGNS = {DONE: "✓", REFUSED: "✗", UNDONE: "↩", STUCK: "!", "nothing": "–", "cancelled": "–"}
"""Of what became of a request."""


class Group(NamedTuple):
    """The processes that run sagas in one style."""

    style: str
    processes: tuple[Any, ...]

    @property
    def orchestrator(self) -> Orchestrator | None:
        return next((each for each in self.processes if isinstance(each, Orchestrator)), None)

    @property
    def services(self) -> tuple[Database, ...]:
        return tuple(each for each in self.processes if isinstance(each, Database))

    @property
    def definitions(self) -> tuple[Saga, ...]:
        return tuple(dict.fromkeys(saga for each in self.processes for saga in getattr(each, "definitions", ())))

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The sagas that were begun in this group."""
        return tuple(each for process in self.processes for each in getattr(process, "instances", ()))


def are_several(world: World) -> bool:
    """Whether a word about a saga must say which one it means."""
    return len({each.saga.rstrip("'") for each in instances(world)}) > 1


def groups(world: World) -> tuple[Group, ...]:
    """One group, or two where both styles run side by side: the orchestrated one first."""
    peers = tuple(each for each in world.processes if isinstance(each, Peer))
    others = tuple(each for each in world.processes if not isinstance(each, Peer))
    found = (Group("orchestration", others), Group("choreography", peers))
    return tuple(group for group in found if group.processes)


def shown(group: Group) -> tuple[tuple[Saga, Instance | None], ...]:
    """The sagas drawn as a path: the last ones begun and, if there is room, those that no client has asked for yet."""
    begun = group.instances[-MOST:]
    known = {each.name: each for each in group.definitions}
    asked = {each.definition for each in group.instances}
    plans = [each for name, each in known.items() if name not in asked][: MOST - len(begun)]
    return (*((known[each.definition], each) for each in begun), *((each, None) for each in plans))


def saga_role(world: World, saga: str) -> Role:
    """The colour of a saga, by when it began; what runs in two styles side by side has one colour."""
    names = list(dict.fromkeys(each.saga.rstrip("'") for each in instances(world)))
    name = saga.rstrip("'")
    return f"c{names.index(name) % 8 + 1}" if name in names else "soft"


MESSAGES: Mapping[type, str] = {
    Do: "{step}",
    Undo: "undo {step}",
    Done: "{step} ✓",
    Refused: "{step} ✗",
    Undone: "{step} ↩",
    Release: "release",
    Released: "released",
    Ack: "",
}
"""In a word or two; an acknowledgement has none."""


GLYPHS: Mapping[str, tuple[type, ...]] = {
    "?": (Do,),
    "↩": (Undo, Undone),
    "yes": (Done, Released),
    "no": (Refused, Failed),
}
ANSWERS = (Done, Released, Refused, Failed, Undone, Ack)
TOLD = {DONE: "yes", REFUSED: "no", UNDONE: "↩", STUCK: "!"}
"""The sign of an event, by its kind."""


def in_short(message: Failed | Event) -> str:
    """A message whose words depend on what is in it."""
    if isinstance(message, Failed):
        return f"{'undo ' if message.undo else ''}{message.step} !"
    what, step = message.record.what, message.record.step
    return {BEGUN: "begin", ENDED: "ended"}.get(what) or f"{step} {SIGNS.get(what, what)}"
