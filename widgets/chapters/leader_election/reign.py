"""What the pictures of all elections share: the bar of reigns, and which steps are no part of the story."""

from __future__ import annotations

from typing import Any

from patterns.leader_election import leaders
from patterns.leader_election.bully import Heartbeat
from patterns.leader_election.lease_messages import Granted, Renew
from widgets.kit import ProcessView, legend_of
from widgets.scene import Era, Role


class ReignView(ProcessView):
    title = "Leader election"
    signs = legend_of(__package__, title)
    timers_of_quiet = frozenset({"heartbeat", "renew"})
    rules_of_quiet = frozenset({"B.beat", "B.heard", "L.renew", "H.renew", "H.renewed"})

    def is_routine(self, message: Any) -> bool:
        return isinstance(message, Heartbeat | Renew | Granted)

    def era(self) -> Era:
        """A reign: the process that leads, by its own belief; the bar is red as long as two do."""
        lead = leaders(self.world)
        if not lead:
            return Era(key="nobody", label="no leader", role="soft", tone="dashed")
        reigns = [self.reign(leader) for leader in lead]
        if len(lead) > 1:
            label = f"two lead: {' and '.join(leader.id for leader in lead)}"
            return Era(key=" ".join(reigns), label=label, role="bad", tone="dashed")
        return Era(key=reigns[0], label=reigns[0], role=self.reign_role(lead[0]))

    def reign(self, leader: Any) -> str:
        return f"{leader.id} leads"

    def reign_role(self, leader: Any) -> Role:
        return leader_role(self.world, leader.id)


def leader_role(world: Any, name: str) -> Role:
    """The colour of a leader and its followers, by its place; the colours repeat after eight."""
    return f"c{world.names.index(name) % 8 + 1}"
