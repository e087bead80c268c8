"""The picture of one stream: events as blocks, the state that folds over them, the snapshot, and the loaded part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from patterns.engine.sentences import counted
from patterns.engine.step import Step
from patterns.event_sourcing.history import ANN, OLD, STREAM, Deploy, Erase, Happen, Story
from patterns.event_sourcing.shelf import CODEC, Shipped
from widgets.kit import small
from widgets.scene import Box, Era, Fact, Line, Mark, Panel, Scene, Tone

from .labels import kind_of, today

WIDTH, HIGH, BLOCK, LEFT, MOST = 560, 340, 97, 72, 5
"""The picture's size, a block's width, where blocks begin, and how many are shown: the last ones."""
EVENTS, TODAY_AT, STATES, SNAPSHOT, LOADED = 40, 104, 166, 218, 266
"""How far down the rows begin."""
PAST = {name.removeprefix("2024: ") for name in OLD}


def scene_of(step: Step[Story, Any]) -> Scene:
    story = step.state
    new = isinstance(step.event, Happen)
    marks = [*_rows(), *_events(story, new), *_snapshot(story), *_loaded(story)]
    panel = Panel(id="stream", width=WIDTH, height=HIGH, marks=tuple(marks), label=_in_words(story))
    era = Era(key=story.fold, label=f"code of {story.fold}", role="ink", tone="soft")
    clock = f"version {story.log.tail(STREAM)}"
    return Scene(panels=(panel,), clock=clock, era=era, fault=isinstance(step.event, Erase | Deploy))


def facts_of(story: Story) -> tuple[Fact, ...]:
    return (
        Fact(STREAM, "version", str(story.log.tail(STREAM)), "disk"),
        Fact(STREAM, "code", story.fold),
        Fact(STREAM, "snapshot", _kept(story), "disk"),
        Fact(STREAM, "loaded", _result(story), "memory"),
        Fact(ANN, "key", "there" if ANN in story.keys.table else "destroyed", "disk"),
    )


def costs_of(step: Step[Story, Any]) -> dict[str, int]:
    """Events that were read: what a load costs."""
    return {"events read": sum(note.values.get("read", 0) for note in step.notes)}


def _kept(story: Story) -> str:
    kept = story.snapshot
    return (
        f"{counted(kept.state.bags, 'bag')} at version {kept.version}, folded by the code of {kept.fold}"
        if kept
        else "none"
    )


def _result(story: Story) -> str:
    loaded = story.loaded
    if loaded is None:
        return "nothing"
    where = "the snapshot and " if loaded.from_snapshot else ""
    return (
        f"{counted(loaded.state.bags, 'bag')} at version {loaded.version}, from {where}{counted(loaded.read, 'event')}"
    )


def _rows() -> Iterator[Mark]:
    for id, y, text in (
        ("row:stored", EVENTS + 22, "stored"),
        ("row:today", TODAY_AT + 18, "today"),
        ("row:state", STATES + 18, "state"),
        ("row:snapshot", SNAPSHOT + 18, "saved"),
        ("row:loaded", LOADED + 18, "loaded"),
    ):
        yield small(id, 4, y, text, "ink", strong=True)


def _left(story: Story, version: int) -> float:
    """Where the block of this version begins; of a long stream the end is shown."""
    return LEFT + max(0, version - max(0, len(story.log.events) - MOST)) * BLOCK


def _events(story: Story, new: bool) -> Iterator[Mark]:
    states, tail = story.states(), len(story.log.events) - 1
    for event, state in [*zip(story.log.events, states[1:], strict=True)][-MOST:]:
        at, kind, x = event.version, kind_of(event), _left(story, event.version)
        old, middle = event.type in PAST, x + BLOCK / 2 - 4
        tone: Tone = "dashed" if old else "solid" if new and at == tail else "soft"
        title = f"version {at}: {kind}{' of 2024' if old else ''}"
        yield small(f"kind:{at}", middle, EVENTS - 8, kind, "ink", "middle")
        yield Box(id=f"event:{at}", x=x, y=EVENTS, w=BLOCK - 6, h=32, text=f"version {at}", tone=tone, title=title)
        yield Line(id=f"upcast:{at}", x=middle, y=EVENTS + 34, x2=middle, y2=TODAY_AT, role="soft", arrow=True)
        does = ", ".join(today(event)) or "nothing"
        yield small(f"today:{at}", middle, TODAY_AT + 18, does, "ink", "middle")
        for part in CODEC.decode(event):
            if isinstance(part.event, Shipped) and part.event.to.startswith(ANN):
                to = f"to {story.keys.unseal(part.event.to)}"
                yield small(f"to:{at}", middle, TODAY_AT + 36, to, "soft", "middle")
        bags = f"{counted(state.bags, 'bag')} after version {at}"
        yield Box(id=f"state:{at}", x=middle - 20, y=STATES, w=40, h=26, text=str(state.bags), tone="soft", title=bags)


def _snapshot(story: Story) -> Iterator[Mark]:
    if (kept := story.snapshot) is not None:
        right, stale = _left(story, kept.version) + BLOCK - 6, kept.fold != story.fold
        text = f"{counted(kept.state.bags, 'bag')}" + (f", code of {kept.fold}" if right - LEFT > 2 * BLOCK else "")
        title = f"the snapshot: {_kept(story)}"
        tone: Tone = "dashed" if stale else "soft"
        yield Box(id="snapshot", x=LEFT, y=SNAPSHOT, w=right - LEFT, h=28, text=text, tone=tone, title=title)


def _loaded(story: Story) -> Iterator[Mark]:
    if (loaded := story.loaded) is not None and loaded.read:
        x, right = _left(story, loaded.version + 1 - loaded.read), _left(story, loaded.version) + BLOCK - 6
        read = f"{loaded.read} read"
        yield Box(
            id="read", x=x, y=LOADED, w=right - x, h=28, text=read, role="accent", tone="soft", title=_result(story)
        )
    yield small("result", LEFT, LOADED + 50, _result(story), "ink")


def _in_words(story: Story) -> str:
    events = ", ".join(kind_of(event) for event in story.log.events) or "no events"
    state = f"{STREAM} has {events}; its state is {counted(story.states()[-1].bags, 'bag')}"
    return f"{state}; snapshot: {_kept(story)}; loaded: {_result(story)}"
