"""What the protocols cost, counted in runs, beside published figures; and how long they block.

A record is forced if the log on disk grows in the step that writes it, and lazy if it waits for the next forced one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Literal, NamedTuple

from patterns.engine.arguments import listed, require_whole
from patterns.engine.history import History
from patterns.engine.milestones import fired, when
from patterns.engine.trace import moved, sent
from patterns.engine.world import World
from patterns.two_phase_commit.log import Logged
from patterns.two_phase_commit.machine import COORDINATOR, CUSTOMERS, PROTOCOLS
from patterns.two_phase_commit.messages import Commit, PreCommit
from patterns.two_phase_commit.presumed import Reader
from patterns.two_phase_commit.readings import in_doubt

from .gallery import Run, begun, ended
from .milestones import all_ended

Case = Literal["commit", "abort"]
Role = Literal["coordinator", "yes", "no", "reader"]
MOST = len(CUSTOMERS)
VOTES: Mapping[str, Role] = {"P.yes": "yes", "P.no": "no", "P.read": "reader"}


class Cost(NamedTuple):
    """What one process does for one transaction."""

    messages: int
    """Messages that it sends."""
    records: int
    """Log records that it writes."""
    forced: int
    """How many of them are forced."""


def transaction(protocol: str, case: Case, n: int, readers: int = 0) -> Run:
    """The run that is counted: nothing fails; to abort, the last participant that writes votes no.

    Raises ValueError if no such transaction exists.
    """
    check_names(protocol, case, n, readers)
    votes_read_only = issubclass(PROTOCOLS[protocol].participant, Reader)
    writers = n - readers
    if readers and not votes_read_only:
        raise ValueError(f"readers is {readers}; allowed in {protocol} is 0: a participant that only reads votes yes")
    if not 1 <= n <= MOST or not 0 <= readers <= n or (case == "abort" and writers < 2):
        raise ValueError(f"n is {n} and readers {readers}; allowed are n from 1 to {MOST}, with 2 that write to abort")
    if votes_read_only and writers == 1:
        raise ValueError(f"n is {n} and readers {readers}; a transfer has none that write, or 2 and more")
    amounts = dict.fromkeys(CUSTOMERS[:n], 0)
    if writers > 1:
        amounts |= dict.fromkeys(CUSTOMERS[readers : n - 1], 1) | {CUSTOMERS[n - 1]: 1 - writers}
    balance = 100 if case == "commit" else 0
    # All messages take equally long, so that the no is the last vote to arrive.
    return ended(begun(n=n, protocol=protocol, transfers=(amounts,), balance=balance, latency=(10, 10)))


def check_names(protocol: str, case: str, n: int, readers: int) -> None:
    """Raises ValueError for an unknown protocol or case, and for numbers that are no whole ones."""
    require_whole("n", n)
    require_whole("readers", readers, 0)
    if protocol not in [*PROTOCOLS]:
        raise ValueError(f"protocol is {protocol!r}; allowed are {', '.join(PROTOCOLS)}")
    if case not in ("commit", "abort"):
        raise ValueError(f"case is {case!r}; allowed are commit and abort")


def count(protocol: str, case: Case, n: int, readers: int = 0) -> dict[Role | Literal["total"], Cost]:
    """The messages and log records of one transaction, for one process of each role and in total.

    Raises ValueError if no such transaction exists, RuntimeError if two processes of one role differ.
    """
    run = transaction(protocol, case, n, readers)
    roles: dict[str, Role] = {COORDINATOR: "coordinator"}
    costs = dict.fromkeys(run.state.names, Cost(0, 0, 0))
    for step in run.branch[1:]:
        for note in step.notes:
            if note.rule in VOTES:
                roles[note.values["who"]] = VOTES[note.rule]
        before, after = moved(step) or (None, None)
        if isinstance(before, Logged) and isinstance(after, Logged):
            costs[after.id] = _plus(costs[after.id], _step_cost(before, after, len(sent(step))))
    counted: dict[Role | Literal["total"], Cost] = {"total": reduce(_plus, costs.values())}
    for name, role in roles.items():
        if counted.setdefault(role, costs[name]) != costs[name]:
            raise RuntimeError(f"two processes of the role {role!r} differ: {costs}")
    return counted


def _plus(one: Cost, other: Cost) -> Cost:
    return Cost(*(mine + its for mine, its in zip(one, other, strict=True)))


def _step_cost(before: Logged, after: Logged, messages: int) -> Cost:
    records = len(after.log) + len(after.buffer) - len(before.log) - len(before.buffer)
    return Cost(messages, records, records if len(after.log) > len(before.log) else 0)


# Published figures


class Published(NamedTuple):
    """The work of one process for one transaction, by a source."""

    records: int
    forced: int
    to_each_writer: int
    """A coordinator's messages to each participant that writes; a participant's messages."""
    to_each_reader: int
    source: str


TABLE = "Mohan, Lindsay, Obermarck 1986, Table I"
TEXT_2 = "Mohan, Lindsay, Obermarck 1986, section 2"
TEXT_PA = "Mohan, Lindsay, Obermarck 1986, section 3"
TEXT_PC = "Mohan, Lindsay, Obermarck 1986, section 4"
THREE = "Bernstein, Hadzilacos, Goodman 1987, section 7.5"

PUBLISHED: Mapping[tuple[str, Case, Role], Published] = {
    ("basic", "commit", "coordinator"): Published(2, 1, 2, 0, TABLE),
    ("basic", "commit", "yes"): Published(2, 2, 2, 0, TABLE),
    ("presumed_abort", "commit", "coordinator"): Published(2, 1, 2, 1, TABLE),
    ("presumed_abort", "commit", "yes"): Published(2, 2, 2, 0, TABLE),
    ("presumed_abort", "commit", "reader"): Published(0, 0, 1, 0, TABLE),
    ("presumed_commit", "commit", "coordinator"): Published(2, 2, 2, 1, TABLE),
    ("presumed_commit", "commit", "yes"): Published(2, 1, 1, 0, TABLE),
    # Table I has commits only; the costs of aborts follow from the text.
    ("basic", "abort", "coordinator"): Published(2, 1, 2, 0, TEXT_2),
    ("basic", "abort", "yes"): Published(2, 2, 2, 0, TEXT_2),
    ("basic", "abort", "no"): Published(1, 1, 1, 0, TEXT_2),
    ("presumed_abort", "abort", "coordinator"): Published(1, 0, 2, 1, TEXT_PA),
    ("presumed_abort", "abort", "yes"): Published(2, 1, 1, 0, TEXT_PA),
    ("presumed_abort", "abort", "no"): Published(1, 0, 1, 0, TEXT_PA),
    ("presumed_abort", "abort", "reader"): Published(0, 0, 1, 0, TEXT_PA),
    ("presumed_commit", "abort", "yes"): Published(2, 2, 2, 0, TEXT_PC),
    ("presumed_commit", "abort", "no"): Published(1, 1, 1, 0, TEXT_PC),
}
"""(protocol, case, role) -> published figures. A participant that votes no receives no decision."""


def published_total(protocol: str, case: Case, n: int, readers: int = 0) -> tuple[int | None, int | None]:
    """The published messages and forced records of one transaction: the sum over the coordinator and its
    participants, of which one votes no in an abort. None where nothing is published.

    Raises ValueError for an unknown protocol or case.
    """
    check_names(protocol, case, n, readers)
    if protocol == "three_phase":
        # Request, vote, pre-commit, acknowledgement, commit for each participant (BHG 7.5).
        return (5 * n if case == "commit" else None), None
    known = "presumed_abort" if protocol == "read_only" else protocol
    noes = int(case == "abort")
    number: dict[Role, int] = {"coordinator": 1, "yes": n - readers - noes, "no": noes, "reader": readers}
    if any(many and (known, case, role) not in PUBLISHED for role, many in number.items()):
        return None, None
    found = {role: PUBLISHED[known, case, role] for role, many in number.items() if many}
    forced = sum(number[role] * each.forced for role, each in found.items())
    coordinator = found.pop("coordinator")
    messages = coordinator.to_each_writer * number["yes"] + number["no"] + coordinator.to_each_reader * readers
    return messages + sum(number[role] * each.to_each_writer for role, each in found.items()), forced


# Blocking


class Blocked(NamedTuple):
    """What a crash of the coordinator does to participants in doubt. Times are in ms."""

    scenario: str
    repair: int
    """From the crash to the repair. A little less than asked for if a participant is still in doubt: the clock moves
    with the events."""
    in_doubt: int
    """The longest time that a participant was in doubt, from its vote on: its rows stayed locked for that long."""
    resolved: int
    """From the crash until no participant was in doubt."""


SCENARIOS = ("two phases, no bank knows", "two phases, one bank knows", "three phases")


def blocked_time(repair: int, scenario: str = SCENARIOS[0], n: int = 3) -> Blocked:
    """The coordinator crashes as soon as all votes are in, and its messages are lost, except one if one participant
    knows. It restarts `repair` ms later.

    Raises ValueError for an unknown scenario, a negative time, or n below 2.
    """
    if scenario not in SCENARIOS:
        raise ValueError(f"scenario is {scenario!r}; allowed are {', '.join(SCENARIOS)}")
    require_whole("repair", repair, 0)
    require_whole("n", n, 2)
    if n > MOST:
        raise ValueError(f"n is {n}; allowed is 2 to {MOST}")
    protocol = "three_phase" if scenario == SCENARIOS[2] else "basic"
    amounts = dict.fromkeys(CUSTOMERS[:n], 0) | {"ann": -40, "bob": 40}
    run = begun(n=n, protocol=protocol, transfers=(amounts,)).until(fired("C.commit", "3.pre"))
    if scenario == SCENARIOS[1]:
        run.deliver(Commit, to="P1")
    run.crash(COORDINATOR)
    crashed = run.world.clock
    run.lose(Commit).lose(PreCommit).wait(repair)
    repaired = run.world.clock - crashed if in_doubt(run.world) else repair
    run.restart(COORDINATOR)
    if not all_ended(run.world):
        run.until(when(all_ended))
    return Blocked(scenario, repaired, *_doubt_times(run.history, crashed))


def _doubt_times(run: History[World, object], crashed: int) -> tuple[int, int]:
    """The longest doubt, and how long after the crash the last one ended."""
    longest, last = 0, crashed
    began: dict[str, int] = {}
    for step in run.branch:
        doubters = {doubt.participant for doubt in in_doubt(step.state)}
        for name in doubters - set(began):
            began[name] = step.state.clock
        for name in set(began) - doubters:
            longest, last = max(longest, step.state.clock - began.pop(name)), step.state.clock
    return longest, max(0, last - crashed)


def blocked_times(repairs: Iterable[int] = range(0, 1001, 100)) -> tuple[Blocked, ...]:
    """A chart's points."""
    every = listed("repairs", repairs, "a list of whole numbers of ms")
    return tuple(blocked_time(repair, scenario) for scenario in SCENARIOS for repair in every)
