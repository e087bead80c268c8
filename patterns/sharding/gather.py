"""Scatter and gather: a router asks every shard and answers when the slowest one has answered, or at a deadline.

Each shard also holds a copy of the next one's rows. A leg that is late is asked for a second time, at the copy: a
hedged request (Dean and Barroso, "The Tail at Scale", 2013). A budget bounds the second requests, or a slow day doubles
the load.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from patterns.engine.params import Count, Ms
from patterns.engine.process import Message, Process, on, on_request, on_timer, setting
from patterns.engine.properties import Always
from patterns.engine.simulation import Simulation
from patterns.engine.table import Table
from patterns.engine.world import Call, Request, World, WorldEvent

from .hashes import slot_of
from .query import Item, Parcel, Question, leg, merged
from .rules import RULES


class Leg(Message):
    """The question for one shard, to the shard itself or to the holder of its copy."""

    client: str
    question: Question
    shard: str


class Part(Message):
    """What one shard answers."""

    client: str
    serial: int
    shard: str
    items: tuple[Item, ...]


class Found(Message):
    """The answer. It is partial if shards are missing, and says so."""

    serial: int
    items: tuple[Item, ...]
    missing: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[str, ...]:
        """Each item with its value."""
        return tuple(f"{name} {value:g}" for name, value in self.items)


class Holder(Process, kw_only=True):
    """A shard that answers legs. Times are in ms."""

    held: tuple[tuple[str, tuple[Parcel, ...]], ...]  # its own rows, and the copy of the next one's
    work: int = setting(10)
    waiting: Table[tuple[str, Leg]] = Table()

    def leg(self, question: Question, rows: Sequence[Parcel]) -> tuple[Item, ...]:
        return leg(question, rows)

    @on(Leg)
    def asked(self, router: str, message: Leg) -> None:
        name = f"{message.client}/{message.shard}"
        self.note("G.leg", shard=message.shard, work=self.work)
        self.waiting = self.waiting.put(name, (router, message))
        self.set_timer("work", self.work, about=name)

    @on_timer("work")
    def answers(self, name: str) -> None:
        router, message = self.waiting[name]
        self.waiting = self.waiting.without(name)
        items = self.leg(message.question, dict(self.held)[message.shard])
        self.note("G.part", shard=message.shard, rows=len(items), copy=message.shard != self.id)
        self.send(router, Part(message.client, message.question.serial, message.shard, items))


class Open(Message):
    """A question under way."""

    question: Question
    parts: Table[tuple[Item, ...]] = Table()


class Gatherer(Process, kw_only=True):
    """The router. Times are in ms."""

    copies: tuple[tuple[str, str], ...]  # (shard, the one that holds its copy)
    hedge_after: int = setting(25)
    hedges: int = setting(1)
    deadline: int = setting(120)
    open: Table[Open] = Table()

    def missing(self, open: Open) -> tuple[str, ...]:
        """The shards whose parts are not in the answer: it names them."""
        return self.late(open)

    def late(self, open: Open) -> tuple[str, ...]:
        return tuple(shard for shard, _ in self.copies if shard not in open.parts)

    @on_request(Question)
    def asked(self, client: str, question: Question) -> None:
        open = Open(question)
        self.note("G.ask", client=client, question=question, shards=self.late(open))
        self.open = self.open.put(client, open)
        for shard in self.late(open):
            self.send(shard, Leg(client, question, shard))
        self.set_timer("hedge", self.hedge_after, about=client)
        self.set_timer("deadline", self.deadline, about=client)

    @on(Part)
    def part_arrives(self, sender: str, part: Part) -> None:
        open = self.open.get(part.client)
        if open is None or open.question.serial != part.serial or part.shard in open.parts:
            self.note("G.late", shard=part.shard, sender=sender)
            return
        open = Open(open.question, open.parts.put(part.shard, part.items))
        self.open = self.open.put(part.client, open)
        if late := self.late(open):
            self.note("G.more", shard=part.shard, missing=late)
        else:
            self.note("G.all", shard=part.shard, client=part.client)
            self.finish(part.client, open)

    @on_timer("hedge")
    def hedge(self, client: str) -> None:
        late = self.late(self.open[client])
        for shard in late[: self.hedges]:
            copy = dict(self.copies)[shard]
            self.note("G.hedge", shard=shard, copy=copy, after=self.hedge_after)
            self.send(copy, Leg(client, self.open[client].question, shard))
        if late[self.hedges :]:
            self.note("G.budget", shards=late[self.hedges :], hedges=self.hedges)

    @on_timer("deadline")
    def too_late(self, client: str) -> None:
        open = self.open[client]
        self.note("G.partial", client=client, missing=self.late(open), deadline=self.deadline)
        self.finish(client, open)

    def finish(self, client: str, open: Open) -> None:
        items = merged(open.question, open.parts.values())
        self.open = self.open.without(client)
        self.cancel_timer("hedge", about=client)
        self.cancel_timer("deadline", about=client)
        self.reply(client, Found(open.question.serial, items, self.missing(open)))


# Parcels at keys, by sender. A key's hash slot says on which shard it is.
SENDERS, SIZES = ("ann", "ben", "cem", "ben", "ann"), (5, 4, 4, 3, 1)
ROWS = tuple(map(Parcel, ("Tokyo", "Paris", "Lima", "Cairo", "Oslo"), SENDERS, SIZES))


class ScatterGather(Simulation):
    """Shards A, B, C behind a router G. A client asks about all of them."""

    name = "scatter_gather"
    view = "sharding"
    rules = {rule: said for rule, said in RULES.items() if rule.startswith("G.")}
    events = WorldEvent | Request[Question]
    holder: ClassVar[type[Holder]] = Holder
    gatherer: ClassVar[type[Gatherer]] = Gatherer

    class Params(Simulation.Params, frozen=True):
        questions: tuple[Question, ...] = (Question(1, "page", 2, 1),)
        """What the client asks, one after the other."""
        work: tuple[Ms, Ms, Ms] = (10, 10, 10)
        """How long each shard takes for a leg."""
        hedge_after: Ms = 40
        """When a missing leg is asked for again, at its copy."""
        hedges: Count = 1
        """How many second requests a question may cause."""
        deadline: Ms = 120
        """When the client is answered, whatever is missing."""

    params: Params

    def processes(self) -> Sequence[Process]:
        params, copies = self.params, (("A", "C"), ("B", "A"), ("C", "B"))
        of = {name: tuple(row for row in ROWS if slot_of(row.key, 3) == at) for at, name in enumerate("ABC")}
        times: dict[str, Any] = {name: getattr(params, name) for name in ("hedge_after", "hedges", "deadline")}
        made: list[Process] = [self.gatherer(id="G", copies=copies, **times)]
        for (copied, name), work in zip(sorted(copies, key=lambda pair: pair[1]), params.work, strict=True):
            made.append(self.holder(id=name, held=((name, of[name]), (copied, of[copied])), work=work))
        return made

    def requests(self, world: World) -> Iterator[Request[Any]]:
        call = world.call("Ann")
        done = 0 if call is None else self.params.questions.index(call.body) + 1 - call.waits
        if done < len(self.params.questions) and (call is None or not call.waits):
            yield Request("Ann", "G", self.params.questions[done])

    def answers(self, call: Call, reply: Any) -> bool:
        return isinstance(reply, Found) and reply.serial == call.body.serial


@Always.named("an answer is right for all shards that it does not name as missing")
def right_answer(world: World) -> str | None:
    """Compared with an answer that is worked out in one place, over the rows of all shards that are not missing."""
    for found, question in ((call.reply, call.body) for call in world.calls if isinstance(call.reply, Found)):
        every = [each for each in world.processes if isinstance(each, Holder) and each.id not in found.missing]
        rows = [row for process in every for row in dict(process.held)[process.id]]
        right = merged(question, [leg(Question(1, question.kind, len(rows)), rows)])
        if found.items != right:
            return f"{question}: the answer is {found}; right is {Found(0, right, found.missing)}"
    return None


ScatterGather.always = (right_answer,)
