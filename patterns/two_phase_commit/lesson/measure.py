"""What the protocols cost, counted in runs, beside what is published; and how long they block.

A record is forced when the log on disk grows in the step that writes it, and lazy when it waits for the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from patterns.engine.history import History
from patterns.engine.scripted import LONG, Run, Unreached, arrive, lose, until
from patterns.engine.trace import moved, sent
from patterns.engine.world import Crash, Restart, World, agenda
from patterns.two_phase_commit.doubt import in_doubt
from patterns.two_phase_commit.log import Logged
from patterns.two_phase_commit.machine import COORDINATOR, CUSTOMERS, PROTOCOLS, TwoPhaseCommit
from patterns.two_phase_commit.messages import Commit, PreCommit
from patterns.two_phase_commit.presumed import Reader

from .gallery import begun, finish
from .milestones import all_ended, fired

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


class Count(NamedTuple):
    """One transaction, counted."""

    protocol: str
    case: Case
    n: int
    """Participants, readers included."""
    readers: int
    coordinator: Cost
    yes: Cost | None
    """Each participant that voted yes; None where there is none."""
    no: Cost | None
    """The participant that voted no."""
    reader: Cost | None
    """Each participant that voted read-only."""
    total: Cost
    """All together."""


def transaction(protocol: str, case: Case, n: int, readers: int = 0) -> Run:
    """The run that is counted: nothing fails, and to abort, the last that writes votes no.

    Raises ValueError for what cannot be counted.
    """
    check_names(protocol, case)
    votes_read_only = issubclass(PROTOCOLS[protocol].participant, Reader)
    writers = n - readers
    if readers and not votes_read_only:
        raise ValueError(f"readers is {readers}; in {protocol} who only reads votes yes: 0")
    if not 1 <= n <= MOST or not 0 <= readers <= n or (case == "abort" and writers < 2):
        raise ValueError(f"n is {n} and readers {readers}; allowed are n from 1 to {MOST}, with 2 that write to abort")
    if votes_read_only and writers == 1:
        raise ValueError(f"n is {n} and readers {readers}; a transfer has none that write, or 2 and more")
    amounts = dict.fromkeys(CUSTOMERS[:n], 0)
    if writers > 1:
        amounts |= dict.fromkeys(CUSTOMERS[readers : n - 1], 1) | {CUSTOMERS[n - 1]: 1 - writers}
    balance = 100 if case == "commit" else 0
    # All messages take as long, so that the last vote to arrive is the no, when all others are in.
    machine = TwoPhaseCommit(n=n, protocol=protocol, transfers=(amounts,), balance=balance, latency=(10, 10))
    return finish(begun(machine))


def check_names(protocol: str, case: str) -> None:
    """Raises ValueError for an unknown protocol or case."""
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol is {protocol!r}; allowed are {', '.join(PROTOCOLS)}")
    if case not in ("commit", "abort"):
        raise ValueError(f"case is {case!r}; allowed are commit and abort")


def count(protocol: str, case: Case, n: int, readers: int = 0) -> Count:
    """The messages and log records of one transaction, by who sends and writes them. Raises ValueError for what cannot
    be counted, RuntimeError where those of one role differ."""
    run = transaction(protocol, case, n, readers)
    costs, votes = dict.fromkeys(run.state.names, Cost(0, 0, 0)), dict[str, Role]()
    for step in run.branch[1:]:
        for note in step.notes:
            if note.rule in VOTES:
                votes[note.values["who"]] = VOTES[note.rule]
        before, after = moved(step) or (None, None)
        if isinstance(before, Logged) and isinstance(after, Logged):
            costs[after.id] = _plus(costs[after.id], _step_cost(before, after, len(sent(step))))
    by_role: dict[Role, set[Cost]] = {}
    for name, vote in votes.items():
        by_role.setdefault(vote, set()).add(costs[name])
    if any(len(found) > 1 for found in by_role.values()):
        raise RuntimeError(f"those of one role do not cost the same: {by_role}")

    def of(role: Role) -> Cost | None:
        return next(iter(by_role.get(role, ())), None)

    total = Cost(*(sum(column) for column in zip(*costs.values(), strict=True)))
    return Count(protocol, case, n, readers, costs[COORDINATOR], of("yes"), of("no"), of("reader"), total)


def _plus(one: Cost, other: Cost) -> Cost:
    return Cost(*(mine + its for mine, its in zip(one, other, strict=True)))


def _step_cost(before: Logged, after: Logged, messages: int) -> Cost:
    records = len(after.log) + len(after.buffer) - len(before.log) - len(before.buffer)
    return Cost(messages, records, records if len(after.log) > len(before.log) else 0)


def counts(case: Case = "commit", ns: Iterable[int] = range(2, 6)) -> Iterator[Count]:
    """Every protocol for each n, without readers: a chart's points."""
    for protocol in ("basic", "presumed_abort", "presumed_commit", "three_phase"):
        for n in ns:
            yield count(protocol, case, n)


# What is published


class Published(NamedTuple):
    """What a source says one process does for one transaction."""

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
    ("presumed_commit", "commit", "reader"): Published(0, 0, 1, 0, TABLE),
    # Table I is of commits; what aborts cost follows from the text.
    ("basic", "abort", "coordinator"): Published(2, 1, 2, 0, TEXT_2),
    ("basic", "abort", "yes"): Published(2, 2, 2, 0, TEXT_2),
    ("basic", "abort", "no"): Published(1, 1, 1, 0, TEXT_2),
    ("presumed_abort", "abort", "coordinator"): Published(1, 0, 2, 1, TEXT_PA),
    ("presumed_abort", "abort", "yes"): Published(2, 1, 1, 0, TEXT_PA),
    ("presumed_abort", "abort", "no"): Published(1, 0, 1, 0, TEXT_PA),
    ("presumed_abort", "abort", "reader"): Published(0, 0, 1, 0, TEXT_PA),
    ("presumed_commit", "abort", "yes"): Published(2, 2, 2, 0, TEXT_PC),
    ("presumed_commit", "abort", "no"): Published(1, 1, 1, 0, TEXT_PC),
    ("presumed_commit", "abort", "reader"): Published(0, 0, 1, 0, TEXT_PC),
}
"""(protocol, case, who) -> what is published. A participant that votes no is sent no decision."""

READERS_ONLY: Mapping[str, Published] = {
    "presumed_abort": Published(0, 0, 0, 1, TABLE),
    "presumed_commit": Published(2, 1, 0, 1, TABLE),
}
"""Protocol -> the coordinator of a transaction that has only read."""


def published_total(protocol: str, case: Case, n: int, readers: int = 0) -> tuple[int | None, int | None]:
    """The messages and the forced records that the table says one transaction costs, of all together: added up over
    the coordinator and its participants, of which in an abort one votes no. None for what is not published.

    Raises ValueError for an unknown protocol or case.
    """
    check_names(protocol, case)
    if protocol == "three_phase":
        return (messages_of_three_phases(n) if case == "commit" else None), None
    known = protocol.removesuffix("_read_only") if protocol != "read_only" else "presumed_abort"
    noes = int(case == "abort")
    number: dict[Role, int] = {"coordinator": 1, "yes": n - readers - noes, "no": noes, "reader": readers}
    found = {role: PUBLISHED.get((known, case, role)) for role, many in number.items() if many}
    if any(each is None for each in found.values()):
        return None, None
    messages = forced = 0
    for role, each in found.items():
        assert each is not None
        forced += number[role] * each.forced
        if role == "coordinator":
            messages += each.to_each_writer * number["yes"] + number["no"] + each.to_each_reader * readers
        else:
            messages += number[role] * each.to_each_writer
    return messages, forced


def messages_of_three_phases(n: int) -> int:
    """Three-phase commit among n participants, when nothing fails: five messages each (BHG 7.5: request, vote,
    pre-commit, acknowledgement, commit)."""
    return 5 * n


# Blocking


class Blocked(NamedTuple):
    """What a crash of the coordinator does to those in doubt. Times are in ms."""

    scenario: str
    repair: int
    """From the crash to the repair. Where somebody still was in doubt, a little less than asked for: the clock goes by
    what happens."""
    doubt: int
    """The longest time that a participant was in doubt, from its vote on: as long its rows were locked."""
    resolved: int
    """From the crash until nobody was in doubt."""


SCENARIOS = ("two phases, nobody knows", "two phases, one participant knows", "three phases")


def blocked_time(repair: int, scenario: str = SCENARIOS[0], n: int = 3) -> Blocked:
    """The coordinator crashes as soon as all votes are in, and what it sent is lost, but for one message where one
    participant is to know. It is repaired `repair` ms later.

    Raises ValueError for an unknown scenario, a negative time, or n below 2.
    """
    if scenario not in SCENARIOS:
        raise ValueError(f"scenario is {scenario!r}; allowed are {', '.join(SCENARIOS)}")
    if repair < 0 or not 2 <= n <= MOST:
        raise ValueError(f"repair is {repair} ms and n is {n}; allowed are times from 0, and n from 2 to {MOST}")
    protocol = "three_phase" if scenario == SCENARIOS[2] else "basic"
    amounts = dict.fromkeys(CUSTOMERS[:n], 0) | {"ann": -40, "bob": 40}
    run = begun(TwoPhaseCommit(n=n, protocol=protocol, transfers=(amounts,)))
    until(run, fired("C.commit", "3.pre"))
    if scenario == SCENARIOS[1]:
        arrive(run, Commit, "P1")
    run.apply(Crash(COORDINATOR))
    crashed = run.state.clock
    lose(run, Commit)
    lose(run, PreCommit)
    while (item := next(agenda(run.state), None)) is not None and item.due <= crashed + repair:
        run.advance()
    repaired = run.state.clock - crashed if in_doubt(run.state) else repair
    run.apply(Restart(COORDINATOR))
    if not all_ended(run.state) and run.run_until(lambda step: all_ended(step.state), LONG) is None:
        raise Unreached(f"{scenario}: never resolved")
    return Blocked(scenario, repaired, *_doubt_times(run, crashed))


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
    return tuple(blocked_time(repair, scenario) for scenario in SCENARIOS for repair in repairs)
