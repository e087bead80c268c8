"""Sagas as a simulation: one definition, orchestrated or choreographed, with clients that ask for it.

A handler's writes and messages are one step here, as in the runtime: it writes first and sends after. A crash in
between is a crash right after the step, together with the loss of its messages. To see it in a search, the budget needs
a crash and as many drops.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import ascii_uppercase
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from patterns.engine.params import Count, Ms, refuse
from patterns.engine.process import Process
from patterns.engine.simulation import Simulation
from patterns.engine.table import Table
from patterns.engine.world import Call, Fire, Request, World, WorldEvent

from .actions import Row
from .choreography import Peer
from .database import NO_LOCK, Locking
from .definition import RETRIABLE, Saga
from .examples import BEGINS, DEFINITIONS
from .front import Front, Patience
from .messages import Begin, Cancel, Do, Elsewhere, Event, Release, Repair, Undo
from .orchestrator import Orchestrator, Service
from .properties import ALWAYS
from .rules import RULES

Style = Literal["orchestrated", "choreographed"]
ORCHESTRATED: Style = "orchestrated"
CHOREOGRAPHED: Style = "choreographed"
STYLES: tuple[Style, ...] = (ORCHESTRATED, CHOREOGRAPHED)
ORCHESTRATOR = "orchestrator"
OPERATOR = "operator"
ASKS = (Do, Undo, Release, Event)
"""Messages that are sent again until an answer arrives."""


class SagaParams(Simulation.Params, frozen=True):
    """What the two machines of this chapter have in common. All times are in ms."""

    sagas: tuple[str | Saga, ...] = ("order",)
    """Names of `DEFINITIONS`, sagas, or sagas as JSON. The first client asks for the first, and so on."""
    clients: Annotated[int, Meta(ge=0, le=9)] = 0
    """How many clients there are; 0: one for each saga."""
    rounds: Count = 0
    """How many sagas each client asks for, one after the other; 0: any number."""
    rows: dict[str, dict[str, Count]] = {}
    """Service -> row -> the value that the row has at the start."""
    refuse: tuple[str, ...] = ()
    """Steps that are refused: `charge`, or in one saga, `A1.charge`."""
    fails: dict[str, Count] = {}
    """How often a step, or `undo` and its name, fails before it works."""
    lock: Locking = NO_LOCK
    """What meets a row that another saga has marked: nothing happens (`none`), it is refused, or it waits."""
    timeout: Ms = 40
    """How long an answer is waited for."""
    tries: Annotated[int, Meta(ge=1)] = 3
    """How often a compensatable step or the pivot is tried before the saga turns back."""
    alarm: Count = 5
    """How often all else is tried before a human is called; 0: a human is never called."""
    backoff: Annotated[int, Meta(ge=1)] = 8
    """The longest wait, as a multiple of `timeout`: the wait doubles with each try."""

    def check(self) -> None:
        for each in self.sagas:
            if isinstance(each, str) and each not in DEFINITIONS:
                refuse("sagas", self.sagas, f"a saga of your own, or one of {', '.join(DEFINITIONS)}")
        if not self.sagas:
            refuse("sagas", self.sagas, "one saga or more")
        if len({each.name for each in self.definitions}) < len(set(self.definitions)):
            refuse("sagas", [each.name for each in self.definitions], "different names for different sagas")
        self._check_services()
        self._check_steps()

    @property
    def definitions(self) -> tuple[Saga, ...]:
        return tuple(DEFINITIONS[each] if isinstance(each, str) else each for each in self.sagas)

    @property
    def names(self) -> tuple[str, ...]:
        """The clients: A, B, ..."""
        return tuple(ascii_uppercase[: self.clients or len(self.sagas)])

    @property
    def services(self) -> tuple[str, ...]:
        """In the order of the steps."""
        return tuple(dict.fromkeys(service for each in self.definitions for service in each.services))

    def _check_services(self) -> None:
        taken = {ORCHESTRATOR, OPERATOR, *self.names} & {*self.services}
        if taken:
            refuse("sagas", f"a step at {min(taken)}", f"any service but {ORCHESTRATOR}, {OPERATOR} and the clients")
        for service in self.rows:
            if service not in self.services:
                refuse("rows", self.rows, f"rows of the services {', '.join(self.services)}")

    def _check_steps(self) -> None:
        """A step that is refused or fails does so in every saga that has a step of this name."""
        steps = [step for each in self.definitions for step in each.steps]
        never = {step.name for step in steps if step.kind == RETRIABLE}
        may_refuse = [step.name for step in steps if step.name not in never]
        may_fail = {step.name for step in steps} | {f"undo {step.name}" for step in steps if step.undo}
        if any(what.rpartition(".")[2] not in may_refuse for what in self.refuse):
            refuse(
                "refuse", self.refuse, f"the steps {', '.join(may_refuse)}; a retriable step only fails, see `fails`"
            )
        if any(what not in may_fail for what in self.fails):
            refuse("fails", self.fails, f"counts of {', '.join(sorted(may_fail))}")


class SagaMachine(Simulation):
    """Clients A, B, ... ask for sagas. All times are in ms."""

    class Params(SagaParams, frozen=True):
        style: Style = ORCHESTRATED
        """Orchestrated: one process tells the services what to do. Choreographed: services react to events."""

    params: Params
    name = "saga"
    view = "saga"
    rules = RULES
    events = WorldEvent | Request[Begin | Repair | Cancel]
    always = ALWAYS
    prompt = frozenset({"relay"})
    orchestrator: ClassVar[type[Orchestrator]] = Orchestrator
    service: ClassVar[type[Service]] = Service
    peer: ClassVar[type[Peer]] = Peer

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.definitions = self.params.definitions
        self.clients = self.params.names

    # Who is there

    def front(self, definition: Saga) -> str:
        """Whom a client asks for a saga: the orchestrator, or the service of its first step."""
        return ORCHESTRATOR if self.params.style == ORCHESTRATED else definition.steps[0].at

    def rows(self, service: str) -> tuple[Row, ...]:
        """What a service's database begins with."""
        found: dict[str, Row] = {}
        for definition in self.definitions:
            for row in definition.rows(service):
                found.setdefault(row.key, row)
        given = {
            **{k: v for k, v in BEGINS.get(service, {}).items() if k in found},
            **self.params.rows.get(service, {}),
        }
        return tuple(Row(key, given.get(key, found[key].value if key in found else 0)) for key in {**found, **given})

    def processes(self) -> Sequence[Process]:
        p = self.params
        unique = tuple(dict.fromkeys(self.definitions))
        patience = Patience(p.timeout, p.tries, p.alarm, p.backoff)
        fails = Table(tuple(sorted(p.fails.items())))
        databases: list[dict[str, Any]] = [
            {"id": name, "rows": self.rows(name), "refuses": p.refuse, "fails": fails, "locking": p.lock}
            for name in p.services
        ]
        if p.style == CHOREOGRAPHED:
            return [self.peer(**each, definitions=unique, patience=patience) for each in databases]
        boss = self.orchestrator(id=ORCHESTRATOR, definitions=unique, locking=p.lock, patience=patience)
        return [boss, *(self.service(**each, orchestrator=ORCHESTRATOR) for each in databases)]

    # Clients

    def requests(self, world: World) -> Iterator[Request[Any]]:
        """Each client asks for one saga, and asks again until it has the answer. The operator repairs stuck sagas."""
        for at, client in enumerate(self.clients):
            definition = self.definitions[at % len(self.definitions)]
            call = world.call(client)
            if call is not None and (call.waits or isinstance(call.reply, Elsewhere)):
                yield Request(client, self.front(definition), call.body)
                continue
            serial = call.body.serial + 1 if call else 1
            if not self.params.rounds or serial <= self.params.rounds:
                yield Request(client, self.front(definition), Begin(serial, f"{client}{serial}", definition.name))
        yield from self.repairs_of(world)

    def repairs_of(self, world: World) -> Iterator[Request[Any]]:
        call = world.call(OPERATOR)
        serial = call.body.serial + (not call.waits) if call else 1
        if 0 < self.params.rounds < serial:
            return
        for process in world.processes:
            for instance in process.instances if isinstance(process, Front) else ():
                if process.progress_of(instance.saga).stuck:
                    yield Request(OPERATOR, process.id, Repair(serial, instance.saga))

    def answers(self, call: Call, reply: Any) -> bool:
        """By the serial number: an old answer may come late."""
        return bool(call.body.serial == reply.serial)

    # For a search

    def may_happen(self, world: World, event: Any) -> bool:
        """Nothing is sent again while it, or its answer, is on its way: copies are what the budget of duplicates is
        for. A step may be given up, and a human called, at any moment."""
        return super().may_happen(world, event) and (not isinstance(event, Fire) or self.may_fire(world, event))

    def may_fire(self, world: World, event: Fire) -> bool:
        process, (timer, _, about) = world[event.process], event.timer.partition(":")
        if isinstance(process, Orchestrator):
            waiting = process.waiting[about]
            if process.gives_up(waiting) or process.calls_for_help(waiting):
                return True
        return timer not in ("retry", "resend") or not any(
            packet.body.about == about and process.id == (packet.sender if type(packet.body) in ASKS else packet.to)
            for packet in world.packets
        )
