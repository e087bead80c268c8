"""Processes on a circle: the complete graph of the bully algorithm, and the rings with their links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.leader_election import Bully, HirschbergSinclair
from patterns.leader_election.bully import Answer, Coordinator, Election, Heartbeat
from patterns.leader_election.ring import Candidacy, Elected, From, Reply
from widgets.kit import Look
from widgets.scene import Line, Mark, Panel, Role

from . import beliefs
from .reign import ReignView, leader_role

MOST_WITH_CAPTIONS = 9
"""Up to here there is room for words under each disc."""


class CircleView(ReignView):
    """The bully algorithm: all know one another, and no link is drawn."""

    shorts = {Coordinator: "I lead", Heartbeat: "", Candidacy: "{uid}", From: "{value}, {num} of {maxnum}"}
    glyphs = {
        "?": (Election,),
        "yes": (Answer,),
        "L": (Coordinator, Elected),
        "beat": (Heartbeat,),
        "{uid}": (Candidacy,),
        "{value}": (From,),
    }
    answers = (Answer,)

    def panels(self) -> tuple[Panel, ...]:
        return self.network(), beliefs.panel(self.world)

    @property
    def radius(self) -> int:
        """A disc's; smaller if there are many."""
        n = len(self.world.processes)
        return super().radius if n <= MOST_WITH_CAPTIONS else max(6, 200 // n)

    @property
    def captions(self) -> bool:
        return len(self.world.processes) <= MOST_WITH_CAPTIONS

    def colour(self, message: Any) -> Role:
        """A message that names a leader has the leader's colour; the others belong to no reign."""
        return leader_role(self.world, message.leader) if isinstance(message, Elected) else "soft"

    def token(self, message: Any) -> tuple[str, bool]:
        return ("yes" if message.ok else "no", True) if isinstance(message, Reply) else super().token(message)

    def short(self, message: Any) -> str:
        if isinstance(message, Reply):
            return f"{'ok' if message.ok else 'no'} {message.value}"
        return super().short(message)

    def look(self, process: Any) -> Look:
        """A process has the colour of the leader that it follows."""
        leads, leader = process.role == "leader", process.leader
        stands = " stands for election and" if process.role == "candidate" else ""
        follows = f"follows {leader}" if leader else "knows of no leader"
        return Look(
            words=f"{process.id} leads" if leads else f"{process.id}{stands} {follows}",
            role=str(process.role),
            hue=leader_role(self.world, leader) if leader else "",
            sub=f"→ {leader}" if self.captions and leader not in ("", process.id) else "",
            caption="leader" if leads else self._stands(process) if process.role == "candidate" else "",
        )

    def _stands(self, process: Any) -> str:
        """A dashed ring says that it stands; of how far its id goes it says more."""
        return f"{process.maxnum} far" if isinstance(process, HirschbergSinclair) else ""

    def in_memory(self, process: Any) -> Mapping[str, Any]:
        facts: dict[str, Any] = {"role": process.role, "leader": process.leader or "none"}
        if isinstance(process, Bully) and process.role == "candidate":
            facts["a higher process answered"] = process.answered
        if isinstance(process, HirschbergSinclair) and process.role == "candidate":
            told = ", ".join("ok" if ok else "no" for _, ok in process.replies)
            facts |= {"asks how far": process.maxnum, "replies": told or "none"}
        return facts

    def on_disk(self, process: Any) -> Mapping[str, Any]:
        return {}


class RingView(CircleView):
    """Clockwise is the order of the ids: each process and the next have a link."""

    def background(self) -> list[Mark]:
        links: list[Mark] = []
        for process in self.world.processes:
            (x, y), (x2, y2) = self.ends(process.id, process.right)
            title = f"{process.id}'s neighbour clockwise is {process.right}"
            links.append(Line(id=f"link:{process.id}", x=x, y=y, x2=x2, y2=y2, role="line", title=title))
        return links
