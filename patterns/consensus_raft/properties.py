"""What Raft guarantees: the five properties of the paper's Figure 3, on every state, and progress.

Each says in words, with names, indexes and terms, why it does not hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from patterns.engine.along import Along, AlwaysNext, Broken, NeverTwice, Transition
from patterns.engine.properties import Always, Property, Reason, Sometimes
from patterns.engine.step import Note
from patterns.engine.world import World

from .messages import Entry
from .state import ServerState


def changed(before: World[ServerState], after: World[ServerState]) -> list[tuple[ServerState, ServerState]]:
    """The servers that are not as they were: each before and after."""
    if after.processes is before.processes:
        return []
    return [(was, now) for was, now in zip(before.processes, after.processes, strict=True) if now is not was]


@NeverTwice.named("Election Safety: at most one leader in a term")
def election_safety(world: World[ServerState], notes: tuple[Note, ...]) -> Iterator[tuple[str, str]]:
    for server in world.processes:
        if server.role == "leader":
            yield f"the leader of term {server.current_term}", server.id


@AlwaysNext.named("Leader Append-Only: a leader only appends to its log")
def leader_append_only(before: World[ServerState], after: World[ServerState]) -> Reason:
    for was, now in changed(before, after):
        leads_on = was.role == now.role == "leader" and was.current_term == now.current_term
        if leads_on and now.log is not was.log and (now.last_log_index < was.last_log_index or differ(was, now)):
            return f"{now.id}, the leader of term {now.current_term}, changed entries of its own log"
    return None


def both_have(one: ServerState, other: ServerState) -> range:
    """The indexes of the entries that both logs have: snapshots may have replaced the first ones."""
    first = max(one.first_log_index, other.first_log_index)
    return range(first, min(one.last_log_index, other.last_log_index) + 1)


def differ(one: ServerState, other: ServerState) -> bool:
    """Whether the logs have different entries at one of these indexes."""
    both = both_have(one, other)
    mine, theirs = (
        server.log[both.start - server.first_log_index : both.stop - server.first_log_index] for server in (one, other)
    )
    return one.log is not other.log and mine != theirs


@Always.named("Log Matching: logs that share an entry are the same up to it")
def log_matching(world: World[ServerState]) -> Reason:
    for one, other in combinations(world.processes, 2):
        if not differ(one, other):
            continue
        both = both_have(one, other)
        same = [index for index in both if one.term_at(index) == other.term_at(index)]
        for index in range(both.start, same[-1] + 1 if same else 0):
            mine, theirs = one.entry_at(index), other.entry_at(index)
            if mine != theirs:
                return (
                    f"at index {same[-1]} both {one.id} and {other.id} have an entry of term {one.term_at(same[-1])}, "
                    f"yet at index {index} they have {mine} and {theirs}"
                )
    return None


Committed = tuple[tuple[Entry, int], ...]
"""For each index the committed entry, and the term in which it was committed."""


@Along.named("Leader Completeness: later leaders have all that was committed", lambda world: ())
def leader_completeness(known: Committed, step: Transition) -> Committed | Broken:
    moved = [now for _, now in changed(step.before, step.after)]
    committed = known
    for now in moved:
        new = range(len(committed) + 1, now.commit_index + 1)
        if new.start >= now.first_log_index:
            committed += tuple((now.entry_at(index), now.current_term) for index in new)
    # Old leaders are looked at again when more was committed: they may be of a later term than it.
    for leader in moved if len(committed) == len(known) else step.after.processes:
        if leader.role == "leader" and (reason := _lacks(leader, committed)):
            return Broken(reason)
    return committed


def _lacks(leader: ServerState, committed: Committed) -> Reason:
    for index, (entry, term) in enumerate(committed, start=1):
        if term >= leader.current_term or index < leader.first_log_index:  # its snapshot has that one
            continue
        has = leader.entry_at(index) if index <= leader.last_log_index else "nothing"
        if has != entry:
            return (
                f"{leader.id} leads term {leader.current_term} and has {has} at index {index}, where {entry} was "
                f"committed in term {term}"
            )
    return None


@Along.named("State Machine Safety: all apply the same entry at an index", lambda world: ())
def state_machine_safety(applied: tuple[Entry, ...], step: Transition) -> tuple[Entry, ...] | Broken:
    """The memory: the entries applied so far, by index."""
    for was, now in changed(step.before, step.after):
        for index in range(max(was.last_applied + 1, now.first_log_index), now.last_applied + 1):
            entry = now.entry_at(index)
            if index == len(applied) + 1:
                applied += (entry,)
            elif index <= len(applied) and applied[index - 1] != entry:
                return Broken(
                    f"{now.id} applies {entry} at index {index}, where {applied[index - 1]} was applied before"
                )
    return applied


@AlwaysNext.named("Terms never fall, not even in a crash")
def terms_never_fall(before: World[ServerState], after: World[ServerState]) -> Reason:
    for was, now in changed(before, after):
        if now.current_term < was.current_term:
            return f"{now.id} goes back from term {was.current_term} to term {now.current_term}"
    return None


@AlwaysNext.named("Committed entries stay committed, and in the log")
def commits_never_fall(before: World[ServerState], after: World[ServerState]) -> Reason:
    for was, now in changed(before, after):
        if now.commit_index < was.commit_index and now.id not in after.down:  # a crash forgets it
            return f"{now.id} takes its commit index back from {was.commit_index} to {now.commit_index}"
        last = now.last_log_index
        if not now.last_applied <= now.commit_index <= last:
            return f"{now.id} has applied {now.last_applied} and committed {now.commit_index} of {last} entries"
    return None


FIGURE_3: tuple[Property, ...] = (
    election_safety,
    leader_append_only,
    log_matching,
    leader_completeness,
    state_machine_safety,
)
ALWAYS: tuple[Property, ...] = (*FIGURE_3, terms_never_fall, commits_never_fall)


# What is not safety


_HEARD = ("AE.0", "AE.2", "AE.2.short", "AE.3", "AE.4", "AE.5", "C.3")


@Along.named("A heartbeat that has arrived starts the election timer again", lambda world: None)
def follows_heartbeats(memory: None, step: Transition) -> Broken | None:
    """A server that hears from the leader of its term starts its election timer again, at that moment (5.2).

    Not one of Figure 3: without it nothing is ever inconsistent, but a leader that everybody hears is deposed.
    """
    for note in step.notes:
        if note.rule in _HEARD:
            who, clock = note.values["who"], step.after.clock
            timer = step.after.timer(who, "election")
            if timer is None or timer.set != clock:
                since = "does not run" if timer is None else f"has run since {timer.set} ms"
                return Broken(f"{who} hears from {note.values['leader']} at {clock} ms, but its timer {since}")
    return None


@Sometimes.named("all servers know of a leader's whole log that it is committed")
def settled(world: World[ServerState]) -> bool:
    """Progress: once all faults are repaired, a leader is elected, and its log is committed everywhere."""
    servers = world.processes
    term = max(server.current_term for server in servers)
    leader = next((server for server in servers if server.role == "leader" and server.current_term == term), None)
    return leader is not None and all(server.commit_index == leader.last_log_index for server in servers)


def split_vote(world: World[ServerState]) -> int | None:
    """The newest term, when its votes are spread so that none of its candidates can win any more; else None."""
    servers = world.processes
    term = max(server.current_term for server in servers)
    voters = [server for server in servers if server.current_term == term]
    if any(server.role == "leader" for server in voters):
        return None
    votes = Counter(server.voted_for for server in voters if server.voted_for)
    free = len(servers) - votes.total()
    best = max(votes.values(), default=0)
    return term if len(votes) > 1 and 2 * (best + free) <= len(servers) else None
