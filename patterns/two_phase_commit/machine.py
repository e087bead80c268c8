"""The commit protocols as simulations: a coordinator C, banks P1, P2, ... as participants, clients that transfer money.

A handler's write and its messages are one step here. A crash after the write and before the messages is a crash and the
loss of the messages. A crash in the middle of sending is a crash and the loss of some messages. So a search that is to
see a crash at *any* step needs a budget of crashes and of drops.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, get_args

from msgspec import Meta
from msgspec.structs import replace

from patterns.engine.params import Count, Ms, refuse
from patterns.engine.process import Process
from patterns.engine.simulation import Simulation
from patterns.engine.table import Table
from patterns.engine.world import Call, Fire, Packet, Request, World, WorldEvent

from .coordinator import Coordinator, Open
from .log import Account
from .messages import (
    Abort,
    Ack,
    Commit,
    Decide,
    Done,
    InDoubt,
    Inquiry,
    LoseDisk,
    Move,
    NameTaken,
    Obeyed,
    Outcome,
    StateReport,
    StateRequest,
    Transfer,
)
from .participant import Participant
from .presumed import (
    PresumedAbortCoordinator,
    PresumedAbortParticipant,
    PresumedAbortReader,
    PresumedCommitCoordinator,
    PresumedCommitParticipant,
)
from .properties import ALWAYS
from .readings import coordinator, in_doubt, is_spent
from .rules import RULES
from .three_phase import ThreePhaseCoordinator, ThreePhaseParticipant

CUSTOMERS = ("ann", "bob", "cho", "dan", "eve", "fay", "gus", "hal", "ivy")
COORDINATOR = "C"
OPERATOR = "operator"
MOST_CLIENTS = 26  # A to Z
ASKING = (Inquiry, InDoubt, StateRequest, StateReport)
SENT_AGAIN: Mapping[str, tuple[type, ...]] = {"acks": (Commit, Abort, Ack), "doubt": ASKING, "recover": ASKING}
"""Timer -> the messages that its process sends again when the timer fires, and their answers."""

ProtocolName = Literal["basic", "presumed_abort", "presumed_commit", "read_only", "three_phase"]


class Protocol(NamedTuple):
    """The processes of a protocol."""

    title: str
    coordinator: type[Coordinator]
    participant: type[Participant]


PROTOCOLS: Mapping[str, Protocol] = {
    "basic": Protocol("two-phase commit", Coordinator, Participant),
    "presumed_abort": Protocol("presumed abort", PresumedAbortCoordinator, PresumedAbortParticipant),
    "presumed_commit": Protocol("presumed commit", PresumedCommitCoordinator, PresumedCommitParticipant),
    "read_only": Protocol("presumed abort, read-only votes", PresumedAbortCoordinator, PresumedAbortReader),
    "three_phase": Protocol("three-phase commit", ThreePhaseCoordinator, ThreePhaseParticipant),
}
"""Parameter `protocol` -> what runs."""


class TwoPhaseCommit(Simulation):
    """A coordinator and participants, each with an account of one customer.

    Clients A, B, ... ask for transfers, one each.
    """

    name = view = "two_phase_commit"
    rules = RULES
    events = WorldEvent | Request[Transfer | Decide | LoseDisk]
    always = ALWAYS
    coordinator: ClassVar[type[Coordinator] | None] = None
    """What runs instead of the protocol's coordinator: one with a rule of its own, or a learner's."""
    participant: ClassVar[type[Participant] | None] = None
    """What runs instead of the protocol's participants."""

    class Params(Simulation.Params, frozen=True):
        n: Annotated[int, Meta(ge=1, le=len(CUSTOMERS), extra={"unit": "participants"})] = 3
        """How many participants there are: P1 has ann's account, P2 bob's, ..."""
        protocol: ProtocolName = "basic"
        """Which commit protocol runs."""
        transfers: tuple[dict[str, int], ...] | None = None
        """The transfers T1, T2, ... that clients A, B, ... ask for: customer -> amount, 0 for an account that is only
        read. None: two transfers that need the same accounts."""
        balance: Count = 100
        """How much money each account holds at first."""
        cooperative: bool = True
        """Participants know one another, and a participant in doubt asks the others too."""
        operator: bool = False
        """An operator may decide by hand for a participant in doubt, and the coordinator's disk may fail."""
        vote_timeout: Ms = 60
        """How long the coordinator waits for votes."""
        ack_timeout: Ms = 60
        """How long the coordinator waits for acknowledgements before it sends the decision again."""
        doubt_timeout: Ms = 90
        """How long a participant is in doubt before it asks, and before it asks again."""
        lock_timeout: Ms = 90
        """How long a transaction waits for a lock before it is aborted."""
        retries: bool = True
        """A client that waits may ask again."""

        def check(self) -> None:
            if self.protocol == "three_phase" and not self.cooperative:
                refuse("cooperative", False, "True in three-phase commit: its participants must know one another")
            if len(self.transfers or ()) > MOST_CLIENTS:
                refuse("transfers", self.transfers, f"up to {MOST_CLIENTS} transfers, one for each client")
            for at, amounts in enumerate(self.transfers or ()):
                if not amounts or amounts.keys() - set(self.customers):
                    refuse(f"transfers[{at}]", amounts, f"an amount for each of some of {', '.join(self.customers)}")
                if sum(amounts.values()):
                    refuse(f"transfers[{at}]", amounts, "amounts that add up to 0")

        @property
        def customers(self) -> tuple[str, ...]:
            return CUSTOMERS[: self.n]

    params: Params

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        transfers = self.params.transfers
        offered = usual_transfers(self.params.n) if transfers is None else transfers
        self.transfers = tuple(transfer(number, amounts) for number, amounts in enumerate(offered, 1))

    def processes(self) -> Sequence[Process]:
        params, of = self.params, PROTOCOLS[self.params.protocol]
        coordinator, participant = self.coordinator or of.coordinator, self.participant or of.participant
        return [
            coordinator(
                id=COORDINATOR,
                participants=tuple(map(bank, params.customers)),
                cooperative=params.cooperative,
                vote_timeout=params.vote_timeout,
                ack_timeout=params.ack_timeout,
            ),
            *(
                participant(
                    id=bank(customer),
                    coordinator=COORDINATOR,
                    accounts=(Account(customer, params.balance),),
                    doubt_timeout=params.doubt_timeout,
                    lock_timeout=params.lock_timeout,
                )
                for customer in params.customers
            ),
        ]

    # Clients

    def requests(self, world: World) -> Iterator[Request[Any]]:
        """Each client asks for its transfer once, and while it waits for the answer again, if it may."""
        for at, body in enumerate(self.transfers):
            call = world.call(client(at))
            if call is None or (self.params.retries and call.waits):
                yield Request(client(at), COORDINATOR, body)
        if self.params.operator:
            yield from self.orders(world)

    def orders(self, world: World) -> Iterator[Request[Any]]:
        """What an operator may do by hand."""
        if coordinator(world).log:
            yield Request(OPERATOR, COORDINATOR, LoseDisk())
        for doubt in in_doubt(world):
            yield from (Request(OPERATOR, doubt.participant, Decide(doubt.txn, each)) for each in get_args(Outcome))

    def answers(self, call: Call, reply: Any) -> bool:
        if call.client == OPERATOR:
            return isinstance(reply, Obeyed)
        return isinstance(reply, Done | NameTaken) and reply.serial == call.body.serial

    # For a search

    def may_happen(self, world: World, event: Any) -> bool:
        may = super().may_happen(world, event)
        if may and isinstance(event, Fire) and self.params.timing == "asynchronous":
            return not _sends_the_same(world, event)
        return may

    def spent(self, world: World, packet: Packet) -> bool:
        return is_spent(world, packet)

    def key(self, world: World) -> Hashable:
        """The world's key without what no rule reads any more."""
        return super().key(replace(world, processes=tuple(map(_essence, world.processes))))


def _sends_the_same(world: World, fire: Fire) -> bool:
    """Whether what the timer would send again is still on its way, or has come to a second copy: a third copy shows
    nothing new."""
    timer, _, txn = fire.timer.partition(":")
    own = [p for p in world.packets if fire.process in (p.sender, p.to) and p.body.txn == txn]
    told = sum(packet.to == fire.process and isinstance(packet.body, Commit | Abort) for packet in own)
    return told > 1 or any(isinstance(packet.body, SENT_AGAIN.get(timer, ())) for packet in own)


def _essence(process: Process) -> Process:
    """The process without what is only shown: since when it waits, which records waited, votes once counted, and
    of a decided transaction what its record says."""
    if isinstance(process, Participant):
        branches = Table(tuple((txn, replace(branch, since=0)) for txn, branch in process.branches))
        return replace(process, waited=frozenset(), branches=branches)
    if isinstance(process, Coordinator):
        open = Table(tuple((txn, _counted(each)) for txn, each in process.open))
        return replace(process, waited=frozenset(), open=open)
    return process


def _counted(open: Open) -> Open:
    return replace(open, votes=Table(), clients=(), moves=()) if open.votes and open.outcome else open


def usual_transfers(n: int) -> Sequence[Mapping[str, int]]:
    """Two transfers that need the same accounts."""
    if n == 1:
        return ({"ann": 0}, {"ann": 0})
    if n == 2:
        return ({"ann": -40, "bob": 40}, {"bob": -30, "ann": 30})
    return ({"ann": -40, "bob": 20, "cho": 20}, {"bob": -30, "cho": 30})


def transfer(number: int, amounts: Mapping[str, int]) -> Transfer:
    """The request for transaction T`number`."""
    return Transfer(f"T{number}", tuple(Move(bank(name), name, amount) for name, amount in amounts.items()))


def bank(customer: str) -> str:
    """The participant that has the customer's account."""
    return f"P{CUSTOMERS.index(customer) + 1}"


def client(at: int) -> str:
    """The name of the client that asks for transfer T`at + 1`."""
    return ascii_uppercase[at]
