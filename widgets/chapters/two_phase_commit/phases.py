"""The bar of phases: how the transactions stand, red if one is blocked or two processes disagree."""

from __future__ import annotations

from patterns.engine.world import World
from patterns.two_phase_commit import blocked, coordinator, in_doubt, outcomes, participants, transactions
from patterns.two_phase_commit.messages import past
from widgets.scene import Era

from .states import role_of

DOING = {"pre-committing": "pre-commit", "committing": "commit", "aborting": "abort", "recovering": "C asks"}


def era(world: World) -> Era | None:
    """The worst comes first: a split, a blocked transaction, the open ones, then how the last ones ended."""
    begun = transactions(world)
    if not begun:
        return None
    for txn in begun:
        decided = outcomes(world, txn)
        if len(set(decided.values())) > 1:
            said = ", ".join(f"{name} {past(outcome)}" for name, outcome in decided.items())
            return Era(key=f"split {txn}", label=f"{txn} split: {said}", role="bad")
    if stuck := blocked(world):
        return Era(key=f"blocked {stuck}", label=f"{', '.join(stuck)} blocked", role=role_of(stuck[0]), tone="dashed")
    return _open(world) or _ended(world, begun)


def _open(world: World) -> Era | None:
    """The transactions that the coordinator has open, and those that are in doubt or wait at a participant."""
    phases = {txn: open.phase for txn, open in coordinator(world).open}
    doubt = dict.fromkeys(doubt.txn for doubt in in_doubt(world))
    waits = [branch.txn for process in participants(world) for branch in process.branches.values()]
    live = [*dict.fromkeys([*phases, *doubt, *waits])]
    if not live:
        return None
    words = []
    for txn in live:
        phase = phases.get(txn, "")
        known = next(iter(outcomes(world, txn).values()), None)
        words.append(f"{txn} {DOING.get(phase, phase) or known or 'in doubt'}")
    decided = phases.get(live[0]) in ("committing", "aborting")
    tone = "solid" if decided else "soft" if live[0] in phases else "dashed"
    label = " · ".join(words)
    return Era(key=label, label=label, role=role_of(live[0]), tone=tone)  # type: ignore[arg-type]


def _ended(world: World, begun: tuple[str, ...]) -> Era:
    ended = [f"{txn} {past(outcome)}" for txn in begun for outcome in [*outcomes(world, txn).values()][:1]]
    label = " · ".join(ended) or "nothing is open"
    return Era(key=label, label=label, role="ink", tone="outline")
