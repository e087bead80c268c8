"""Faults in words: what a crash loses and what the disk keeps, what a cut stops. Written once, for all chapters.

Which fields a crash loses follows from what the process declares; the view gives them their names and words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from patterns.engine.choices import is_lost, links_of
from patterns.engine.sentences import names
from patterns.engine.step import Step
from patterns.engine.world import (
    Crash,
    Cut,
    Delay,
    Drop,
    Duplicate,
    Heal,
    Packet,
    Pause,
    Restart,
    Resume,
    World,
)

from .boxes import shown

SHORT, LONG = 14, 26
"""Letters of a value that is said, among others in a memory and else; of a longer one only the name is."""
MOST = 4
"""Fields that are named; of more, only how many."""


class Fields(Protocol):
    """What a view of a world names of a process's disk and memory."""

    def on_disk(self, process: Any) -> Mapping[str, Any]: ...
    def in_memory(self, process: Any) -> Mapping[str, Any]: ...


def told(of: Callable[[World], Fields], step: Step[World, Any]) -> tuple[str, ...]:
    """What a fault, or its end, did: a few sentences. None for a step in which a process acted and noted its rules."""
    if step.parent is None or step.notes:
        return ()
    before, after = step.parent.state, step.state
    match step.event:
        case Crash(who):
            return _crash(of, before, after, who)
        case Restart(who):
            kept = _fields(of(after).on_disk(after[who]), LONG)
            return (f"**{who} restarts** with its disk: {kept}. Its memory begins anew.",)
        case Pause(who):
            return (f"**{who} pauses**, as in a long garbage collection. It keeps its memory, and its messages wait.",)
        case Resume(who):
            late = sum(packet.to == who and packet.due < after.clock for packet in after.packets)
            waited = f" {_count(late, 'message')} waited for it." if late else ""
            return (f"**{who} goes on** where it stopped.{waited}",)
        case Cut():
            return _cut(before, after, step.event)
        case Heal():
            return ("**All links work again.** A message that was lost stays lost.",)
        case Drop(id) | Duplicate(id) | Delay(id):
            packet = before.packet(id)
            return () if packet is None else (_message(before, after, packet, step.event),)
    return ()


def _crash(of: Callable[[World], Fields], before: World, after: World, who: str) -> tuple[str, ...]:
    """What the memory held and holds no more; what the disk keeps; what is still on its way."""
    now = of(after).in_memory(after[who])
    gone = {name: value for name, value in of(before).in_memory(before[who]).items() if now.get(name) != value}
    kept = of(after).on_disk(after[who])
    room = LONG if len(gone) == 1 else SHORT
    lost = f"Its memory is lost: {_fields(gone, room)}." if gone else "No value in its memory is lost."
    keeps = f"Its disk keeps {_fields(kept, LONG)}." if kept else "It keeps nothing on a disk."
    sent = sum(packet.sender == who for packet in after.packets)
    if sent:
        keeps += f" {_count(sent, 'message')} of {who} {'is' if sent == 1 else 'are'} still on the way."
    return (f"**{who} crashes.** {lost}", keeps)


def _fields(fields: Mapping[str, Any], longest: int) -> str:
    """Fields by name, each with its value if that is short."""
    words = []
    for name, value in fields.items():
        text = shown(value)
        words.append(f"{name} {text}" if len(text) <= longest else name)
    more = len(words) - MOST
    return "; ".join(words if more <= 0 else [*words[:MOST], f"{more} more"]) or "nothing"


def _cut(before: World, after: World, cut: Cut) -> tuple[str, ...]:
    a, b = names(cut.a), names(cut.b)
    if cut.one_way:
        said = f"**Nothing passes from {a} to {b}** any more. From {b} to {a} messages still pass."
    else:
        said = f"**{a} {'is' if len(cut.a) == 1 else 'are'} cut off from {b}.** No message passes either way."
    links = links_of(before, cut)
    caught = sum((packet.sender, packet.to) in links for packet in after.packets)
    waits = f"{_count(caught, 'message')} on the way will be lost if the cut is not healed in time."
    return (said, waits) if caught else (said,)


def _message(before: World, after: World, packet: Packet, event: Drop | Duplicate | Delay) -> str:
    words, to = str(packet.body).replace("**", ""), packet.to
    match event:
        case Duplicate():
            return f"The network doubles **{words}** from {packet.sender}: {to} may receive it twice."
        case Delay():
            due = next(other.due for other in after.packets if other.id == packet.id)
            return f"**{words}** from {packet.sender} is late: it reaches {to} at {due:,} ms."
    if not is_lost(before, packet):
        return f"The network loses **{words}** from {packet.sender} to {to}. Neither of the two is told."
    why = f"{to} is down" if to in before.down else "the link is cut"
    return f"**{words}** from {packet.sender} to {to} is lost: {why}. {packet.sender} is not told."


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
