"""CQRS as a simulation: a shop that decides, a page that is read, and the projectors between them.

Each customer orders once, and looks at the page with a phone. The shop and the page never speak to each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from patterns.engine.params import Count, Ms, refuse
from patterns.engine.process import Process
from patterns.engine.simulation import Simulation
from patterns.engine.world import Call, Deliver, Fire, Request, World, WorldEvent
from patterns.event_sourcing.log import Log

from .facts import Order, Received, recorded_as, stream_of
from .messages import Accepted, Conflict, Declined, Rebuild, Repair, Show, Shown
from .models import KINDS
from .page import Page
from .projector import CommitOrder, Projector
from .properties import ALWAYS, page_of, projectors_of
from .rules import RULES
from .shop import Shop

SHOP, PAGE, OPERATOR = "shop", "page", "operator"
CUSTOMERS = ("ann", "bob", "cho", "dan", "eve")
COFFEES = ("mocha", "java", "kona")
PHONE = "'s phone"
SETTLING = 200
"""Messages at most until each projector has caught up for the first time."""
Model = Literal["orders", "shelf", "sellers", "mail"]
Commands = Order | Show | Rebuild | Repair


class Shopper:
    """What a customer does: orders, perhaps again, and looks at the page."""

    def again(self, world: World, name: str, order: Order) -> Order | None:
        """The command to send once more, after a double click or a lost answer: the same one, with the same id."""
        return order

    def wanted(self, world: World, accepted: Accepted) -> int:
        """The position that the page must have: the one that the command returned."""
        return accepted.position


class Cqrs(Simulation):
    """A write side, a read side, and projectors between them."""

    name = view = "cqrs"
    rules = RULES
    events = WorldEvent | Request[Commands]
    always = ALWAYS
    shop: ClassVar[type[Shop]] = Shop
    projector: ClassVar[type[Projector]] = Projector
    page: ClassVar[type[Page]] = Page
    shopper: ClassVar[type[Shopper]] = Shopper

    class Params(Simulation.Params, frozen=True):
        models: Annotated[tuple[Model, ...], Meta(min_length=1)] = ("orders", "shelf", "sellers")
        """Which read models there are. Each has a projector of its name."""
        instances: Annotated[int, Meta(ge=1, le=3)] = 1
        """How many projectors work for each read model at the same time."""
        coffees: tuple[str, ...] = ("mocha", "mocha")
        """What ann, bob, ... order: one bag each."""
        bags: Count = 5
        """How many bags of each coffee are on its shelf at first."""
        commit: CommitOrder = "one transaction"
        """How a projector writes a row and its checkpoint."""
        numbered: bool = False
        """A row remembers the position of its last event, and takes no earlier event."""
        unreadable: dict[Model, tuple[str, ...]] = {}
        """Read model -> ids of events that its projector cannot read until it is repaired."""
        rebuild: Model | None = None
        """Which read model an operator can build anew, as its version 2."""
        limit: Annotated[int, Meta(ge=1)] = 10
        """How many events the store looks at for one answer to a projector."""
        tries: Annotated[int, Meta(ge=1, le=9)] = 1
        """How often a projector tries to read an event before it sets the event aside."""
        deadline: Ms = 200
        """How long a query waits for the position that it wants."""
        patience: Ms = 400
        """How long a projector waits for an answer."""
        retries: bool = True
        """Customers may send their command again."""
        looks: bool = True
        """Phones may show the page at any time, and again. False: once, with what the customer ordered."""

        def check(self) -> None:
            if len(set(self.models)) < len(self.models):
                refuse("models", self.models, "each read model once")
            if len(self.coffees) > len(CUSTOMERS):
                refuse("coffees", self.coffees, f"a coffee for each of up to {len(CUSTOMERS)} customers")
            for at, coffee in enumerate(self.coffees):
                if coffee not in COFFEES:
                    refuse(f"coffees[{at}]", coffee, ", ".join(COFFEES))
            for name in (*self.unreadable, *([self.rebuild] if self.rebuild else [])):
                if name not in self.models:
                    refuse("a read model", name, f"one of models, which are {', '.join(self.models)}")

    params: Params

    def processes(self) -> Sequence[Process]:
        params = self.params
        log = Log()
        for coffee in sorted({*params.coffees}):
            log, _ = log.append(stream_of(coffee), [recorded_as(f"stock-{coffee}", Received(coffee, params.bags))])
        versions = [(model, 1) for model in params.models] + ([(params.rebuild, 2)] if params.rebuild else [])
        return [
            self.shop(id=SHOP, log=log, limit=params.limit),
            *(
                self.projector(
                    id=projector_of(model, version, nth),
                    model=model,
                    version=version,
                    commit=params.commit,
                    patience=params.patience,
                    tries=params.tries,
                    unreadable=params.unreadable.get(model, ()),
                    runs=version == 1,
                )
                for model, version in versions
                for nth in range(params.instances)
            ),
            self.page(id=PAGE, deadline=params.deadline, numbered=params.numbered),
        ]

    def start(self) -> World:
        """The world in which each projector has caught up, and waits for news."""
        world = super().start()
        for _ in range(SETTLING):
            if not world.packets:
                break
            world = self.apply(world, Deliver(world.packets[0].id))[0]
        return world

    # Customers, their phones, an operator

    def requests(self, world: World) -> Iterator[Request[Any]]:
        shopper, first = self.shopper(), self.params.models[0]
        for name, coffee in zip(CUSTOMERS, self.params.coffees, strict=False):
            order = Order(f"{name}-1", name, coffee)
            call, phone = world.call(name), world.call(name + PHONE)
            if call is None:
                yield Request(name, SHOP, order)
            elif self.params.retries and (again := shopper.again(world, name, order)) is not None:
                yield Request(name, SHOP, again)
            is_list = KINDS[first].key == "customer"
            wanted = {0} if self.params.looks else set()
            if is_list and call is not None and isinstance(call.reply, Accepted):
                wanted.add(shopper.wanted(world, call.reply))
            if phone is None or (self.params.looks and not phone.waits):
                about = name if is_list else coffee
                yield from (Request(name + PHONE, PAGE, Show(first, about, each)) for each in sorted(wanted))
        live = page_of(world).live
        for process in projectors_of(world):
            if not process.runs and process.version > live[process.model]:
                yield Request(OPERATOR, process.id, Rebuild())
            if process.unreadable and not process.repaired:
                yield Request(OPERATOR, process.id, Repair())

    def answers(self, call: Call, reply: Any) -> bool:
        match call.body:
            case Order(id=id):
                return isinstance(reply, Accepted | Declined | Conflict) and reply.order == id
            case Show(model=model, about=about, wanted=wanted):
                return isinstance(reply, Shown) and (reply.model, reply.about, reply.wanted) == (model, about, wanted)
        return True

    # For a search

    def may_happen(self, world: World, event: Any) -> bool:
        """A deadline may pass at any moment, whatever `timing` says: it stands for no message that was lost."""
        return (isinstance(event, Fire) and event.timer.startswith("deadline")) or super().may_happen(world, event)


def projector_of(model: str, version: int = 1, nth: int = 0) -> str:
    """The name of a projector: of its read model, with the version after the first, and a stroke for each other
    instance."""
    return f"{model}{version if version > 1 else ''}{chr(39) * nth}"
