"""What each algorithm takes for granted, how to break it here, and what happens then: a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Assumption(NamedTuple):
    holds: str
    """What is taken for granted."""
    broken_by: str
    """What breaks it in the simulator."""
    then: str
    """What happens then."""
    run: str = ""
    """The title in the gallery of a run that shows it; empty for none."""


class Assumptions(dict[str, tuple[Assumption, ...]]):
    """Algorithm -> what it assumes: a mapping, and a table where a notebook shows it."""

    def _repr_markdown_(self) -> str:
        rows = [
            f"| {name.replace('_', '-')} | {each.holds} | {each.broken_by} | {each.then} |"
            for name, assumed in self.items()
            for each in assumed
        ]
        return "\n".join(("| Algorithm | takes for granted | broken by | then |", "|:--|:--|:--|:--|", *rows))


ASSUMPTIONS: Mapping[str, tuple[Assumption, ...]] = Assumptions(
    {
        "bully": (
            Assumption(
                "a message and its answer come within a known time",
                "delay an answer, pause a process, or give a `timeout` below twice the latency",
                "silence is taken for a crash, and two lead",
            ),
            Assumption(
                "no message is lost, and nobody is cut off",
                "cut a group off from the leader",
                "each side elects its highest, until the cut is healed",
                "bully: a partition elects two",
            ),
            Assumption(
                "nobody comes back in the middle of an election",
                "restart a higher process while a lower one announces itself",
                "the announcements overtake one another, and some go by the lower one until they miss its heartbeats",
                "bully: a recovery in the wrong moment",
            ),
        ),
        "chang_roberts": (
            Assumption(
                "ids are distinct",
                "give two processes the same id",
                "each takes the other's id for its own: both lead, and at last each goes by the other",
                "Chang-Roberts: equal ids",
            ),
            Assumption(
                "no message is lost and nobody crashes",
                "drop the highest id on its way",
                "nobody ever leads",
                "Chang-Roberts: a message is lost",
            ),
        ),
        "hirschberg_sinclair": (
            Assumption(
                "ids are distinct", "give two processes the same id", "each takes the other's id for its own: both lead"
            ),
            Assumption("no message is lost and nobody crashes", "drop a reply", "who waits for it waits forever"),
        ),
        "lease": (
            Assumption(
                "nobody stands still while it leads",
                "pause the leader until its lease has run out",
                "it wakes up and still believes that it leads: the storage must refuse it",
                "lease: a paused leader is refused",
            ),
            Assumption(
                "clocks run at the same rate, but for the `drift` allowed",
                "give the leader a slow clock: `speed={'A': 33}`",
                "the lease ends for the server before it ends for the leader, and two lead",
                "lease: a slow clock",
            ),
            Assumption(
                "the storage looks at the token",
                "`fencing=False`",
                "an old leader's write is taken, and a newer one's is lost",
                "lease: without fencing a write is lost",
            ),
            Assumption(
                "links neither double messages nor let them overtake one another",
                "duplicate a write",
                "the second copy comes after the next write, and undoes it: the token alone does not tell them apart",
            ),
        ),
        "raft": (
            Assumption(
                "a majority is up and connected",
                "crash or cut off more than half",
                "nobody is elected; two leaders of one term there never are",
                "Raft: a partition",
            ),
        ),
    }
)
"""Algorithm -> what it assumes. For safety Raft assumes only that what is on disk stays there."""
