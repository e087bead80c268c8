"""Runs worth seeing, as histories that stand at their start: what sagas do in both styles, and faults among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from patterns.engine.history import History
from patterns.engine.milestones import fired, on_its_way
from patterns.engine.script import Script
from patterns.engine.simulation import Simulation
from patterns.saga.machines import CHOREOGRAPHED, OPERATOR, SagaMachine
from patterns.saga.messages import Begin, Cancel, Do, Done, Event, Repair, Undo

from .side_by_side import SideBySide

ORDERED, CHOREO, BOTH = "", "choreographed: ", "both styles: "
STYLES: Mapping[str, Callable[..., Simulation]] = {
    ORDERED: SagaMachine,
    CHOREO: partial(SagaMachine, style=CHOREOGRAPHED),
    BOTH: SideBySide,
}
"""How the title of a run begins -> the machine."""


def asked(run: Script) -> None:
    """A client asks for a saga, and all goes its way."""
    run.ask("A")


def orchestrator_crashes(run: Script) -> None:
    """The orchestrator crashes while the card is charged; the answer is lost. It reads its log, and asks again."""
    run.ask("A").until(on_its_way(Done, step="charge")).crash("orchestrator").lose(Done).restart("orchestrator")


def service_crashes(run: Script) -> None:
    """Payment has charged the card. It crashes before its messages leave. The charge is on its disk."""
    run.ask("A").until(fired("S.do", step="charge")).crash("payment").lose(sender="payment").restart("payment")


def duplicated(run: Script) -> None:
    """The request to charge the card arrives twice: the second time nothing is done."""
    run.ask("A").until(on_its_way(Do, step="charge")).duplicate(Do, step="charge")


def compensated_twice(run: Script) -> None:
    """The request to give the money back arrives twice: the second time nothing is done."""
    run.ask("A").until(on_its_way(Undo, step="charge")).duplicate(Undo, step="charge")


def client_retries(run: Script) -> None:
    """The client asks again while its saga is under way, and once more when it has ended, as if the answer had been
    lost: it stays one saga."""
    call = run.ask("A").until(fired("S.do")).world.call("A")
    run.ask("A", call.body, to=call.to).finish().ask("A", call.body, to=call.to)


def same_key(run: Script) -> None:
    """A's client loses the number of its request and asks with a new one, another client asks with A's key: both are
    told how A's saga ended. A third asks for another saga with this key, and is rejected."""
    to = run.ask("A").until(fired("S.do")).world.call("A").to
    run.ask("B", Begin(1, "A1", "order"), to=to).finish().ask("A", Begin(2, "A1", "order"), to=to)
    run.ask("C", Begin(1, "A1", "short"), to=to)


def astray(run: Script) -> None:
    """One client asks a service that begins no saga, and is sent on. Another asks for a saga that is not defined."""
    call = run.ask("A", Begin(1, "A1", "order"), to="payment").ask("A").world.call("A")
    run.ask("B", Begin(1, "B1", "dinner"), to=call.to)


def repaired(run: Script) -> None:
    """Something fails again and again: a human is called and repairs it, and the saga goes on. The client was told that
    its saga is stuck. It asks again, and is told how the saga ended."""
    call = run.ask("A").finish().world.call("A")
    run.ask(OPERATOR, Repair).finish().ask("A", Begin(2, "A1", "order"), to=call.to)


def cancelled(run: Script) -> None:
    """A second process of the client, B, cancels while the card is charged. The charge may be done, so it is
    compensated, too."""
    to = run.ask("A").until(fired("S.do", step="charge")).world.call("A").to
    run.ask("B", Cancel(1, "A1"), to=to)


def cancelled_late(run: Script) -> None:
    """B cancels once the order is approved: there is no way back. In a choreography there never is one."""
    to = run.ask("A").until(fired("S.do", step="approve")).world.call("A").to
    run.ask("B", Cancel(1, "A1"), to=to)


def overtaken(run: Script) -> None:
    """The request to charge is so late that it is given up. Its compensation overtakes it, and it does nothing."""
    run.ask("A").until(on_its_way(Do, step="charge")).delay(150, Do, step="charge")


def event_lost(run: Script) -> None:
    """An event is lost. It is still in the outbox, and published again."""
    run.ask("A").until(fired("C.publish")).lose(Event)


def two_at_once(run: Script) -> None:
    """Two clients ask at the same time."""
    run.ask("A").ask("B")


def check_takes_long(run: Script) -> None:
    """While A's risk is checked, between its two looks at the limit, B raises it."""
    run.ask("A").ask("B").until(on_its_way(Do, saga="A1", step="check")).delay(60, Do, saga="A1", step="check")


def one_between(run: Script) -> None:
    """A cancels an order, and its credit is free again. Then B uses it."""
    run.ask("A").until(fired("S.do")).ask("B")


def filled_later(run: Script) -> None:
    """A's last step finds too little in its row, and may not refuse. B's saga fills the row."""
    run.ask("A").until(fired("S.not yet")).ask("B")


def _told(machine: Callable[..., Simulation], script: Callable[[Script], None], options: Any) -> History[Any, Any]:
    run = Script(machine(**options))
    script(run)
    return run.finish().at("start").history


def _runs(
    title: str, script: Callable[[Script], None] = asked, styles: Sequence[str] = tuple(STYLES), **options: Any
) -> dict[str, Callable[[], History[Any, Any]]]:
    """The same failure in each of these styles."""
    titles = {style + title: partial(_told, STYLES[style], script, options) for style in styles}
    return {title[0].upper() + title[1:]: run for title, run in titles.items()}


RAISE: Mapping[str, Any] = {"script": two_at_once, "styles": [ORDERED]}
SPEND: Mapping[str, Any] = {"script": one_between, "styles": [ORDERED], "refuse": ["call back"], "alarm": 3}

GALLERY: Mapping[str, Callable[[], History[Any, Any]]] = {
    **_runs("everything succeeds"),
    **_runs("the card is declined", refuse=["charge"]),
    **_runs("the order is not approved", refuse=["approve"]),
    **_runs("shipping fails for a while", fails={"ship": 2}),
    **_runs("the orchestrator crashes", orchestrator_crashes, [ORDERED]),
    **_runs("a service crashes", service_crashes),
    **_runs("a request comes twice", duplicated, [ORDERED]),
    **_runs("a compensation comes twice", compensated_twice, [ORDERED], refuse=["approve"]),
    **_runs("a step keeps failing", asked, [ORDERED, CHOREO], fails={"charge": 9}),
    **_runs("an event is lost", event_lost, [CHOREO]),
    **_runs("the client asks again", client_retries, [ORDERED, CHOREO]),
    **_runs("two clients ask with one key", same_key, [ORDERED, CHOREO], sagas=["order", "short"]),
    **_runs("a client asks at the wrong service", astray, [ORDERED, CHOREO]),
    **_runs("a compensation fails first", refuse=["approve"], fails={"undo charge": 1}),
    **_runs(
        "a compensation is stuck", repaired, [ORDERED, CHOREO], refuse=["approve"], fails={"undo charge": 3}, alarm=3
    ),
    **_runs("a compensation overtakes its request", overtaken, [ORDERED], tries=1),
    **_runs("the pivot keeps failing", fails={"approve": 9}),
    **_runs("shipping keeps failing", repaired, [ORDERED, CHOREO], fails={"ship": 3}, alarm=3),
    **_runs("the client cancels in time", cancelled, [ORDERED]),
    **_runs("the client cancels too late", cancelled_late, [ORDERED, CHOREO]),
    **_runs("parallel branches all succeed", sagas=["trip"]),
    **_runs("a parallel branch is refused", sagas=["trip"], refuse=["hotel"]),
    **_runs(
        "a step after the pivot waits for its row",
        filled_later,
        [ORDERED],
        sagas=["cancel_late", "create"],
        rows={"customers": {"used": 0, "credit": 50}},
    ),
    **_runs("a read is not repeatable", check_takes_long, [ORDERED], sagas=["look_twice", "raise_add"]),
    **_runs("two sagas raise one limit", sagas=["raise", "raise"], **RAISE),
    **_runs("no update is lost: a semantic lock refuses", sagas=["raise", "raise"], lock="refuse", **RAISE),
    **_runs("no update is lost: a semantic lock makes wait", sagas=["raise", "raise"], lock="wait", **RAISE),
    **_runs("no update is lost: the updates commute", sagas=["raise_add", "raise_add"], **RAISE),
    **_runs("no update is lost: the value is read again", sagas=["raise_reread", "raise_reread"], **RAISE),
    **_runs(
        "two sagas wait for each other",
        two_at_once,
        [ORDERED, CHOREO],
        sagas=["seat_first", "room_first"],
        lock="wait",
        latency=(10, 10),
    ),
    **_runs("one saga cancels while another orders", sagas=["cancel", "create"], **SPEND),
    **_runs("no dirty read happens: a semantic lock refuses", sagas=["cancel", "create"], lock="refuse", **SPEND),
    **_runs("no dirty read happens: a semantic lock makes wait", sagas=["cancel", "create"], lock="wait", **SPEND),
    **_runs(
        "no dirty read happens: the pessimistic view",
        two_at_once,
        [ORDERED],
        sagas=["cancel_late", "create"],
        refuse=["call back"],
        alarm=3,
    ),
}
"""Every scripted run by its title. The same title after "Both styles:" has both styles in one world."""
