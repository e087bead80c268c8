"""The picture of sagas: each as a path, forward and back; and the services, each with its own database.

Orchestrated, the saga log stands under the path; choreographed, the outboxes do. If a world holds both styles of the
same saga, each has a panel: path, services, and log or outboxes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from patterns.saga.choreography import Peer
from patterns.saga.log import COMPENSATING, FORWARD, PAST_PIVOT, STUCK
from patterns.saga.messages import Ack, Event, Failed
from patterns.saga.orchestrator import Orchestrator
from patterns.saga.readings import instances, logged, observer
from widgets.kit import ProcessView
from widgets.scene import Era, Mark, Panel, Role

from . import kept, path, services
from .words import MESSAGES, Group, groups, in_short, message_role, shown

HEIGHT, EDGE = 450, 6
KEPT = kept.HEAD + 5 * kept.ROW
"""What a log or the outboxes take side by side: as many lines as two parallel branches fill at once."""


class SagaView(ProcessView):
    title = "Saga"
    quiet = "acknowledgements"
    signs = {
        "colour": "a saga; blue and filled: changed in this step",
        "box in the path": "what the logs say of a step; under it, what undoes it",
        "bar under a step": "its effect is in its service's database now, whatever the logs say",
        "upright line": "the point of no return: dashed until it is passed",
        "frame under a service": "its disk: rows, and the requests it has handled",
        "✓ ✕ ↩ – !": "done, refused, undone or to be undone, nothing to do, failed for now",
        "A1 → ← ✓ ↩ !": "of a saga: goes forward, back, is completed, compensated, stuck",
        "· A1 behind a row": "marked by A1: not final, a semantic lock",
        "thin bar under a name": "a timer that runs out",
        "✕ before a name": "crashed: its memory is gone, its disk is not",
        "A1' stock'": "side by side: the same, choreographed",
    }

    shorts = MESSAGES

    def colour(self, message: Any) -> Role:
        return message_role(self.world, message)

    def short(self, message: Any) -> str:
        """With its saga if there are several."""
        words = in_short(message) if isinstance(message, Failed | Event) else super().short(message)
        several = len({each.saga.rstrip("'") for each in instances(self.world)}) > 1
        return f"{message.saga} {words.replace('undo', '↩')}" if words and several else words

    def is_routine(self, message: Any) -> bool:
        return isinstance(message, Ack)

    def era(self) -> Era | None:
        """What the sagas shown are doing; red while one of them goes back or is stuck."""
        found = [each for group in groups(self.world) for _, each in shown(group) if each]
        if not found:
            return None
        phases = [logged(self.world, each).phase for each in found]
        label = phases[0]
        if len(found) > 1:
            label = ", ".join(f"{each.saga} {path.sign(phase)}" for each, phase in zip(found, phases, strict=True))
        if {COMPENSATING, STUCK} & {*phases}:
            return Era(key=label, label=label, role="bad", tone="dashed" if STUCK in phases else "solid")
        under_way = {FORWARD, PAST_PIVOT} & {*phases}
        role = "good" if not under_way else "c1" if FORWARD in phases else "c3"
        return Era(key=label, label=label, role=role, tone="solid" if under_way else "soft")

    # Panels

    def panels(self) -> tuple[Panel, ...]:
        both = groups(self.world)
        if len(both) > 1:
            return tuple(self._side(group) for group in both)
        return self._paths(both[0]), self._services(both[0])

    def _drawn(self, group: Group) -> tuple[list[Mark], float]:
        """The paths of a group, and how far down they reach."""
        marks: list[Mark] = []
        y = 0.0
        for definition, instance in shown(group):
            marks += path.draw(self.world, path.Path(definition, instance, group.orchestrator is not None, EDGE, y))
            y += path.height(definition)
        return marks, y

    def _label(self, group: Group) -> str:
        return "; ".join(path.in_words(self.world, definition, instance) for definition, instance in shown(group))

    def _paths(self, group: Group) -> Panel:
        """The paths; below them the saga log or the outboxes, and what is seen from outside."""
        marks, y = self._drawn(group)
        bottom = max(float(HEIGHT), y + kept.HEAD + 4 * kept.ROW + kept.height() + 16)
        marks += kept.draw(self, group, EDGE, y + 2, bottom - kept.height() - 12 - y)
        marks += kept.outside(self.world, EDGE, bottom - kept.height())
        seen = "; ".join(observer(self.world)) or "nothing half done"
        label = f"{self._label(group)}. A reader of all databases now sees: {seen}"
        return Panel(id="saga", width=path.WIDTH + 2 * EDGE, height=bottom, marks=tuple(marks), label=label)

    def _services(self, group: Group) -> Panel:
        high = services.height(group)
        room = max(float(HEIGHT), high + 24)
        marks = tuple(services.draw(self, group, EDGE, 8 + (room - high - 24) / 2))
        width, title, label = services.WIDTH + 2 * EDGE, "Services; framed: their disks", services.in_words(self, group)
        return Panel(id="services", width=width, height=room, marks=marks, label=label, title=title)

    def _side(self, group: Group) -> Panel:
        """One of two styles side by side: its path, its services below, and what it keeps of where it stands."""
        marks, y = self._drawn(group)
        marks += services.draw(self, group, EDGE, y + 6, seen=False)
        y += services.height(group, seen=False) + 14
        marks += kept.draw(self, group, EDGE, y, KEPT)
        width, title = services.WIDTH + 2 * EDGE, group.style.capitalize()
        label = f"{self._label(group)}. {services.in_words(self, group)}"
        return Panel(id=group.style, width=width, height=y + KEPT + 4, marks=tuple(marks), label=label, title=title)

    # Before and after

    def on_disk(self, process: Any) -> Mapping[str, Any]:
        if isinstance(process, Orchestrator):
            return {"saga log": _last(process.log, 2)}
        rows = {row.key: f"{row.value}{f', marked by {row.pending}' * bool(row.pending)}" for row in process.rows}
        handled = [f"{each.saga} {'undo ' if each.undo else ''}{each.step}: {each.outcome}" for each in process.handled]
        facts = {**rows, "handled": _last(handled)}
        if isinstance(process, Peer):
            facts["journal"] = _last(process.log, 2)
            facts["outbox"] = _last(process.outbox)
            facts["inbox"] = _last(f"{each.number} of {each.sender}" for each in process.inbox)
        return facts

    def in_memory(self, process: Any) -> Mapping[str, Any]:
        if isinstance(process, Orchestrator):
            waits = ", ".join(f"{each.command} (try {each.tries})" for each in process.waiting.values())
            return {"waits for": waits or "nothing"}
        if isinstance(process, Peer):
            tried = ", ".join(f"{what} {each.times} times" for what, each in process.attempts)
            return {"tried in vain": tried or "nothing"}
        failed = ", ".join(f"{what} {times} times" for what, times in process.failed)
        return {"failed so far": failed} if failed else {}


def _last(lines: Iterable[Any], most: int = 4) -> str:
    """The last of some lines, and how many come before."""
    words = [str(each) for each in lines]
    more = [f"{len(words) - most} more"] if len(words) > most else []
    return "; ".join([*more, *words[-most:]]) or "empty"


VIEW = SagaView
