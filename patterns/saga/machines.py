"""Sagas as a simulation: one definition, orchestrated or choreographed, with clients that ask for it.

A handler's writes and what it sends are one step here, as in the runtime: it writes first and sends after. That a
process crashes in between is a crash right after the step and the loss of what it sent: to see it in a search, the
budget needs a crash and as many drops.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from patterns.engine.process import Process
from patterns.engine.simulation import Simulation
from patterns.engine.world import Call, Fire, Request, World, WorldEvent

from .actions import Row
from .choreography import Peer
from .database import LOCKING, NO_LOCK, Fails
from .definition import COMPENSATABLE, RETRIABLE, DefinitionError, Saga, saga_of
from .examples import BEGINS, DEFINITIONS
from .lesson.milestones import MILESTONES
from .messages import Ack, Begin, Elsewhere, Repair
from .orchestrator import Orchestrator, Service
from .properties import ALWAYS
from .records import STUCK, progress
from .rules import RULES

ORCHESTRATED, CHOREOGRAPHED = "orchestrated", "choreographed"
STYLES = (ORCHESTRATED, CHOREOGRAPHED)
COORDINATOR = "orchestrator"
OPERATOR = "operator"


class SagaMachine(Simulation):
    """Clients A, B, ... ask for sagas. All times are in ms."""

    name = "saga"
    rules = RULES
    events = WorldEvent | Request[Begin | Repair]
    always = ALWAYS
    milestones = MILESTONES
    orchestrator: ClassVar[type[Orchestrator]] = Orchestrator
    service: ClassVar[type[Service]] = Service
    peer: ClassVar[type[Peer]] = Peer

    def __init__(
        self,
        *,
        sagas: Sequence[str | Saga | dict[str, Any]] = ("order",),
        style: str = ORCHESTRATED,
        clients: int = 0,
        rounds: int = 0,
        rows: Mapping[str, Mapping[str, int]] | None = None,
        refuse: Sequence[str] = (),
        fails: Mapping[str, int] | None = None,
        lock: str = NO_LOCK,
        timeout: int = 40,
        tries: int = 3,
        alarm: int = 5,
        backoff: int = 8,
        synchronous: bool = False,
        **network: Any,
    ) -> None:
        """`sagas` are names of `DEFINITIONS`, sagas, or sagas as JSON; the first client asks for the first, and so on.
        `clients`: how many ask, 0 for one a saga; `rounds`: how many sagas each asks for, one after the other, 0 for
        any number. `rows` says what databases begin with, service -> row -> value.

        `refuse` are steps that are refused: `charge`, or in one saga, `A1.charge`. `fails` is how often a step, or
        `undo` and its name, fails before it works. `lock`: rows that a saga has marked are no hindrance (`none`), or
        another saga is refused (`refuse`) or waits (`wait`). `timeout` is how long an answer is waited for, `backoff`
        how many times that at most; `tries` how often a compensatable step is asked for, and `alarm` a compensation
        before a human is called, 0 for never. `synchronous`: in a search timers run out only when no message is on its
        way, for a timeout is longer than any exchange.

        Raises ValueError for what cannot be, TypeError where a list is something else.
        """
        super().__init__(**network)
        if isinstance(sagas, str | Saga):
            raise TypeError(f"sagas is {sagas!r}; it is a list, also of one")
        self.definitions = tuple(_definition(each) for each in sagas)
        numbers = {"clients": clients, "rounds": rounds, "timeout": timeout, "tries": tries, "alarm": alarm}
        _check(self.definitions, style, lock, {**numbers, "backoff": backoff})
        _check_steps(self.definitions, refuse, fails or {})
        self.style, self.lock, self.rounds = style, lock, rounds
        self.clients = tuple(chr(ord("A") + at) for at in range(clients or len(self.definitions)))
        _check_services(self.services, (COORDINATOR, OPERATOR, *self.clients), rows or {})
        self.begins = {service: dict(row) for service, row in (rows or {}).items()}
        self.refuse, self.fails = tuple(refuse), dict(fails or {})
        self.timeout, self.tries, self.alarm, self.backoff = timeout, tries, alarm, backoff
        self.synchronous = synchronous

    @property
    def params(self) -> dict[str, Any]:
        return {
            "sagas": [_named(each) for each in self.definitions],
            "style": self.style,
            "clients": len(self.clients),
            "rounds": self.rounds,
            "rows": self.begins,
            "refuse": list(self.refuse),
            "fails": self.fails,
            "lock": self.lock,
            "timeout": self.timeout,
            "tries": self.tries,
            "alarm": self.alarm,
            "backoff": self.backoff,
            "synchronous": self.synchronous,
            **super().params,
        }

    # Who is there

    @property
    def services(self) -> tuple[str, ...]:
        """In the order of the steps."""
        return tuple(dict.fromkeys(service for each in self.definitions for service in each.services))

    def front(self, definition: Saga) -> str:
        """Whom a client asks for a saga: the orchestrator, or the service of its first step."""
        return COORDINATOR if self.style == ORCHESTRATED else definition.steps[0].at

    def rows(self, service: str) -> tuple[Row, ...]:
        """What a service's database begins with."""
        found: dict[str, Row] = {}
        for definition in self.definitions:
            for row in definition.rows(service):
                found.setdefault(row.key, row)
        given = {**{k: v for k, v in BEGINS.get(service, {}).items() if k in found}, **self.begins.get(service, {})}
        return tuple(Row(key, given.get(key, found[key].value if key in found else 0)) for key in {**found, **given})

    def processes(self) -> Sequence[Process]:
        unique = tuple(dict.fromkeys(self.definitions))
        settings: dict[str, Any] = {"locking": self.lock}
        database: dict[str, Any] = {
            "refuses": self.refuse,
            "fails": tuple(Fails(what, times) for what, times in self.fails.items()),
            **settings,
        }
        times: dict[str, Any] = {
            "timeout": self.timeout,
            "tries": self.tries,
            "alarm": self.alarm,
            "backoff": self.backoff,
        }
        if self.style == CHOREOGRAPHED:
            return [
                self.peer(id=name, rows=self.rows(name), definitions=unique, **database, **times)
                for name in self.services
            ]
        return [
            self.orchestrator(id=COORDINATOR, definitions=unique, **settings, **times),
            *(
                self.service(id=name, rows=self.rows(name), orchestrator=COORDINATOR, **database)
                for name in self.services
            ),
        ]

    # Clients

    def requests(self, world: World) -> Iterator[Request[Any]]:
        """A saga each, the same again until it is answered; and of the operator, that what is stuck is mended."""
        for at, client in enumerate(self.clients):
            definition = self.definitions[at % len(self.definitions)]
            call = world.call(client)
            if call is not None and (call.waits or isinstance(call.reply, Elsewhere)):
                yield Request(client, self.front(definition), call.body)
                continue
            serial = call.body.serial + 1 if call else 1
            if not self.rounds or serial <= self.rounds:
                yield Request(client, self.front(definition), Begin(serial, f"{client}{serial}", definition.name))
        yield from self.repairs_of(world)

    def repairs_of(self, world: World) -> Iterator[Request[Any]]:
        call = world.call(OPERATOR)
        serial = call.body.serial + (not call.waits) if call else 1
        if 0 < self.rounds < serial:
            return
        for process in world.processes:
            for instance in getattr(process, "instances", ()):
                of = next(each for each in self.definitions if each.name == instance.definition)
                if progress(of, instance.saga, process.log).phase == STUCK:  # type: ignore[attr-defined]
                    yield Request(OPERATOR, process.id, Repair(serial, instance.saga))

    def answers(self, call: Call, reply: Any) -> bool:
        """By the serial number: an old answer may come late."""
        return bool(call.body.serial == reply.serial)

    # For a search

    def enabled(self, world: World, group: str = "") -> Iterator[Any]:
        events = super().enabled(world, group)
        if group:
            return events
        return (event for event in events if not isinstance(event, Fire) or self.may_fire(world, event))

    def may_fire(self, world: World, event: Fire) -> bool:
        """In a search, nothing is sent again while it, or its answer, is on its way: copies are what the budget of
        duplicates is for. A step may be given up at any moment."""
        if self.synchronous and world.packets:
            return event.timer == "relay"
        process = world[event.process]
        if isinstance(process, Peer):
            return event.timer != "resend" or not self.any_under_way(world, process)
        for waiting in process.waiting:
            if waiting.ticks > 1 or process.gives_up(waiting):
                continue
            for packet in world.packets:
                there = packet.to == waiting.to and packet.body == waiting.command
                back = packet.sender == waiting.to and getattr(packet.body, "saga", "") == waiting.command.saga
                if there or back:
                    return False
        return True

    def any_under_way(self, world: World, peer: Peer) -> bool:
        """Whether one of the events to be published again, or its acknowledgement, is on its way."""
        for row in peer.outbox:
            for packet in world.packets:
                there = (packet.sender, packet.to, packet.body) == (peer.id, row.to, row.event)
                back = (packet.sender, packet.to, packet.body) == (row.to, peer.id, Ack(row.number))
                if there or back:
                    return True
        return False


def _definition(given: str | Saga | dict[str, Any]) -> Saga:
    if not isinstance(given, str):
        return saga_of(given)
    if given not in DEFINITIONS:
        raise DefinitionError(f"sagas has {given!r}; defined are {', '.join(DEFINITIONS)}, or give a saga of your own")
    return DEFINITIONS[given]


def _named(definition: Saga) -> str | dict[str, Any]:
    """Its name where it is one of the examples, else the whole as JSON values."""
    if DEFINITIONS.get(definition.name) == definition:
        return definition.name
    return msgspec.to_builtins(definition, builtin_types=())  # type: ignore[no-any-return]


def _check_steps(definitions: tuple[Saga, ...], refuse: Sequence[str], fails: Mapping[str, int]) -> None:
    if isinstance(refuse, str) or not all(isinstance(each, str) for each in refuse):
        raise TypeError(f"refuse is {refuse!r}; it is a list of steps, also of one")
    if not isinstance(fails, Mapping):
        raise TypeError(f"fails is {fails!r}; allowed are counts by step, such as {{'ship': 2}}")
    kinds: dict[str, set[str]] = {}  # of all sagas: what is refused or fails does so in each
    for step in (step for each in definitions for step in each.steps):
        kinds.setdefault(step.name, set()).add(step.kind)
    known = ", ".join(sorted(kinds))
    for what in refuse:
        name = what.rpartition(".")[2]
        if name not in kinds:
            raise ValueError(f"refuse has {what!r}; the steps are {known}")
        if RETRIABLE in kinds[name]:
            raise ValueError(f"refuse has {what!r}, which is retriable and never refused; `fails` makes it fail")
    for what, times in fails.items():
        name = what.removeprefix("undo ")
        known_one = name in kinds and (name == what or COMPENSATABLE in kinds[name])
        if not known_one or not isinstance(times, int) or times < 0:
            raise ValueError(
                f"fails has {what!r}: {times!r}; allowed are counts from 0 of a step or, where it is compensatable, of "
                f"`undo` and its name; the steps are {known}"
            )


def _check_services(services: Sequence[str], taken: Sequence[str], rows: Mapping[str, Mapping[str, int]]) -> None:
    for service in services:
        if service in taken:
            raise DefinitionError(f"a step is at {service!r}, a name that is taken; not allowed are {', '.join(taken)}")
    for service, begins in rows.items():
        if service not in services:
            raise ValueError(f"rows has {service!r}; the services are {', '.join(services)}")
        if not isinstance(begins, Mapping) or not all(isinstance(each, int) and each >= 0 for each in begins.values()):
            raise ValueError(f"rows has {service!r}: {begins!r}; allowed are whole numbers from 0, by row")


def _check(definitions: tuple[Saga, ...], style: str, lock: str, numbers: Mapping[str, int]) -> None:
    if not definitions:
        raise ValueError("sagas is empty; it needs at least one")
    names = {each.name for each in definitions}
    if len(names) < len(set(definitions)):
        raise ValueError(f"sagas has two different sagas of one name: {', '.join(each.name for each in definitions)}")
    if style not in STYLES:
        raise ValueError(f"style is {style!r}; allowed are {', '.join(STYLES)}")
    if lock not in LOCKING:
        raise ValueError(f"lock is {lock!r}; allowed are {', '.join(LOCKING)}")
    for name, number in numbers.items():
        least = 0 if name in ("clients", "rounds", "alarm") else 1
        most = 9 if name == "clients" else None
        if not isinstance(number, int) or number < least or (most is not None and number > most):
            allowed = f"from {least}" if most is None else f"{least} to {most}"
            raise ValueError(f"{name} is {number!r}; allowed are whole numbers {allowed}")
