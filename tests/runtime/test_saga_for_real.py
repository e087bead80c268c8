"""The very orchestrator and services of the simulator, each an OS process with a SQLite database of its own, killed
with -9 at a chosen point; the saga log is a table. What counts is read from the files.

Every point of both styles, a few minutes: pytest -m slow tests/runtime/test_saga_for_real.py
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple, TypeVar

import pytest

from patterns.engine.counterexample import Watch
from patterns.engine.history import History
from patterns.engine.world import Crash
from patterns.runtime import Cluster, DieAt
from patterns.runtime.failpoint import STAGES
from patterns.saga import Begin, Ended, Repair, Reply, SagaMachine
from patterns.saga.machines import STYLES
from patterns.saga.readings import effect
from patterns.saga.reasons import Reason
from widgets.chapters.saga.view import VIEW as view

T = TypeVar("T")
REAL = {"timeout": 250, "tries": 1000, "alarm": 0}
"""In ms; a slow service is not given up, and a compensation is asked for without end."""
TWICE = """SELECT saga, step, undo, count(*) FROM handled WHERE outcome IN ('done', 'undone')
           GROUP BY saga, step, undo HAVING count(*) > 1"""
ENDS = "SELECT saga, detail FROM log WHERE what = 'ended'"


def run(work: Coroutine[Any, Any, T], seconds: float = 120) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(seconds):
            return await work

    return asyncio.run(bounded())


class Case(NamedTuple):
    """Who dies where, in which saga, and which of its steps is refused."""

    who: str
    rule: str
    stage: str
    nth: int = 1
    refuse: str = ""
    definition: str = "one_way"
    style: str = "orchestrated"

    def __str__(self) -> str:
        refused = f" ({self.refuse} refused)" if self.refuse else ""
        return f"{self.definition}, {self.who} at {self.rule} {self.nth}, {self.stage}{refused}"


class Services:
    """A cluster of services, and an orchestrator in that style, while it runs; and what its files say."""

    def __init__(
        self, definition: str, style: str = "orchestrated", die_at: Mapping[str, DieAt] | None = None, **options: Any
    ) -> None:
        self.simulation = SagaMachine(sagas=(definition,), style=style, **{**REAL, **options})
        self.definition = self.simulation.definitions[0]
        self.front = self.simulation.front(self.definition)
        self.cluster = Cluster(self.simulation, replies=Reply, disk="sqlite", die_at=die_at)
        self.names = self.simulation.params.services
        self.logs = ("orchestrator",) if style == "orchestrated" else self.names
        self.begin = {f"{name}.{row.key}": row.value for name in self.names for row in self.simulation.rows(name)}

    def select(self, name: str, query: str) -> list[Any]:
        return self.cluster.database(name).execute(query).fetchall()

    @property
    def rows(self) -> dict[str, int]:
        """In the files: `stock.beans` -> 3."""
        return {
            f"{name}.{key}": value
            for name in self.names
            for key, value in self.select(name, "SELECT key, value FROM rows")
        }

    def ends(self, saga: str) -> set[str]:
        """How it ended, by the logs in the files."""
        return {detail for name in self.logs for of, detail in self.select(name, ENDS) if of == saga}

    def expected(self, *outcomes: str) -> dict[str, int]:
        """The rows after so many sagas: a completed one has all its effects, a compensated one has none."""
        rows = dict(self.begin)
        for outcome in outcomes:
            steps = frozenset(self.definition.names) if outcome == "completed" else frozenset()
            for key, amount in effect(self.definition, steps).items():
                rows[key] += amount
        return rows

    async def request(self, saga: str, serial: int = 1) -> Ended:
        client = saga[0]
        ended = await self.cluster.request(
            client, Begin(serial, saga, self.definition.name), to=self.front, deadline=90
        )
        assert isinstance(ended, Ended)
        return ended

    async def restart_dead(self) -> None:
        for name in self.cluster.processes:
            if name not in self.cluster.running:
                await self.cluster.restart(name)

    def check(self, outcomes: Mapping[str, str]) -> None:
        """All or nothing of each saga, as its log says; each thing once."""
        assert self.rows == self.expected(*outcomes.values())
        for saga, outcome in outcomes.items():
            assert outcome in ("completed", "compensated")
            assert self.ends(saga) == {outcome}
        assert [self.select(name, TWICE) for name in self.names] == [[] for _ in self.names]


def assert_the_run_keeps_what_is_promised(cluster: Cluster) -> History[Any, Any]:
    """What the simulator checks of sagas on every state, on every state of the run as it was."""
    history = cluster.recording().history()
    watch = Watch(history.machine, history.machine.always)
    memories = watch.begin(history.state)
    for step in history.branch[1:]:
        assert step.parent is not None
        memories = watch.follow(memories, step.parent.state, step.event, step.state, step.notes)
        assert watch.broken(memories, step.state) is None
    return history


async def die_and_resume(case: Case) -> tuple[History[Any, Any], str]:
    """The process dies there and comes back; then the promises hold. The run, and how the saga ended."""
    die_at = {case.who: DieAt(case.rule, case.stage, case.nth)}  # type: ignore[arg-type]
    refuse = (case.refuse,) if case.refuse else ()
    services = Services(case.definition, case.style, die_at, refuse=refuse)
    async with services.cluster as cluster:
        begin = Begin(1, "A1", services.definition.name)
        asking = cluster.asking("A", begin, to=services.front, deadline=90)
        await cluster.died(case.who)
        await cluster.restart(case.who)
        ended = await asking
        assert ended.outcome == ("compensated" if case.refuse else "completed"), ended
        await told_everywhere(services, "A1")
        services.check({"A1": ended.outcome})
        # A retried request is the same saga: it is answered again, and nothing is done.
        assert await services.request("A1") == ended
        services.check({"A1": ended.outcome})
        assert cluster.missed == 0
    return assert_the_run_keeps_what_is_promised(cluster), ended.outcome


async def told_everywhere(services: Services, saga: str) -> None:
    """Nothing that could still be sent is left: no answer is awaited, no event waits in an outbox."""

    def at_rest(now: Mapping[str, Any]) -> bool:
        return len(now) == len(services.cluster.processes) and not any(
            getattr(process, "waiting", ()) or getattr(process, "outbox", ()) for process in now.values()
        )

    await services.cluster.until(at_rest)


USUAL = [
    Case("orchestrator", "R.begin", "written"),
    *(Case("orchestrator", "O.done", stage) for stage in STAGES),
    Case("orchestrator", "O.pivot", "written"),
    Case("orchestrator", "O.completed", "written"),
    *(Case("payment", "S.do", stage) for stage in STAGES),
    Case("orchestrator", "O.back", "written", refuse="charge"),
    Case("stock", "S.undo", "written", refuse="charge"),
    Case("orchestrator", "O.undone", "noted", refuse="approve", definition="order"),
]
PEERS = [
    Case("stock", "R.begin", "written", style="choreographed"),
    Case("payment", "S.do", "written", style="choreographed"),
    Case("stock", "S.undo", "sent", refuse="charge", style="choreographed"),
]
"""Those that a run of all tests has time for."""


@pytest.mark.parametrize("case", USUAL, ids=str)
def test_killed_with_9_at_a_chosen_point_the_saga_resumes_and_ends_whole_or_undone(case: Case) -> None:
    # Garcia-Molina and Salem 1987, section 4: the log says what to do after a crash
    history, _ = run(die_and_resume(case))
    crashes = [step.event.process for step in history.branch if isinstance(step.event, Crash)]
    assert crashes == [case.who]
    assert_it_can_be_looked_at(history)


@pytest.mark.parametrize("case", PEERS, ids=str)
def test_without_an_orchestrator_it_resumes_from_the_outboxes(case: Case) -> None:
    # Richardson 2018, 3.3.7 and 4.2.1: what is in the outbox is published again
    history, _ = run(die_and_resume(case))
    assert_it_can_be_looked_at(history)


def assert_it_can_be_looked_at(history: History[Any, Any]) -> None:
    for step in history.branch:
        assert view.scene_of(step).panels
        assert not any("{" in history.machine.say(note) for note in step.notes)


ORDER = ("stock", "payment", "orders", "shipping")
EVERY = [
    *(
        Case("orchestrator", rule, stage, nth, definition="order")
        for stage in STAGES
        for rule, times in (("R.begin", 1), ("O.start", 4), ("O.done", 4), ("O.pivot", 1), ("O.completed", 1))
        for nth in range(1, times + 1)
    ),
    *(Case(service, "S.do", stage, definition="order") for stage in STAGES for service in ORDER),
    *(
        Case("orchestrator", rule, stage, nth, "approve", "order")
        for stage in STAGES
        for rule, times in (("O.refused", 1), ("O.back", 1), ("O.undo", 2), ("O.undone", 2), ("O.compensated", 1))
        for nth in range(1, times + 1)
    ),
    *(
        Case(service, rule, stage, 1, "approve", "order")
        for stage in STAGES
        for service, rule in (("orders", "S.refuse"), ("payment", "S.undo"), ("stock", "S.undo"))
    ),
    *(Case("orchestrator", "O.done", stage, nth, definition="trip") for stage in STAGES for nth in (1, 2, 3)),
]
EVERY_PEER = [
    *(
        Case(service, rule, stage, 1, "", "order", "choreographed")
        for stage in STAGES
        for service, rule in (
            ("stock", "R.begin"),
            *((service, "S.do") for service in ORDER),
            *((service, "C.publish") for service in ORDER),
            *((service, "C.event") for service in ORDER),
            *((service, "C.acked") for service in ORDER),
            ("orders", "C.pivot"),
            ("stock", "C.completed"),
        )
    ),
    *(
        Case(service, rule, stage, 1, "approve", "order", "choreographed")
        for stage in STAGES
        for service, rule in (
            ("orders", "S.refuse"),
            ("orders", "C.back"),
            ("payment", "S.undo"),
            ("stock", "S.undo"),
            ("stock", "C.compensated"),
        )
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("case", [*EVERY, *EVERY_PEER], ids=lambda case: f"{case.style}: {case}")
def test_killed_with_9_at_every_point_the_saga_ends_whole_or_undone(case: Case) -> None:
    # pytest -m slow tests/runtime/test_saga_for_real.py
    run(die_and_resume(case))


def notes(cluster: Cluster, rule: str) -> list[Mapping[str, Any]]:
    return [values for record in cluster.records for of, values in record.notes if of == rule]


def test_a_step_whose_answer_was_lost_in_a_crash_is_done_once() -> None:
    # Richardson 2018, 3.3.6: the key is written with what was done
    async def scenario() -> None:
        services = Services("one_way", die_at={"payment": DieAt("S.do", "written")})
        async with services.cluster as cluster:
            asking = cluster.asking("A", Begin(1, "A1", "one_way"), to=services.front, deadline=90)
            await cluster.died("payment")
            assert services.rows["payment.ann"] == services.begin["payment.ann"] - 30, "it is done"
            assert services.select("orchestrator", "SELECT * FROM log WHERE step = 'charge' AND what = 'done'") == []
            await cluster.restart("payment")
            assert (await asking).outcome == "completed"
            assert notes(cluster, "S.again"), "it was asked again, and answered the same"
            services.check({"A1": "completed"})

    run(scenario())


@pytest.mark.parametrize("style", STYLES)
def test_every_client_that_asks_with_a_known_key_is_answered_and_another_saga_under_it_is_an_error(style: str) -> None:
    # restatedev/restate#5128, workflow-core#828; Stripe: the same key with other contents is an error
    async def scenario() -> None:
        simulation = SagaMachine(sagas=("one_way", "short"), style=style, **REAL)  # both begin at stock
        front = simulation.front(simulation.definitions[0])
        die_at = {front: DieAt("R.begin", "written")}
        async with Cluster(simulation, replies=Reply, disk="sqlite", die_at=die_at) as cluster:

            async def ask(client: str, serial: int, definition: str = "one_way") -> Any:
                return await cluster.request(client, Begin(serial, "A1", definition), to=front, deadline=60)

            first = cluster.asking("A", Begin(1, "A1", "one_way"), to=front, deadline=60)
            await cluster.died(front)
            others = asyncio.gather(ask("B", 1), ask("C", 4))
            await cluster.restart(front)
            assert {(await first).outcome, *(each.outcome for each in await others)} == {"completed"}
            assert await ask("A", 2) == Ended(2, "A1", "completed"), "the client has lost its number"
            await cluster.kill(front)
            await cluster.restart(front)
            assert await ask("D", 1) == Ended(1, "A1", "completed")
            assert await ask("E", 1, "short") == Ended(1, "A1", "rejected", Reason("taken", "one_way"))
        assert_the_run_keeps_what_is_promised(cluster)

    run(scenario())


def test_while_the_orchestrator_is_dead_everybody_can_read_what_is_half_done() -> None:
    # Garcia-Molina and Salem 1987, section 1: a saga has no isolation; and unlike in two-phase commit nothing is locked
    async def scenario() -> None:
        services = Services("order", die_at={"orchestrator": DieAt("O.done", "written", nth=2)}, refuse=("approve",))
        async with services.cluster as cluster:
            asking = cluster.asking("A", Begin(1, "A1", "order"), to=services.front, deadline=90)
            await cluster.died("orchestrator")
            assert services.rows["payment.ann"] == 70, "paid, for an order that will be refused"
            assert services.rows["orders.approved"] == 0
            assert services.select("orchestrator", "SELECT what, step FROM log ORDER BY nth") == [
                ("begun", ""),
                *(("started", "reserve"), ("done", "reserve")),
                *(("started", "charge"), ("done", "charge")),
                ("started", "approve"),
            ]
            await cluster.restart("orchestrator")
            assert (await asking).outcome == "compensated"
            undone = [step for (step,) in services.select("orchestrator", "SELECT step FROM log WHERE what = 'undone'")]
            assert undone == ["charge", "reserve"], "in reverse"
            services.check({"A1": "compensated"})

    run(scenario())


def test_many_sagas_at_once_and_every_process_killed_in_turn_lose_and_make_nothing() -> None:
    async def scenario() -> None:
        rows = {"stock": {"beans": 10_000}, "payment": {"ann": 1_000_000}}
        services = Services("order", rows=rows, clients=3, refuse=("B1.approve", "C2.charge", "B3.approve"))
        outcomes: dict[str, str] = {}
        async with services.cluster as cluster:

            async def client(name: str) -> None:
                serial = 0
                while serial < 3 or not killing.done():
                    serial += 1
                    outcomes[f"{name}{serial}"] = (await services.request(f"{name}{serial}", serial)).outcome

            async def kill_all() -> None:
                for name in ("payment", "orchestrator", "stock", "orchestrator", "shipping"):
                    seen = len(cluster.records)
                    await cluster.until(lambda now, seen=seen: len(cluster.records) > seen + 10)  # type: ignore[misc]
                    await cluster.kill(name)
                    await cluster.restart(name)

            killing = asyncio.create_task(kill_all())
            await asyncio.gather(*(client(name) for name in "ABC"))
            await killing
            await told_everywhere(services, "")
            services.check(outcomes)
            assert {outcomes[saga] for saga in ("B1", "C2", "B3")} == {"compensated"}
            assert "completed" in outcomes.values()
        assert_the_run_keeps_what_is_promised(cluster)

    run(scenario(), seconds=240)


def test_a_compensation_that_fails_waits_for_a_human_through_a_crash() -> None:
    # Garcia-Molina and Salem 1987, section 6
    async def scenario() -> None:
        services = Services("short", refuse=("charge",), fails={"undo reserve": 2}, timeout=40, alarm=2, backoff=1)
        async with services.cluster as cluster:
            stuck = await services.request("A1")
            assert stuck.outcome == "stuck"
            await cluster.kill("orchestrator")
            await cluster.restart("orchestrator")
            assert await services.request("A1") == stuck, "its log knows"
            assert services.rows["stock.reserved"] == 1, "what could not be undone is there, and can be seen"
            await cluster.request("operator", Repair(1, "A1"), to="orchestrator")
            await cluster.until(lambda now: services.ends("A1") == {"compensated"})
            services.check({"A1": "compensated"})

    run(scenario())
