"""The two sides with one rule broken: each a subclass with one small method overridden, or one parameter changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from patterns.cqrs.facts import Fact, Order, Ordered, fact_of, fold, recorded_as, stream_of
from patterns.cqrs.machine import PHONE, Cqrs, Shopper
from patterns.cqrs.messages import Accepted, Apply, Feed, Fetch, Shown
from patterns.cqrs.page import Page
from patterns.cqrs.projector import Projector
from patterns.cqrs.properties import (
    ALWAYS,
    all_level,
    counted_once,
    model_is_fold,
    never_back,
    new_version_is_live,
    no_command_twice,
    no_letter_twice,
    reads_own_writes,
    shop_of,
    stale_is_stale,
)
from patterns.cqrs.shop import Shop
from patterns.engine.planted import Bug, Search
from patterns.engine.process import durable, on, on_timer
from patterns.engine.properties import Property, Sometimes
from patterns.engine.step import Rule
from patterns.engine.table import Table
from patterns.engine.world import World
from patterns.event_sourcing.store import Recorded

# The write side


class NumbersFirst(Shop):
    """The store gives a command its position first, and commits it later: a later position can be read before it."""

    rules = {
        "W.number": Rule(
            "**{order} takes position {position}** before it commits: until then no reader sees it.",
            "wrong: a position taken before the commit is no order of visibility",
        )
    }
    taken: int = durable(0)
    open: Table[tuple[str, Order, int]] = Table()
    """The id of a command -> its client, the command, and the position that it took."""

    def append(self, client: str, order: Order, facts: tuple[Fact, ...], version: int) -> None:
        if order.id in self.open:
            return
        self.taken = max(self.taken, self.log.events[-1].position) + 1
        self.note("W.number", order=order.id, position=self.taken)
        self.open = self.open.put(order.id, (client, order, self.taken))
        self.set_timer("commit", 10, 60, about=order.id)

    @on_timer("commit")
    def commit(self, id: str) -> None:
        client, order, position = self.open[id]
        self.open = self.open.without(id)
        batch = [recorded_as(id, Ordered(order.coffee, order.bags, order.customer, id))]
        self.log, at = self.log.append(stream_of(order.coffee), batch, position=position)
        self.note("W.decided", order=id, position=at.position, version=at.version)
        self.answer(client, order, Accepted(id, at.position, at.version))


class FilterHoldsBack(Shop):
    """The store does not say how far it has looked: it searches the same events again and again."""

    def scanned(self, fetch: Fetch, seen: tuple[Recorded, ...], wanted: tuple[Recorded, ...]) -> int:
        return wanted[-1].position if wanted else fetch.after


class FilterRunsAhead(Shop):
    """The store reports the end of the log although it read only a part: the events after this part are lost."""

    def scanned(self, fetch: Fetch, seen: tuple[Recorded, ...], wanted: tuple[Recorded, ...]) -> int:
        return self.log.events[-1].position


class ShowsTheShelfAsItIsNow(Shop):
    """The projector stores the shelf as it is now, and not as it was at the event."""

    def delivered(self, event: Recorded) -> Recorded:
        fact = fact_of(event)
        if not isinstance(fact, Ordered):
            return event
        stream = self.log.stream(event.stream).events
        before = fold(fact_of(each) for each in stream if each.version < event.version)
        sold = before - self.shelf(fact.coffee)[0]
        return replace(event, data=recorded_as(event.id, replace(fact, bags=sold)).data)


# Customers


class NewIdForEachClick(Shopper):
    """A second click makes a new command: the shop cannot know that it is the same order."""

    def again(self, world: World, name: str, order: Order) -> Order | None:
        return replace(order, id=f"{name}-2")


class OrdersAgainWhenStale(Shopper):
    """A phone whose wait ended without a fresh answer orders once more, although the shop had said yes."""

    def again(self, world: World, name: str, order: Order) -> Order | None:
        phone = world.call(name + PHONE)
        stale = phone is not None and isinstance(phone.reply, Shown) and phone.reply.stale
        return replace(order, id=f"{name}-2") if stale else order


class WantsTheVersion(Shopper):
    """A phone waits for the version of the stream, which is another number than the position, and a smaller one."""

    def wanted(self, world: World, accepted: Accepted) -> int:
        return accepted.version


class WantsTheNewest(Shopper):
    """A phone waits for the newest position in the store: it waits for strangers, and calls a good answer stale."""

    def wanted(self, world: World, accepted: Accepted) -> int:
        return shop_of(world).log.events[-1].position


# Projectors


class StopsAtAnEmptyPage(Projector):
    """The new version gets an answer without an event for it, and believes that the log has ended."""

    @on(Feed)
    def write(self, shop: str, feed: Feed) -> None:
        if feed.events or self.version == 1:
            super().write(shop, feed)


class InParallel(Projector):
    """Each event is a write of its own, and several writes are on their way. The database knows how far they are."""

    @on(Feed)
    def write(self, shop: str, feed: Feed) -> None:
        after = feed.after
        for position, events in (*((event.position, (event,)) for event in feed.events), (feed.through, ())):
            if position > after:
                self.ask(self.page, Apply(self.model, self.version, after, events, position))
                after = position


# The read side


class TakesTheHighest(Page):
    """Events are written in parallel. The checkpoint is the highest position done: a late write below it is lost."""

    def may_move(self, checkpoint: int, after: int) -> bool:
        return after >= checkpoint


class OneCheckpointForAll(Page):
    """All read models have one checkpoint: the events that one has applied are skipped by the others."""

    def key(self, model: str, version: int) -> str:
        return "all"


class OneCheckpointForAllVersions(Page):
    """The checkpoint has the name of the read model and no version: a new version begins where the old one stands."""

    def key(self, model: str, version: int) -> str:
        return model


class TakesAnyWrite(Page):
    """A write does not say which checkpoint it replaces: two instances of a projector apply an event twice."""

    def may_move(self, checkpoint: int, after: int) -> bool:
        return True


class AnyProjectorWillDo(Page):
    """A query is answered as soon as any read model has the position, even if its own has not."""

    def is_fresh(self, model: str, wanted: int) -> bool:
        return max(self.checkpoints.values()) >= wanted


class CountsParkedAsApplied(Page):
    """A query counts a parked event as applied: the answer lacks it, and is not called stale."""

    def is_fresh(self, model: str, wanted: int) -> bool:
        return self.checkpoint(model) >= wanted


class ParksOneEventOnly(Page):
    """Only the unreadable event is set aside: the next one of its stream is applied before it."""

    def must_park(self, event: Recorded, unreadable: tuple[str, ...], parked: frozenset[str]) -> bool:
        return event.id in unreadable


class SwitchesAtOnce(Page):
    """Queries read the new version as soon as it has applied something."""

    def may_switch(self, old: int, new: int, began: int) -> bool:
        return True


class SwitchesAtTheMark(Page):
    """Queries read the new version when it has the events that were there when the rebuild began."""

    def may_switch(self, old: int, new: int, began: int) -> bool:
        return new >= began


class ProjectionsSendLetters(Page):
    """The projection of the orders sends the letters: a rebuild sends them again."""

    def sends_letters(self, model: str, version: int) -> bool:
        return model == "orders"


class NewMailerBeginsAtTheStart(Page):
    """A new version of the mailer begins at the first event, and not where the old one stands."""

    def first_checkpoint(self, model: str) -> int:
        return 0


# How each is found

SMALL = Cqrs(models=("orders",), coffees=("mocha",), looks=False, retries=False, timing="quiet", budget={})
"""One read model, one customer. Timers of projectors fire only when no message is on its way, and nothing fails."""
TWO = SMALL.again(coffees=("mocha", "mocha"))
CRASH = SMALL.again(budget={"crash": 1})
REBUILD = SMALL.again(rebuild="orders", limit=1, looks=True)
EVERY: tuple[Property | Sometimes, ...] = (*reversed(ALWAYS), all_level)
"""What a search watches. Of several that break in one step the first is reported: what readers notice comes first."""


def _bug(machine: Cqrs, breaks: Property | Sometimes, sentence: str = "", only: bool = False, **changes: Any) -> Bug:
    """Found by a search of this machine. The docstring of the part that is changed says what is wrong.
    `only`: nothing else is watched, because other properties break earlier."""
    sentence = sentence or " ".join(next(iter(changes.values())).__doc__.split())
    others = (*EVERY, new_version_is_live) if machine.params.rebuild else EVERY
    return Bug(sentence, changes, Search(machine, (breaks,) if only else others), breaks)


NUMBERED = CRASH.again(commit="row first", numbered=True)
ROW_FIRST = "A projector writes the row, and in a second transaction the checkpoint."
MARK_FIRST = "A projector writes the checkpoint, and in a second transaction the row."
NO_NUMBER = "The checkpoint comes after the row, and the row does not remember the position of its last event."

BUGS: Mapping[str, Bug] = {
    "the checkpoint after the row": _bug(CRASH, counted_once, ROW_FIRST, only=True, commit="row first"),
    "the checkpoint before the row": _bug(CRASH, counted_once, MARK_FIRST, only=True, commit="checkpoint first"),
    "a row does not know its last event": _bug(NUMBERED, counted_once, NO_NUMBER, only=True, numbered=False),
    "positions are taken before the commit": _bug(TWO, reads_own_writes, only=True, shop=NumbersFirst),
    "two projectors share a checkpoint": _bug(
        SMALL.again(models=("orders", "sellers")), model_is_fold, page=OneCheckpointForAll
    ),
    "two versions share a checkpoint": _bug(REBUILD, model_is_fold, page=OneCheckpointForAllVersions),
    "no compare-and-set": _bug(SMALL.again(instances=2), model_is_fold, page=TakesAnyWrite),
    "the highest of parallel writes": _bug(TWO, model_is_fold, page=TakesTheHighest, projector=InParallel),
    "waits for the newest event": _bug(TWO, stale_is_stale, shopper=WantsTheNewest),
    "waits for another projector": _bug(
        SMALL.again(models=("orders", "sellers")), reads_own_writes, page=AnyProjectorWillDo
    ),
    "waits for the version of the stream": _bug(SMALL, reads_own_writes, shopper=WantsTheVersion),
    "a parked event counts as applied": _bug(
        SMALL.again(unreadable={"orders": ("ann-1",)}), reads_own_writes, page=CountsParkedAsApplied
    ),
    "the store never says how far it looked": _bug(SMALL.again(limit=1), all_level, shop=FilterHoldsBack),
    "the store says more than it looked at": _bug(TWO.again(limit=1), model_is_fold, shop=FilterRunsAhead),
    "parks one event only": _bug(
        TWO.again(models=("shelf",), unreadable={"shelf": ("ann-1",)}), model_is_fold, page=ParksOneEventOnly
    ),
    "the rebuild stops at an empty answer": _bug(REBUILD, new_version_is_live, projector=StopsAtAnEmptyPage),
    "the switch comes too early": _bug(REBUILD, never_back, page=SwitchesAtOnce),
    "the rebuild ends at a fixed position": _bug(REBUILD, never_back, page=SwitchesAtTheMark),
    "a projection sends letters": _bug(REBUILD, no_letter_twice, page=ProjectionsSendLetters),
    "a new mailer begins at the first event": _bug(
        SMALL.again(models=("mail",), rebuild="mail"), no_letter_twice, only=True, page=NewMailerBeginsAtTheStart
    ),
    "the projector asks the write side": _bug(TWO.again(models=("shelf",)), model_is_fold, shop=ShowsTheShelfAsItIsNow),
    "a retry has a fresh id": _bug(SMALL.again(retries=True), no_command_twice, shopper=NewIdForEachClick),
    "a stale answer repeats the command": _bug(
        SMALL.again(retries=True), no_command_twice, shopper=OrdersAgainWhenStale
    ),
}
"""Title -> bug."""
