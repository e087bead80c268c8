"""What a judge of an exercise makes of a search: the verdict with the shortest run that goes wrong."""

from __future__ import annotations

from collections.abc import Iterable

from patterns.consensus_raft.properties import ALWAYS
from patterns.engine.counterexample import Counterexample
from patterns.engine.explore import explore
from patterns.engine.judge import Verdict
from patterns.engine.properties import NoFailure, Property

from .hunts import HUNTS
from .small import SmallCluster


def searched(
    verdict: Verdict,
    clusters: Iterable[SmallCluster],
    by_the_book: Property,
    cluster: type[SmallCluster] | None = None,
    consequence: str | None = None,
) -> Verdict:
    """The verdict on the cases, with what all runs of the learner's clusters say.

    Where the mistake is one that a planted bug makes too, its `consequence` is looked for first, within that bug's
    bounds. Otherwise the shortest run is shown in which an invariant breaks or a decision is not `by_the_book`.
    """
    if cluster is not None and consequence is not None:
        hunt = HUNTS[consequence]
        found = explore(cluster(**hunt.bounds), ALWAYS, max_states=hunt.states)
        if found.counterexample is not None:
            return _shown(verdict, found.counterexample)
    states = 0
    for small in clusters:
        found = explore(small, (*ALWAYS, by_the_book), max_states=20_000)
        states += found.states
        if found.counterexample is not None:
            return _shown(verdict, found.counterexample)
    return verdict._replace(tried=states, what="states") if verdict.accepted else verdict


def _shown(verdict: Verdict, broken: Counterexample) -> Verdict:
    then = "" if isinstance(broken.property, NoFailure) else f"In a run: {broken.reason}."
    failing = f"{verdict.failing} {then}".strip()
    return verdict._replace(accepted=False, failing=failing, history=broken.history)
