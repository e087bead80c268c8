"""Runs worth seeing. Each stands at its start: what Ann is shown, what a crash costs, how a model is rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from patterns.cqrs.facts import Order
from patterns.cqrs.machine import OPERATOR, PAGE, PHONE, SHOP, Cqrs
from patterns.cqrs.messages import Apply, At, Feed, Fetch, Rebuild, Repair, Show
from patterns.cqrs.properties import level, ordered_and_level, page_of
from patterns.engine.history import History
from patterns.engine.milestones import fired, on_its_way, when
from patterns.engine.script import Script

Run = History[Any, Any]


def looks(run: Script, wanted: int = 0, name: str = "ann", model: str = "orders") -> Script:
    """A customer's phone asks for the list of her orders, with this position in it or not."""
    return run.ask(name + PHONE, Show(model, name, wanted), to=PAGE)


def ended(run: Script) -> Run:
    """The run, played until all projectors wait for news; it stands at its start."""
    if not level(run.world) or run.world.packets:
        run.until(when(lambda world: level(world) and not world.packets))
    return run.at("start").history


def reloads() -> Run:
    """Ann orders, and Bob after her. Her phone shows an empty list. She asks for the position of her own order: the
    query waits, her projector writes, and she is shown her order."""
    run = looks(Script(Cqrs(coffees=("mocha", "java"), latency=(10, 10))).ask("ann").ask("bob"))
    looks(run, 3).deliver(Feed, to="orders").deliver(Apply, sender="orders")
    return run.until(when(lambda world: min(page_of(world).checkpoints.values()) == 3)).at("start").history


def stale() -> Run:
    """The projector of the orders is paused. Ann's query waits until its deadline, and its answer says so."""
    run = Script(Cqrs(models=("orders", "sellers"))).pause("orders").ask("ann").ask("bob")
    return ended(looks(run, 2).until(fired("R.stale")).resume("orders"))


def crashed(**params: Any) -> Run:
    """The projector of the bestsellers crashes after the first of its writes; if it has one write, after that."""
    run = Script(Cqrs(models=("sellers",), **params)).ask("ann").until(fired("R.write", "R.rows", "R.mark"))
    run.crash("sellers").settle().restart("sellers")
    return ended(run.until(on_its_way(Fetch)).settle())


def clicks_twice() -> Run:
    """Ann clicks twice: the second command has the same id. Bob's command has her id by mistake, and is refused."""
    run = Script(Cqrs(models=("orders",))).ask("ann").ask("ann")
    return ended(run.ask("bob", Order("ann-1", "bob", "mocha"), to=SHOP).until(when(ordered_and_level)))


def declined() -> Run:
    """One bag is left. Ann gets it. Bob's command decides nothing: it has no position, and no phone waits for it."""
    run = Script(Cqrs(models=("orders",), bags=1)).ask("ann").ask("bob").ask("bob")
    return ended(looks(run, 0, "bob").until(when(ordered_and_level)))


def parked(**params: Any) -> Run:
    """The shelf's projector cannot read Ann's order. It is parked, and so is Bob's behind it, because it is of the same
    shelf. Cho's order is of another shelf, and is applied. The projector is repaired, and both are applied in order."""
    given: dict[str, Any] = {"models": ("shelf",), "coffees": ("mocha", "mocha", "java"), "latency": (10, 10)}
    run = Script(Cqrs(**{**given, "unreadable": {"shelf": ("ann-1",)}, **params})).ask("ann").ask("bob").ask("cho")
    run.until(fired("R.park")).until(on_its_way(Fetch)).until(when(lambda world: not world.packets))
    return ended(run.ask(OPERATOR, Repair))


def rebuilt() -> Run:
    """The list of orders gets a column. Its second version is filled from the first event on, while orders go on. It
    is read when it is level. The mailer sends no letter again."""
    machine = Cqrs(models=("orders", "mail"), coffees=("mocha", "java", "mocha"), rebuild="orders", limit=2)
    run = Script(machine).ask("ann").until(when(ordered_and_level)).settle().ask(OPERATOR, Rebuild)
    run = looks(run.until(fired("R.create")).ask("bob")).until(fired("R.write", version=2)).ask("cho")
    return ended(looks(run.until(fired("R.switch"))))


def new_mailer() -> Run:
    """The mailer gets a new version. It goes on where the old one ends, and the old one stops."""
    run = Script(Cqrs(models=("mail",), rebuild="mail")).ask("ann").until(when(ordered_and_level)).settle()
    return ended(run.ask(OPERATOR, Rebuild).until(fired("R.create")).ask("bob").until(fired("R.retire")))


def two_instances() -> Run:
    """Two instances of one projector write the same event. The second write says which checkpoint it replaces."""
    return ended(Script(Cqrs(models=("sellers",), instances=2)).ask("ann").until(fired("R.refuse")))


def answer_lost() -> Run:
    """The page has written, and its answer is lost. The projector asks where its read model stands."""
    run = Script(Cqrs(models=("orders",))).ask("ann").until(fired("R.write")).lose(At)
    return ended(run.until(fired("P.again")))


def two_on_a_page() -> Run:
    """Ann's page shows her orders and the bestsellers, which stand at two positions. Then it wants both at her own."""
    run = Script(Cqrs(models=("orders", "sellers"))).ask("ann").deliver(Feed, to="orders")
    run = looks(run.deliver(Apply, sender="orders"), 2)
    for wanted in (0, 2):
        run.ask(f"ann{PHONE}", Show("sellers", "mocha", wanted), to=PAGE)
    return ended(run.until(fired("R.write", model="sellers")))


GALLERY: Mapping[str, Callable[[], Run]] = {
    "Ann orders, and looks at her list": reloads,
    "One page shows two read models, at two positions": two_on_a_page,
    "A query waits until its deadline": stale,
    "Row first, then a crash": partial(crashed, commit="row first"),
    "Checkpoint first, then a crash": partial(crashed, commit="checkpoint first"),
    "One transaction, then a crash": crashed,
    "Row first, and the row knows its last event: counted once": partial(crashed, commit="row first", numbered=True),
    "A double click sends one command twice": clicks_twice,
    "A command is declined and has no position": declined,
    "An event cannot be read": parked,
    "An event cannot be read at the third try either": partial(parked, tries=3),
    "A new version is filled beside the old one": rebuilt,
    "A new mailer goes on where the old one ends": new_mailer,
    "Two instances write, and one write is refused": two_instances,
    "An answer is lost, and the projector asks again": answer_lost,
}
"""Title -> run."""
