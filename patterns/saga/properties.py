"""The promises of a saga in every state, each with the reason if it does not hold; and promises that a saga does not
make.

None asks the code that it checks: the databases' rows and their tables of handled requests say what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from patterns.engine.along import Along, Broken, Transition
from patterns.engine.properties import Always, AtRest, Property, Reason, Sometimes
from patterns.engine.sentences import names
from patterns.engine.world import World

from .actions import Action, Look, Overwrite
from .database import Database, Handled
from .log import COMPENSATED, COMPLETED, ENDED, REFUSED, STUCK, Instance
from .readings import databases, definition_of, effect, handled, instances, steps_in_effect, sums, waits


def _first(problems: Callable[[World], Iterator[str]]) -> Callable[[World], Reason]:
    return lambda world: next(problems(world), None)


def _effective(world: World) -> Iterator[tuple[str, Handled, list[bool]]]:
    """Each time that a service did or undid a step, with the earlier ones of this step: True for a compensation, False
    for a request that it did."""
    for service in databases(world):
        before: dict[tuple[str, str], list[bool]] = {}
        for each in service.handled:
            earlier = before.setdefault((each.saga, each.step), [])
            if each.effective:
                yield service.id, each, earlier
            if each.effective or each.undo:
                earlier.append(each.undo)


@Always.named("no step is done twice, and none is undone twice")
@_first
def applied_once(world: World) -> Iterator[str]:
    for service, each, earlier in _effective(world):
        if each.undo in earlier:
            yield f"{service} {'undid' if each.undo else 'did'} {each.step} of {each.saga} twice"


@Always.named("no step is undone that was not done")
@_first
def undo_only_what_was_done(world: World) -> Iterator[str]:
    for service, each, earlier in _effective(world):
        if each.undo and False not in earlier:
            yield f"{service} undid {each.step} of {each.saga}, which it had not done"


@Always.named("no step is done after its compensation")
@_first
def no_step_after_its_compensation(world: World) -> Iterator[str]:
    for service, each, earlier in _effective(world):
        if not each.undo and True in earlier:
            yield f"{service} did {each.step} of {each.saga} after its compensation: nobody will undo it"


@Always.named("compensations run in reverse order")
@_first
def reverse_order(world: World) -> Iterator[str]:
    for instance in instances(world):
        definition = definition_of(world, instance.definition)
        in_effect = steps_in_effect(world, instance.saga)
        for service, each in handled(world, instance.saga):
            if each.undo and each.effective and (later := definition.following(each.step) & in_effect):
                name = next(name for name in definition.names if name in later)
                yield f"{service.id} undid {each.step} of {instance.saga} while {name}, a later step, is in effect"


@Always.named("after the pivot no step is undone")
@_first
def never_back_after_pivot(world: World) -> Iterator[str]:
    for instance in instances(world):
        pivot = definition_of(world, instance.definition).pivot
        of = [each for _, each in handled(world, instance.saga) if each.effective]
        if pivot and any(each.step == pivot for each in of):
            for each in of:
                if each.undo:
                    yield f"{each.step} of {instance.saga} is undone, though its pivot {pivot} is done"


def said(world: World, saga: str) -> tuple[str, ...]:
    """What the logs say of how a saga is: `completed`, `compensated`, `stuck`."""
    lines = [record for process in world.processes for record in getattr(process, "log", ()) if record.saga == saga]
    ends = {record.detail for record in lines if record.what == ENDED}
    stuck = {STUCK for record in lines if record.what == STUCK}
    return tuple(sorted(ends | stuck))


def _effect_of(world: World, instance: Instance) -> tuple[frozenset[str], str]:
    """The steps of a saga that are not in the databases, and those that are, in words."""
    in_effect = steps_in_effect(world, instance.saga)
    steps = definition_of(world, instance.definition).names
    return frozenset(steps) - in_effect, names(name for name in steps if name in in_effect) or "nothing"


@Always.named("each saga has ended as the logs say")
@_first
def told_as_it_is(world: World) -> Iterator[str]:
    for instance in instances(world):
        told, (missing, in_effect) = said(world, instance.saga), _effect_of(world, instance)
        if COMPLETED in told and missing:
            yield f"{instance.saga} is completed in the log, but only these steps are in effect: {in_effect}"
        if COMPENSATED in told and in_effect != "nothing":
            yield f"{instance.saga} is compensated in the log, but these steps are still in effect: {in_effect}"


@AtRest.named("every saga ends completed, or compensated, or is reported as stuck")
def every_saga_ends(world: World) -> Reason:
    if world.down or world.paused or world.cuts:  # a process that is away has more to do
        return None
    for instance in instances(world):
        if not said(world, instance.saga):
            in_effect = _effect_of(world, instance)[1]
            return f"nothing more happens, and {instance.saga} has not ended; these steps are in effect: {in_effect}"
    return None


def _rows(world: World) -> tuple[tuple[str, int], ...]:
    return tuple(sums(world).items())


@Along.named("each row is the sum of the steps in effect: nothing is lost, nothing is made", _rows)
def adds_up(rows: tuple[tuple[str, int], ...], step: Transition) -> tuple[tuple[str, int], ...] | Broken:
    """Remembered along a run is what the rows were at first: the end is as if each saga ran alone."""
    expected = dict(rows)
    for instance in instances(step.after):
        definition = definition_of(step.after, instance.definition)
        for key, amount in effect(definition, steps_in_effect(step.after, instance.saga)).items():
            expected[key] += amount
    for key, value in sums(step.after).items():
        if value != expected[key]:
            return Broken(f"{key} is {value}, but the steps in effect add up to {expected[key]}")
    return rows


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
    return frozenset(key for key, amount in action.adds if amount < 0 or isinstance(action, Look))


def _gives(action: Action) -> frozenset[str]:
    """The rows that hold more after it."""
    return frozenset(key for key, amount in action.adds if amount > 0 or isinstance(action, Overwrite))


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


@Always.named("no saga uses a value that another takes back")
@_first
def no_dirty_reads(world: World) -> Iterator[str]:
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
                    yield (
                        f"{each.saga} used {min(used)} at {service.id} that {step} of {saga} had put there, and "
                        f"{saga} turns back"
                    )
            given[what] = _gives(action)


def _after_another(world: World) -> Iterator[tuple[Database, Handled, Action, Handled]]:
    """What a saga did to a row that it had looked at, where another saga had written it since: and that write."""
    for service in databases(world):
        looked: dict[tuple[str, str], Handled | None] = {}  # saga and row -> the first write of another saga since then
        for each, action in _effects(world, service.handled):
            for key in action.touches:
                if (other := looked.get((each.saga, key))) and not each.undo:
                    yield service, each, action, other
            if isinstance(action, Look):
                looked[each.saga, action.key] = None
                continue
            for (saga, key), write in looked.items():
                if saga != each.saga and key in action.touches:
                    looked[saga, key] = write or each


@Always.named("no saga overwrites a change that it has not seen")
@_first
def no_lost_updates(world: World) -> Iterator[str]:
    for service, each, action, other in _after_another(world):
        if isinstance(action, Overwrite):
            yield (
                f"{each.saga} overwrites {action.key} at {service.id}, and has not seen {other.step} of {other.saga}: "
                f"this update is lost"
            )


@Always.named("a saga that looks at a row twice sees the same")
@_first
def no_fuzzy_reads(world: World) -> Iterator[str]:
    for service, each, action, other in _after_another(world):
        if isinstance(action, Look):
            yield f"{each.saga} looks at {action.key} at {service.id} again, and {other.saga} has changed it in between"


@Always.named("no two sagas wait for each other")
@_first
def no_deadlock(world: World) -> Iterator[str]:
    waiting = waits(world)
    for saga, other in waiting.items():
        if waiting.get(other) == saga:
            yield f"{saga} waits for a row that {other} has marked, and {other} for one that {saga} has marked"


ISOLATION: tuple[Property, ...] = (no_lost_updates, no_dirty_reads, no_fuzzy_reads)
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


def all_told(world: World) -> bool:
    """Whether there are sagas, all have ended or are reported as stuck, and no client waits. In a search for dead ends
    it shows what `every_saga_ends` cannot see: a saga that waits for ever, and whose timer runs."""
    every = instances(world)
    return bool(every) and all(said(world, each.saga) for each in every) and not any(call.waits for call in world.calls)
