"""Runs worth seeing, as histories that stand at their start: what sagas do, in both styles, and what befalls them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from patterns.engine.history import History
from patterns.engine.scripted import Run, to_the_end, until
from patterns.engine.simulation import Simulation
from patterns.engine.world import Crash, Delay, Drop, Duplicate, Request, Restart
from patterns.saga.machines import CHOREOGRAPHED, OPERATOR, ORCHESTRATED, SagaMachine
from patterns.saga.messages import Begin, Do, Done, Repair

from .isolation import ANOMALIES
from .milestones import fired


def begun(machine: Simulation, clients: Sequence[str] = ("A",)) -> Run:
    """A run in which these clients have just asked for their sagas."""
    run = History(machine)
    for client in clients:
        run.apply(next(request for request in machine.requests(run.state) if request.client == client))
    return run


def on_its_way(run: Run, kind: type, step: str) -> int:
    """The message of this type about this step: run until it is sent."""

    def ids() -> list[int]:
        return [p.id for p in run.state.packets if isinstance(p.body, kind) and getattr(p.body, "step", "") == step]

    if not ids():
        until(run, lambda _: ids())
    return ids()[0]


# Everything as it should be, and turning back


def completes(style: str = ORCHESTRATED, seed: int = 0) -> Run:
    """Reserve, charge, approve, ship: every step is done."""
    return to_the_end(begun(SagaMachine(style=style, seed=seed)))


def declined(style: str = ORCHESTRATED, seed: int = 0) -> Run:
    """The card is declined: what was reserved goes back."""
    return to_the_end(begun(SagaMachine(style=style, refuse=("charge",), seed=seed)))


def not_approved(style: str = ORCHESTRATED, seed: int = 0) -> Run:
    """The pivot is refused: two steps are undone, the last one first."""
    return to_the_end(begun(SagaMachine(style=style, refuse=("approve",), seed=seed)))


def forward(style: str = ORCHESTRATED, seed: int = 0) -> Run:
    """Past the pivot shipping fails twice: there is no way back, so it is tried until it works."""
    return to_the_end(begun(SagaMachine(style=style, fails={"ship": 2}, seed=seed)))


def parallel(style: str = ORCHESTRATED, refuse: Sequence[str] = (), seed: int = 0) -> Run:
    """A flight and a room at the same time; paid when both are there."""
    return to_the_end(begun(SagaMachine(sagas=("trip",), style=style, refuse=refuse, seed=seed)))


# Faults


def orchestrator_crashes(seed: int = 0) -> Run:
    """The orchestrator crashes while the card is charged; the answer is lost. It reads its log, and asks again."""
    run = begun(SagaMachine(seed=seed))
    until(run, fired("S.do"))
    until(run, lambda step: any(isinstance(p.body, Done) and p.body.step == "charge" for p in step.state.packets))
    run.apply(Crash("orchestrator"))
    run.apply(Drop(on_its_way(run, Done, "charge")))
    run.apply(Restart("orchestrator"))
    return to_the_end(run)


def service_crashes(style: str = ORCHESTRATED, seed: int = 0) -> Run:
    """Payment crashes when it has charged the card and told nobody; what it did is on its disk."""
    run = begun(SagaMachine(style=style, seed=seed))
    until(run, lambda step: any(note.rule == "S.do" and note.values["step"] == "charge" for note in step.notes))
    run.apply(Crash("payment"))
    for packet in run.state.packets:  # it wrote, and crashed before anything left
        if packet.sender == "payment":
            run.apply(Drop(packet.id))
    run.apply(Restart("payment"))
    return to_the_end(run)


def duplicated(seed: int = 0) -> Run:
    """The request to charge the card arrives twice: the second time nothing is done."""
    run = begun(SagaMachine(seed=seed))
    run.apply(Duplicate(on_its_way(run, Do, "charge")))
    return to_the_end(run)


def client_retries(style: str = ORCHESTRATED, seed: int = 0) -> Run:
    """The client asks again while its saga is under way, and once more when it has ended, as if the answer had been
    lost: it stays one saga."""
    machine = SagaMachine(style=style, seed=seed)
    run = begun(machine)
    again = next(machine.requests(run.state))
    until(run, fired("S.do"))
    run.apply(again)
    to_the_end(run).jump(run.branch[-1])
    run.apply(again)
    return to_the_end(run)


def compensation_fails(style: str = ORCHESTRATED, seed: int = 0) -> Run:
    """The order is not approved, and giving the money back fails once: it is tried again."""
    return to_the_end(begun(SagaMachine(style=style, refuse=("approve",), fails={"undo charge": 1}, seed=seed)))


def compensation_stuck(style: str = ORCHESTRATED, seed: int = 0) -> Run:
    """Giving the money back fails again and again: a human is called, mends it, and the saga goes on."""
    machine = SagaMachine(style=style, refuse=("approve",), fails={"undo charge": 3}, alarm=3, seed=seed)
    run = begun(machine)
    until(run, lambda step: any(call.client == "A" and not call.waits for call in step.state.calls))
    to_the_end(run).jump(run.branch[-1])
    run.apply(Request(OPERATOR, machine.front(machine.definitions[0]), Repair(1, "A1")))
    return to_the_end(run)


def overtaken(seed: int = 0) -> Run:
    """The request to charge is so late that it is given up. Its compensation overtakes it, and it does nothing."""
    run = begun(SagaMachine(tries=1, seed=seed))
    run.apply(Delay(on_its_way(run, Do, "charge"), 150))
    return to_the_end(run)


def event_lost(seed: int = 0) -> Run:
    """Choreographed: an event is lost. It is still in the outbox, and published again."""
    run = begun(SagaMachine(style=CHOREOGRAPHED, seed=seed))
    until(run, fired("C.publish"))
    run.apply(Drop(run.state.packets[0].id))
    return to_the_end(run)


# Two sagas at once


def lost_update(saga: str = "raise", lock: str = "none", seed: int = 0) -> Run:
    """Two sagas raise one credit limit by 50 each, from 100. Bare: it ends at 150, and 50 are lost."""
    machine = SagaMachine(sagas=(saga, saga), lock=lock, seed=seed)
    return to_the_end(begun(machine, ("A", "B")))


def dirty_read(cancel: str = "cancel", lock: str = "none", seed: int = 0) -> Run:
    """A cancels an order, and its credit is free again; B uses it; then A cannot call the delivery back, and cannot
    take the credit back either."""
    machine = SagaMachine(sagas=(cancel, "create"), refuse=("call back",), lock=lock, alarm=3, seed=seed)
    run = begun(machine)
    if cancel == "cancel":
        until(run, fired("S.do"))
    run.apply(
        next(
            request
            for request in machine.requests(run.state)
            if isinstance(request.body, Begin) and request.client == "B"
        )
    )
    return to_the_end(run)


def shortest(anomaly: str) -> Run:
    """The shortest run that the search finds of an anomaly."""
    found = ANOMALIES[anomaly].search().counterexample
    assert found is not None
    found.history.jump(0)
    return found.history


GALLERY: Mapping[str, Callable[[], Run]] = {
    "everything succeeds": completes,
    "the card is declined": declined,
    "the order is not approved": not_approved,
    "shipping fails for a while": forward,
    "the orchestrator crashes": orchestrator_crashes,
    "a service crashes": service_crashes,
    "a request comes twice": duplicated,
    "the client asks again": client_retries,
    "a compensation fails first": compensation_fails,
    "a compensation is stuck": compensation_stuck,
    "a compensation overtakes its request": overtaken,
    "parallel branches": parallel,
    "a parallel branch is refused": lambda: parallel(refuse=("hotel",)),
    "choreographed: everything succeeds": lambda: completes(CHOREOGRAPHED),
    "choreographed: the card is declined": lambda: declined(CHOREOGRAPHED),
    "choreographed: the order is not approved": lambda: not_approved(CHOREOGRAPHED),
    "choreographed: shipping fails for a while": lambda: forward(CHOREOGRAPHED),
    "choreographed: an event is lost": event_lost,
    "choreographed: the client asks again": lambda: client_retries(CHOREOGRAPHED),
    "choreographed: a service crashes": lambda: service_crashes(CHOREOGRAPHED),
    "choreographed: a compensation is stuck": lambda: compensation_stuck(CHOREOGRAPHED),
    "choreographed: a parallel branch is refused": lambda: parallel(CHOREOGRAPHED, ("hotel",)),
    "lost update": lost_update,
    "lost update, semantic lock": lambda: lost_update(lock="refuse"),
    "lost update, semantic lock that is waited for": lambda: lost_update(lock="wait"),
    "lost update, commutative updates": lambda: lost_update("raise_add"),
    "lost update, re-read value": lambda: lost_update("raise_reread"),
    "dirty read": dirty_read,
    "dirty read, semantic lock": lambda: dirty_read(lock="refuse"),
    "dirty read, semantic lock that is waited for": lambda: dirty_read(lock="wait"),
    "dirty read, pessimistic view": lambda: dirty_read("cancel_late"),
}
"""Every scripted run by its title."""

SIDE_BY_SIDE: Mapping[str, tuple[str, str]] = {
    title: (title, f"choreographed: {title}") for title in GALLERY if f"choreographed: {title}" in GALLERY
}
"""The same definition, the same failure and the same seed in both styles: (orchestrated, choreographed) titles."""
