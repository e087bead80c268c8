"""One story, told by several patterns side by side: the same thing happens, and the costs are counted in real runs.

stories.ORDER                       the table, in a notebook
stories.ORDER.play("saga")          the run behind a line of the table

The words stand in `stories.toml`. No figure does: a sentence there has the names of figures in braces.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from patterns.consensus_raft import Add, RaftCluster, Server
from patterns.consensus_raft.lesson.gallery import elected
from patterns.consensus_raft.lesson.measure import acknowledged_and_gone
from patterns.consistent_hashing import CacheTier, ReadAll
from patterns.consistent_hashing import Join as JoinTier
from patterns.engine.history import History
from patterns.engine.milestones import fired, when
from patterns.engine.params import refuse
from patterns.engine.script import Script
from patterns.engine.sentences import page_of
from patterns.event_sourcing.lesson import BUGS as EVENT_BUGS
from patterns.event_sourcing.shelf import Receive, Ship
from patterns.event_sourcing.shop import PROJECTOR, Shop
from patterns.leader_election.lesson import BUGS as ELECTION_BUGS
from patterns.leader_election.lesson.gallery import agreed, lease_paused
from patterns.leader_election.machines import BullyElection, ChangRobertsElection, LeaseElection
from patterns.leader_election.properties import leaders
from patterns.leader_election.raft import RaftElection
from patterns.replication.chain import Link
from patterns.replication.configuration import SERVICE, Suspect
from patterns.replication.lesson.measure import WAYS as REPLICAS
from patterns.replication.lesson.measure import outcome
from patterns.replication.machines import Chain
from patterns.replication.primary import Replica
from patterns.replication.properties import values_of
from patterns.replication.quorum import Keeper
from patterns.saga.lesson import BUGS as SAGA_BUGS
from patterns.saga.lesson import exposure as sagas
from patterns.sharding.lesson import BUGS as SHARDING_BUGS
from patterns.sharding.room import Join as JoinRoom
from patterns.sharding.room import ParcelRoom, Plan
from patterns.two_phase_commit.lesson import BUGS as TWO_PHASE_BUGS
from patterns.two_phase_commit.lesson import exposure as two_phases
from patterns.two_phase_commit.lesson.measure import blocked_time
from widgets.course.concept_map import COURSE
from widgets.course.counted import AnyStep, Run, answer, asked, costs, in_a_row, ms_while, waited
from widgets.results import Rows

if TYPE_CHECKING:
    from widgets.player import Player

HOP = (10, 10)
"""ms that each message takes."""
FAR = 1_000
"""ms that one place is further away, in a second run."""
KILLS = 100
"""How often a leader is killed, each time at another moment."""
KEYS = tuple(f"user:{number}" for number in range(2_000))
"""The keys of which a new machine gets its part."""


class Told(NamedTuple):
    """A story as one pattern tells it."""

    run: Run
    figures: Mapping[str, int]
    """Column -> what was counted. A column in which this way has nothing to count is left out."""
    facts: Mapping[str, Any]
    """The figures of the last sentence."""
    begins: AnyStep
    """The step at which the story begins."""


# One order: three places must change


def _answered(run: Run, client: str) -> dict[str, Any]:
    """What it cost until the client had its answer."""
    before = asked(run, client)
    total = costs(run, before)
    return {
        "wait": waited(run, client),
        "messages": total["messages"],
        "rounds": in_a_row(answer(run, client), before),
        "disk": total["disk writes"],
    }


def _order(run: Run, far: Run, client: str, seen: Mapping[str, int], **facts: Any) -> Told:
    """`seen` has the ms in which a reader finds a row locked, or half of the order; empty without such rows."""
    figures = {**_answered(run, client), **seen, "far": waited(far, client)}
    return Told(run, figures, facts, asked(run, client))


def _longest(exposed: Any, seen: str) -> int:
    """The longest time that a reader finds this in a row, in ms."""
    return max((each.ms for each in exposed if each.seen == seen), default=0)


def _by_two_phases() -> Told:
    run, far = two_phases.transferred(3), two_phases.transferred(3, FAR)
    locked, locked_far = (_longest(two_phases.exposed(each), two_phases.LOCKED) for each in (run, far))
    down, states = blocked_time(FAR), TWO_PHASE_BUGS["the vote is not forced"].clean().states
    facts = {"states": states, "down": down.repair, "doubt": down.in_doubt, "locked_far": locked_far}
    return _order(run, far, "A", {"locked": locked}, **facts)


def _by_saga() -> Told:
    dirty = SAGA_BUGS["no semantic lock"].found().counterexample
    states = SAGA_BUGS["forgets the step under way"].clean().states
    return _saga(parallel=False, states=states, dirty=len(dirty.history.branch) - 1)


def _saga(parallel: bool, **facts: Any) -> Told:
    run, far = (sagas.transferred(3, delay, parallel) for delay in (0, FAR))
    locked, half = (_longest(sagas.exposed(run), seen) for seen in (sagas.LOCKED, sagas.TENTATIVE))
    half_far = _longest(sagas.exposed(far), sagas.TENTATIVE)
    return _order(run, far, "A", {"locked": locked, "half": half}, half_far=half_far, **facts)


def _by_events() -> Told:
    def ordered(far: int) -> Run:
        commands = (Receive("shelf-1", 12), Ship("shelf-1", 3, "Ann"))
        run = Script(Shop(commands=commands, latency=HOP, idle=0)).ask("a").finish()
        return run.ask("b").finish(late={PROJECTOR: far}).history

    run, far = ordered(0), ordered(FAR)
    behind, behind_far = (_applied(each) - int(answer(each, "b").state.clock) for each in (run, far))
    states = EVENT_BUGS["rows are ignored"].clean().states
    return _order(run, far, "b", {}, states=states, behind=behind, behind_far=behind_far)


def _applied(run: Run) -> int:
    """When the table has the last event, in ms."""
    return max(int(step.state.clock) for step in run.branch if fired("J.apply")(step))


# One write, and the phones that keep it


def _write(run: Run, client: str, slow: Run, down: Run, has: Callable[[Any], bool], **facts: Any) -> Told:
    told = answer(slow, client)
    figures = {
        **_answered(run, client),
        "slow": waited(slow, client),
        "down": waited(down, client),
        "copies": sum(map(has, told.state.processes)),
    }
    return Told(run, figures, facts, asked(run, client))


def _replicated(way: str) -> Told:
    """Ann leads, or is asked. Cem is 100 ms further away in the second run; Ben is down in the third."""
    machine = REPLICAS[way].again(latency=HOP)
    patient = machine.again(timeout=FAR) if "timeout" in machine.params.__struct_fields__ else machine
    run, slow = Script(machine).ask("X", to="Ann").finish(), Script(patient).ask("X", to="Ann")
    slow.finish(late={"Cem": 100})
    down = Script(machine).crash("Ben").ask("X", to="Ann")
    if isinstance(machine, Chain):  # a chain notices nothing by itself: the monitor tells it
        down.ask("M", Suspect("Ben"), to=SERVICE)
    _, known, gone = outcome(REPLICAS[way], KILLS)
    value = run.world.call("X").body.value

    def has(process: Any) -> bool:
        if isinstance(process, Keeper):
            return bool(process.version.value == value)
        return isinstance(process, Replica | Link) and value in values_of(process)

    return _write(run.history, "X", slow.history, down.finish().history, has, known=known, gone=gone, kills=KILLS)


def _agreed() -> Told:
    """Three Raft servers, S1 leads. S3 is 100 ms further away in the second run; S2 is down in the third."""

    def led() -> Script:
        return elected(RaftCluster(servers=3, latency=HOP))

    run, slow = led().ask("A", Add, to="S1").settle(), led().ask("A", Add, to="S1")
    for packet in slow.world.packets:
        if packet.to == "S3":
            slow.delay(100, type(packet.body), to="S3")
    down = led().crash("S2").ask("A", Add, to="S1").settle()
    entries = len(run.world["S1"].log)
    known, gone = acknowledged_and_gone(KILLS)
    has = lambda server: len(server.log) == entries  # noqa: E731
    return _write(run.history, "A", slow.settle().history, down.history, has, known=known, gone=gone, kills=KILLS)


# One crash of the leader


def _after_crash(machine: Any, stable: Any, cut_with: int, **facts: Any) -> Told:
    """The leader crashes. In a second run it is cut off for a second, with so many others."""
    run = Script(machine).until(stable).wait(100)
    (old,) = leaders(run.world)
    crash = run.crash(old.id).step
    run.until(when(lambda world: any(leader.id != old.id for leader in leaders(world))))
    total = costs(run.history, crash)
    apart = Script(machine).until(stable).wait(100)
    others = [name for name in apart.world.names if name != old.id][:cut_with]
    cut = apart.cut_off(old.id, *others).step
    apart.wait(FAR)
    both = ms_while(apart.history, lambda world: len(leaders(world)) > 1, cut)
    figures = {
        "silent": run.world.clock - crash.state.clock,
        "messages": total["messages"],
        "rounds": in_a_row(run.step, crash),
        "disk": total["disk writes"],
        "two": both,
    }
    terms = sorted(leader.current_term for leader in leaders(apart.world) if isinstance(leader, Server))
    return Told(run.history, figures, {"old": old.id, "terms": terms, **facts}, crash)


def _bully() -> Told:
    states = ELECTION_BUGS["ignores answers"].clean().states
    return _after_crash(BullyElection(starts=(5,), latency=HOP), agreed, 1, states=states)


def _ring() -> Told:
    """Ids go round, and one process leads. Then it crashes, and nothing follows: no timer runs."""
    run = Script(ChangRobertsElection(latency=HOP)).finish()
    elected_in = costs(run.history)
    (old,) = leaders(run.world)
    crash = run.crash(old.id).step
    run.finish()
    after = costs(run.history, crash)
    figures = {"messages": after["messages"], "disk": after["disk writes"]}
    facts = {"old": old.id, "election": elected_in["messages"], "timers": len(run.world.timers)}
    return Told(run.history, figures, facts, crash)


def _lease() -> Told:
    refused = sum(fired("S.refuse")(step) for step in lease_paused().branch)
    states = ELECTION_BUGS["grants at once"].clean().states
    return _after_crash(LeaseElection(latency=HOP), when(leaders), 0, refused=refused, states=states)


def _raft() -> Told:
    states = ELECTION_BUGS["votes twice"].clean().states
    return _after_crash(RaftElection(latency=HOP), when(leaders), 1, states=states)


# One more machine


def _tier(scheme: str) -> Told:
    """A cache tier: every key is in the cache of its machine, then D joins, and clients read every key once."""
    tier = CacheTier(nodes="ABC", keys=KEYS, scheme=scheme, vnodes=100, stepwise=0)
    run = Script(tier)
    before = {key: run.world.router.lookup(key) for key in KEYS}
    run.do(JoinTier("D"), ReadAll())
    after = {key: run.world.router.lookup(key) for key in KEYS}
    shown = Script(CacheTier(nodes="ABC", scheme=scheme)).do(JoinTier("D")).finish() if scheme == "ring" else None
    shown = shown or Script(CacheTier(nodes="ABC", scheme=scheme)).do(JoinTier("D"), ReadAll())
    return _joined(shown.history, before, after, {"misses": run.world.last.misses})


def _slots() -> Told:
    """A parcel room: 64 slots stand in a map. D joins, and the planner moves slots to it."""

    def joined(**params: Any) -> Script:
        return Script(ParcelRoom(scheme="slots", **params)).do(JoinRoom("D"), Plan()).finish()

    run = joined(keys=KEYS, shards=64)
    before, after = ({key: at.state.map.owner(key) for key in KEYS} for at in (run.history.branch[0], run.step))
    states = SHARDING_BUGS["no drain"].clean().states
    return _joined(joined(shards=12).history, before, after, {"lines": len(run.world.map.owners)}, states=states)


def _joined(
    run: Run, before: Mapping[str, str], after: Mapping[str, str], counted: Mapping[str, int], **facts: Any
) -> Told:
    moved = [key for key in before if before[key] != after[key]]
    share = [sum(owner == name for owner in after.values()) for name in sorted({*after.values()})]
    figures = {
        "moved": len(moved),
        "sideways": sum(after[key] != "D" for key in moved),
        "fullest": round(100 * max(share) * len(share) / len(after)),
        **counted,
    }
    return Told(run, figures, {"least": len(after) // len(share), "keys": len(after), **facts}, run.branch[0])


# The stories


TOLD: Mapping[str, Mapping[str, Callable[[], Told]]] = {
    "order": {
        "two_phase_commit": _by_two_phases,
        "saga": _by_saga,
        "saga at once": partial(_saga, parallel=True),
        "event_sourcing": _by_events,
    },
    "write": {**{way: partial(_replicated, way) for way in REPLICAS}, "raft": _agreed},
    "crash": {"bully": _bully, "ring": _ring, "lease": _lease, "raft": _raft},
    "machine": {"modulo": partial(_tier, "modulo"), "ring": partial(_tier, "ring"), "slots": _slots},
}
"""Story -> way -> what tells it."""


class Way(msgspec.Struct, frozen=True):
    """A line of a table."""

    title: str
    chapter: str
    lost: str
    """What could be lost, with the names of figures in braces."""
    source: str
    """Where this sentence comes from: a search, a property, a run, a paper."""
    run: str = ""
    """The run's subtitle, if the title would only repeat the name of the pattern beside it."""


class Page(msgspec.Struct, frozen=True):
    """What `stories.toml` says of a story."""

    title: str
    what: str
    """What happens, and with which numbers."""
    columns: dict[str, str]
    ways: dict[str, Way]


class Story:
    """A story in several ways: a table, and the runs. Each way is told once, when it is first asked for."""

    def __init__(self, name: str) -> None:
        self.page = msgspec.convert(page_of("widgets.course", "stories.toml")[name], Page)
        self._tell = TOLD[name]
        self._told: dict[str, Told] = {}

    def told(self, way: str) -> Told:
        """The story in one way. Raises ParameterError for a way that it does not have."""
        if way not in self._tell:
            refuse("way", way, f"one of {', '.join(self._tell)}")
        if way not in self._told:
            self._told[way] = self._tell[way]()
        return self._told[way]

    def lost(self, way: str) -> tuple[str, str]:
        """What could be lost in one way, and where this sentence comes from, both with their figures.

        Raises ParameterError for a way that the story does not have.
        """
        told, words = self.told(way), self.page.ways[way]
        values = {**told.figures, **told.facts}
        return words.lost.format(**values), words.source.format(**values)

    @cached_property
    def rows(self) -> Rows:
        """A line for each way; a dash where it has nothing to count."""
        lines = []
        for name, way in self.page.ways.items():
            figures = self.told(name).figures
            counts = (figures.get(column, "-") for column in self.page.columns)
            lines.append((way.title, *counts, " ".join(self.lost(name))))
        return Rows(("", *self.page.columns.values(), "what could be lost"), lines)

    def play(self, way: str, **options: Any) -> Player:
        """The run of one way in a player, which opens where the story begins.

        `options` are the Player's. Raises ParameterError for a way that the story does not have.
        """
        from widgets.player import Player

        told = self.told(way)
        fresh = History.replay(told.run.machine, told.run.code)
        fresh.jump(fresh.branch[told.begins.depth])
        shown = self.page.ways[way]
        return Player(fresh, **{"subtitle": shown.run or shown.title, **options})

    def _repr_html_(self) -> str:
        heads = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in self.page.columns.values())
        body = "".join(self._lines(name) for name in self.page.ways)
        return (
            f'<style>{STYLE}</style><table class="dp-story"><caption>{html.escape(self.page.title)}'
            f"<p>{html.escape(self.page.what)}</p></caption>"
            f"<thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _lines(self, name: str) -> str:
        """A line of figures, each with a bar, and below it what could be lost."""
        way, figures = self.page.ways[name], self.told(name).figures
        link = f'<a href="{COURSE.notebook(way.chapter)}">chapter {COURSE.number(way.chapter)}</a>'
        cells = "".join(self._cell(column, figures.get(column)) for column in self.page.columns)
        lost, source = map(html.escape, self.lost(name))
        return (
            f'<tr><th scope="row" rowspan="2">{html.escape(way.title)}<br>{link}</th>{cells}</tr><tr class="lost">'
            f'<td colspan="{len(self.page.columns)}"><b>Could be lost:</b> {lost} <i>{source}</i></td></tr>'
        )

    def _cell(self, column: str, value: int | None) -> str:
        if value is None:
            return "<td>-</td>"
        most = max(self.told(name).figures.get(column, 0) for name in self.page.ways)
        share = 100 * value / most if most else 0
        return f'<td>{value:,}<div class="bar" style="width:{share:.0f}%"></div></td>'

    def __repr__(self) -> str:
        return repr(self.rows)


STYLE = files("widgets.course").joinpath("stories.css").read_text(encoding="utf-8")
ORDER, WRITE, CRASH, MACHINE = map(Story, TOLD)
