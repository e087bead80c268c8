"""The commit protocols as simulations: a coordinator C, banks P1, P2, ... as participants, clients that transfer money.

A handler's write and its messages are one step here: a process is never caught between the two. A crash after the
write and before the messages left is the same as a crash, and the loss of the messages; a crash in the middle of
sending is the loss of some. So a search that is to see a crash at *any* step needs a budget of crashes and of drops.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from msgspec.structs import replace

from patterns.engine.choices import is_lost
from patterns.engine.process import Process
from patterns.engine.simulation import Simulation
from patterns.engine.world import Call, Drop, Fire, Request, Restart, World, WorldEvent

from .coordinator import Coordinator
from .doubt import is_spent
from .lesson.milestones import MILESTONES
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
TIMINGS: Mapping[str, str] = {
    "asynchronous": "Any message may be late and any timer may run out at any moment.",
    "patient": "A process's timer runs out only when no message is on its way to it or from it.",
    "quiet": "A timer runs out only when no message at all is on its way: silence is a loss or a crash.",
    "synchronous": "As quiet, and a message is lost only when its sender has crashed, in the middle of sending, or a "
    "cut is in its way: the assumption of three-phase commit.",
}
"""Parameter `timing` -> what a search takes for granted."""


class Protocol(NamedTuple):
    """Who runs in it."""

    title: str
    coordinator: type[Coordinator]
    participant: type[Participant]


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

    name = "two_phase_commit"
    rules = RULES
    events = WorldEvent | Request[Transfer]
    milestones = MILESTONES
    always = ALWAYS
    coordinator: ClassVar[type[Coordinator] | None] = None
    """What runs instead of the protocol's coordinator: one with a rule of its own, or a learner's."""
    participant: ClassVar[type[Participant] | None] = None
    """What runs instead of the protocol's participants."""

    def __init__(
        self,
        *,
        n: int = 3,
        protocol: str = "basic",
        transfers: Sequence[Mapping[str, int]] | None = None,
        balance: int = 100,
        cooperative: bool = True,
        vote_timeout: int = 60,
        ack_timeout: int = 60,
        doubt_timeout: int = 90,
        lock_timeout: int = 90,
        retries: bool = True,
        crash_stop: bool = False,
        timing: str = "asynchronous",
        **network: Any,
    ) -> None:
        """`n` participants P1, P2, ...; P1 has ann's account, P2 bob's, ..., each with `balance` at first. `transfers`
        are offered as T1, T2, ..., each by a client of its own: customer -> amount, with 0 for who is only read; None
        for two that want the same rows. `cooperative`: participants know of one another and ask each other in doubt.
        `retries`: a client that waits may ask again. `crash_stop`: who crashes never comes back.

        `timing` is what a search takes for granted, see `TIMINGS`; it changes nothing in a run, where all happens when
        it is due.

        Raises ValueError for what cannot be, TypeError for what is no number, no truth value, or no list of transfers.
        """
        super().__init__(**network)
        self.timeouts = {
            "vote_timeout": vote_timeout,
            "ack_timeout": ack_timeout,
            "doubt_timeout": doubt_timeout,
            "lock_timeout": lock_timeout,
        }
        for name, number in {"n": n, "balance": balance, **self.timeouts}.items():
            if not isinstance(number, int):
                raise TypeError(f"{name} is {number!r}; allowed are whole numbers")
        for name, flag in {"cooperative": cooperative, "retries": retries, "crash_stop": crash_stop}.items():
            if not isinstance(flag, bool):
                raise TypeError(f"{name} is {flag!r}; allowed are True and False")
        if not 1 <= n <= len(CUSTOMERS):
            raise ValueError(f"n is {n}; allowed are 1 to {len(CUSTOMERS)} participants")
        if protocol not in PROTOCOLS:
            raise ValueError(f"protocol is {protocol!r}; allowed are {', '.join(PROTOCOLS)}")
        if protocol == "three_phase" and not cooperative:
            raise ValueError("cooperative is False; in three-phase commit participants must know one another: True")
        if timing not in TIMINGS:
            raise ValueError(f"timing is {timing!r}; allowed are {', '.join(TIMINGS)}")
        if balance < 0:
            raise ValueError(f"balance is {balance}; it must not be negative")
        for name, timeout in self.timeouts.items():
            if timeout < 1:
                raise ValueError(f"{name} is {timeout} ms; it must be at least 1 ms")
        self.n, self.protocol, self.balance, self.cooperative = n, protocol, balance, cooperative
        self.retries, self.crash_stop, self.timing = retries, crash_stop, timing
        self.customers = CUSTOMERS[:n]
        offered = usual_transfers(n) if transfers is None else transfers
        if isinstance(offered, Mapping) or not isinstance(offered, Sequence):
            raise TypeError(f"transfers is {offered!r}; allowed is a list, as [{{'ann': -40, 'bob': 40}}]")
        if len(offered) > MOST_CLIENTS:
            raise ValueError(f"transfers has {len(offered)}; allowed are up to {MOST_CLIENTS}, one for each client")
        self.transfers = tuple(self.transfer(number, amounts) for number, amounts in enumerate(offered, 1))

    def transfer(self, number: int, amounts: Mapping[str, int]) -> Transfer:
        """The request for transaction T`number`. Raises ValueError or TypeError for what cannot be."""
        if not isinstance(amounts, Mapping):
            raise TypeError(f"transfers has {amounts!r}; allowed is customer -> amount, as {{'ann': -40, 'bob': 40}}")
        for customer, amount in amounts.items():
            if customer not in self.customers:
                raise ValueError(f"transfers has {customer!r}; the customers are {', '.join(self.customers)}")
            if not isinstance(amount, int):
                raise TypeError(f"transfers has {customer!r}: {amount!r}; allowed are whole numbers")
        moves = tuple(Move(bank(self.customers.index(who)), who, amount) for who, amount in amounts.items())
        return Transfer(f"T{number}", moves)

    @property
    def params(self) -> dict[str, Any]:
        return {
            **super().params,
            "n": self.n,
            "protocol": self.protocol,
            "transfers": [{move.account: move.amount for move in transfer.moves} for transfer in self.transfers],
            "balance": self.balance,
            "cooperative": self.cooperative,
            **self.timeouts,
            "retries": self.retries,
            "crash_stop": self.crash_stop,
            "timing": self.timing,
        }

    def processes(self) -> Sequence[Process]:
        of = PROTOCOLS[self.protocol]
        coordinator, participant = self.coordinator or of.coordinator, self.participant or of.participant
        names = tuple(bank(at) for at in range(self.n))
        times = self.timeouts
        return [
            coordinator(
                id=COORDINATOR,
                participants=names,
                cooperative=self.cooperative,
                vote_timeout=times["vote_timeout"],
                ack_timeout=times["ack_timeout"],
            ),
            *(
                participant(
                    id=name,
                    coordinator=COORDINATOR,
                    accounts=(Account(customer, self.balance),),
                    doubt_timeout=times["doubt_timeout"],
                    lock_timeout=times["lock_timeout"],
                )
                for name, customer in zip(names, self.customers, strict=True)
            ),
        ]

    # Clients

    def requests(self, world: World) -> Iterator[Request[Any]]:
        """Each client asks for its transfer once, and while it waits for the answer again, if it may."""
        for at, transfer in enumerate(self.transfers):
            call = world.call(client(at))
            if call is None or (self.retries and call.waits):
                yield Request(client(at), COORDINATOR, transfer)

    def answers(self, call: Call, reply: Any) -> bool:
        return isinstance(reply, Done) and reply.txn == call.body.txn

    # Repair

    def why_not(self, world: World, event: Any) -> str:
        if self.crash_stop and isinstance(event, Restart) and event.process in world.down:
            return f"{event.process} has crashed for good"
        return super().why_not(world, event)

    def repairs(self, world: World) -> Iterator[Any]:
        return (event for event in super().repairs(world) if not (self.crash_stop and isinstance(event, Restart)))

    # For a search

    def enabled(self, world: World, group: str = "") -> Iterator[Any]:
        world = world if group else without_spent(world)
        for event in super().enabled(world, group):
            if group or not isinstance(event, Fire | Drop):
                yield event
            elif isinstance(event, Fire):
                if self.may_fire(world, event):
                    yield event
            elif self.may_be_lost(world, event):
                yield event

    def may_fire(self, world: World, fire: Fire) -> bool:
        who = fire.process
        match self.timing:
            case "synchronous" | "quiet":
                return not world.packets
            case "patient":
                return not any(who in (packet.sender, packet.to) for packet in world.packets)
        # What it would send again is still on its way, or has come to a second copy: a third shows nothing new.
        again = {"acks": (Commit, Abort, Ack), "doubt": ASKING, "recover": ASKING}.get(fire.timer, ())
        own = [packet for packet in world.packets if who in (packet.sender, packet.to)]
        told = sum(packet.to == who and isinstance(packet.body, Commit | Abort) for packet in own)
        return told < 2 and not any(isinstance(packet.body, again) for packet in own)

    def may_be_lost(self, world: World, drop: Drop) -> bool:
        packet = world.packet(drop.id)
        assert packet is not None
        return self.timing != "synchronous" or is_lost(world, packet) or packet.sender in world.down

    def key(self, world: World) -> Hashable:
        """As every world's, without what no rule reads any more: messages that can change nothing, since when somebody
        waits, and votes once counted."""
        return super().key(replace(without_spent(world), processes=tuple(map(_essence, world.processes))))


def without_spent(world: World) -> World:
    """The world without the messages that can change nothing."""
    live = tuple(packet for packet in world.packets if not is_spent(world, packet))
    return world if len(live) == len(world.packets) else replace(world, packets=live)


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
