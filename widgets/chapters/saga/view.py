"""The picture of sagas: each as a path, forward and back; and the services, each with its own database.

Orchestrated, the saga log stands under the path; choreographed, the outboxes do. If a world holds both styles of the
same saga, each has a panel: path, services, and log or outboxes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from patterns.engine.sentences import counted
from patterns.saga.choreography import Peer
from patterns.saga.log import COMPENSATING, FORWARD, PAST_PIVOT, STUCK
from patterns.saga.messages import Ack, Event, Failed
from patterns.saga.orchestrator import Orchestrator
from patterns.saga.readings import logged, observer
from widgets.kit import ProcessView, cut, legend_of, small
from widgets.scene import Era, Label, Mark, Panel, Role

from . import path, records, services
from .groups import ANSWERS, GLYPHS, MESSAGES, TOLD, Group, are_several, groups, in_short, saga_role, shown

HEIGHT = 340
KEPT = records.HEAD + 2 * records.ROW
"""What a log or the outboxes take at least."""
APART, NARROW = 24, 80
"""Pixels between two paths beside one another; and what a step has then at least, or else they stand in two lines."""
STYLE = 138
"""What the name of a style takes, beside its path."""


class SagaView(ProcessView):
    title = "Saga"
    quiet = "acknowledgements"
    signs = legend_of(__package__, title)

    shorts, glyphs, answers = MESSAGES, GLYPHS, ANSWERS

    def colour(self, message: Any) -> Role:
        return saga_role(self.world, getattr(message, "saga", ""))

    def short(self, message: Any) -> str:
        """With its saga if there are several."""
        words = in_short(message) if isinstance(message, Failed | Event) else super().short(message)
        several = are_several(self.world)
        return f"{message.saga} {words.replace('undo', '↩')}" if words and several else words

    def token(self, message: Any) -> tuple[str, bool]:
        return (TOLD.get(message.record.what, ""), False) if isinstance(message, Event) else super().token(message)

    def is_routine(self, message: Any) -> bool:
        return isinstance(message, Ack)

    def era(self) -> Era | None:
        """What the sagas shown are doing, in the colour of the one that is not ended; red while one is stuck."""
        found = [each for group in groups(self.world) for _, each in shown(group) if each]
        if not found:
            return None
        phases = [logged(self.world, each).phase for each in found]
        label = phases[0]
        if len(found) > 1:
            label = ", ".join(f"{each.saga} {path.sign(phase)}" for each, phase in zip(found, phases, strict=True))
        busy = [at for at, phase in enumerate(phases) if phase in (FORWARD, PAST_PIVOT, COMPENSATING)]
        role = "bad" if STUCK in phases else saga_role(self.world, found[busy[0] if busy else 0].saga)
        return Era(key=label, label=label, role=role, tone="solid" if busy else "soft")

    # Panels

    def panels(self) -> tuple[Panel, ...]:
        both = groups(self.world)
        if len(both) > 1:
            return tuple(self._side(group) for group in both)
        return (self._whole(both[0]),)

    def _drawn(self, group: Group, x: float, width: float, named: bool) -> tuple[list[Mark], float]:
        """The paths of a group, beside one another if there is room, and how far down they reach."""
        marks: list[Mark] = []
        paths, y, bottom = shown(group), 0.0, 0.0
        each = (width - (len(paths) - 1) * APART) / len(paths)
        beside = all(each / len(definition.generations) >= NARROW for definition, _ in paths)
        for at, (definition, instance) in enumerate(paths):
            left, wide = (x + at * (each + APART), each) if beside else (x, width)
            place = path.Path(definition, instance, group.orchestrator is not None, left, y, wide, named)
            marks += path.draw(self.world, place)
            bottom = max(bottom, y + path.height(definition, named))
            y = 0.0 if beside else bottom
        return marks, bottom

    def _label(self, group: Group) -> str:
        paths = "; ".join(path.in_words(self.world, definition, instance) for definition, instance in shown(group))
        return f"{paths}. {services.in_words(self, group)}"

    def _whole(self, group: Group) -> Panel:
        """The paths; below them the services; below those the log or the outboxes, and the view from outside."""
        marks, y = self._drawn(group, 0, path.WIDTH, named=True)
        marks += services.draw(self, group, 0, y)
        y += services.height(group) + 4
        bottom = max(float(HEIGHT), y + max(KEPT, records.height() + 12))
        marks += records.draw(self, group, 0, y, bottom - y)
        marks += records.outside(self.world, records.LOG + 14, y + 12)
        seen = "; ".join(observer(self.world)) or "nothing half done"
        label = f"{self._label(group)}. A reader of all databases now sees: {seen}"
        return Panel(id="saga", width=path.WIDTH, height=bottom, marks=tuple(marks), label=label)

    def _side(self, group: Group) -> Panel:
        """One of two styles: its path, beside it what it keeps of where it stands, its services below."""
        marks, y = self._drawn(group, STYLE, path.WIDTH - STYLE, named=False)
        lines = records.lines(group)
        where = "log" if group.orchestrator else "outboxes"
        text, title = f"{where}: {len(lines) or 'empty'}", f"{where}: {'; '.join(lines) or 'empty'}"
        marks.append(Label(id=f"style:{group.style}", x=0, y=12, text=group.style.capitalize(), strong=True))
        marks.append(small(f"log:{group.style}", 0, 31, text, title=title))
        for line in lines[-1:] if group.orchestrator else ():
            marks.append(small("log:last", 0, 47, cut(line, STYLE), title=title))
        marks += services.draw(self, group, 0, y - 6, seen=False)
        y += services.height(group, seen=False) - 4
        return Panel(id=group.style, width=path.WIDTH, height=y, marks=tuple(marks), label=self._label(group))

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
            tried = ", ".join(f"{what} {counted(each.times, 'time')}" for what, each in process.attempts)
            return {"tried in vain": tried or "nothing"}
        failed = ", ".join(f"{what} {counted(times, 'time')}" for what, times in process.failed)
        return {"failed so far": failed} if failed else {}


def _last(lines: Iterable[Any], most: int = 4) -> str:
    """The last of some lines, and how many come before."""
    words = [str(each) for each in lines]
    more = [f"{len(words) - most} more"] if len(words) > most else []
    return "; ".join([*more, *words[-most:]]) or "empty"


VIEW = SagaView
