"""What a saga promises, in every state, each with the reason where it does not hold; and what it does not promise.

None asks the code that it checks: the databases' rows and their tables of handled requests say what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from patterns.engine.properties import Along, Always, AtRest, Broken, Property, Reason, Sometimes, Transition
from patterns.engine.sentences import names
from patterns.engine.world import World

from .actions import Action, Add, Look, Move, Overwrite, Reread
from .database import Handled
from .log import COMPENSATED, COMPLETED, ENDED, REFUSED, STUCK, Instance
from .readings import databases, definition_of, effect, handled, instances, steps_standing, sums


def _applied_twice(world: World) -> Reason:
    for service in databases(world):
        seen = set()
        for each in service.handled:
            what = (each.saga, each.step, each.undo)
            if each.effective and what in seen:
                return f"{service.id} {'undid' if each.undo else 'did'} {each.step} of {each.saga} twice"
            seen.add(what)
    return None


def _undone_before_done(world: World) -> Reason:
    for service in databases(world):
        done = set()
        for each in service.handled:
            if not each.effective:
                continue
            if not each.undo:
                done.add((each.saga, each.step))
            elif (each.saga, each.step) not in done:
                return f"{service.id} undid {each.step} of {each.saga}, which it had not done"
    return None


def _done_after_undone(world: World) -> Reason:
    for service in databases(world):
        compensated = set()
        for each in service.handled:
            if each.undo:
                compensated.add((each.saga, each.step))
            elif each.effective and (each.saga, each.step) in compensated:
                return f"{service.id} did {each.step} of {each.saga} after its compensation: nobody will undo it"
    return None


def _out_of_order(world: World) -> Reason:
    for instance in instances(world):
        definition = definition_of(world, instance.definition)
        standing = steps_standing(world, instance.saga)
        for service, each in handled(world, instance.saga):
            if each.undo and each.effective and (later := definition.following(each.step) & standing):
                name = next(name for name in definition.names if name in later)
                return f"{service.id} undid {each.step} of {instance.saga} while {name}, which came after it, stands"
    return None


def _back_after_pivot(world: World) -> Reason:
    for instance in instances(world):
        pivot = definition_of(world, instance.definition).pivot
        of = [each for _, each in handled(world, instance.saga) if each.effective]
        if pivot and any(each.step == pivot for each in of):
            for each in of:
                if each.undo:
                    return f"{each.step} of {instance.saga} is undone, though its pivot {pivot} is done"
    return None


def said(world: World, saga: str) -> tuple[str, ...]:
    """What the logs say of how a saga is: `completed`, `compensated`, `stuck`."""
    lines = [record for process in world.processes for record in getattr(process, "log", ()) if record.saga == saga]
    ends = {record.detail for record in lines if record.what == ENDED}
    stuck = {STUCK for record in lines if record.what == STUCK}
    return tuple(sorted(ends | stuck))


def _stands(world: World, instance: Instance) -> tuple[frozenset[str], str]:
    """The steps of a saga that are not in the databases, and those that are, in words."""
    standing = steps_standing(world, instance.saga)
    steps = definition_of(world, instance.definition).names
    return frozenset(steps) - standing, names(name for name in steps if name in standing) or "nothing"


def _told_wrong(world: World) -> Reason:
    for instance in instances(world):
        told, (missing, standing) = said(world, instance.saga), _stands(world, instance)
        if COMPLETED in told and missing:
            return f"{instance.saga} is said to be completed, but what stands of it is {standing}"
        if COMPENSATED in told and standing != "nothing":
            return f"{instance.saga} is said to be compensated, but {standing} stands"
    return None


def _not_ended(world: World) -> Reason:
    if world.down or world.paused or world.cuts:  # a process that is away has more to do
        return None
    for instance in instances(world):
        if not said(world, instance.saga):
            standing = _stands(world, instance)[1]
            return f"nothing more happens, and {instance.saga} has not ended: what stands of it is {standing}"
    return None


def _rows(world: World) -> tuple[tuple[str, int], ...]:
    return tuple(sums(world).items())


def _adds_up(rows: tuple[tuple[str, int], ...], step: Transition) -> tuple[tuple[str, int], ...] | Broken:
    expected = dict(rows)
    for instance in instances(step.after):
        definition = definition_of(step.after, instance.definition)
        for key, amount in effect(definition, steps_standing(step.after, instance.saga)).items():
            expected[key] += amount
    for key, value in sums(step.after).items():
        if value != expected[key]:
            return Broken(f"{key} is {value}, but the steps that stand add up to {expected[key]}")
    return rows


applied_once = Always("nothing is done twice, nothing undone twice", _applied_twice)
undo_only_what_was_done = Always("what was never done is not undone", _undone_before_done)
no_step_after_its_compensation = Always("no step is done after its compensation", _done_after_undone)
reverse_order = Always("compensations run in reverse order", _out_of_order)
never_back_after_pivot = Always("after the pivot nothing is undone", _back_after_pivot)
told_as_it_is = Always("what is said to have ended has ended so", _told_wrong)
every_saga_ends = AtRest("every saga ends completed, or compensated, or is reported as stuck", _not_ended)
adds_up = Along("rows hold what the steps that stand add up to: nothing is lost, nothing made", _rows, _adds_up)
"""Remembered along a run is what the rows were at first: the end is as if each saga ran alone."""

ALWAYS: tuple[Property, ...] = (
    every_saga_ends,
    told_as_it_is,
    reverse_order,
    undo_only_what_was_done,
    no_step_after_its_compensation,
    applied_once,
    never_back_after_pivot,
    adds_up,
)


# What a saga does not promise: isolation


def _takes(action: Action) -> frozenset[str]:
    """The rows whose value it uses up, or looks at."""
    match action:
        case Move(source):
            return frozenset({source})
        case Add(key, amount) if amount < 0:
            return frozenset({key})
        case Look(key):
            return frozenset({key})
    return frozenset()


def _gives(action: Action) -> frozenset[str]:
    """The rows that hold more after it."""
    match action:
        case Move(_, to):
            return frozenset({to})
        case Add(key, amount) if amount > 0:
            return frozenset({key})
        case Overwrite(key) | Reread(key):
            return frozenset({key})
    return frozenset()


def _effects(world: World, table: tuple[Handled, ...]) -> Iterator[tuple[Handled, Action]]:
    """What a service did, in order, each with its action."""
    sagas: dict[str, Instance] = {each.saga: each for each in instances(world)}
    for each in table:
        if each.effective and each.saga in sagas:
            step = definition_of(world, sagas[each.saga].definition)[each.step]
            yield each, (step.undo or step.do) if each.undo else step.do


def doomed(world: World, saga: str) -> bool:
    """Whether a saga has turned back for good: a step of it was refused, or compensated."""
    return any(each.undo or each.outcome == REFUSED for _, each in handled(world, saga))


def _dirty_read(world: World) -> Reason:
    for service in databases(world):
        gone = {(each.saga, each.step) for each in service.handled if each.undo}
        given: dict[tuple[str, str], frozenset[str]] = {}  # what is done, by saga and step -> rows it has given to
        for each, action in _effects(world, service.handled):
            what = (each.saga, each.step)
            if each.undo:
                given.pop(what, None)
                continue
            for (saga, step), rows in given.items():
                used = rows & _takes(action)
                if used and saga != each.saga and what not in gone and doomed(world, saga):
                    return (
                        f"{each.saga} used {min(used)} at {service.id} with what {step} of {saga} had put there, and "
                        f"{saga} turns back"
                    )
            given[what] = _gives(action)
    return None


def _lost_update(world: World) -> Reason:
    for service in databases(world):
        for at, (each, action) in enumerate(line := list(_effects(world, service.handled))):
            if not isinstance(action, Overwrite | Reread) or each.undo:
                continue
            looks = [
                n for n, (other, _) in enumerate(line[:at]) if other.saga == each.saga and other.looked == action.key
            ]
            for other, theirs in line[looks[-1] + 1 : at] if looks else ():
                if other.saga != each.saga and action.key in theirs.touches and not isinstance(theirs, Look):
                    return (
                        f"{each.saga} overwrites {action.key} at {service.id} with what it saw before {other.step} of "
                        f"{other.saga}: that update is lost"
                    )
    return None


no_dirty_reads = Always("no saga uses what another takes back", _dirty_read)
no_lost_updates = Always("no saga overwrites what it has not seen", _lost_update)
ISOLATION: tuple[Property, ...] = (no_lost_updates, no_dirty_reads)
"""What sagas do not promise (Richardson 4.3.1), and a countermeasure may."""


# What can happen


def _ends(outcome: str) -> Callable[[World], bool]:
    return lambda world: any(outcome in said(world, instance.saga) for instance in instances(world))


def all_ended(world: World) -> bool:
    """Whether there are sagas, and all have ended."""
    every = instances(world)
    return bool(every) and all({COMPLETED, COMPENSATED} & {*said(world, each.saga)} for each in every)


completes = Sometimes("a saga is completed", _ends(COMPLETED))
is_compensated = Sometimes("a saga is compensated", _ends(COMPENSATED))
gets_stuck = Sometimes("a saga is stuck", _ends(STUCK))
all_end = Sometimes("all sagas have ended", all_ended)
