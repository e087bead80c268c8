"""The commit protocols as simulations: a coordinator C, banks P1, P2, ... as participants, clients that transfer money.

A handler's write and its messages are one step here: a process is never caught between the two. A crash after the
write and before the messages left is the same as a crash, and the loss of the messages; a crash in the middle of
sending is the loss of some. So a search that is to see a crash at *any* step needs a budget of crashes and of drops.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from msgspec import Meta
from msgspec.structs import replace

from patterns.engine.params import Count, Ms, refuse
from patterns.engine.process import Process
from patterns.engine.simulation import Simulation
from patterns.engine.world import Call, Fire, Packet, Request, World, WorldEvent

from .coordinator import Coordinator
from .doubt import is_spent
from .log import Account
from .messages import Abort, Ack, Commit, Done, InDoubt, Inquiry, Move, StateReport, StateRequest, Transfer
from .participant import Participant
from .presumed import (
    PresumedAbortCoordinator,
    PresumedAbortParticipant,
    PresumedAbortReader,
    PresumedCommitCoordinator,
    PresumedCommitParticipant,
    PresumedCommitReader,
)
from .properties import ALWAYS
from .rules import RULES
from .three_phase import ThreePhaseCoordinator, ThreePhaseParticipant

CUSTOMERS = ("ann", "bob", "cho", "dan", "eve", "fay", "gus", "hal", "ivy")
COORDINATOR = "C"
MOST_CLIENTS = 26  # A to Z

ASKING = (Inquiry, InDoubt, StateRequest, StateReport)


class Protocol(NamedTuple):
    """Who runs in it."""

    title: str
    coordinator: type[Coordinator]
    participant: type[Participant]


ProtocolName = Literal[
    "basic", "presumed_abort", "presumed_commit", "read_only", "presumed_commit_read_only", "three_phase"
]
PROTOCOLS: Mapping[str, Protocol] = {
    "basic": Protocol("two-phase commit", Coordinator, Participant),
    "presumed_abort": Protocol("presumed abort", PresumedAbortCoordinator, PresumedAbortParticipant),
    "presumed_commit": Protocol("presumed commit", PresumedCommitCoordinator, PresumedCommitParticipant),
    "read_only": Protocol("presumed abort, read-only votes", PresumedAbortCoordinator, PresumedAbortReader),
    "presumed_commit_read_only": Protocol(
        "presumed commit, read-only votes", PresumedCommitCoordinator, PresumedCommitReader
    ),
    "three_phase": Protocol("three-phase commit", ThreePhaseCoordinator, ThreePhaseParticipant),
}
"""Parameter `protocol` -> what runs."""


class TwoPhaseCommit(Simulation):
    """A coordinator and participants, each with an account of one customer.

    Clients A, B, ... ask for transfers, one each. Times are in ms.
    """

    name = view = "two_phase_commit"
    rules = RULES
    events = WorldEvent | Request[Transfer]
    always = ALWAYS
    coordinator: ClassVar[type[Coordinator] | None] = None
    """What runs instead of the protocol's coordinator: one with a rule of its own, or a learner's."""
    participant: ClassVar[type[Participant] | None] = None
    """What runs instead of the protocol's participants."""

    class Params(Simulation.Params, frozen=True):
        n: Annotated[int, Meta(ge=1, le=9)] = 3
        """How many participants there are: P1 with ann's account, P2 with bob's, ..."""
        protocol: ProtocolName = "basic"
        """Which protocol runs, see `PROTOCOLS`."""
        transfers: Annotated[tuple[dict[str, int], ...], Meta(max_length=MOST_CLIENTS)] | None = None
        """The transfers T1, T2, ..., each by a client of its own: customer -> amount, 0 for a customer who is only
        read. None for two transfers that want the same rows."""
        balance: Count = 100
        """What each account holds at first."""
        cooperative: bool = True
        """Participants know of one another, and ask each other in doubt."""
        vote_timeout: Ms = 60
        """How long the coordinator waits for votes."""
        ack_timeout: Ms = 60
        """How long it waits for acknowledgements."""
        doubt_timeout: Ms = 90
        """How long a participant in doubt waits before it asks."""
        lock_timeout: Ms = 90
        """How long a participant waits for a lock."""
        retries: bool = True
        """A client that waits may ask again."""

        def __post_init__(self) -> None:
            super().__post_init__()
            if self.protocol == "three_phase" and not self.cooperative:
                refuse("cooperative", False, "True: in three-phase commit participants must know one another")
            for at, amounts in enumerate(self.transfers or ()):
                for customer in amounts:
                    if customer not in CUSTOMERS[: self.n]:
                        refuse(f"a customer in transfers[{at}]", customer, ", ".join(CUSTOMERS[: self.n]))

    params: Params

    @property
    def transfers(self) -> tuple[Transfer, ...]:
        """The requests for transactions T1, T2, ..."""
        given = self.params.transfers
        offered = usual_transfers(self.params.n) if given is None else given
        return tuple(
            Transfer(f"T{number}", tuple(Move(bank(CUSTOMERS.index(who)), who, by) for who, by in amounts.items()))
            for number, amounts in enumerate(offered, 1)
        )

    def processes(self) -> Sequence[Process]:
        given = self.params
        of = PROTOCOLS[given.protocol]
        coordinator, participant = self.coordinator or of.coordinator, self.participant or of.participant
        names = tuple(bank(at) for at in range(given.n))
        return [
            coordinator(
                id=COORDINATOR,
                participants=names,
                cooperative=given.cooperative,
                vote_timeout=given.vote_timeout,
                ack_timeout=given.ack_timeout,
            ),
            *(
                participant(
                    id=name,
                    coordinator=COORDINATOR,
                    accounts=(Account(customer, given.balance),),
                    doubt_timeout=given.doubt_timeout,
                    lock_timeout=given.lock_timeout,
                )
                for name, customer in zip(names, CUSTOMERS, strict=False)
            ),
        ]

    # Clients

    def requests(self, world: World) -> Iterator[Request[Any]]:
        """Each client asks for its transfer once, and while it waits for the answer again, if it may."""
        for at, transfer in enumerate(self.transfers):
            call = world.call(client(at))
            if call is None or (self.params.retries and call.waits):
                yield Request(client(at), COORDINATOR, transfer)

    def answers(self, call: Call, reply: Any) -> bool:
        return isinstance(reply, Done) and reply.txn == call.body.txn

    # For a search

    def spent(self, world: World, packet: Packet) -> bool:
        return is_spent(world, packet)

    def may_happen(self, world: World, event: Any) -> bool:
        """What a process would send again is not sent while it is on its way, or has come to a second copy: a third
        shows nothing new."""
        if self.params.timing != "asynchronous" or not isinstance(event, Fire):
            return super().may_happen(world, event)
        who = event.process
        again = {"acks": (Commit, Abort, Ack), "doubt": ASKING, "recover": ASKING}.get(event.timer, ())
        own = [packet for packet in world.packets if who in (packet.sender, packet.to)]
        told = sum(packet.to == who and isinstance(packet.body, Commit | Abort) for packet in own)
        return told < 2 and not any(isinstance(packet.body, again) for packet in own)

    def key(self, world: World) -> Hashable:
        """As every world's, without what no rule reads any more: messages that can change nothing, since when somebody
        waits, and votes once counted."""
        world = self.without_spent(world)
        return super().key(replace(world, processes=tuple(map(_essence, world.processes))))


def _essence(process: Process) -> Process:
    if isinstance(process, Participant) and any(branch.since for branch in process.branches):
        return replace(process, branches=tuple(replace(branch, since=0) for branch in process.branches))
    if isinstance(process, Coordinator) and any(open.votes and open.outcome for open in process.open):
        return replace(
            process,
            open=tuple(replace(open, votes=(), client="") if open.outcome else open for open in process.open),
        )
    return process


def usual_transfers(n: int) -> Sequence[Mapping[str, int]]:
    """Two that want the same rows."""
    if n == 1:
        return ({"ann": 0}, {"ann": 0})
    if n == 2:
        return ({"ann": -40, "bob": 40}, {"bob": -30, "ann": 30})
    return ({"ann": -40, "bob": 20, "cho": 20}, {"bob": -30, "cho": 30})


def bank(at: int) -> str:
    """The participant's name."""
    return f"P{at + 1}"


def client(at: int) -> str:
    """The client's name."""
    return chr(ord("A") + at)
